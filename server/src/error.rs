//! Why the server cannot start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use tieout_ledger::LedgerError;
use tieout_treasury::QueryError;

/// Why there is no server, and what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The configuration file.
    #[error("cannot use {}: {found}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// A certificate or its key.
    #[error("cannot use {}: {found}; it must be a PEM file", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// An address that others reach, without users or without encryption.
    #[error(
        "{0} can be reached from other machines, so that it needs users and a certificate; name \
         them in --config FILE, or serve on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// No ledger is named.
    #[error("no ledger is named; give --ledger DIR, or set TIEOUT_LEDGER=DIR")]
    NoLedger,
    /// There is no ledger, or it is damaged.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger's tables cannot be opened.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// No threads.
    #[error("cannot start: {0}")]
    Runtime(#[from] io::Error),
    /// The machine gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}
