//! Remittance advice that came apart from its payment, and the link between the two.

use ahash::RandomState;
use arrow::array::RecordBatch;
use hashbrown::HashMap;
use smallvec::SmallVec;
use tieout_core::{Amount, Currency, Date};

use crate::columns::{BadBatch, Days, Money, Text};
use crate::names::Name;
use crate::payment::{Line, LineColumns, Payment};
use crate::reference::Significant;

/// Days between the dates of an advice and its payment.
const DAYS_APART_MAX: i32 = 7;
/// Names at least this alike belong to one payer.
const NAME_ALIKE_MIN: f64 = 0.8;

struct Advice {
    reference: Box<str>,
    payer: Box<str>,
    amount: Option<Amount>,
    date: Option<Date>,
    currency: Option<Currency>,
    lines: SmallVec<[(u32, u32); 4]>,
    payment: Option<u32>,
}

/// What tells one advice from another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Heading<'a> {
    reference: &'a str,
    payer: &'a str,
    amount: Option<Amount>,
    date: Option<Date>,
}

impl Advice {
    fn heading(&self) -> Heading<'_> {
        Heading {
            reference: &self.reference,
            payer: &self.payer,
            amount: self.amount,
            date: self.date,
        }
    }
}

/// All advices that were delivered as files of their own.
#[derive(Default)]
pub struct Remittances {
    advices: Vec<Advice>,
    batches: Vec<RecordBatch>,
    by_reference: HashMap<Vec<u8>, SmallVec<[u32; 1]>, RandomState>,
    by_amount: HashMap<Amount, SmallVec<[u32; 1]>, RandomState>,
}

impl Remittances {
    /// Adds a batch of the table `remittance_lines`. Rows that agree in reference, payer, date
    /// and amount are lines of one advice.
    pub fn load(&mut self, batch: &RecordBatch) -> Result<(), BadBatch> {
        let references = Text::of(batch, "payment_reference")?;
        let payers = Text::of(batch, "payer_name")?;
        let dates = Days::of(batch, "payment_date")?;
        let amounts = Money::of(batch, "payment_amount")?;
        let currencies = Text::of(batch, "currency")?;
        let place = self.batches.len() as u32;
        let mut last: Option<(Heading, u32)> = None;
        for row in 0..batch.num_rows() {
            let heading = Heading {
                reference: references.text(row),
                payer: payers.text(row),
                amount: amounts.get(row),
                date: dates.get(row),
            };
            // The lines of one advice mostly follow each other.
            let number = match last {
                Some((same, number)) if same == heading => number,
                _ => self.find_or_insert(&heading, || currencies.get(row)?.parse().ok()),
            };
            last = Some((heading, number));
            self.advices[number as usize]
                .lines
                .push((place, row as u32));
        }
        self.batches.push(batch.clone());
        Ok(())
    }

    fn find_or_insert(
        &mut self,
        heading: &Heading,
        currency: impl FnOnce() -> Option<Currency>,
    ) -> u32 {
        let key = Significant::of(heading.reference.as_bytes());
        let key = key.as_bytes();
        let known = match (key.is_empty(), heading.amount) {
            (false, _) => self.by_reference.get(key),
            (true, Some(amount)) => self.by_amount.get(&amount),
            (true, None) => None,
        };
        let same = |&number: &u32| self.advices[number as usize].heading() == *heading;
        let known = known.and_then(|numbers| numbers.iter().copied().find(same));
        if let Some(number) = known {
            return number;
        }
        let number = self.advices.len() as u32;
        if !key.is_empty() {
            self.by_reference.entry_ref(key).or_default().push(number);
        }
        if let Some(amount) = heading.amount {
            self.by_amount.entry(amount).or_default().push(number);
        }
        self.advices.push(Advice {
            reference: heading.reference.into(),
            payer: heading.payer.into(),
            amount: heading.amount,
            date: heading.date,
            currency: currency(),
            lines: SmallVec::new(),
            payment: None,
        });
        number
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.advices.is_empty()
    }

    /// Links the advice that carries a reference of `payment`, whose sequence number is
    /// `sequence`.
    pub fn link_by_reference(&mut self, payment: &Payment, sequence: u32) -> Option<u32> {
        let number = self.by_reference(payment)?;
        self.advices[number as usize].payment = Some(sequence);
        Some(number)
    }

    /// Links the advice of the payment's amount, date and payer, if only one is left that fits.
    pub fn link_by_amount(&mut self, payment: &Payment, sequence: u32) -> Option<u32> {
        let number = self.by_amount(payment)?;
        self.advices[number as usize].payment = Some(sequence);
        Some(number)
    }

    fn fits(&self, number: u32, payment: &Payment) -> bool {
        let advice = &self.advices[number as usize];
        advice.payment.is_none()
            && advice.amount.is_none_or(|amount| amount == payment.amount)
            && advice
                .currency
                .is_none_or(|currency| currency == payment.currency)
    }

    fn by_reference(&self, payment: &Payment) -> Option<u32> {
        [
            payment.end_to_end_id,
            payment.bank_reference,
            payment.check_number,
        ]
        .into_iter()
        .flatten()
        .find_map(|reference| {
            let key = Significant::of(reference.as_bytes());
            let numbers = self.by_reference.get(key.as_bytes())?;
            let mut fitting = numbers.iter().filter(|&&number| self.fits(number, payment));
            // Two advices with one reference and amount are for a person to tell apart.
            fitting.next().filter(|_| fitting.next().is_none()).copied()
        })
    }

    fn by_amount(&self, payment: &Payment) -> Option<u32> {
        let numbers = self.by_amount.get(&payment.amount)?;
        let payer = Name::of(payment.payer_name?);
        let mut fitting = numbers.iter().filter(|&&number| {
            let advice = &self.advices[number as usize];
            self.fits(number, payment)
                && advice
                    .date
                    .is_some_and(|date| (date.days() - payment.date.days()).abs() <= DAYS_APART_MAX)
                && Name::of(&advice.payer).similarity(&payer) >= NAME_ALIKE_MIN
        });
        fitting.next().filter(|_| fitting.next().is_none()).copied()
    }

    /// The advice's lines.
    pub fn lines(&self, number: u32) -> Result<SmallVec<[Line<'_>; 1]>, BadBatch> {
        self.advices[number as usize]
            .lines
            .iter()
            .map(|&(batch, row)| {
                LineColumns::of(&self.batches[batch as usize])
                    .map(|columns| columns.get(row as usize))
            })
            .collect()
    }

    /// The advice's own reference.
    pub fn reference(&self, number: u32) -> &str {
        &self.advices[number as usize].reference
    }

    /// Every batch with, for each of its rows, the payment that its advice is linked to.
    pub fn linked(&self) -> Vec<(&RecordBatch, Vec<Option<u32>>)> {
        let mut linked: Vec<_> = self
            .batches
            .iter()
            .map(|batch| (batch, vec![None; batch.num_rows()]))
            .collect();
        for advice in &self.advices {
            for &(batch, row) in &advice.lines {
                linked[batch as usize].1[row as usize] = advice.payment;
            }
        }
        linked
    }
}
