//! What a statement or command does.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use console::{Term, measure_text_width};
use tieout::core::Date;
use tieout::{Answer, Questions};

use super::chart::chart;
use super::command::{Command, Expanded, Rounds, help};
use super::expanded;
use super::listing;
use super::statement::{Input, Pending};
use crate::arguments::AnswerFormat;
use crate::failure::Failure;
use crate::sql;

/// Files that name one another.
const INCLUDES_MAX: usize = 8;
const SECONDS_A_DAY: u64 = 86_400;

/// Whether the shell goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    GoOn,
    Leave,
}

/// The shell's state.
pub struct Session {
    questions: Questions,
    format: AnswerFormat,
    expanded: Expanded,
    /// Where answers go, if not to standard output.
    file: Option<(String, File)>,
    is_timing: bool,
    /// Whether errors are told with their SQLSTATE.
    is_verbose: bool,
    /// The last statement.
    last: Option<String>,
    last_error: Option<Failure>,
    /// Files that are being read, one named in the other.
    includes: usize,
}

impl Session {
    pub fn new(questions: Questions, format: AnswerFormat) -> Self {
        Self {
            questions,
            format,
            expanded: Expanded::Off,
            file: None,
            is_timing: false,
            is_verbose: false,
            last: None,
            last_error: None,
            includes: 0,
        }
    }

    /// Lets Ctrl-C stop the query that runs, and nothing else.
    pub fn stop_on_interrupt(&self) {
        self.questions.stop_on_interrupt();
    }

    /// The first column of an answer, for completion.
    pub fn words(&self, sql: &str) -> Vec<String> {
        listing::words(&self.questions, sql)
    }

    /// Does what the input says.
    pub fn take(&mut self, input: &Input) -> Result<Next, Failure> {
        self.do_as(input).map_err(|failure| {
            if self.includes > 0 {
                return failure;
            }
            let told = if self.is_verbose {
                failure.with_state()
            } else {
                failure.clone()
            };
            self.last_error = Some(failure);
            told
        })
    }

    /// Does what all lines of `input` say, of the file that has this name.
    pub fn take_all(&mut self, input: impl BufRead, name: Option<&str>) -> Result<Next, Failure> {
        let mut pending = Pending::default();
        let mut number = 0;
        let mut inputs = Vec::new();
        let told_in = |failure: Failure, number| match name {
            None => failure,
            Some(name) => failure.in_line(name, number),
        };
        for line in input.lines() {
            number += 1;
            let line = line.map_err(|error| {
                let found = format!("cannot read the input: {error}");
                told_in(Failure::new(found), number)
            })?;
            inputs.extend(pending.add(&line));
            for input in inputs.drain(..) {
                let next = self.take(&input);
                if next.map_err(|failure| told_in(failure, number))? == Next::Leave {
                    return Ok(Next::Leave);
                }
            }
        }
        match pending.take() {
            None => Ok(Next::GoOn),
            Some(rest) => {
                let next = self.take(&Input::Statement(rest));
                next.map_err(|failure| told_in(failure, number))
            }
        }
    }

    fn do_as(&mut self, input: &Input) -> Result<Next, Failure> {
        match input {
            Input::Statement(sql) => {
                self.last = Some(sql.clone());
                self.answer(sql, self.expanded, None)?;
            }
            Input::Held(sql) => self.last = Some(sql.clone()),
            Input::Command(text) => {
                let command = Command::parse(text).map_err(Failure::new)?;
                if command == Command::Quit {
                    return Ok(Next::Leave);
                }
                self.obey(command)?;
            }
        }
        Ok(Next::GoOn)
    }

    fn obey(&mut self, command: Command) -> Result<(), Failure> {
        match command {
            Command::List(kinds, names) => listing::list(&self.questions, kinds, names.as_ref()),
            Command::Functions(names) => listing::list_functions(&self.questions, names.as_ref()),
            Command::Describe {
                names,
                with_comments,
            } => listing::describe(&self.questions, &names, with_comments),
            Command::Expanded(way) => self.expand(way),
            Command::Timing(on) => {
                self.is_timing = on.unwrap_or(!self.is_timing);
                say("timing", switched(self.is_timing))
            }
            Command::Output(name) => self.redirect(name),
            Command::Format(format) => {
                self.format = format;
                Ok(())
            }
            Command::Again { expanded } => {
                let expanded = if expanded {
                    Expanded::On
                } else {
                    self.expanded
                };
                self.answer(&self.last()?, expanded, None)
            }
            Command::Watch(rounds) => self.watch(rounds),
            Command::Chart(question) => self.draw(question),
            Command::Include(name) => self.include(&name),
            Command::Verbose(on) => {
                self.is_verbose = on;
                Ok(())
            }
            Command::LastError => {
                match &self.last_error {
                    None => writeln!(io::stdout(), "there was no error")?,
                    Some(failure) => writeln!(io::stdout(), "{}", failure.with_state())?,
                }
                Ok(())
            }
            Command::Help => Ok(write!(io::stdout(), "{}", help())?),
            Command::Quit => Ok(()),
        }
    }

    fn last(&self) -> Result<String, Failure> {
        let none = || Failure::new("there is no statement yet; write one first");
        self.last.clone().ok_or_else(none)
    }

    fn answer(
        &mut self,
        sql: &str,
        expanded: Expanded,
        title: Option<String>,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        if self.format == AnswerFormat::Parquet && self.file.is_none() && io::stdout().is_terminal()
        {
            return Err(Failure::new(
                "Parquet is not for a terminal; name a file with \\o FILE",
            ));
        }
        let answer = self.questions.ask(sql)?;
        self.write(answer, expanded, title)?;
        if self.is_timing {
            let milliseconds = begun.elapsed().as_secs_f64() * 1_000.0;
            writeln!(io::stdout(), "time: {milliseconds:.1} ms")?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        answer: Answer,
        expanded: Expanded,
        title: Option<String>,
    ) -> Result<(), Failure> {
        let format = self.format;
        match &mut self.file {
            None => written(answer, format, expanded, title, io::stdout()),
            Some((name, file)) if format == AnswerFormat::Parquet => {
                // A Parquet file holds one answer: the last.
                *file = created(name)?;
                sql::print_to(answer, format, &*file)
            }
            Some((_, file)) => {
                // A file is as wide as its lines.
                let expanded = match expanded {
                    Expanded::Auto => Expanded::Off,
                    expanded => expanded,
                };
                written(answer, format, expanded, title, &*file)
            }
        }
    }

    fn expand(&mut self, way: Option<Expanded>) -> Result<(), Failure> {
        self.expanded = way.unwrap_or(match self.expanded {
            Expanded::On => Expanded::Off,
            Expanded::Off | Expanded::Auto => Expanded::On,
        });
        let state = match self.expanded {
            Expanded::Auto => "automatic",
            expanded => switched(expanded == Expanded::On),
        };
        say("expanded display", state)
    }

    fn redirect(&mut self, name: Option<String>) -> Result<(), Failure> {
        self.file = match name {
            None => None,
            Some(name) => {
                let file = created(&name)?;
                Some((name, file))
            }
        };
        Ok(())
    }

    /// Asks the last statement every so often, each time over what was recorded by then, until Ctrl-C.
    fn watch(&mut self, rounds: Rounds) -> Result<(), Failure> {
        let sql = self.last()?;
        self.questions.begin_to_wait();
        let mut asked = 0;
        loop {
            self.questions.look_again()?;
            self.answer(&sql, self.expanded, Some(title(rounds.every)))?;
            asked += 1;
            if rounds.times == Some(asked) {
                return Ok(());
            }
            if !self.questions.wait(rounds.every) {
                // The terminal has shown ^C.
                return Ok(writeln!(io::stdout())?);
            }
        }
    }

    fn draw(&mut self, question: Option<String>) -> Result<(), Failure> {
        let Some(sql) = question.or_else(|| self.last.clone()) else {
            return Err(Failure::new(
                "there is no answer to draw yet; ask first, or \\chart SELECT ...",
            ));
        };
        let drawn = chart(self.questions.ask(&sql)?)?;
        self.last = Some(sql);
        Ok(write!(io::stdout(), "{drawn}")?)
    }

    /// Does what a file says. To leave there is to leave the file.
    fn include(&mut self, name: &str) -> Result<(), Failure> {
        if self.includes == INCLUDES_MAX {
            return Err(Failure::new(format!(
                "{name} is not read: files name one another, {INCLUDES_MAX} deep"
            )));
        }
        let unreadable = |error| Failure::unreadable(Path::new(name), &error);
        let file = File::open(name).map_err(unreadable)?;
        self.includes += 1;
        let done = self.take_all(BufReader::new(file), Some(name));
        self.includes -= 1;
        done.map(drop)
    }
}

/// Writes an answer as is wanted; only tables have a title, or are written as lists.
fn written(
    answer: Answer,
    format: AnswerFormat,
    expanded: Expanded,
    title: Option<String>,
    mut out: impl Write + Send,
) -> Result<(), Failure> {
    let schema = answer.schema();
    if format != AnswerFormat::Table || schema.fields().is_empty() {
        return sql::print_to(answer, format, out);
    }
    if let Some(title) = title {
        writeln!(out, "{title}")?;
    }
    let width = match expanded {
        Expanded::On => return expanded::write(&schema, answer, out),
        Expanded::Auto => Term::stdout().size_checked().map(|(_, width)| width),
        Expanded::Off => None,
    };
    let Some(width) = width else {
        return sql::print_to(answer, format, out);
    };
    let batches = answer.collect::<Result<Vec<_>, _>>()?;
    let again = || batches.iter().cloned().map(Ok);
    let table = sql::table(&schema, again())?.to_string();
    let widths = table.lines().map(measure_text_width);
    if widths.max().unwrap_or_default() > usize::from(width) {
        return expanded::write(&schema, again(), out);
    }
    Ok(writeln!(out, "{table}")?)
}

fn switched(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn say(what: &str, state: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{what} is {state}")?)
}

/// When an answer was asked, and how often it is.
fn title(every: Duration) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.unwrap_or_default().as_secs();
    let day = Date::from_days((seconds / SECONDS_A_DAY) as i32);
    let [hour, minute, second] = [seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60];
    format!(
        "{day} {hour:02}:{minute:02}:{second:02} UTC (every {} s)",
        every.as_secs_f64()
    )
}

fn created(name: &str) -> Result<File, Failure> {
    File::create(name).map_err(|error| Failure::unwritable(Path::new(name), &error))
}
