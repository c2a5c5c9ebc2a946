//! The Postgres protocol, version 3: messages, and the connection that they go over.
//!
//! The messages are read and written here, not by `pgwire`: its decoders panic on messages that
//! are cut short, and its server needs tokio's sockets, which would have the query engine built
//! once more for whoever does not serve.

mod channel;
mod refusal;
mod reply;
mod request;

pub use channel::{Channel, Gone};
pub use refusal::{Refusal, is_disk_full, state};
pub use reply::{Bare, Column, Replies, Standing, put_null, put_row, put_value};
pub use request::{Bind, Body, Request, Target, malformed};
