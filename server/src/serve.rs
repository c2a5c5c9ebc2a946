//! The server: it listens, and gives each client a thread.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
use datafusion::sql::sqlparser::ast::Statement;
use tieout_treasury::Limits as QueryLimits;
use tokio::runtime::{Builder, Runtime};

use crate::ServerError;
use crate::access::{Settings, secret_bytes};
use crate::catalog::Asker;
use crate::flight::Flight;
use crate::query::{
    Books, Cancellations, Door, Gate, Means, Memory, Planned, Snapshot, Turns, Visit,
};
use crate::session;
use crate::wire::{Channel, Refusal, state};

/// Planning a query goes deep: twice what the longest that are read have been seen to take.
pub const STACK_BYTES: usize = 16 << 20;
/// How long to wait when the system refuses a connection or a thread.
const PAUSE: Duration = Duration::from_millis(50);

/// What all sessions share.
pub struct Server {
    pub(crate) settings: Settings,
    pub(crate) books: Books,
    pub(crate) gate: Arc<Gate>,
    pub(crate) cancellations: Arc<Cancellations>,
    pub(crate) means: Means,
    /// What makes up answers about users who do not exist.
    pub(crate) secret: [u8; 32],
    /// Where clients wait, and clocks tick.
    pub(crate) runtime: Runtime,
    /// Where queries run.
    _works: Runtime,
    pub(crate) door: Arc<Door>,
    /// How many statements were planned.
    plans: AtomicU64,
}

impl Server {
    /// Plans a statement in its turn, see [`Planned::of`].
    ///
    /// # Errors
    /// Those of [`Planned::of`].
    pub(crate) async fn plan(
        &self,
        statement: &Statement,
        given: &[u32],
        asker: &Asker<'_>,
        snapshot: Arc<Snapshot>,
    ) -> Result<Planned, Refusal> {
        self.plans.fetch_add(1, Ordering::Relaxed);
        let planned = Planned::of(statement, given, asker, snapshot);
        self.means.turns.over(planned).await
    }
}

/// A server that listens.
pub struct Listening {
    /// In front of what it works with, so that its calls end first.
    flight: Option<Flight>,
    server: Arc<Server>,
    listener: TcpListener,
    stopped: Arc<AtomicBool>,
}

/// Stops a server, from any thread.
#[derive(Clone, Debug)]
pub struct Stop {
    stopped: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Stop {
    /// No more clients are let in; those that are in end with the process.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // The listener wakes up for it.
        drop(TcpStream::connect(self.address));
    }
}

impl Listening {
    /// Opens the ledger in `dir` and listens.
    ///
    /// # Errors
    /// A [`ServerError`].
    pub fn start(settings: Settings, dir: &Path) -> Result<Self, ServerError> {
        let limits = &settings.limits;
        let clock = runtime("clock", 1)?;
        let works = runtime("query", limits.threads.max(1))?;
        let of_all: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(limits.memory_mb << 20));
        let query_limits = QueryLimits {
            memory_bytes: limits.query_memory_mb << 20,
            own_tables: settings.tables.clone(),
            ..QueryLimits::default()
        };
        let books = clock.block_on(Books::open(dir, query_limits))?;
        let listener =
            TcpListener::bind(settings.listen).map_err(|source| ServerError::Listen {
                address: settings.listen,
                source,
            })?;
        let server = Server {
            books,
            gate: Gate::new(limits.queries_per_user),
            cancellations: Arc::default(),
            means: Means {
                threads: limits.threads,
                works: works.handle().clone(),
                turns: Arc::new(Turns::of(
                    limits.threads,
                    dir.to_owned(),
                    clock.handle().clone(),
                )),
                memory: Memory {
                    of_all,
                    query_bytes_max: limits.query_memory_mb << 20,
                },
            },
            secret: secret_bytes().ok_or(ServerError::NoRandom)?,
            door: Door::new(limits.connections),
            plans: AtomicU64::new(0),
            settings,
            runtime: clock,
            _works: works,
        };
        let server = Arc::new(server);
        let flight = server.settings.flight;
        Ok(Self {
            flight: flight
                .map(|listen| Flight::start(&server, listen))
                .transpose()?,
            server,
            listener,
            stopped: Arc::default(),
        })
    }

    /// Where it listens: the port that was taken, if 0 was asked for.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where it listens for Arrow Flight SQL clients, as they write it.
    pub fn flight(&self) -> Option<String> {
        let address = self.flight.as_ref()?.address();
        let scheme = match self.server.settings.identity {
            None => "grpc",
            Some(_) => "grpc+tls",
        };
        Some(format!("{scheme}://{address}"))
    }

    /// Who may connect, in a sentence.
    pub fn who(&self) -> String {
        self.server.settings.who()
    }

    /// How many clients are connected.
    pub fn connections(&self) -> impl Fn() -> usize + Send + 'static {
        let door = Arc::clone(&self.server.door);
        move || door.open()
    }

    /// How many statements were planned since the start: one that is asked again without need costs
    /// its client milliseconds each time.
    pub fn plans(&self) -> impl Fn() -> u64 + Send + 'static {
        let server = Arc::clone(&self.server);
        move || server.plans.load(Ordering::Relaxed)
    }

    /// What stops it.
    ///
    /// # Errors
    /// If the system does not say where it listens.
    pub fn stop(&self) -> io::Result<Stop> {
        Ok(Stop {
            stopped: Arc::clone(&self.stopped),
            address: self.address()?,
        })
    }

    /// Lets clients in until [`Stop::stop`].
    pub fn run(&self) {
        loop {
            let accepted = self.listener.accept();
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            match accepted {
                Ok((tcp, _)) => self.welcome(tcp),
                // No more files, or a client that is gone already: others go on.
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    fn welcome(&self, tcp: TcpStream) {
        let Some(visit) = self.server.door.enter() else {
            refuse(tcp, &too_many());
            return;
        };
        let server = Arc::clone(&self.server);
        let spare = tcp.try_clone();
        let work = move || converse(&server, tcp, visit);
        let spawned = thread::Builder::new()
            .name("client".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(work);
        if spawned.is_err()
            && let Ok(tcp) = spare
        {
            refuse(tcp, &too_many());
        }
    }
}

fn runtime(name: &str, threads: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .thread_stack_size(STACK_BYTES)
        .enable_time()
        .build()
}

fn converse(server: &Arc<Server>, tcp: TcpStream, _visit: Visit) {
    let Ok(channel) = Channel::over(tcp) else {
        return;
    };
    session::converse(server, channel);
}

fn too_many() -> Refusal {
    let found = "there are as many connections as the server allows; close one, or try later";
    Refusal::fatal(state::TOO_MANY_CONNECTIONS, found)
}

/// Tells a client that is not let in why, without waiting for what it says.
fn refuse(tcp: TcpStream, refusal: &Refusal) {
    if let Ok(mut channel) = Channel::over(tcp) {
        channel.replies.refusal(refusal);
        let _ = channel.flush();
    }
}
