//! The shell with a person at it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::completion::Words;
use super::editor::{Editor, Typed};
use super::session::{Next, Session};
use super::statement::Pending;
use crate::Outcome;
use crate::failure::Failure;

/// Lines that are remembered.
const LINES_MAX: usize = 5_000;

/// Asks and answers until the person leaves.
pub fn converse(mut session: Session, ledger: &Path) -> Result<Outcome, Failure> {
    let history = history_file();
    let mut editor = Editor::new(words(&session), remembered(history.as_deref()));
    session.stop_on_interrupt();
    writeln!(
        io::stdout(),
        "{}: read-only; a statement ends with ;  \\? for help, \\q to leave",
        ledger.display()
    )?;
    let mut pending = Pending::default();
    loop {
        let prompt = if pending.is_begun() {
            "   ...> "
        } else {
            "tieout> "
        };
        let line = match editor.read(prompt)? {
            Typed::Line(line) => line,
            Typed::Dropped => {
                pending.take();
                continue;
            }
            Typed::End => break,
        };
        let mut inputs = pending.add(&line).into_iter();
        let leaves = inputs.any(|input| match session.take(&input) {
            Ok(next) => next == Next::Leave,
            Err(failure) => {
                failure.tell();
                false
            }
        });
        if leaves {
            break;
        }
    }
    remember(history.as_deref(), &editor.history);
    Ok(Outcome::Clean)
}

fn words(session: &Session) -> Words {
    let mut names = session.words("select distinct relation from catalog");
    names.extend(session.words("select distinct column_name from catalog where place > 0"));
    let functions = tieout::functions();
    names.extend(functions.iter().map(|function| function.name.to_owned()));
    Words::new(names)
}

fn history_file() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = named("TIEOUT_HISTORY") {
        return Some(file.into());
    }
    named("HOME").map(|home| PathBuf::from(home).join(".tieout_history"))
}

/// The lines of the last times; there are none before the first.
fn remembered(file: Option<&Path>) -> Vec<String> {
    let text = file.and_then(|file| fs::read_to_string(file).ok());
    text.unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn remember(file: Option<&Path>, lines: &[String]) {
    let first = lines.len().saturating_sub(LINES_MAX);
    if let Some(file) = file {
        // A history that cannot be kept is no reason to fail.
        let _ = fs::write(file, lines[first..].join("\n") + "\n");
    }
}
