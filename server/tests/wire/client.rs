//! A client by the messages of `postgres-protocol`, which shares no code with the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::{backend, frontend};
use postgres_protocol::{IsNull, Oid};

/// A connection that is let in.
pub struct Client {
    pub stream: TcpStream,
    buffer: Vec<u8>,
    /// Process and secret, for cancelling.
    pub key: (i32, i32),
}

/// What a server says until it is ready.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub columns: Vec<(String, Oid)>,
    pub parameters: Vec<Oid>,
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
    pub copied: Vec<u8>,
    /// In how many messages.
    pub copies: usize,
    /// Settings that the client was told of.
    pub settings: Vec<(String, String)>,
    pub tags: Vec<String>,
    /// SQLSTATE and message.
    pub errors: Vec<(String, String)>,
    pub suspended: usize,
    /// How the transaction stands: `I`, `T` or `E`.
    pub status: u8,
}

impl Answer {
    /// The rows as texts.
    pub fn texts(&self) -> Vec<Vec<Option<String>>> {
        let text = |value: &Option<Vec<u8>>| {
            value
                .as_ref()
                .map(|value| String::from_utf8(value.clone()).unwrap())
        };
        self.rows
            .iter()
            .map(|row| row.iter().map(text).collect())
            .collect()
    }

    /// The first value as text.
    pub fn one(&self) -> String {
        assert_eq!(self.errors, [], "{self:?}");
        self.texts()[0][0].clone().unwrap()
    }

    /// What was copied, as text.
    pub fn copied(&self) -> &str {
        str::from_utf8(&self.copied).unwrap()
    }

    /// The code of the only error.
    pub fn state(&self) -> &str {
        assert_eq!(self.errors.len(), 1, "{self:?}");
        &self.errors[0].0
    }
}

fn fields(mut fields: backend::ErrorFields<'_>) -> (String, String) {
    let mut told = (String::new(), String::new());
    while let Some(field) = fields.next().unwrap() {
        let value = String::from_utf8(field.value_bytes().to_vec()).unwrap();
        match field.type_() {
            b'C' => told.0 = value,
            b'M' => told.1 = value,
            _ => {}
        }
    }
    told
}

impl Client {
    /// Connects as `user`, with a password if one is asked for.
    pub fn connect(
        address: SocketAddr,
        user: &str,
        password: &str,
    ) -> Result<Self, (String, String)> {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        let mut client = Self {
            stream,
            buffer: Vec::new(),
            key: (0, 0),
        };
        let parameters = [("user", user), ("database", "tieout")];
        client.send(|buffer| frontend::startup_message(parameters, buffer).unwrap());
        let mut scram = None;
        loop {
            match client.message() {
                backend::Message::AuthenticationSasl(_) => {
                    let binding = ChannelBinding::unsupported();
                    let begun = ScramSha256::new(password.as_bytes(), binding);
                    client.send(|buffer| {
                        frontend::sasl_initial_response(SCRAM_SHA_256, begun.message(), buffer)
                            .unwrap();
                    });
                    scram = Some(begun);
                }
                backend::Message::AuthenticationSaslContinue(body) => {
                    let exchange = scram.as_mut().unwrap();
                    exchange.update(body.data()).unwrap();
                    let proof = exchange.message().to_vec();
                    client.send(|buffer| frontend::sasl_response(&proof, buffer).unwrap());
                }
                backend::Message::AuthenticationSaslFinal(body) => {
                    scram.as_mut().unwrap().finish(body.data()).unwrap();
                }
                backend::Message::BackendKeyData(body) => {
                    client.key = (body.process_id(), body.secret_key());
                }
                backend::Message::ReadyForQuery(_) => return Ok(client),
                backend::Message::ErrorResponse(body) => return Err(fields(body.fields())),
                _ => {}
            }
        }
    }

    /// Sends what `write` writes.
    pub fn send(&mut self, write: impl FnOnce(&mut bytes::BytesMut)) {
        let mut buffer = bytes::BytesMut::new();
        write(&mut buffer);
        self.stream.write_all(&buffer).unwrap();
    }

    /// The next message.
    pub fn message(&mut self) -> backend::Message {
        loop {
            let mut buffer = bytes::BytesMut::from(&self.buffer[..]);
            if let Some(message) = backend::Message::parse(&mut buffer).unwrap() {
                self.buffer = buffer.to_vec();
                return message;
            }
            let mut read = vec![0; 1 << 16];
            let count = self.stream.read(&mut read).unwrap();
            assert!(count > 0, "the server hung up");
            self.buffer.extend(&read[..count]);
        }
    }

    /// Everything until the server is ready.
    pub fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        loop {
            match self.message() {
                backend::Message::ReadyForQuery(body) => {
                    answer.status = body.status();
                    return answer;
                }
                other => note(&mut answer, other),
            }
        }
    }

    /// Asks in text.
    pub fn ask(&mut self, sql: &str) -> Answer {
        self.send(|buffer| frontend::query(sql, buffer).unwrap());
        self.answer()
    }

    /// Asks with parameters in text, `types` as far as known, and rows in text or binary.
    pub fn ask_with(
        &mut self,
        sql: &str,
        types: &[Oid],
        values: &[Option<&str>],
        binary: bool,
    ) -> Answer {
        self.send(|buffer| {
            frontend::parse("", sql, types.iter().copied(), buffer).unwrap();
            frontend::describe(b'S', "", buffer).unwrap();
        });
        self.bind("", values, binary, 0)
    }

    /// Binds and executes the prepared statement `name`.
    pub fn bind(
        &mut self,
        name: &str,
        values: &[Option<&str>],
        binary: bool,
        rows_max: i32,
    ) -> Answer {
        let serialize = |value: Option<&str>, buffer: &mut bytes::BytesMut| match value {
            None => Ok(IsNull::Yes),
            Some(text) => {
                buffer.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
        };
        self.send(|buffer| {
            let bound = frontend::bind(
                "",
                name,
                [],
                values.iter().copied(),
                |value, buffer| serialize(value, buffer),
                [i16::from(binary)],
                buffer,
            );
            assert!(bound.is_ok());
            frontend::execute("", rows_max, buffer).unwrap();
            frontend::sync(buffer);
        });
        self.answer()
    }
}

fn note(answer: &mut Answer, message: backend::Message) {
    match message {
        backend::Message::RowDescription(body) => {
            answer.columns = body
                .fields()
                .map(|field| Ok((field.name().to_owned(), field.type_oid())))
                .collect()
                .unwrap();
        }
        backend::Message::ParameterDescription(body) => {
            answer.parameters = body.parameters().collect().unwrap();
        }
        backend::Message::DataRow(body) => {
            let row = body
                .ranges()
                .map(|range| Ok(range.map(|range| body.buffer()[range].to_vec())));
            answer.rows.push(row.collect().unwrap());
        }
        backend::Message::CopyData(body) => {
            answer.copied.extend(body.data());
            answer.copies += 1;
        }
        backend::Message::CommandComplete(body) => {
            answer.tags.push(body.tag().unwrap().to_owned());
        }
        backend::Message::ParameterStatus(body) => {
            let (name, value) = (body.name().unwrap(), body.value().unwrap());
            answer.settings.push((name.to_owned(), value.to_owned()));
        }
        backend::Message::PortalSuspended => answer.suspended += 1,
        backend::Message::ErrorResponse(body) => answer.errors.push(fields(body.fields())),
        _ => {}
    }
}
