//! Which layout fits a file: the one whose amounts read and whose totals tie.

use std::sync::Arc;

use tieout_core::Amount;

use super::columns::whole_number;
use super::fields;
use super::layout::Layout;
use super::layouts::Layouts;
use crate::lines::{Line, LineReader};

/// Bytes of the file that layouts are tried on.
pub(super) const TRIAL_BYTES: usize = 1 << 20;

/// How a layout did on the beginning of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fit {
    fields_read: u64,
    fields_unread: u64,
    /// Checks whose documents have amounts, and of those the ones that add up.
    pub checks_summed: u64,
    pub checks_tied: u64,
    /// Batch totals and counts, and those that agree.
    pub batches: u64,
    pub batches_tied: u64,
    pub checks: u64,
}

impl Fit {
    fn score(self) -> i64 {
        let untied = self.batches - self.batches_tied;
        self.fields_read as i64 - 10 * self.fields_unread as i64
            + 20 * self.checks_tied as i64
            + 20 * self.batches_tied as i64
            - 20 * untied as i64
    }

    /// Whether a total of the file speaks for the layout.
    pub fn is_certain(self) -> bool {
        self.checks == 0 || self.batches_tied > 0 || self.checks_tied > 0
    }

    /// What ties, for people.
    pub fn in_words(self) -> String {
        format!(
            "{} of {} batch totals tie, {} of {} checks equal the sum of their documents, {} of {} \
             amounts and dates read",
            self.batches_tied,
            self.batches,
            self.checks_tied,
            self.checks_summed,
            self.fields_read,
            self.fields_read + self.fields_unread,
        )
    }
}

/// The layout that fits `head` best; of equals the first.
pub(super) fn choose(layouts: &Layouts, head: &[u8]) -> Option<(Arc<Layout>, Fit)> {
    let mut best: Option<(&Arc<Layout>, Fit)> = None;
    for layout in layouts.all() {
        let fit = try_on(layout, head);
        if best.is_none_or(|(_, other)| fit.score() > other.score()) {
            best = Some((layout, fit));
        }
    }
    best.map(|(layout, fit)| (Arc::clone(layout), fit))
}

fn try_on(layout: &Layout, head: &[u8]) -> Fit {
    let mut trial = Trial {
        layout,
        fit: Fit::default(),
        check: None,
        batch: None,
    };
    // Reading from memory cannot fail.
    if let Ok(mut lines) = LineReader::new(head, head.len()) {
        while let Ok(Some(line)) = lines.read_line() {
            trial.line(&line);
        }
    }
    trial.close_check();
    trial.fit
}

struct Trial<'a> {
    layout: &'a Layout,
    fit: Fit,
    /// The open check: its amount and the sum of its documents, if all have one.
    check: Option<(Amount, Option<Amount>)>,
    /// The open batch: its checks and their sum.
    batch: Option<(u64, Amount)>,
}

impl Trial<'_> {
    fn line(&mut self, line: &Line<'_>) {
        match line.bytes.first() {
            Some(b'4') => self.remittance(line.bytes),
            Some(b'5') => {
                self.close_check();
                self.batch = Some((0, Amount::ZERO));
                let date = self.layout.batch.deposit_date;
                self.tell(date.order.read(date.columns.raw(line.bytes)).is_ok());
            }
            Some(b'6') => self.check(line.bytes),
            Some(b'7') => self.batch_total(line.bytes),
            _ => {}
        }
    }

    fn tell(&mut self, is_read: bool) {
        if is_read {
            self.fit.fields_read += 1;
        } else {
            self.fit.fields_unread += 1;
        }
    }

    fn check(&mut self, record: &[u8]) {
        self.close_check();
        self.fit.checks += 1;
        let amount = fields::fit(record, &self.layout.check);
        self.tell(amount.is_ok());
        let date = self.layout.check.check_date;
        if let Some(date) = date.filter(|date| !date.columns.trimmed(record).is_empty()) {
            self.tell(date.order.read(date.columns.raw(record)).is_ok());
        }
        let amount = amount.unwrap_or_default();
        self.check = Some((amount, None));
        if let Some((count, total)) = &mut self.batch {
            *count += 1;
            *total += amount;
        }
    }

    fn remittance(&mut self, record: &[u8]) {
        let columns = &self.layout.remittance;
        let Some(net) = columns.net else { return };
        let number = columns.document_number.map(|c| c.trimmed(record));
        match net.read(record) {
            Ok(None) if number.is_none_or(<[u8]>::is_empty) => {}
            Ok(Some(net)) => {
                if let Some((_, sum)) = &mut self.check {
                    *sum = Some(sum.unwrap_or_default() + net);
                }
                self.tell(true);
            }
            _ => self.tell(false),
        }
    }

    fn close_check(&mut self) {
        if let Some((amount, Some(sum))) = self.check.take() {
            self.fit.checks_summed += 1;
            self.fit.checks_tied += u64::from(amount == sum);
        }
    }

    fn batch_total(&mut self, record: &[u8]) {
        self.close_check();
        let Some((count, total)) = self.batch.take() else {
            return;
        };
        let columns = &self.layout.batch_total;
        let declared = columns.total.read(record);
        self.tell(declared.is_ok());
        let counted = columns
            .check_count
            .is_none_or(|c| whole_number(c.trimmed(record)) == Some(count));
        self.fit.batches += 1;
        self.fit.batches_tied += u64::from(counted && declared == Ok(Some(total)));
    }
}
