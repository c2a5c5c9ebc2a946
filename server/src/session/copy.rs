//! Rows as lines: `COPY ... TO STDOUT`, as tab-separated text or CSV.

use arrow::array::RecordBatch;

use crate::values::Cells;
use crate::wire::{Column, Refusal, Replies};

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// As CSV; as text otherwise.
    pub csv: bool,
}

impl Lines {
    /// The line with the columns' names.
    pub fn header(self, columns: &[Column], replies: &mut Replies) {
        replies.copy_line(|line| {
            for (place, column) in columns.iter().enumerate() {
                self.separate(place, line);
                self.put(column.name.as_bytes(), line);
            }
            line.push(b'\n');
        });
    }

    /// A row's line, by its number in the batch.
    ///
    /// # Errors
    /// A [`Refusal`] if a column cannot be shown.
    pub fn rows(
        self,
        batch: &RecordBatch,
        columns: &[Column],
        replies: &mut Replies,
    ) -> Result<(), Refusal> {
        let cells = Cells::of(batch, columns)?;
        let writers = cells.writers()?;
        let mut value = Vec::new();
        for row in 0..batch.num_rows() {
            replies.copy_line(|line| {
                for (place, writer) in writers.iter().enumerate() {
                    self.separate(place, line);
                    if writer.is_null(row) {
                        line.extend(if self.csv { &b""[..] } else { &b"\\N"[..] });
                    } else {
                        value.clear();
                        writer.write_bare(row, &mut value);
                        self.put(&value, line);
                    }
                }
                line.push(b'\n');
            });
        }
        Ok(())
    }

    fn separate(self, place: usize, line: &mut Vec<u8>) {
        if place > 0 {
            line.push(if self.csv { b',' } else { b'\t' });
        }
    }

    fn put(self, value: &[u8], line: &mut Vec<u8>) {
        if self.csv {
            put_csv(value, line);
        } else {
            put_text(value, line);
        }
    }
}

/// An empty text is quoted, so that it is no null.
fn put_csv(value: &[u8], line: &mut Vec<u8>) {
    let is_plain =
        !value.is_empty() && value != b"\\." && !value.iter().any(|byte| b",\"\r\n".contains(byte));
    if is_plain {
        line.extend(value);
        return;
    }
    line.push(b'"');
    for &byte in value {
        if byte == b'"' {
            line.push(b'"');
        }
        line.push(byte);
    }
    line.push(b'"');
}

fn put_text(value: &[u8], line: &mut Vec<u8>) {
    for &byte in value {
        let letter = match byte {
            b'\\' => b'\\',
            b'\t' => b't',
            b'\n' => b'n',
            b'\r' => b'r',
            8 => b'b',
            11 => b'v',
            12 => b'f',
            _ => {
                line.push(byte);
                continue;
            }
        };
        line.extend([b'\\', letter]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn values_are_quoted_as_postgres_does() {
        let put = |csv: bool, value: &str| {
            let mut line = Vec::new();
            Lines { csv }.put(value.as_bytes(), &mut line);
            String::from_utf8(line).unwrap()
        };
        assert_eq!(put(true, "plain"), "plain");
        assert_eq!(put(true, ""), "\"\"");
        assert_eq!(put(true, "a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(put(false, "a\tb\\c\n"), "a\\tb\\\\c\\n");
    }
}
