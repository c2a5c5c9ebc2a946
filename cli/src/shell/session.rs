//! What a statement or command does.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::time::Instant;

use tieout::{Answer, Questions};

use super::chart::chart;
use super::command::{Command, HELP};
use super::statement::Input;
use crate::arguments::AnswerFormat;
use crate::failure::Failure;
use crate::sql;

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
    /// Where answers go, if not to standard output.
    file: Option<(String, File)>,
    is_timing: bool,
    last: Option<String>,
}

impl Session {
    pub fn new(questions: Questions, format: AnswerFormat) -> Self {
        Self {
            questions,
            format,
            file: None,
            is_timing: false,
            last: None,
        }
    }

    /// Lets Ctrl-C stop the query that runs, and nothing else.
    pub fn stop_on_interrupt(&self) {
        self.questions.stop_on_interrupt();
    }

    /// Does what the input says.
    pub fn take(&mut self, input: &Input) -> Result<Next, Failure> {
        match input {
            Input::Statement(sql) => {
                self.last = Some(sql.clone());
                self.answer(sql)?;
            }
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

    /// The first column of an answer, for completion.
    pub fn words(&self, sql: &str) -> Vec<String> {
        let Ok(answer) = self.questions.ask(sql) else {
            return Vec::new();
        };
        let mut words = Vec::new();
        for batch in answer.flatten() {
            if let Ok(cells) = tieout::Cells::of(&batch) {
                words.extend((0..cells.rows()).filter_map(|row| cells.text(row, 0)));
            }
        }
        words
    }

    fn obey(&mut self, command: Command) -> Result<(), Failure> {
        match command {
            Command::List(kinds) => self.list(kinds),
            Command::Functions => self.list_functions(),
            Command::Describe {
                name,
                with_comments,
            } => self.describe(&name, with_comments),
            Command::Timing => {
                self.is_timing = !self.is_timing;
                let state = if self.is_timing { "on" } else { "off" };
                Ok(writeln!(io::stdout(), "timing is {state}")?)
            }
            Command::Output(name) => self.redirect(name),
            Command::Format(format) => {
                self.format = format;
                Ok(())
            }
            Command::Chart(question) => self.draw(question),
            Command::Help => Ok(write!(io::stdout(), "{HELP}")?),
            Command::Quit => Ok(()),
        }
    }

    fn answer(&mut self, sql: &str) -> Result<(), Failure> {
        let begun = Instant::now();
        if self.format == AnswerFormat::Parquet && self.file.is_none() && io::stdout().is_terminal()
        {
            return Err(Failure::new(
                "Parquet is not for a terminal; name a file with \\o FILE",
            ));
        }
        let answer = self.questions.ask(sql)?;
        self.write(answer)?;
        if self.is_timing {
            let milliseconds = begun.elapsed().as_secs_f64() * 1_000.0;
            writeln!(io::stdout(), "time: {milliseconds:.1} ms")?;
        }
        Ok(())
    }

    fn write(&mut self, answer: Answer) -> Result<(), Failure> {
        let format = self.format;
        match &mut self.file {
            None => sql::print_to(answer, format, io::stdout()),
            Some((name, file)) if format == AnswerFormat::Parquet => {
                // A Parquet file holds one answer: the last.
                *file = created(name)?;
                sql::print_to(answer, format, &*file)
            }
            Some((_, file)) => sql::print_to(answer, format, &*file),
        }
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

    fn list(&self, kinds: &[&str]) -> Result<(), Failure> {
        let quoted: Vec<_> = kinds.iter().map(|kind| format!("'{kind}'")).collect();
        let filter = if quoted.is_empty() {
            String::new()
        } else {
            format!(" and kind in ({})", quoted.join(", "))
        };
        let sql = format!(
            "select relation as name, kind, comment from catalog where place = 0{filter} \
             order by kind, relation"
        );
        sql::print_to(self.questions.ask(&sql)?, AnswerFormat::Table, io::stdout())
    }

    fn list_functions(&self) -> Result<(), Failure> {
        for function in tieout::functions() {
            writeln!(io::stdout(), "{}\n    {}", function.usage, function.comment)?;
        }
        self.list(&["table function"])
    }

    fn describe(&self, name: &str, with_comments: bool) -> Result<(), Failure> {
        let name = name.to_lowercase().replace('\'', "''");
        let of_it = format!("from catalog where relation = '{name}'");
        let words = self.words(&format!(
            "select kind || ' ' || relation || ': ' || comment {of_it} and place = 0"
        ));
        let Some(words) = words.first() else {
            return Err(Failure::new(format!(
                "there is no table or view {name}; \\d lists them"
            )));
        };
        writeln!(io::stdout(), "{words}")?;
        let comment = if with_comments { ", comment" } else { "" };
        let sql = format!(
            "select column_name as column, data_type as type{comment} {of_it} and place > 0 \
             order by place"
        );
        sql::print_to(self.questions.ask(&sql)?, AnswerFormat::Table, io::stdout())
    }
}

fn created(name: &str) -> Result<File, Failure> {
    File::create(name).map_err(|error| Failure::unwritable(Path::new(name), &error))
}
