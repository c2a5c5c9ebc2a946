//! The command line, as people and scripts write it.

mod ledger;
mod values;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tieout::core::Date;
use tieout::core::schema::Table;

pub use self::ledger::{
    ActArguments, ActionKind, AsOfArguments, AuditCommand, ChainArguments, CompactArguments,
    ExplainArguments, ExportArguments, ForgetArguments, MemoryArguments, MemoryCommand,
    MemoryExportArguments, PurgeArguments, QueueArguments, ReplayArguments, SqlArguments,
    VerifyArguments,
};
pub use self::values::{AnswerFormat, OutputFormat, PageFormat};
use self::values::{iso_date, output_table, seconds, share};

#[derive(Debug, Parser)]
#[command(
    name = "tieout",
    version,
    about = "Ties out money: every payment applied, or explained"
)]
#[command(
    after_help = "Exit status: 0 everything was read and ties, 1 an error, \
                        3 the run finished but something is quarantined or out of balance."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read files and folders of any known formats, tie out, print a summary
    Run(RunArguments),
    /// Take files as they are dropped into a folder
    Watch(WatchArguments),
    /// Answer a question over the tables that a run has kept
    Sql(SqlArguments),
    /// Say why a payment ended as it did
    Explain(ExplainArguments),
    /// Show what a file is, its balances and findings, and its lines beside the rows they became
    Inspect(InspectArguments),
    /// List what is read, with the version or dialect of each
    Formats,
    /// List the shipped recipes, or print one
    Recipes(RecipesArguments),
    /// Link two lists of parties or people without a common identifier, or one with itself
    Link(LinkArguments),
    /// List the payments that a person has to look at
    Queue(QueueArguments),
    /// Do something with a payment: each action is kept with who, when and why
    Act(ActArguments),
    /// List, export or forget what the ledger has learned from people's decisions
    #[command(subcommand)]
    Memory(MemoryCommand),
    /// Write what was decided since the last export as balanced journal lines for other books
    Export(ExportArguments),
    /// Decide history again under another recipe, without changing the ledger
    Replay(ReplayArguments),
    /// Show every table as it was known at the end of a day, or answer a question over them
    AsOf(AsOfArguments),
    /// Serve a ledger to anything that speaks the Postgres protocol
    #[command(disable_help_flag = true)]
    Serve {
        /// Those of the server; see tieout serve --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Prove that a ledger is as it was written
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// `tieout link`.
#[derive(Debug, Args)]
pub struct LinkArguments {
    /// A CSV file with a header
    #[arg(value_name = "LEFT")]
    pub left: PathBuf,
    /// Another one; without it the rows of the first are linked with each other
    #[arg(value_name = "RIGHT")]
    pub right: Option<PathBuf>,
    /// The columns to compare, NAME or NAME:KIND with a kind of text, number or date; otherwise all
    /// that both files have
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub on: Vec<String>,
    /// The column that names a row in the result; the first otherwise
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// No row has more than one partner
    #[arg(long)]
    pub one_to_one: bool,
    /// Leave out pairs that are less probable
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = share)]
    pub min_probability: f64,
    /// Write the pairs there; to standard output otherwise
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The format of the pairs
    #[arg(long, value_enum, default_value = "csv")]
    pub format: OutputFormat,
    /// Threads; all the machine has otherwise. The results do not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Do not say what was learned
    #[arg(long)]
    pub quiet: bool,
}

/// `tieout run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Files and folders: bank files, open items, parties, remittance advice
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Keep everything here, run after run, for `tieout sql`, `explain`, `queue`, `act`, `audit`
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// Write the output tables here, one file each
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What is tied out and what may be applied without a person: the name of a shipped recipe
    /// (see `tieout recipes`), or a TOML file; cash-application otherwise
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: Option<PathBuf>,
    /// The day that decides what is past due; each payment's own day otherwise
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = iso_date)]
    pub as_of: Option<Date>,
    /// The format of the files in --out
    #[arg(long, value_enum, default_value = "csv")]
    pub format: OutputFormat,
    /// The tables in --out, separated by commas; all output tables otherwise
    #[arg(long, value_name = "TABLE", value_delimiter = ',', value_parser = output_table, requires = "out")]
    pub tables: Vec<Table>,
    /// Threads; all the machine has otherwise. The results do not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
}

/// `tieout watch`.
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// The folder into which files are dropped
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Keep everything here; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// What is tied out and what may be applied without a person: the name of a shipped recipe
    /// (see `tieout recipes`), or a TOML file; cash-application otherwise
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: Option<PathBuf>,
    /// How long a file stays as it is before it is taken
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub settle: Duration,
    /// How often the folder is looked at
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub interval: Duration,
    /// Take what is complete, and end
    #[arg(long)]
    pub once: bool,
    /// Take what was set aside once more, and end
    #[arg(long)]
    pub retry: bool,
    /// Only list what is set aside, with the reasons
    #[arg(long, conflicts_with_all = ["once", "retry"])]
    pub aside: bool,
    /// Threads; all the machine has otherwise. The results do not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Print nothing but errors and what is set aside
    #[arg(long)]
    pub quiet: bool,
}

/// `tieout inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// A file of any known format, packed or not
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Rows that are shown beside their lines
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub rows: usize,
}

/// `tieout recipes`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RecipesArguments {
    /// The recipe whose TOML is printed
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    #[command(subcommand)]
    pub command: Option<RecipesCommand>,
}

/// What else is done about recipes.
#[derive(Debug, Subcommand)]
pub enum RecipesCommand {
    /// Learn from files what each kind of evidence weighs, without knowing the answers
    Learn(LearnArguments),
}

/// `tieout recipes learn`.
#[derive(Debug, Args)]
pub struct LearnArguments {
    /// Files and folders, as `tieout run` takes them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The recipe that they are tied out by, with the weights to begin with
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: Option<PathBuf>,
    /// Write the weights there; to standard output otherwise
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Reads the command line.
pub fn parse() -> Result<Command, clap::Error> {
    CommandLine::try_parse().map(|line| line.command)
}

/// Prints help to standard output, a mistake to standard error, and gives the exit status.
pub fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that went away wants no help text.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    eprint!("tieout: {}", error.render());
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::CommandFactory;

    use super::*;

    fn parse_words(words: &str) -> Result<Command, clap::Error> {
        CommandLine::try_parse_from(words.split(' ')).map(|line| line.command)
    }

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_run_takes_what_the_contract_says() {
        let line =
            "tieout run a b --ledger l --out o --recipe r --as-of 2026-03-31 --format parquet";
        let Command::Run(run) = parse_words(line).unwrap() else {
            panic!("not a run");
        };
        assert_eq!(run.paths, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(run.as_of, Date::from_ymd(2026, 3, 31).ok());
        assert_eq!(run.format, OutputFormat::Parquet);
    }

    #[test]
    fn mistakes_are_refused() {
        for words in [
            "tieout run",
            "tieout run a --as-of 31.3.2026",
            "tieout run a --threads 0",
            "tieout run a --format xlsx",
            "tieout tie",
            "tieout sql --memory 0",
            "tieout sql select 1",
            "tieout explain",
        ] {
            assert!(parse_words(words).unwrap_err().use_stderr(), "{words}");
        }
    }
}
