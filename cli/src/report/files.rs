//! What came in.

use std::fmt;

use tieout::{FileSummary, Summary};

use super::figures::{counted, grouped, size};
use crate::terminal::Paint;

/// Files that the report lists; the table `files` has them all.
const FILES_SHOWN_MAX: usize = 20;
const NAME_WIDTH: usize = 36;
const FORMAT_WIDTH: usize = 21;

/// Writes one line a file, and their sum.
pub fn write(summary: &Summary, paint: Paint, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let counted_columns = ["lines", "rows", "quarantined", "repeated"];
    let heading = columns("Files read", "format", counted_columns);
    writeln!(out, "{}", paint.heading(&heading))?;
    for file in summary.files.iter().take(FILES_SHOWN_MAX) {
        line(file, paint, out)?;
    }
    match summary.files.len().saturating_sub(FILES_SHOWN_MAX) {
        0 => {}
        more => writeln!(out, "  ... and {}", counted(more as u64, "more file"))?,
    }
    sums(summary, out)
}

fn line(file: &FileSummary, paint: Paint, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let name = format!("  {}", shortened(&file.file, NAME_WIDTH - 3));
    let format = match &file.profile {
        Some(profile) => format!("{} {profile}", file.format),
        None => file.format.clone(),
    };
    let counts = [file.lines, file.rows, file.quarantined, file.known_before];
    let text = row(&name, &shortened(&format, FORMAT_WIDTH - 1), counts);
    if file.quarantined > 0 || file.format == "unknown" {
        writeln!(out, "{}", paint.alarm(&text))
    } else {
        writeln!(out, "{text}")
    }
}

fn sums(summary: &Summary, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let counts = [
        summary.lines(),
        sum(summary, |file| file.rows),
        sum(summary, |file| file.quarantined),
        sum(summary, |file| file.known_before),
    ];
    let files = format!("  {}", counted(summary.files.len() as u64, "file"));
    writeln!(out, "{}", row(&files, &size(summary.bytes()), counts))?;
    let items = counted(summary.open_items, "open item");
    let parties = match summary.parties {
        1 => "1 party".to_owned(),
        many => format!("{} parties", grouped(many)),
    };
    writeln!(out, "  {items}, {parties}\n")
}

/// A dash stands for zero in the last two columns, so that a figure there catches the eye.
fn row(name: &str, format: &str, [lines, rows, quarantined, known]: [u64; 4]) -> String {
    let or_dash = |count: u64| match count {
        0 => "-".to_owned(),
        count => grouped(count),
    };
    let (quarantined, known) = (or_dash(quarantined), or_dash(known));
    columns(
        name,
        format,
        [&grouped(lines), &grouped(rows), &quarantined, &known],
    )
}

fn columns(name: &str, format: &str, [lines, rows, quarantined, known]: [&str; 4]) -> String {
    format!(
        "{name:<NAME_WIDTH$}{format:<FORMAT_WIDTH$}{lines:>10}{rows:>10}{quarantined:>13}{known:>10}"
    )
}

fn sum(summary: &Summary, count: fn(&FileSummary) -> u64) -> u64 {
    summary.files.iter().map(count).sum()
}

/// The end of a long text, because the end of a path tells more than its beginning.
fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let end: String = text.chars().skip(length + 3 - width).collect();
    format!("...{end}")
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn long_paths_keep_their_end() {
        assert_eq!(shortened("short", 8), "short");
        assert_eq!(shortened("a/long/path.csv", 11), "...path.csv");
    }
}
