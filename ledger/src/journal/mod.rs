//! The journal: an append-only chain of events, and the state that they come to.
//!
//! A [`Posting`] is what is committed together: a run, or something a person did. It appends
//! events, each [`Event`] chained by hash to the one before, lets each take effect on the state,
//! and puts all of it on disk with one commit. A [`Journal`] reads what was committed.
//!
//! The store is one redb file; `docs` of [`event`](Event) draw an event byte by byte.

mod carried;
mod clock;
mod closed;
mod event;
mod export;
mod fold;
mod forward;
mod lock;
mod memory;
mod overlay;
mod pack;
mod past;
mod payload;
mod posting;
pub(crate) mod purge;
mod reading;
pub(crate) mod seal;
mod state;
pub(crate) mod store;
mod verify;

pub use carried::{Carried, Received, WaitingRows};
pub use clock::{Clock, SystemClock, Timestamp};
pub use event::{Digest, Event, EventKind};
pub use export::write_chain;
pub use fold::what;
pub use forward::{ItemRows, Place, names_of};
pub use lock::{LOCK, WriterLock};
pub use memory::Remembered;
pub(crate) use posting::HandedOver;
pub use posting::Posting;
pub use purge::{Left, PURGED_TEXT, Purge, PurgeScope};
pub use reading::{Journal, KnownFile, Payload};
pub use seal::SEAL;
pub use state::{ItemState, PaymentState};
pub use store::{FORMAT_VERSION, JOURNAL};
pub use verify::{Verified, verify};
