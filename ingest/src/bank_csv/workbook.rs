//! Sheets of a workbook as rows of text.

use std::io::{self, Cursor, Read as _, Write};

use calamine::{Data, DataRef, Reader as _, SheetType, Xlsx, XlsxError};
use zip::ZipArchive;

use super::row::Row;
use crate::format::{ReadError, Stopped};
use crate::lines::LINE_BYTES_MAX;
use crate::transport::SourceFile;

/// Bytes of a packed workbook that are read.
const WORKBOOK_BYTES_MAX: u64 = 64 << 20;
/// Unpacked bytes of everything that is held in memory beside a sheet.
const PARTS_BYTES_MAX: u64 = 128 << 20;
/// The column from which on cells are no longer told apart.
const COLUMNS_MAX: u32 = 1_000;
/// Significant digits that a sheet shows of a number.
const DIGITS: usize = 15;

/// Why a workbook does not give its rows.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is too large, damaged, or not a workbook.
    Damaged(String),
    /// Rows were not taken.
    Read(ReadError),
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<Stopped> for Refused {
    fn from(stopped: Stopped) -> Self {
        Self::Read(stopped.into())
    }
}

impl From<XlsxError> for Refused {
    fn from(error: XlsxError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// A workbook in memory as it is packed; its sheets are unpacked row by row.
pub(super) struct Workbook {
    xlsx: Xlsx<Cursor<Vec<u8>>>,
    /// Its size as it is packed.
    pub bytes: u64,
}

impl Workbook {
    /// Opens the workbook that `file` is.
    pub fn open(file: &SourceFile) -> Result<Self, Refused> {
        let mut packed = Vec::new();
        file.open()?
            .take(WORKBOOK_BYTES_MAX + 1)
            .read_to_end(&mut packed)?;
        let bytes = packed.len() as u64;
        if bytes > WORKBOOK_BYTES_MAX {
            let message = format!("a workbook of more than {WORKBOOK_BYTES_MAX} bytes");
            return Err(Refused::Damaged(message));
        }
        check_parts(&packed)?;
        let xlsx = Xlsx::new(Cursor::new(packed))?;
        Ok(Self { xlsx, bytes })
    }

    /// The names of its sheets that have cells; charts are none.
    pub fn sheets(&self) -> Vec<String> {
        let sheets = self.xlsx.sheets_metadata().iter();
        let has_cells = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet);
        has_cells.map(|sheet| sheet.name.clone()).collect()
    }

    /// Gives every row of a sheet that has cells to `take`, until it says false; the first row of
    /// the sheet is the line after `before`.
    pub fn rows(
        &mut self,
        sheet: &str,
        before: u64,
        take: &mut dyn FnMut(&Row) -> Result<bool, ReadError>,
    ) -> Result<(), Refused> {
        let mut cells = self.xlsx.worksheet_cells_reader(sheet)?;
        let mut row = Row::default();
        loop {
            let damaged = |error: XlsxError| {
                let last = row.line.saturating_sub(before);
                let message = format!("{error}; nothing was read from its row {last} on");
                Refused::Damaged(message)
            };
            let Some(cell) = cells.next_cell().map_err(damaged)? else {
                break;
            };
            let (line, column) = cell.get_position();
            let line = before + u64::from(line) + 1;
            if line != row.line {
                if row.line > 0 && !give(&mut row, take)? {
                    return Ok(());
                }
                row.restart(line);
            }
            let (text, is_number) = shown(cell.get_value());
            row.push_at(column.min(COLUMNS_MAX) as usize, &text, is_number);
        }
        if row.line > 0 {
            give(&mut row, take)?;
        }
        Ok(())
    }
}

/// Gives the row with its cells as they would be shown in quarantine.
fn give(
    row: &mut Row,
    take: &mut dyn FnMut(&Row) -> Result<bool, ReadError>,
) -> Result<bool, ReadError> {
    row.raw = row.cells().collect::<Vec<_>>().join("\t").into_bytes();
    take(row)
}

/// Unpacks what the reader will hold in memory, to see that it is not too much.
fn check_parts(packed: &[u8]) -> Result<(), Refused> {
    let damaged = |error: zip::result::ZipError| Refused::Damaged(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(packed)).map_err(damaged)?;
    let mut left = PARTS_BYTES_MAX;
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(damaged)?;
        let is_sheet = part
            .name()
            .is_ok_and(|name| name.starts_with("xl/worksheets/sheet"));
        let mut part = part;
        if is_sheet {
            io::copy(&mut part, &mut ShortTexts::default())?;
            continue;
        }
        left -= io::copy(&mut part.take(left), &mut io::sink())?;
        if left == 0 {
            let message =
                format!("its texts and styles unpack to more than {PARTS_BYTES_MAX} bytes");
            return Err(Refused::Damaged(message));
        }
    }
    Ok(())
}

/// Takes a sheet and refuses it if a text in it is longer than a line may be.
#[derive(Default)]
struct ShortTexts {
    /// Bytes since the last tag began.
    length: usize,
}

impl Write for ShortTexts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length = match memchr::memrchr(b'<', bytes) {
            Some(tag) => bytes.len() - tag,
            None => self.length + bytes.len(),
        };
        if self.length > LINE_BYTES_MAX {
            return Err(io::Error::other(format!(
                "a text in a sheet has more than {LINE_BYTES_MAX} bytes"
            )));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value as text, and whether it is a number.
fn shown(value: &DataRef<'_>) -> (String, bool) {
    match value {
        DataRef::Int(number) => (number.to_string(), true),
        DataRef::Float(number) => (decimal(*number), true),
        DataRef::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            (format!("{year:04}-{month:02}-{day:02}"), false)
        }
        DataRef::Empty => (String::new(), false),
        other => (Data::from(other.clone()).to_string(), false),
    }
}

/// A number as a sheet shows it: fifteen significant digits, so that what binary fractions add
/// (0.30000000000000004) is gone.
fn decimal(number: f64) -> String {
    if !number.is_finite() {
        return String::new();
    }
    let scientific = format!("{number:.*e}", DIGITS - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return String::new();
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits.replace('.', "")),
        None => ("", mantissa.replace('.', "")),
    };
    // Beyond these no amount of money lies.
    let point = exponent.clamp(-20, 40) + 1;
    let (units, decimals) = match usize::try_from(point) {
        Ok(point) if point <= digits.len() => {
            let (units, decimals) = digits.split_at(point);
            (units.to_owned(), decimals.to_owned())
        }
        Ok(point) => (format!("{digits:0<point$}"), String::new()),
        Err(_) => {
            let zeros = "0".repeat(point.unsigned_abs() as usize);
            (String::new(), format!("{zeros}{digits}"))
        }
    };
    let units = if units.is_empty() { "0" } else { &units };
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{units}"),
        decimals => format!("{sign}{units}.{decimals}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_the_sheet_shows() {
        for (number, text) in [
            (0.1 + 0.2, "0.3"),
            (-1234.56, "-1234.56"),
            (1_000_000.0, "1000000"),
            (0.05, "0.05"),
            (123_456_789_012.34, "123456789012.34"),
            (1e18, "1000000000000000000"),
            (0.0, "0"),
            (45_943.5, "45943.5"),
            (f64::NAN, ""),
        ] {
            assert_eq!(decimal(number), text);
        }
    }
}
