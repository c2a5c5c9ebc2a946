//! Queries that run, by the name in their ticket, so that they can be cancelled.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::query::{Cancellable, Cancellations};

#[derive(Debug)]
struct Query {
    name: Vec<u8>,
    user: String,
    secret: u32,
}

/// The queries that run, by number.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<Mutex<HashMap<u32, Query>>>);

/// A query that is known until this is dropped.
#[derive(Debug)]
pub struct Entry {
    all: Running,
    process: u32,
}

impl Running {
    /// One more query, `name`d in its ticket.
    pub fn enter(&self, name: &[u8], user: &str, cancellable: &Cancellable) -> Entry {
        let query = Query {
            name: name.to_vec(),
            user: user.to_owned(),
            secret: cancellable.secret,
        };
        self.0.lock().insert(cancellable.process, query);
        Entry {
            all: self.clone(),
            process: cancellable.process,
        }
    }

    /// Cancels the queries of `user` with this name; whether there were any.
    pub fn cancel(&self, name: &[u8], user: &str, cancellations: &Cancellations) -> bool {
        let running = self.0.lock();
        let meant = running
            .iter()
            .filter(|(_, query)| query.name == name && query.user == user);
        let mut found = false;
        for (&process, query) in meant {
            cancellations.cancel(process, query.secret);
            found = true;
        }
        found
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.process);
    }
}
