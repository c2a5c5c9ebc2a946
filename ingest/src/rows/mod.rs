//! Canonical batches, built row by row.
//!
//! Bank lines, of which there are millions, are written field by field into Arrow's builders
//! (`bank_lines`). Every other table is a plain struct a row whose cells stand in the order of
//! the table's columns (`table`), one file a table.

mod advice;
mod balance;
mod bank_lines;
mod instruction;
mod open_item;
mod settlement;
mod status;
mod table;
mod text;

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

pub(crate) use advice::AdviceLine;
pub(crate) use balance::Balance;
pub(crate) use bank_lines::{BankLine, BankLines, BookingStatus, DocumentLine};
pub(crate) use instruction::PaymentInstruction;
pub(crate) use open_item::OpenItem;
pub(crate) use settlement::SettlementLine;
pub(crate) use status::PaymentStatus;
pub(crate) use table::{TableRow, TableRows};
pub(crate) use text::is_same;

/// The text of `bytes`: UTF-8, or else Windows-1252, which gives every byte a character.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}
