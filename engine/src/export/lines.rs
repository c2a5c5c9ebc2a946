//! The journal lines of one event.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, RecordBatch, StringArray, UInt64Array,
};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Field, Schema, SchemaRef};
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_core::{Amount, ApplicationStatus, Direction, Status};
use tieout_ledger::journal::{Event, EventKind, Journal, what};

use crate::EngineError;
use crate::intake::{arrow, column, internal};

/// The columns of an export.
pub fn schema() -> SchemaRef {
    let field = |name: &str, kind: DataType, optional| Field::new(name, kind, optional);
    Arc::new(Schema::new(vec![
        field("export", DataType::UInt64, false),
        field("event", DataType::UInt64, false),
        field("payment_id", DataType::Utf8, false),
        field("line", DataType::UInt64, false),
        field("booking_date", DataType::Date32, true),
        field("currency", DataType::Utf8, false),
        field("account_type", DataType::Utf8, false),
        field("account", DataType::Utf8, true),
        field("party_id", DataType::Utf8, true),
        field("item_id", DataType::Utf8, true),
        field("item_number", DataType::Utf8, true),
        field("debit", AMOUNT_TYPE, true),
        field("credit", AMOUNT_TYPE, true),
        field("reason", DataType::Utf8, true),
        field("reverses", DataType::Utf8, true),
    ]))
}

/// Lines in the making.
pub struct Lines {
    export: u64,
    event: u64,
    rows: Vec<Line>,
}

/// What a line is about.
#[derive(Clone, Default)]
struct Line {
    payment: String,
    number: u64,
    booked: Option<i32>,
    currency: String,
    kind: &'static str,
    account: Option<String>,
    party: Option<String>,
    item: Option<String>,
    item_number: Option<String>,
    /// Debit above zero, credit below.
    amount: Amount,
    reason: Option<String>,
    /// Whether an earlier decision is taken back.
    reverses: bool,
}

impl Lines {
    pub fn of(export: u64, event: &Event) -> Self {
        Self {
            export,
            event: event.sequence,
            rows: Vec::new(),
        }
    }

    /// Adds the lines of the decisions in event number `sequence`; of those about `only` with the
    /// sides exchanged.
    pub fn decided(
        &mut self,
        journal: &Journal,
        sequence: u64,
        only: Option<&[String]>,
    ) -> Result<(), EngineError> {
        let batches = journal.batches(sequence)?;
        let of = |table: Table| {
            let found = batches.iter().find(|(name, _)| name == table.name());
            found.map(|(_, batch)| batch)
        };
        let Some(payments) = of(Table::Payments) else {
            return Ok(());
        };
        let mut parts = match of(Table::Applications) {
            Some(batch) => parts(batch)?,
            None => HashMap::new(),
        };
        let ids: &StringArray = column(payments, 0)?;
        for row in 0..payments.num_rows() {
            let id = ids.value(row);
            if only.is_some_and(|only| !only.iter().any(|wanted| wanted == id)) {
                continue;
            }
            let applied = parts.remove(id).unwrap_or_default();
            self.payment(payments, row, applied, only.is_some())?;
        }
        Ok(())
    }

    /// Adds, with the sides exchanged, the lines of the decisions that a reversal takes back.
    pub fn take_back(
        &mut self,
        journal: &Journal,
        reversals: &RecordBatch,
    ) -> Result<(), EngineError> {
        let place = |name| Table::Reversals.column(name);
        let kinds: &StringArray = column(reversals, place("what"))?;
        let ids: &StringArray = column(reversals, place("id"))?;
        let postings: &UInt64Array = column(reversals, place("reversed_posting"))?;
        let mut by_posting: HashMap<u64, Vec<String>> = HashMap::new();
        for row in (0..reversals.num_rows()).filter(|&row| kinds.value(row) == what::PAYMENT) {
            let own = by_posting.entry(postings.value(row)).or_default();
            own.push(ids.value(row).to_owned());
        }
        let mut decisions = Vec::new();
        journal.events(1, |event| {
            if event.kind == EventKind::Decisions && by_posting.contains_key(&event.posting) {
                decisions.push((event.sequence, event.posting));
            }
            Ok(event.sequence < self.event)
        })?;
        for (sequence, posting) in decisions {
            self.decided(
                journal,
                sequence,
                by_posting.get(&posting).map(Vec::as_slice),
            )?;
        }
        Ok(())
    }

    fn payment(
        &mut self,
        payments: &RecordBatch,
        row: usize,
        applied: Vec<Line>,
        reverses: bool,
    ) -> Result<(), EngineError> {
        let text = |name| said(payments, name, row);
        let amount = |name| money(payments, name, row);
        if text("status")?.as_deref() == Some(Status::OutOfScope.code()) {
            return Ok(());
        }
        let booked = payments
            .column_by_name("booking_date")
            .and_then(|column| column.as_primitive_opt::<Date32Type>())
            .filter(|column| column.is_valid(row))
            .map(|column| column.value(row));
        let head = Line {
            payment: text("payment_id")?.unwrap_or_default(),
            booked,
            currency: text("currency")?.unwrap_or_default(),
            party: text("party_id")?,
            reverses,
            ..Line::default()
        };
        let cash = Line {
            kind: "cash",
            account: text("account")?,
            amount: amount("amount")?,
            ..head.clone()
        };
        let applied = applied.into_iter().map(|part| Line {
            payment: head.payment.clone(),
            booked,
            currency: head.currency.clone(),
            reverses,
            ..part
        });
        let rest = [("on_account", "on_account"), ("unapplied", "unapplied")]
            .into_iter()
            .map(|(kind, name)| {
                Ok(Line {
                    kind,
                    amount: -amount(name)?,
                    reason: text("reason")?,
                    ..head.clone()
                })
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        let lines = std::iter::once(cash).chain(applied).chain(rest);
        let lines: Vec<Line> = lines.filter(|line| !line.amount.is_zero()).collect();
        // Money that goes out is the same with the sides exchanged.
        let goes_out = text("direction")?.as_deref() == Some(Direction::Debit.code());
        let sum: Amount = lines.iter().map(|line| line.amount).sum();
        if !sum.is_zero() {
            return Err(internal(format!(
                "the lines of payment {} differ by {sum}",
                head.payment
            )));
        }
        for (number, line) in (1..).zip(lines) {
            let amount = if reverses == goes_out {
                line.amount
            } else {
                -line.amount
            };
            self.rows.push(Line {
                number,
                amount,
                ..line
            });
        }
        Ok(())
    }

    /// The lines as rows.
    pub fn finish(self) -> Result<RecordBatch, EngineError> {
        let rows = &self.rows;
        let text = |of: fn(&Line) -> Option<&str>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<StringArray>())
        };
        let side = |of: fn(Amount) -> Option<Amount>| -> ArrayRef {
            let units = rows.iter().map(|line| of(line.amount).map(Amount::units));
            Arc::new(
                units
                    .collect::<Decimal128Array>()
                    .with_data_type(AMOUNT_TYPE),
            )
        };
        let count = |of: &dyn Fn(&Line) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(of)))
        };
        let columns = vec![
            count(&|_| self.export),
            count(&|_| self.event),
            text(|line| Some(&line.payment)),
            count(&|line| line.number),
            Arc::new(rows.iter().map(|line| line.booked).collect::<Date32Array>()),
            text(|line| Some(&line.currency)),
            text(|line| Some(line.kind)),
            text(|line| line.account.as_deref()),
            text(|line| line.party.as_deref()),
            text(|line| line.item.as_deref()),
            text(|line| line.item_number.as_deref()),
            side(|amount| Some(amount).filter(|amount| amount.is_positive())),
            side(|amount| Some(-amount).filter(|amount| amount.is_positive())),
            text(|line| line.reason.as_deref()),
            text(|line| line.reverses.then_some("earlier decision")),
        ];
        RecordBatch::try_new(schema(), columns).map_err(arrow)
    }
}

/// The lines of items, by payment.
fn parts(applications: &RecordBatch) -> Result<HashMap<String, Vec<Line>>, EngineError> {
    let mut by_payment: HashMap<String, Vec<Line>> = HashMap::new();
    for row in 0..applications.num_rows() {
        let text = |name| said(applications, name, row);
        let amount = |name| money(applications, name, row);
        let state = text("status")?;
        let state = state.as_deref().and_then(ApplicationStatus::from_code);
        if state.is_none_or(|state| state == ApplicationStatus::Proposed) {
            continue;
        }
        let item = Line {
            kind: "receivable",
            party: text("party_id")?,
            item: text("item_id")?,
            item_number: text("item_number")?,
            ..Line::default()
        };
        let kept_back = [
            ("discount", amount("discount")?),
            ("write_off", amount("write_off")?),
            ("deduction", amount("deduction")?),
        ];
        let total = kept_back.iter().map(|(_, amount)| *amount).sum::<Amount>();
        let own = by_payment
            .entry(text("payment_id")?.unwrap_or_default())
            .or_default();
        own.push(Line {
            amount: -(amount("applied")? + total),
            ..item.clone()
        });
        let reason = text("deduction_reason")?;
        own.extend(kept_back.into_iter().map(|(kind, amount)| Line {
            kind,
            amount,
            reason: reason.clone().filter(|_| kind == "deduction"),
            ..item.clone()
        }));
    }
    Ok(by_payment)
}

fn said(batch: &RecordBatch, name: &str, row: usize) -> Result<Option<String>, EngineError> {
    let column = batch
        .column_by_name(name)
        .and_then(|column| column.as_string_opt::<i32>())
        .ok_or_else(|| internal(format!("the rows have no {name}")))?;
    Ok(column.is_valid(row).then(|| column.value(row).to_owned()))
}

fn money(batch: &RecordBatch, name: &str, row: usize) -> Result<Amount, EngineError> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Decimal128Type>())
        .map(|column| Amount::from_units(column.value(row)))
        .ok_or_else(|| internal(format!("the rows have no amount {name}")))
}
