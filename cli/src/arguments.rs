//! The command line, as people and scripts write it.

use std::ffi::OsString;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use tieout::core::schema::Table;
use tieout::core::{Amount, Date};
use tieout::{FileFormat, Moment};

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
    #[arg(long, value_name = "P", default_value_t = 0.5, value_parser = probability)]
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

/// `tieout queue`.
#[derive(Debug, Args)]
pub struct QueueArguments {
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// Only with this reason
    #[arg(long, value_name = "CODE")]
    pub reason: Option<String>,
    /// Only of this owner; an empty name for those that nobody has
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Only in this currency
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// Only of this amount or more
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub min: Option<Amount>,
    /// Only that many days old or older
    #[arg(long, value_name = "DAYS")]
    pub older_than: Option<i64>,
    /// The day that ages are counted to; today otherwise
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = iso_date)]
    pub as_of: Option<Date>,
    /// The queue as it was known by then: a day (its end, UTC), a time, or a posting's number
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub known_at: Option<Moment>,
    /// How the list is written
    #[arg(long, value_enum, default_value = "table")]
    pub format: AnswerFormat,
}

/// `tieout as-of`.
#[derive(Debug, Args)]
pub struct AsOfArguments {
    /// A day (2026-03-31: its end, UTC), a time (2026-03-31T10:00:00Z), or a posting's number
    #[arg(value_name = "MOMENT", value_parser = moment)]
    pub moment: Moment,
    /// A select over the tables as they were known then; without one the tables are listed
    #[arg(value_name = "SQL")]
    pub question: Option<String>,
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// Write every table as it was then into this folder, as csv, json or parquet
    #[arg(long, value_name = "DIR", conflicts_with = "question")]
    pub out: Option<PathBuf>,
    /// How the answer, or the tables in --out, are written
    #[arg(long, value_enum, default_value = "table")]
    pub format: AnswerFormat,
}

/// `tieout replay`.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The recipe to decide by: the name of a shipped one, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: PathBuf,
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// Leave runs before it as they were: a day, a time, or a posting's number
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub from: Option<Moment>,
    /// Leave later runs out: a day (its end, UTC), a time, or a posting's number
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub to: Option<Moment>,
    /// List the decisions that would differ
    #[arg(long)]
    pub diff: bool,
    /// End with status 3 if less than this part of the decisions that people judged is right, from
    /// 0 to 1; where nobody judged any, if anything differs
    #[arg(long, value_name = "P", value_parser = share)]
    pub fail_below: Option<f64>,
    /// How the differences are written
    #[arg(long, value_enum, default_value = "page")]
    pub format: PageFormat,
    /// Write the differences there; to standard output otherwise
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Threads; all the machine has otherwise. The results do not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// The formats of pages with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PageFormat {
    /// A page for people
    Page,
    /// Comma-separated values with a header
    Csv,
    /// JSON lines
    Json,
    /// Apache Parquet
    Parquet,
}

/// `tieout act`.
#[derive(Debug, Args)]
pub struct ActArguments {
    /// What to do
    #[arg(value_enum, value_name = "ACTION")]
    pub action: ActionKind,
    /// The payment, by its whole identifier
    #[arg(value_name = "PAYMENT_ID")]
    pub payment_id: String,
    /// Who does it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Cash for an item; below zero for a credit that is taken
    #[arg(long, value_name = "ITEM=AMOUNT", value_parser = item_amount, allow_hyphen_values = true)]
    pub item: Vec<(String, Amount)>,
    /// Discount granted on an item
    #[arg(long, value_name = "ITEM=AMOUNT", value_parser = item_amount)]
    pub discount: Vec<(String, Amount)>,
    /// What is written off of an item
    #[arg(long, value_name = "ITEM=AMOUNT", value_parser = item_amount)]
    pub write_off: Vec<(String, Amount)>,
    /// What the customer kept back of an item
    #[arg(long, value_name = "ITEM=AMOUNT", value_parser = item_amount)]
    pub deduction: Vec<(String, Amount)>,
    /// The customer whose money it is
    #[arg(long, value_name = "PARTY_ID")]
    pub party: Option<String>,
    /// The payment that this one repeats
    #[arg(long, value_name = "PAYMENT_ID")]
    pub of: Option<String>,
    /// Who is to see to it
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Until when
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = iso_date)]
    pub deadline: Option<Date>,
    /// The version of the decision that you saw (`tieout queue`); refused if it is another by now
    #[arg(long, value_name = "N")]
    pub version: Option<u64>,
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
}

/// What can be done with a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ActionKind {
    /// Apply what is proposed
    Confirm,
    /// Do not apply what is proposed
    Reject,
    /// Apply to items by hand (--item, --discount, --write-off, --deduction); the rest on account
    Apply,
    /// Write off what is left of items (--write-off)
    WriteOff,
    /// Put all of it on a customer's account (--party)
    OnAccount,
    /// Take an application back; the items are open again
    Unmatch,
    /// Let the next run decide
    Reopen,
    /// It repeats an earlier payment (--of)
    Duplicate,
    /// It repeats none; the next run decides
    NotDuplicate,
    /// Only say something
    Comment,
    /// Say who sees to it (--owner, --deadline)
    Assign,
}

/// `tieout memory`.
#[derive(Debug, Subcommand)]
pub enum MemoryCommand {
    /// List what was learned, each with the event, the person and the reason it came from
    List(MemoryArguments),
    /// Write all of it to a file or to standard output
    Export(MemoryExportArguments),
    /// Forget entries; later runs do not use them, and the journal keeps who wanted that and why
    Forget(ForgetArguments),
}

/// `tieout memory list`.
#[derive(Debug, Args)]
pub struct MemoryArguments {
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// Only of this kind
    #[arg(long, value_name = "KIND", value_parser = MEMORY_KINDS)]
    pub kind: Option<String>,
    /// Only about this customer
    #[arg(long, value_name = "PARTY_ID")]
    pub party: Option<String>,
}

/// `tieout memory export`.
#[derive(Debug, Args)]
pub struct MemoryExportArguments {
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// Write there; to standard output otherwise
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The format of the entries
    #[arg(long, value_enum, default_value = "csv")]
    pub format: OutputFormat,
}

/// `tieout memory forget`.
#[derive(Debug, Args)]
pub struct ForgetArguments {
    /// Entries, as `tieout memory list` names them
    #[arg(value_name = "MEMORY_ID")]
    pub ids: Vec<String>,
    /// All of this kind
    #[arg(long, value_name = "KIND", value_parser = MEMORY_KINDS)]
    pub kind: Option<String>,
    /// All about this customer
    #[arg(long, value_name = "PARTY_ID")]
    pub party: Option<String>,
    /// Who wants it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
}

const MEMORY_KINDS: [&str; 3] = ["alias", "account", "weight"];

/// `tieout export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// Write there; to standard output otherwise
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The format of the lines
    #[arg(long, value_enum, default_value = "csv")]
    pub format: OutputFormat,
    /// An earlier export again, by its number: the same bytes
    #[arg(long, value_name = "N")]
    pub again: Option<u64>,
    /// Do not count the export as taken once it is written: it comes again until --acknowledge
    #[arg(long)]
    pub hold: bool,
    /// Note that the other system has taken this export, and write nothing
    #[arg(long, value_name = "N", conflicts_with_all = ["again", "hold", "out"])]
    pub acknowledge: Option<u64>,
}

/// `tieout audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Verify every event, and name the first that does not fit
    Verify(VerifyArguments),
    /// Write the chain of events as JSON lines
    Export(ChainArguments),
    /// Take a person's data, or what is old, out of the ledger; what is left verifies
    Purge(PurgeArguments),
    /// Join the files of single postings by month; runs do so by themselves
    Compact(CompactArguments),
}

/// `tieout audit purge`.
#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("whose").required(true).args(["party", "account", "payment", "before"])
))]
pub struct PurgeArguments {
    /// A party: its row, its payments, what names it
    #[arg(long, value_name = "PARTY_ID")]
    pub party: Option<String>,
    /// Whoever paid from this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// One payment, by its whole identifier
    #[arg(long, value_name = "PAYMENT_ID")]
    pub payment: Option<String>,
    /// Payments that were decided finally before this day (UTC), and what was set aside before it
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = iso_date)]
    pub before: Option<Date>,
    /// Who wants it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Why. It is kept: it should name nobody
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
}

/// `tieout audit compact`.
#[derive(Debug, Args)]
pub struct CompactArguments {
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
}

/// `tieout audit verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// An event that an earlier verification named and that was kept elsewhere
    #[arg(long, value_name = "NUMBER:HASH")]
    pub head: Option<String>,
}

/// `tieout audit export`.
#[derive(Debug, Args)]
pub struct ChainArguments {
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// A payment whose rows are to stand beside the events; may be given several times
    #[arg(long, value_name = "PAYMENT_ID")]
    pub payment: Vec<String>,
    /// Write there; to standard output otherwise
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
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

/// `tieout sql`.
#[derive(Debug, Args)]
pub struct SqlArguments {
    /// A select over payments, cash_position, receivables_ageing, ... (the view `catalog` has all);
    /// a shell for many questions where none is given
    #[arg(value_name = "SQL")]
    pub question: Option<String>,
    /// The ledger of a run; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// The tables as they were known by then: a day (its end, UTC), a time, or a posting's number
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub as_of: Option<Moment>,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "table")]
    pub format: AnswerFormat,
    /// Memory that a question may use; larger sorts and groupings go to temporary files
    #[arg(long, value_name = "MB", default_value = "2048")]
    pub memory: NonZeroUsize,
    /// Seconds that a question may take; as long as it needs otherwise
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<NonZeroU64>,
    /// A folder whose Parquet, CSV and JSON files `create external table` may join in; may be given
    /// several times
    #[arg(long, value_name = "DIR")]
    pub allow_path: Vec<PathBuf>,
}

/// `tieout explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The payment, as the tables name it, or the beginning of that
    #[arg(value_name = "PAYMENT_ID")]
    pub payment_id: String,
    /// The ledger of a run; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    pub ledger: Option<PathBuf>,
    /// As it was known by then: a day (its end, UTC), a time, or a posting's number
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub as_of: Option<Moment>,
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

/// The formats of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AnswerFormat {
    /// Columns for people
    Table,
    /// Comma-separated values with a header
    Csv,
    /// JSON lines
    Json,
    /// Apache Parquet
    Parquet,
}

/// The formats of output tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Comma-separated values with a header
    Csv,
    /// Apache Parquet
    Parquet,
    /// JSON lines
    Json,
}

impl AnswerFormat {
    /// The format of a file; none for columns for people.
    pub fn of_file(self) -> Option<FileFormat> {
        match self {
            Self::Table => None,
            Self::Csv => Some(FileFormat::Csv),
            Self::Json => Some(FileFormat::Json),
            Self::Parquet => Some(FileFormat::Parquet),
        }
    }
}

impl From<OutputFormat> for FileFormat {
    fn from(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Csv => Self::Csv,
            OutputFormat::Parquet => Self::Parquet,
            OutputFormat::Json => Self::Json,
        }
    }
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

fn amount(text: &str) -> Result<Amount, String> {
    text.parse()
        .map_err(|error| format!("{error}; write it as 1234.56"))
}

fn probability(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err("write it as a number from 0 to 1".to_owned())
    }
}

fn item_amount(text: &str) -> Result<(String, Amount), String> {
    let (item, value) = text
        .rsplit_once('=')
        .ok_or("write it as ITEM=AMOUNT, such as I1=1234.56")?;
    Ok((item.to_owned(), amount(value)?))
}

fn output_table(text: &str) -> Result<Table, String> {
    let mut tables = Table::OUTPUTS.into_iter();
    tables.find(|table| table.name() == text).ok_or_else(|| {
        let names = Table::OUTPUTS.map(Table::name);
        format!("the output tables are {}", names.join(", "))
    })
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "write a part of 1, such as 0.995".to_owned())
}

fn moment(text: &str) -> Result<Moment, String> {
    text.parse()
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    let length = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    length.ok_or_else(|| "write it as a number of seconds, such as 5 or 0.5".to_owned())
}

fn iso_date(text: &str) -> Result<Date, String> {
    Date::parse_iso(text.as_bytes()).map_err(|error| format!("{error}; write it as 2026-03-31"))
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
