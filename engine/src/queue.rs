//! The payments that a person has to look at, with who does and since when.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema};
use serde_json::Value;
use tieout_core::{Amount, Date};
use tieout_ledger::journal::Journal;
use tieout_ledger::{Cells, Ledger, Moment};
use tieout_treasury::{BlockingTreasury, Limits};

use crate::EngineError;
use crate::intake::{arrow, column, internal};
use crate::query::open_as_of;

const QUEUE: &str = "select e.payment_id, e.reason, p.status, p.booking_date, p.currency, \
                     e.amount, p.payer_name, p.party_id, e.candidates \
                     from exceptions e join payments p on p.payment_id = e.payment_id \
                     order by e.amount desc, e.payment_id";

/// Each decision about a payment is a row of its history.
const VERSIONS: &str = "select arrow_cast(h.payment_id, 'Utf8'), count(*) from history.payments h \
                        join exceptions e on e.payment_id = h.payment_id group by 1";

/// Which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueFilter {
    /// Only with this reason.
    pub reason: Option<String>,
    /// Only of this owner; empty for those without one.
    pub owner: Option<String>,
    /// Only in this currency.
    pub currency: Option<String>,
    /// Only of this amount or more.
    pub amount_min: Option<Amount>,
    /// Only that many days old or older.
    pub age_days_min: Option<i64>,
    /// The day that ages are counted to.
    pub today: Date,
}

/// The queue of the ledger in `ledger_dir`, the largest amounts first: payment, reason, status,
/// days since booking, owner, deadline, version, currency, amount, payer, party, candidates.
///
/// # Errors
/// [`EngineError::Ledger`] if there is no ledger, [`EngineError::Query`] if it cannot be read.
pub fn queue(ledger_dir: &Path, filter: &QueueFilter) -> Result<RecordBatch, EngineError> {
    queue_as_of(ledger_dir, None, filter)
}

/// The same as it was known by `moment`; by now where none is given.
///
/// # Errors
/// Those of [`queue`], and [`EngineError::Ledger`] if nothing was recorded by then.
pub fn queue_as_of(
    ledger_dir: &Path,
    moment: Option<Moment>,
    filter: &QueueFilter,
) -> Result<RecordBatch, EngineError> {
    let ledger = open_as_of(ledger_dir, moment)?;
    let journal = ledger.journal()?;
    let treasury = BlockingTreasury::open(&ledger, &Limits::default())?;
    let notes = match moment {
        None => Notes::Now(&journal),
        Some(_) => Notes::then(&ledger, &journal, &treasury)?,
    };
    let rows = treasury.query(QUEUE)?;
    let schema = rows.schema();
    let batches: Vec<RecordBatch> = rows.collect::<Result<_, _>>()?;
    let rows = concat_batches(&schema, &batches).map_err(arrow)?;
    let entries = Entry::all(&rows, &notes, filter.today)?;
    let kept: Vec<u32> = (0..)
        .zip(&entries)
        .filter(|(_, entry)| entry.is_wanted(filter))
        .map(|(row, _)| row)
        .collect();
    let rows = take_record_batch(&rows, &UInt32Array::from(kept.clone())).map_err(arrow)?;
    let entries: Vec<&Entry> = kept
        .iter()
        .filter_map(|&row| entries.get(row as usize))
        .collect();
    with_notes(&rows, &entries)
}

/// Where notes and versions come from.
enum Notes<'a> {
    /// The journal's state.
    Now(&'a Journal),
    /// Its events up to a moment.
    Then {
        notes: HashMap<String, Value>,
        versions: HashMap<String, i64>,
    },
}

impl Notes<'_> {
    fn then(
        ledger: &Ledger,
        journal: &Journal,
        treasury: &BlockingTreasury,
    ) -> Result<Self, EngineError> {
        let last = ledger.last_event()?.map_or(0, |event| event.sequence);
        let mut versions = HashMap::new();
        for batch in treasury.query(VERSIONS)? {
            let batch = batch?;
            let ids = column::<StringArray>(&batch, 0)?;
            let counts = column::<Int64Array>(&batch, 1)?;
            let own = ids.iter().flatten().map(str::to_owned);
            versions.extend(own.zip(counts.values().iter().copied()));
        }
        Ok(Self::Then {
            notes: journal.notes_by(last)?,
            versions,
        })
    }

    /// What people noted about a payment, and how often it was decided.
    fn of(&self, id: &str) -> Result<(Value, Option<i64>), EngineError> {
        match self {
            Self::Now(journal) => {
                let version = journal.payment(id)?.map(|state| state.version as i64);
                Ok((journal.note(id)?, version))
            }
            Self::Then { notes, versions } => Ok((
                notes.get(id).cloned().unwrap_or_default(),
                versions.get(id).copied(),
            )),
        }
    }
}

/// What is not in the tables.
struct Entry {
    reason: String,
    currency: String,
    amount: Amount,
    age_days: Option<i64>,
    owner: Option<String>,
    deadline: Option<String>,
    version: Option<i64>,
}

impl Entry {
    fn all(rows: &RecordBatch, notes: &Notes, today: Date) -> Result<Vec<Self>, EngineError> {
        let cells = Cells::of(rows).map_err(arrow)?;
        let schema = rows.schema();
        let place = |name| schema.index_of(name).map_err(internal);
        let (id, reason) = (place("payment_id")?, place("reason")?);
        let (booked, currency) = (place("booking_date")?, place("currency")?);
        let amount = place("amount")?;
        let entry = |row: usize| {
            let text = |column| cells.text(row, column).unwrap_or_default();
            let (note, version) = notes.of(&text(id))?;
            let said = |name: &str| note[name].as_str().map(str::to_owned);
            let day = text(booked).parse::<Date>().ok();
            Ok(Self {
                reason: text(reason),
                currency: text(currency),
                amount: text(amount).parse().map_err(internal)?,
                age_days: day.map(|day| i64::from(today.days() - day.days())),
                owner: said("owner").filter(|owner| !owner.is_empty()),
                deadline: said("deadline"),
                version,
            })
        };
        (0..cells.rows()).map(entry).collect()
    }

    fn is_wanted(&self, filter: &QueueFilter) -> bool {
        let same =
            |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|wanted| wanted == own);
        same(&filter.reason, &self.reason)
            && same(&filter.currency, &self.currency)
            && same(&filter.owner, self.owner.as_deref().unwrap_or_default())
            && filter.amount_min.is_none_or(|least| self.amount >= least)
            && filter
                .age_days_min
                .is_none_or(|least| self.age_days.is_some_and(|age| age >= least))
    }
}

/// The rows with age, owner, deadline and version beside the status.
fn with_notes(rows: &RecordBatch, entries: &[&Entry]) -> Result<RecordBatch, EngineError> {
    let number = |of: fn(&Entry) -> Option<i64>| -> ArrayRef {
        Arc::new(
            entries
                .iter()
                .map(|entry| of(entry))
                .collect::<Int64Array>(),
        )
    };
    let text = |of: fn(&Entry) -> Option<&str>| -> ArrayRef {
        Arc::new(
            entries
                .iter()
                .map(|entry| of(entry))
                .collect::<StringArray>(),
        )
    };
    let added: [(&str, DataType, ArrayRef); 4] = [
        ("age_days", DataType::Int64, number(|entry| entry.age_days)),
        (
            "owner",
            DataType::Utf8,
            text(|entry| entry.owner.as_deref()),
        ),
        (
            "deadline",
            DataType::Utf8,
            text(|entry| entry.deadline.as_deref()),
        ),
        ("version", DataType::Int64, number(|entry| entry.version)),
    ];
    let schema = rows.schema();
    let own = schema
        .fields()
        .iter()
        .cloned()
        .zip(rows.columns().iter().cloned());
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in own {
        let is_status = field.name() == "status";
        fields.push(field);
        columns.push(column);
        if is_status {
            for (name, kind, values) in added.clone() {
                fields.push(Arc::new(Field::new(name, kind, true)));
                columns.push(values);
            }
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow)
}
