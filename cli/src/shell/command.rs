//! The shell's commands. One table has their names, what may follow them, what they do and how they are
//! read; help and completion come from it.

use std::fmt::Write as _;
use std::time::Duration;

use clap::ValueEnum as _;

use super::pattern::Pattern;
use crate::arguments::AnswerFormat;

/// Seconds between the rounds of a watched question, where nothing else is said, and at most.
const WATCH_SECONDS: f64 = 2.0;
const WATCH_SECONDS_MAX: f64 = 86_400.0;

/// What a command asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// List relations of these kinds, all if there are none, of such names.
    List(&'static [&'static str], Option<Pattern>),
    /// List functions of such names.
    Functions(Option<Pattern>),
    /// Describe relations, with comments or not.
    Describe { names: Pattern, with_comments: bool },
    /// Write rows as lists of columns, or not; the other of the two where nothing is said.
    Expanded(Option<Expanded>),
    /// Say how long each answer took, or not.
    Timing(Option<bool>),
    /// Write answers in this format.
    Format(AnswerFormat),
    /// Write answers to a file, or to the screen again.
    Output(Option<String>),
    /// Answer the statement that was typed, or the last one.
    Again { expanded: bool },
    /// The same, again and again.
    Watch(Rounds),
    /// Draw a question, or the last one.
    Chart(Option<String>),
    /// Do what a file says.
    Include(String),
    /// Tell errors with their SQLSTATE, or not.
    Verbose(bool),
    /// Tell the last error with its SQLSTATE.
    LastError,
    /// List the commands.
    Help,
    /// Leave.
    Quit,
}

/// When rows are written as lists of columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expanded {
    #[default]
    Off,
    On,
    /// Where the table is wider than the screen.
    Auto,
}

/// How often a question is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounds {
    /// The time between an answer and the next question.
    pub every: Duration,
    /// How many times; until somebody stops it otherwise.
    pub times: Option<u64>,
}

/// A command as the table has it.
#[derive(Clone, Copy)]
struct Entry {
    /// Its name, and other names for it.
    names: &'static [&'static str],
    /// What may follow.
    takes: &'static str,
    /// What it does.
    says: &'static str,
    /// Whether it may end a statement, as a semicolon does.
    ends: bool,
    /// Reads what follows; none if it does not fit.
    read: fn(name: &str, given: Option<&str>) -> Option<Command>,
}

/// A command that stands by itself.
const fn entry(
    names: &'static [&'static str],
    takes: &'static str,
    says: &'static str,
    read: fn(&str, Option<&str>) -> Option<Command>,
) -> Entry {
    Entry {
        names,
        takes,
        says,
        ends: false,
        read,
    }
}

/// A command about the statement in front of it.
const fn ending(entry: Entry) -> Entry {
    Entry {
        ends: true,
        ..entry
    }
}

const ENTRIES: [Entry; 18] = [
    entry(
        &["\\d"],
        "[NAME]",
        "list tables and views; the columns of NAME",
        describe,
    ),
    entry(
        &["\\d+"],
        "[NAME]",
        "the same; columns with what they say",
        describe,
    ),
    entry(&["\\dt", "\\dt+"], "[NAME]", "list tables", |_, given| {
        listed(&["table"], given)
    }),
    entry(&["\\dv", "\\dv+"], "[NAME]", "list views", |_, given| {
        listed(&["view"], given)
    }),
    entry(&["\\df"], "[NAME]", "list functions", |_, given| {
        Some(Command::Functions(given.map(Pattern::of)))
    }),
    entry(
        &["\\x"],
        "[on|off|auto]",
        "write each row as a list of columns; auto: where the screen is too narrow",
        expanded,
    ),
    entry(
        &["\\timing"],
        "[on|off]",
        "say how long answers take",
        |_, given| switch(given).map(Command::Timing),
    ),
    entry(
        &["\\format"],
        "table|csv|json|parquet",
        "write answers so",
        |_, given| {
            let format = AnswerFormat::from_str(given?, true).ok()?;
            Some(Command::Format(format))
        },
    ),
    entry(
        &["\\o"],
        "[FILE]",
        "write answers there; without FILE here again",
        output,
    ),
    ending(entry(
        &["\\g"],
        "",
        "end a statement as ; does; alone: answer the last one again",
        |_, given| alone(given, Command::Again { expanded: false }),
    )),
    ending(entry(
        &["\\gx"],
        "",
        "the same, each row as a list of columns",
        |_, given| alone(given, Command::Again { expanded: true }),
    )),
    ending(entry(
        &["\\watch"],
        "[SECONDS] [c=TIMES]",
        "the same every 2 s or SECONDS, each time over what was recorded by then",
        watch,
    )),
    entry(
        &["\\chart"],
        "[SQL]",
        "draw the last answer, or that of SQL, as bars",
        |_, given| Some(Command::Chart(given.map(str::to_owned))),
    ),
    entry(
        &["\\i", "\\include"],
        "FILE",
        "do what FILE says: statements and commands",
        |_, given| Some(Command::Include(given?.to_owned())),
    ),
    entry(
        &["\\errverbose"],
        "",
        "tell the last error with its SQLSTATE",
        |_, given| alone(given, Command::LastError),
    ),
    entry(
        &["\\set"],
        "VERBOSITY verbose|default",
        "tell errors with their SQLSTATE, or without",
        verbosity,
    ),
    entry(
        &["\\?", "\\h", "\\help"],
        "",
        "list commands",
        |_, given| alone(given, Command::Help),
    ),
    entry(&["\\q", "\\quit"], "", "leave", |_, given| {
        alone(given, Command::Quit)
    }),
];

const INTRODUCTION: &str = "\
A statement ends with a semicolon. Tab completes; Up and Down find earlier lines that begin with
what is typed; Ctrl-C stops a query. In NAME * stands for any letters and ? for one.
";

/// What there is, for people.
pub fn help() -> String {
    let usage = |entry: &Entry| format!("{} {}", entry.names[0], entry.takes);
    let widths = ENTRIES.iter().map(|entry| usage(entry).len());
    let width = widths.max().unwrap_or_default();
    let mut help = INTRODUCTION.to_owned();
    for entry in &ENTRIES {
        let _ = writeln!(help, "  {:width$}  {}", usage(entry), entry.says);
    }
    help
}

/// The commands' names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.names[0])
}

/// Whether a command may end a statement.
pub fn ends_statement(text: &str) -> bool {
    let name = text.split(char::is_whitespace).next().unwrap_or_default();
    named(name).is_some_and(|entry| entry.ends)
}

fn named(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.names.contains(&name))
}

impl Command {
    /// Reads a command.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, given) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let name = name.trim_end_matches(';');
        let given = given.trim().trim_end_matches(';').trim();
        let given = (!given.is_empty()).then_some(given);
        let entry = named(name)
            .ok_or_else(|| format!("there is no command {name}; \\? lists the commands"))?;
        (entry.read)(name, given).ok_or_else(|| {
            let found = given.unwrap_or("nothing");
            match entry.takes {
                "" => format!("{name} stands alone, and not before {found}"),
                takes => format!("after {name} comes {takes}, and not {found}"),
            }
        })
    }
}

fn alone(given: Option<&str>, command: Command) -> Option<Command> {
    given.is_none().then_some(command)
}

#[expect(clippy::unnecessary_wraps, reason = "all that read give as much")]
fn listed(kinds: &'static [&'static str], given: Option<&str>) -> Option<Command> {
    Some(Command::List(kinds, given.map(Pattern::of)))
}

fn describe(name: &str, given: Option<&str>) -> Option<Command> {
    let Some(given) = given else {
        return listed(&[], None);
    };
    Some(Command::Describe {
        names: Pattern::of(given),
        with_comments: name == "\\d+",
    })
}

/// On, off, or the other of the two.
#[expect(clippy::option_option, reason = "what does not fit is none")]
fn switch(given: Option<&str>) -> Option<Option<bool>> {
    match given {
        None => Some(None),
        Some("on") => Some(Some(true)),
        Some("off") => Some(Some(false)),
        Some(_) => None,
    }
}

fn expanded(_: &str, given: Option<&str>) -> Option<Command> {
    if given == Some("auto") {
        return Some(Command::Expanded(Some(Expanded::Auto)));
    }
    let way = switch(given)?.map(|on| if on { Expanded::On } else { Expanded::Off });
    Some(Command::Expanded(way))
}

/// No program is started by what is written.
fn output(_: &str, given: Option<&str>) -> Option<Command> {
    let is_program = given.is_some_and(|given| given.starts_with('|'));
    (!is_program).then(|| Command::Output(given.map(str::to_owned)))
}

fn watch(_: &str, given: Option<&str>) -> Option<Command> {
    let (mut seconds, mut times) = (WATCH_SECONDS, None);
    for word in given.unwrap_or_default().split_whitespace() {
        match word.split_once('=') {
            Some(("c" | "count", count)) => times = Some(count.parse().ok().filter(|&it| it > 0)?),
            Some(("i" | "interval", every)) => seconds = every.parse().ok()?,
            Some(_) => return None,
            None => seconds = word.parse().ok()?,
        }
    }
    let every = Duration::try_from_secs_f64(seconds).ok()?;
    let is_soon = seconds <= WATCH_SECONDS_MAX;
    is_soon.then_some(Command::Watch(Rounds { every, times }))
}

fn verbosity(_: &str, given: Option<&str>) -> Option<Command> {
    match given?.split_whitespace().collect::<Vec<_>>()[..] {
        ["VERBOSITY", "verbose"] => Some(Command::Verbose(true)),
        ["VERBOSITY", "default"] => Some(Command::Verbose(false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn commands_are_read() {
        let describe = Command::Describe {
            names: Pattern::of("payments"),
            with_comments: true,
        };
        let rounds = |seconds, times| {
            let every = Duration::from_secs_f64(seconds);
            Command::Watch(Rounds { every, times })
        };
        for (text, command) in [
            ("\\d", Command::List(&[], None)),
            ("\\dt", Command::List(&["table"], None)),
            (
                "\\dv pay*",
                Command::List(&["view"], Some(Pattern::of("pay*"))),
            ),
            ("\\d+ payments;", describe),
            ("\\format CSV", Command::Format(AnswerFormat::Csv)),
            ("\\o", Command::Output(None)),
            (
                "\\o a file.csv",
                Command::Output(Some("a file.csv".to_owned())),
            ),
            ("\\i a.sql", Command::Include("a.sql".to_owned())),
            ("\\x", Command::Expanded(None)),
            ("\\x auto", Command::Expanded(Some(Expanded::Auto))),
            ("\\timing", Command::Timing(None)),
            ("\\timing off", Command::Timing(Some(false))),
            ("\\watch", rounds(2.0, None)),
            ("\\watch 0.5", rounds(0.5, None)),
            ("\\watch c=3 i=5", rounds(5.0, Some(3))),
            ("\\set VERBOSITY verbose", Command::Verbose(true)),
            ("\\chart", Command::Chart(None)),
            ("\\q", Command::Quit),
            ("\\q;", Command::Quit),
        ] {
            assert_eq!(Command::parse(text), Ok(command), "{text}");
        }
        for text in [
            "\\format",
            "\\format xml",
            "\\timing on off",
            "\\x maybe",
            "\\o |less",
            "\\i",
            "\\watch soon",
            "\\watch -1",
            "\\watch 1e300",
            "\\watch c=0",
            "\\set VERBOSITY loud",
            "\\gx answer.csv",
            "\\y",
        ] {
            assert!(Command::parse(text).is_err(), "{text}");
        }
        let refused = Command::parse("\\timing never").unwrap_err();
        assert_eq!(refused, "after \\timing comes [on|off], and not never");
    }

    #[test]
    fn help_has_each_command_in_a_line() {
        let help = help();
        for name in names() {
            let lines = help.lines().map(str::trim_start);
            let of_it = lines.filter(|line| line.split(' ').next() == Some(name));
            assert_eq!(of_it.count(), 1, "{name}");
        }
        assert!(help.lines().all(|line| line.len() <= 110), "{help}");
    }
}
