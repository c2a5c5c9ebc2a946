//! What a run says about its files: findings, quarantine, one row a file, and the figures.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use tieout_core::schema::Table;
use tieout_core::{Finding, FindingCode, IdentityHasher, LineId, QuarantinedLine, Severity};
use tieout_ingest::{Counts, Role, locate};
use tieout_ledger::journal::KnownFile;

use crate::carried::Earlier;
use crate::files::{Found, Known, Stamp};
use crate::intake::arrow;
use crate::outputs::Desk;
use crate::redelivery::Redelivery;
use crate::tally::Figures;
use crate::{EngineError, FileSummary, Summary, Tally, rows};

/// Collects what is said, and sends the rows of it.
pub struct Report {
    /// Where rows go.
    pub desk: Desk,
    /// The figures.
    pub figures: Figures,
    /// One entry a known file, in the order of reading.
    files: Vec<FileSummary>,
    /// Open items that were read.
    pub open_items: u64,
    /// Parties that were read.
    pub parties: u64,
    /// Payments of earlier runs that what came now has matched.
    pub rematched: Tally,
    quarantined: u64,
    feeds: Vec<Feed>,
    /// Digests of files, where they are known already.
    digests: HashMap<String, String>,
    /// The last posting that has read one of the files, if one has.
    pub repeats: Option<u64>,
}

/// Rows that are neither bank lines nor the business's own, and go to their table as they come.
struct Feed {
    table: Table,
    /// What its rows are called; none of balances, which come again beside lines that do.
    rows: Option<&'static str>,
    known: Redelivery,
    /// Rows of the file that is being read, which an earlier one had brought.
    known_before: u64,
}

impl Feed {
    fn new(table: Table, rows: Option<&'static str>, earlier: &Earlier) -> Self {
        Self {
            table,
            rows,
            known: Redelivery::after(table.name(), earlier),
            known_before: 0,
        }
    }

    /// What its rows are called, and how many of the file that ends came before.
    fn take_known(&mut self) -> Option<(&'static str, u64)> {
        let known_before = std::mem::take(&mut self.known_before);
        Some((self.rows?, known_before))
    }
}

impl Report {
    /// Nothing to say yet.
    pub fn new(desk: Desk, earlier: &Earlier) -> Self {
        let feed = |table, rows| Feed::new(table, rows, earlier);
        Self {
            desk,
            figures: Figures::default(),
            files: Vec::new(),
            open_items: 0,
            parties: 0,
            rematched: Tally::default(),
            quarantined: 0,
            feeds: vec![
                feed(Table::SettlementLines, Some("settlement lines")),
                feed(Table::PaymentInstructions, Some("instructed payments")),
                feed(Table::PaymentStatuses, Some("payment statuses")),
                feed(Table::Balances, None),
            ],
            digests: HashMap::new(),
            repeats: None,
        }
    }

    /// Sends rows of the file that is being read, as far as no earlier file had brought them.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped, or for a mistake in the program.
    pub fn rows(&mut self, table: Table, rows: RecordBatch) -> Result<(), EngineError> {
        let rows = self.new_rows(table, rows)?;
        self.desk.send(table, rows)
    }

    /// The rows of the file that is being read which no earlier file had brought, under their
    /// identifiers.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for a mistake in the program.
    pub fn new_rows(
        &mut self,
        table: Table,
        rows: RecordBatch,
    ) -> Result<RecordBatch, EngineError> {
        let delivery = self.files.len() as u32;
        let Some(feed) = self.feeds.iter_mut().find(|feed| feed.table == table) else {
            return Ok(rows);
        };
        let new = feed.known.new_rows(delivery, &rows)?;
        feed.known_before += new.known_before;
        self.desk.know(new.ids.clone())?;
        if table != Table::SettlementLines {
            return Ok(new.rows);
        }
        let ids = new.ids.iter().map(|id| Some(id.to_string()));
        let mut columns = new.rows.columns().to_vec();
        columns[table.column("settlement_line_id")] = Arc::new(ids.collect::<StringArray>());
        RecordBatch::try_new(new.rows.schema(), columns).map_err(arrow)
    }

    /// Leaves out the files that an earlier run has read, and says so.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn leave_out_known(
        &mut self,
        found: &mut Found,
        earlier: &Earlier,
    ) -> Result<(), EngineError> {
        if earlier.is_none() {
            return Ok(());
        }
        let mut known = Vec::new();
        for (place, file) in found.known.iter().enumerate() {
            // Layouts are no facts but how files are read, in each run.
            if file.role == Role::Profile {
                continue;
            }
            let name = &file.source.name;
            if !self.digests.contains_key(name) {
                self.digests.insert(name.clone(), digest(name));
            }
            let Some(before) = earlier.file(&self.digests[name])? else {
                continue;
            };
            known.push(place);
            self.repeats = self.repeats.max(Some(before.posting));
            if !file.is_again {
                self.came_before(file, &before)?;
            }
        }
        found.has_new_others = false;
        for file in &found.others {
            match unread_file(&digest(&file.file)) {
                Some(id) => match earlier.row_posting(id)? {
                    Some(posting) => self.repeats = self.repeats.max(Some(posting)),
                    None => found.has_new_others = true,
                },
                None => found.has_new_others = true,
            }
        }
        let mut place = 0;
        found.known.retain(|_| {
            place += 1;
            known.binary_search(&(place - 1)).is_err()
        });
        Ok(())
    }

    fn came_before(&mut self, file: &Known, before: &KnownFile) -> Result<(), EngineError> {
        self.files.push(FileSummary {
            file: file.source.name.clone(),
            format: file.format.name().to_owned(),
            profile: None,
            bytes: before.bytes,
            lines: 0,
            rows: 0,
            quarantined: 0,
            known_before: 0,
            failed: None,
        });
        self.findings(&[Finding {
            severity: Severity::Info,
            code: FindingCode::RepeatedDelivery,
            file: file.source.name.clone(),
            line: None,
            found: format!(
                "the same file as {} of posting {}",
                before.name, before.posting
            ),
            expected: String::new(),
            action: "nothing: it was read then".to_owned(),
        }])
    }

    /// Notes findings.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped.
    pub fn findings(&mut self, findings: &[Finding]) -> Result<(), EngineError> {
        for finding in findings {
            self.figures.found(finding);
        }
        self.desk.send(Table::Findings, rows::findings(findings)?)
    }

    /// Notes a line in quarantine.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped.
    pub fn quarantine(&mut self, line: &QuarantinedLine) -> Result<(), EngineError> {
        self.quarantined += 1;
        self.desk.send(
            Table::Quarantine,
            rows::quarantine(std::slice::from_ref(line))?,
        )
    }

    /// Notes that a file was read to its end.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped.
    pub fn file(
        &mut self,
        file: &Known,
        counts: Counts,
        known_before: u64,
    ) -> Result<(), EngineError> {
        let repeated: Vec<(&str, u64)> = std::iter::once(("lines", known_before))
            .chain(self.feeds.iter_mut().filter_map(Feed::take_known))
            .filter(|(_, count)| *count > 0)
            .collect();
        let known_before = repeated.iter().map(|(_, count)| count).sum();
        self.files.push(FileSummary {
            file: file.source.name.clone(),
            format: file.format.name().to_owned(),
            profile: counts.profile,
            bytes: counts.bytes,
            lines: counts.lines,
            rows: counts.rows,
            quarantined: counts.quarantined,
            known_before,
            failed: None,
        });
        let findings = repeated
            .into_iter()
            .map(|(rows, count)| repeated_delivery(&file.source.name, count, rows));
        self.findings(&findings.collect::<Vec<_>>())
    }

    /// Notes that a file could not be read to its end.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped.
    pub fn failed(&mut self, file: &Known, finding: &Finding) -> Result<(), EngineError> {
        self.file(file, Counts::default(), 0)?;
        if let Some(last) = self.files.last_mut() {
            last.failed = Some(format!("{}; {}", finding.found, finding.action));
        }
        self.findings(std::slice::from_ref(finding))
    }

    /// The summary, with the rows of the table `files` sent.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped.
    pub fn finish(mut self, found: &Found) -> Result<Summary, EngineError> {
        let changed = changed_meanwhile(found);
        let findings: Vec<Finding> = changed.iter().map(|&file| changing(file)).collect();
        self.findings(&findings)?;
        let mut files = self.files;
        files.extend(found.others.iter().cloned());
        if self.desk.wants(Table::Files) {
            let known = self.digests;
            let digest_of = |file: &FileSummary| {
                let known = known.get(&file.file);
                known.map_or_else(|| digest(&file.file), Clone::clone)
            };
            let mut digests: Vec<String> = files.iter().map(digest_of).collect();
            for (file, digest) in files.iter().zip(&mut digests) {
                // What was read of it is not what it is now: the next run reads it again.
                if changed.contains(&file.file.as_str()) {
                    digest.clear();
                }
            }
            let unread = digests.iter().skip(files.len() - found.others.len());
            self.desk
                .know(unread.filter_map(|digest| unread_file(digest)).collect())?;
            self.desk
                .send(Table::Files, rows::files(&files, &digests)?)?;
        }
        let mut summary = Summary {
            files,
            open_items: self.open_items,
            parties: self.parties,
            rematched: self.rematched,
            quarantined: self.quarantined,
            ..Summary::default()
        };
        self.figures.finish(&mut summary);
        Ok(summary)
    }
}

/// What is said of a file whose `rows` (the word for them) came before.
pub fn repeated_delivery(file: &str, known_before: u64, rows: &str) -> Finding {
    Finding {
        severity: Severity::Info,
        code: FindingCode::RepeatedDelivery,
        file: file.to_owned(),
        line: None,
        found: format!("{known_before} {rows} that an earlier file had brought"),
        expected: String::new(),
        action: "nothing: they were counted once".to_owned(),
    }
}

/// The names of files that have changed since they were found.
fn changed_meanwhile(found: &Found) -> Vec<&str> {
    let known = found.known.iter();
    let changed = known
        .filter(|file| !file.is_again && Stamp::of(&file.source.path) != Some(file.stamp))
        .map(|file| file.source.name.as_str());
    changed.collect()
}

fn changing(file: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: FindingCode::UnreadableFile,
        file: file.to_owned(),
        line: None,
        found: "a file that was written to while it was read".to_owned(),
        expected: "a file that is complete".to_owned(),
        action: "run again once it is complete; its lines are counted once".to_owned(),
    }
}

/// How a file that no format reads is known when it comes again.
fn unread_file(digest: &str) -> Option<LineId> {
    if digest.is_empty() {
        return None;
    }
    let mut content = IdentityHasher::new("unread file");
    content.field(digest.as_bytes());
    Some(content.finish())
}

/// BLAKE3 of the file, unpacked, or nothing if it is gone by now: `explain` then cannot show the line.
fn digest(name: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    let read = locate(name)
        .and_then(|file| file.open())
        .and_then(|file| hasher.update_reader(file).map(|_| ()));
    match read {
        Ok(()) => hasher.finalize().to_hex().to_string(),
        Err(_) => String::new(),
    }
}
