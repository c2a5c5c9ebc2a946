//! From rows of the table `open_items` to items of the store.

use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Decimal128Array, RecordBatch};
use rayon::prelude::*;
use thiserror::Error;
use tieout_core::schema::AMOUNT_TYPE;
use tieout_core::{Amount, Currency, Date, Direction, ItemKind};

use super::Items;
use super::blocks::{Block, Item, LOADED_ITEMS, NO_DATE, NO_PAYMENT};
use crate::columns::{BadBatch, Days, Money, Text};
use crate::parties::{NO_PARTY, Parties};
use crate::recipe::ItemsSide;
use crate::reference::Significant;

/// What earlier runs have left of an item: amounts without a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarriedItem {
    /// What is open now.
    pub open: Amount,
    /// What was open before the run that changed it last.
    pub opening: Amount,
    /// The payment that took from it last, by its carried number.
    pub paid_by: Option<u32>,
}

/// What is left to do about an item, once it is in its block.
struct Note {
    /// Of its identifier.
    hash: u32,
    /// The item that has the identifier already.
    known: Option<u32>,
    is_new_party: bool,
    is_new_currency: bool,
}

/// The columns that make an item.
struct Columns<'a> {
    ids: Text<'a>,
    numbers: Text<'a>,
    orders: Text<'a>,
    owners: Text<'a>,
    kinds: Text<'a>,
    currencies: Text<'a>,
    open: Money<'a>,
    discounts: Money<'a>,
    issued: Days<'a>,
    due: Days<'a>,
    discount_dates: Days<'a>,
    taken: Option<&'a BooleanArray>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch, taken: Option<&'a BooleanArray>) -> Result<Self, BadBatch> {
        Ok(Self {
            ids: Text::of(batch, "item_id")?,
            numbers: Text::of(batch, "number")?,
            orders: Text::of(batch, "po_number")?,
            owners: Text::of(batch, "party_id")?,
            kinds: Text::of(batch, "kind")?,
            currencies: Text::of(batch, "currency")?,
            open: Money::of(batch, "open_amount")?,
            discounts: Money::of(batch, "discount_amount")?,
            issued: Days::of(batch, "issue_date")?,
            due: Days::of(batch, "due_date")?,
            discount_dates: Days::of(batch, "discount_date")?,
            taken,
        })
    }

    /// A block of the items of these rows, as far as what is there already tells of them.
    fn block(
        &self,
        rows: Range<usize>,
        items: &Items,
        side: &ItemsSide,
        parties: &Parties,
    ) -> (Block, Vec<Note>) {
        let texts = rows
            .clone()
            .map(|row| self.ids.text(row).len() + self.numbers.text(row).len());
        let mut block = Block::with_capacity(rows.len(), texts.sum());
        let mut notes = Vec::with_capacity(rows.len());
        let mut owners = LastOwner::default();
        for row in rows {
            let (id, number) = (clipped(self.ids.text(row)), clipped(self.numbers.text(row)));
            let owner = self.owners.get(row);
            let party = owner.and_then(|owner| owners.find(owner, parties));
            let currency = items.known_currency(currency(self.currencies.text(row)));
            let order = Significant::of(self.orders.text(row).as_bytes());
            let order = (!order.is_empty()).then(|| order.hash(&items.hash));
            let item = Item {
                party: party.unwrap_or(NO_PARTY),
                id_length: id.len() as u16,
                number_length: number.len() as u16,
                currency: currency.unwrap_or_default(),
                ..self.item(row, side)
            };
            block.push(item, id, number, order.and_then(NonZeroU64::new));
            let hash = (items.hash.hash_one(id) >> 32) as u32;
            notes.push(Note {
                hash,
                known: items.find(hash, id),
                is_new_party: owner.is_some() && party.is_none(),
                is_new_currency: currency.is_none(),
            });
        }
        (block, notes)
    }

    /// The item of a row, but for its names, party and currency.
    fn item(&self, row: usize, side: &ItemsSide) -> Item {
        let kind = ItemKind::from_code(self.kinds.text(row)).unwrap_or(ItemKind::Invoice);
        let amount = self.open.or_zero(row);
        let is_taken = |taken: &BooleanArray| !taken.is_null(row) && taken.value(row);
        let days = |days: Days| days.get(row).map_or(NO_DATE, Date::days);
        Item {
            open: signed_open(side, kind, amount),
            discount: self.discounts.or_zero(row),
            party: NO_PARTY,
            due: days(self.due),
            discount_date: days(self.discount_dates),
            issued: days(self.issued),
            text: 0,
            paid_by: NO_PAYMENT,
            id_length: 0,
            number_length: 0,
            currency: 0,
            kind,
            settled_by: side
                .settled_by(kind, amount.is_negative())
                .filter(|_| self.taken.is_none_or(is_taken)),
            was_closed: false,
        }
    }
}

/// The party of the row before: files list the items of one party together.
#[derive(Default)]
struct LastOwner<'a>(Option<(&'a str, Option<u32>)>);

impl<'a> LastOwner<'a> {
    fn find(&mut self, id: &'a str, parties: &Parties) -> Option<u32> {
        let (_, party) = self
            .0
            .filter(|(same, _)| *same == id)
            .unwrap_or_else(|| (id, parties.find(id)));
        self.0 = Some((id, party));
        party
    }
}

/// The store of items is full.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ItemsError {
    /// More items than places.
    #[error("more than 4,294,967,296 open items")]
    TooMany,
    /// More currencies than can be told apart.
    #[error("the open items have more than 255 currencies")]
    TooManyCurrencies,
    /// Not the table `open_items`.
    #[error(transparent)]
    BadBatch(#[from] BadBatch),
}

/// What came of a row of the table `open_items`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// A new item.
    New,
    /// The same item with the same content came before.
    Repeated,
    /// The item came before with other content; the first stays.
    Conflicting,
    /// Nothing is open, so there is nothing to match.
    NothingOpen,
}

/// What came of a batch of the table `open_items`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadedBatch {
    /// One entry a row.
    pub rows: Vec<Loaded>,
    /// Rows whose party no parties file has named.
    pub unnamed_parties: Vec<u32>,
}

impl Items {
    /// Adds the rows of a batch of the table `open_items`, saying of each what came of it.
    /// Rows of kinds that `side` does not name, or that `taken` says no to, are known and never
    /// matched.
    pub fn load(
        &mut self,
        batch: &RecordBatch,
        taken: Option<&BooleanArray>,
        side: &ItemsSide,
        parties: &mut Parties,
    ) -> Result<LoadedBatch, ItemsError> {
        let columns = Columns::of(batch, taken)?;
        let count = batch.num_rows();
        // What needs only what is there already is done side by side; so the entries that the
        // pass below looks at are in the cache by then.
        let blocks = (0..count.div_ceil(LOADED_ITEMS))
            .into_par_iter()
            .map(|block| {
                let first = block * LOADED_ITEMS;
                let rows = first..count.min(first + LOADED_ITEMS);
                columns.block(rows, self, side, parties)
            });
        let blocks: Vec<(Block, Vec<Note>)> = blocks.collect();
        let mut loaded = LoadedBatch::default();
        loaded.rows.reserve(count);
        for (block, notes) in blocks {
            let first = self.loading.add(block)?;
            for (place, note) in (first..).zip(notes) {
                let row = loaded.rows.len();
                if note.is_new_party {
                    let party = parties.intern(columns.owners.text(row));
                    self.loading.get_mut(place).party = party;
                }
                if note.is_new_currency {
                    let currency = self.currency_place(columns.currencies.text(row))?;
                    self.loading.get_mut(place).currency = currency;
                }
                let party = self.loading.get(place).party;
                if party == NO_PARTY || !parties.is_named(party) {
                    loaded.unnamed_parties.push(row as u32);
                }
                loaded.rows.push(self.settle(place, &note));
            }
        }
        Ok(loaded)
    }

    fn find(&self, hash: u32, id: &str) -> Option<u32> {
        let same = |&(other, known): &(u32, u32)| other == hash && self.loading.id(known) == id;
        self.by_id.find(spread(hash), same).map(|&(_, known)| known)
    }

    /// Adds items of earlier runs, `carried` in the order of the rows; of `open_amount` only the
    /// sign counts.
    pub fn load_carried(
        &mut self,
        batch: &RecordBatch,
        taken: Option<&BooleanArray>,
        carried: &[CarriedItem],
        side: &ItemsSide,
        parties: &mut Parties,
    ) -> Result<LoadedBatch, ItemsError> {
        let first = self.loading.next();
        // A closed item is still found by the amount that it had.
        let known = carried.iter().map(|item| {
            if item.open.is_zero() {
                item.opening
            } else {
                item.open
            }
        });
        let batch = with_open_amounts(batch, known)?;
        let loaded = self.load(&batch, taken, side, parties)?;
        let new = loaded.rows.iter().zip(carried).zip(first..);
        let new = new.filter(|((outcome, _), _)| **outcome == Loaded::New);
        for ((_, carried), place) in new {
            let item = self.loading.get_mut(place);
            item.paid_by = carried.paid_by.unwrap_or(NO_PAYMENT);
            item.was_closed = carried.open.is_zero();
        }
        Ok(loaded)
    }

    fn known_currency(&self, currency: Currency) -> Option<u8> {
        let place = self.currencies.iter().position(|&known| known == currency);
        place.map(|place| place as u8)
    }

    fn currency_place(&mut self, code: &str) -> Result<u8, ItemsError> {
        let currency = currency(code);
        if let Some(place) = self.known_currency(currency) {
            return Ok(place);
        }
        let place =
            u8::try_from(self.currencies.len()).map_err(|_| ItemsError::TooManyCurrencies)?;
        self.currencies.push(currency);
        Ok(place)
    }

    /// Keeps the item at `place`, if it is a new one with something open.
    fn settle(&mut self, place: u32, note: &Note) -> Loaded {
        // The batch itself may bring an item twice.
        let id = self.loading.id(place);
        let known = note.known.or_else(|| self.find(note.hash, id));
        if let Some(known) = known {
            let outcome = self.compare(known, place);
            self.loading.empty(place);
            return outcome;
        }
        if self.loading.get(place).open.is_zero() {
            return Loaded::NothingOpen;
        }
        self.by_id
            .insert_unique(spread(note.hash), (note.hash, place), |&(other, _)| {
                spread(other)
            });
        Loaded::New
    }

    fn compare(&self, known: u32, place: u32) -> Loaded {
        let (known_item, item) = (self.loading.get(known), self.loading.get(place));
        let same = known_item.open == item.open
            && known_item.party == item.party
            && known_item.kind == item.kind
            && known_item.currency == item.currency
            && self.loading.number(known) == self.loading.number(place);
        if same {
            Loaded::Repeated
        } else {
            Loaded::Conflicting
        }
    }
}

/// The currency of this code; an unknown one was told when the row was read.
fn currency(code: &str) -> Currency {
    code.parse().unwrap_or(Currency::USD)
}

/// Sixty-four bits of hash from the thirty-two that are kept.
const fn spread(hash: u32) -> u64 {
    (hash as u64) << 32 | hash as u64
}

/// The rows with these open amounts, under the signs that they have.
fn with_open_amounts(
    batch: &RecordBatch,
    open: impl Iterator<Item = Amount>,
) -> Result<RecordBatch, ItemsError> {
    let bad = || BadBatch::of("open_amount", "Decimal128(23, 5)");
    let given = Money::of(batch, "open_amount")?;
    let signed = open.enumerate().map(|(row, open)| {
        let is_negative = given.or_zero(row).is_negative();
        Some(if is_negative { -open } else { open }.units())
    });
    let open = signed
        .collect::<Decimal128Array>()
        .with_data_type(AMOUNT_TYPE);
    let place = batch
        .schema_ref()
        .index_of("open_amount")
        .map_err(|_| bad())?;
    let mut columns = batch.columns().to_vec();
    columns[place] = Arc::new(open);
    Ok(RecordBatch::try_new(batch.schema(), columns).map_err(|_| bad())?)
}

/// As much of an identifier as its length can be told of; longer ones do not occur.
fn clipped(text: &str) -> &str {
    &text[..text.floor_char_boundary(usize::from(u16::MAX))]
}

/// What is open, above zero for what the payment that settles the item pays, below for what it
/// may keep back.
fn signed_open(side: &ItemsSide, kind: ItemKind, open: Amount) -> Amount {
    if side.is_told_by_sign(kind) {
        return open.abs();
    }
    // Files write credits with and without a sign; the kind is what says which way they go.
    let open = if kind.is_credit() { open.abs() } else { open };
    match side.settled_by(kind, false) {
        Some(Direction::Credit) if kind.settled_by() == Direction::Debit => -open,
        // A payout is what the business pays where it is paid by debits.
        Some(Direction::Debit)
            if kind.settled_by() == Direction::Credit && kind != ItemKind::Payout =>
        {
            -open
        }
        None if kind.is_credit() => -open,
        _ => open,
    }
}
