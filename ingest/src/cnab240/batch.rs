//! A batch: what its header says, and what is read of it.

use tieout_core::{Amount, Date, Feed, QuarantineReason};

use super::layout::{self, Layout};
use crate::cnab::{Company, Events, account_name, date_at, money_at, said};
use crate::fixed::columns;
use crate::lines::Line;
use crate::national::{Ledger, Refusal, decode};

/// What a batch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Collection,
    Payment,
    Statement,
}

/// A batch that is open.
pub(super) struct Batch {
    pub line: u64,
    pub service: Service,
    pub layout: &'static Layout,
    pub company: Company,
    /// Records so far, the header included.
    pub records: u64,
    /// How final the statement is.
    pub feed: Feed,
    pub ledger: Ledger,
}

/// A balance of a statement.
pub(super) struct Standing {
    pub date: Option<Date>,
    pub amount: Amount,
}

impl Batch {
    /// From a batch header; `file` is what the file header says.
    pub fn open(line: &Line<'_>, file: &Company) -> Option<Self> {
        let record = line.bytes;
        let bank = decode(columns(record, 1, 3));
        let service = match (columns(record, 9, 9), columns(record, 10, 11)) {
            (b"E", _) | (_, b"04") => Service::Statement,
            (b"R" | b"T", _) | (_, b"01") => Service::Collection,
            _ => Service::Payment,
        };
        let mut company = file.clone();
        let (account, name) = match service {
            // The agreement names the account where its columns are blank.
            Service::Collection => (account_at(record, 54, [34, 53]), (74, 103)),
            Service::Payment | Service::Statement => (account_at(record, 53, [33, 52]), (73, 102)),
        };
        if company.account.is_empty() || service != Service::Collection {
            company.account = account_name(bank.as_bytes(), account.as_bytes());
            company.statement_id.clone_from(&company.account);
        }
        if company.name.is_empty() {
            let name = decode(columns(record, name.0, name.1));
            name.trim().clone_into(&mut company.name);
        }
        company.events = Events::of("cnab240", &bank);
        company.bank = bank.into_owned();
        let is_partial = service == Service::Statement && columns(record, 170, 170) == b"P";
        Some(Self {
            line: line.number,
            service,
            layout: layout::of_bank(&company.bank)?,
            company,
            records: 0,
            feed: if is_partial {
                Feed::Interim
            } else {
                Feed::Statement
            },
            ledger: Ledger::default(),
        })
    }
}

/// Agency and account, which stand together from column `first`; else the agreement.
pub(super) fn account_at(record: &[u8], first: usize, agreement: [usize; 2]) -> String {
    let agency = columns(record, first, first + 5).trim_ascii();
    let number = columns(record, first + 6, first + 18).trim_ascii();
    let has_none = |text: &[u8]| text.iter().all(|&byte| matches!(byte, b'0' | b' '));
    if has_none(number) || has_none(agency) {
        let agreement = columns(record, agreement[0], agreement[1]);
        return said(agreement.trim_ascii()).into_owned();
    }
    format!("{}{}", decode(agency), decode(number))
}

/// The balance of a statement's header or trailer: date, amount and sign from column 143.
pub(super) fn standing(record: &[u8]) -> Result<Standing, Refusal> {
    let amount = money_at(record, [151, 168], "balance")?;
    let amount = match columns(record, 169, 169) {
        b"D" => -amount,
        b"C" => amount,
        _ if amount.is_zero() => amount,
        sign => {
            let message = format!("the balance's sign is `{}`; expected C or D", decode(sign));
            return Err((QuarantineReason::BadValue, message));
        }
    };
    Ok(Standing {
        date: date_at(record, [143, 150], "date of the balance")?,
        amount,
    })
}
