//! What CNAB 240 and CNAB 400 share: the files by which Brazilian banks and companies tell each
//! other about collection titles (boletos).
//!
//! A `Title` is what a record says of one title. An event code says what happened to it:
//! `events` knows which of them brought money. Those become bank lines, all others words about
//! a payment; a title on its way to the bank becomes an instruction. Banks put their fields in
//! columns of their own, so that columns are data: `layout` reads them.

mod events;
mod layout;
mod title;

pub(crate) use events::Events;
pub(crate) use layout::{Span, date_at, field, merged, money_at};
pub(crate) use title::{Company, Title, said};

use tieout_core::Currency;

use crate::national::decode;

/// The real, in which all amounts are.
pub(crate) fn real() -> Currency {
    Currency::parse(b"BRL").unwrap_or(Currency::USD)
}

/// An account as `bank:number`, the number without blanks.
pub(crate) fn account_name(bank: &[u8], number: &[u8]) -> String {
    let number = decode(number);
    let parts = number.split_whitespace();
    format!("{}:{}", decode(bank), parts.collect::<String>())
}
