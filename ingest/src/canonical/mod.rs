//! What the business itself delivers: open items, parties, remittances, own accounts and exchange
//! rates.
//!
//! Each of them comes as separated text with a header, as JSON lines or as Parquet, and
//! is recognised by the names of its columns (`tieout formats` lists them). Every value is
//! held as text against the same rules, whichever file it came in. A row with a bad value goes
//! into quarantine; the other rows pass.
//!
//! Separated text and JSON lines are cut into blocks of whole records ([`blocks`]), which
//! threads parse side by side ([`flow`]) and which are handed over in the order of the file.

mod blocks;
mod columnar;
mod columns;
mod csv;
mod delivery;
mod extra;
mod fields;
mod flow;
mod header;
mod json_lines;
mod json_object;
mod returns;
mod rows;
mod separated;
mod text;
mod unread;

use columns::Kind;

pub(crate) static OPEN_ITEMS_CSV: csv::Csv = csv::Csv(Kind::OpenItems);
pub(crate) static REMITTANCES_CSV: csv::Csv = csv::Csv(Kind::Remittances);
pub(crate) static PARTIES_CSV: csv::Csv = csv::Csv(Kind::Parties);
pub(crate) static OPEN_ITEMS_JSON: json_lines::JsonLines = json_lines::JsonLines(Kind::OpenItems);
pub(crate) static REMITTANCES_JSON: json_lines::JsonLines =
    json_lines::JsonLines(Kind::Remittances);
pub(crate) static PARTIES_JSON: json_lines::JsonLines = json_lines::JsonLines(Kind::Parties);
pub(crate) static OPEN_ITEMS_PARQUET: columnar::Columnar = columnar::Columnar(Kind::OpenItems);
pub(crate) static REMITTANCES_PARQUET: columnar::Columnar = columnar::Columnar(Kind::Remittances);
pub(crate) static PARTIES_PARQUET: columnar::Columnar = columnar::Columnar(Kind::Parties);
pub(crate) static ACCOUNTS_CSV: csv::Csv = csv::Csv(Kind::Accounts);
pub(crate) static EXCHANGE_RATES_CSV: csv::Csv = csv::Csv(Kind::ExchangeRates);
pub(crate) static ACCOUNTS_JSON: json_lines::JsonLines = json_lines::JsonLines(Kind::Accounts);
pub(crate) static EXCHANGE_RATES_JSON: json_lines::JsonLines =
    json_lines::JsonLines(Kind::ExchangeRates);
pub(crate) static ACCOUNTS_PARQUET: columnar::Columnar = columnar::Columnar(Kind::Accounts);
pub(crate) static EXCHANGE_RATES_PARQUET: columnar::Columnar =
    columnar::Columnar(Kind::ExchangeRates);
pub(crate) static TRUTH: unread::Truth = unread::Truth;
pub(crate) static RUN_OUTPUT: unread::RunOutput = unread::RunOutput;

#[cfg(test)]
mod tests;
