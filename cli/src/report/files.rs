//! What came in.

use std::fmt;

use tieout::{FileSummary, Summary};

use super::figures::{counted, grouped, size};
use crate::terminal::Paint;

/// Files that the report lists; the table `files` has them all.
const FILES_SHOWN_MAX: usize = 20;
const NAME_WIDTH: usize = 38;
const FORMAT_WIDTH: usize = 18;

/// Writes one line a file, and their sum.
pub fn write(summary: &Summary, paint: Paint, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let heading = columns(
        "Files read",
        "format",
        ["lines", "rows", "quarantined", "repeated"],
    );
    writeln!(out, "{}", paint.heading(&heading))?;
    for file in summary.files.iter().take(FILES_SHOWN_MAX) {
        line(file, paint, out)?;
    }
    if let Some(more) = summary
        .files
        .len()
        .checked_sub(FILES_SHOWN_MAX)
        .filter(|&more| more > 0)
    {
        writeln!(out, "  ... and {}", counted(more as u64, "more file"))?;
    }
    let sums = [
        summary.lines(),
        sum(summary, |file| file.rows),
        sum(summary, |file| file.quarantined),
        sum(summary, |file| file.known_before),
    ];
    let files = format!("  {}", counted(summary.files.len() as u64, "file"));
    writeln!(
        out,
        "{}",
        columns(&files, &size(summary.bytes()), figures(sums))
    )?;
    let items = counted(summary.open_items, "open item");
    let parties = match summary.parties {
        1 => "1 party".to_owned(),
        many => format!("{} parties", grouped(many)),
    };
    writeln!(out, "  {items}, {parties}\n")
}

fn line(file: &FileSummary, paint: Paint, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let name = format!("  {}", shortened(&file.file, NAME_WIDTH - 3));
    let format = match &file.profile {
        Some(profile) => format!("{} {profile}", file.format),
        None => file.format.clone(),
    };
    let counts = [file.lines, file.rows, file.quarantined, file.known_before];
    let text = columns(
        &name,
        &shortened(&format, FORMAT_WIDTH - 1),
        figures(counts),
    );
    if file.quarantined > 0 || file.format == "unknown" {
        writeln!(out, "{}", paint.alarm(&text))
    } else {
        writeln!(out, "{text}")
    }
}

fn columns<T: AsRef<str>>(name: &str, format: &str, counts: [T; 4]) -> String {
    let [lines, rows, quarantined, known] = counts.each_ref().map(AsRef::as_ref);
    format!(
        "{name:<NAME_WIDTH$}{format:<FORMAT_WIDTH$}{lines:>10}{rows:>10}{quarantined:>13}{known:>10}"
    )
}

/// Nothing is shown where nothing was counted in the last two columns, so that what is there
/// catches the eye.
fn figures([lines, rows, quarantined, known]: [u64; 4]) -> [String; 4] {
    let or_dash = |count: u64| {
        if count == 0 {
            "-".to_owned()
        } else {
            grouped(count)
        }
    };
    [
        grouped(lines),
        grouped(rows),
        or_dash(quarantined),
        or_dash(known),
    ]
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
