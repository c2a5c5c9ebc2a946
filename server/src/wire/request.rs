//! What a client sends, read without trust: each count and length is held against what is there.

use super::refusal::{Refusal, state};

/// A message of a client that has been let in.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// One or more statements; answered in text, without parameters.
    Query(String),
    /// A statement to keep under a name.
    Parse {
        /// Its name; empty for the one without.
        name: String,
        /// One statement.
        sql: String,
        /// OIDs of the parameters' types as far as the client says them; 0 where it does not.
        types: Vec<u32>,
    },
    /// Values for a statement's parameters.
    Bind(Bind),
    /// What are the parameters and columns?
    Describe(Target, String),
    /// Give rows.
    Execute {
        /// The portal that [`Request::Bind`] named.
        portal: String,
        /// At most so many; 0 for all.
        rows_max: usize,
    },
    /// Forget a statement or a portal.
    Close(Target, String),
    /// Send what is ready.
    Flush,
    /// The end of a group of messages: what failed in it is over.
    Sync,
    /// Goodbye.
    Terminate,
    /// The rest of a `COPY` that the server refused to read.
    CopyIn,
}

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A prepared statement.
    Statement,
    /// A statement with its values.
    Portal,
}

/// Values for a statement's parameters, and how its rows are wanted.
#[derive(Debug, PartialEq, Eq)]
pub struct Bind {
    /// The name of what comes of it.
    pub portal: String,
    /// The name of the statement.
    pub statement: String,
    /// Whether each value is binary; one for all, or none if all are text.
    pub binary: Vec<bool>,
    /// The values; none for null.
    pub values: Vec<Option<Vec<u8>>>,
    /// Whether each column is wanted binary; one for all, or none if all are text.
    pub binary_columns: Vec<bool>,
}

impl Request {
    /// Reads a message with the type `kind`.
    ///
    /// # Errors
    /// [`state::PROTOCOL_VIOLATION`] if it is none.
    pub fn read(kind: u8, body: &[u8]) -> Result<Self, Refusal> {
        let mut body = Body(body);
        let request = match kind {
            b'Q' => Self::Query(body.text()?),
            b'P' => Self::Parse {
                name: body.text()?,
                sql: body.text()?,
                types: body.list(|body| body.number().map(u32::from_be_bytes))?,
            },
            b'B' => Self::Bind(body.bind()?),
            b'D' => Self::Describe(body.target()?, body.text()?),
            b'E' => Self::Execute {
                portal: body.text()?,
                rows_max: usize::try_from(i32::from_be_bytes(body.number()?)).unwrap_or(0),
            },
            b'C' => Self::Close(body.target()?, body.text()?),
            b'H' => Self::Flush,
            b'S' => Self::Sync,
            b'X' => Self::Terminate,
            b'd' | b'c' | b'f' => return Ok(Self::CopyIn),
            _ => return Err(malformed(&format!("unknown type {:?}", char::from(kind)))),
        };
        body.end()?;
        Ok(request)
    }
}

/// What is left of a message.
pub struct Body<'a>(pub &'a [u8]);

impl<'a> Body<'a> {
    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let Some((bytes, rest)) = self.0.split_at_checked(count) else {
            return Err(malformed("it ends too early"));
        };
        self.0 = rest;
        Ok(bytes)
    }

    /// The bytes of a number.
    pub fn number<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], Refusal> {
        let bytes = self.bytes(BYTES)?;
        bytes.try_into().map_err(|_| malformed("it ends too early"))
    }

    /// A text that a zero ends.
    pub fn text(&mut self) -> Result<String, Refusal> {
        let end = self.0.iter().position(|&byte| byte == 0);
        let end = end.ok_or_else(|| malformed("a text has no end"))?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        String::from_utf8(text.to_vec()).map_err(|_| {
            Refusal::new(
                state::CHARACTER_NOT_IN_REPERTOIRE,
                "the message is not UTF-8; set client_encoding to UTF8",
            )
        })
    }

    fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        let count = u16::from_be_bytes(self.number()?);
        // Each takes two bytes at least, so that a lie about the count reserves nothing.
        let mut list = Vec::with_capacity(usize::from(count).min(self.0.len() / 2));
        for _ in 0..count {
            list.push(one(self)?);
        }
        Ok(list)
    }

    fn format(&mut self) -> Result<bool, Refusal> {
        match u16::from_be_bytes(self.number()?) {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(malformed(&format!("there is no format {other}"))),
        }
    }

    fn value(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let length = i32::from_be_bytes(self.number()?);
        match usize::try_from(length) {
            Ok(length) => Ok(Some(self.bytes(length)?.to_vec())),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(malformed("a value has a negative length")),
        }
    }

    fn target(&mut self) -> Result<Target, Refusal> {
        match self.number()? {
            [b'S'] => Ok(Target::Statement),
            [b'P'] => Ok(Target::Portal),
            [other] => Err(malformed(&format!("there is no target {other}"))),
        }
    }

    fn bind(&mut self) -> Result<Bind, Refusal> {
        Ok(Bind {
            portal: self.text()?,
            statement: self.text()?,
            binary: self.list(Self::format)?,
            values: self.list(Self::value)?,
            binary_columns: self.list(Self::format)?,
        })
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(malformed("it goes on after its end"))
        }
    }
}

/// A message that is none.
pub fn malformed(found: &str) -> Refusal {
    Refusal::new(
        state::PROTOCOL_VIOLATION,
        format!("the message cannot be read: {found}"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn bind_bytes() -> Vec<u8> {
        let mut body = b"portal\0statement\0".to_vec();
        body.extend([0, 1, 0, 1]);
        body.extend([0, 2, 0, 0, 0, 2, b'4', b'2', 255, 255, 255, 255]);
        body.extend([0, 0]);
        body
    }

    #[test]
    fn a_bind_is_read() {
        let read = Request::read(b'B', &bind_bytes()).unwrap();
        let Request::Bind(bind) = read else {
            panic!("{read:?}");
        };
        assert_eq!(bind.values, [Some(b"42".to_vec()), None]);
        assert_eq!(bind.binary, [true]);
    }

    #[test]
    fn every_cut_of_a_message_is_refused() {
        let whole = bind_bytes();
        for cut in 0..whole.len() {
            let refusal = Request::read(b'B', &whole[..cut]).unwrap_err();
            assert_eq!(refusal.state, state::PROTOCOL_VIOLATION, "cut at {cut}");
        }
        let mut longer = whole;
        longer.push(0);
        assert!(Request::read(b'B', &longer).is_err());
    }

    #[test]
    fn counts_that_lie_are_refused() {
        assert!(Request::read(b'P', b"\0select 1\0\xff\xff").is_err());
        assert!(Request::read(b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff").is_err());
        assert!(Request::read(b'B', b"\0\0\0\0\0\x01\x80\0\0\0").is_err());
        assert!(Request::read(b'Q', b"select 1").is_err());
        assert!(Request::read(b'Q', b"\xff\0").is_err());
        assert!(Request::read(b'?', b"").is_err());
    }
}
