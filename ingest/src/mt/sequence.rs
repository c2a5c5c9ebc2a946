//! Statement numbers, pages and balances of one account, from one statement to the next.

use std::collections::HashMap;

use tieout_core::{Amount, Currency, FindingCode, Severity};

use crate::intake::Notice;

/// Accounts whose last statement is remembered.
const ACCOUNTS_MAX: usize = 100_000;

/// Field 28: the statement's number and its page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StatementNumber {
    /// None or zero if the bank does not number.
    pub number: Option<u64>,
    pub page: Option<u64>,
}

impl StatementNumber {
    /// `number` or `number/page`; none if the text has another form.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (number, page) = match text.split_once('/') {
            Some((number, page)) => (number, Some(page.trim().parse().ok()?)),
            None => (text, None),
        };
        Some(Self {
            number: Some(number.trim().parse().ok()?),
            page,
        })
    }
}

/// What is compared from one statement to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated {
    pub line: u64,
    pub number: StatementNumber,
    pub opening: Option<Amount>,
    /// The opening balance is that of a page (60M).
    pub is_page: bool,
    pub closing: Option<Amount>,
}

/// The last statement of every account.
#[derive(Default)]
pub(super) struct Sequence {
    last: HashMap<(String, Currency), Stated>,
}

impl Sequence {
    /// Remembers a statement; gives what does not follow from the one before.
    pub fn follow(
        &mut self,
        account: &str,
        currency: Currency,
        stated: Stated,
    ) -> [Option<Notice>; 2] {
        let key = (account.to_owned(), currency);
        if self.last.len() >= ACCOUNTS_MAX && !self.last.contains_key(&key) {
            return [None, None];
        }
        match self.last.insert(key, stated) {
            Some(before) => [
                gap(account, &before, &stated),
                roll_over(account, &before, &stated),
            ],
            None => [None, None],
        }
    }
}

fn gap(account: &str, before: &Stated, now: &Stated) -> Option<Notice> {
    let number = now.number.number.filter(|&number| number > 0)?;
    let last = before.number.number.filter(|&number| number > 0)?;
    let (what, found, expected) = if number == last {
        let (page, before) = (now.number.page?, before.number.page?);
        ("page", page, before + 1)
    } else {
        ("statement", number, last + 1)
    };
    // Numbers begin anew with the year, and the next file of a bank may begin before this one.
    (found > expected && !counts_days(last, number)).then(|| Notice {
        severity: Severity::Warning,
        code: FindingCode::StatementGap,
        line: Some(now.line),
        found: format!("{what} {found} of account {account}"),
        expected: format!("{what} {expected}"),
        action: "Ask the bank for what is missing, or deliver it in its own file.".into(),
    })
}

/// Whether the numbers are those of days, each with two digits for the statements of the day.
fn counts_days(last: u64, number: u64) -> bool {
    number >= 10_000 && number % 100 == 1 && number / 100 > last / 100
}

fn roll_over(account: &str, before: &Stated, now: &Stated) -> Option<Notice> {
    let (closing, opening) = (before.closing?, now.opening?);
    let (last, number) = (before.number.number?, now.number.number?);
    let is_next = now.is_page && number == last || number == last + 1;
    if closing == opening || !is_next {
        return None;
    }
    Some(Notice {
        severity: Severity::Error,
        code: FindingCode::BalanceRollForward,
        line: Some(now.line),
        found: format!("opening balance {opening} of account {account}"),
        expected: format!(
            "{closing}, the closing balance of the page or statement before (line {})",
            before.line
        ),
        action: "Ask the bank which is right; a page or statement may be missing.".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(number: u64, page: u64, opening: i128, closing: i128) -> Stated {
        Stated {
            line: 1,
            number: StatementNumber {
                number: Some(number),
                page: Some(page),
            },
            opening: Some(Amount::from_units(opening)),
            is_page: page > 1,
            closing: Some(Amount::from_units(closing)),
        }
    }

    #[test]
    fn pages_and_statements_follow_each_other() {
        let mut sequence = Sequence::default();
        let mut codes = |stated| {
            let notices = sequence.follow("1", Currency::USD, stated);
            notices.map(|notice| notice.map(|notice| notice.code.code()))
        };
        assert_eq!(codes(stated(7, 1, 0, 5)), [None, None]);
        assert_eq!(codes(stated(7, 2, 5, 6)), [None, None]);
        assert_eq!(codes(stated(8, 1, 6, 7)), [None, None]);
        assert_eq!(
            codes(stated(9, 1, 8, 8)),
            [None, Some("balance_roll_forward")]
        );
        assert_eq!(codes(stated(9, 3, 8, 8)), [Some("statement_gap"), None]);
        assert_eq!(codes(stated(12, 1, 9, 9)), [Some("statement_gap"), None]);
        assert_eq!(codes(stated(17_501, 1, 9, 9)), [None, None]);
        assert_eq!(codes(stated(17_801, 1, 9, 9)), [None, None]);
        assert_eq!(codes(stated(1, 1, 3, 3)), [None, None]);
        assert_eq!(codes(stated(0, 1, 4, 4)), [None, None]);
    }

    #[test]
    fn numbers_have_one_form() {
        let number = |text: &str| StatementNumber::parse(text.as_bytes());
        let read = number("00027/01").map(|read| (read.number, read.page));
        assert_eq!(read, Some((Some(27), Some(1))));
        assert_eq!(number("0").map(|read| read.number), Some(Some(0)));
        assert_eq!(number("1/x"), None);
        assert_eq!(number(""), None);
    }
}
