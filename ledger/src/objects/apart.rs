//! Stores are asynchronous and the ledger is not: their work is done on threads of its own, so that
//! a caller may be inside any runtime or none.

use std::io;
use std::sync::{LazyLock, mpsc};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::LedgerError;

/// Threads that talk to stores.
const THREADS: usize = 2;

static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("objects")
        .enable_all()
        .build()
});

/// The runtime that all connections live in, whoever asks.
pub(super) fn runtime(url: &str) -> Result<&'static Handle, LedgerError> {
    match &*RUNTIME {
        Ok(runtime) => Ok(runtime.handle()),
        Err(error) => Err(LedgerError::Object {
            url: url.to_owned(),
            found: format!("no thread can be started for it: {error}"),
        }),
    }
}

/// Does `work`, about `url`, and waits for it.
pub(crate) fn wait<T: Send + 'static>(
    url: &str,
    work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
) -> Result<T, LedgerError> {
    let (done, result) = mpsc::sync_channel(1);
    runtime(url)?.spawn(async move {
        // Nobody is left to hear it if this fails.
        let _ = done.send(work.await);
    });
    result.recv().unwrap_or_else(|_| {
        Err(LedgerError::Object {
            url: url.to_owned(),
            found: "the work broke off; please report it".to_owned(),
        })
    })
}
