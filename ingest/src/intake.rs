//! What one file's reader hands over, and the count of it.

use std::borrow::Cow;

use arrow::error::ArrowError;
use tieout_core::schema::Table;
use tieout_core::{Finding, FindingCode, QuarantineReason, QuarantinedLine, Severity};

use crate::format::{Batch, Counts, NumberedStatement, ReadError, Receiver, Stopped};
use crate::lines::{LINE_BYTES_MAX, Line};
use crate::transport::SourceFile;

/// Bytes of a line that quarantine keeps; the byte range names them all.
pub const RAW_BYTES_MAX: usize = 64 * 1024;

/// A [`Finding`] before it is known which file it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub code: FindingCode,
    /// Line number from 1, or none for the file as a whole.
    pub line: Option<u64>,
    /// What was found.
    pub found: String,
    /// What was expected, or empty.
    pub expected: String,
    /// What to do about it.
    pub action: Cow<'static, str>,
}

/// A part of a file that people know by a name and rows of its own, such as a sheet. Its lines
/// are counted on from those of the parts before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What people call it: `sheet March`.
    pub name: String,
    /// Lines of the parts before it.
    pub before: u64,
}

impl Part {
    /// Where a line of the file stands: `sheet March, row 12`.
    pub fn place(&self, line: u64) -> String {
        format!("{}, row {}", self.name, line.saturating_sub(self.before))
    }

    fn tell(&self, line: Option<u64>, text: &str) -> String {
        let place = line.map_or_else(|| self.name.clone(), |line| self.place(line));
        format!("{place}: {text}")
    }
}

/// Hands over what is read of one file, and counts it.
pub struct Intake<'a> {
    file: &'a SourceFile,
    receiver: &'a mut dyn Receiver,
    /// The part that is read now, which whatever is said names; none for the file as a whole.
    pub part: Option<Part>,
    /// What was handed over so far. Readers set `bytes`, `lines` and `profile`; rows and lines in
    /// quarantine are counted here.
    pub counts: Counts,
}

impl<'a> Intake<'a> {
    /// Hands over what is read of `file` to `receiver`.
    pub fn new(file: &'a SourceFile, receiver: &'a mut dyn Receiver) -> Self {
        Self {
            file,
            receiver,
            part: None,
            counts: Counts::default(),
        }
    }

    /// The file's name, as outputs show it.
    pub fn file_name(&self) -> &'a str {
        &self.file.name
    }

    /// Hands over a batch and counts its rows (balances are not counted).
    ///
    /// # Errors
    /// [`Stopped`] if nothing more is wanted.
    pub fn hand_over(&mut self, batch: Batch) -> Result<(), Stopped> {
        match &batch {
            Batch::Transactions { transactions, .. } => self.count_rows(transactions.num_rows()),
            Batch::Rows(table, rows) if *table != Table::Balances => {
                self.count_rows(rows.num_rows());
            }
            Batch::Quarantine(_) => self.counts.quarantined += 1,
            Batch::Rows(..) | Batch::Finding(_) | Batch::Statement(_) => {}
        }
        self.receiver.receive(batch)
    }

    fn count_rows(&mut self, rows: usize) {
        self.counts.rows += rows as u64;
    }

    /// Hands over something to know about the file.
    ///
    /// # Errors
    /// [`Stopped`] if nothing more is wanted.
    pub fn report(&mut self, mut notice: Notice) -> Result<(), Stopped> {
        if let Some(part) = &self.part {
            notice.found = part.tell(notice.line, &notice.found);
        }
        self.receiver.receive(Batch::Finding(Finding {
            severity: notice.severity,
            code: notice.code,
            file: self.file.name.clone(),
            line: notice.line,
            found: notice.found,
            expected: notice.expected,
            action: notice.action.into_owned(),
        }))
    }

    /// Hands over a statement that the bank numbers; one without a number is left out.
    ///
    /// # Errors
    /// [`Stopped`] if nothing more is wanted.
    pub fn statement(&mut self, mut statement: NumberedStatement) -> Result<(), Stopped> {
        if statement.number == 0 || statement.account.is_empty() {
            return Ok(());
        }
        self.file.name.clone_into(&mut statement.file);
        self.receiver.receive(Batch::Statement(statement))
    }

    /// Puts a line, or a piece of one, into quarantine.
    ///
    /// # Errors
    /// [`Stopped`] if nothing more is wanted.
    pub fn quarantine(
        &mut self,
        line: &Line<'_>,
        reason: QuarantineReason,
        message: impl Into<String>,
    ) -> Result<(), Stopped> {
        let kept = line.bytes.len().min(RAW_BYTES_MAX);
        let mut message = message.into();
        if let Some(part) = &self.part {
            message = part.tell(Some(line.number), &message);
        }
        self.hand_over(Batch::Quarantine(QuarantinedLine {
            file: self.file.name.clone(),
            line: line.number,
            byte_start: line.start,
            byte_end: line.end,
            reason,
            message,
            raw: line.bytes[..kept].to_vec(),
        }))
    }

    /// Puts a line that is over the limit into quarantine.
    ///
    /// # Errors
    /// [`Stopped`] if nothing more is wanted.
    pub fn quarantine_long_line(&mut self, line: &Line<'_>) -> Result<(), Stopped> {
        let message = format!(
            "the line has {} bytes, more than the {LINE_BYTES_MAX} that a line may have; \
             check that the file is text with line ends",
            line.end - line.start
        );
        self.quarantine(line, QuarantineReason::TooLong, message)
    }

    /// Says how many lines are in quarantine, if any; `first_line` is the first of them.
    ///
    /// # Errors
    /// [`Stopped`] if nothing more is wanted.
    pub fn report_quarantined(&mut self, first_line: Option<u64>) -> Result<(), Stopped> {
        if self.counts.quarantined == 0 {
            return Ok(());
        }
        self.report(Notice {
            severity: Severity::Error,
            code: FindingCode::QuarantinedLines,
            line: first_line,
            found: format!("{} lines in quarantine", self.counts.quarantined),
            expected: "none".to_owned(),
            action: "See the table quarantine; correct the lines and run the file again.".into(),
        })
    }

    /// The error of a batch that Arrow would not build.
    pub fn internal(&self, error: &ArrowError) -> ReadError {
        ReadError::Internal {
            file: self.file.name.clone(),
            message: error.to_string(),
        }
    }
}
