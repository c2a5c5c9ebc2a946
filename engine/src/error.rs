//! Why a run could not be done at all.

use std::path::PathBuf;

use thiserror::Error;

/// A run that could not be done. What is wrong *in* the files is never an error but a finding.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A path that does not exist or cannot be listed.
    #[error("cannot read {}: {source}", path.display())]
    Path {
        /// The path as given.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file that is no list of what is asked for.
    #[error("{}: {what}", path.display())]
    List {
        /// The path as given.
        path: PathBuf,
        /// What was found, what was expected.
        what: String,
    },
    /// No file to read.
    #[error("no files in {0}: give files, or a folder with files")]
    NoFiles(String),
    /// An output could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] tieout_ledger::LedgerError),
    /// A recipe that cannot be used.
    #[error("the recipe cannot be used: {0}")]
    Recipe(#[from] tieout_matcher::RecipeError),
    /// A recipe's SQL that has no answer for some row.
    #[error("the recipe's {field} cannot be computed: {error}; correct the recipe")]
    Condition {
        /// The field of the recipe.
        field: String,
        /// What went wrong.
        error: String,
    },
    /// A query without an answer.
    #[error(transparent)]
    Query(#[from] tieout_treasury::QueryError),
    /// An answer that could not be written out.
    #[error("cannot write the answer: {0}")]
    Answer(std::io::Error),
    /// No payment has the identifier.
    #[error(
        "no payment {given} in {}: find it with `tieout sql \"select payment_id, payer_name, \
         amount from payments where ...\" --ledger {}`",
        ledger.display(),
        ledger.display()
    )]
    UnknownPayment {
        /// As asked for.
        given: String,
        /// The ledger's folder.
        ledger: PathBuf,
    },
    /// Several payments begin with what was given.
    #[error("several payments begin with {given}: {alike}; give more digits")]
    AmbiguousPayment {
        /// As asked for.
        given: String,
        /// The first of them.
        alike: String,
    },
    /// What was asked for cannot be done as things stand.
    #[error("{0}; nothing was recorded")]
    Request(String),
    /// Somebody has decided the payment since.
    #[error(
        "payment {payment} was decided since: version {now}, not {version}; look at it again with \
         `tieout explain` and repeat the action with --version {now}; nothing was recorded"
    )]
    Changed {
        /// The payment.
        payment: String,
        /// The version that the request names.
        version: u64,
        /// The version there is.
        now: u64,
    },
    /// A mistake in the program; nothing was written.
    #[error("internal error: {0}; please report it with the command line")]
    Internal(String),
}

impl EngineError {
    /// The SQLSTATE of a query without an answer.
    pub fn sqlstate(&self) -> Option<&'static str> {
        match self {
            Self::Query(error) => Some(error.state()),
            _ => None,
        }
    }
}
