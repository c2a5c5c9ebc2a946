//! `tieout export`: decisions as journal lines for other books.

use tieout::export::{Exported, acknowledge, find_export, next_export, write_export};

use crate::Outcome;
use crate::arguments::ExportArguments;
use crate::failure::Failure;
use crate::ledger;
use crate::whole_file::write_out;

/// Exports what was decided since, or an earlier export again; or notes that one was taken.
pub fn export(arguments: &ExportArguments) -> Result<Outcome, Failure> {
    let dir = ledger::chosen(arguments.ledger.clone())?;
    if let Some(number) = arguments.acknowledge {
        let exported = acknowledge(&dir, number)?;
        eprintln!("export {number}: {} lines, acknowledged", exported.lines);
        return Ok(Outcome::Clean);
    }
    let exported = if let Some(number) = arguments.again {
        find_export(&dir, number)?
    } else {
        let Some(exported) = next_export(&dir)? else {
            eprintln!("nothing was decided since the last export");
            return Ok(Outcome::Clean);
        };
        exported
    };
    let format = arguments.format.into();
    write_out(arguments.out.as_deref(), |out| {
        write_export(&dir, &exported, format, out)
    })?;
    let Exported { number, lines, .. } = exported;
    if arguments.hold && !exported.acknowledged {
        eprintln!(
            "export {number}: {lines} lines; the next export has the same lines until \
             --acknowledge {number}"
        );
        return Ok(Outcome::Clean);
    }
    if !exported.acknowledged && arguments.again.is_none() {
        acknowledge(&dir, number)?;
    }
    eprintln!("export {number}: {lines} lines; the same bytes with --again {number}");
    Ok(Outcome::Clean)
}
