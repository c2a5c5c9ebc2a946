//! What a file is: its format, accounts, balances, totals and findings, and its lines beside the
//! canonical rows that they became.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use arrow::array::{Array, Decimal128Array, RecordBatch, StringArray, UInt64Array};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tieout_core::schema::Table;
use tieout_core::{Amount, Direction, Finding, QuarantinedLine};
use tieout_ingest::{
    Batch, Counts, Format, HEAD_BYTES, ReadError, Settings, ShownLine, SourceFile,
};
use tieout_ingest::{recognize_by_profile, recognize_file, unpack};

use crate::EngineError;
use crate::files;
use crate::intake::{arrow, column, internal};

/// Bytes of a file's beginning whose lines are shown.
const SHOWN_BYTES_MAX: u64 = 16 << 20;

/// What one file is and brings.
#[derive(Debug, Default)]
pub struct Inspection {
    /// The file; a member of an archive with its name behind the archive's.
    pub file: String,
    /// The format's name and what it is; none for a file that no format knows.
    pub format: Option<(String, String)>,
    /// Bytes, lines, rows, and the layout profile.
    pub counts: Counts,
    /// BLAKE3 of the unpacked bytes.
    pub digest: String,
    /// One entry an account and currency.
    pub accounts: Vec<Account>,
    /// Rows of each table.
    pub tables: BTreeMap<&'static str, usize>,
    /// The balances, as rows.
    pub balances: Vec<Row>,
    /// What is to be said of the file.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub quarantine: Vec<QuarantinedLine>,
    /// The first rows, in the order of the file.
    pub rows: Vec<Row>,
}

/// The lines of one account in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The account; empty where the file names none.
    pub number: String,
    /// The currency.
    pub currency: String,
    /// Lines.
    pub lines: u64,
    /// What came in.
    pub credits: Amount,
    /// What went out.
    pub debits: Amount,
}

/// A canonical row with the text that it was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The table.
    pub table: &'static str,
    /// The first line, from 1.
    pub line: u64,
    /// Where people find it, for files whose lines are no text: `sheet March, row 12`.
    pub place: Option<String>,
    /// The bytes of the file that it was read from, as text; empty beyond the part that is shown.
    pub source: String,
    /// The columns that have a value.
    pub values: Vec<(String, String)>,
}

/// Reads the file at `path` (each of its files, if it is an archive), keeping the first
/// `rows_max` rows of each. Layouts and profiles beside it count as in a run of its folder.
///
/// # Errors
/// [`EngineError::Path`] if it cannot be read, [`EngineError::Internal`] for a mistake in a
/// parser.
pub fn inspect(
    path: &Path,
    settings: &Settings,
    rows_max: usize,
) -> Result<Vec<Inspection>, EngineError> {
    let wrap = |source: io::Error| EngineError::Path {
        path: path.to_owned(),
        source,
    };
    let files = unpack(path, &path.display().to_string()).map_err(wrap)?;
    let mut settings = settings.clone();
    let unusable = files::find_beside(path)?.add_layouts_to(&mut settings);
    let inspect = |file| {
        let mut inspection = inspect_file(file, &settings, rows_max)?;
        inspection.findings.extend_from_slice(&unusable);
        Ok(inspection)
    };
    let inspections = files.iter().map(inspect);
    inspections
        .map(|inspection| inspection.map_err(|error: Trouble| error.at(path)))
        .collect()
}

/// What went wrong with one file.
enum Trouble {
    Io(io::Error),
    Engine(EngineError),
}

impl Trouble {
    fn at(self, path: &Path) -> EngineError {
        match self {
            Self::Io(source) => EngineError::Path {
                path: path.to_owned(),
                source,
            },
            Self::Engine(error) => error,
        }
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn inspect_file(
    file: &SourceFile,
    settings: &Settings,
    rows_max: usize,
) -> Result<Inspection, Trouble> {
    let mut digest = blake3::Hasher::new();
    digest.update_reader(file.open()?)?;
    let mut inspection = Inspection {
        file: file.name.clone(),
        digest: digest.finalize().to_hex().to_string(),
        ..Inspection::default()
    };
    let head = file.head(HEAD_BYTES)?;
    let known = recognize_file(file, &head)
        .or_else(|| recognize_by_profile(file, &head, &settings.csv_profiles));
    let Some(format) = known else {
        return Ok(inspection);
    };
    inspection.format = Some((format.name().to_owned(), format.about()));
    let mut begin = Vec::new();
    file.open()?.take(SHOWN_BYTES_MAX).read_to_end(&mut begin)?;
    let mut view = Viewer {
        inspection,
        begin: Begin::of(begin),
        rows_max,
        trouble: None,
    };
    let read = format.read(file, settings, &mut |batch| {
        if let Err(error) = view.take(batch) {
            view.trouble.get_or_insert(error);
        }
        Ok(())
    });
    if let Some(error) = view.trouble {
        return Err(error.into());
    }
    view.inspection.counts = match read {
        Ok(counts) => counts,
        Err(ReadError::Io { source, .. }) => return Err(source.into()),
        Err(error) => return Err(internal(error).into()),
    };
    view.inspection.show(format, file);
    Ok(view.inspection)
}

impl Inspection {
    /// Shows the lines of a file whose bytes are no text as people see them.
    fn show(&mut self, format: &dyn Format, file: &SourceFile) {
        let rows = || self.rows.iter().chain(&self.balances);
        let lines = rows().map(|row| row.line).collect();
        let Some(shown) = format.shown(file, &lines) else {
            return;
        };
        let shown: BTreeMap<u64, ShownLine> =
            shown.into_iter().map(|line| (line.line, line)).collect();
        for row in self.rows.iter_mut().chain(&mut self.balances) {
            let line = shown.get(&row.line);
            row.place = line.map(|line| line.place.clone());
            row.source = line.map_or_else(String::new, |line| line.text.clone());
        }
    }
}

/// The beginning of the file, by bytes and by lines.
struct Begin {
    bytes: Vec<u8>,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Begin {
    fn of(bytes: Vec<u8>) -> Self {
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(place, _)| place + 1));
        let lines = lines.collect();
        Self { bytes, lines }
    }

    fn line(&self, number: u64) -> String {
        let place = (number as usize).saturating_sub(1);
        let Some(&start) = self.lines.get(place) else {
            return String::new();
        };
        let end = self.lines.get(place + 1).copied();
        self.range(start, end.unwrap_or(self.bytes.len()))
    }

    fn range(&self, start: usize, end: usize) -> String {
        let end = end.min(self.bytes.len());
        let bytes = self.bytes.get(start..end).unwrap_or_default();
        String::from_utf8_lossy(bytes).trim_end().to_owned()
    }
}

/// Collects what a file brings.
struct Viewer {
    inspection: Inspection,
    begin: Begin,
    rows_max: usize,
    trouble: Option<EngineError>,
}

impl Viewer {
    fn take(&mut self, batch: Batch) -> Result<(), EngineError> {
        match batch {
            Batch::Transactions {
                transactions,
                remittance_lines,
            } => {
                self.add_accounts(&transactions)?;
                self.add_rows(Table::Transactions, &transactions)?;
                self.add_rows(Table::RemittanceLines, &remittance_lines)
            }
            Batch::Rows(Table::Balances, rows) => {
                *self.inspection.tables.entry("balances").or_default() += rows.num_rows();
                for row in 0..rows.num_rows().min(self.rows_max) {
                    let row = self.row(Table::Balances, &rows, row)?;
                    self.inspection.balances.push(row);
                }
                Ok(())
            }
            Batch::Rows(table, rows) => self.add_rows(table, &rows),
            // What it says of itself is among the rows and the findings.
            Batch::Statement(_) => Ok(()),
            Batch::Finding(finding) => {
                self.inspection.findings.push(finding);
                Ok(())
            }
            Batch::Quarantine(line) => {
                self.inspection.quarantine.push(line);
                Ok(())
            }
        }
    }

    fn add_accounts(&mut self, batch: &RecordBatch) -> Result<(), EngineError> {
        let text = |name| column::<StringArray>(batch, Table::Transactions.column(name));
        let (accounts, currencies) = (text("account")?, text("currency")?);
        let directions = text("direction")?;
        let amounts = column::<Decimal128Array>(batch, Table::Transactions.column("amount"))?;
        for row in 0..batch.num_rows() {
            let account = self.account(accounts.value(row), currencies.value(row));
            account.lines += 1;
            let amount = Amount::from_units(amounts.value(row));
            if directions.value(row) == Direction::Credit.code() {
                account.credits += amount;
            } else {
                account.debits += amount;
            }
        }
        Ok(())
    }

    fn account(&mut self, number: &str, currency: &str) -> &mut Account {
        let accounts = &mut self.inspection.accounts;
        let known = accounts
            .iter()
            .rposition(|own| own.number == number && own.currency == currency);
        let place = known.unwrap_or(accounts.len());
        if place == accounts.len() {
            accounts.push(Account {
                number: number.to_owned(),
                currency: currency.to_owned(),
                ..Account::default()
            });
        }
        &mut accounts[place]
    }

    fn add_rows(&mut self, table: Table, batch: &RecordBatch) -> Result<(), EngineError> {
        if batch.num_rows() > 0 {
            *self.inspection.tables.entry(table.name()).or_default() += batch.num_rows();
        }
        let room = self.rows_max.saturating_sub(self.inspection.rows.len());
        for row in 0..batch.num_rows().min(room) {
            let row = self.row(table, batch, row)?;
            self.inspection.rows.push(row);
        }
        Ok(())
    }

    fn row(&self, table: Table, batch: &RecordBatch, row: usize) -> Result<Row, EngineError> {
        let options = FormatOptions::default();
        let schema = batch.schema();
        let mut values = Vec::new();
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            if array.is_null(row) || PLACE.contains(&field.name().as_str()) {
                continue;
            }
            let text = ArrayFormatter::try_new(array, &options).map_err(arrow)?;
            values.push((field.name().clone(), text.value(row).to_string()));
        }
        let count = |name: &str| {
            let column = batch.column_by_name(name)?;
            let column = column.as_any().downcast_ref::<UInt64Array>()?;
            Some(column.value(row))
        };
        let line = count("source_line").unwrap_or_default();
        let source = match (count("byte_start"), count("byte_end")) {
            (Some(start), Some(end)) => self.begin.range(start as usize, end as usize),
            _ => self.begin.line(line),
        };
        Ok(Row {
            table: table.name(),
            line,
            place: None,
            source,
            values,
        })
    }
}

/// Columns that say where a row stands, not what it is.
const PLACE: [&str; 6] = [
    "identity",
    "transaction_row",
    "source_file",
    "source_line",
    "byte_start",
    "byte_end",
];
