//! Lockbox files of the BAI family: what a bank read off the checks that came to a post box.
//!
//! Records of fixed columns, their type in the first: `1` file begins, `2` service, `5` batch
//! begins, `6` check, `4` what the check pays (as often as needed), `7` batch ends, `8` lockbox
//! ends, `9` file ends. Every bank puts its fields in columns of its own, so that columns are
//! data: a [`Layouts`] file each. [`fit`] finds the layout whose totals tie, `reader` walks
//! the records, `check` makes a row of a 6 with its 4s.

mod check;
mod columns;
mod fields;
mod fit;
mod layout;
mod layouts;
mod plan;
mod reader;
mod text;
mod totals;

use std::io::Read;

use tieout_core::{FindingCode, Severity};

pub use layout::LayoutError;
pub use layouts::Layouts;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::{Intake, Notice};
use crate::lines::LineReader;
use crate::transport::SourceFile;
use layout::Layout;
use reader::Reader;

/// Bytes of a layout file that are read.
const LAYOUT_BYTES_MAX: u64 = 1 << 20;
/// Lines behind the first within which a lockbox file has a batch, or ends.
const BATCH_WITHIN_LINES: usize = 8;

/// Lockbox files.
pub struct Lockbox;

impl Format for Lockbox {
    fn name(&self) -> &'static str {
        "lockbox"
    }

    fn about(&self) -> String {
        let layouts = Layouts::shipped();
        let known: Vec<String> = layouts
            .all()
            .iter()
            .map(|layout| format!("{} ({})", layout.name, layout.about))
            .collect();
        format!(
            "BAI lockbox files, lines of 80, 94 or 104 characters or without trailing blanks; \
             layouts {}, or your own in TOML",
            known.join(", ")
        )
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let mut lines = head
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(head)
            .split(|&byte| byte == b'\n' || byte == b'\r')
            .filter(|line| !line.trim_ascii().is_empty());
        if !lines.next().is_some_and(is_file_header) {
            return false;
        }
        let body: Vec<&[u8]> = lines.take(BATCH_WITHIN_LINES).collect();
        // Other files of fixed lines begin alike, but have neither a 5 nor a 9 record.
        body.first().is_some_and(|line| is_service_or_batch(line))
            && (body.len() == 1 || body.iter().any(|line| matches!(line[0], b'5' | b'9')))
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let head = read_head(file)?;
        let mut intake = Intake::new(file, receiver);
        let Some((layout, fit)) = fit::choose(&settings.layouts, &head) else {
            intake.report(no_layout())?;
            return Ok(intake.counts);
        };
        drop(head);
        intake.counts.profile = Some(layout.name.clone());
        intake.report(chosen(&layout, fit))?;
        let mut lines = LineReader::open(file, settings)?;
        let mut reader = Reader::new(&layout, intake, settings.batch_rows);
        while let Some(line) = lines.read_line().map_err(|error| file.refused(error))? {
            reader.line(&line)?;
        }
        reader.finish(lines.bytes(), lines.lines())
    }
}

/// The 1 record: a priority, then destination and origin. An ACH file begins in the same way,
/// but names its record size and blocking in columns 35 to 39.
fn is_file_header(line: &[u8]) -> bool {
    let is_ach = line.get(34..39) == Some(b"09410");
    line.first() == Some(&b'1')
        && line.len() >= 14
        && !is_ach
        && line[1..3].iter().all(u8::is_ascii_digit)
        && !line
            .iter()
            .any(|&byte| byte < b' ' || matches!(byte, b',' | b';' | b'|'))
}

fn is_service_or_batch(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'2' | b'5'))
        && line.iter().skip(1).any(u8::is_ascii_digit)
        && !line.contains(&b',')
}

/// The beginning of the file, up to its last whole line.
fn read_head(file: &SourceFile) -> Result<Vec<u8>, ReadError> {
    let mut head = Vec::new();
    file.open()
        .and_then(|opened| opened.take(fit::TRIAL_BYTES as u64).read_to_end(&mut head))
        .map_err(|error| file.refused(error))?;
    if head.len() == fit::TRIAL_BYTES {
        let whole = head
            .iter()
            .rposition(|&byte| byte == b'\n' || byte == b'\r');
        head.truncate(whole.unwrap_or(0));
    }
    Ok(head)
}

fn no_layout() -> Notice {
    Notice {
        severity: Severity::Error,
        code: FindingCode::ProfileUncertain,
        line: None,
        found: "no layout for lockbox files".to_owned(),
        expected: "at least one".to_owned(),
        action: "Put the layout of your bank beside the file.".into(),
    }
}

fn chosen(layout: &Layout, fit: fit::Fit) -> Notice {
    let found = format!("layout {} fits best: {}", layout.name, fit.in_words());
    if fit.is_certain() {
        return Notice {
            severity: Severity::Info,
            code: FindingCode::ProfileChosen,
            line: None,
            found,
            expected: String::new(),
            action: "".into(),
        };
    }
    Notice {
        severity: Severity::Warning,
        code: FindingCode::ProfileUncertain,
        line: None,
        found,
        expected: "a layout with which a total of the file ties".to_owned(),
        action: "Compare the columns with your bank's guide, and put a layout of your own beside \
                 the file if they differ."
            .into(),
    }
}

/// Layouts of lockbox files that users write. The pipeline reads them before all else and
/// gives their text to [`Layouts::add`]; reading one here only says what is wrong with it.
pub struct LockboxLayout;

impl Format for LockboxLayout {
    fn name(&self) -> &'static str {
        "lockbox_layout"
    }

    fn about(&self) -> String {
        "where a bank puts its lockbox fields, as TOML with format = \"lockbox\"".to_owned()
    }

    fn role(&self) -> Role {
        Role::Profile
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        String::from_utf8_lossy(head)
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| line.split_once('='))
            .any(|(key, value)| {
                let value = value.split('#').next().unwrap_or_default().trim();
                key.trim() == "format" && matches!(value, "\"lockbox\"" | "'lockbox'")
            })
    }

    fn read(
        &self,
        file: &SourceFile,
        _settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let mut bytes = Vec::new();
        file.open()
            .and_then(|opened| opened.take(LAYOUT_BYTES_MAX).read_to_end(&mut bytes))
            .map_err(|error| file.refused(error))?;
        let mut intake = Intake::new(file, receiver);
        intake.counts.bytes = bytes.len() as u64;
        intake.counts.lines = String::from_utf8_lossy(&bytes).lines().count() as u64;
        let layout = match str::from_utf8(&bytes) {
            Ok(text) => Layout::parse(&file.name, text)
                .map_err(|error| format!("{}: {}", error.field, error.problem)),
            Err(error) => Err(format!("byte {} is not UTF-8", error.valid_up_to() + 1)),
        };
        match layout {
            Ok(layout) => intake.counts.profile = Some(layout.name),
            Err(found) => intake.report(Notice {
                severity: Severity::Error,
                code: FindingCode::UnreadableFile,
                line: None,
                found,
                expected: "a layout like those that ship".to_owned(),
                action: "Correct the layout; until then the layouts that ship are used.".into(),
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
        let header = "100HARBORST0000910000192603160615\n";
        let service = "2HARBORST00009100001900000000004000800080\n";
        let yes = |text: &str| Lockbox.recognizes(text.as_bytes());
        assert!(yes(&format!("{header}{service}")));
        assert!(yes(&format!("\u{feff}\r\n{header}\r\n{service}")));
        assert!(yes(&format!("{header}50000000061001260316HARBORST00\n")));
        assert!(!yes(header));
        assert!(!yes(""));
        assert!(!yes(
            "01,0004,12345,060321,0829,001,80,1,2/\n02,12345,0004/\n"
        ));
        assert!(!yes("1,2,3,4,5,6,7,8,9,10\n2,3,4,5\n"));
        let ach = "101 091000019 0910000190603160615A094101HARBOR BANK\n5200HARBOR 1234\n";
        assert!(!yes(ach));
        let norma = "11004904011234567890260101260131\n2200490401260102\n33004904011234\n";
        assert!(!yes(norma));
        assert!(!yes("100;ALPHA;BETA;GAMMA\n200;1;2;3\n500;4;5;6\n"));
    }

    #[test]
    fn knows_layouts_by_their_key() {
        let yes = |text: &str| LockboxLayout.recognizes(text.as_bytes());
        assert!(yes("# my bank\nname = \"x\"\nformat = \"lockbox\" # yes\n"));
        assert!(!yes("[record.1]\nformat = \"lockbox\"\n"));
        assert!(!yes("format = \"recipe\"\n"));
        assert!(!yes("item_id,format = \"lockbox\"\n"));
    }
}
