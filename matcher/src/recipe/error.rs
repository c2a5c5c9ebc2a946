//! What is wrong with a recipe, and where.

use std::fmt;
use std::ops::Range;

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
    /// The line, and how many of its characters are meant.
    text: String,
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
        Self {
            message: message.into(),
            place: Some(Place {
                line: source[..line_start].matches('\n').count() + 1,
                column: before + 1,
                text: text.to_owned(),
                length: meant.chars().count().max(1),
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

impl fmt::Display for RecipeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else {
            return out.write_str(&self.message);
        };
        let Place {
            line,
            column,
            text,
            length,
        } = place;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let (indent, marks) = (" ".repeat(column - 1), "^".repeat(*length));
        writeln!(out, "line {line}, column {column}: {}", self.message)?;
        writeln!(out, "{margin} |")?;
        writeln!(out, "{number} | {text}")?;
        write!(out, "{margin} | {indent}{marks}")
    }
}
