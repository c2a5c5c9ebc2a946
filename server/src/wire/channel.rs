//! A client's connection, in the clear or by TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::{SockRef, TcpKeepalive};

use super::refusal::{Refusal, state};
use super::reply::Replies;
use super::request::{Request, malformed};

/// The longest message of a client that has not been let in.
const BYTES_BEFORE_WELCOME_MAX: usize = 10 << 10;
/// The longest message after that: a statement, or the values for one.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// What is sent at once.
const FLUSH_BYTES: usize = 64 << 10;
/// How long a client may take to accept what it asked for.
const WRITE_TIME_MAX: Duration = Duration::from_mins(1);
/// How often the machine of a silent client is asked whether it is there, and how often again before it
/// counts as gone: one that lost its power says no goodbye.
const ASK_EVERY: Duration = Duration::from_mins(1);
const ASK_AGAIN: Duration = Duration::from_secs(20);

/// Why there are no more messages.
#[derive(Debug)]
pub enum Gone {
    /// The client went away, or was silent for too long.
    Away,
    /// It broke the protocol.
    Refused(Refusal),
}

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self::Away
    }
}

impl From<Refusal> for Gone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.and_end())
    }
}

enum Stream {
    Clear(Timed),
    Tls(Box<StreamOwned<ServerConnection, Timed>>),
}

/// A connection from which nothing is read any more after a moment.
struct Timed {
    tcp: TcpStream,
    until: Option<Instant>,
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if let Some(until) = self.until {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.tcp.set_read_timeout(Some(left))?;
        }
        self.tcp.read(bytes)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// A connection: messages in, replies out.
pub struct Channel {
    stream: Stream,
    /// Replies that are not sent yet.
    pub replies: Replies,
}

impl Channel {
    /// Over a connection that was just accepted.
    ///
    /// # Errors
    /// If it is gone already.
    pub fn over(tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_write_timeout(Some(WRITE_TIME_MAX))?;
        let asked = TcpKeepalive::new().with_time(ASK_EVERY);
        SockRef::from(&tcp).set_tcp_keepalive(&asked.with_interval(ASK_AGAIN))?;
        Ok(Self {
            stream: Stream::Clear(Timed { tcp, until: None }),
            replies: Replies::default(),
        })
    }

    /// Until when the client may say what it has to say, however it does; for ever if none.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn heard_until(&mut self, until: Option<Instant>) -> io::Result<()> {
        let timed = match &mut self.stream {
            Stream::Clear(timed) => timed,
            Stream::Tls(tls) => &mut tls.sock,
        };
        timed.until = until;
        timed.tcp.set_read_timeout(None)
    }

    /// How long the client may be silent; for ever if none.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn silence_max(&self, time: Option<Duration>) -> io::Result<()> {
        self.tcp().set_read_timeout(time)
    }

    fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Clear(timed) => &timed.tcp,
            Stream::Tls(tls) => &tls.sock.tcp,
        }
    }

    /// Whether it is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Goes on by TLS.
    ///
    /// # Errors
    /// If the client cannot.
    pub fn encrypt(self, config: &Arc<ServerConfig>) -> Result<Self, Gone> {
        let Stream::Clear(tcp) = self.stream else {
            return Err(malformed("the connection is encrypted already").into());
        };
        let server = ServerConnection::new(Arc::clone(config))
            .map_err(|error| Refusal::fatal(state::INTERNAL_ERROR, error.to_string()))?;
        let mut tls = StreamOwned::new(server, tcp);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        Ok(Self {
            stream: Stream::Tls(Box::new(tls)),
            replies: self.replies,
        })
    }

    /// Whether the client has hung up; what it has sent stays to be read.
    pub fn is_hung_up(&self) -> bool {
        let tcp = self.tcp();
        if tcp.set_nonblocking(true).is_err() {
            return true;
        }
        let hung_up = match tcp.peek(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        tcp.set_nonblocking(false).is_err() || hung_up
    }

    /// The first message, which has no type: its body.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn first(&mut self) -> Result<Vec<u8>, Gone> {
        self.body(BYTES_BEFORE_WELCOME_MAX)
    }

    /// The answer to a question for a password.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn password(&mut self) -> Result<Vec<u8>, Gone> {
        match self.byte()? {
            b'p' => self.body(BYTES_BEFORE_WELCOME_MAX),
            _ => Err(malformed("a password was expected").into()),
        }
    }

    /// The next message of a client that was let in.
    ///
    /// # Errors
    /// [`Gone`], also for a message that is none: nobody knows where the next one would begin.
    pub fn request(&mut self) -> Result<Request, Gone> {
        let kind = self.byte()?;
        let body = self.body(MESSAGE_BYTES_MAX)?;
        Ok(Request::read(kind, &body)?)
    }

    fn byte(&mut self) -> Result<u8, Gone> {
        let mut byte = [0];
        self.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn body(&mut self, bytes_max: usize) -> Result<Vec<u8>, Gone> {
        let mut length = [0; 4];
        self.read_exact(&mut length)?;
        let length = i32::from_be_bytes(length);
        let length = usize::try_from(length)
            .ok()
            .and_then(|all| all.checked_sub(4));
        let length = length.ok_or_else(|| malformed("its length is wrong"))?;
        if length > bytes_max {
            let found = format!("{length} bytes are more than the {bytes_max} that are read");
            return Err(malformed(&found).into());
        }
        // Read as it comes, so that a length that lies reserves nothing.
        let mut body = Vec::new();
        let reader: &mut dyn Read = match &mut self.stream {
            Stream::Clear(tcp) => tcp,
            Stream::Tls(tls) => tls.as_mut(),
        };
        let read = reader.take(length as u64).read_to_end(&mut body)?;
        if read < length {
            return Err(Gone::Away);
        }
        Ok(body)
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(tcp) => tcp.read_exact(bytes),
            Stream::Tls(tls) => tls.read_exact(bytes),
        }
    }

    /// Sends bytes that are no message: the answer to a question for TLS.
    ///
    /// # Errors
    /// If the client went away.
    pub fn send_byte(&mut self, byte: u8) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(tcp) => tcp.write_all(&[byte]),
            Stream::Tls(tls) => tls.write_all(&[byte]),
        }
    }

    /// Sends the replies once they are many.
    ///
    /// # Errors
    /// If the client went away.
    pub fn flush_if_full(&mut self) -> io::Result<()> {
        if self.replies.bytes().len() < FLUSH_BYTES {
            return Ok(());
        }
        self.flush()
    }

    /// Sends the replies.
    ///
    /// # Errors
    /// If the client went away.
    pub fn flush(&mut self) -> io::Result<()> {
        let bytes = self.replies.bytes();
        if bytes.is_empty() {
            return Ok(());
        }
        match &mut self.stream {
            Stream::Clear(tcp) => tcp.write_all(bytes)?,
            Stream::Tls(tls) => {
                tls.write_all(bytes)?;
                tls.flush()?;
            }
        }
        self.replies.clear();
        Ok(())
    }
}
