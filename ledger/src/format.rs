//! How a table's file is written.

use tieout_core::schema::Table;

/// The format of a table's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated values (RFC 4180) with a header; lines end with a line feed.
    Csv,
    /// Apache Parquet, Snappy.
    Parquet,
    /// JSON lines: one object a row.
    Json,
}

impl FileFormat {
    /// The ending of its files, without the point.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Json => "json",
        }
    }
}

/// Which columns of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Those that scripts outside the project may rely on.
    Contract,
    /// All there are.
    All,
}

impl Columns {
    /// How many of the table's first columns are written.
    pub fn count(self, table: Table) -> usize {
        match self {
            Self::Contract => table.contract_columns(),
            Self::All => table.schema().fields().len(),
        }
    }
}
