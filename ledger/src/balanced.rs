//! The second look at what the matcher has promised, where rows leave for good.

use arrow::array::{Array, Decimal128Array, RecordBatch, StringArray};
use tieout_core::Amount;
use tieout_core::schema::Table;

use crate::LedgerError;

/// Refuses rows that are not of `table`, and payments that do not add up.
pub(crate) fn check(table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
    check_shape(table, batch)?;
    match table {
        Table::Payments => check_payments(batch),
        _ => Ok(()),
    }
}

fn check_shape(table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
    let (expected, found) = (table.schema(), batch.schema_ref());
    if std::sync::Arc::ptr_eq(&expected, found) || expected.fields() == found.fields() {
        return Ok(());
    }
    Err(shape(
        table,
        &format!("the columns are {:?}", found.fields()),
    ))
}

fn check_payments(batch: &RecordBatch) -> Result<(), LedgerError> {
    let [amounts, applied, on_account, unapplied] = [
        units(batch, "amount")?,
        units(batch, "applied")?,
        units(batch, "on_account")?,
        units(batch, "unapplied")?,
    ];
    let parts = applied.iter().zip(on_account).zip(unapplied);
    let wrong = amounts
        .iter()
        .zip(parts)
        .position(|(amount, ((a, b), c))| *amount != a + b + c);
    match wrong {
        None => Ok(()),
        Some(row) => Err(LedgerError::Unbalanced {
            payment_id: payment_id(batch, row),
            amount: Amount::from_units(amounts[row]),
            applied: Amount::from_units(applied[row]),
            on_account: Amount::from_units(on_account[row]),
            unapplied: Amount::from_units(unapplied[row]),
        }),
    }
}

fn units<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a [i128], LedgerError> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref::<Decimal128Array>())
        .map(|column| &column.values()[..])
        .ok_or_else(|| shape(Table::Payments, &format!("{name} is no amount")))
}

fn payment_id(batch: &RecordBatch, row: usize) -> String {
    batch
        .column(0)
        .as_any()
        .downcast_ref::<StringArray>()
        .map_or_else(String::new, |ids| ids.value(row).to_owned())
}

fn shape(table: Table, found: &str) -> LedgerError {
    LedgerError::Shape {
        table: table.name(),
        found: found.to_owned(),
    }
}
