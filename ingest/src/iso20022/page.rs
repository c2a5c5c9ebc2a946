//! Pages of a message and numbers of statements.

use std::collections::BTreeMap;

use tieout_core::{FindingCode, Severity};

use crate::intake::Notice;
use crate::xml::Element;

/// Accounts whose statement numbers are remembered.
const ACCOUNTS_MAX: usize = 10_000;

/// Watches pages and numbers through a file.
#[derive(Default)]
pub(super) struct Pages {
    /// The last page, and whether others follow it.
    last: Option<(u64, bool)>,
    /// The last statement number of each account.
    numbers: BTreeMap<String, u64>,
}

impl Pages {
    /// Takes the `MsgPgntn` of a message.
    pub fn page(&mut self, pagination: Element<'_>) -> Option<Notice> {
        let number = pagination.text_at(&["PgNb"]).parse::<u64>().ok()?;
        let is_last = matches!(pagination.text_at(&["LastPgInd"]), "true" | "1");
        let before = self.last.replace((number, !is_last));
        let (severity, expected) = match before {
            Some((last, true)) if number == last + 1 => return None,
            Some((last, true)) => (Severity::Warning, last + 1),
            _ if number == 1 => return None,
            _ => (Severity::Info, 1),
        };
        Some(Notice {
            severity,
            code: FindingCode::StatementGap,
            line: Some(pagination.line()),
            found: format!("page {number}"),
            expected: format!("page {expected}"),
            action: "Check that the pages before it were delivered.".into(),
        })
    }

    /// What is missing at the end of the file.
    pub fn end(&self) -> Option<Notice> {
        let (number, _) = self.last.filter(|(_, is_followed)| *is_followed)?;
        Some(Notice {
            severity: Severity::Info,
            code: FindingCode::StatementGap,
            line: None,
            found: format!("page {number}, which says that others follow"),
            expected: "the last page".to_owned(),
            action: "Check that the other pages are delivered as files of their own.".into(),
        })
    }

    /// Takes the number of a statement of `account`.
    pub fn statement(&mut self, account: &str, number: &str, line: u64) -> Option<Notice> {
        let number = number.parse::<u64>().ok()?;
        if self.numbers.len() >= ACCOUNTS_MAX && !self.numbers.contains_key(account) {
            return None;
        }
        let before = self.numbers.insert(account.to_owned(), number)?;
        if number == before || number == before + 1 {
            return None;
        }
        Some(Notice {
            severity: Severity::Warning,
            code: FindingCode::StatementGap,
            line: Some(line),
            found: format!("statement {number} of account {account} after {before}"),
            expected: format!("statement {}", before + 1),
            action: "Check that no statement between them is missing.".into(),
        })
    }
}
