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
    let folder = common_folder(&summary.files);
    let title = match folder.trim_end_matches('/') {
        "" => "Files read".to_owned(),
        folder => shortened(&format!("Files in {folder}"), NAME_WIDTH - 1),
    };
    let counted_columns = ["lines", "rows", "quarantined", "repeated"];
    let heading = columns(&title, "format", counted_columns);
    writeln!(out, "{}", paint.heading(&heading))?;
    for file in summary.files.iter().take(FILES_SHOWN_MAX) {
        line(file, &file.file[folder.len()..], paint, out)?;
    }
    match summary.files.len().saturating_sub(FILES_SHOWN_MAX) {
        0 => {}
        more => writeln!(out, "  ... and {}", counted(more as u64, "more file"))?,
    }
    sums(summary, out)
}

fn line(file: &FileSummary, name: &str, paint: Paint, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let name = format!("  {}", shortened(name, NAME_WIDTH - 3));
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

/// The folder that all files are in, with the slash at its end; empty if there is none.
fn common_folder(files: &[FileSummary]) -> &str {
    let Some((first, rest)) = files.split_first() else {
        return "";
    };
    let mut folder = first.file.as_str();
    while let Some(end) = folder.rfind('/') {
        folder = &folder[..=end];
        if rest.iter().all(|file| file.file.starts_with(folder)) {
            return folder;
        }
        folder = &folder[..end];
    }
    ""
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
    use super::*;

    fn folder_of(names: &[&str]) -> String {
        let named = |name: &&str| FileSummary {
            file: (*name).to_owned(),
            format: String::new(),
            profile: None,
            bytes: 0,
            lines: 0,
            rows: 0,
            quarantined: 0,
            known_before: 0,
            failed: None,
        };
        let files: Vec<FileSummary> = names.iter().map(named).collect();
        common_folder(&files).to_owned()
    }

    #[test]
    fn what_all_paths_begin_with_is_said_once() {
        assert_eq!(folder_of(&["a/b/c.csv", "a/b/d/e.csv"]), "a/b/");
        assert_eq!(folder_of(&["a/b.csv", "ab/c.csv"]), "");
        assert_eq!(folder_of(&["/a.csv", "/b/c.csv"]), "/");
        assert_eq!(folder_of(&["a.csv"]), "");
        assert_eq!(folder_of(&[]), "");
    }

    #[test]
    fn long_paths_keep_their_end() {
        assert_eq!(shortened("short", 8), "short");
        assert_eq!(shortened("a/long/path.csv", 11), "...path.csv");
    }
}
