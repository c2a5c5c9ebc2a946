//! `tieout explain`: why a payment ended as it did.

use std::io::{self, Write};

use crate::Outcome;
use crate::arguments::ExplainArguments;
use crate::failure::Failure;
use crate::ledger;

/// Prints what the ledger knows about one payment.
pub fn explain(arguments: ExplainArguments) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger)?;
    let explanation = tieout::explain_as_of(&ledger, arguments.as_of, &arguments.payment_id)?;
    writeln!(io::stdout(), "{}", explanation.to_string().trim_end())?;
    Ok(Outcome::Clean)
}
