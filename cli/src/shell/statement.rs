//! Lines become statements and commands.

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// SQL, without its semicolon.
    Statement(String),
    /// A command, with its backslash.
    Command(String),
}

/// A statement whose end has not come.
#[derive(Debug, Default)]
pub struct Pending {
    text: String,
}

impl Pending {
    /// Whether something was begun.
    pub fn is_begun(&self) -> bool {
        !self.text.trim().is_empty()
    }

    /// Takes a line, and gives what is complete by it.
    pub fn add(&mut self, line: &str) -> Vec<Input> {
        if !self.is_begun() && line.trim_start().starts_with('\\') {
            self.text.clear();
            return vec![Input::Command(line.trim().to_owned())];
        }
        self.text.push_str(line);
        self.text.push('\n');
        let mut complete = Vec::new();
        while let Some(end) = end_of_statement(&self.text) {
            let rest = self.text.split_off(end + 1);
            self.text.truncate(end);
            let statement = std::mem::replace(&mut self.text, rest);
            if has_sql(&statement) {
                complete.push(Input::Statement(statement.trim().to_owned()));
            }
        }
        complete
    }

    /// What was begun and never ended.
    pub fn take(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.text);
        has_sql(&text).then(|| text.trim().to_owned())
    }
}

/// Whether there is more than comments and blanks.
fn has_sql(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .any(|line| !line.is_empty() && !line.starts_with("--"))
}

/// Where the first semicolon outside quotes and comments is.
fn end_of_statement(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(&byte) = bytes.get(place) {
        let rest = &bytes[place + 1..];
        place += match byte {
            b';' => return Some(place),
            // A doubled quote closes and opens again at once.
            b'\'' | b'"' => 1 + length_to(rest, &[byte])?,
            b'-' if rest.first() == Some(&b'-') => 1 + length_to(rest, b"\n")?,
            b'/' if rest.first() == Some(&b'*') => 2 + length_to(&rest[1..], b"*/")?,
            _ => 1,
        };
    }
    None
}

/// The bytes up to the end of `mark`, if it comes.
fn length_to(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    let found = bytes
        .windows(mark.len())
        .position(|window| window == mark)?;
    Some(found + mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(lines: &[&str]) -> Vec<String> {
        let mut pending = Pending::default();
        let inputs = lines.iter().flat_map(|line| pending.add(line));
        let mut texts: Vec<String> = inputs
            .map(|input| match input {
                Input::Statement(text) | Input::Command(text) => text,
            })
            .collect();
        texts.extend(pending.take().map(|rest| format!("{rest}…")));
        texts
    }

    #[test]
    fn statements_end_with_semicolons_outside_of_quotes() {
        assert_eq!(statements(&["select 1;"]), ["select 1"]);
        assert_eq!(
            statements(&["select 1; select", "2;"]),
            ["select 1", "select\n2"]
        );
        assert_eq!(
            statements(&["select ';', 'it''s;';"]),
            ["select ';', 'it''s;'"]
        );
        assert_eq!(statements(&["select 1 -- a; b", ";"]), ["select 1 -- a; b"]);
        assert_eq!(statements(&["select /* ; */ 1;"]), ["select /* ; */ 1"]);
        assert_eq!(
            statements(&["select \"a;b\"", "from t"]),
            ["select \"a;b\"\nfrom t…"]
        );
        assert!(statements(&[";;", "-- nothing", ""]).is_empty());
    }

    #[test]
    fn a_backslash_begins_a_command_where_no_statement_is_open() {
        assert_eq!(
            statements(&["\\d payments", "select 1;"]),
            ["\\d payments", "select 1"]
        );
        assert_eq!(statements(&["select", "\\d;"]), ["select\n\\d"]);
    }
}
