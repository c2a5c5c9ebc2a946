//! A payment as it stands, and the rows that follow from an action on it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::compute::{concat_batches, take_record_batch};
use tieout_core::schema::{AMOUNT_TYPE, Table, parsed_remittance_lines};
use tieout_core::{Amount, ApplicationStatus, Direction, ItemKind, Reason, Rule, Status};
use tieout_ledger::journal::{EventKind, Journal, PaymentState};

use super::request::Part;
use super::{WRITTEN, refuse};
use crate::EngineError;
use crate::intake::{arrow, column, internal};

/// A payment with the rows of its decision.
pub struct Current<'a> {
    pub journal: &'a Journal,
    payment: RecordBatch,
    applications: Option<RecordBatch>,
    /// Rows of the table `evidence`.
    pub evidence: Option<RecordBatch>,
}

/// What one item gets, with what its row needs.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub part: Part,
    pub number: Option<String>,
    pub party: Option<String>,
    pub currency: String,
}

/// What an action makes of a payment.
pub struct Outcome {
    pub status: Status,
    pub party: Option<String>,
    pub parts: Vec<Resolved>,
    pub on_account: Amount,
    pub unapplied: Amount,
    pub reason: Option<Reason>,
    pub duplicate_of: Option<String>,
    /// Whether the next run decides again.
    pub waits: bool,
}

impl Outcome {
    /// Cash to the items, and the rest of `amount` on account.
    pub fn applied(
        party: Option<String>,
        parts: Vec<Resolved>,
        amount: Amount,
    ) -> Result<Self, EngineError> {
        let cash: Amount = parts.iter().map(|part| part.part.applied).sum();
        let rest = amount - cash;
        if rest.is_negative() {
            return refuse(format!("{cash} is more than the payment's {amount}"));
        }
        if rest.is_positive() && party.is_none() {
            return refuse(format!(
                "{rest} is left and nobody knows whose: name the party"
            ));
        }
        Ok(Self {
            status: if rest.is_zero() {
                Status::Applied
            } else {
                Status::PartiallyApplied
            },
            on_account: rest,
            unapplied: Amount::ZERO,
            reason: None,
            duplicate_of: None,
            waits: false,
            party,
            parts,
        })
    }

    /// Nothing applied, and a person sees to it.
    pub fn open(party: Option<String>, reason: Reason, amount: Amount) -> Self {
        Self {
            status: Status::Unidentified,
            party,
            parts: Vec::new(),
            on_account: Amount::ZERO,
            unapplied: amount,
            reason: Some(reason),
            duplicate_of: None,
            waits: false,
        }
    }

    /// The same, and the next run decides again.
    pub fn waiting(mut self) -> Self {
        self.waits = true;
        self
    }

    /// All on the account of `party`.
    pub fn on_account(party: String, amount: Amount) -> Self {
        Self {
            status: Status::OnAccount,
            on_account: amount,
            unapplied: Amount::ZERO,
            ..Self::open(Some(party), Reason::NoReadingFits, amount)
        }
    }

    /// It repeats the payment `of`.
    pub fn duplicate(party: Option<String>, of: &str, amount: Amount) -> Self {
        Self {
            status: Status::Duplicate,
            duplicate_of: Some(of.to_owned()),
            ..Self::open(party, Reason::ResubmittedPayment, amount)
        }
    }

    /// Cash applied.
    pub fn cash(&self) -> Amount {
        self.parts.iter().map(|part| part.part.applied).sum()
    }
}

impl<'a> Current<'a> {
    /// The payment `id`, whose state is `state`.
    pub fn of(journal: &'a Journal, id: &str, state: &PaymentState) -> Result<Self, EngineError> {
        let (mut payment, mut applications, mut evidence) = (None, None, None);
        for (name, batch) in journal.batches(state.decided_in)? {
            if name == Table::Payments.name() {
                payment = Some(rows_of(&batch, "payment_id", id)?);
            } else if name == Table::Applications.name() {
                applications = Some(rows_of(&batch, "payment_id", id)?);
            } else if name == Table::Evidence.name() {
                evidence = Some(rows_of(&batch, "payment_id", id)?);
            }
        }
        Ok(Self {
            journal,
            payment: payment
                .filter(|rows| rows.num_rows() == 1)
                .ok_or_else(|| internal("the decision does not have its payment"))?,
            applications,
            evidence,
        })
    }

    /// A text of the row of the table `payments`.
    pub fn text(&self, name: &str) -> Option<String> {
        let column = self.payment.column_by_name(name)?.as_string_opt::<i32>()?;
        (!column.is_null(0)).then(|| column.value(0).to_owned())
    }

    /// The customer, if one is known.
    pub fn party(&self) -> Option<String> {
        self.text("party_id")
    }

    /// Why a person had to look.
    pub fn reason(&self) -> Reason {
        let code = self.text("reason").unwrap_or_default();
        Reason::from_code(&code).unwrap_or(Reason::TakenBack)
    }

    /// What is applied or proposed.
    pub fn parts(&self) -> Result<Vec<Resolved>, EngineError> {
        let Some(rows) = &self.applications else {
            return Ok(Vec::new());
        };
        let text = |name| column::<StringArray>(rows, Table::Applications.column(name));
        let amount = |name| column::<Decimal128Array>(rows, Table::Applications.column(name));
        let (items, numbers, parties) = (text("item_id")?, text("item_number")?, text("party_id")?);
        let (currencies, reasons) = (text("currency")?, text("deduction_reason")?);
        let amounts = [
            amount("applied")?,
            amount("discount")?,
            amount("write_off")?,
            amount("deduction")?,
        ];
        let said = |column: &StringArray, row: usize| {
            (!column.is_null(row)).then(|| column.value(row).to_owned())
        };
        let part = |row: usize| {
            let [applied, discount, write_off, deduction] =
                amounts.map(|column| Amount::from_units(column.value(row)));
            Resolved {
                part: Part {
                    item_id: items.value(row).to_owned(),
                    applied,
                    discount,
                    write_off,
                    deduction,
                    deduction_reason: said(reasons, row),
                },
                number: said(numbers, row),
                party: said(parties, row),
                currency: currencies.value(row).to_owned(),
            }
        };
        Ok((0..rows.num_rows()).map(part).collect())
    }

    /// The items that a person names.
    pub fn resolve(&self, parts: &[Part]) -> Result<Vec<Resolved>, EngineError> {
        let mut resolved: Vec<Resolved> = Vec::with_capacity(parts.len());
        for part in parts {
            if resolved
                .iter()
                .any(|known| known.part.item_id == part.item_id)
            {
                return refuse(format!("item {} is named twice", part.item_id));
            }
            resolved.push(self.item(part)?);
        }
        Ok(resolved)
    }

    /// Adds what is written off to the parts of the payment.
    pub fn add(&self, all: &mut Vec<Resolved>, more: &[Part]) -> Result<(), EngineError> {
        for part in more {
            let known = all
                .iter_mut()
                .find(|known| known.part.item_id == part.item_id);
            match known {
                Some(known) => known.part.write_off += part.write_off,
                None => all.push(self.item(part)?),
            }
        }
        Ok(())
    }

    fn item(&self, part: &Part) -> Result<Resolved, EngineError> {
        let Some(state) = self.journal.item(&part.item_id)? else {
            return refuse(format!("there is no item {}", part.item_id));
        };
        let batches = self.journal.batches(state.source.0)?;
        let rows = batches.first().map(|(_, rows)| rows);
        let row = state.source.1 as usize;
        let rows = rows
            .filter(|rows| row < rows.num_rows())
            .ok_or_else(|| internal("the item's row is not there"))?;
        let said = |name| -> Result<Option<String>, EngineError> {
            let column = column::<StringArray>(rows, Table::OpenItems.column(name))?;
            Ok((!column.is_null(row)).then(|| column.value(row).to_owned()))
        };
        let resolved = Resolved {
            part: part.clone(),
            number: said("number")?,
            party: said("party_id")?,
            currency: said("currency")?.unwrap_or_default(),
        };
        let own = self.text("currency").unwrap_or_default();
        let is_credit = said("kind")?
            .and_then(|kind| ItemKind::from_code(&kind))
            .is_some_and(ItemKind::is_credit);
        let comes_in = self.text("direction").as_deref() == Some(Direction::Credit.code());
        let wrong_way = if is_credit {
            part.applied.is_positive()
        } else {
            part.applied.is_negative()
        };
        if comes_in && wrong_way {
            return refuse(format!(
                "item {} {}",
                part.item_id,
                if is_credit {
                    "is a credit: its amount is below zero"
                } else {
                    "is owed: its amount is above zero"
                }
            ));
        }
        if resolved.currency != own {
            return refuse(format!(
                "item {} is in {}, the payment in {own}",
                part.item_id, resolved.currency
            ));
        }
        Ok(resolved)
    }

    /// The rows that follow from `outcome`.
    pub fn tables(
        &self,
        id: &str,
        outcome: &Outcome,
    ) -> Result<Vec<(Table, RecordBatch)>, EngineError> {
        let rows = |table| match table {
            Table::Payments => self.payment_row(outcome),
            Table::Applications => applications(id, outcome),
            Table::Exceptions => exceptions(id, outcome),
            _ => duplicates(id, outcome),
        };
        WRITTEN
            .into_iter()
            .map(|table| Ok((table, rows(table)?)))
            .collect()
    }

    fn payment_row(&self, outcome: &Outcome) -> Result<RecordBatch, EngineError> {
        // By hand or as proposed, the rule says who decided; a run may decide again what waits.
        let rule = if outcome.waits {
            Rule::NoRule
        } else {
            Rule::Person
        };
        let score = if outcome.waits { 0.0 } else { 1.0 };
        let replaced: [(&str, ArrayRef); 9] = [
            ("status", texts([Some(outcome.status.code())])),
            ("party_id", texts([outcome.party.as_deref()])),
            ("applied", amounts([outcome.cash()])),
            ("on_account", amounts([outcome.on_account])),
            ("unapplied", amounts([outcome.unapplied])),
            ("reason", texts([outcome.reason.map(Reason::code)])),
            ("rule", texts([Some(rule.code())])),
            ("score", Arc::new(Float64Array::from(vec![score]))),
            ("margin", Arc::new(Float64Array::from(vec![score]))),
        ];
        let mut columns = self.payment.columns().to_vec();
        for (name, values) in replaced {
            columns[Table::Payments.column(name)] = values;
        }
        RecordBatch::try_new(Table::Payments.schema(), columns).map_err(arrow)
    }
}

fn texts<const N: usize>(values: [Option<&str>; N]) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

fn amounts(values: impl IntoIterator<Item = Amount>) -> ArrayRef {
    let values = values.into_iter().map(|amount| Some(amount.units()));
    Arc::new(
        values
            .collect::<Decimal128Array>()
            .with_data_type(AMOUNT_TYPE),
    )
}

fn applications(id: &str, outcome: &Outcome) -> Result<RecordBatch, EngineError> {
    let parts = &outcome.parts;
    let text = |of: &dyn Fn(&Resolved) -> Option<&str>| -> ArrayRef {
        Arc::new(parts.iter().map(of).collect::<StringArray>())
    };
    let amount = |of: fn(&Part) -> Amount| amounts(parts.iter().map(|part| of(&part.part)));
    let score = Float64Array::from(vec![1.0; parts.len()]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![id; parts.len()])),
        text(&|part| Some(part.part.item_id.as_str())),
        text(&|part| part.number.as_deref()),
        text(&|part| part.party.as_deref()),
        text(&|part| Some(part.currency.as_str())),
        amount(|part| part.applied),
        amount(|part| part.discount),
        amount(|part| part.write_off),
        amount(|part| part.deduction),
        text(&|part| part.part.deduction_reason.as_deref()),
        text(&|_| Some(Rule::Person.code())),
        Arc::new(score),
        text(&|_| Some(ApplicationStatus::Applied.code())),
    ];
    RecordBatch::try_new(Table::Applications.schema(), columns).map_err(arrow)
}

fn exceptions(id: &str, outcome: &Outcome) -> Result<RecordBatch, EngineError> {
    let is_open = matches!(outcome.status, Status::Unidentified | Status::OnAccount);
    let schema = Table::Exceptions.schema();
    if !is_open {
        return Ok(RecordBatch::new_empty(schema));
    }
    let columns = vec![
        texts([Some(id)]),
        texts([Some(outcome.reason.map_or("", Reason::code))]),
        amounts([outcome.on_account + outcome.unapplied]),
        texts([None]),
    ];
    RecordBatch::try_new(schema, columns).map_err(arrow)
}

fn duplicates(id: &str, outcome: &Outcome) -> Result<RecordBatch, EngineError> {
    let schema = Table::Duplicates.schema();
    let Some(of) = &outcome.duplicate_of else {
        return Ok(RecordBatch::new_empty(schema));
    };
    let columns = vec![
        texts([Some(id)]),
        texts([Some(of.as_str())]),
        texts([Some(Rule::Person.code())]),
    ];
    RecordBatch::try_new(schema, columns).map_err(arrow)
}

/// The rows of `batch` whose column `name` is `id`.
fn rows_of(batch: &RecordBatch, name: &str, id: &str) -> Result<RecordBatch, EngineError> {
    let ids = batch
        .column_by_name(name)
        .and_then(|column| column.as_string_opt::<i32>())
        .ok_or_else(|| internal(format!("the rows have no {name}")))?;
    let rows: UInt32Array = (0..batch.num_rows() as u32)
        .filter(|&row| ids.is_valid(row as usize) && ids.value(row as usize) == id)
        .collect();
    take_record_batch(batch, &rows).map_err(arrow)
}

/// The payment as the bank sent it, with its documents, for the next run. All events are walked
/// through, which is rare and spares an index of every line.
pub fn received(journal: &Journal, id: &str) -> Result<(RecordBatch, RecordBatch), EngineError> {
    let mut payment = RecordBatch::new_empty(Table::Transactions.schema());
    let mut lines = Vec::new();
    let mut failed = Ok(());
    journal.events(1, |event| {
        let name = event.subject.as_str();
        let is_own = name == Table::Transactions.name() || name == Table::RemittanceLines.name();
        if event.kind != EventKind::Rows || !is_own {
            return Ok(true);
        }
        for (name, batch) in journal.batches(event.sequence)? {
            let key = if name == Table::Transactions.name() {
                "transaction_id"
            } else {
                "payment_id"
            };
            match rows_of(&batch, key, id) {
                Ok(rows) if rows.num_rows() == 0 => {}
                Ok(rows) if key == "transaction_id" => payment = rows,
                Ok(rows) => lines.push(rows),
                Err(error) => failed = Err(error),
            }
        }
        Ok(failed.is_ok())
    })?;
    failed?;
    if payment.num_rows() != 1 {
        return Err(internal("the payment's line is not in the journal"));
    }
    let schema = parsed_remittance_lines();
    let lines: Result<Vec<RecordBatch>, _> = lines
        .into_iter()
        .map(|rows| {
            let mut columns = rows.columns().to_vec();
            columns[0] = Arc::new(UInt32Array::from(vec![0; rows.num_rows()]));
            RecordBatch::try_new(Arc::clone(&schema), columns)
        })
        .collect();
    let lines = concat_batches(&schema, &lines.map_err(arrow)?).map_err(arrow)?;
    Ok((payment, lines))
}
