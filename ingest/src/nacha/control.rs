//! Counts, totals and hashes: what batch and file controls say against what was read.

use tieout_core::{Amount, Currency, Direction, FindingCode, Severity};

use super::record::Fields;
use crate::intake::Notice;

/// The hash keeps ten digits.
const HASH_LIMIT: u64 = 10_000_000_000;
/// Records of a block.
const BLOCKING_FACTOR: u64 = 10;

/// What was read of a batch or a file, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Entries and addenda.
    pub records: u64,
    /// Sum of the routing numbers without their check digits.
    pub hash: u64,
    pub debits: i128,
    pub credits: i128,
}

impl Tally {
    pub fn add_amount(&mut self, direction: Direction, cents: u64) {
        match direction {
            Direction::Debit => self.debits += i128::from(cents),
            Direction::Credit => self.credits += i128::from(cents),
        }
    }

    /// Adds the routing number (eight digits) of an entry.
    pub fn add_hash(&mut self, routing_number: u64) {
        self.hash = (self.hash + routing_number) % HASH_LIMIT;
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.hash = (self.hash + other.hash) % HASH_LIMIT;
        self.debits += other.debits;
        self.credits += other.credits;
    }
}

/// What was read of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileTally {
    pub batches: u64,
    pub sums: Tally,
}

impl FileTally {
    pub fn add(&mut self, batch: Tally) {
        self.batches += 1;
        self.sums.add(batch);
    }
}

/// Compares figures of one control record, and collects what does not tie.
struct Comparison<'a> {
    what: &'a str,
    line: u64,
    fields: Fields<'a>,
    notices: Vec<Notice>,
}

/// Compares the control `fields` of the batch `what` with what was read.
pub(super) fn compare_batch(
    fields: Fields<'_>,
    line: u64,
    what: &str,
    is_advice: bool,
    read: Tally,
) -> Vec<Notice> {
    let mut comparison = Comparison::new(fields, line, what);
    comparison.count("entries and addenda", (5, 10), read.records);
    comparison.hash((11, 20), read.hash);
    let (debits, credits) = if is_advice {
        ((21, 40), (41, 60))
    } else {
        ((21, 32), (33, 44))
    };
    comparison.total("debits", debits, read.debits);
    comparison.total("credits", credits, read.credits);
    comparison.notices
}

/// Compares the file control `fields` with what was read; `records` are those from the header to
/// this one.
pub(super) fn compare_file(
    fields: Fields<'_>,
    line: u64,
    is_advice: bool,
    records: u64,
    read: FileTally,
) -> Vec<Notice> {
    let mut comparison = Comparison::new(fields, line, "file");
    comparison.count("batches", (2, 7), read.batches);
    comparison.blocks((8, 13), records.div_ceil(BLOCKING_FACTOR));
    comparison.count("entries and addenda", (14, 21), read.sums.records);
    comparison.hash((22, 31), read.sums.hash);
    let (debits, credits) = if is_advice {
        ((32, 51), (52, 71))
    } else {
        ((32, 43), (44, 55))
    };
    comparison.total("debits", debits, read.sums.debits);
    comparison.total("credits", credits, read.sums.credits);
    comparison.notices
}

impl<'a> Comparison<'a> {
    fn new(fields: Fields<'a>, line: u64, what: &'a str) -> Self {
        Self {
            what,
            line,
            fields,
            notices: Vec::new(),
        }
    }

    fn count(&mut self, name: &str, (first, last): (usize, usize), read: u64) {
        let said = self.fields.number(first, last);
        if said != Some(read) {
            let found = self.said(name, (first, last), said.map(|said| said.to_string()));
            let expected = format!("{read}, as many as were read");
            self.note(Severity::Error, FindingCode::ControlCount, found, expected);
        }
    }

    fn blocks(&mut self, (first, last): (usize, usize), read: u64) {
        let said = self.fields.number(first, last);
        if said != Some(read) {
            let found = self.said("blocks", (first, last), said.map(|said| said.to_string()));
            let expected = format!("{read}, of ten records each");
            self.note(
                Severity::Warning,
                FindingCode::ControlCount,
                found,
                expected,
            );
        }
    }

    fn hash(&mut self, (first, last): (usize, usize), read: u64) {
        let said = self.fields.number(first, last);
        if said != Some(read) {
            let found = self.said("as hash", (first, last), said.map(|said| said.to_string()));
            let expected = format!("{read}, the sum of the routing numbers");
            self.note(Severity::Error, FindingCode::ControlTotal, found, expected);
        }
    }

    fn total(&mut self, name: &str, (first, last): (usize, usize), read: i128) {
        // Twenty digits do not fit a `u64`; nobody fills the first two.
        let said = if last - first > 18 {
            let zeros = self
                .fields
                .number(first, first + 1)
                .filter(|&zeros| zeros == 0);
            zeros.and_then(|_| self.fields.number(first + 2, last))
        } else {
            self.fields.number(first, last)
        };
        if said.map(i128::from) != Some(read) {
            let said = said.map(|said| dollars(said.into()));
            let found = self.said(name, (first, last), said);
            let expected = format!("{}, the sum of the entries", dollars(read));
            self.note(Severity::Error, FindingCode::ControlTotal, found, expected);
        }
    }

    fn said(&self, name: &str, (first, last): (usize, usize), said: Option<String>) -> String {
        let said = said.unwrap_or_else(|| format!("`{}`", self.fields.columns(first, last)));
        format!("the {} says {said} {name}", self.what)
    }

    fn note(&mut self, severity: Severity, code: FindingCode, found: String, expected: String) {
        self.notices.push(Notice {
            severity,
            code,
            line: Some(self.line),
            found,
            expected,
            action: "Look in quarantine for records that were not read; if there are none, ask \
                     the bank which figure is right."
                .into(),
        });
    }
}

/// Cents as people write dollars.
pub(super) fn dollars(cents: i128) -> String {
    let amount = Amount::from_minor(cents, Currency::USD.exponent());
    amount.map_or_else(|_| format!("{cents} cents"), |amount| amount.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::record::Record;
    use super::*;

    fn found(control: &str, is_advice: bool, read: Tally) -> Vec<String> {
        let record = Record::of(control.as_bytes());
        let notices = compare_batch(record.fields(), 9, "batch 7", is_advice, read);
        notices.into_iter().map(|notice| notice.found).collect()
    }

    #[test]
    fn figures_tie_or_are_named() {
        let read = Tally {
            records: 2,
            hash: 9_100_001,
            debits: 0,
            credits: 5_000,
        };
        let control = "82200000020009100001000000000000000000005000";
        assert_eq!(found(control, false, read), [""; 0]);
        let cut = &control[..42];
        assert_eq!(
            found(cut, false, read),
            ["the batch 7 says `0000000050` credits"]
        );
        let advice = format!(
            "8280000002000910000{}{}",
            "10".to_owned() + &"0".repeat(19),
            "0".repeat(16) + "5000"
        );
        assert_eq!(found(&advice, true, read), [""; 0]);
    }
}
