//! A ledger's SQL over the network.
//!
//! [`Settings`] say who may connect and what they may use; [`Listening`] opens the ledger and lets
//! clients in, each with a thread of its own. A query reads one state of the ledger; a new one
//! reads the newest. Anything that speaks the Postgres protocol is a client, and so is what wants
//! columns by Arrow Flight SQL.
//!
//! ```no_run
//! use tieout_server::{Listening, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::without_users("127.0.0.1:5433".parse()?)?;
//! let server = Listening::start(settings, "ledger".as_ref())?;
//! println!("{}", server.who());
//! server.run();
//! # Ok(())
//! # }
//! ```

mod access;
mod catalog;
mod error;
mod flight;
mod query;
mod serve;
mod session;
mod values;
mod wire;

pub use access::{Limits, Settings, Verifier};
pub use error::ServerError;
pub use serve::{Listening, Stop};
