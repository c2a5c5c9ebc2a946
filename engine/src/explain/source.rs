//! The lines that a payment was read from.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::ops::Range;

use tieout_ingest::{FORMATS, ShownLine, SourceFile, locate};

/// Bytes of a payment's lines that are shown.
const SHOWN_BYTES_MAX: u64 = 1 << 16;
/// Bytes of a file that are read again to tell whether it is still the same.
const CHECKED_BYTES_MAX: u64 = 1 << 30;

/// Where a payment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, as the run was given it.
    pub file: String,
    /// The first line, from 1.
    pub line: u64,
    /// Where people find it, for files whose lines are no text: `sheet March, row 12`.
    pub place: Option<String>,
    /// The bytes of its lines; empty where they do not stand in the file as they are.
    pub bytes: Range<u64>,
    /// The file's format.
    pub format: Option<String>,
    /// The layout profile that it was read by.
    pub profile: Option<String>,
    /// The lines themselves.
    pub text: SourceText,
}

/// The lines of a payment, as far as they can still be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceText {
    /// The file is the one that the run read; these are the lines.
    Lines(Vec<String>),
    /// The file is too large to be compared with what the run read; these are the lines that
    /// stand there now.
    Unchecked(Vec<String>),
    /// The file has other content than the run read.
    Changed,
    /// The file cannot be read, and why.
    Gone(String),
}

/// What the ledger knows about the place of a payment.
pub struct Place {
    pub file: String,
    pub line: u64,
    pub bytes: Range<u64>,
    pub format: Option<String>,
    pub profile: Option<String>,
    pub digest: Option<String>,
    pub file_bytes: Option<u64>,
}

/// Reads the lines again.
pub fn find(place: Place) -> Source {
    let (text, shown) = match read(&place) {
        Ok(read) => read,
        Err(error) => (SourceText::Gone(error.to_string()), None),
    };
    Source {
        file: place.file,
        line: place.line,
        place: shown,
        bytes: place.bytes,
        format: place.format,
        profile: place.profile,
        text,
    }
}

/// The lines, and where people find them if they do not stand in the file as they are.
fn read(place: &Place) -> io::Result<(SourceText, Option<String>)> {
    let file = locate(&place.file)?;
    let is_checked = match &place.digest {
        Some(digest)
            if place
                .file_bytes
                .is_none_or(|length| length <= CHECKED_BYTES_MAX) =>
        {
            if digest_of(&file)? != *digest {
                return Ok((SourceText::Changed, None));
            }
            true
        }
        _ => false,
    };
    let (lines, shown) = match shown(&file, place) {
        Some(line) => (vec![printable(&line.text)], Some(line.place)),
        None => (lines(&file, &place.bytes)?, None),
    };
    let text = if is_checked {
        SourceText::Lines(lines)
    } else {
        SourceText::Unchecked(lines)
    };
    Ok((text, shown))
}

/// The line of a file whose bytes are no text.
fn shown(file: &SourceFile, place: &Place) -> Option<ShownLine> {
    let name = place.format.as_deref()?;
    let format = FORMATS.iter().find(|format| format.name() == name)?;
    format.shown(file, &BTreeSet::from([place.line]))?.pop()
}

fn digest_of(file: &SourceFile) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file.open()?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn lines(file: &SourceFile, bytes: &Range<u64>) -> io::Result<Vec<String>> {
    let mut file = file.open()?;
    io::copy(&mut file.by_ref().take(bytes.start), &mut io::sink())?;
    let length = bytes.end.saturating_sub(bytes.start).min(SHOWN_BYTES_MAX);
    let mut read = Vec::new();
    file.take(length).read_to_end(&mut read)?;
    let text = String::from_utf8_lossy(&read);
    Ok(text.lines().map(printable).collect())
}

/// The line without what a terminal would act on.
fn printable(line: &str) -> String {
    let line = line.trim_end();
    line.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
