//! Why a command could not be done, told so that the reader knows the next step.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use tieout::EngineError;

/// A command that was not done.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The reader of standard output went away (`| head`), which is no error.
    ReaderGone,
    /// An error, with what to do about it where the sentence does not say so itself.
    Error {
        /// What and where.
        what: String,
        /// What to do.
        action: Option<String>,
        /// The SQLSTATE of a query without an answer.
        state: Option<&'static str>,
    },
}

impl Failure {
    /// An error whose sentence says what to do.
    pub fn new(what: impl Into<String>) -> Self {
        Self::Error {
            what: what.into(),
            action: None,
            state: None,
        }
    }

    /// An error, and what to do about it.
    pub fn with_action(what: impl Into<String>, action: impl Into<String>) -> Self {
        Self::Error {
            what: what.into(),
            action: Some(action.into()),
            state: None,
        }
    }

    /// A file that cannot be read.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::with_action(
            format!("cannot read {}: {error}", path.display()),
            "check the path, and that you may read it",
        )
    }

    /// A file that cannot be written.
    pub fn unwritable(path: &Path, error: &io::Error) -> Self {
        Self::with_action(
            format!("cannot write {}: {error}", path.display()),
            "give a file that you may write to, and run again: it has the same lines",
        )
    }

    /// The error in a line of a file.
    pub fn in_line(mut self, file: &str, line: usize) -> Self {
        if let Self::Error { what, .. } = &mut self {
            *what = format!("{file}:{line}: {what}");
        }
        self
    }

    /// The error with its SQLSTATE in front, where it has one.
    pub fn with_state(&self) -> Self {
        let mut told = self.clone();
        if let Self::Error { what, state, .. } = &mut told
            && let Some(state) = state
        {
            *what = format!("{state}: {what}");
        }
        told
    }

    /// Prints the error and gives the exit status.
    pub fn tell(&self) -> ExitCode {
        match self {
            Self::ReaderGone => ExitCode::SUCCESS,
            Self::Error { .. } => {
                eprintln!("{self}");
                ExitCode::FAILURE
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Error { what, action, .. } = self else {
            return Ok(());
        };
        write!(out, "tieout: error: {}", what.trim_end())?;
        match action {
            None => Ok(()),
            Some(action) => write!(out, "\n  {action}"),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Path { path, source } => Self::unreadable(path, source),
            EngineError::Answer(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Self::ReaderGone
            }
            EngineError::Write { .. } => Self::with_action(
                error.to_string(),
                "give a folder that you may write to, on a disk with room",
            ),
            _ => Self::Error {
                what: error.to_string(),
                action: None,
                state: error.sqlstate(),
            },
        }
    }
}

/// Errors of writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::new(format!("cannot write to standard output: {error}"))
        }
    }
}
