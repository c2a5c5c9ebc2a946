//! What is wrong with a recipe, and where.

use std::fmt;
use std::ops::Range;

/// Characters of a line that are shown, and how many of them stand before those that are meant.
const SHOWN_MAX: usize = 160;
const BEFORE_MAX: usize = 40;

/// A recipe that cannot be used: what is wrong, and the line that says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RecipeError {
    message: String,
    place: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    /// The line, or what is shown of a long one, and which of its characters are meant.
    text: String,
    indent: usize,
    length: usize,
}

impl RecipeError {
    /// `message` about the bytes `span` of `source`.
    pub fn at(source: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let start = source.floor_char_boundary(span.start);
        let line_start = source[..start].rfind('\n').map_or(0, |end| end + 1);
        let text = source[line_start..].lines().next().unwrap_or_default();
        let before = source[line_start..start].chars().count();
        let end = source.floor_char_boundary(span.end.max(start));
        let meant = source[start..end].lines().next().unwrap_or_default();
        let (text, indent) = shown(text, before);
        let room = text.chars().count().saturating_sub(indent);
        Self {
            message: message.into(),
            place: Some(Place {
                line: source[..line_start].matches('\n').count() + 1,
                column: before + 1,
                length: meant.chars().count().min(room).max(1),
                text,
                indent,
            }),
        }
    }

    /// `message` about the recipe as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
        }
    }

    /// The line, from 1, where one is to blame.
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }
}

/// What is shown of a line, and how much of that stands before the character at `place`.
fn shown(line: &str, place: usize) -> (String, usize) {
    let count = line.chars().count();
    if count <= SHOWN_MAX {
        return (line.to_owned(), place);
    }
    let from = place.saturating_sub(BEFORE_MAX);
    let part: String = line.chars().skip(from).take(SHOWN_MAX).collect();
    let (left, right) = (from > 0, from + SHOWN_MAX < count);
    let [left_mark, right_mark] = [left, right].map(|is_cut| if is_cut { "…" } else { "" });
    let indent = place - from + usize::from(left);
    (format!("{left_mark}{part}{right_mark}"), indent)
}

impl fmt::Display for RecipeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else {
            return out.write_str(&self.message);
        };
        let Place {
            line,
            column,
            text,
            indent,
            length,
        } = place;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let (indent, marks) = (" ".repeat(*indent), "^".repeat(*length));
        writeln!(out, "line {line}, column {column}: {}", self.message)?;
        writeln!(out, "{margin} |")?;
        writeln!(out, "{number} | {text}")?;
        write!(out, "{margin} | {indent}{marks}")
    }
}
