//! Items that earlier runs know, against a newer file of open items.
//!
//! A newer file is later information, but it may not have what was applied here. So its open
//! amount counts where nothing was applied here since the last one, where it is what is open here,
//! or where it is less: more is never opened than the books here say. Otherwise ours stays, with a
//! finding. An item that a newer file does not have stays open: the file may be a part of all.

use ahash::RandomState;
use arrow::array::{BooleanArray, Decimal128Array, RecordBatch, StringArray, UInt64Array};
use arrow::compute::filter_record_batch;
use hashbrown::{HashMap, HashSet};
use tieout_core::schema::Table;
use tieout_core::{Amount, Finding, FindingCode, Severity};
use tieout_ledger::journal::{ItemRows, Journal};

use crate::EngineError;
use crate::books::Occurrences;
use crate::carried::{Earlier, Replaced};
use crate::intake::{arrow, column};
use crate::redelivery::Redelivery;

/// The items of earlier runs, known by their identifiers while new files are read.
#[derive(Default)]
pub struct Standing<'a> {
    /// Where closed items are looked up.
    journal: Option<&'a Journal>,
    items: HashMap<Box<str>, Item, RandomState>,
    rows: Option<Redelivery>,
    /// Those that were looked up.
    closed: HashMap<Box<str>, Replaced, RandomState>,
    replaced: HashSet<Box<str>, RandomState>,
    /// Items of earlier runs that new files have, whatever came of it.
    seen: HashSet<Box<str>, RandomState>,
}

#[derive(Clone, Copy)]
struct Item {
    given: Amount,
    open: Amount,
}

/// What came of the rows of one file whose items are known.
#[derive(Default)]
pub struct StandingNotes {
    /// Rows that say nothing new.
    pub same: u64,
    /// Rows without what was applied here.
    behind: Occurrences,
    /// Rows that say less is open than the books here.
    lowered: Occurrences,
    /// Rows that cannot be brought together with the books here.
    conflicting: Occurrences,
}

/// What becomes of a row.
enum Verdict {
    Same,
    Behind,
    Accepted,
    Lowered,
    Conflicting,
}

impl<'a> Standing<'a> {
    /// The items that `earlier` runs have left, if new files come at all.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for a mistake in the program, [`EngineError::Ledger`] if the
    /// journal cannot be read.
    pub fn of(earlier: &'a Earlier, is_asked: bool) -> Result<Self, EngineError> {
        let mut standing = Self::default();
        let Some(journal) = earlier.journal().filter(|_| is_asked) else {
            return Ok(standing);
        };
        let mut rows = Redelivery::new("open item");
        earlier.items_left(&[], |items| standing.know(&items, &mut rows))?;
        if journal.closed_lengths()?.is_some() {
            standing.journal = Some(journal);
        }
        if standing.journal.is_some() || !standing.items.is_empty() {
            standing.rows = Some(rows);
        }
        Ok(standing)
    }

    fn know(&mut self, known: &ItemRows, rows: &mut Redelivery) -> Result<(), EngineError> {
        let ids: &StringArray = column(&known.rows, Table::OpenItems.column("item_id"))?;
        rows.new_rows(u32::MAX, &known.rows)?;
        for (row, state) in known.states.iter().enumerate() {
            let item = Item {
                given: state.given,
                open: state.open,
            };
            self.items.insert(ids.value(row).into(), item);
        }
        Ok(())
    }

    /// Looks up those of the items `ids` that earlier runs have closed.
    fn look_up(&mut self, ids: &StringArray, rows: &mut Redelivery) -> Result<(), EngineError> {
        let Some(journal) = self.journal else {
            return Ok(());
        };
        let unknown = ids
            .iter()
            .flatten()
            .filter(|id| !self.items.contains_key(*id));
        for known in journal.items_with_rows(unknown)? {
            self.know(&known, rows)?;
            let ids: &StringArray = column(&known.rows, Table::OpenItems.column("item_id"))?;
            for (row, state) in known.states.iter().enumerate() {
                let id = ids.value(row);
                self.closed.insert(id.into(), Replaced::of(id, state));
            }
        }
        Ok(())
    }

    /// Closed items that new files describe anew.
    pub fn replaced_closed(self) -> impl Iterator<Item = Replaced> {
        let replaced = self.replaced;
        let closed = self.closed.into_iter();
        closed
            .filter(move |(id, _)| replaced.contains(id))
            .map(|(_, item)| item)
    }

    /// Whether a new file describes the item anew.
    pub fn is_replaced(&self, id: &str) -> bool {
        self.replaced.contains(id)
    }

    /// The rows that count: of new items, and of known ones that are described anew.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batch does not have its shape.
    pub fn hold(
        &mut self,
        rows: &RecordBatch,
        notes: &mut StandingNotes,
    ) -> Result<RecordBatch, EngineError> {
        let Some(mut known_rows) = self.rows.take() else {
            return Ok(rows.clone());
        };
        let column_of = |name| Table::OpenItems.column(name);
        let ids: &StringArray = column(rows, column_of("item_id"))?;
        self.look_up(ids, &mut known_rows)?;
        let is_new = known_rows.are_new(0, rows)?;
        self.rows = Some(known_rows);
        let amounts: &Decimal128Array = column(rows, column_of("open_amount"))?;
        let lines: &UInt64Array = column(rows, column_of("source_line"))?;
        let mut keep = Vec::with_capacity(rows.num_rows());
        for (row, is_new) in is_new.into_iter().enumerate() {
            let id = ids.value(row);
            let Some(item) = self.items.get(id) else {
                keep.push(true);
                continue;
            };
            if !self.seen.contains(id) {
                self.seen.insert(id.into());
            }
            let open = Amount::from_units(amounts.value(row)).abs();
            let verdict = item.judge(open, is_new);
            let accepted = matches!(verdict, Verdict::Accepted | Verdict::Lowered);
            if accepted {
                self.replaced.insert(id.into());
            }
            notes.count(&verdict, lines.value(row));
            keep.push(accepted);
        }
        filter_record_batch(rows, &BooleanArray::from(keep)).map_err(arrow)
    }

    /// What is to be said of open items that the new files do not have, where they have others.
    pub fn absent(&self) -> Option<Finding> {
        if self.seen.is_empty() {
            return None;
        }
        let open = self.items.iter().filter(|(_, item)| !item.open.is_zero());
        let absent = open.filter(|(id, _)| !self.seen.contains(*id)).count();
        (absent > 0).then(|| Finding {
            severity: Severity::Info,
            code: FindingCode::ItemDiffers,
            file: "open items".to_owned(),
            line: None,
            found: format!("{absent} items that are open in the ledger and not in the new files"),
            expected: String::new(),
            action: "nothing if the files are a part of all: the items stay open. One that was \
                     closed elsewhere has to come with an open_amount of 0"
                .to_owned(),
        })
    }
}

impl Item {
    /// What a row says that has the item open for `open`; `is_new` if no earlier row was the same.
    fn judge(self, open: Amount, is_new: bool) -> Verdict {
        let untouched = self.open == self.given;
        if !is_new || (self.open.is_zero() && open.is_zero()) {
            return if untouched || open == self.open {
                Verdict::Same
            } else {
                Verdict::Behind
            };
        }
        if untouched || open == self.open {
            Verdict::Accepted
        } else if open == self.given {
            Verdict::Behind
        } else if open < self.open {
            Verdict::Lowered
        } else {
            Verdict::Conflicting
        }
    }
}

impl StandingNotes {
    fn count(&mut self, verdict: &Verdict, line: u64) {
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::Behind => self.behind.add(line),
            Verdict::Accepted => {}
            Verdict::Lowered => self.lowered.add(line),
            Verdict::Conflicting => self.conflicting.add(line),
        }
    }

    /// What is to be said of the file.
    pub fn findings(&self, file: &str) -> Vec<Finding> {
        let finding = |severity, line, found: String, expected: &str, action: &str| Finding {
            severity,
            code: FindingCode::ItemDiffers,
            file: file.to_owned(),
            line: Some(line),
            found,
            expected: expected.to_owned(),
            action: action.to_owned(),
        };
        let mut findings = Vec::new();
        if self.conflicting.count > 0 {
            findings.push(finding(
                Severity::Warning,
                self.conflicting.first,
                format!(
                    "{} known items open for more than the ledger says",
                    self.conflicting.count
                ),
                "what is open here, or what was before the payments applied here",
                "the ledger's amounts stay; post its applications to the source, or un-match them",
            ));
        }
        if self.lowered.count > 0 {
            findings.push(finding(
                Severity::Warning,
                self.lowered.first,
                format!(
                    "{} known items open for less than the ledger says",
                    self.lowered.count
                ),
                "what is open here",
                "the smaller amounts count; check whether a payment was applied elsewhere too",
            ));
        }
        if self.behind.count > 0 {
            findings.push(finding(
                Severity::Info,
                self.behind.first,
                format!(
                    "{} known items without what was applied here",
                    self.behind.count
                ),
                "",
                "nothing: the ledger's amounts stay until the source has them",
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(given: i128, ours: i128, theirs: i128) -> char {
        let units = Amount::from_units;
        let item = Item {
            given: units(given),
            open: units(ours),
        };
        match item.judge(units(theirs), true) {
            Verdict::Same => '=',
            Verdict::Behind => '<',
            Verdict::Accepted => '+',
            Verdict::Lowered => '-',
            Verdict::Conflicting => '!',
        }
    }

    #[test]
    fn no_more_is_opened_than_the_books_say() {
        let judged: String = [
            (100, 100, 80),
            (100, 100, 120),
            (100, 60, 60),
            (100, 60, 100),
            (100, 60, 50),
            (100, 60, 0),
            (100, 60, 70),
            (100, 60, 110),
            (100, 0, 100),
            (100, 0, 0),
        ]
        .into_iter()
        .map(|(given, ours, theirs)| judge(given, ours, theirs))
        .collect();
        assert_eq!(judged, "+++<--!!<=");
    }
}
