//! A client's session: from its first byte to its last.

mod commands;
mod copy;
mod cursors;
mod extended;
mod startup;
mod state;
mod variables;

use std::sync::Arc;

use crate::serve::Server;
use crate::wire::{Bare, Channel, Gone, Refusal, Request};
use state::{Fault, Session};
pub use variables::{default, defaults};

/// Serves one client until it goes.
pub fn converse(server: &Arc<Server>, channel: Channel) {
    let Ok(Some(client)) = startup::let_in(server, channel) else {
        return;
    };
    let Some(mut session) = Session::of(server, client) else {
        return;
    };
    // Who does not say goodbye is gone all the same.
    if let Err(Gone::Refused(refusal)) = session.talk() {
        session.channel.replies.refusal(&refusal);
        let _ = session.channel.flush();
    }
}

impl Session {
    fn talk(&mut self) -> Result<(), Gone> {
        self.greet()?;
        loop {
            let request = self.channel.request()?;
            if std::mem::take(&mut self.is_ready) {
                // A wish from now on is about what now begins, while it is planned too.
                self.cancellable.forget();
            }
            match request {
                Request::Terminate => return Ok(()),
                Request::Query(sql) => {
                    let answered = self.simple(&sql);
                    self.settle(answered)?;
                    self.ready()?;
                }
                Request::Sync => {
                    self.end_of_group();
                    self.ready()?;
                }
                Request::Flush => self.channel.flush()?,
                Request::CopyIn => {}
                // What follows an error is left out, up to the next Sync.
                _ if self.is_skipping => {}
                request => {
                    let answered = self.extended(request);
                    if self.settle(answered)? {
                        self.is_skipping = true;
                    }
                }
            }
        }
    }

    /// Tells the client of an error, and whether there was one.
    fn settle(&mut self, answered: Result<(), Fault>) -> Result<bool, Gone> {
        match answered {
            Ok(()) => Ok(false),
            Err(Fault::Gone) => Err(Gone::Away),
            Err(Fault::Refused(refusal)) if refusal.is_fatal => Err(Gone::Refused(refusal)),
            Err(Fault::Refused(refusal)) => {
                self.fail(&refusal);
                Ok(true)
            }
        }
    }

    fn fail(&mut self, refusal: &Refusal) {
        self.channel.replies.refusal(refusal);
        self.transaction_failed();
    }

    /// Answers one or more statements, in text.
    fn simple(&mut self, sql: &str) -> Result<(), Fault> {
        self.portals.remove("");
        let commands = crate::query::read(sql)?;
        if commands.is_empty() {
            self.channel.replies.bare(Bare::EmptyQuery);
        }
        for command in commands {
            self.answer(command)?;
        }
        Ok(())
    }
}
