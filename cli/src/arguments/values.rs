//! The values of arguments.

use std::time::Duration;

use clap::ValueEnum;
use tieout::core::schema::Table;
use tieout::core::{Amount, Date};
use tieout::{FileFormat, Moment};

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

pub fn amount(text: &str) -> Result<Amount, String> {
    text.parse()
        .map_err(|error| format!("{error}; write it as 1234.56"))
}

pub fn item_amount(text: &str) -> Result<(String, Amount), String> {
    let (item, value) = text
        .rsplit_once('=')
        .ok_or("write it as ITEM=AMOUNT, such as I1=1234.56")?;
    Ok((item.to_owned(), amount(value)?))
}

pub fn output_table(text: &str) -> Result<Table, String> {
    let mut tables = Table::OUTPUTS.into_iter();
    tables.find(|table| table.name() == text).ok_or_else(|| {
        let names = Table::OUTPUTS.map(Table::name);
        format!("the output tables are {}", names.join(", "))
    })
}

pub fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "write a part of 1: a number from 0 to 1, such as 0.995".to_owned())
}

pub fn moment(text: &str) -> Result<Moment, String> {
    text.parse()
}

pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    let length = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    length.ok_or_else(|| "write it as a number of seconds, such as 5 or 0.5".to_owned())
}

pub fn iso_date(text: &str) -> Result<Date, String> {
    Date::parse_iso(text.as_bytes()).map_err(|error| format!("{error}; write it as 2026-03-31"))
}
