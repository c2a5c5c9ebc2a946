//! How a file is cut and which column holds what, told from its beginning.

use std::sync::Arc;

use super::columns::Columns;
use super::content;
use super::profile::{CsvProfiles, HEADING_WITHIN_LINES, Profile};
use super::row::{Cut, Row, TextRows};
use super::words::{fold, words};
use crate::lines::LineReader;

/// Separators, in the order in which they are preferred.
const SEPARATORS: [char; 4] = [';', ',', '\t', '|'];
/// Rows of the beginning that are looked at.
const ROWS_MAX: usize = 400;
/// Columns that must be known of a table without rows.
const KNOWN_MIN: usize = 3;

/// How a table is read.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub cut: Cut,
    pub columns: Columns,
    pub profile: Option<Arc<Profile>>,
    /// Rows of the beginning that have a date and money.
    fits: usize,
}

impl Plan {
    /// The plan for a file that begins with `head`; `is_whole` if that is all of it.
    pub fn of_text(head: &[u8], is_whole: bool, profiles: &CsvProfiles) -> Option<Self> {
        if matches!(head.trim_ascii_start().first(), None | Some(b'<' | b'{')) {
            return None;
        }
        let by_profile = profiles.all().iter().find_map(|profile| {
            let separators = profile
                .separator
                .map_or(SEPARATORS.to_vec(), |given| vec![given]);
            best(separators.into_iter().filter_map(|separator| {
                let encoding = profile.encoding;
                let cut = Cut {
                    separator,
                    encoding,
                };
                Self::by_profile(profile, cut, &head_rows(head, is_whole, cut))
            }))
        });
        let by_heading = || {
            best(SEPARATORS.into_iter().filter_map(|separator| {
                let cut = Cut::by(separator);
                Self::by_heading(cut, &head_rows(head, is_whole, cut))
            }))
        };
        let by_content = || {
            SEPARATORS.into_iter().find_map(|separator| {
                let cut = Cut::by(separator);
                Self::by_content(cut, &head_rows(head, is_whole, cut))
            })
        };
        by_profile.or_else(by_heading).or_else(by_content)
    }

    /// The plan for the first rows of a sheet.
    pub fn of_rows(rows: &[Row], profiles: &CsvProfiles) -> Option<Self> {
        let cut = Cut::by(',');
        let mut profiles = profiles.all().iter();
        profiles
            .find_map(|profile| Self::by_profile(profile, cut, rows))
            .or_else(|| Self::by_heading(cut, rows))
            .or_else(|| Self::by_content(cut, rows))
    }

    fn by_profile(profile: &Arc<Profile>, cut: Cut, rows: &[Row]) -> Option<Self> {
        let columns = profile.columns(rows)?;
        Some(Self {
            fits: fits(&columns, rows),
            cut,
            columns,
            profile: Some(Arc::clone(profile)),
        })
    }

    fn by_heading(cut: Cut, rows: &[Row]) -> Option<Self> {
        let mut headings = rows.iter().take(HEADING_WITHIN_LINES);
        let columns = headings.find_map(|row| {
            if row.filled() < 2 || is_foreign(row) {
                return None;
            }
            let columns = Columns::of_heading(row);
            (columns.is_statement() && columns.has_description()).then_some(columns)
        })?;
        let before = |row: &&Row| Some(row.line) < columns.heading_line;
        if rows.iter().take_while(before).any(is_foreign) {
            return None;
        }
        let below = rows
            .iter()
            .filter(|row| Some(row.line) > columns.heading_line);
        let fits = fits(&columns, rows);
        let is_empty = below.clone().all(|row| row.filled() == 0);
        (fits > 0 || is_empty && columns.known() >= KNOWN_MIN).then_some(Self {
            cut,
            columns,
            profile: None,
            fits,
        })
    }

    fn by_content(cut: Cut, rows: &[Row]) -> Option<Self> {
        if rows.iter().take(HEADING_WITHIN_LINES).any(is_foreign) {
            return None;
        }
        let columns = content::columns(rows)?;
        Some(Self {
            fits: fits(&columns, rows),
            cut,
            columns,
            profile: None,
        })
    }
}

/// The plan by which most rows read; of equals the first.
fn best(plans: impl Iterator<Item = Plan>) -> Option<Plan> {
    plans.reduce(|best, plan| {
        let rank = |plan: &Plan| (plan.fits, plan.columns.known());
        if rank(&plan) > rank(&best) {
            plan
        } else {
            best
        }
    })
}

fn fits(columns: &Columns, rows: &[Row]) -> usize {
    let below = rows
        .iter()
        .filter(|row| Some(row.line) > columns.heading_line);
    below.filter(|row| columns.fits(row)).count()
}

/// Whether the row is the heading of another kind of report.
fn is_foreign(row: &Row) -> bool {
    let names: Vec<String> = row.cells().map(fold).collect();
    words().are_foreign(&names)
}

/// The rows that stand in `head` as a whole.
fn head_rows(head: &[u8], is_whole: bool, cut: Cut) -> Vec<Row> {
    let mut rows = Vec::new();
    let Ok(lines) = LineReader::new(head, head.len().max(1)) else {
        return rows;
    };
    let mut reader = TextRows::new(lines, cut);
    let mut row = Row::default();
    while rows.len() < ROWS_MAX && matches!(reader.next(&mut row), Ok(true)) {
        rows.push(std::mem::take(&mut row));
    }
    if !is_whole && rows.len() < ROWS_MAX {
        rows.pop();
    }
    rows
}
