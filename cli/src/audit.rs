//! `tieout audit`: that a ledger is as it was written.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use crate::Outcome;
use crate::arguments::{AuditCommand, ChainArguments, VerifyArguments};
use crate::failure::Failure;
use crate::ledger;

/// Verifies or exports.
pub fn audit(command: AuditCommand) -> Result<Outcome, Failure> {
    match command {
        AuditCommand::Verify(arguments) => verify(arguments),
        AuditCommand::Export(arguments) => export(arguments),
    }
}

fn verify(arguments: VerifyArguments) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger)?;
    let verified = tieout::audit::verify(&ledger, arguments.head.as_deref())?;
    writeln!(
        io::stdout(),
        "{} events in {} postings, {} bytes: every one follows the one before, and the state and \
         the tables are what they come to\nhead {}:{}",
        verified.events,
        verified.postings,
        verified.payload_bytes,
        verified.events,
        verified.head
    )?;
    Ok(Outcome::Clean)
}

fn export(arguments: ChainArguments) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger)?;
    let payments = &arguments.payment;
    match arguments.out {
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            tieout::audit::export_chain(&ledger, payments, &mut out)?;
        }
        Some(path) => {
            let file = File::create(&path).map_err(|error| {
                Failure::with_action(
                    format!("cannot write {}: {error}", path.display()),
                    "give a file that you may write to, on a disk with room",
                )
            })?;
            let mut out = BufWriter::new(file);
            tieout::audit::export_chain(&ledger, payments, &mut out)?;
        }
    }
    Ok(Outcome::Clean)
}
