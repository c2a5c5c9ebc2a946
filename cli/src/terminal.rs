//! Who is at the other end of standard output: a person at a terminal, or a program.

use std::io::{self, IsTerminal};

/// Columns that reports are laid out for.
pub const WIDTH: usize = 100;

/// How emphasis is shown; in plain text not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Text only.
    Plain,
    /// ANSI colours.
    Colour,
}

impl Paint {
    /// Colour if standard output is a terminal and `NO_COLOR` is not set.
    pub fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if io::stdout().is_terminal() && !unwanted {
            Self::Colour
        } else {
            Self::Plain
        }
    }

    /// A heading.
    pub fn heading(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Something to worry about.
    pub fn alarm(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// Something that is well.
    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Something beside the point.
    pub fn aside(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// Breaks `text` at blanks into lines of at most `width` characters; a word that is longer is
/// broken after its commas, and stays whole where it has none.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for (blank, piece) in pieces(text, width) {
        let blanks = usize::from(blank && !line.is_empty());
        let length = line.chars().count() + blanks + piece.chars().count();
        if !line.is_empty() && length > width {
            lines.push(std::mem::take(&mut line));
        } else if blanks > 0 {
            line.push(' ');
        }
        line.push_str(piece);
    }
    lines.push(line);
    lines
}

/// What stays together, and whether a blank stands before it.
fn pieces(text: &str, width: usize) -> impl Iterator<Item = (bool, &str)> {
    text.split_whitespace().flat_map(move |word| {
        let cut = if word.chars().count() > width {
            ','
        } else {
            '\n'
        };
        let parts = word.split_inclusive(cut).enumerate();
        parts.map(|(place, part)| (place == 0, part))
    })
}

/// A word as a shell takes it.
pub fn shell_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:=@%,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable a", 5), ["unbreakable", "a"]);
        assert_eq!(wrap("1,5 1,6", 4), ["1,5", "1,6"]);
        assert_eq!(wrap("of one,two,three", 8), ["of one,", "two,", "three"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn shell_words_are_quoted_where_needed() {
        assert_eq!(shell_word("out/a.csv"), "out/a.csv");
        assert_eq!(shell_word("it's here"), r"'it'\''s here'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn plain_paint_adds_nothing() {
        assert_eq!(Paint::Plain.alarm("x"), "x");
        assert_eq!(Paint::Colour.alarm("x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
