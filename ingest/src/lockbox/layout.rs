//! Which columns a bank puts its lockbox fields in: a layout, read from TOML and checked.

use thiserror::Error;
use tieout_core::Currency;
use toml::Table;

use super::columns::{AmountColumns, Columns, DateColumns};
use super::plan::Plan;

/// What is wrong with a layout file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}: {field}: {problem}")]
pub struct LayoutError {
    /// The file as given.
    pub file: String,
    /// The key, such as `record.6.amount`.
    pub field: String,
    /// What was found, what was expected.
    pub problem: String,
}

/// Where each field stands, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub name: String,
    pub about: String,
    pub currency: Currency,
    pub line_length_max: usize,
    pub file_date: Option<DateColumns>,
    pub batch: BatchColumns,
    pub check: CheckColumns,
    pub remittance: RemittanceColumns,
    pub batch_total: TotalColumns,
    pub lockbox_total: TotalColumns,
    pub record_count: Columns,
}

/// The 5 record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchColumns {
    pub lockbox: Columns,
    pub deposit_date: DateColumns,
}

/// The 6 record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckColumns {
    pub batch: Columns,
    pub item: Columns,
    pub amount: AmountColumns,
    pub transit: Option<Columns>,
    pub account: Option<Columns>,
    pub check_number: Option<Columns>,
    pub check_date: Option<DateColumns>,
    pub remitter: Option<Columns>,
}

/// The 4 record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemittanceColumns {
    pub batch: Columns,
    pub item: Columns,
    pub sequence: Option<Columns>,
    pub indicator: Option<Columns>,
    pub document_number: Option<Columns>,
    pub net: Option<AmountColumns>,
    pub deduction: Option<AmountColumns>,
    pub reason: Option<Columns>,
    pub text: Option<Columns>,
}

/// The 7 and the 8 record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TotalColumns {
    pub check_count: Option<Columns>,
    pub total: AmountColumns,
}

impl Layout {
    /// Reads the layout that `text` describes.
    ///
    /// # Errors
    /// A [`LayoutError`] that names the file, the key and what is wrong with it.
    pub fn parse(file: &str, text: &str) -> Result<Self, LayoutError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| LayoutError {
            file: file.to_owned(),
            field: "the file".to_owned(),
            problem: format!("is not TOML: {}", error.message()),
        })?;
        Plan::of(file, &table)?.layout()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::columns::{DateOrder, Sign};
    use super::*;

    const SHIPPED: &str = include_str!("../../layouts/bai-invoice.toml");

    fn problem(from: &str, to: &str) -> String {
        let text = SHIPPED.replacen(from, to, 1);
        assert_ne!(text, SHIPPED, "{from}");
        Layout::parse("own.toml", &text).unwrap_err().to_string()
    }

    #[test]
    fn the_shipped_layout_reads() {
        let layout = Layout::parse("bai-invoice.toml", SHIPPED).unwrap();
        assert_eq!(layout.name, "bai-invoice");
        assert_eq!(layout.line_length_max, 104);
        assert_eq!(layout.check.amount.columns, Columns { start: 7, end: 17 });
        assert_eq!(
            layout.check.check_date.unwrap().order,
            DateOrder::MonthDayYear
        );
    }

    #[test]
    fn fields_have_their_own_conventions() {
        let own = SHIPPED.replacen(
            "net = [27, 36]",
            "net = { columns = [27, 36], decimals = 3, sign = \"trailing\" }",
            1,
        );
        let net = Layout::parse("own.toml", &own).unwrap().remittance.net;
        let net = net.unwrap();
        assert_eq!((net.decimals, net.sign), (3, Sign::Trailing));
    }

    /// What is written in place of what, and what is said of it.
    const MISTAKES: &[(&str, &str, &str)] = &[
        (
            "amount = [8, 17]",
            "amount = [17, 8]",
            "own.toml: record.6.amount: lies in columns 17 to 8, expected columns from 2 to 104, the first not after the last",
        ),
        (
            "amount = [8, 17]",
            "amount = [1, 10]",
            "own.toml: record.6.amount: lies in columns 1 to 10, expected columns from 2 to 104, the first not after the last",
        ),
        (
            "amount = [8, 17]",
            "amount = \"8-17\"",
            "own.toml: record.6.amount: expected the first and last column, such as [8, 17]",
        ),
        (
            "amount = [8, 17]",
            "amount = [8, 18]",
            "own.toml: record.6.transit: lies in columns 18-26, over amount in columns 8-18",
        ),
        (
            "amount = [8, 17]\n",
            "",
            "own.toml: record.6.amount: is missing: give its first and last column, such as [8, 17]",
        ),
        (
            "amount = [8, 17]",
            "amuont = [8, 17]",
            "own.toml: record.6.amuont: is not a field of this record; those are batch, item, amount, transit, account, check_number, check_date, remitter, payee",
        ),
        (
            "[record.6]",
            "[record.3]",
            "own.toml: record.3: is not a record of a lockbox file with fields; those are 1, 4, 5, 6, 7, 8, 9",
        ),
        (
            "deposit_date = [15, 20]",
            "deposit_date = [15, 22]",
            "own.toml: record.5.deposit_date: has 8 columns, but YYMMDD has 6 digits",
        ),
        (
            "dates = \"YYMMDD\"",
            "dates = \"YMD\"",
            "own.toml: dates: is \"YMD\", expected one of YYMMDD, MMDDYY, DDMMYY, YYYYMMDD, MMDDYYYY",
        ),
        (
            "dates = \"MMDDYY\"",
            "date = \"MMDDYY\"",
            "own.toml: record.6.check_date.date: is not known here; known are columns, dates",
        ),
        (
            "decimals = 2",
            "decimals = 9",
            "own.toml: decimals: is 9, expected 0 to 5",
        ),
        (
            "sign = \"leading\"",
            "sign = \"left\"",
            "own.toml: sign: is \"left\", expected \"none\", \"leading\" or \"trailing\"",
        ),
        (
            "currency = \"USD\"",
            "currency = \"usd\"",
            "own.toml: currency: is \"usd\": not a currency code (three capital letters, such as USD)",
        ),
        (
            "line_lengths = [80, 94, 104]",
            "line_lengths = []",
            "own.toml: line_lengths: expected a list of line lengths such as [80, 94, 104]",
        ),
        ("name = \"bai-invoice\"\n", "", "own.toml: name: is missing"),
        (
            "name =",
            "nmae =",
            "own.toml: nmae: is not a key of a layout; those are format, name, about, currency, decimals, sign, dates, line_lengths, record",
        ),
        (
            "document_number = [12, 26]\n",
            "",
            "own.toml: record.4.net: is an amount without document_number: say which document it pays",
        ),
        (
            "record_count = [2, 7]",
            "record_count = [2, 40]",
            "own.toml: record.9.record_count: has 39 columns, more than 18 digits",
        ),
    ];

    #[test]
    fn problems_name_file_field_and_what_is_wrong() {
        for (from, to, expected) in MISTAKES {
            assert_eq!(problem(from, to), *expected);
        }
        assert!(
            Layout::parse("own.toml", "format = ")
                .unwrap_err()
                .to_string()
                .starts_with("own.toml: the file: is not TOML")
        );
    }
}
