//! Statements in workbooks.
//!
//! The lines of a workbook are the rows of its sheets, one sheet below the other, each counted to
//! its last row that has a cell. So a line of the first sheet has the number that the sheet shows
//! beside it, and every row of the workbook has a line of its own; whatever is said of a line names
//! its sheet and row too.

use std::collections::BTreeSet;
use std::io;

use tieout_core::{FindingCode, Severity};

use super::evidence::Evidence;
use super::plan::Plan;
use super::row::Row;
use super::statement::Statement;
use super::workbook::{Refused, Workbook};
use super::{CsvProfiles, decide, inference};
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings, ShownLine};
use crate::intake::{Intake, Notice, Part};
use crate::transport::SourceFile;

/// Rows of a sheet by which its columns are told.
const SHEET_ROWS: usize = 400;

/// Statements in workbooks.
pub struct BankXlsx;

impl Format for BankXlsx {
    fn name(&self) -> &'static str {
        "bank_xlsx"
    }

    fn about(&self) -> String {
        "any bank's statement as a workbook (XLSX): every sheet with columns as in bank_csv"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, _head: &[u8]) -> bool {
        false
    }

    fn recognizes_file(&self, file: &SourceFile, head: &[u8]) -> bool {
        any_plan(file, head, &CsvProfiles::default(), |_| true)
    }

    fn shown(&self, file: &SourceFile, lines: &BTreeSet<u64>) -> Option<Vec<ShownLine>> {
        Some(shown(file, lines).unwrap_or_default())
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let mut intake = Intake::new(file, receiver);
        match Workbook::open(file) {
            Ok(workbook) => read_workbook(workbook, settings, &mut intake)?,
            Err(Refused::Read(error)) => return Err(error),
            Err(Refused::Damaged(found)) => {
                let bytes = file
                    .open()
                    .and_then(|mut b| io::copy(&mut b, &mut io::sink()));
                intake.counts.bytes = bytes.map_err(|error| file.refused(error))?;
                intake.report(damaged(found))?;
            }
        }
        Ok(intake.counts)
    }
}

impl BankXlsx {
    /// Whether a profile names the columns of a sheet.
    pub(crate) fn fits_profile(file: &SourceFile, head: &[u8], profiles: &CsvProfiles) -> bool {
        any_plan(file, head, profiles, |plan| plan.profile.is_some())
    }
}

/// Whether `fits` holds of the plan for some sheet of `file`, which begins with `head`.
fn any_plan(
    file: &SourceFile,
    head: &[u8],
    profiles: &CsvProfiles,
    fits: fn(&Plan) -> bool,
) -> bool {
    if !head.starts_with(b"PK\x03\x04") {
        return false;
    }
    let Ok(mut workbook) = Workbook::open(file) else {
        return false;
    };
    workbook.sheets().iter().any(|sheet| {
        let plan = plan_of_sheet(&mut workbook, sheet, profiles);
        matches!(plan, Ok(Some(plan)) if fits(&plan))
    })
}

/// What became of a sheet.
#[derive(Default)]
struct Outcome {
    /// Whether it has columns of a statement.
    is_statement: bool,
    /// Whether it has cells and no such columns.
    is_other: bool,
    first_refused: Option<u64>,
}

fn read_workbook(
    mut workbook: Workbook,
    settings: &Settings,
    intake: &mut Intake<'_>,
) -> Result<(), ReadError> {
    intake.counts.bytes = workbook.bytes;
    let mut first_refused = None;
    let mut has_statement = false;
    let mut others = Vec::new();
    for sheet in workbook.sheets() {
        let part = Part {
            name: format!("sheet {sheet}"),
            before: intake.counts.lines,
        };
        intake.part = Some(part.clone());
        let mut outcome = Outcome::default();
        match read_sheet(&mut workbook, &sheet, settings, intake, &mut outcome) {
            Ok(()) => {}
            Err(Refused::Read(error)) => return Err(error),
            // The other sheets may be whole.
            Err(Refused::Damaged(found)) => intake.report(damaged(found))?,
        }
        has_statement |= outcome.is_statement;
        first_refused = first_refused.or(outcome.first_refused);
        if outcome.is_other {
            others.push(part);
        }
    }
    for part in others {
        intake.part = Some(part);
        intake.report(if has_statement {
            inference::other_sheet()
        } else {
            inference::no_columns()
        })?;
    }
    intake.part = None;
    Ok(intake.report_quarantined(first_refused)?)
}

/// Reads a sheet whose lines begin behind those that were counted, and counts them.
fn read_sheet(
    workbook: &mut Workbook,
    sheet: &str,
    settings: &Settings,
    intake: &mut Intake<'_>,
    outcome: &mut Outcome,
) -> Result<(), Refused> {
    let before = intake.counts.lines;
    let lines = &mut intake.counts.lines;
    let mut plan = plan_of_sheet(workbook, sheet, &settings.csv_profiles)?;
    let plan = plan.as_mut().filter(|plan| plan.columns.are_known);
    let Some(plan) = plan else {
        return workbook.rows(sheet, before, &mut |row| {
            *lines = row.line.max(*lines);
            outcome.is_other |= row.filled() > 0;
            Ok(true)
        });
    };
    outcome.is_statement = true;
    if let Some(heading) = &mut plan.columns.heading_line {
        *heading += before;
    }
    let mut evidence = Evidence::new(plan);
    let counted = workbook.rows(sheet, before, &mut |row| {
        *lines = row.line.max(*lines);
        evidence.add(&plan.columns, row);
        Ok(true)
    });
    let Some(conventions) = decide("", plan, &evidence, intake)? else {
        return counted;
    };
    let mut statement = Statement::new(&plan.columns, &conventions, intake, settings.batch_rows);
    let read = workbook.rows(sheet, before, &mut |row| statement.row(row).map(|()| true));
    // What was read before the damage counts.
    outcome.first_refused = statement.finish()?;
    read
}

/// The plan for a sheet, its lines counted from the sheet's first row.
fn plan_of_sheet(
    workbook: &mut Workbook,
    sheet: &str,
    profiles: &CsvProfiles,
) -> Result<Option<Plan>, ReadError> {
    let mut rows: Vec<Row> = Vec::new();
    let read = workbook.rows(sheet, 0, &mut |row| {
        rows.push(row.clone());
        Ok(rows.len() < SHEET_ROWS)
    });
    match read {
        // Damage is told when the rows are read.
        Ok(()) | Err(Refused::Damaged(_)) => Ok(Plan::of_rows(&rows, profiles)),
        Err(Refused::Read(error)) => Err(error),
    }
}

/// The cells of `wanted` lines, and the sheets and rows that they are.
fn shown(file: &SourceFile, wanted: &BTreeSet<u64>) -> Result<Vec<ShownLine>, Refused> {
    let mut workbook = Workbook::open(file)?;
    let mut shown = Vec::new();
    let mut lines = 0;
    for sheet in workbook.sheets() {
        let part = Part {
            name: format!("sheet {sheet}"),
            before: lines,
        };
        let read = workbook.rows(&sheet, part.before, &mut |row| {
            lines = row.line.max(lines);
            if wanted.contains(&row.line) {
                shown.push(ShownLine {
                    line: row.line,
                    place: part.place(row.line),
                    text: String::from_utf8_lossy(&row.raw).into_owned(),
                });
            }
            Ok(true)
        });
        match read {
            // As it was read: up to the damage.
            Ok(()) | Err(Refused::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(shown)
}

fn damaged(found: String) -> Notice {
    Notice {
        severity: Severity::Error,
        code: FindingCode::UnreadableFile,
        line: None,
        found,
        expected: "a whole workbook".to_owned(),
        action: "Open it in a spreadsheet and save it again, or ask for the file again.".into(),
    }
}
