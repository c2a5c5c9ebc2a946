//! A line that a person edits: history by Up and Down, completion by Tab.

use std::io::{self, Write as _};

use console::{Key, Term};

use super::completion::Words;

/// What came of a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    Line(String),
    /// Ctrl-C: the line is dropped.
    Dropped,
    /// Ctrl-D on an empty line.
    End,
}

/// Edits lines on a terminal.
pub struct Editor {
    term: Term,
    words: Words,
    /// Earlier lines, the oldest first.
    pub history: Vec<String>,
}

/// The line, and where the cursor stands in it.
#[derive(Debug, Default)]
struct Line {
    letters: Vec<char>,
    cursor: usize,
    /// What was typed before Up was pressed, and where in the history it has led.
    sought: Option<(String, usize)>,
}

impl Editor {
    pub fn new(words: Words, history: Vec<String>) -> Self {
        Self {
            term: Term::stdout(),
            words,
            history,
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// If the terminal fails.
    pub fn read(&mut self, prompt: &str) -> io::Result<Typed> {
        let mut line = Line::default();
        loop {
            self.show(prompt, &line)?;
            let key = self.term.read_key_raw()?;
            match key {
                Key::Enter => {
                    self.term.write_line("")?;
                    let text = line.text();
                    if !text.trim().is_empty() && self.history.last() != Some(&text) {
                        self.history.push(text.clone());
                    }
                    return Ok(Typed::Line(text));
                }
                Key::CtrlC => {
                    self.term.write_line("^C")?;
                    return Ok(Typed::Dropped);
                }
                Key::Char('\u{4}') if line.letters.is_empty() => {
                    self.term.write_line("")?;
                    return Ok(Typed::End);
                }
                Key::Tab => self.complete(&mut line)?,
                Key::ArrowUp => line.seek(&self.history, true),
                Key::ArrowDown => line.seek(&self.history, false),
                key => line.edit(&key),
            }
        }
    }

    /// Draws the part of the line that has room, and puts the cursor into it.
    fn show(&self, prompt: &str, line: &Line) -> io::Result<()> {
        let room = usize::from(self.term.size().1).saturating_sub(prompt.chars().count() + 1);
        let first = line.cursor.saturating_sub(room);
        let shown: String = line.letters.iter().skip(first).take(room).collect();
        let back = shown.chars().count() - (line.cursor - first);
        let mut term = &self.term;
        write!(term, "\r\u{1b}[K{prompt}{shown}")?;
        if back > 0 {
            write!(term, "\u{1b}[{back}D")?;
        }
        term.flush()
    }

    fn complete(&self, line: &mut Line) -> io::Result<()> {
        let before: String = line.letters[..line.cursor].iter().collect();
        let (begins, found) = self.words.complete(&before);
        let Some(common) = common_beginning(&found) else {
            return Ok(());
        };
        let typed = before[begins..].chars().count();
        if common.chars().count() > typed || found.len() == 1 {
            line.replace_before(typed, &common);
        } else {
            self.term.write_line("")?;
            self.term.write_line(&found.join("  "))?;
        }
        Ok(())
    }
}

/// What all of them begin with.
fn common_beginning(words: &[String]) -> Option<String> {
    let mut common = words.first()?.clone();
    for word in words {
        while !word.starts_with(&common) {
            common.pop();
        }
    }
    Some(common)
}

impl Line {
    fn text(&self) -> String {
        self.letters.iter().collect()
    }

    fn set(&mut self, text: &str) {
        self.letters = text.chars().collect();
        self.cursor = self.letters.len();
    }

    /// Puts `text` in place of the last letters before the cursor.
    fn replace_before(&mut self, letters: usize, text: &str) {
        let begins = self.cursor - letters;
        self.letters.splice(begins..self.cursor, text.chars());
        self.cursor = begins + text.chars().count();
    }

    fn edit(&mut self, key: &Key) {
        self.sought = None;
        let end = self.letters.len();
        match key {
            Key::ArrowLeft => self.cursor = self.cursor.saturating_sub(1),
            Key::ArrowRight => self.cursor = end.min(self.cursor + 1),
            Key::Home | Key::Char('\u{1}') => self.cursor = 0,
            Key::End | Key::Char('\u{5}') => self.cursor = end,
            Key::Backspace if self.cursor > 0 => self.replace_before(1, ""),
            Key::Del | Key::Char('\u{4}') if self.cursor < end => {
                self.letters.remove(self.cursor);
            }
            // Ctrl-K, Ctrl-U and Ctrl-W take the rest, the beginning, a word.
            Key::Char('\u{b}') => self.letters.truncate(self.cursor),
            Key::Char('\u{15}') => self.replace_before(self.cursor, ""),
            Key::Char('\u{17}') => {
                let before = &self.letters[..self.cursor];
                let blanks = before.iter().rev().take_while(|letter| **letter == ' ');
                let blanks = blanks.count();
                let word = before.iter().rev().skip(blanks);
                let letters = blanks + word.take_while(|letter| **letter != ' ').count();
                self.replace_before(letters, "");
            }
            Key::Char(letter) if !letter.is_control() => {
                self.letters.insert(self.cursor, *letter);
                self.cursor += 1;
            }
            _ => {}
        }
    }

    /// The next earlier or later line that begins with what was typed.
    fn seek(&mut self, history: &[String], earlier: bool) {
        let (typed, place) = self
            .sought
            .take()
            .unwrap_or_else(|| (self.text(), history.len()));
        let fits = |place: &usize| history[*place].starts_with(&typed);
        let found = if earlier {
            (0..place).rev().find(fits)
        } else {
            (place.saturating_add(1)..history.len()).find(fits)
        };
        match found {
            Some(found) => {
                self.set(&history[found]);
                self.sought = Some((typed, found));
            }
            None if earlier => self.sought = Some((typed, place)),
            None => {
                self.set(&typed);
                self.sought = Some((typed, history.len()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[Key]) -> String {
        let mut line = Line::default();
        for key in keys {
            line.edit(key);
        }
        line.text()
    }

    fn letters(text: &str) -> Vec<Key> {
        text.chars().map(Key::Char).collect()
    }

    #[test]
    fn keys_edit_the_line() {
        let with = |keys: &[Key]| typed(&[letters("select üx"), keys.to_vec()].concat());
        assert_eq!(with(&[Key::Backspace]), "select ü");
        assert_eq!(with(&[Key::ArrowLeft, Key::Backspace]), "select x");
        assert_eq!(with(&[Key::Home, Key::Char('-')]), "-select üx");
        assert_eq!(with(&[Key::Char('\u{17}')]), "select ");
        assert_eq!(with(&[Key::Char('\u{15}')]), "");
        assert_eq!(with(&[Key::Home, Key::Del, Key::Char('\u{b}')]), "");
        assert_eq!(with(&[Key::PageUp, Key::Char('\u{1b}')]), "select üx");
    }

    #[test]
    fn earlier_lines_come_back_by_their_beginning() {
        let history = ["select 1;", "\\d", "select 2;"].map(str::to_owned);
        let mut line = Line::default();
        for key in letters("sel") {
            line.edit(&key);
        }
        let mut after = |earlier| {
            line.seek(&history, earlier);
            line.text()
        };
        assert_eq!(after(true), "select 2;");
        assert_eq!(after(true), "select 1;");
        assert_eq!(after(true), "select 1;");
        assert_eq!(after(false), "select 2;");
        assert_eq!(after(false), "sel");
    }

    #[test]
    fn completion_goes_as_far_as_all_agree() {
        let words = ["payment_id", "payments"].map(str::to_owned);
        assert_eq!(common_beginning(&words).as_deref(), Some("payment"));
        assert_eq!(common_beginning(&[]), None);
    }
}
