//! The canonical model: what every other crate of tieout speaks.
//!
//! A file becomes `transactions` and `remittance_lines` ([`schema`]); a transaction that
//! brings money in is a *payment*; a payment ends in exactly one [`Decision`], made of
//! [`Application`]s to open items, and a decision that does not balance cannot be built.
//! What could not be read is a [`QuarantinedLine`]; what does not tie is a [`Finding`].
//!
//! Money is [`Amount`]: an exact count of hundred-thousandths, never a float. Identity is
//! [`LineId`]: a hash of content, with an occurrence number so that true twins both stay.
//!
//! This crate does no I/O.
//!
//! ```
//! use tieout_core::{Amount, DecisionBuilder, ItemIx, Rule, Status};
//!
//! let paid: Amount = "100.00".parse().unwrap();
//! let mut decision = DecisionBuilder::new(paid);
//! decision.apply(ItemIx(7), "98.00".parse().unwrap());
//! // Two units are unaccounted for, so this is refused.
//! assert!(decision.clone().build(Status::Applied, Rule::References).is_err());
//! decision.on_account("2.00".parse().unwrap());
//! assert!(decision.build(Status::PartiallyApplied, Rule::References).is_ok());
//! ```

pub mod calendar;
pub mod check_digits;
pub mod codes;
mod currency;
mod date;
mod decision;
mod finding;
mod identity;
mod money;
mod name;
mod rate;
mod reason;
mod reference;
pub mod schema;

pub use currency::{Currency, CurrencyError};
pub use date::{Date, DateError};
pub use decision::{
    Alternative, Application, Decision, DecisionBuilder, Evidence, Feature, ItemIx, Unbalanced,
};
pub use finding::{Finding, FindingCode, QuarantineReason, QuarantinedLine, Severity};
pub use identity::{Admission, Identities, IdentityHasher, LineId};
pub use money::{AMOUNT_SCALE, Amount, AmountError};
pub use name::Name;
pub use rate::{Rate, RateError};
pub use reason::{
    ApplicationStatus, Channel, Direction, Feed, ItemKind, Reason, Rule, SettlementType, Status,
    StatusLevel,
};
pub use reference::Significant;
