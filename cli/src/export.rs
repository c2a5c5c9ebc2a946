//! `tieout export`: decisions as journal lines for other books.

use std::fs::File;
use std::io::{self, Write};

use tieout::export::{find_export, next_export, write_export};

use crate::Outcome;
use crate::arguments::ExportArguments;
use crate::failure::Failure;
use crate::ledger;

/// Exports what was decided since, or an earlier export again.
pub fn export(arguments: ExportArguments) -> Result<Outcome, Failure> {
    let dir = ledger::chosen(arguments.ledger)?;
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
    match arguments.out {
        None => write_export(&dir, &exported, format, io::stdout())?,
        Some(path) => {
            let file = File::create(&path).map_err(|error| {
                Failure::with_action(
                    format!("cannot write {}: {error}", path.display()),
                    format!(
                        "give a file that you may write to, and --again {}: the lines count as \
                         exported",
                        exported.number
                    ),
                )
            })?;
            write_export(&dir, &exported, format, file)?;
        }
    }
    io::stdout().flush()?;
    eprintln!(
        "export {}: {} lines; the same bytes with --again {}",
        exported.number, exported.lines, exported.number
    );
    Ok(Outcome::Clean)
}
