//! An answer as bars.

use std::fmt::Write as _;

use tieout::{Answer, Cells};

use crate::failure::Failure;

/// Rows that are drawn.
const ROWS_MAX: usize = 60;
/// Characters of a label, and of the longest bar.
const LABEL_MAX: usize = 32;
const BAR_MAX: usize = 50;
/// Parts of a character that a bar may end in.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Draws each row as a bar: its length is the first number of the row, its label all that stands
/// in front of it.
///
/// # Errors
/// Those of the answer, and where it has no number.
pub fn chart(answer: Answer) -> Result<String, Failure> {
    let schema = answer.schema();
    let numbers = schema.fields().iter();
    let value = numbers
        .clone()
        .enumerate()
        .filter(|(_, field)| field.data_type().is_numeric())
        .map(|(place, _)| place)
        .find(|&place| place > 0 || schema.fields().len() == 1);
    let Some(value) = value else {
        return Err(Failure::new(
            "there is nothing to draw; select a label and a number, such as \
             select status, sum(amount) from payments group by 1",
        ));
    };
    let mut rows = Vec::new();
    let mut more = 0;
    for batch in answer {
        let batch = batch?;
        let cells = Cells::of(&batch).map_err(|error| Failure::new(error.to_string()))?;
        for row in 0..cells.rows() {
            if rows.len() == ROWS_MAX {
                more += 1;
                continue;
            }
            let labels: Vec<_> = (0..value)
                .map(|column| cells.text(row, column).unwrap_or_default())
                .collect();
            rows.push((labels.join(" "), cells.text(row, value)));
        }
    }
    Ok(draw(&schema.field(value).name().clone(), &rows, more))
}

fn draw(title: &str, rows: &[(String, Option<String>)], more: usize) -> String {
    // The screen has some tens of characters: a float is exact enough for a bar's length.
    let length = |text: &Option<String>| -> f64 {
        text.as_deref()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    };
    let longest = rows
        .iter()
        .map(|(_, text)| length(text).abs())
        .fold(0.0, f64::max);
    let labels = rows.iter().map(|(label, _)| clipped(label).chars().count());
    let label_width = labels.max().unwrap_or(0);
    let texts = rows.iter().filter_map(|(_, text)| text.as_ref());
    let value_width = texts.map(|text| text.chars().count()).max().unwrap_or(0);
    let mut out = format!("{title}\n");
    for (label, text) in rows {
        let shown = text.as_deref().unwrap_or("-");
        let label = clipped(label);
        let bar = bar(length(text), longest);
        let line = format!("{label:<label_width$}  {shown:>value_width$}  {bar}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if more > 0 {
        let _ = writeln!(out, "and {more} more rows; add a limit or group them");
    }
    out
}

fn clipped(label: &str) -> String {
    match label.char_indices().nth(LABEL_MAX) {
        Some((end, _)) => format!("{}…", &label[..end]),
        None => label.to_owned(),
    }
}

/// A bar of as many eighths as the value has of the longest; one below zero is hatched.
fn bar(value: f64, longest: f64) -> String {
    if longest <= 0.0 {
        return String::new();
    }
    let eighths = (value.abs() / longest * (BAR_MAX * 8) as f64).round() as usize;
    if value < 0.0 {
        return "▒".repeat(eighths.div_ceil(8));
    }
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let rows = [
            ("applied".to_owned(), Some("100.00".to_owned())),
            ("on_account".to_owned(), Some("25.00".to_owned())),
            ("taken back".to_owned(), Some("-50.00".to_owned())),
            ("none".to_owned(), None),
        ];
        let drawn = draw("sum", &rows, 2);
        let lines: Vec<_> = drawn.lines().collect();
        assert_eq!(lines[1], format!("applied     100.00  {}", "█".repeat(50)));
        assert_eq!(lines[2], format!("on_account   25.00  {}▌", "█".repeat(12)));
        assert_eq!(lines[3], format!("taken back  -50.00  {}", "▒".repeat(25)));
        assert_eq!(lines[4], "none             -");
        assert_eq!(lines[5], "and 2 more rows; add a limit or group them");
    }
}
