//! The list of formats, and the choice among them.

use crate::bai2::Bai2;
use crate::bank_csv::{BankCsv, BankCsvProfile, BankXlsx};
use crate::canonical;
use crate::format::Format;
use crate::lockbox::{Lockbox, LockboxLayout};
use crate::transport::SourceFile;

/// Bytes of a file's beginning by which it is recognised.
pub const HEAD_BYTES: usize = 64 * 1024;

/// Every format.
pub static FORMATS: &[&dyn Format] = &[
    &canonical::OPEN_ITEMS_CSV,
    &canonical::REMITTANCES_CSV,
    &canonical::PARTIES_CSV,
    &canonical::OPEN_ITEMS_JSON,
    &canonical::REMITTANCES_JSON,
    &canonical::PARTIES_JSON,
    &canonical::OPEN_ITEMS_PARQUET,
    &canonical::REMITTANCES_PARQUET,
    &canonical::PARTIES_PARQUET,
    &canonical::TRUTH,
    &canonical::RUN_OUTPUT,
    &LockboxLayout,
    &BankCsvProfile,
    &Lockbox,
    &Bai2,
    // Any statement that no other format knows: last.
    &BankXlsx,
    &BankCsv,
];

/// The format of a file that begins with `head`, if one knows it.
pub fn recognize(head: &[u8]) -> Option<&'static dyn Format> {
    FORMATS
        .iter()
        .copied()
        .find(|format| format.recognizes(head))
}

/// The format of `file`, which begins with `head`, if one knows it. Looks at more
/// than the beginning where a format says at the end of the file what it holds.
pub fn recognize_file(file: &SourceFile, head: &[u8]) -> Option<&'static dyn Format> {
    FORMATS
        .iter()
        .copied()
        .find(|format| format.recognizes_file(file, head))
}
