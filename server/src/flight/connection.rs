//! Connections of gRPC clients: counted with all others, and cut off if nobody comes in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};
use tonic::Request;
use tonic::transport::server::{Connected, TlsConnectInfo};

use crate::query::{Door, Visit};

/// How long to wait when the system refuses a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether somebody who may has called over a connection.
#[derive(Clone, Debug, Default)]
pub struct Welcome(Arc<AtomicBool>);

impl Welcome {
    /// Somebody has, by `request`.
    pub fn note<T>(request: &Request<T>) {
        let extensions = request.extensions();
        let clear = extensions.get::<Self>();
        let by_tls = || Some(extensions.get::<TlsConnectInfo<Self>>()?.get_ref());
        if let Some(welcome) = clear.or_else(by_tls) {
            welcome.0.store(true, Ordering::Relaxed);
        }
    }

    fn is_in(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection. It ends if nobody is welcome over it in time.
pub struct Connection {
    tcp: TcpStream,
    welcome: Welcome,
    patience: Option<Pin<Box<Sleep>>>,
    _visit: Visit,
}

impl Connected for Connection {
    type ConnectInfo = Welcome;

    fn connect_info(&self) -> Welcome {
        self.welcome.clone()
    }
}

/// The connections of `listener`, as many as `door` lets in; one more is closed.
pub fn incoming(
    listener: TcpListener,
    door: Arc<Door>,
    patience: Duration,
) -> impl Stream<Item = io::Result<Connection>> {
    stream::unfold((listener, door), move |(listener, door)| async move {
        loop {
            // No more files, or a client that is gone already: others go on.
            let Ok((tcp, _)) = listener.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            if let Some(visit) = door.enter() {
                let _ = tcp.set_nodelay(true);
                let connection = Connection {
                    tcp,
                    welcome: Welcome::default(),
                    patience: Some(Box::pin(sleep(patience))),
                    _visit: visit,
                };
                return Some((Ok(connection), (listener, door)));
            }
        }
    })
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(patience) = &mut this.patience {
            if this.welcome.is_in() {
                this.patience = None;
            } else if patience.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        Pin::new(&mut this.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
