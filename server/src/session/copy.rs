//! Rows as `COPY ... TO STDOUT` sends them: as lines of text or CSV, or in binary.

use arrow::array::RecordBatch;

use crate::query::{Form, Format};
use crate::values::Cells;
use crate::wire::{Column, Refusal, Replies, put_row, state};

/// What a copy in binary begins with: what it is, no flags, nothing more to say. It comes in front of
/// the first row, or of the end, since clients take a message apart that they know to have both.
const BINARY_BEGIN: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// And what it ends with, in place of a number of values.
const BINARY_END: [u8; 2] = (-1_i16).to_be_bytes();

/// Writes the rows of one `COPY`.
pub struct Copying {
    form: Form,
    /// Of each column, whether its values all stand in quotes.
    quoted: Vec<bool>,
    /// Whether what it begins with was sent.
    is_begun: bool,
}

impl Copying {
    /// Of rows with these columns.
    ///
    /// # Errors
    /// [`state::UNDEFINED_COLUMN`] if there is no column that is to be quoted.
    pub fn of(form: Form, columns: &[Column]) -> Result<Self, Refusal> {
        let is_there = |name: &&String| columns.iter().any(|column| column.name == **name);
        if let Some(name) = form.quoted.iter().find(|name| !is_there(name)) {
            let found = format!("FORCE_QUOTE names {name}, which is no column of what is copied");
            return Err(Refusal::new(state::UNDEFINED_COLUMN, found));
        }
        let quoted = columns
            .iter()
            .map(|column| form.quoted.contains(&column.name));
        Ok(Self {
            quoted: quoted.collect(),
            form,
            is_begun: false,
        })
    }

    fn is_binary(&self) -> bool {
        self.form.format == Format::Binary
    }

    /// What comes before the rows.
    pub fn begin(&self, columns: &[Column], replies: &mut Replies) {
        replies.copy_out(columns.len(), self.is_binary());
        if self.form.header {
            replies.copy_line(|line| {
                for (place, column) in columns.iter().enumerate() {
                    self.separate(place, line);
                    self.put(column.name.as_bytes(), false, line);
                }
                line.push(b'\n');
            });
        }
    }

    /// A batch of rows.
    ///
    /// # Errors
    /// A [`Refusal`] if a column cannot be shown.
    pub fn rows(
        &mut self,
        batch: &RecordBatch,
        columns: &[Column],
        replies: &mut Replies,
    ) -> Result<(), Refusal> {
        let cells = Cells::of(batch, columns)?;
        let writers = cells.writers()?;
        let mut value = Vec::new();
        for row in 0..batch.num_rows() {
            if self.is_binary() {
                replies.copy_line(|line| {
                    self.begin_binary(line);
                    put_row(line, writers.len(), |place, out| {
                        writers[place].write(row, out);
                    });
                });
                continue;
            }
            replies.copy_line(|line| {
                for (place, writer) in writers.iter().enumerate() {
                    self.separate(place, line);
                    if writer.is_null(row) {
                        line.extend(self.form.null.as_bytes());
                    } else {
                        value.clear();
                        writer.write_bare(row, &mut value);
                        self.put(&value, self.quoted[place], line);
                    }
                }
                line.push(b'\n');
            });
        }
        Ok(())
    }

    /// What comes after them.
    pub fn end(&mut self, replies: &mut Replies) {
        if self.is_binary() {
            replies.copy_line(|line| {
                self.begin_binary(line);
                line.extend(BINARY_END);
            });
        }
    }

    fn begin_binary(&mut self, line: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            line.extend(BINARY_BEGIN);
        }
    }

    fn separate(&self, place: usize, line: &mut Vec<u8>) {
        if place > 0 {
            line.push(self.form.delimiter);
        }
    }

    fn put(&self, value: &[u8], is_quoted: bool, line: &mut Vec<u8>) {
        if self.form.format == Format::Csv {
            self.put_csv(value, is_quoted, line);
        } else {
            self.put_text(value, line);
        }
    }

    /// A value that reads as a null, or as the end of all lines, is quoted, so that it is neither.
    fn put_csv(&self, value: &[u8], is_quoted: bool, line: &mut Vec<u8>) {
        let Form {
            delimiter,
            quote,
            escape,
            ..
        } = self.form;
        let special = [delimiter, quote, b'\r', b'\n'];
        let is_plain = !is_quoted
            && value != self.form.null.as_bytes()
            && value != b"\\."
            && !value.iter().any(|byte| special.contains(byte));
        if is_plain {
            line.extend(value);
            return;
        }
        line.push(quote);
        for &byte in value {
            if byte == quote || byte == escape {
                line.push(escape);
            }
            line.push(byte);
        }
        line.push(quote);
    }

    fn put_text(&self, value: &[u8], line: &mut Vec<u8>) {
        for &byte in value {
            let letter = match byte {
                b'\t' => b't',
                b'\n' => b'n',
                b'\r' => b'r',
                8 => b'b',
                11 => b'v',
                12 => b'f',
                byte if byte == b'\\' || byte == self.form.delimiter => byte,
                _ => {
                    line.push(byte);
                    continue;
                }
            };
            line.extend([b'\\', letter]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::query::{Command, read};

    fn put(options: &str, is_quoted: bool, value: &str) -> String {
        let commands = read(&format!("copy (select 1) to stdout {options}")).unwrap();
        let [Command::Copy { form, .. }] = &commands[..] else {
            panic!("{commands:?}");
        };
        let copying = Copying::of((**form).clone(), &[]).unwrap();
        let mut line = Vec::new();
        copying.put(value.as_bytes(), is_quoted, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn values_are_quoted_as_postgres_does() {
        let csv = |value| put("csv", false, value);
        assert_eq!(csv("plain"), "plain");
        assert_eq!(csv(""), "\"\"");
        assert_eq!(csv("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv("\\."), "\"\\.\"");
        assert_eq!(put("", false, "a\tb\\c\n"), "a\\tb\\\\c\\n");
    }

    #[test]
    fn and_as_the_options_say() {
        assert_eq!(put("csv", true, "plain"), "\"plain\"");
        assert_eq!(put("csv null 'none'", false, "none"), "\"none\"");
        assert_eq!(put("csv null 'none'", false, ""), "");
        assert_eq!(put("csv delimiter ';'", false, "1,5;6"), "\"1,5;6\"");
        assert_eq!(put("csv delimiter ';'", false, "1,5"), "1,5");
        let marks = "csv quote '''' escape '\\'";
        assert_eq!(put(marks, false, "it's a \\"), "'it\\'s a \\\\'");
        assert_eq!(put("delimiter '|'", false, "a|b\tc"), "a\\|b\\tc");
    }
}
