//! Lines become statements and commands.

use super::command::ends_statement;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// SQL, without its semicolon.
    Statement(String),
    /// SQL that the command behind it is about.
    Held(String),
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

    /// Takes a line, and gives what is complete by it. A command goes to the end of its line.
    pub fn add(&mut self, line: &str) -> Vec<Input> {
        self.text.push_str(line);
        self.text.push('\n');
        let mut complete = Vec::new();
        while let Some(end) = end_of_statement(&self.text) {
            let rest = self.text.split_off(end);
            let statement = std::mem::take(&mut self.text);
            let statement = has_sql(&statement).then(|| statement.trim().to_owned());
            if let Some(rest) = rest.strip_prefix(';') {
                complete.extend(statement.map(Input::Statement));
                rest.clone_into(&mut self.text);
            } else {
                let (command, rest) = rest.split_once('\n').unwrap_or((&rest, ""));
                complete.extend(statement.map(Input::Held));
                complete.push(Input::Command(command.trim().to_owned()));
                rest.clone_into(&mut self.text);
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

/// Where the first semicolon outside quotes and comments is, or the first command: any where no
/// statement is open, else one that ends it.
fn end_of_statement(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(&byte) = bytes.get(place) {
        let rest = &bytes[place + 1..];
        place += match byte {
            b';' => return Some(place),
            b'\\' if !has_sql(&text[..place]) || ends_statement(&text[place..]) => {
                return Some(place);
            }
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
                Input::Statement(text) | Input::Held(text) | Input::Command(text) => text,
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
        assert_eq!(
            statements(&["select 1; \\x", "-- a comment", "\\d"]),
            ["select 1", "\\x", "\\d"]
        );
    }

    #[test]
    fn some_commands_end_a_statement() {
        let mut pending = Pending::default();
        assert_eq!(
            pending.add("select 1 \\watch 2"),
            [
                Input::Held("select 1".to_owned()),
                Input::Command("\\watch 2".to_owned())
            ]
        );
        assert!(!pending.is_begun());
        assert_eq!(
            statements(&["select '\\g' /* \\g */", "\\gx", "select"]),
            ["select '\\g' /* \\g */", "\\gx", "select…"]
        );
        assert_eq!(statements(&["select 1 \\group"]), ["select 1 \\group…"]);
    }
}
