//! How `COPY` writes rows: its options, as PostgreSQL reads them today, `(format csv, header)`, and as
//! it did once and many still write them, `csv header`.

use datafusion::sql::sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption, Ident};

use super::statement::name_of;
use crate::wire::{Refusal, state};

/// What a row is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A line of values between delimiters, with what is special behind backslashes.
    #[default]
    Text,
    /// A line of values between delimiters, with what is special between quotes.
    Csv,
    /// Values as the protocol has them in binary, each with its length.
    Binary,
}

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What a row is.
    pub format: Format,
    /// Whether the names of the columns come first.
    pub header: bool,
    /// What parts values.
    pub delimiter: u8,
    /// What a null is.
    pub null: String,
    /// What stands around a value, in CSV.
    pub quote: u8,
    /// What stands before a quote in a value, and before itself.
    pub escape: u8,
    /// Columns whose values all stand in quotes.
    pub quoted: Vec<String>,
}

impl Form {
    /// As `options` and those of the older way say.
    ///
    /// # Errors
    /// A [`Refusal`] if one is unknown or said twice, or if they do not go together.
    pub fn of(options: Vec<CopyOption>, older: Vec<CopyLegacyOption>) -> Result<Self, Refusal> {
        let mut said = Said::default();
        for option in options {
            said.take(option)?;
        }
        for option in older {
            for option in as_today(option)? {
                said.take(option)?;
            }
        }
        said.form()
    }

    /// Whether what is written can be read again.
    fn check(&self) -> Result<(), Refusal> {
        let null = self.null.as_bytes();
        let found = if self.format == Format::Text
            && (self.delimiter.is_ascii_lowercase()
                || self.delimiter.is_ascii_digit()
                || b"\\.".contains(&self.delimiter))
        {
            "as text, DELIMITER can be no small letter, digit, point or backslash"
        } else if self.format == Format::Csv && self.delimiter == self.quote {
            "DELIMITER and QUOTE are to be different"
        } else if null.contains(&self.delimiter) {
            "NULL cannot have the DELIMITER in it"
        } else if self.format == Format::Csv && null.contains(&self.quote) {
            "NULL cannot have the QUOTE in it"
        } else if null.iter().any(|byte| b"\r\n".contains(byte)) {
            "NULL cannot have ends of lines in it"
        } else {
            return Ok(());
        };
        Err(Refusal::new(state::INVALID_PARAMETER_VALUE, found))
    }
}

/// An option of the older way as one or more of today's.
fn as_today(option: CopyLegacyOption) -> Result<Vec<CopyOption>, Refusal> {
    let format = |name: &str| CopyOption::Format(Ident::new(name));
    Ok(match option {
        CopyLegacyOption::Binary => vec![format("binary")],
        CopyLegacyOption::Csv(options) => {
            let options = options.into_iter().map(|option| match option {
                CopyLegacyCsvOption::Header => CopyOption::Header(true),
                CopyLegacyCsvOption::Quote(quote) => CopyOption::Quote(quote),
                CopyLegacyCsvOption::Escape(escape) => CopyOption::Escape(escape),
                CopyLegacyCsvOption::ForceQuote(columns) => CopyOption::ForceQuote(columns),
                CopyLegacyCsvOption::ForceNotNull(columns) => CopyOption::ForceNotNull(columns),
            });
            std::iter::once(format("csv")).chain(options).collect()
        }
        CopyLegacyOption::Delimiter(delimiter) => vec![CopyOption::Delimiter(delimiter)],
        CopyLegacyOption::Null(null) => vec![CopyOption::Null(null)],
        CopyLegacyOption::Header => vec![CopyOption::Header(true)],
        other => return Err(unsupported(&other.to_string())),
    })
}

/// The options that were said.
#[derive(Default)]
struct Said {
    format: Option<Format>,
    header: Option<bool>,
    delimiter: Option<char>,
    null: Option<String>,
    quote: Option<char>,
    escape: Option<char>,
    quoted: Option<Vec<Ident>>,
}

impl Said {
    fn take(&mut self, option: CopyOption) -> Result<(), Refusal> {
        match option {
            CopyOption::Format(name) => {
                let format = match name.value.to_lowercase().as_str() {
                    "text" => Format::Text,
                    "csv" => Format::Csv,
                    "binary" => Format::Binary,
                    other => return Err(unsupported(&format!("FORMAT {other}"))),
                };
                once(&mut self.format, format, "FORMAT")
            }
            CopyOption::Header(header) => once(&mut self.header, header, "HEADER"),
            CopyOption::Delimiter(delimiter) => once(&mut self.delimiter, delimiter, "DELIMITER"),
            CopyOption::Null(null) => once(&mut self.null, null, "NULL"),
            CopyOption::Quote(quote) => once(&mut self.quote, quote, "QUOTE"),
            CopyOption::Escape(escape) => once(&mut self.escape, escape, "ESCAPE"),
            CopyOption::ForceQuote(columns) => once(&mut self.quoted, columns, "FORCE_QUOTE"),
            CopyOption::Encoding(name) if name.to_lowercase().replace('-', "") == "utf8" => Ok(()),
            CopyOption::Freeze(false) => Ok(()),
            other => Err(unsupported(&other.to_string())),
        }
    }

    fn form(self) -> Result<Form, Refusal> {
        let format = self.format.unwrap_or_default();
        let has_marks = self.quote.is_some() || self.escape.is_some() || self.quoted.is_some();
        if format != Format::Csv && has_marks {
            return Err(unsupported(
                "QUOTE, ESCAPE or FORCE_QUOTE without FORMAT CSV",
            ));
        }
        let has_lines = self.header.is_some() || self.delimiter.is_some() || self.null.is_some();
        if format == Format::Binary && has_lines {
            return Err(unsupported("HEADER, DELIMITER or NULL with FORMAT BINARY"));
        }
        let (delimiter, null) = match format {
            Format::Csv => (',', ""),
            Format::Text | Format::Binary => ('\t', "\\N"),
        };
        let quote = self.quote.unwrap_or('"');
        let form = Form {
            format,
            header: self.header.unwrap_or(false),
            delimiter: one_byte(self.delimiter.unwrap_or(delimiter), "DELIMITER")?,
            null: self.null.unwrap_or_else(|| null.to_owned()),
            quote: one_byte(quote, "QUOTE")?,
            escape: one_byte(self.escape.unwrap_or(quote), "ESCAPE")?,
            quoted: self.quoted.into_iter().flatten().map(name_of).collect(),
        };
        form.check()?;
        Ok(form)
    }
}

fn once<T>(place: &mut Option<T>, value: T, name: &str) -> Result<(), Refusal> {
    if place.replace(value).is_some() {
        let found = format!("COPY has {name} twice; say it once");
        return Err(Refusal::new(state::SYNTAX_ERROR, found));
    }
    Ok(())
}

fn one_byte(letter: char, name: &str) -> Result<u8, Refusal> {
    match u8::try_from(letter) {
        Ok(byte) if byte.is_ascii() && !b"\r\n\0".contains(&byte) => Ok(byte),
        _ => Err(Refusal::new(
            state::INVALID_PARAMETER_VALUE,
            format!("{name} is to be one ASCII character, and no end of a line"),
        )),
    }
}

fn unsupported(what: &str) -> Refusal {
    let found = format!(
        "COPY with {what} is not supported; take FORMAT CSV, TEXT or BINARY, HEADER, DELIMITER, NULL, \
         QUOTE, ESCAPE, FORCE_QUOTE"
    );
    Refusal::new(state::FEATURE_NOT_SUPPORTED, found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::query::{Command, read};

    fn form(options: &str) -> Result<Form, Refusal> {
        let commands = read(&format!("copy (select 1 as a) to stdout {options}"))?;
        match &commands[..] {
            [Command::Copy { form, .. }] => Ok((**form).clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_ways_say_the_same() {
        for (today, older) in [
            ("", "with"),
            ("(format csv)", "csv"),
            ("with (format csv, header)", "with csv header"),
            (
                "(format csv, header true, delimiter ';')",
                "csv delimiter ';' header",
            ),
            (
                "(delimiter '|', null 'none')",
                "delimiter as '|' null as 'none'",
            ),
            (
                "(format csv, quote '''', escape '\\')",
                "csv quote '''' escape '\\'",
            ),
            ("(format csv, force_quote (a))", "csv force quote a"),
            ("(format binary)", "binary"),
        ] {
            assert_eq!(form(today).unwrap(), form(older).unwrap(), "{today}");
        }
        let wanted = Form {
            format: Format::Csv,
            header: true,
            delimiter: b';',
            null: "-".to_owned(),
            quote: b'\'',
            escape: b'\\',
            quoted: vec!["a".to_owned(), "B".to_owned()],
        };
        let found = "csv header delimiter ';' null '-'";
        let found = form(&format!(
            "(force_quote (A, \"B\"), quote '''', escape '\\') {found}"
        ));
        assert_eq!(found.unwrap(), wanted);
        assert_eq!(form("(delimiter E'\\t')").unwrap(), form("").unwrap());
    }

    #[test]
    fn what_cannot_be_read_again_is_refused() {
        for (options, wanted) in [
            ("(format csv) csv", "42601"),
            ("(header, header)", "42601"),
            ("(format parquet)", "0A000"),
            ("gzip", "0A000"),
            ("(force_not_null (a), format csv)", "0A000"),
            ("(quote '|')", "0A000"),
            ("(format binary, header)", "0A000"),
            ("(format binary, null '')", "0A000"),
            ("(encoding 'latin1')", "0A000"),
            ("(delimiter 'a')", "22023"),
            ("(delimiter '\\')", "22023"),
            ("(delimiter E'\\n')", "22023"),
            ("(format csv, delimiter '\"')", "22023"),
            ("(format csv, null 'a,b')", "22023"),
            ("(format csv, null '\"')", "22023"),
            ("(null E'\\r')", "22023"),
        ] {
            assert_eq!(form(options).unwrap_err().state, wanted, "{options}");
        }
    }
}
