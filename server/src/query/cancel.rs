//! Cancellation: a client says a number and a secret over another connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::access::secret;

/// Who can be cancelled.
#[derive(Debug, Default)]
pub struct Cancellations {
    next: AtomicU32,
    known: Mutex<HashMap<u32, (u32, Arc<Notify>)>>,
}

/// A connection whose query can be cancelled, until this is dropped.
#[derive(Debug)]
pub struct Cancellable {
    all: Arc<Cancellations>,
    /// Its number.
    pub process: u32,
    /// What only its client knows.
    pub secret: u32,
    wish: Arc<Notify>,
}

impl Cancellations {
    /// One more connection. None if the machine gives no random numbers.
    pub fn register(self: &Arc<Self>) -> Option<Cancellable> {
        let process = self.next.fetch_add(1, Ordering::Relaxed) % (i32::MAX as u32) + 1;
        let secret = secret()?;
        let wish = Arc::new(Notify::new());
        let entry = (secret, Arc::clone(&wish));
        self.known.lock().insert(process, entry);
        Some(Cancellable {
            all: Arc::clone(self),
            process,
            secret,
            wish,
        })
    }

    /// Cancels what connection `process` does, if `secret` is its secret.
    pub fn cancel(&self, process: u32, secret: u32) {
        if let Some((known, wish)) = self.known.lock().get(&process)
            && *known == secret
        {
            wish.notify_one();
        }
    }
}

impl Cancellable {
    /// Ends once somebody wants the query cancelled.
    pub async fn wanted(&self) {
        self.wish.notified().await;
    }

    /// Forgets what was wanted before: the query it was about is over.
    pub fn forget(&self) {
        let _ = self.wish.notified().now_or_never();
    }
}

impl Drop for Cancellable {
    fn drop(&mut self) {
        self.all.known.lock().remove(&self.process);
    }
}
