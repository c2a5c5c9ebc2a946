//! `tieout audit`: that a ledger is as it was written.

use std::io::{self, Write};

use tieout::Timestamp;
use tieout::audit::{History, Purge, PurgeScope};

use crate::Outcome;
use crate::arguments::{
    AuditCommand, ChainArguments, CompactArguments, PurgeArguments, VerifyArguments,
};
use crate::failure::Failure;
use crate::ledger;
use crate::whole_file::write_out;

/// Verifies or exports.
pub fn audit(command: AuditCommand) -> Result<Outcome, Failure> {
    match command {
        AuditCommand::Verify(arguments) => verify(arguments),
        AuditCommand::Export(arguments) => export(arguments),
        AuditCommand::Purge(arguments) => purge(arguments),
        AuditCommand::Compact(arguments) => compact(arguments),
    }
}

fn purge(arguments: PurgeArguments) -> Result<Outcome, Failure> {
    let scope = [
        arguments.party.map(PurgeScope::Party),
        arguments.account.map(PurgeScope::Account),
        arguments.payment.map(PurgeScope::Payment),
        arguments
            .before
            .map(|day| PurgeScope::Before(Timestamp::start_of(day))),
    ];
    let Some(scope) = scope.into_iter().flatten().next() else {
        return Err(Failure::new("name a party, an account, a payment or a day"));
    };
    let ledger = ledger::chosen(arguments.ledger)?;
    let purge = Purge {
        scope,
        actor: arguments.by,
        reason: arguments.reason,
    };
    let purged = tieout::audit::purge(&ledger, &purge)?;
    if purged.event == 0 {
        writeln!(io::stdout(), "there is nothing to purge")?;
        return Ok(Outcome::Clean);
    }
    writeln!(
        io::stdout(),
        "event {}: {} payments purged, {} rows of {} payloads; no amount has changed{}",
        purged.event,
        purged.payments,
        purged.rows,
        purged.payloads,
        if purged.is_swept {
            ""
        } else {
            "\nold files are still being read, or out of reach; the next run removes them"
        }
    )?;
    Ok(Outcome::Clean)
}

fn compact(arguments: CompactArguments) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger)?;
    let done = match &arguments.history {
        None => tieout::audit::join(&ledger)?,
        Some(place) => {
            let place = History::named(place, &ledger)?;
            tieout::audit::move_history(&ledger, &place)?
        }
    };
    let said = if done {
        "joined by month"
    } else {
        "there is nothing to join"
    };
    writeln!(io::stdout(), "{said}")?;
    if let Some(place) = arguments.history {
        writeln!(io::stdout(), "the history lies at {place}")?;
    }
    Ok(Outcome::Clean)
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
    if verified.purged > 0 {
        writeln!(
            io::stdout(),
            "{} payloads are what a purge has left of them",
            verified.purged
        )?;
    }
    let sealed = if verified.is_sealed {
        "every byte of the journal's file is as it was when it was closed"
    } else {
        "the journal's file has no seal, because it was not closed; all that is read was verified"
    };
    writeln!(io::stdout(), "{sealed}")?;
    Ok(Outcome::Clean)
}

fn export(arguments: ChainArguments) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger)?;
    let payments = &arguments.payment;
    write_out(arguments.out.as_deref(), |out| {
        tieout::audit::export_chain(&ledger, payments, out).map(drop)
    })?;
    Ok(Outcome::Clean)
}
