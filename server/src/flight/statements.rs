//! Prepared statements: kept by a name that nobody can guess, for the user who prepared them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::Statement;
use parking_lot::Mutex;

use super::rows::no_random;
use crate::access::secret_bytes;
use crate::query::Planned;
use crate::values;
use crate::values::types::{self, oid};
use crate::wire::{Refusal, state};

/// Statements that are kept at a time.
const STATEMENTS_MAX: usize = 10_000;
/// How long a statement is kept that is not used.
const STATEMENT_TIME: Duration = Duration::from_hours(1);

/// A statement, and the values for it.
pub struct Prepared {
    user: String,
    /// What it asks.
    pub statement: Statement,
    /// How it was planned last.
    pub planned: Mutex<Arc<Planned>>,
    /// The values of its parameters, once they are given.
    pub values: Mutex<Vec<ScalarValue>>,
    used: Mutex<Instant>,
}

/// All that are kept.
#[derive(Default)]
pub struct Statements(Mutex<HashMap<Vec<u8>, Arc<Prepared>>>);

impl Statements {
    /// Keeps a statement of `user`; its name.
    ///
    /// # Errors
    /// [`state::PROGRAM_LIMIT_EXCEEDED`] if there are too many.
    pub fn keep(
        &self,
        user: &str,
        statement: Statement,
        planned: Planned,
    ) -> Result<Vec<u8>, Refusal> {
        let name = secret_bytes().ok_or_else(no_random)?.to_vec();
        let mut kept = self.0.lock();
        kept.retain(|_, prepared| prepared.used.lock().elapsed() < STATEMENT_TIME);
        if kept.len() >= STATEMENTS_MAX {
            let found = "there are too many prepared statements; close some";
            return Err(Refusal::new(state::PROGRAM_LIMIT_EXCEEDED, found));
        }
        let prepared = Prepared {
            user: user.to_owned(),
            statement,
            planned: Mutex::new(Arc::new(planned)),
            values: Mutex::default(),
            used: Mutex::new(Instant::now()),
        };
        kept.insert(name.clone(), Arc::new(prepared));
        Ok(name)
    }

    /// The statement of `user` with this name.
    ///
    /// # Errors
    /// [`state::INVALID_SQL_STATEMENT_NAME`] if there is none.
    pub fn get(&self, name: &[u8], user: &str) -> Result<Arc<Prepared>, Refusal> {
        let kept = self.0.lock();
        let prepared = kept.get(name).filter(|prepared| prepared.user == user);
        let prepared = prepared.ok_or_else(|| {
            let found = "there is no such prepared statement, or it was not used for an hour";
            Refusal::new(state::INVALID_SQL_STATEMENT_NAME, found)
        })?;
        *prepared.used.lock() = Instant::now();
        Ok(Arc::clone(prepared))
    }

    /// Forgets it.
    pub fn close(&self, name: &[u8], user: &str) {
        let mut kept = self.0.lock();
        if kept.get(name).is_some_and(|prepared| prepared.user == user) {
            kept.remove(name);
        }
    }
}

/// The parameters as columns `$1`, `$2`, ...
pub fn parameters(planned: &Planned) -> Schema {
    let types = planned.parameters.iter().enumerate();
    let fields = types.map(|(place, &type_oid)| {
        let data_type = type_of(type_oid);
        Field::new(format!("${}", place + 1), data_type, true)
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn type_of(type_oid: u32) -> DataType {
    match types::of_array(type_oid) {
        Some(of) => DataType::List(Arc::new(Field::new_list_field(type_of(of.oid), true))),
        // Amounts: more digits than any has.
        None => types::data_type_of(type_oid).unwrap_or(DataType::Decimal128(38, 10)),
    }
}

/// The values that `rows` gives to the parameters of a statement.
///
/// # Errors
/// A [`Refusal`] if it is not one row with a value for each that fits.
pub fn values(planned: &Planned, rows: &[RecordBatch]) -> Result<Vec<ScalarValue>, Refusal> {
    let mut rows = rows.iter().filter(|batch| batch.num_rows() > 0);
    let row = match (rows.next(), rows.next()) {
        (Some(one), None) if one.num_rows() == 1 => one,
        (None, _) => return Ok(Vec::new()),
        _ => {
            let found = "bind one row of values at a time";
            return Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found));
        }
    };
    let columns = row.columns().iter().enumerate();
    let values = columns.map(|(place, column)| {
        let value = ScalarValue::try_from_array(column, 0).map_err(|error| {
            let found = format!("parameter ${}: {error}", place + 1);
            Refusal::new(state::DATA_EXCEPTION, found)
        })?;
        match planned.parameters.get(place) {
            Some(&type_oid) => fitted(place + 1, type_oid, value),
            // Too many are counted, so that they are refused.
            None => Ok(value),
        }
    });
    values.collect()
}

/// The value as what the statement expects: clients send texts for dates, and other widths.
fn fitted(place: usize, type_oid: u32, value: ScalarValue) -> Result<ScalarValue, Refusal> {
    if value.is_null() {
        return values::parameter(place, type_oid, false, None);
    }
    if let ScalarValue::Utf8(Some(text))
    | ScalarValue::LargeUtf8(Some(text))
    | ScalarValue::Utf8View(Some(text)) = &value
    {
        return values::parameter(place, type_oid, false, Some(text.as_bytes()));
    }
    let wanted = type_of(type_oid);
    if type_oid == oid::NUMERIC || value.data_type() == wanted {
        return Ok(value);
    }
    value.cast_to(&wanted).map_err(|_| {
        let found = format!(
            "parameter ${place}: {value} is no {}",
            types::format_type(type_oid, -1)
        );
        Refusal::new(state::INVALID_TEXT_REPRESENTATION, found)
    })
}
