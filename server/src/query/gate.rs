//! How many queries and connections there may be.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::wire::{Refusal, state};

/// Counts what runs, by user.
#[derive(Debug)]
pub struct Gate {
    running: Mutex<HashMap<String, usize>>,
    per_user_max: usize,
}

impl Gate {
    /// At most `per_user_max` queries of one user at a time.
    pub fn new(per_user_max: usize) -> Arc<Self> {
        Arc::new(Self {
            running: Mutex::default(),
            per_user_max,
        })
    }

    /// How many queries run.
    pub fn running(&self) -> usize {
        self.running.lock().values().sum()
    }

    /// Lets one more query of `user` in.
    ///
    /// # Errors
    /// [`state::CONFIGURATION_LIMIT_EXCEEDED`] if there are too many.
    pub fn enter(self: &Arc<Self>, user: &str) -> Result<Pass, Refusal> {
        let mut running = self.running.lock();
        let count = running.entry(user.to_owned()).or_default();
        if *count >= self.per_user_max {
            return Err(Refusal::new(
                state::CONFIGURATION_LIMIT_EXCEEDED,
                format!(
                    "user {user} has {count} queries running, which is the most; wait for one to \
                     end, or cancel one"
                ),
            ));
        }
        *count += 1;
        Ok(Pass {
            gate: Arc::clone(self),
            user: user.to_owned(),
        })
    }
}

impl Pass {
    /// How many queries run, this one too.
    pub fn running(&self) -> usize {
        self.gate.running()
    }
}

/// A query that is counted until this is dropped.
#[derive(Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    user: String,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut running = self.gate.running.lock();
        if let Some(count) = running.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.user);
            }
        }
    }
}

/// Counts connections.
#[derive(Debug)]
pub struct Door {
    open: AtomicUsize,
    max: usize,
}

impl Door {
    /// At most `max` at a time.
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            open: AtomicUsize::new(0),
            max,
        })
    }

    /// One more; none if there are too many.
    pub fn enter(self: &Arc<Self>) -> Option<Visit> {
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        let visit = Visit(Arc::clone(self));
        (before < self.max).then_some(visit)
    }

    /// How many there are.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub struct Visit(Arc<Door>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_ends_makes_room() {
        let gate = Gate::new(2);
        let first = gate.enter("ann").unwrap();
        let _second = gate.enter("ann").unwrap();
        let refused = gate.enter("ann").unwrap_err();
        assert_eq!(refused.state, state::CONFIGURATION_LIMIT_EXCEEDED);
        assert!(gate.enter("bob").is_ok());
        drop(first);
        assert!(gate.enter("ann").is_ok());
        let door = Door::new(1);
        let visit = door.enter();
        assert!(visit.is_some() && door.enter().is_none());
        drop(visit);
        assert_eq!(door.open(), 0);
        assert!(door.enter().is_some());
    }
}
