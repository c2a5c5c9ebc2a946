//! Payments of earlier runs that a line of this run undoes, or whose cheque comes again.
//!
//! Such lines are few, so nothing is indexed for them: where one comes, the bank lines of the days
//! in which its payment can be are read from the journal once, and what has something in common
//! with it takes its place among the lines of this run, with what was decided of it.

use ahash::RandomState;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::Decimal128Type;
use hashbrown::HashMap;
use tieout_core::{Amount, Application, ApplicationStatus, ItemIx, LineId, Status};
use tieout_ledger::journal::Journal;
use tieout_matcher::{Arrived, EarlierOutcome, EarlierPart, Session};

use crate::EngineError;
use crate::carried::Earlier;
use crate::conditions::Conditions;
use crate::intake::{column, internal};

/// Lets the lines of earlier runs that the payments of a batch may undo or repeat stand among
/// those of this run. The batch is the one of [`Session::references`].
///
/// # Errors
/// [`EngineError::Ledger`] if the journal cannot be read.
pub fn carry(
    session: &mut Session,
    earlier: &Earlier,
    conditions: &Conditions,
    (transactions, lines, arrived): (&RecordBatch, &RecordBatch, &Arrived),
) -> Result<(), EngineError> {
    let Some(journal) = earlier.rows() else {
        return Ok(());
    };
    let sought = session.seeks(transactions, lines, arrived);
    let Some(sought) = sought.map_err(internal)? else {
        return Ok(());
    };
    let Some((first, _)) = sought.days else {
        return Ok(());
    };
    let mut decisions = Decided::of(&journal);
    let (mut alike, mut undone) = (Vec::new(), Undone::default());
    for batch in earlier.lines_since(first.days())? {
        let batch = batch?;
        let answers = conditions.answers(&batch)?;
        let batch = conditions.lines_as_matched(&batch)?;
        let ids: &StringArray = column(&batch, 0)?;
        let number = |row: u32| earlier.known_number(ids.value(row as usize).parse().ok()?);
        let found = session.candidates(&batch, &sought, answers.as_ref(), number);
        let found = found.map_err(internal)?;
        for row in found.undoing {
            decisions.note_undone(ids.value(row as usize), &mut undone)?;
        }
        for (row, undoes) in found.alike {
            let id = ids.value(row as usize).to_owned();
            alike.push((id, batch.clone(), (row, undoes)));
        }
    }
    for (id, batch, row) in alike {
        let Some(mut outcome) = decisions.outcome(&id)? else {
            continue;
        };
        outcome.undone = undone.get(id.as_str()).copied().unwrap_or(Amount::ZERO);
        let number = earlier.number_of(id.parse::<LineId>().map_err(internal)?);
        session
            .carry_line(number, &batch, row, &outcome)
            .map_err(internal)?;
    }
    Ok(())
}

/// How much of each payment has been undone, by its identifier.
type Undone = HashMap<String, Amount, RandomState>;

/// Decisions of earlier runs, as the journal has them.
pub struct Decided<'a> {
    journal: &'a Journal,
    /// The rows of each event that was asked for.
    events: HashMap<u64, Event, RandomState>,
}

/// The tables of one event, with the rows of its payments.
struct Event {
    payments: Option<RecordBatch>,
    applications: Option<RecordBatch>,
    rows: HashMap<String, usize, RandomState>,
}

impl Event {
    fn read(journal: &Journal, sequence: u64) -> Result<Self, EngineError> {
        let mut event = Self {
            payments: None,
            applications: None,
            rows: HashMap::default(),
        };
        for (name, batch) in journal.batches(sequence)? {
            match name.as_str() {
                "payments" => {
                    let ids: &StringArray = column(&batch, 0)?;
                    let ids = ids.iter().map(|id| id.unwrap_or_default().to_owned());
                    event.rows = ids.zip(0..).collect();
                    event.payments = Some(batch);
                }
                "applications" => event.applications = Some(batch),
                _ => {}
            }
        }
        Ok(event)
    }

    /// The row of a payment.
    fn payment(&self, id: &str) -> Option<Row<'_>> {
        Some(Row {
            batch: self.payments.as_ref()?,
            row: *self.rows.get(id)?,
        })
    }

    /// What a payment did to items, and whether it has opened them.
    fn parts(&self, id: &str) -> (Vec<EarlierPart>, bool) {
        let (mut parts, mut opens) = (Vec::new(), false);
        let Some(batch) = &self.applications else {
            return (parts, opens);
        };
        for row in (0..batch.num_rows()).map(|row| Row { batch, row }) {
            let status = row.text("status").and_then(ApplicationStatus::from_code);
            let took = matches!(
                status,
                Some(ApplicationStatus::Applied | ApplicationStatus::Reversed)
            );
            if !took || row.text("payment_id") != Some(id) {
                continue;
            }
            opens = status == Some(ApplicationStatus::Reversed);
            let text = |name| row.text(name).map(str::to_owned);
            let application = Application {
                item: ItemIx(0),
                applied: row.amount("applied"),
                discount: row.amount("discount"),
                write_off: row.amount("write_off"),
                deduction: row.amount("deduction"),
                deduction_reason: row.text("deduction_reason").map(Into::into),
            };
            parts.push(EarlierPart {
                item_id: text("item_id").unwrap_or_default(),
                item_number: text("item_number").unwrap_or_default(),
                party_id: text("party_id"),
                application,
            });
        }
        (parts, opens)
    }
}

/// One row of a batch.
#[derive(Clone, Copy)]
struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl<'a> Row<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        let column: &StringArray = self.batch.column_by_name(name)?.as_string_opt()?;
        (!column.is_null(self.row)).then(|| column.value(self.row))
    }

    fn amount(&self, name: &str) -> Amount {
        let column = self.batch.column_by_name(name);
        let column = column.and_then(|column| column.as_primitive_opt::<Decimal128Type>());
        column.map_or(Amount::ZERO, |column| {
            Amount::from_units(column.value(self.row))
        })
    }

    fn status(&self) -> Option<Status> {
        Status::from_code(self.text("status")?)
    }
}

impl<'a> Decided<'a> {
    /// Nothing asked for yet.
    pub fn of(journal: &'a Journal) -> Self {
        Self {
            journal,
            events: HashMap::default(),
        }
    }

    /// The event that decided a payment, if its decision stands.
    fn event(&mut self, id: &str) -> Result<Option<&Event>, EngineError> {
        let state = self.journal.payment(id)?;
        let Some(state) = state.filter(|state| state.status.is_some()) else {
            return Ok(None);
        };
        let sequence = state.decided_in;
        if !self.events.contains_key(&sequence) {
            let event = Event::read(self.journal, sequence)?;
            self.events.insert(sequence, event);
        }
        Ok(self.events.get(&sequence))
    }

    /// What became of a payment.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn outcome(&mut self, id: &str) -> Result<Option<EarlierOutcome>, EngineError> {
        let Some(event) = self.event(id)? else {
            return Ok(None);
        };
        let Some(payment) = event.payment(id) else {
            return Ok(None);
        };
        let Some(status) = payment.status() else {
            return Ok(None);
        };
        let (parts, opens) = event.parts(id);
        Ok(Some(EarlierOutcome {
            status,
            party_id: payment.text("party_id").map(str::to_owned),
            parts,
            opens,
            on_account: payment.amount("on_account"),
            undone: Amount::ZERO,
        }))
    }

    /// Notes what the line `id` has undone, if it has.
    fn note_undone(&mut self, id: &str, undone: &mut Undone) -> Result<(), EngineError> {
        let Some(event) = self.event(id)? else {
            return Ok(());
        };
        let Some(payment) = event.payment(id) else {
            return Ok(());
        };
        let counts = !matches!(
            payment.status(),
            None | Some(Status::Proposed | Status::Unidentified)
        );
        if let Some(original) = payment.text("reverses").filter(|_| counts) {
            let sum = undone.entry(original.to_owned()).or_insert(Amount::ZERO);
            *sum += payment.amount("amount");
        }
        Ok(())
    }
}
