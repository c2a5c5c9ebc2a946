//! What the server sends.

use super::refusal::Refusal;

/// A column of rows to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The OID of its type.
    pub oid: u32,
    /// Bytes of a value; -1 if they differ.
    pub size: i16,
    /// Precision and scale of a numeric; -1 if there is nothing to say.
    pub modifier: i32,
    /// Whether its values are binary.
    pub binary: bool,
}

/// How the client's transaction stands, as `ReadyForQuery` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None is open.
    Idle,
    /// One is open.
    Open,
    /// One is open, and something in it failed.
    Failed,
}

/// Messages on their way to a client.
#[derive(Debug, Default)]
pub struct Replies {
    bytes: Vec<u8>,
}

impl Replies {
    /// The bytes so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was sent. A buffer that one large row has made large is given back.
    pub fn clear(&mut self) {
        const KEPT_BYTES_MAX: usize = 256 << 10;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES_MAX);
    }

    fn message(&mut self, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.push(kind);
        let start = self.bytes.len();
        self.bytes.extend([0; 4]);
        body(&mut self.bytes);
        let length = (self.bytes.len() - start) as u32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }

    /// The client is in.
    pub fn welcome(&mut self) {
        self.message(b'R', |body| body.extend(0_u32.to_be_bytes()));
    }

    /// A step of the proof of the password: what it is by its number, and its text.
    pub fn authentication(&mut self, step: u32, text: &[u8]) {
        self.message(b'R', |body| {
            body.extend(step.to_be_bytes());
            body.extend(text);
        });
    }

    /// A setting that clients want to know.
    pub fn setting(&mut self, name: &str, value: &str) {
        self.message(b'S', |body| {
            put_text(body, name);
            put_text(body, value);
        });
    }

    /// What a client has to say to cancel.
    pub fn cancel_key(&mut self, process: u32, secret: u32) {
        self.message(b'K', |body| {
            body.extend(process.to_be_bytes());
            body.extend(secret.to_be_bytes());
        });
    }

    /// A client that asked for a later version of the protocol, or for options unknown here.
    pub fn negotiate_version(&mut self, options: &[String]) {
        self.message(b'v', |body| {
            body.extend(0_u32.to_be_bytes());
            body.extend((options.len() as u32).to_be_bytes());
            for option in options {
                put_text(body, option);
            }
        });
    }

    /// The next message may come.
    pub fn ready(&mut self, standing: Standing) {
        let letter = match standing {
            Standing::Idle => b'I',
            Standing::Open => b'T',
            Standing::Failed => b'E',
        };
        self.message(b'Z', |body| body.push(letter));
    }

    /// What is wrong.
    pub fn refusal(&mut self, refusal: &Refusal) {
        self.message(b'E', |body| {
            let severity = if refusal.is_fatal { "FATAL" } else { "ERROR" };
            for (field, text) in [
                (b'S', severity),
                (b'V', severity),
                (b'C', refusal.state),
                (b'M', &refusal.message),
            ] {
                body.push(field);
                put_text(body, text);
            }
            body.push(0);
        });
    }

    /// Something that the client should know, though nothing is wrong.
    pub fn warning(&mut self, state: &str, text: &str) {
        self.message(b'N', |body| {
            let fields = [
                (b'S', "WARNING"),
                (b'V', "WARNING"),
                (b'C', state),
                (b'M', text),
            ];
            for (field, text) in fields {
                body.push(field);
                put_text(body, text);
            }
            body.push(0);
        });
    }

    /// A message without a body, by its type.
    pub fn bare(&mut self, kind: Bare) {
        self.message(kind as u8, |_| {});
    }

    /// A command is done.
    pub fn complete(&mut self, tag: &str) {
        self.message(b'C', |body| put_text(body, tag));
    }

    /// The types of a statement's parameters.
    pub fn parameters(&mut self, types: &[u32]) {
        self.message(b't', |body| {
            body.extend((types.len() as u16).to_be_bytes());
            for oid in types {
                body.extend(oid.to_be_bytes());
            }
        });
    }

    /// The columns of the rows to come.
    pub fn columns(&mut self, columns: &[Column]) {
        self.message(b'T', |body| {
            body.extend((columns.len() as u16).to_be_bytes());
            for column in columns {
                put_text(body, &column.name);
                body.extend([0; 6]);
                body.extend(column.oid.to_be_bytes());
                body.extend(column.size.to_be_bytes());
                body.extend(column.modifier.to_be_bytes());
                body.extend(u16::from(column.binary).to_be_bytes());
            }
        });
    }

    /// A row of `count` values, each of which `value` writes with its length in front.
    pub fn row(&mut self, count: usize, value: impl FnMut(usize, &mut Vec<u8>)) {
        self.message(b'D', |body| put_row(body, count, value));
    }

    /// Lines of a `COPY` follow, or its rows in binary.
    pub fn copy_out(&mut self, columns: usize, binary: bool) {
        self.message(b'H', |body| {
            body.push(u8::from(binary));
            body.extend((columns as u16).to_be_bytes());
            body.extend([0, u8::from(binary)].repeat(columns));
        });
    }

    /// A line or row of a `COPY`.
    pub fn copy_line(&mut self, line: impl FnOnce(&mut Vec<u8>)) {
        self.message(b'd', line);
    }
}

/// Messages that are their type alone.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Bare {
    /// A statement was read.
    ParseComplete = b'1',
    /// Values were taken.
    BindComplete = b'2',
    /// A statement or portal is forgotten.
    CloseComplete = b'3',
    /// There are no columns.
    NoData = b'n',
    /// There was no statement in the text.
    EmptyQuery = b'I',
    /// There are more rows.
    PortalSuspended = b's',
    /// The lines of a `COPY` are over.
    CopyDone = b'c',
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    // A zero would end the text before its time.
    body.extend(text.bytes().filter(|&byte| byte != 0));
    body.push(0);
}

/// Writes the values of a row, as many as `count` says, with their number in front.
pub fn put_row(body: &mut Vec<u8>, count: usize, mut value: impl FnMut(usize, &mut Vec<u8>)) {
    body.extend((count as u16).to_be_bytes());
    for place in 0..count {
        value(place, body);
    }
}

/// Writes a value with its length in front.
pub fn put_value(body: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    let start = body.len();
    body.extend([0; 4]);
    value(body);
    let length = (body.len() - start - 4) as u32;
    body[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Writes a null.
pub fn put_null(body: &mut Vec<u8>) {
    body.extend((-1_i32).to_be_bytes());
}
