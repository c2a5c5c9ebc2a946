//! Payments: how they stand, their cheques, and which of them came to wait again.

use arrow::array::RecordBatch;
use redb::{ReadableTable as _, WriteTransaction};
use tieout_core::{Amount, Rule, Status};

use super::{Folded, Misfit, found, items};
use crate::journal::forward::FORWARD_WAITING_LAST;
use crate::journal::state::{PaymentState, amounts, cheque_key, payment_key, said, texts};
use crate::journal::store::{ABOUT, CHEQUES, PAYLOADS, PAYMENTS, WAITING_AGAIN};
use crate::journal::{Event, PURGED_TEXT};

/// Notes which payments come to wait without a row that says so, once those that wait were carried
/// forward.
struct Again<'a>(Option<redb::Table<'a, &'static [u8], ()>>);

impl<'a> Again<'a> {
    fn of(transaction: &'a WriteTransaction) -> Result<Self, Misfit> {
        let about = transaction.open_table(ABOUT)?;
        let is_noted = about.get(FORWARD_WAITING_LAST)?.is_some();
        let again = is_noted.then(|| transaction.open_table(WAITING_AGAIN));
        Ok(Self(again.transpose()?))
    }

    fn note(&mut self, payment: &[u8]) -> Folded {
        if let Some(again) = &mut self.0 {
            again.insert(payment, ())?;
        }
        Ok(())
    }
}

/// The rows of payments that wait are there.
pub fn waiting(transaction: &WriteTransaction, batch: &RecordBatch) -> Folded {
    let Some(mut again) = Again::of(transaction)?.0 else {
        return Ok(());
    };
    for id in texts(batch, "transaction_id")?.iter().flatten() {
        again.remove(payment_key(id).as_slice())?;
    }
    Ok(())
}

pub fn payments(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let mut payments = transaction.open_table(PAYMENTS)?;
    let mut cheques = transaction.open_table(CHEQUES)?;
    let mut again = Again::of(transaction)?;
    let rows = PaymentRows::of(batch)?;
    // In the order of their keys, so that neighbours are written together.
    let mut keys: Vec<(Vec<u8>, usize)> = (0..batch.num_rows())
        .map(|row| (payment_key(rows.ids.value(row)), row))
        .collect();
    keys.sort_unstable();
    for (key, row) in keys {
        let id = rows.ids.value(row);
        let earlier = match payments.get(key.as_slice())? {
            Some(value) => PaymentState::unpack(value.value()),
            None => None,
        };
        if earlier.as_ref().is_some_and(|state| state.status.is_some()) {
            return found(format!("payment {id} is decided already"));
        }
        let is_again = earlier.is_some();
        let state = rows.state(row, event, earlier.map_or(0, |state| state.version))?;
        if is_again && state.is_waiting() {
            again.note(&key)?;
        }
        payments.insert(key.as_slice(), state.pack().as_slice())?;
        if state.status != Some(Status::OutOfScope)
            && let Some(cheque) = rows.cheque(row)
            && cheques.get(cheque.as_slice())?.is_none()
        {
            cheques.insert(cheque.as_slice(), id.as_bytes())?;
        }
    }
    Ok(())
}

/// The columns of a batch of payments.
struct PaymentRows<'a> {
    ids: &'a arrow::array::StringArray,
    status: &'a arrow::array::StringArray,
    rule: &'a arrow::array::StringArray,
    currency: &'a arrow::array::StringArray,
    account: &'a arrow::array::StringArray,
    cheque: &'a arrow::array::StringArray,
    amount: &'a arrow::array::Decimal128Array,
    applied: &'a arrow::array::Decimal128Array,
    on_account: &'a arrow::array::Decimal128Array,
    unapplied: &'a arrow::array::Decimal128Array,
}

impl<'a> PaymentRows<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, String> {
        Ok(Self {
            ids: texts(batch, "payment_id")?,
            status: texts(batch, "status")?,
            rule: texts(batch, "rule")?,
            currency: texts(batch, "currency")?,
            account: texts(batch, "payer_account")?,
            cheque: texts(batch, "check_number")?,
            amount: amounts(batch, "amount")?,
            applied: amounts(batch, "applied")?,
            on_account: amounts(batch, "on_account")?,
            unapplied: amounts(batch, "unapplied")?,
        })
    }

    fn state(&self, row: usize, event: &Event, version: u64) -> Result<PaymentState, Misfit> {
        let units = |column: &arrow::array::Decimal128Array| Amount::from_units(column.value(row));
        let [amount, applied] = [units(self.amount), units(self.applied)];
        let [on_account, unapplied] = [units(self.on_account), units(self.unapplied)];
        if amount != applied + on_account + unapplied {
            return found(format!(
                "payment {}: {amount} is not {applied} applied + {on_account} on account + \
                 {unapplied} unapplied",
                self.ids.value(row)
            ));
        }
        let code = self.status.value(row);
        let Some(status) = Status::from_code(code) else {
            return found(format!("there is no status {code}"));
        };
        Ok(PaymentState {
            version: version + 1,
            posting: event.posting,
            decided_in: event.sequence,
            status: Some(status),
            by_person: self.rule.value(row) == Rule::Person.code(),
            amount,
            applied,
            on_account,
        })
    }

    fn cheque(&self, row: usize) -> Option<Vec<u8>> {
        let account = said(self.account, row)?;
        let number = said(self.cheque, row)?;
        if [account, number].contains(&PURGED_TEXT) {
            return None;
        }
        let amount = Amount::from_units(self.amount.value(row));
        Some(cheque_key(
            account,
            number,
            amount,
            self.currency.value(row),
        ))
    }
}

/// Takes the decision about a payment back: what it applied is open again.
pub fn take_back(transaction: &WriteTransaction, event: &Event, id: &str) -> Folded {
    let mut payments = transaction.open_table(PAYMENTS)?;
    let key = payment_key(id);
    let state = payments
        .get(key.as_slice())?
        .and_then(|value| PaymentState::unpack(value.value()));
    let Some(mut state) = state.filter(|state| state.status.is_some()) else {
        return found(format!("payment {id} is not decided"));
    };
    let payloads = transaction.open_table(PAYLOADS)?;
    let Some(decision) = payloads.get(state.decided_in)? else {
        return found(format!("the decision about payment {id} was purged"));
    };
    items::give_back(transaction, event, decision.value(), id)?;
    state.status = None;
    payments.insert(key.as_slice(), state.pack().as_slice())?;
    Ok(())
}
