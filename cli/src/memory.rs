//! `tieout memory`: what a ledger has learned from people, to list, take away and forget.

use std::io::{self, Write};

use tieout::MemoryFilter;

use crate::Outcome;
use crate::arguments::{ForgetArguments, MemoryArguments, MemoryCommand, MemoryExportArguments};
use crate::failure::Failure;
use crate::ledger;
use crate::sql::table;
use crate::whole_file::write_out;

/// Lists, exports or forgets.
pub fn memory(command: MemoryCommand) -> Result<Outcome, Failure> {
    match command {
        MemoryCommand::List(arguments) => list(arguments),
        MemoryCommand::Export(arguments) => export(arguments),
        MemoryCommand::Forget(arguments) => forget(arguments),
    }
}

fn list(arguments: MemoryArguments) -> Result<Outcome, Failure> {
    let dir = ledger::chosen(arguments.ledger)?;
    let filter = MemoryFilter {
        kind: arguments.kind,
        party: arguments.party,
        ids: Vec::new(),
    };
    let rows = tieout::memory(&dir, &filter)?;
    let schema = rows.schema();
    let listed = table(&schema, std::iter::once(Ok(rows)))?;
    writeln!(io::stdout(), "{listed}")?;
    Ok(Outcome::Clean)
}

fn export(arguments: MemoryExportArguments) -> Result<Outcome, Failure> {
    let dir = ledger::chosen(arguments.ledger)?;
    let rows = tieout::memory(&dir, &MemoryFilter::default())?;
    let format = arguments.format.into();
    write_out(arguments.out.as_deref(), |out| {
        tieout::write_rows(&rows, format, out)
    })?;
    Ok(Outcome::Clean)
}

fn forget(arguments: ForgetArguments) -> Result<Outcome, Failure> {
    let dir = ledger::chosen(arguments.ledger)?;
    if arguments.ids.is_empty() && arguments.party.is_none() && arguments.kind.is_none() {
        return Err(Failure::with_action(
            "nothing is named that is to be forgotten",
            "name entries of `tieout memory list`, or all of a customer with --party, or of a \
             kind with --kind",
        ));
    }
    let filter = MemoryFilter {
        kind: arguments.kind,
        party: arguments.party,
        ids: arguments.ids,
    };
    let count = tieout::forget(&dir, &filter, &arguments.by, &arguments.reason)?;
    let entries = if count == 1 { "entry" } else { "entries" };
    writeln!(io::stdout(), "forgot {count} {entries}")?;
    Ok(Outcome::Clean)
}
