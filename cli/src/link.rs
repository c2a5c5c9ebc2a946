//! `tieout link`: links two lists of parties or people, or one with itself.

use std::io::{self, Write};

use tieout::link::{Assignment, Level, LinkOptions, Linked, link as link_files};

use crate::Outcome;
use crate::arguments::LinkArguments;
use crate::failure::Failure;
use crate::whole_file::write_out;

/// Links, writes the pairs, and says on standard error what was learned.
pub fn link(arguments: LinkArguments) -> Result<Outcome, Failure> {
    let assignment = if arguments.one_to_one {
        Assignment::OneToOne
    } else {
        Assignment::Free
    };
    let linked = link_files(&LinkOptions {
        left: arguments.left,
        right: arguments.right,
        id: arguments.id,
        on: arguments.on,
        assignment,
        probability_min: arguments.min_probability,
        threads: arguments.threads.map_or(0, Into::into),
    })?;
    let format = arguments.format.into();
    write_out(arguments.out.as_deref(), |out| {
        tieout::write_rows(&linked.rows, format, out)
    })?;
    if !arguments.quiet {
        tell(&linked)?;
    }
    Ok(Outcome::Clean)
}

fn tell(linked: &Linked) -> Result<(), Failure> {
    let mut out = io::stderr().lock();
    let right = linked
        .right_rows
        .map_or(String::new(), |rows| format!(" with {rows}"));
    writeln!(
        out,
        "{} pairs of {} rows{right}; {} pairs compared, {:.0} expected to be the same",
        linked.rows.num_rows(),
        linked.left_rows,
        linked.links.compared,
        linked.links.expected
    )?;
    writeln!(
        out,
        "what each level is worth in bits, how often it is seen in pairs that are the same and in others"
    )?;
    for (field, weights) in linked.fields.iter().zip(&linked.links.weights) {
        let levels = Level::WEIGHED
            .iter()
            .zip(weights.same.iter().zip(&weights.other));
        let told: Vec<String> = levels
            .filter(|(_, (same, other))| **same >= 0.0005 || **other >= 0.0005)
            .map(|(level, (same, other))| {
                let bits = (same / other).log2();
                let (same, other) = (same * 100.0, other * 100.0);
                format!("{} {bits:+.1} ({same:.1}% {other:.2}%)", level.code())
            })
            .collect();
        writeln!(out, "  {:<16} {}", field.name, told.join(", "))?;
    }
    Ok(())
}
