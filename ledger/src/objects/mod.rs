//! Files that lie elsewhere: at a URL, as objects of any store that `object_store` knows.
//!
//! `file:///...` is always there; `s3://`, `gs://`, `az://` and `http(s)://` are with the feature
//! `cloud`, and whoever embeds tieout may [`bring`] a store of another kind. What is temporary
//! (a timeout, a server that is busy) is tried again by the store's client for half a minute.
//! Credentials come from the environment, as `object_store` documents them for each kind of store:
//! a ledger has none.

mod address;
mod apart;
#[cfg(feature = "cloud")]
mod cloud;
mod owner;
mod shelf;
mod transfer;

pub(crate) use address::local_object;
pub use address::{Address, bring};
pub use object_store::ObjectStore;
pub(crate) use owner::Seat;
pub use shelf::Shelf;
pub(crate) use shelf::Shelved;
pub(crate) use transfer::Objects;

use crate::LedgerError;

/// What an object store said, about the object or address `url`.
pub(crate) fn failed(url: &str, error: &object_store::Error) -> LedgerError {
    let found = match error {
        object_store::Error::NotFound { .. } => return missing(url),
        error => format!(
            "the store refuses: {error}; look at the address, the network, and the credentials in \
             the environment"
        ),
    };
    LedgerError::Object {
        url: url.to_owned(),
        found,
    }
}

fn missing(url: &str) -> LedgerError {
    LedgerError::Object {
        url: url.to_owned(),
        found: "the object is missing; `tieout audit compact` makes it again from the journal"
            .to_owned(),
    }
}

/// An object that is another than was put there.
pub(crate) fn altered(url: &str) -> LedgerError {
    LedgerError::Object {
        url: url.to_owned(),
        found:
            "the object is not as it was written; delete it, and `tieout audit compact` makes it \
                again from the journal"
                .to_owned(),
    }
}
