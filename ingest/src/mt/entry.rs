//! Field 61: one line of a statement.

use std::ops::Range;

use tieout_core::{Amount, Currency, Date, Direction, QuarantineReason};

use super::values::{self, Loose, Looseness};

/// Why a field is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// The parts of field 61; texts are places in its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub value_date: Date,
    /// The entry date, in the year nearest to the value date.
    pub booking_date: Option<Date>,
    /// The effect on the account.
    pub direction: Direction,
    /// Marked RC or RD.
    pub is_reversal: bool,
    /// Marked EC or ED: announced, not booked.
    pub is_expected: bool,
    pub amount: Amount,
    /// `NTRF`; some banks leave it out.
    pub type_code: Range<usize>,
    /// What the account's owner calls it.
    pub reference: Range<usize>,
    /// What the bank calls it.
    pub bank_reference: Range<usize>,
    /// The line below.
    pub supplementary: Range<usize>,
    pub looseness: Option<Looseness>,
}

/// Reads a text from its start.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, count: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(count)?;
        self.text.get(self.at..end)?;
        Some(std::mem::replace(&mut self.at, end)..end)
    }

    fn take_while(&mut self, accepts: impl Fn(u8) -> bool) -> Range<usize> {
        let count = self
            .rest()
            .iter()
            .take_while(|&&byte| accepts(byte))
            .count();
        self.at += count;
        self.at - count..self.at
    }

    fn starts_with_digits(&self, count: usize) -> bool {
        let digits = self.rest().get(..count);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
    }
}

/// The letters before the amount.
struct Marks {
    direction: Direction,
    is_reversal: bool,
    is_expected: bool,
    looseness: Option<Looseness>,
}

impl Marks {
    /// `C` or `D`, with an `R` or `E` before it; behind it the third letter of the currency may
    /// stand, and blanks or a line break of banks that wrap the line here.
    fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        let letters = cursor.take_while(|byte| byte.is_ascii_alphabetic());
        cursor.take_while(|byte| byte.is_ascii_whitespace());
        let letters = cursor.text.get(letters)?;
        let upper = letters.to_ascii_uppercase();
        let (prefix, side) = match *upper.as_slice() {
            [b'R' | b'E', side @ (b'C' | b'D')] | [b'R' | b'E', side @ (b'C' | b'D'), _] => {
                (upper.first().copied(), side)
            }
            [side] | [side, _] => (None, side),
            _ => return None,
        };
        let stated = values::mark(side)?;
        let is_reversal = prefix == Some(b'R');
        Some(Self {
            // A reversed credit takes the money out again, a reversed debit brings it back.
            direction: match (is_reversal, stated) {
                (false, direction) => direction,
                (true, Direction::Credit) => Direction::Debit,
                (true, Direction::Debit) => Direction::Credit,
            },
            is_reversal,
            is_expected: prefix == Some(b'E'),
            looseness: (upper != letters).then_some(Looseness::LowercaseMark),
        })
    }
}

impl Entry {
    /// Takes the value of a field 61 apart.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn parse(text: &[u8], currency: Option<Currency>) -> Result<Self, Refusal> {
        let mut cursor = Cursor { text, at: 0 };
        let (value_date, booking_date) = dates(&mut cursor)?;
        let marks = Marks::take(&mut cursor).ok_or_else(|| {
            let message = "neither C, D, RC, RD, EC nor ED stands behind the dates of the line";
            (QuarantineReason::BadStructure, message.to_owned())
        })?;
        let digits = cursor.take_while(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'));
        let digits = text.get(digits).unwrap_or_default();
        let amount = values::amount(digits, currency).ok_or_else(|| {
            let message = format!(
                "the amount of the line is `{}`; expected digits with a decimal comma",
                String::from_utf8_lossy(digits)
            );
            (QuarantineReason::BadAmount, message)
        })?;
        cursor.take_while(|byte| byte == b' ');
        let type_code = type_code(&mut cursor, digits.contains(&b',')).ok_or_else(|| {
            let message = "no type of transaction (such as NTRF) stands behind the amount of the \
                           line";
            (QuarantineReason::BadStructure, message.to_owned())
        })?;
        let (reference, bank_reference) = references(&mut cursor);
        cursor.take_while(|byte| byte == b'\n');
        let booking_looseness = booking_date.and_then(|date| date.looseness);
        Ok(Self {
            value_date: value_date.value,
            booking_date: booking_date.map(|date| date.value),
            direction: marks.direction,
            is_reversal: marks.is_reversal,
            is_expected: marks.is_expected,
            amount: amount.value,
            type_code,
            reference,
            bank_reference,
            supplementary: cursor.at..text.len(),
            looseness: (amount.looseness)
                .or(marks.looseness)
                .or(value_date.looseness)
                .or(booking_looseness),
        })
    }
}

/// The value date, and the entry date if there is one.
fn dates(cursor: &mut Cursor<'_>) -> Result<(Loose<Date>, Option<Loose<Date>>), Refusal> {
    let text = cursor.text;
    let near = cursor
        .take(6)
        .and_then(|place| text.get(place))
        .unwrap_or(text);
    let value_date = values::date(near).ok_or_else(|| bad_date("value", near, "YYMMDD"))?;
    if !cursor.starts_with_digits(4) {
        return Ok((value_date, None));
    }
    let entry = cursor
        .take(4)
        .and_then(|place| text.get(place))
        .unwrap_or_default();
    let entry_date = values::entry_date(entry, near, value_date.value)
        .ok_or_else(|| bad_date("entry", entry, "MMDD"))?;
    Ok((value_date, Some(entry_date)))
}

fn bad_date(which: &str, found: &[u8], form: &str) -> Refusal {
    let message = format!(
        "the {which} date of the line is `{}`; expected {form}",
        String::from_utf8_lossy(found)
    );
    (QuarantineReason::BadDate, message)
}

/// A letter and three characters, unless the line ends or the reference stands there at once.
/// Behind an amount without its comma the letter has to be one of the standard's, because the
/// amount may go on with a damaged digit.
fn type_code(cursor: &mut Cursor<'_>, has_comma: bool) -> Option<Range<usize>> {
    let rest = cursor.rest();
    if rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"NONREF") {
        return Some(cursor.at..cursor.at);
    }
    let first = rest.first()?;
    let is_code = rest
        .get(1..4)?
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
    let is_letter = first.is_ascii_alphabetic() && (has_comma || b"NSF".contains(first));
    cursor.take(4).filter(|_| is_code && is_letter)
}

/// What stands before `//` and behind it, to the end of the line.
fn references(cursor: &mut Cursor<'_>) -> (Range<usize>, Range<usize>) {
    let line = cursor.take_while(|byte| byte != b'\n');
    let text = cursor.text.get(line.clone()).unwrap_or_default();
    match memchr::memmem::find(text, b"//") {
        Some(at) => (line.start..line.start + at, line.start + at + 2..line.end),
        None => (line.clone(), line.end..line.end),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(text: &str) -> String {
        let entry = Entry::parse(text.as_bytes(), None).unwrap();
        let part = |place: &Range<usize>| text[place.clone()].trim_end().to_owned();
        format!(
            "{} {}{}{} {} {}|{}|{}|{}",
            entry.value_date,
            entry.direction.code(),
            if entry.is_reversal { " reversal" } else { "" },
            if entry.is_expected { " expected" } else { "" },
            entry.amount,
            part(&entry.type_code),
            part(&entry.reference),
            part(&entry.bank_reference),
            part(&entry.supplementary),
        )
    }

    #[test]
    fn marks_funds_codes_types_and_references_are_told_apart() {
        for (text, read) in [
            (
                "0709040904CR300,NTRFTFNr 40005 ID//0724",
                "2007-09-04 CRDT 300.00 NTRF|TFNr 40005 ID|0724|",
            ),
            (
                "2002010219RCR1027,25N068NONREF",
                "2020-02-01 DBIT reversal 1027.25 N068|NONREF||",
            ),
            (
                "200201RD5,NTRFX\nsecond",
                "2020-02-01 CRDT reversal 5.00 NTRF|X||second",
            ),
            (
                "1609160916ED12,5NTRF",
                "2016-09-16 DBIT expected 12.50 NTRF|||",
            ),
            (
                "110701CN50,00NZ10NONREF",
                "2011-07-01 CRDT 50.00 NZ10|NONREF||",
            ),
            ("100722D3,03NOV NONREF", "2010-07-22 DBIT 3.03 NOV|NONREF||"),
            ("200902D20,00NONREF", "2020-09-02 DBIT 20.00 |NONREF||"),
            (
                "2103310331C50,00 NTRFNONREF//21",
                "2021-03-31 CRDT 50.00 NTRF|NONREF|21|",
            ),
            (
                "1811261126CR\n30,00N062NONREF",
                "2018-11-26 CRDT 30.00 N062|NONREF||",
            ),
            (
                "1407290729C500NTRF29-07-2014 10:05//B4",
                "2014-07-29 CRDT 500.00 NTRF|29-07-2014 10:05|B4|",
            ),
            ("1711111011DF2402,00S   X", "2017-11-11 DBIT 2402.00 S|X||"),
        ] {
            assert_eq!(shown(text), read);
        }
    }

    #[test]
    fn what_does_not_read_is_refused_with_its_reason() {
        for (text, reason) in [
            ("3454543545CY1234,NTRF", QuarantineReason::BadDate),
            ("1803129945CY1234,NTRF", QuarantineReason::BadDate),
            ("180312X1234,NTRF", QuarantineReason::BadStructure),
            ("180312", QuarantineReason::BadStructure),
            ("180312C", QuarantineReason::BadAmount),
            ("180312C4O,00NTRF", QuarantineReason::BadStructure),
            ("180312C4O00NTRF", QuarantineReason::BadStructure),
            ("180312C1.2.3NTRF", QuarantineReason::BadAmount),
            ("", QuarantineReason::BadDate),
        ] {
            let refusal = Entry::parse(text.as_bytes(), None).unwrap_err();
            assert_eq!(refusal.0, reason, "{text}");
        }
    }
}
