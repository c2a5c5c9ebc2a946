//! Checks a layout's TOML key by key, so that each mistake is named with its place.

use tieout_core::Currency;
use toml::{Table, Value};

use super::columns::{AmountColumns, Columns, DateColumns, DateOrder, Sign};
use super::layout::{
    BatchColumns, CheckColumns, Layout, LayoutError, RemittanceColumns, TotalColumns,
};

/// Columns that a line of a lockbox file may have at most.
const LINE_LENGTH_MAX: usize = 1_000;
/// Digits of the widest number that is read.
const NUMBER_WIDTH_MAX: usize = 18;

/// The fields that a layout may place, by record, with whether it must.
const FIELDS: [(&str, &[(&str, bool)]); 7] = [
    ("1", &[("date", false)]),
    ("5", &[("lockbox", true), ("deposit_date", true)]),
    (
        "6",
        &[
            ("batch", true),
            ("item", true),
            ("amount", true),
            ("transit", false),
            ("account", false),
            ("check_number", false),
            ("check_date", false),
            ("remitter", false),
            ("payee", false),
        ],
    ),
    (
        "4",
        &[
            ("batch", true),
            ("item", true),
            ("sequence", false),
            ("indicator", false),
            ("document_number", false),
            ("net", false),
            ("deduction", false),
            ("reason", false),
            ("text", false),
        ],
    ),
    (
        "7",
        &[("lockbox", false), ("check_count", false), ("total", true)],
    ),
    (
        "8",
        &[("lockbox", false), ("check_count", false), ("total", true)],
    ),
    ("9", &[("record_count", true)]),
];

const KEYS: [&str; 9] = [
    "format",
    "name",
    "about",
    "currency",
    "decimals",
    "sign",
    "dates",
    "line_lengths",
    "record",
];

/// A layout's TOML while it is checked.
pub(super) struct Plan<'a> {
    file: &'a str,
    table: &'a Table,
    line_length_max: usize,
    currency: Currency,
    decimals: u32,
    sign: Sign,
    dates: DateOrder,
}

impl<'a> Plan<'a> {
    /// Checks the keys, records and fields of `table`.
    pub fn of(file: &'a str, table: &'a Table) -> Result<Self, LayoutError> {
        let mut plan = Self {
            file,
            table,
            line_length_max: LINE_LENGTH_MAX,
            currency: Currency::USD,
            decimals: 2,
            sign: Sign::Never,
            dates: DateOrder::YearMonthDay,
        };
        plan.check_keys()?;
        if plan.text("format")? != "lockbox" {
            return Err(plan.wrong("format", "is not \"lockbox\", the only kind of layout"));
        }
        plan.line_length_max = plan.longest_line()?;
        plan.currency = plan.currency_code()?;
        plan.decimals = plan.decimals_of(table, "decimals", plan.currency.exponent())?;
        plan.sign = plan.sign_of(table, "sign", Sign::Never)?;
        plan.dates = plan.dates_of(table, "dates", DateOrder::YearMonthDay)?;
        plan.check_records()?;
        Ok(plan)
    }

    /// The layout that the table describes.
    pub fn layout(&self) -> Result<Layout, LayoutError> {
        let layout = Layout {
            name: self.text("name")?,
            about: self.text("about")?,
            currency: self.currency,
            line_length_max: self.line_length_max,
            file_date: self.optional("1", "date", Self::date)?,
            batch: BatchColumns {
                lockbox: self.columns("5", "lockbox")?,
                deposit_date: self.date("5", "deposit_date")?,
            },
            check: self.check()?,
            remittance: self.remittance()?,
            batch_total: self.total("7")?,
            lockbox_total: self.total("8")?,
            record_count: self.number("9", "record_count")?,
        };
        let remittance = &layout.remittance;
        if remittance.document_number.is_none() && remittance.text.is_none() {
            return Err(self.wrong(
                "record.4",
                "has neither document_number nor text: nothing would be read of it",
            ));
        }
        if remittance.net.is_some() && remittance.document_number.is_none() {
            return Err(self.wrong(
                "record.4.net",
                "is an amount without document_number: say which document it pays",
            ));
        }
        Ok(layout)
    }

    fn check(&self) -> Result<CheckColumns, LayoutError> {
        Ok(CheckColumns {
            batch: self.columns("6", "batch")?,
            item: self.columns("6", "item")?,
            amount: self.amount("6", "amount")?,
            transit: self.optional("6", "transit", Self::columns)?,
            account: self.optional("6", "account", Self::columns)?,
            check_number: self.optional("6", "check_number", Self::columns)?,
            check_date: self.optional("6", "check_date", Self::date)?,
            remitter: self.optional("6", "remitter", Self::columns)?,
        })
    }

    fn remittance(&self) -> Result<RemittanceColumns, LayoutError> {
        Ok(RemittanceColumns {
            batch: self.columns("4", "batch")?,
            item: self.columns("4", "item")?,
            sequence: self.optional("4", "sequence", Self::number)?,
            indicator: self.optional("4", "indicator", Self::columns)?,
            document_number: self.optional("4", "document_number", Self::columns)?,
            net: self.optional("4", "net", Self::amount)?,
            deduction: self.optional("4", "deduction", Self::amount)?,
            reason: self.optional("4", "reason", Self::columns)?,
            text: self.optional("4", "text", Self::columns)?,
        })
    }

    fn total(&self, record: &str) -> Result<TotalColumns, LayoutError> {
        Ok(TotalColumns {
            check_count: self.optional(record, "check_count", Self::number)?,
            total: self.amount(record, "total")?,
        })
    }

    fn wrong(&self, field: &str, problem: impl Into<String>) -> LayoutError {
        LayoutError {
            file: self.file.to_owned(),
            field: field.to_owned(),
            problem: problem.into(),
        }
    }

    fn check_keys(&self) -> Result<(), LayoutError> {
        match self.table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            Some(key) => Err(self.wrong(
                key,
                format!("is not a key of a layout; those are {}", KEYS.join(", ")),
            )),
            None => Ok(()),
        }
    }

    fn text(&self, key: &str) -> Result<String, LayoutError> {
        match self.table.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
            Some(other) => Err(self.wrong(key, format!("is {other}, expected a text"))),
            None => Err(self.wrong(key, "is missing")),
        }
    }

    fn longest_line(&self) -> Result<usize, LayoutError> {
        let expected = "expected a list of line lengths such as [80, 94, 104]";
        let Some(Value::Array(lengths)) = self.table.get("line_lengths") else {
            return Err(self.wrong("line_lengths", expected));
        };
        let mut longest = None;
        for length in lengths {
            match length.as_integer() {
                Some(length) if (1..=LINE_LENGTH_MAX as i64).contains(&length) => {
                    longest = longest.max(Some(length as usize));
                }
                _ => return Err(self.wrong("line_lengths", format!("has {length}; {expected}"))),
            }
        }
        longest.ok_or_else(|| self.wrong("line_lengths", expected))
    }

    fn currency_code(&self) -> Result<Currency, LayoutError> {
        if !self.table.contains_key("currency") {
            return Ok(Currency::USD);
        }
        let code = self.text("currency")?;
        code.parse()
            .map_err(|error| self.wrong("currency", format!("is \"{code}\": {error}")))
    }

    fn decimals_of(&self, table: &Table, key: &str, absent: u32) -> Result<u32, LayoutError> {
        match table.get(key) {
            None => Ok(absent),
            Some(Value::Integer(decimals @ 0..=5)) => Ok(*decimals as u32),
            Some(other) => Err(self.wrong(key, format!("is {other}, expected 0 to 5"))),
        }
    }

    fn sign_of(&self, table: &Table, key: &str, absent: Sign) -> Result<Sign, LayoutError> {
        match table.get(key).map(|value| (value, value.as_str())) {
            None => Ok(absent),
            Some((_, Some("none"))) => Ok(Sign::Never),
            Some((_, Some("leading"))) => Ok(Sign::Leading),
            Some((_, Some("trailing"))) => Ok(Sign::Trailing),
            Some((other, _)) => Err(self.wrong(
                key,
                format!("is {other}, expected \"none\", \"leading\" or \"trailing\""),
            )),
        }
    }

    fn dates_of(
        &self,
        table: &Table,
        key: &str,
        absent: DateOrder,
    ) -> Result<DateOrder, LayoutError> {
        let Some(value) = table.get(key) else {
            return Ok(absent);
        };
        let known = DateOrder::ALL
            .iter()
            .find(|(_, name)| value.as_str() == Some(name));
        known.map(|(order, _)| *order).ok_or_else(|| {
            let names = DateOrder::ALL.map(|(_, name)| name).join(", ");
            self.wrong(key, format!("is {value}, expected one of {names}"))
        })
    }

    /// Every record and field has a known name, no two fields of a record overlap, and what
    /// must be there is.
    fn check_records(&self) -> Result<(), LayoutError> {
        let Some(Value::Table(records)) = self.table.get("record") else {
            let problem = "is missing: give the tables record.1 to record.9";
            return Err(self.wrong("record", problem));
        };
        for (record, fields) in records {
            let known = FIELDS.iter().find(|(name, _)| name == record);
            let (Some((_, known)), Value::Table(fields)) = (known, fields) else {
                return Err(self.wrong(
                    &format!("record.{record}"),
                    "is not a record of a lockbox file with fields; those are 1, 4, 5, 6, 7, 8, 9",
                ));
            };
            self.check_fields(record, fields, known)?;
        }
        for (record, fields) in FIELDS {
            for (field, _) in fields.iter().filter(|(_, must)| *must) {
                if self.field(record, field).is_none() {
                    return Err(self.wrong(
                        &format!("record.{record}.{field}"),
                        "is missing: give its first and last column, such as [8, 17]",
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_fields(
        &self,
        record: &str,
        fields: &Table,
        known: &[(&str, bool)],
    ) -> Result<(), LayoutError> {
        let mut placed: Vec<(Columns, &str)> = Vec::new();
        for field in fields.keys() {
            let path = format!("record.{record}.{field}");
            if !known.iter().any(|(name, _)| name == field) {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                let problem = format!(
                    "is not a field of this record; those are {}",
                    names.join(", ")
                );
                return Err(self.wrong(&path, problem));
            }
            let columns = self.columns(record, field)?;
            let overlap = placed
                .iter()
                .find(|(other, _)| columns.start < other.end && other.start < columns.end);
            if let Some((other, name)) = overlap {
                let problem = format!(
                    "lies in {}, over {name} in {}",
                    columns.spoken(),
                    other.spoken()
                );
                return Err(self.wrong(&path, problem));
            }
            placed.push((columns, field));
        }
        Ok(())
    }

    fn field(&self, record: &str, field: &str) -> Option<&'a Value> {
        self.table.get("record")?.get(record)?.get(field)
    }

    fn optional<T>(
        &self,
        record: &str,
        field: &str,
        read: impl Fn(&Self, &str, &str) -> Result<T, LayoutError>,
    ) -> Result<Option<T>, LayoutError> {
        self.field(record, field)
            .map(|_| read(self, record, field))
            .transpose()
    }

    fn columns(&self, record: &str, field: &str) -> Result<Columns, LayoutError> {
        let value = self.field(record, field);
        let pair = match value {
            Some(Value::Table(table)) => table.get("columns"),
            other => other,
        };
        let numbers = pair
            .and_then(Value::as_array)
            .map(|pair| pair.iter().map(Value::as_integer).collect::<Vec<_>>());
        let path = format!("record.{record}.{field}");
        match numbers.as_deref() {
            Some([Some(first), Some(last)])
                if *first >= 2 && first <= last && *last <= self.line_length_max as i64 =>
            {
                Ok(Columns {
                    start: *first as usize - 1,
                    end: *last as usize,
                })
            }
            Some([Some(first), Some(last)]) => Err(self.wrong(
                &path,
                format!(
                    "lies in columns {first} to {last}, expected columns from 2 to {}, the first \
                     not after the last",
                    self.line_length_max
                ),
            )),
            _ => Err(self.wrong(&path, "expected the first and last column, such as [8, 17]")),
        }
    }

    /// Columns for a whole number.
    fn number(&self, record: &str, field: &str) -> Result<Columns, LayoutError> {
        let columns = self.columns(record, field)?;
        if columns.width() > NUMBER_WIDTH_MAX {
            let problem = format!("has {} columns, more than 18 digits", columns.width());
            return Err(self.wrong(&format!("record.{record}.{field}"), problem));
        }
        Ok(columns)
    }

    fn amount(&self, record: &str, field: &str) -> Result<AmountColumns, LayoutError> {
        let columns = self.number(record, field)?;
        let (mut decimals, mut sign) = (self.decimals, self.sign);
        if let Some(Value::Table(own)) = self.field(record, field) {
            self.check_own_keys(record, field, own, &["columns", "decimals", "sign"])?;
            decimals = self.decimals_of(own, "decimals", decimals)?;
            sign = self.sign_of(own, "sign", sign)?;
        }
        Ok(AmountColumns {
            columns,
            decimals,
            sign,
        })
    }

    fn date(&self, record: &str, field: &str) -> Result<DateColumns, LayoutError> {
        let columns = self.columns(record, field)?;
        let mut order = self.dates;
        if let Some(Value::Table(own)) = self.field(record, field) {
            self.check_own_keys(record, field, own, &["columns", "dates"])?;
            order = self.dates_of(own, "dates", order)?;
        }
        if columns.width() != order.name().len() {
            let problem = format!(
                "has {} columns, but {} has {} digits",
                columns.width(),
                order.name(),
                order.name().len()
            );
            return Err(self.wrong(&format!("record.{record}.{field}"), problem));
        }
        Ok(DateColumns { columns, order })
    }

    fn check_own_keys(
        &self,
        record: &str,
        field: &str,
        own: &Table,
        known: &[&str],
    ) -> Result<(), LayoutError> {
        match own.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(self.wrong(
                &format!("record.{record}.{field}.{key}"),
                format!("is not known here; known are {}", known.join(", ")),
            )),
            None => Ok(()),
        }
    }
}
