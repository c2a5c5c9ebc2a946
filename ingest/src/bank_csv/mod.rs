//! Any bank's CSV, and the same in a workbook.
//!
//! No two banks write alike: separators, headings in many languages, lines before the heading and
//! after the last row, dates, decimal marks, signs. A first pass over the whole file counts what
//! it shows (`evidence`), of which `conventions` are decided; a second pass makes the rows
//! (`statement`). What was inferred is said in one finding. Where two readings fit equally well,
//! nothing is read: a wrong date is worse than an exception, and a habit of the currency's country
//! alone is no evidence of it. A [`CsvProfiles`] file settles it.
//!
//! `plan` finds the columns by the vocabulary in `words.toml` (`columns`), by a `profile`, or in a
//! file without a heading by what stands in them (`content`). `row` cuts text, `sheets` reads
//! a `workbook`; `amount` and `date` take cells apart, `money` tells what a row does to the account,
//! `running_balance` follows the balance from line to line, `entry` makes the row.

mod amount;
mod columns;
mod content;
mod conventions;
mod date;
mod entry;
mod evidence;
mod inference;
mod money;
mod plan;
mod preamble;
mod profile;
mod row;
mod running_balance;
mod shared;
mod sheets;
mod statement;
mod tally;
mod words;
mod workbook;

use std::io::{self, Read as _};

use tieout_core::{FindingCode, Severity};

use crate::canonical;
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::{Intake, Notice};
use crate::lines::LineReader;
use crate::registry::HEAD_BYTES;
use crate::transport::SourceFile;
use conventions::Conventions;
use evidence::Evidence;
use plan::Plan;
pub use profile::CsvProfiles;
use profile::Profile;
use row::{Cut, Row, TextRows};
pub use sheets::BankXlsx;
use statement::Statement;

/// Bytes of a profile that are read.
const PROFILE_BYTES_MAX: u64 = 1 << 20;

/// Statements as separated text.
pub struct BankCsv;

impl Format for BankCsv {
    fn name(&self) -> &'static str {
        "bank_csv"
    }

    fn about(&self) -> String {
        "any bank's statement as separated text: columns by headings in English, German, French, \
         Spanish, Portuguese, Italian, Dutch, Nordic, Polish, Czech, Hungarian, Turkish and \
         Romanian, or by content; conventions inferred from the whole file, or your own in TOML"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let is_whole = head.len() < HEAD_BYTES;
        !is_own(head) && Plan::of_text(head, is_whole, &CsvProfiles::default()).is_some()
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let text = Text::of(file, settings)?;
        let plan = Plan::of_text(&text.head, text.is_whole(), &settings.csv_profiles);
        let mut intake = Intake::new(file, receiver);
        let Some(plan) = plan.filter(|plan| plan.columns.are_known) else {
            intake.report(inference::no_columns())?;
            return count(file, settings, intake);
        };
        let mut evidence = Evidence::new(&plan);
        let mut rows = text.rows(plan.cut)?;
        let mut row = Row::default();
        while rows.next(&mut row).map_err(|error| file.refused(error))? {
            evidence.add(&plan.columns, &row);
        }
        (intake.counts.bytes, intake.counts.lines) = rows.extent();
        if let Some((first, count)) = rows.converted.filter(|_| plan.cut.encoding.is_none()) {
            intake.report(inference::converted(first, count))?;
        }
        let place = inference::separation(&plan);
        let Some(conventions) = decide(&place, &plan, &evidence, &mut intake)? else {
            return Ok(intake.counts);
        };
        let mut rows = text.rows(plan.cut)?;
        let mut statement = Statement::new(
            &plan.columns,
            &conventions,
            &mut intake,
            settings.batch_rows,
        );
        while rows.next(&mut row).map_err(|error| file.refused(error))? {
            statement.row(&row)?;
        }
        let first_refused = statement.finish()?;
        intake.report_quarantined(first_refused)?;
        Ok(intake.counts)
    }
}

impl BankCsv {
    /// Whether a profile names the columns of the file that begins with `head`.
    pub(crate) fn fits_profile(head: &[u8], profiles: &CsvProfiles) -> bool {
        let plan = Plan::of_text(head, head.len() < HEAD_BYTES, profiles);
        plan.is_some_and(|plan| plan.profile.is_some())
    }
}

/// Whether tieout wrote the file, or it is a file of the business's own.
fn is_own(head: &[u8]) -> bool {
    let own: [&dyn Format; 5] = [
        &canonical::OPEN_ITEMS_CSV,
        &canonical::REMITTANCES_CSV,
        &canonical::PARTIES_CSV,
        &canonical::TRUTH,
        &canonical::RUN_OUTPUT,
    ];
    own.iter().any(|format| format.recognizes(head))
}

/// The text of a file, which is read twice.
struct Text<'a> {
    file: &'a SourceFile,
    chunk_bytes: usize,
    /// Its beginning; a small file is read from here both times.
    head: Vec<u8>,
}

impl<'a> Text<'a> {
    fn of(file: &'a SourceFile, settings: &Settings) -> Result<Self, ReadError> {
        Ok(Self {
            head: file.head(HEAD_BYTES).map_err(|error| file.refused(error))?,
            chunk_bytes: settings.chunk_bytes,
            file,
        })
    }

    fn is_whole(&self) -> bool {
        self.head.len() < HEAD_BYTES
    }

    fn rows(&self, cut: Cut) -> Result<TextRows<Box<dyn io::Read + '_>>, ReadError> {
        let refused = |error| self.file.refused(error);
        let source: Box<dyn io::Read + '_> = if self.is_whole() {
            Box::new(&*self.head)
        } else {
            self.file.open().map_err(refused)?
        };
        let chunk_bytes = if self.is_whole() {
            self.chunk_bytes.min(self.head.len())
        } else {
            self.chunk_bytes
        };
        let lines = LineReader::new(source, chunk_bytes).map_err(refused)?;
        Ok(TextRows::new(lines, cut))
    }
}

/// Reads a file to its end for its size.
fn count(
    file: &SourceFile,
    settings: &Settings,
    mut intake: Intake<'_>,
) -> Result<Counts, ReadError> {
    let mut lines = LineReader::open(file, settings)?;
    while lines
        .read_line()
        .map_err(|error| file.refused(error))?
        .is_some()
    {}
    intake.counts.bytes = lines.bytes();
    intake.counts.lines = lines.lines();
    Ok(intake.counts)
}

/// Decides the conventions and says what they are; none if they stay open.
fn decide(
    place: &str,
    plan: &Plan,
    evidence: &Evidence,
    intake: &mut Intake<'_>,
) -> Result<Option<Conventions>, ReadError> {
    if let Some(profile) = &plan.profile {
        intake.counts.profile = Some(profile.name.clone());
    }
    match Conventions::decide(plan, evidence) {
        Ok(conventions) => {
            intake.report(inference::inferred(place, plan, &conventions, evidence))?;
            if let Some(notice) = inference::assumed(&conventions) {
                intake.report(notice)?;
            }
            Ok(Some(conventions))
        }
        Err(uncertain) => {
            intake.report(inference::uncertain(plan, &uncertain))?;
            Ok(None)
        }
    }
}

/// Profiles that users write. The pipeline reads them before all else and gives their text to
/// [`CsvProfiles::add`]; reading one here only says what is wrong with it.
pub struct BankCsvProfile;

impl Format for BankCsvProfile {
    fn name(&self) -> &'static str {
        "bank_csv_profile"
    }

    fn about(&self) -> String {
        "how a bank's CSV or workbook is to be read, as TOML with format = \"bank_csv\"".to_owned()
    }

    fn role(&self) -> Role {
        Role::Profile
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        profile::is_profile(&String::from_utf8_lossy(head))
    }

    fn read(
        &self,
        file: &SourceFile,
        _settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let mut bytes = Vec::new();
        file.open()
            .and_then(|opened| opened.take(PROFILE_BYTES_MAX).read_to_end(&mut bytes))
            .map_err(|error| file.refused(error))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut intake = Intake::new(file, receiver);
        intake.counts.bytes = bytes.len() as u64;
        intake.counts.lines = text.lines().count() as u64;
        match Profile::parse(&file.name, &text) {
            Ok(profile) => intake.counts.profile = Some(profile.name),
            Err(error) => intake.report(Notice {
                severity: Severity::Error,
                code: FindingCode::UnreadableFile,
                line: None,
                found: format!("{}: {}", error.field, error.problem),
                expected: "a profile for a bank's CSV".to_owned(),
                action: "Correct the profile; until then conventions are inferred.".into(),
            })?,
        }
        Ok(intake.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_files_from_others() {
        let yes = |text: &str| BankCsv.recognizes(text.as_bytes());
        assert!(yes("Date,Description,Amount\n2026-03-01,Rent,-850.00\n"));
        assert!(yes("sep=;\nDatum;Betrag;Text\n01.03.2026;-8,50;Kaffee\n"));
        assert!(yes(
            "Date\tMemo\tPaid out\tPaid in\n1 Mar 2026\tTea\t2.00\t\n"
        ));
        assert!(!yes("Date,Description,Amount\nno date,Rent,none\n"));
        assert!(!yes("Date,Value\n2026-03-01,1.0842\n"));
        assert!(!yes(
            "Date,Name,Type,Currency,Gross,Fee,Net\n2026-03-01,A,Sale,EUR,9.00,-1.00,8.00\n"
        ));
        assert!(!yes(
            "item_id,party_id,due_date,amount,description\nI1,P1,2026-03-01,5.00,x\n"
        ));
        assert!(!yes(
            "{\"date\":\"2026-03-01\",\"amount\":1.00,\"description\":\"x\"}\n"
        ));
        assert!(!yes("<a date=\"2026-03-01\">,1.00,x</a>\n<b>,2.00,y</b>\n"));
        assert!(!yes(
            "01,0004,12345,060321,0829,001,80,1,2/\n02,12345,0004,1,060317,,USD,2/\n"
        ));
        assert!(!yes(""));
    }

    #[test]
    fn knows_profiles_by_their_key() {
        let yes = |text: &str| BankCsvProfile.recognizes(text.as_bytes());
        assert!(yes("# my bank\nformat = \"bank_csv\" # yes\n"));
        assert!(!yes("format = \"lockbox\"\n"));
        assert!(!yes("[columns]\nformat = \"bank_csv\"\n"));
    }
}
