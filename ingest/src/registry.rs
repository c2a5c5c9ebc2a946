//! The list of formats, and the choice among them.

use crate::bai2::Bai2;
use crate::bank_csv::{BankCsv, BankCsvProfile, BankXlsx, CsvProfiles};
use crate::canonical;
use crate::cfonb120::Cfonb120;
use crate::cnab240::Cnab240;
use crate::cnab400::Cnab400;
use crate::coda::Coda;
use crate::fedwire::Fedwire;
use crate::format::Format;
use crate::iso20022;
use crate::lockbox::{Lockbox, LockboxLayout};
use crate::mt::{Mt, MtTransfers};
use crate::nacha::Nacha;
use crate::norma43::Norma43;
use crate::ofx::Ofx;
use crate::processor;
use crate::qif::Qif;
use crate::transport::SourceFile;
use crate::x12::{X12, X12Lockbox};
use crate::x937::CashLetter;

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
    &canonical::ACCOUNTS_CSV,
    &canonical::EXCHANGE_RATES_CSV,
    &canonical::ACCOUNTS_JSON,
    &canonical::EXCHANGE_RATES_JSON,
    &canonical::ACCOUNTS_PARQUET,
    &canonical::EXCHANGE_RATES_PARQUET,
    &canonical::TRUTH,
    &canonical::RUN_OUTPUT,
    &processor::STRIPE,
    &processor::ADYEN,
    &processor::PAYPAL,
    &processor::BRAINTREE,
    &processor::TRUSTLY,
    &processor::DLOCAL,
    &processor::CHECKOUT,
    &processor::CHARIOT,
    &processor::GRAVY,
    &LockboxLayout,
    &BankCsvProfile,
    &Lockbox,
    &Bai2,
    &Mt,
    &MtTransfers,
    &iso20022::CAMT_052,
    &iso20022::CAMT_053,
    &iso20022::CAMT_054,
    &iso20022::PAIN_001,
    &iso20022::PAIN_008,
    &iso20022::PACS_008,
    &iso20022::PACS_009,
    &iso20022::PACS_003,
    &iso20022::PAIN_002,
    &iso20022::PACS_002,
    &iso20022::PACS_004,
    &iso20022::CAMT_029,
    &iso20022::CAMT_055,
    &iso20022::CAMT_056,
    &iso20022::REMT_001,
    &iso20022::Iso20022Other,
    &Nacha,
    &X12Lockbox,
    &X12,
    &Ofx,
    &Qif,
    &Fedwire,
    &CashLetter,
    &Coda,
    &Cfonb120,
    &Norma43,
    &Cnab240,
    &Cnab400,
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

/// The format of a file that [`recognize_file`] does not know, if one of the user's profiles names
/// its columns.
pub fn recognize_by_profile(
    file: &SourceFile,
    head: &[u8],
    profiles: &CsvProfiles,
) -> Option<&'static dyn Format> {
    if BankXlsx::fits_profile(file, head, profiles) {
        return Some(&BankXlsx);
    }
    BankCsv::fits_profile(head, profiles).then_some(&BankCsv as &dyn Format)
}
