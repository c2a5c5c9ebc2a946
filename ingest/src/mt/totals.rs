//! What is counted of a statement's lines, and what the statement says it should be.

use tieout_core::{Amount, Direction, FindingCode, Severity};

use super::entry::Entry;
use super::field::Field;
use super::values;
use crate::intake::Notice;

/// Lines of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Side {
    count: u64,
    sum: Amount,
    /// The line that says what count and sum should be.
    stated_at: Option<u64>,
    stated_count: Option<u64>,
    stated_sum: Option<Amount>,
}

/// Lines of a statement by direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    credit: Side,
    debit: Side,
    /// Lines in quarantine.
    pub refused: u64,
}

impl Totals {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Credit => &mut self.credit,
            Direction::Debit => &mut self.debit,
        }
    }

    /// Counts a line.
    pub fn add(&mut self, entry: &Entry) {
        let side = self.side(entry.direction);
        side.count += 1;
        side.sum += entry.amount;
    }

    /// Whether any line came, readable or not.
    pub fn has_lines(&self) -> bool {
        self.credit.count + self.debit.count + self.refused > 0
    }

    /// The effect of all lines on the account.
    pub fn sum(&self) -> Amount {
        self.credit.sum - self.debit.sum
    }

    /// Remembers what the statement says of one direction.
    pub fn expect(
        &mut self,
        direction: Direction,
        line: u64,
        count: Option<u64>,
        sum: Option<Amount>,
    ) {
        let side = self.side(direction);
        side.stated_at = Some(line);
        side.stated_count = count;
        side.stated_sum = sum;
    }

    /// Whether the statement says anything of its totals.
    pub fn is_expecting(&self) -> bool {
        self.credit.stated_at.or(self.debit.stated_at).is_some()
    }

    /// Totals in the text of a whole statement, as Dutch banks write them: `D000003C000002D25,24`
    /// `C28,71` or `/SUM/3/2/25,24/28,71/`.
    pub fn expect_from_text(&mut self, field: &Field) {
        let stated = stated_with_letters(field.first_line())
            .or_else(|| stated_with_slashes(field.first_line()));
        if let Some(((debits, debit_sum), (credits, credit_sum))) = stated {
            let line = field.line();
            self.expect(Direction::Debit, line, Some(debits), Some(debit_sum));
            self.expect(Direction::Credit, line, Some(credits), Some(credit_sum));
        }
    }

    /// What differs. Under a floor the bank counts lines that it does not report.
    pub fn compare(&self, is_strict: bool) -> Vec<Notice> {
        let severity = if is_strict {
            Severity::Error
        } else {
            Severity::Warning
        };
        let sides = [("credits", &self.credit), ("debits", &self.debit)];
        let mut notices = Vec::new();
        for (what, side) in sides {
            if let Some(stated) = side.stated_count.filter(|&stated| stated != side.count) {
                notices.push(Notice {
                    severity,
                    code: FindingCode::ControlCount,
                    line: side.stated_at,
                    found: format!("{stated} {what} stated"),
                    expected: format!("{}, as many as were read", side.count),
                    action: "Ask the bank for the report again: lines may be missing.".into(),
                });
            }
            if let Some(stated) = side.stated_sum.filter(|&stated| stated != side.sum) {
                notices.push(Notice {
                    severity,
                    code: FindingCode::ControlTotal,
                    line: side.stated_at,
                    found: format!("{what} of {stated} stated"),
                    expected: format!("{}, the sum of those that were read", side.sum),
                    action: "Ask the bank for the report again: lines may be missing.".into(),
                });
            }
        }
        notices
    }
}

type Stated = ((u64, Amount), (u64, Amount));

fn stated_with_letters(text: &[u8]) -> Option<Stated> {
    let text = text.strip_prefix(b"D")?;
    let (debits, text) = split_number(text)?;
    let (credits, text) = split_number(text.strip_prefix(b"C")?)?;
    let text = text.strip_prefix(b"D")?;
    let at = memchr::memchr(b'C', text)?;
    let debit_sum = values::amount(&text[..at], None)?.value;
    let credit_sum = values::amount(&text[at + 1..], None)?.value;
    Some(((debits, debit_sum), (credits, credit_sum)))
}

fn stated_with_slashes(text: &[u8]) -> Option<Stated> {
    let text = text.strip_prefix(b"/SUM/")?;
    let (debits, text) = split_number(text)?;
    let (credits, text) = split_number(text.strip_prefix(b"/")?)?;
    let mut sums = text.strip_prefix(b"/")?.split(|&byte| byte == b'/');
    let debit_sum = values::amount(sums.next()?, None)?.value;
    let credit_sum = values::amount(sums.next()?, None)?.value;
    Some(((debits, debit_sum), (credits, credit_sum)))
}

fn split_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_in_texts_have_two_forms() {
        let sums = |stated: Option<Stated>| {
            stated.map(|((debits, debit), (credits, credit))| {
                format!("{debits} {debit} {credits} {credit}")
            })
        };
        let letters = stated_with_letters(b"D000003C000002D25,24C28,71");
        assert_eq!(sums(letters).as_deref(), Some("3 25.24 2 28.71"));
        let slashes = stated_with_slashes(b"/SUM/3/2/25,24/28,71/");
        assert_eq!(sums(slashes).as_deref(), Some("3 25.24 2 28.71"));
        assert_eq!(sums(stated_with_letters(b"D3C2D25,24")), None);
        assert_eq!(sums(stated_with_slashes(b"/SUM/3/2/")), None);
    }
}
