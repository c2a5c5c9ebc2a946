//! `tieout sql` without a question: a shell for many of them.
//!
//! A statement ends with `;` and may have many lines; a line that begins with `\` is a command.
//! In a pipe there is no prompt, and the first mistake ends it.

mod chart;
mod command;
mod completion;
mod editor;
mod prompt;
mod session;
mod statement;

use std::io::{self, BufRead as _, IsTerminal as _};

use tieout::{Limits, Questions};

use crate::Outcome;
use crate::arguments::SqlArguments;
use crate::failure::Failure;
use crate::ledger;
use session::{Next, Session};
use statement::{Input, Pending};

/// Runs the shell.
pub fn shell(arguments: SqlArguments, limits: &Limits) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger)?;
    let questions = Questions::open(&ledger, arguments.as_of, limits)?;
    let session = Session::new(questions, arguments.format);
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        prompt::converse(session, &ledger)
    } else {
        read_all(session)
    }
}

/// Answers all that standard input has.
fn read_all(mut session: Session) -> Result<Outcome, Failure> {
    let mut pending = Pending::default();
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|error| Failure::new(format!("cannot read the input: {error}")))?;
        for input in pending.add(&line) {
            if session.take(&input)? == Next::Leave {
                return Ok(Outcome::Clean);
            }
        }
    }
    if let Some(rest) = pending.take() {
        session.take(&Input::Statement(rest))?;
    }
    Ok(Outcome::Clean)
}
