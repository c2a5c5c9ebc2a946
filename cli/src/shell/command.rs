//! The shell's commands.

use crate::arguments::AnswerFormat;
use clap::ValueEnum as _;

/// What a command asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// List relations of these kinds; all if there are none.
    List(&'static [&'static str]),
    /// List functions.
    Functions,
    /// Describe a relation, with comments or not.
    Describe { name: String, with_comments: bool },
    /// Say how long each answer took, or not.
    Timing,
    /// Write answers to a file, or to the screen again.
    Output(Option<String>),
    /// Write answers in this format.
    Format(AnswerFormat),
    /// Draw a question, or the last one.
    Chart(Option<String>),
    /// List the commands.
    Help,
    /// Leave.
    Quit,
}

/// What there is, for people.
pub const HELP: &str = "\
A statement ends with a semicolon. Tab completes; Up and Down find earlier lines that begin with
what is typed; Ctrl-C stops a query.
  \\d             list tables and views        \\d NAME      columns of one
  \\dt \\dv        only tables, only views      \\d+ NAME     columns with what they say
  \\df            list functions
  \\timing        say how long answers take, or not
  \\format F      table, csv, json or parquet
  \\o FILE        write answers there; \\o alone: here again
  \\chart [SQL]   draw the last answer, or that of SQL, as bars
  \\q             leave
";

/// The commands' names.
pub const NAMES: [&str; 11] = [
    "\\d", "\\d+", "\\dt", "\\dv", "\\df", "\\timing", "\\format", "\\o", "\\chart", "\\?", "\\q",
];

impl Command {
    /// Reads a command.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim().trim_end_matches(';').trim();
        let given = (!argument.is_empty()).then(|| argument.to_owned());
        match (name, given) {
            ("\\d" | "\\d+", None) => Ok(Self::List(&[])),
            ("\\dt" | "\\dt+", None) => Ok(Self::List(&["table"])),
            ("\\dv" | "\\dv+", None) => Ok(Self::List(&["view"])),
            ("\\df", None) => Ok(Self::Functions),
            ("\\d" | "\\d+", Some(relation)) => Ok(Self::Describe {
                name: relation,
                with_comments: name == "\\d+",
            }),
            ("\\timing", None) => Ok(Self::Timing),
            ("\\o", file) => Ok(Self::Output(file)),
            ("\\format", format) => format_of(format.as_deref().unwrap_or_default()),
            ("\\chart", question) => Ok(Self::Chart(question)),
            ("\\?" | "\\h" | "\\help", None) => Ok(Self::Help),
            ("\\q" | "\\quit", None) => Ok(Self::Quit),
            _ => Err(format!(
                "there is no command {text}; \\? lists the commands"
            )),
        }
    }
}

fn format_of(name: &str) -> Result<Command, String> {
    AnswerFormat::from_str(name, true)
        .map(Command::Format)
        .map_err(|_| format!("there is no format {name:?}; write table, csv, json or parquet"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let describe = Command::Describe {
            name: "payments".to_owned(),
            with_comments: true,
        };
        for (text, command) in [
            ("\\d", Command::List(&[])),
            ("\\dt", Command::List(&["table"])),
            ("\\d+ payments;", describe),
            ("\\format CSV", Command::Format(AnswerFormat::Csv)),
            ("\\o", Command::Output(None)),
            (
                "\\o a file.csv",
                Command::Output(Some("a file.csv".to_owned())),
            ),
            ("\\chart", Command::Chart(None)),
            ("\\q", Command::Quit),
        ] {
            assert_eq!(Command::parse(text), Ok(command), "{text}");
        }
        for text in ["\\x", "\\format", "\\format xml", "\\timing on off"] {
            assert!(Command::parse(text).is_err(), "{text}");
        }
    }
}
