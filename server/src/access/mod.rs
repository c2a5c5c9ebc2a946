//! Who may connect, and what they may read.

mod scram;
mod settings;
mod tls;

pub use scram::{Exchange, MECHANISM, Mistake, Verifier, secret, secret_bytes};
pub use settings::{Allowed, Limits, Settings};
