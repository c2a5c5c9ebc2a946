//! Items: what is open of them, and which of them change.

use arrow::array::RecordBatch;
use redb::{ReadableTable as _, WriteTransaction};
use tieout_core::{Amount, ApplicationStatus};

use super::{Folded, Misfit, found};
use crate::journal::Event;
use crate::journal::forward::FORWARD_ITEMS;
use crate::journal::payload;
use crate::journal::state::{ItemState, amounts, texts};
use crate::journal::store::{ABOUT, ITEMS, TOUCHED};

/// Notes which items change, once items were carried forward.
struct Touched<'a>(Option<redb::Table<'a, &'static str, ()>>);

impl<'a> Touched<'a> {
    fn of(transaction: &'a WriteTransaction) -> Result<Self, Misfit> {
        let about = transaction.open_table(ABOUT)?;
        let is_noted = about.get(FORWARD_ITEMS)?.is_some();
        let touched = is_noted.then(|| transaction.open_table(TOUCHED));
        Ok(Self(touched.transpose()?))
    }

    fn note(&mut self, id: &str) -> Folded {
        if let Some(touched) = &mut self.0 {
            touched.insert(id, ())?;
        }
        Ok(())
    }
}

pub fn items(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let mut items = transaction.open_table(ITEMS)?;
    let mut touched = Touched::of(transaction)?;
    let ids = texts(batch, "item_id")?;
    let open = amounts(batch, "open_amount")?;
    for row in 0..batch.num_rows() {
        let given = Amount::from_units(open.value(row)).abs();
        let known = items.get(ids.value(row))?.is_some();
        if given.is_zero() && !known {
            continue;
        }
        let state = ItemState {
            source: (event.sequence, row as u64),
            posting: event.posting,
            given,
            open: given,
            opening: given,
            touched_in: event.posting,
            paid_by: String::new(),
        };
        items.insert(ids.value(row), state.pack().as_slice())?;
        touched.note(ids.value(row))?;
    }
    Ok(())
}

/// What one application does to its item.
struct Part<'a> {
    payment: &'a str,
    item: &'a str,
    /// Without a sign.
    total: Amount,
    /// Whether the item is opened again by that much instead of reduced.
    opens: bool,
}

impl Part<'_> {
    fn take_effect(&self, item: &mut ItemState, posting: u64) -> Result<(), String> {
        if item.take(self.total, posting, self.payment) {
            return Ok(());
        }
        Err(format!(
            "payment {} would take {} of item {}, of which {} is open",
            self.payment, self.total, self.item, item.open
        ))
    }
}

/// The applications in `batch` that took effect.
fn effective(batch: &RecordBatch) -> Result<Vec<Part<'_>>, Misfit> {
    let (payments, items) = (texts(batch, "payment_id")?, texts(batch, "item_id")?);
    let states = texts(batch, "status")?;
    let columns = [
        amounts(batch, "applied")?,
        amounts(batch, "discount")?,
        amounts(batch, "write_off")?,
        amounts(batch, "deduction")?,
    ];
    let part = |row| {
        let opens = match ApplicationStatus::from_code(states.value(row)) {
            Some(ApplicationStatus::Applied) => false,
            Some(ApplicationStatus::Reversed) => true,
            Some(ApplicationStatus::Proposed) | None => return None,
        };
        let parts = columns.iter();
        let total: Amount = parts
            .map(|column| Amount::from_units(column.value(row)))
            .sum();
        Some(Part {
            payment: payments.value(row),
            item: items.value(row),
            total: total.abs(),
            opens,
        })
    };
    Ok((0..batch.num_rows()).filter_map(part).collect())
}

pub fn applications(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let mut items = transaction.open_table(ITEMS)?;
    let mut touched = Touched::of(transaction)?;
    for part in effective(batch)? {
        touched.note(part.item)?;
        change(&mut items, part.item, |item| {
            if part.opens {
                item.give_back(part.total, event.posting, part.payment);
                return Ok(());
            }
            part.take_effect(item, event.posting)
        })?;
    }
    Ok(())
}

fn change(
    items: &mut redb::Table<'_, &'static str, &'static [u8]>,
    id: &str,
    work: impl FnOnce(&mut ItemState) -> Result<(), String>,
) -> Folded {
    let Some(mut state) = items
        .get(id)?
        .and_then(|value| ItemState::unpack(value.value()))
    else {
        return found(format!("there is no item {id}"));
    };
    work(&mut state)?;
    items.insert(id, state.pack().as_slice())?;
    Ok(())
}

/// Gives back what the decision in `decision` had taken for the payment `id`.
pub fn give_back(
    transaction: &WriteTransaction,
    event: &Event,
    decision: &[u8],
    id: &str,
) -> Folded {
    let mut items = transaction.open_table(ITEMS)?;
    let mut touched = Touched::of(transaction)?;
    for (name, batch) in payload::batches(decision)? {
        if name != "applications" {
            continue;
        }
        for part in effective(&batch)?.iter().filter(|part| part.payment == id) {
            touched.note(part.item)?;
            change(&mut items, part.item, |item| {
                if part.opens {
                    return part.take_effect(item, event.posting);
                }
                item.give_back(part.total, event.posting, id);
                Ok(())
            })?;
        }
    }
    Ok(())
}
