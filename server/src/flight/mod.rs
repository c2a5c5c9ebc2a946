//! The ledger in columns: Arrow Flight SQL over gRPC, for clients that want Arrow batches.
//!
//! Users, roles, snapshots, plans and limits are those of the Postgres side. [`connection`] takes
//! clients in, [`entry`] knows who asks, [`service`] answers, [`messages`] and [`rows`] are how;
//! [`statements`] keeps what was prepared, [`tickets`] what was planned for tickets, [`running`] what can be cancelled, [`about`] says what there is.

mod about;
mod connection;
mod entry;
mod messages;
mod rows;
mod running;
mod service;
mod statements;
mod status;
mod tickets;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::ServerTlsConfig;

use crate::ServerError;
use crate::serve::{STACK_BYTES, Server};
use service::Service;

/// The longest message of a client: a statement, or the values for one.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Calls at a time over one connection.
const CALLS_MAX: u32 = 128;
/// How often a silent client is asked whether it is there, and how long it may take to say so.
const ASK_EVERY: Duration = Duration::from_mins(1);
const ASK_TIME_MAX: Duration = Duration::from_secs(20);
/// How long calls may take to end when the server does.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The part of a server that speaks Flight SQL. It ends when this is dropped.
pub struct Flight {
    runtime: Option<Runtime>,
    address: SocketAddr,
}

impl Flight {
    /// Listens on `listen`.
    ///
    /// # Errors
    /// A [`ServerError`] if the address is taken or the certificate is none.
    pub fn start(server: &Arc<Server>, listen: SocketAddr) -> Result<Self, ServerError> {
        let cannot = |source: io::Error| ServerError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let limits = &server.settings.limits;
        let runtime = Builder::new_multi_thread()
            .worker_threads(limits.threads.max(1))
            .thread_name("flight")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()?;
        let patience = Duration::from_secs(limits.login_seconds);
        let mut builder = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(ASK_EVERY))
            .http2_keepalive_timeout(Some(ASK_TIME_MAX))
            .max_concurrent_streams(Some(CALLS_MAX));
        if let Some(identity) = server.settings.identity.clone() {
            let tls = ServerTlsConfig::new().identity(identity).timeout(patience);
            let told = builder.tls_config(tls);
            builder = told.map_err(|error| cannot(io::Error::other(error)))?;
        }
        let service = FlightServiceServer::new(Service::over(Arc::clone(server)))
            .max_decoding_message_size(MESSAGE_BYTES_MAX);
        let entered = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(cannot)?;
        drop(entered);
        let incoming = connection::incoming(listener, Arc::clone(&server.door), patience);
        runtime.spawn(builder.add_service(service).serve_with_incoming(incoming));
        Ok(Self {
            runtime: Some(runtime),
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(LAST_WORDS);
        }
    }
}
