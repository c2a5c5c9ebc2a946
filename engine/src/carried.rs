//! What earlier runs of a ledger have left, and what a run asks its journal: whether a line, a
//! cheque or a file came before.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{
    Array, BooleanArray, Decimal128Array, FixedSizeBinaryArray, RecordBatch, StringArray,
};
use arrow::compute::filter_record_batch;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tieout_core::schema::Table;
use tieout_core::{Amount, Currency, Date, LineId};
use tieout_ledger::Reversed;
use tieout_ledger::journal::{self, ItemRows, Journal, KnownFile, PURGED_TEXT, Place, what};
use tieout_matcher::{Arrivals, CARRIED, CarriedItem, Lesson, LockboxTotals, Session};

use crate::EngineError;
use crate::conditions::Conditions;
use crate::intake::{Intake, arrow, column, internal};
use crate::redelivery::Redelivery;
use crate::report::Report;
use crate::standing::Standing;
use crate::statements::Statements;

/// The delivery that rows of earlier runs count as.
const EARLIER: u32 = u32::MAX;

/// The ledger as a run finds it; empty for a run without one, and for the first.
#[derive(Default)]
pub struct Earlier {
    journal: Option<Arc<Journal>>,
    /// What is carried over.
    pub left: journal::Carried,
    numbers: Mutex<Numbers>,
}

/// A cheque that an earlier payment has brought.
pub struct SeenCheque<'a> {
    /// The row that has it.
    pub row: usize,
    account: &'a str,
    number: &'a str,
    amount: Amount,
    currency: Currency,
    /// That payment.
    pub payment: LineId,
}

/// Payments of earlier runs that this one speaks of.
#[derive(Default)]
struct Numbers {
    ids: Vec<LineId>,
    by_id: HashMap<LineId, u32, RandomState>,
}

impl Earlier {
    /// What the ledger with this journal has left.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal is damaged.
    pub fn of(journal: Arc<Journal>) -> Result<Self, EngineError> {
        Ok(Self {
            left: journal.carried()?,
            journal: Some(journal),
            ..Self::default()
        })
    }

    /// The journal, if there is a ledger.
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_deref()
    }

    /// The items that earlier runs have left, those whose rows are in the places `closed` among
    /// them.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read; what `take` returns.
    pub fn items_left(
        &self,
        closed: &[Place],
        take: impl FnMut(ItemRows) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        match &self.journal {
            Some(journal) => journal.items_left(closed, take),
            None => Ok(()),
        }
    }

    /// Whether there is nothing: no ledger, or a new one.
    pub fn is_none(&self) -> bool {
        self.left.cutoff.is_none()
    }

    /// The journal that knows the rows of earlier runs, if there were any.
    pub fn rows(&self) -> Option<Arc<Journal>> {
        self.journal.clone().filter(|_| !self.is_none())
    }

    /// The posting of the row with the identity `id`, if an earlier run has brought it.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn row_posting(&self, id: LineId) -> Result<Option<u64>, EngineError> {
        match &self.journal {
            Some(journal) => Ok(journal.row_posting(id)?),
            None => Ok(None),
        }
    }

    /// The number by which this run knows an earlier payment.
    pub fn number_of(&self, id: LineId) -> u32 {
        let mut numbers = self.numbers.lock();
        let next = CARRIED + numbers.ids.len() as u32;
        let number = *numbers.by_id.entry(id).or_insert(next);
        if number == next {
            numbers.ids.push(id);
        }
        number
    }

    /// The same, if this run has spoken of it before.
    pub fn known_number(&self, id: LineId) -> Option<u32> {
        self.numbers.lock().by_id.get(&id).copied()
    }

    /// The earlier payment with this number.
    pub fn id(&self, number: u32) -> Option<LineId> {
        let place = number.checked_sub(CARRIED)?;
        self.numbers.lock().ids.get(place as usize).copied()
    }

    /// The file with this digest, if an earlier run has read it.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn file(&self, digest: &str) -> Result<Option<KnownFile>, EngineError> {
        match self.journal.as_ref().filter(|_| !digest.is_empty()) {
            Some(journal) => Ok(journal.file(digest)?),
            None => Ok(None),
        }
    }

    /// Rows of the table `transactions` of earlier runs, those of the day `first` or later among
    /// them.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn lines_since(
        &self,
        first: i32,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, EngineError>> + '_, EngineError> {
        /// Days between the dates of one movement in two reports, and as many again.
        const DAYS_BEFORE: i32 = 6;
        let journal = self.journal.as_ref().filter(|_| !self.is_none());
        let events = match journal {
            Some(journal) => journal.lines_since(first.saturating_sub(DAYS_BEFORE))?,
            None => Vec::new(),
        };
        let batches = journal.into_iter().flat_map(move |journal| {
            events
                .clone()
                .into_iter()
                .map(move |event| (journal, event))
        });
        Ok(batches.map(|(journal, event)| Ok(journal.first_batch(event)?)))
    }

    /// Tells `intake` and `arrivals` which lines and cheques of a parsed batch earlier runs have
    /// brought. On the reader's thread, so that matching does not wait for the disk.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn look_up(
        &self,
        transactions: &RecordBatch,
        intake: &mut Intake,
        arrivals: &mut Arrivals,
    ) -> Result<(), EngineError> {
        let Some(journal) = self.journal.as_ref().filter(|_| !self.is_none()) else {
            return Ok(());
        };
        let identities = column::<FixedSizeBinaryArray>(transactions, 0)?;
        let contents = identities
            .iter()
            .flatten()
            .map(|bytes| LineId::from_bytes(bytes.try_into().unwrap_or_default()));
        intake.before.extend(journal.known_lines(contents)?);
        self.carry_cheques(transactions, arrivals)
    }

    /// Tells `arrivals` which cheques of a batch earlier runs have brought.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn carry_cheques(
        &self,
        transactions: &RecordBatch,
        arrivals: &mut Arrivals,
    ) -> Result<(), EngineError> {
        let Some(journal) = self.journal.as_ref().filter(|_| !self.is_none()) else {
            return Ok(());
        };
        for cheque in seen_cheques(journal, transactions)? {
            arrivals.carry_cheque(
                cheque.account,
                cheque.number,
                cheque.amount,
                cheque.currency,
                self.number_of(cheque.payment),
            );
        }
        Ok(())
    }

    /// What earlier runs have left of the items of one event, as the matcher takes it.
    pub fn items(&self, states: &[journal::ItemState]) -> Vec<CarriedItem> {
        let paid_by = |id: &str| id.parse().ok().map(|id| self.number_of(id));
        let item = |state: &journal::ItemState| CarriedItem {
            open: state.open,
            opening: state.opening,
            paid_by: paid_by(&state.paid_by),
        };
        states.iter().map(item).collect()
    }

    /// Lets `arrivals` go on from the lockboxes of the last cutoff.
    pub fn carry_lockboxes(&self, arrivals: &mut Arrivals) {
        let Some(cutoff) = &self.left.cutoff else {
            return;
        };
        for entry in cutoff["known"]["lockboxes"]
            .as_array()
            .into_iter()
            .flatten()
        {
            if let Some(totals) = lockbox(entry) {
                arrivals.carry_lockbox(&totals);
            }
        }
    }
}

/// The numbered statements of the runs before.
pub fn statements(earlier: &Earlier) -> Statements {
    let cutoff = earlier.left.cutoff.as_ref();
    cutoff.map_or_else(Statements::default, |cutoff| {
        Statements::carried(&cutoff["known"]["statements"])
    })
}

/// Rows of earlier runs come again without being new.
///
/// # Errors
/// [`EngineError::Internal`] for a mistake in the program.
pub fn seed(
    earlier: &Earlier,
    parties: &mut Redelivery,
    remittances: &mut Redelivery,
) -> Result<(), EngineError> {
    for received in &earlier.left.parties {
        parties.new_rows(EARLIER, &received.rows)?;
    }
    for received in &earlier.left.advice {
        remittances.new_rows(EARLIER, &received.rows)?;
    }
    Ok(())
}

/// Adds the parties of earlier runs; those that new files describe anew are reversed.
///
/// # Errors
/// [`EngineError::Internal`] for a mistake in the program.
pub fn add_parties(
    earlier: &Earlier,
    session: &mut Session,
    report: &mut Report,
) -> Result<(), EngineError> {
    let mut replaced = Vec::new();
    for received in &earlier.left.parties {
        let ids: &StringArray = column(&received.rows, Table::Parties.column("party_id"))?;
        for row in session.load_parties(&received.rows).map_err(internal)? {
            replaced.push(Reversed {
                what: what::PARTY,
                id: ids.value(row).to_owned(),
                posting: received.posting,
            });
        }
    }
    report.desk.reverse(replaced)
}

/// Adds the items of earlier runs, those left out that new files describe anew and those closed
/// that are not in the places `closed`; and the advice that waits.
///
/// # Errors
/// [`EngineError::Internal`] for a mistake in the program.
pub fn add_items(
    (earlier, closed): (&Earlier, &[Place]),
    standing: Standing,
    conditions: &Conditions,
    session: &mut Session,
    report: &mut Report,
) -> Result<(), EngineError> {
    let mut replaced = Vec::new();
    let mut carry = |rows: &RecordBatch, states: &[journal::ItemState]| {
        let taken = conditions.takes_items(rows)?;
        let rows = conditions.items_as_matched(rows)?;
        let items = earlier.items(states);
        let carried = session.carry_items(&rows, taken.as_ref(), &items);
        carried.map(drop).map_err(internal)
    };
    earlier.items_left(closed, |ItemRows { rows, states }| {
        let ids: &StringArray = column(&rows, Table::OpenItems.column("item_id"))?;
        let is_replaced = |row: usize| standing.is_replaced(ids.value(row));
        let keep: BooleanArray = (0..ids.len()).map(|row| Some(!is_replaced(row))).collect();
        if keep.true_count() == ids.len() {
            return carry(&rows, &states);
        }
        replaced.extend(
            (0..ids.len())
                .filter(|&row| is_replaced(row))
                .map(|row| Replaced::of(ids.value(row), &states[row])),
        );
        let rows = filter_record_batch(&rows, &keep).map_err(arrow)?;
        let kept = states.into_iter().zip(keep.values());
        let kept: Vec<_> = kept
            .filter(|(_, keep)| *keep)
            .map(|(state, _)| state)
            .collect();
        carry(&rows, &kept)
    })?;
    replaced.extend(standing.replaced_closed());
    replaced.sort_unstable();
    replaced.dedup();
    let replaced = replaced.into_iter().map(Replaced::reversed).collect();
    if let Some(journal) = earlier.journal() {
        session.note_closed_lengths(journal.closed_lengths()?.unwrap_or_default());
    }
    for received in &earlier.left.advice {
        session.load_remittances(&received.rows).map_err(internal)?;
    }
    report.desk.reverse(replaced)
}

/// An item whose row a new file replaces: in the order of the rows.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Replaced {
    place: Place,
    posting: u64,
    id: String,
}

impl Replaced {
    /// The item `id` in this state.
    pub fn of(id: &str, state: &journal::ItemState) -> Self {
        Self {
            place: state.source,
            posting: state.posting,
            id: id.to_owned(),
        }
    }

    fn reversed(self) -> Reversed {
        Reversed {
            what: what::ITEM,
            id: self.id,
            posting: self.posting,
        }
    }
}

/// Adds what people's decisions have taught, once all parties are loaded.
pub fn add_memory(earlier: &Earlier, session: &mut Session) {
    let known = earlier.left.memory.iter();
    for entry in known.filter(|entry| entry.key != PURGED_TEXT) {
        let key = entry.key.as_str();
        let party_id = entry.party_id.as_deref().unwrap_or_default();
        let lesson = match entry.kind.as_str() {
            "alias" => Lesson::Alias {
                name: key,
                party_id,
            },
            "account" => Lesson::Account {
                account: key,
                party_id,
            },
            "weight" => Lesson::Weight {
                pattern: key,
                right: entry.right.unwrap_or_default(),
            },
            // A later version may have learned what this one does not know of.
            _ => continue,
        };
        session.learn(&lesson);
    }
}

/// What the next run has to know, for the cutoff; and by what this one decided, for those who
/// decide it again.
pub fn known_at_cutoff(session: &Session, as_of: Option<Date>, statements: &Value) -> Value {
    let lockboxes: Vec<Value> = session
        .lockboxes()
        .iter()
        .map(|totals| {
            json!({
                "lockbox": totals.lockbox,
                "currency": totals.currency.as_str(),
                "cheques": totals.cheques.to_string(),
                "deposits": totals.deposits.to_string(),
            })
        })
        .collect();
    let recipe = session.recipe().source();
    let as_of = as_of.map(|day| day.to_string());
    json!({
        "lockboxes": lockboxes,
        "statements": statements,
        "as_of": as_of,
        "recipe_text": recipe,
    })
}

fn lockbox(entry: &Value) -> Option<LockboxTotals> {
    Some(LockboxTotals {
        lockbox: entry["lockbox"].as_str()?.to_owned(),
        currency: entry["currency"].as_str()?.parse().ok()?,
        cheques: entry["cheques"].as_str()?.parse().ok()?,
        deposits: entry["deposits"].as_str()?.parse().ok()?,
    })
}

/// The cheques of a batch that earlier runs have brought.
///
/// # Errors
/// [`EngineError::Ledger`] if the journal cannot be read.
pub fn seen_cheques<'a>(
    journal: &Journal,
    transactions: &'a RecordBatch,
) -> Result<Vec<SeenCheque<'a>>, EngineError> {
    let text = |name| column::<StringArray>(transactions, Table::Transactions.column(name));
    let accounts = text("counterparty_account")?;
    let numbers = text("check_number")?;
    let currencies = text("currency")?;
    let amounts: &Decimal128Array = column(transactions, Table::Transactions.column("amount"))?;
    let rows: Vec<usize> = (0..transactions.num_rows())
        .filter(|&row| !accounts.is_null(row) && !numbers.is_null(row))
        .collect();
    let asked = rows.iter().map(|&row| {
        let amount = Amount::from_units(amounts.value(row));
        (
            accounts.value(row),
            numbers.value(row),
            amount,
            currencies.value(row),
        )
    });
    let first = journal.cheques(asked)?;
    let mut seen = Vec::new();
    for (&row, payment) in rows.iter().zip(first) {
        let Some(payment) = payment else { continue };
        seen.push(SeenCheque {
            row,
            account: accounts.value(row),
            number: numbers.value(row),
            amount: Amount::from_units(amounts.value(row)),
            currency: currencies.value(row).parse().map_err(internal)?,
            payment: payment.parse().map_err(internal)?,
        });
    }
    Ok(seen)
}
