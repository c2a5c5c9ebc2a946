//! What is asked of a ledger, and done in one.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use tieout::Moment;
use tieout::core::{Amount, Date};

use super::values::{
    AnswerFormat, OutputFormat, PageFormat, amount, iso_date, item_amount, moment, share,
};

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
    /// Keep the joined files there, now and from now on: file:///folder, or s3://bucket/prefix, gs://,
    /// az://, https:// where tieout is built with the feature `cloud`; the ledger's own folder to
    /// have them there again
    #[arg(long, value_name = "URL")]
    pub history: Option<String>,
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
    /// A URL beneath whose objects they may lie, s3://bucket/prefix, gs://, az://, https:// where tieout
    /// is built with the feature `cloud`; may be given several times
    #[arg(long, value_name = "URL")]
    pub allow_url: Vec<String>,
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
