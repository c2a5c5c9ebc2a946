//! `tieout sql` without a question: a shell for many of them.
//!
//! A statement ends with `;` and may have many lines; what begins with `\` is a command, to the end of
//! its line. In a pipe there is no prompt, and the first mistake ends it.

mod chart;
mod command;
mod completion;
mod editor;
mod expanded;
mod listing;
mod pattern;
mod prompt;
mod session;
mod statement;

use std::io::{self, IsTerminal as _};

use tieout::{Limits, Questions};

use crate::Outcome;
use crate::arguments::SqlArguments;
use crate::failure::Failure;
use crate::ledger;
use session::Session;

/// Runs the shell.
pub fn shell(arguments: SqlArguments, limits: &Limits) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger)?;
    let questions = Questions::open(&ledger, arguments.as_of, limits)?;
    let mut session = Session::new(questions, arguments.format);
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        prompt::converse(session, &ledger)
    } else {
        session.take_all(io::stdin().lock(), None)?;
        Ok(Outcome::Clean)
    }
}
