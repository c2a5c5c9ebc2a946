//! What the journal comes to: values of the state tables.

use arrow::array::{Array, AsArray, Decimal128Array, RecordBatch, StringArray};
use arrow::datatypes::Decimal128Type;
use tieout_core::{Amount, LineId, Status};

use super::pack::{Packer, Unpacker};

/// The key of a payment: its identity where it is one, the text otherwise.
pub fn payment_key(id: &str) -> Vec<u8> {
    match id.parse::<LineId>() {
        Ok(identity) if id.len() == 32 => identity.to_bytes().to_vec(),
        _ => id.as_bytes().to_vec(),
    }
}

/// What became of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentState {
    /// How often it was decided.
    pub version: u64,
    /// The posting that its rows are in.
    pub posting: u64,
    /// The event that decided it.
    pub decided_in: u64,
    /// How it ended; none while a reversal has taken the decision back.
    pub status: Option<Status>,
    /// Whether a person decided.
    pub by_person: bool,
    /// Its amount.
    pub amount: Amount,
    /// Cash applied.
    pub applied: Amount,
    /// Cash on account.
    pub on_account: Amount,
}

impl PaymentState {
    /// Whether a later run may decide it, because nobody has done so finally.
    pub fn is_waiting(&self) -> bool {
        let open = [Status::Proposed, Status::Unidentified, Status::OnAccount];
        !self.by_person && self.status.is_some_and(|status| open.contains(&status))
    }

    pub(crate) fn pack(&self) -> Vec<u8> {
        Packer::default()
            .number(self.version)
            .number(self.posting)
            .number(self.decided_in)
            .number(self.status.map_or(0, |status| status as u64))
            .number(u64::from(self.by_person))
            .amount(self.amount)
            .amount(self.applied)
            .amount(self.on_account)
            .finish()
    }

    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut read = Unpacker(bytes);
        let own = Self {
            version: read.number()?,
            posting: read.number()?,
            decided_in: read.number()?,
            status: match read.number()? {
                0 => None,
                number => Some(
                    Status::ALL
                        .iter()
                        .copied()
                        .find(|&status| status as u64 == number)?,
                ),
            },
            by_person: read.number()? == 1,
            amount: read.amount()?,
            applied: read.amount()?,
            on_account: read.amount()?,
        };
        read.is_done().then_some(own)
    }
}

/// What is open of an item. Amounts have no sign: the item's kind says which way it goes, and the
/// recipe who settles it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemState {
    /// The event that brought its row, and the row.
    pub source: (u64, u64),
    /// The posting of that event.
    pub posting: u64,
    /// What was open as the business said last.
    pub given: Amount,
    /// What is open now.
    pub open: Amount,
    /// What was open when the posting began that changed it last.
    pub opening: Amount,
    /// That posting.
    pub touched_in: u64,
    /// The payment that took from it last; empty if none has.
    pub paid_by: String,
}

impl ItemState {
    pub(crate) fn pack(&self) -> Vec<u8> {
        Packer::default()
            .number(self.source.0)
            .number(self.source.1)
            .number(self.posting)
            .amount(self.given)
            .amount(self.open)
            .amount(self.opening)
            .number(self.touched_in)
            .bytes(self.paid_by.as_bytes())
            .finish()
    }

    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut read = Unpacker(bytes);
        let own = Self {
            source: (read.number()?, read.number()?),
            posting: read.number()?,
            given: read.amount()?,
            open: read.amount()?,
            opening: read.amount()?,
            touched_in: read.number()?,
            paid_by: read.text()?.to_owned(),
        };
        read.is_done().then_some(own)
    }

    /// Takes `amount` off what is open, as posting number `posting` for the payment `id`.
    ///
    /// Returns whether that much was open.
    #[must_use]
    pub(crate) fn take(&mut self, amount: Amount, posting: u64, id: &str) -> bool {
        if amount.is_negative() || amount > self.open {
            return false;
        }
        self.touch(posting);
        self.open -= amount;
        id.clone_into(&mut self.paid_by);
        true
    }

    /// Gives back what a payment had taken.
    pub(crate) fn give_back(&mut self, amount: Amount, posting: u64, id: &str) {
        self.touch(posting);
        self.open += amount;
        if self.paid_by == id {
            self.paid_by.clear();
        }
    }

    fn touch(&mut self, posting: u64) {
        if self.touched_in != posting {
            self.touched_in = posting;
            self.opening = self.open;
        }
    }
}

/// The key of a cheque.
pub fn cheque_key(account: &str, number: &str, amount: Amount, currency: &str) -> Vec<u8> {
    Packer::default()
        .bytes(account.as_bytes())
        .bytes(number.as_bytes())
        .amount(amount)
        .bytes(currency.as_bytes())
        .finish()
}

/// The text column `name`.
///
/// # Errors
/// A sentence, if there is none.
pub fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray, String> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_string_opt())
        .ok_or_else(|| format!("the rows have no text {name}"))
}

/// The amount column `name`.
///
/// # Errors
/// A sentence, if there is none.
pub fn amounts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Decimal128Array, String> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Decimal128Type>())
        .ok_or_else(|| format!("the rows have no amount {name}"))
}

/// The text in `row`, if it says anything.
pub fn said(column: &StringArray, row: usize) -> Option<&str> {
    (!column.is_null(row))
        .then(|| column.value(row))
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn units(value: i128) -> Amount {
        Amount::from_units(value)
    }

    fn item(given: i128) -> ItemState {
        ItemState {
            source: (1, 2),
            posting: 1,
            given: units(given),
            open: units(given),
            opening: units(given),
            touched_in: 1,
            paid_by: String::new(),
        }
    }

    #[test]
    fn an_item_loses_no_more_than_is_open() {
        let mut own = item(100);
        assert!(!own.take(units(101), 2, "p"));
        assert!(!own.take(units(-1), 2, "p"));
        assert!(own.take(units(60), 2, "p"));
        assert!(own.take(units(40), 3, "q"));
        assert!(!own.take(units(1), 3, "q"));
        assert_eq!((own.open, own.opening), (units(0), units(40)));
        own.give_back(units(40), 4, "q");
        assert_eq!((own.open, own.paid_by.as_str()), (units(40), ""));
        assert_eq!(ItemState::unpack(&own.pack()), Some(own));
    }

    #[test]
    fn a_payment_reads_back() {
        let own = PaymentState {
            version: 2,
            posting: 3,
            decided_in: 40,
            status: Some(Status::OnAccount),
            by_person: false,
            amount: units(500),
            applied: units(0),
            on_account: units(500),
        };
        assert_eq!(PaymentState::unpack(&own.pack()), Some(own.clone()));
        assert!(own.is_waiting());
        let taken_back = PaymentState {
            status: None,
            ..own
        };
        assert_eq!(PaymentState::unpack(&taken_back.pack()), Some(taken_back));
    }

    #[test]
    fn keys_tell_cheques_apart() {
        let key = |account, number| cheque_key(account, number, units(5), "USD");
        assert_ne!(key("12", "3"), key("1", "23"));
        assert_eq!(payment_key("not hex"), b"not hex");
        assert_eq!(payment_key("97e9539668471accba80071ac06e6cc9").len(), 16);
    }
}
