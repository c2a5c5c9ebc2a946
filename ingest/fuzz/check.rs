//! What holds of any bytes, read as any format. The fuzz programs call it with bytes that they
//! make up, the tests with those that were saved.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read as _;
use std::sync::LazyLock;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::concat_batches;
use arrow::datatypes::{Decimal128Type, UInt32Type, UInt64Type};
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_core::{Amount, Currency, Finding, FindingCode, QuarantinedLine};
use tieout_ingest::{
    Batch, Counts, Format, HEAD_BYTES, RAW_BYTES_MAX, Settings, SourceFile, recognize_file,
};

/// Findings that a file may have however few bytes it has.
const FINDINGS_OF_A_FILE: usize = 64;

/// Made once: the layouts that ship are parsed.
static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings {
    threads: 1,
    ..Settings::default()
});

/// What was read of a file, without how it was cut into batches.
#[derive(Debug, PartialEq)]
struct Reading {
    counts: Counts,
    findings: Vec<Finding>,
    quarantine: Vec<QuarantinedLine>,
    tables: BTreeMap<&'static str, RecordBatch>,
}

/// Reads `bytes` as `format`, whatever they look like: once as a whole and once cut into chunks
/// and batches, whose sizes follow from the bytes.
///
/// # Panics
/// If the two readings differ, if the reading does not account for the bytes, or if a value is
/// not what its column promises.
pub fn check(format: &dyn Format, bytes: &[u8]) {
    let file = SourceFile::from_bytes("file".to_owned(), bytes);
    let mut unpacked = Vec::new();
    let opened = file.open().and_then(|mut b| b.read_to_end(&mut unpacked));
    opened.unwrap_or_else(|error| panic!("bytes in memory do not open: {error}"));
    recognize_file(&file, &unpacked[..unpacked.len().min(HEAD_BYTES)]);

    let whole = read(format, &file, unpacked.len() + 1, 1 << 10);
    accounts_for(&whole, &unpacked);
    whole.tables.values().for_each(holds_what_columns_promise);

    let (chunk_bytes, batch_rows) = cut_of(bytes);
    let cut = read(format, &file, chunk_bytes, batch_rows);
    assert_eq!(cut, whole, "cut by {chunk_bytes} bytes, {batch_rows} rows");
}

/// Sizes of chunks and batches: small, so that every place is cut sooner or later.
fn cut_of(bytes: &[u8]) -> (usize, usize) {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let number = hasher.finish() as usize;
    (number % 97 + 1, number / 97 % 5 + 1)
}

fn read(format: &dyn Format, file: &SourceFile, chunk_bytes: usize, batch_rows: usize) -> Reading {
    let settings = Settings {
        chunk_bytes,
        batch_rows,
        ..SETTINGS.clone()
    };
    let mut findings = Vec::new();
    let mut quarantine = Vec::new();
    let mut batches = Batches::default();
    let mut receiver = |batch| {
        match batch {
            Batch::Finding(finding) => findings.push(finding),
            Batch::Statement(_) => {}
            Batch::Quarantine(line) => quarantine.push(line),
            Batch::Rows(table, rows) => batches.add(table.name(), rows),
            Batch::Transactions {
                transactions,
                remittance_lines,
            } => batches.add_transactions(transactions, &remittance_lines),
        }
        Ok(())
    };
    let counts = format.read(file, &settings, &mut receiver);
    Reading {
        counts: counts.unwrap_or_else(|error| panic!("what is wrong in a file is told: {error}")),
        findings,
        quarantine,
        tables: batches.joined(),
    }
}

/// Rows as they were handed over, by table.
#[derive(Default)]
struct Batches(BTreeMap<&'static str, Vec<RecordBatch>>);

impl Batches {
    fn add(&mut self, table: &'static str, rows: RecordBatch) {
        // A batch without rows says nothing, and how many there are depends on the cut.
        if rows.num_rows() > 0 {
            self.0.entry(table).or_default().push(rows);
        }
    }

    /// Documents name their transaction by its row in the batch; here by its row in the file.
    fn add_transactions(&mut self, transactions: RecordBatch, documents: &RecordBatch) {
        let table = Table::Transactions.name();
        let batches = self.0.get(table).into_iter().flatten();
        let before: usize = batches.map(RecordBatch::num_rows).sum();
        let owners = documents.column(0).as_primitive::<UInt32Type>().values();
        assert!(owners.is_sorted(), "documents are not in order");
        let last = owners.last().map_or(0, |&row| row as usize + 1);
        assert!(last <= transactions.num_rows(), "a document of no line");
        let owners = owners.iter().map(|row| row + before as u32);
        let mut columns = documents.columns().to_vec();
        columns[0] = ArrayRef::from(Box::new(UInt32Array::from_iter_values(owners)) as Box<_>);
        let documents = RecordBatch::try_new(documents.schema(), columns)
            .unwrap_or_else(|error| panic!("documents do not fit their schema: {error}"));
        self.add(table, transactions);
        self.add("documents", documents);
    }

    fn joined(self) -> BTreeMap<&'static str, RecordBatch> {
        let join = |(table, batches): (_, Vec<RecordBatch>)| {
            let joined = concat_batches(&batches[0].schema(), &batches)
                .unwrap_or_else(|error| panic!("batches of {table} differ: {error}"));
            (table, joined)
        };
        self.0.into_iter().map(join).collect()
    }
}

/// Every byte was read, every row and line is counted, and what names a place names one of the
/// file.
fn accounts_for(reading: &Reading, bytes: &[u8]) {
    let Reading {
        counts,
        findings,
        quarantine,
        tables,
    } = reading;
    let size = bytes.len() as u64;
    assert_eq!(counts.bytes, size, "bytes");
    let beside = [Table::Balances.name(), "documents"];
    let counted = tables.iter().filter(|(table, _)| !beside.contains(table));
    let rows: usize = counted.map(|(_, rows)| rows.num_rows()).sum();
    assert_eq!(counts.rows, rows as u64, "rows");
    assert_eq!(counts.quarantined, quarantine.len() as u64, "quarantine");
    let is_told = |finding: &Finding| finding.code == FindingCode::QuarantinedLines;
    let told = findings.iter().any(is_told);
    assert_eq!(told, !quarantine.is_empty(), "quarantine is told");

    // Nothing grows beyond the bytes that it comes of.
    let all: usize = tables.values().map(RecordBatch::num_rows).sum();
    assert!(all <= bytes.len(), "{all} rows of {size} bytes");
    let said = findings.len() + quarantine.len();
    assert!(said <= bytes.len() + FINDINGS_OF_A_FILE, "{said} findings");

    let is_line = |line: u64| (1..=counts.lines.max(1)).contains(&line);
    for finding in findings {
        assert!(finding.line.is_none_or(is_line), "line of {finding:?}");
    }
    for line in quarantine {
        assert!(is_line(line.line), "line of {line:?}");
        assert!(line.byte_start <= line.byte_end && line.byte_end <= size);
        assert!(line.raw.len() <= RAW_BYTES_MAX, "{line:?}");
    }
    for rows in tables.values() {
        let column = |name| rows.column_by_name(name).map(counts_of);
        let lines = column("source_line").unwrap_or_default();
        assert!(lines.iter().all(|&line| is_line(line)), "source_line");
        if let (Some(starts), Some(ends)) = (column("byte_start"), column("byte_end")) {
            let mut ranges = starts.iter().zip(ends);
            assert!(ranges.all(|(start, end)| start <= end && *end <= size));
        }
    }
}

fn counts_of(column: &ArrayRef) -> &[u64] {
    column.as_primitive::<UInt64Type>().values()
}

/// Amounts are amounts and currencies are currencies.
fn holds_what_columns_promise(rows: &RecordBatch) {
    for (field, column) in rows.schema().fields().iter().zip(rows.columns()) {
        if *field.data_type() == AMOUNT_TYPE {
            let amounts = column.as_primitive::<Decimal128Type>().iter().flatten();
            amounts.for_each(|units| is_amount(Amount::from_units(units)));
        } else if field.name() == "currency" {
            for code in column.as_string::<i32>().iter().flatten() {
                assert!(Currency::parse(code.as_bytes()).is_ok(), "currency {code}");
            }
        }
    }
}

fn is_amount(amount: Amount) {
    let mut text = Vec::new();
    amount.write_to(&mut text);
    assert_eq!(Amount::parse(&text), Ok(amount));
}
