//! Cash application as a pure function: open items, parties, remittances, payments in;
//! decisions out. No I/O, no clock, no order of threads.
//!
//! [`Arrivals`] number the payments and say what arrival alone tells. A [`Session`] is loaded
//! with what the business knows and then takes them in that order, in batches of any size. [`Session::references`] decides what the documents
//! named by the payers decide; what is left waits for [`Session::amounts`], when every named
//! item has been paid. Inside a batch payments are decided side by side against the state at
//! its beginning and committed one after the other; a decision whose grounds an earlier payment
//! of the batch has changed is made again. So the decisions are those of one payment at a time.
//!
//! A [`Recipe`] says what may be applied without a person.

mod arrivals;
mod cited;
mod columns;
mod decide;
mod directory;
mod earlier;
mod family;
mod items;
mod labels;
mod ladder;
mod learn;
mod lines;
pub mod link;
mod memory;
mod named;
mod names;
mod parties;
mod payer;
mod payment;
mod reading;
mod recipe;
mod reference;
mod remittance;
mod reversal;
mod rivals;
mod scope;
mod score;
mod session;
mod settle;
mod subset;
mod together;
mod weights;

pub use arrivals::{Arrivals, Arrived};
pub use cited::may_name;
pub use columns::BadBatch;
pub use earlier::{Candidates, EarlierOutcome, EarlierPart, Sought, Undoing};
pub use items::{CarriedItem, Items, ItemsError, Loaded, LoadedBatch};
pub use labels::{ItemName, Labels};
pub use learn::Learned;
pub use memory::{Lesson, Pattern};
pub use names::{Found, Name, NameIndex};
pub use parties::Parties;
pub use recipe::{Answers, Recipe, RecipeError, SHIPPED, Source, Sql};
pub use remittance::Remittances;
pub use scope::{DepositGap, LockboxTotals};
pub use score::PRIOR;
pub use session::{CARRIED, Decisions, Late, MatchError, Session};
pub use weights::Weights;
