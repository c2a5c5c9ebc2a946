//! What a session remembers.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use datafusion::logical_expr::LogicalPlan;

use super::cursors::Cursor;
use super::extended::{Portal, Prepared};
use super::startup::Client;
use super::variables::Variables;
use crate::access::Allowed;
use crate::catalog::Asker;
use crate::query::{Cancellable, Planned, Rows, Snapshot, Watch};
use crate::serve::Server;
use crate::wire::{Channel, Gone, Refusal, Standing};

/// Why something was not done.
#[derive(Debug)]
pub enum Fault {
    /// The client is told.
    Refused(Refusal),
    /// There is no client any more.
    Gone,
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A client that is in.
pub struct Session {
    pub(super) server: Arc<Server>,
    pub(super) channel: Channel,
    pub(super) user: String,
    pub(super) allowed: Allowed,
    pub(super) variables: Variables,
    pub(super) cancellable: Cancellable,
    pub(super) standing: Standing,
    /// What the open transaction sees.
    pub(super) snapshot: Option<Arc<Snapshot>>,
    pub(super) statements: HashMap<String, Arc<Prepared>>,
    pub(super) portals: HashMap<String, Portal>,
    pub(super) cursors: HashMap<String, Cursor>,
    /// Whether what comes is left out until the next Sync.
    pub(super) is_skipping: bool,
    /// Whether the client knows that nothing runs.
    pub(super) is_ready: bool,
}

impl Session {
    /// A new one. None if the machine gives no random numbers.
    pub fn of(server: &Arc<Server>, client: Client) -> Option<Self> {
        Some(Self {
            allowed: server.settings.allowed(&client.user),
            cancellable: server.cancellations.register()?,
            server: Arc::clone(server),
            channel: client.channel,
            user: client.user,
            variables: client.variables,
            standing: Standing::Idle,
            snapshot: None,
            statements: HashMap::new(),
            portals: HashMap::new(),
            cursors: HashMap::new(),
            is_skipping: false,
            is_ready: false,
        })
    }

    pub(super) fn greet(&mut self) -> Result<(), Gone> {
        let (process, secret) = (self.cancellable.process, self.cancellable.secret);
        self.channel.replies.cancel_key(process, secret);
        self.ready()
    }

    pub(super) fn ready(&mut self) -> Result<(), Gone> {
        let limits = &self.server.settings.limits;
        let patience = Duration::from_secs(limits.idle_in_transaction_seconds);
        let patience = (self.standing != Standing::Idle).then_some(patience);
        self.channel.silence_max(patience)?;
        self.is_ready = true;
        self.channel.replies.ready(self.standing);
        Ok(self.channel.flush()?)
    }

    /// A group of messages is over.
    pub(super) fn end_of_group(&mut self) {
        self.is_skipping = false;
        if self.standing == Standing::Idle {
            self.portals.clear();
        }
    }

    pub(super) fn transaction_failed(&mut self) {
        if self.standing == Standing::Open {
            self.standing = Standing::Failed;
            self.portals.clear();
        }
    }

    /// The transaction ends, and if it `is_kept` what was set in it lasts.
    pub(super) fn end_of_transaction(&mut self, is_kept: bool) {
        self.change(|variables| variables.end(is_kept));
        self.standing = Standing::Idle;
        self.snapshot = None;
        self.portals.clear();
        self.cursors.retain(|_, cursor| cursor.hold);
    }

    /// Changes settings, and tells the client of those that it wants to know.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Variables) -> T) -> T {
        let before: Vec<_> = self.variables.reported().collect();
        let changed = change(&mut self.variables);
        for now in self.variables.reported() {
            if !before.contains(&now) {
                self.channel.replies.setting(now.0, &now.1);
            }
        }
        changed
    }

    /// What a new query sees: the newest state, or that of the open transaction.
    pub(super) fn snapshot(&mut self) -> Result<Arc<Snapshot>, Refusal> {
        if let Some(snapshot) = &self.snapshot {
            return Ok(Arc::clone(snapshot));
        }
        let server = Arc::clone(&self.server);
        let latest = server.runtime.block_on(server.books.latest());
        let snapshot = latest.map_err(|error| Refusal::unreadable(&error))?;
        if self.standing == Standing::Open {
            self.snapshot = Some(Arc::clone(&snapshot));
        }
        Ok(snapshot)
    }

    /// Plans a statement against `snapshot`.
    pub(super) fn plan(
        &self,
        statement: &datafusion::sql::sqlparser::ast::Statement,
        given: &[u32],
        snapshot: Arc<Snapshot>,
    ) -> Result<Planned, Refusal> {
        let asker = Asker {
            user: &self.user,
            allowed: self.allowed.clone(),
            process: self.cancellable.process,
            setting: &|name| self.variables.get(name),
        };
        let planned = self.server.plan(statement, given, &asker, snapshot);
        self.server.runtime.block_on(planned)
    }

    /// Begins to run a plan.
    pub(super) fn begin(
        &self,
        plan: &LogicalPlan,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Rows, Refusal> {
        let pass = self.server.gate.enter(&self.user)?;
        let is_gone = || self.channel.is_hung_up();
        let watch = self.watch(&is_gone);
        let begun = Rows::begin(plan, snapshot, &self.server.means, pass, &watch);
        self.server.runtime.block_on(begun)
    }

    pub(super) fn watch<'a>(&'a self, is_gone: &'a (dyn Fn() -> bool + Sync)) -> Watch<'a> {
        let time_max = self.server.settings.limits.query_time();
        Watch {
            cancellable: &self.cancellable,
            time_max: self.variables.statement_time(time_max),
            is_gone,
        }
    }

    /// The next rows, `rows_max` at most.
    pub(super) fn next(
        &self,
        rows: &mut Rows,
        rows_max: usize,
    ) -> Result<Option<arrow::array::RecordBatch>, Refusal> {
        let is_gone = || self.channel.is_hung_up();
        let watch = self.watch(&is_gone);
        self.server.runtime.block_on(rows.next(rows_max, &watch))
    }
}
