//! What was planned for tickets, so that the call that brings one does not plan again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::query::Planned;

/// Tickets that are remembered at a time; a new one takes the place of the oldest.
const TICKETS_MAX: usize = 256;
/// How long: clients bring them at once.
const TICKET_TIME: Duration = Duration::from_mins(1);

struct Ticket {
    name: Vec<u8>,
    user: String,
    planned: Planned,
    given: Instant,
}

/// The tickets that were given and not brought yet, oldest first. One that is not known is planned by
/// the statement that it has.
#[derive(Default)]
pub struct Tickets(Mutex<VecDeque<Ticket>>);

impl Tickets {
    /// Remembers what was planned for the ticket `name` of `user`.
    pub fn keep(&self, name: &[u8], user: &str, planned: Planned) {
        let mut known = self.0.lock();
        known.retain(|ticket| ticket.given.elapsed() < TICKET_TIME);
        if known.len() >= TICKETS_MAX {
            known.pop_front();
        }
        known.push_back(Ticket {
            name: name.to_vec(),
            user: user.to_owned(),
            planned,
            given: Instant::now(),
        });
    }

    /// What was planned for a ticket, if it is remembered, and is of the state `number`.
    pub fn take(&self, name: &[u8], user: &str, number: u64) -> Option<Planned> {
        let mut known = self.0.lock();
        let mut tickets = known.iter();
        let place = tickets.position(|ticket| ticket.name == name && ticket.user == user)?;
        let planned = known.remove(place)?.planned;
        (planned.snapshot.number == number).then_some(planned)
    }
}
