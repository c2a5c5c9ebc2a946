//! What may be odd about an OFX file.

use tieout_core::{Direction, FindingCode, Severity};

use super::element::Field;
use super::entry::{Account, Checked, Entry};
use crate::oddities::{Oddities, Oddity};

pub(super) static STRAY_TEXT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnexpectedRecord,
    what: "pieces of text outside an element",
    expected: "text only between a start tag and the next tag",
    action: "It was not read; look at the line.",
};
pub(super) static UNENDED_PART: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnexpectedRecord,
    what: "parts without their end tag",
    expected: "an end tag for every element that holds elements",
    action: "What stood in them was passed over; look whether lines of the account did.",
};
pub(super) static TRADE: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::NotRead,
    what: "trades of securities",
    expected: "",
    action: "They are no bank lines; only cash movements (INVBANKTRAN) were read.",
};
pub(super) static OTHER_PART: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::NotRead,
    what: "parts about something else than bank lines",
    expected: "",
    action: "Nothing to do.",
};
pub(super) static UNKNOWN_ELEMENT: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::UnknownCode,
    what: "values of elements that OFX does not have in a line",
    expected: "elements of the OFX specification",
    action: "They were not kept; the line's money does not depend on them.",
};
pub(super) static SERVER_ERROR: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "requests that the bank's server refused",
    expected: "status 0 and what was asked for",
    action: "Ask the bank's server again.",
};
pub(super) static EMPTY_BALANCE: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::MissingRecord,
    what: "balances without an amount",
    expected: "an amount (BALAMT)",
    action: "There is no such balance to compare with.",
};
pub(super) static BALANCE_DATE: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::LayoutUncertain,
    what: "balances whose date does not read",
    expected: "YYYYMMDD",
    action: "They were kept without a date.",
};
pub(super) static MARKED_AMOUNT: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::LayoutInferred,
    what: "amounts with a currency's mark",
    expected: "digits with one point or comma",
    action: "The mark was left out; the currency is the one that CURDEF names.",
};
static UNKNOWN_TYPE: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::UnknownCode,
    what: "lines of a type that OFX does not have",
    expected: "a TRNTYPE of the list (CREDIT, DEBIT, CHECK, ...)",
    action: "The sign of the amount tells which way the money moved.",
};
static OTHER_SIGN: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnknownCode,
    what: "lines whose type and sign contradict each other",
    expected: "a minus for DEBIT, CHECK, DIRECTDEBIT and none for CREDIT, DEP, DIRECTDEP",
    action: "The sign was taken; compare a few lines with the account.",
};
static NO_BANK_ID: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::MissingRecord,
    what: "lines without an identifier (FITID)",
    expected: "an identifier that the bank gives each line",
    action: "Their other content tells a line that comes again.",
};
static NO_ACCOUNT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "lines of an account that is not named",
    expected: "an account number (ACCTID)",
    action: "Tell by the download which account they belong to.",
};
static CORRECTION: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::Superseded,
    what: "lines that correct an earlier line",
    expected: "",
    action: "Take back the lines with these identifiers: DELETE withdraws them, REPLACE puts the \
             new line in their place.",
};

const TYPES: &[&str] = &[
    "CREDIT",
    "DEBIT",
    "INT",
    "DIV",
    "FEE",
    "SRVCHG",
    "DEP",
    "ATM",
    "POS",
    "XFER",
    "CHECK",
    "PAYMENT",
    "CASH",
    "DIRECTDEP",
    "DIRECTDEBIT",
    "REPEATPMT",
    "HOLD",
    "OTHER",
];

/// Notes what is odd about a line that was read.
pub(super) fn note_of_line(
    oddities: &mut Oddities,
    entry: &Entry,
    checked: &Checked,
    account: &Account,
) {
    let line = entry.line_number();
    let kind = entry.value(Field::Type).to_ascii_uppercase();
    if !TYPES.contains(&kind.as_str()) {
        oddities.note(&UNKNOWN_TYPE, line, entry.value(Field::Type));
    }
    let expected = match kind.as_str() {
        "DEBIT" | "CHECK" | "DIRECTDEBIT" => Some(Direction::Debit),
        "CREDIT" | "DEP" | "DIRECTDEP" => Some(Direction::Credit),
        _ => None,
    };
    let is_other = expected.is_some_and(|expected| expected != checked.direction);
    if is_other && !checked.amount.is_zero() {
        oddities.note(&OTHER_SIGN, line, &kind);
    }
    if checked.is_marked {
        oddities.note(&MARKED_AMOUNT, line, entry.value(Field::Amount));
    }
    if entry.value(Field::BankId).is_empty() {
        oddities.note(&NO_BANK_ID, line, "");
    }
    if account.number.is_empty() {
        oddities.note(&NO_ACCOUNT, line, "");
    }
    let corrected = entry.value(Field::Corrects);
    if !corrected.is_empty() {
        let action = entry.value(Field::Correction);
        let name = format!("{action} {corrected}");
        oddities.note(&CORRECTION, line, name.trim());
    }
}
