//! Admission of bank lines: what came before adds nothing, true twins both stay.

use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch, StringArray, StringBuilder,
    UInt32Array,
};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use hashbrown::HashMap;
use tieout_core::schema::Table;
use tieout_core::{Admission, Finding, FindingCode, Identities, LineId, Severity};

use crate::EngineError;

/// Bank lines that are new, as the table `transactions`, with the documents inside them.
pub struct Admitted {
    /// The lines, under their final identifiers.
    pub transactions: RecordBatch,
    /// Their documents; the first column is the row of the line.
    pub remittance_lines: RecordBatch,
    /// Their identifiers.
    pub ids: Vec<LineId>,
    /// Lines that an earlier delivery had brought.
    pub known_before: u64,
}

/// What all files so far have brought.
#[derive(Default)]
pub struct Intake {
    /// How many of a line earlier runs have brought, of those that this one has too.
    pub before: std::collections::HashMap<LineId, u32, RandomState>,
    identities: Identities,
    /// The currency of each account, and whether another was reported.
    currencies: HashMap<String, (String, bool), RandomState>,
    account: (String, String),
}

impl Intake {
    /// Admits the new lines of a parsed batch of delivery number `delivery`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batches do not have their shapes.
    pub fn admit(
        &mut self,
        delivery: u32,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
    ) -> Result<Admitted, EngineError> {
        let identities = column::<FixedSizeBinaryArray>(transactions, 0)?;
        let rows = transactions.num_rows();
        let mut keep = Vec::with_capacity(rows);
        let mut ids = Vec::with_capacity(rows);
        let mut texts = StringBuilder::with_capacity(rows, rows * 32);
        for row in 0..rows {
            let bytes = identities.value(row).try_into().unwrap_or_default();
            let admission =
                self.identities
                    .admit_after(delivery, LineId::from_bytes(bytes), |content| {
                        self.before.get(content).copied().unwrap_or_default()
                    });
            keep.push(matches!(admission, Admission::New(_)));
            if let Admission::New(id) = admission {
                ids.push(id);
                let hex = id.to_hex();
                texts.append_value(std::str::from_utf8(&hex).unwrap_or_default());
            }
        }
        let new = keep.iter().filter(|&&kept| kept).count();
        let (transactions, remittance_lines) = if new == rows {
            (transactions.clone(), remittance_lines.clone())
        } else {
            keep_rows(transactions, remittance_lines, keep)?
        };
        Ok(Admitted {
            transactions: with_ids(&transactions, Arc::new(texts.finish()))?,
            remittance_lines,
            ids,
            known_before: (rows - new) as u64,
        })
    }

    /// Says where an account has lines in a second currency, once for each account.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batch does not have its shape.
    pub fn currency_conflicts(&mut self, batch: &RecordBatch) -> Result<Vec<Finding>, EngineError> {
        let text = |name| column::<StringArray>(batch, Table::Transactions.column(name));
        let (accounts, currencies) = (text("account")?, text("currency")?);
        let files = text("source_file")?;
        let lines =
            column::<arrow::array::UInt64Array>(batch, Table::Transactions.column("source_line"))?;
        let mut findings = Vec::new();
        for row in 0..batch.num_rows() {
            let (account, currency) = (accounts.value(row), currencies.value(row));
            let same = self.account.0 == account && self.account.1 == currency;
            if same || accounts.is_null(row) {
                continue;
            }
            self.account = (account.to_owned(), currency.to_owned());
            let known = self
                .currencies
                .entry(account.to_owned())
                .or_insert_with(|| (currency.to_owned(), false));
            if known.0 != currency && !known.1 {
                known.1 = true;
                findings.push(conflict(
                    files.value(row),
                    lines.value(row),
                    account,
                    currency,
                    &known.0,
                ));
            }
        }
        Ok(findings)
    }
}

fn conflict(file: &str, line: u64, account: &str, currency: &str, known: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: FindingCode::CurrencyConflict,
        file: file.to_owned(),
        line: Some(line),
        found: format!("account {account} with a line in {currency}"),
        expected: format!("{known}, the currency of its lines so far"),
        action: "check with the bank whether these are two accounts of one number; amounts of \
                 the two currencies are kept apart"
            .to_owned(),
    }
}

/// A column of a known type.
///
/// # Errors
/// [`EngineError::Internal`] if it is of another.
pub fn column<T: 'static>(batch: &RecordBatch, place: usize) -> Result<&T, EngineError> {
    batch
        .column(place)
        .as_any()
        .downcast_ref()
        .ok_or_else(|| internal(format!("column {place} is of an unexpected type")))
}

fn keep_rows(
    transactions: &RecordBatch,
    remittance_lines: &RecordBatch,
    keep: Vec<bool>,
) -> Result<(RecordBatch, RecordBatch), EngineError> {
    let owners = column::<UInt32Array>(remittance_lines, 0)?;
    let kept_lines: BooleanArray = owners
        .values()
        .iter()
        .map(|&owner| Some(keep[owner as usize]))
        .collect();
    let lines = filter_record_batch(remittance_lines, &kept_lines).map_err(arrow)?;
    let mut place = 0;
    let places: Vec<u32> = keep
        .iter()
        .map(|&kept| {
            let here = place;
            place += u32::from(kept);
            here
        })
        .collect();
    let lines = renumber(&lines, |owner| places[owner as usize])?;
    let transactions =
        filter_record_batch(transactions, &BooleanArray::from(keep)).map_err(arrow)?;
    Ok((transactions, lines))
}

/// The lines with other rows of their owners in the first column.
///
/// # Errors
/// [`EngineError::Internal`] if the first column is no row number.
pub fn renumber(
    lines: &RecordBatch,
    place: impl Fn(u32) -> u32,
) -> Result<RecordBatch, EngineError> {
    let owners = column::<UInt32Array>(lines, 0)?;
    let renumbered: UInt32Array = owners
        .values()
        .iter()
        .map(|&owner| Some(place(owner)))
        .collect();
    let mut columns = lines.columns().to_vec();
    columns[0] = Arc::new(renumbered);
    RecordBatch::try_new(lines.schema(), columns).map_err(arrow)
}

fn with_ids(transactions: &RecordBatch, ids: ArrayRef) -> Result<RecordBatch, EngineError> {
    let mut columns = transactions.columns().to_vec();
    columns[0] = ids;
    RecordBatch::try_new(Table::Transactions.schema(), columns).map_err(arrow)
}

/// A batch that could not be built is a mistake in the program.
pub fn arrow(error: ArrowError) -> EngineError {
    internal(error)
}

/// A mistake in the program.
#[expect(
    clippy::needless_pass_by_value,
    reason = "errors are handed over by `map_err`"
)]
pub fn internal(message: impl ToString) -> EngineError {
    EngineError::Internal(message.to_string())
}
