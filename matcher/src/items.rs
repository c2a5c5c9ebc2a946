//! Open items and the indexes that lead to them. Never a scan of all items.

use std::num::NonZeroU64;
use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{Array, BooleanArray, Decimal128Array, RecordBatch};
use hashbrown::{HashMap, HashTable};
use rayon::prelude::*;
use smallvec::SmallVec;
use thiserror::Error;
use tieout_core::schema::AMOUNT_TYPE;
use tieout_core::{Amount, Currency, Date, Direction, ItemIx, ItemKind};

use crate::columns::{BadBatch, Days, Money, Text};
use crate::directory::Directory;
use crate::labels::{ItemLabel, Labels};
use crate::parties::{NO_PARTY, Parties};
use crate::recipe::ItemsSide;
use crate::reference::{self, Significant};

const NONE: u32 = u32::MAX;
const NO_DATE: i32 = i32::MIN;
/// Open items of one party that a scan looks at.
pub const PARTY_SCAN_MAX: usize = 20_000;

/// Rows of a batch that one thread prepares at a time.
const ROWS_PER_TASK: usize = 512;

/// Items that one thread copies at a time when they are sorted.
const SORTED_PER_TASK: usize = 1 << 16;

/// One open item; as small as a cache line, because matching is a walk over random items.
#[derive(Clone, Copy)]
struct Item {
    open: Amount,
    discount: Amount,
    party: u32,
    due: i32,
    discount_date: i32,
    issued: i32,
    text: u32,
    /// The payment that took from it last.
    paid_by: u32,
    id_length: u16,
    number_length: u16,
    currency: u8,
    kind: ItemKind,
    /// Which way money moves that settles it; none where the recipe has no use for it.
    settled_by: Option<Direction>,
    /// Paid in an earlier run: `open` is what it was before, until the indexes are built.
    was_closed: bool,
}

const _: () = assert!(size_of::<Item>() == 64);

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

/// What an item is found by.
struct Keys {
    /// Of its identifier.
    hash: u32,
    /// The item that has the identifier already.
    known: Option<u32>,
    /// Of its purchase order.
    order: Option<NonZeroU64>,
}

/// Party, currency, direction and amount of what is open on one order or payout.
type GroupKey = (u32, u8, Direction, Amount);

/// The store of items is full.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ItemsError {
    /// The identifiers and numbers need more bytes than can be addressed.
    #[error("the open items' identifiers exceed 4 GiB")]
    TooMuchText,
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

/// All open items.
#[expect(
    clippy::struct_field_names,
    reason = "the items of the store are its items"
)]
pub struct Items {
    items: Vec<Item>,
    text: Arc<String>,
    currencies: Vec<Currency>,
    hash: RandomState,
    /// Hash of the identifier, and the item; the hash is kept so that growing is cheap.
    by_id: HashTable<(u32, u32)>,
    /// By what the number may be called, see [`Items::names_of`].
    by_number: Directory,
    /// By the purchase order.
    by_order: Directory,
    /// Hash of the purchase order, by item; empty once the index is built.
    order_hashes: Vec<Option<NonZeroU64>>,
    /// Orders or payouts with several items, where amounts may be of all of them together.
    groups: HashMap<GroupKey, SmallVec<[u64; 1]>, RandomState>,
    /// Items in the order of their parties and, within one, of [`amount_key`] of what was open
    /// at the start; the key stays when the open amount changes, so that the order holds.
    by_party: Vec<(u32, u32)>,
    party_start: Vec<u32>,
    /// Bit *n* is set if some document's number has *n* significant characters.
    number_lengths: u64,
}

impl Default for Items {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            text: Arc::default(),
            currencies: Vec::new(),
            // Fixed seeds: the order of chains, and so every decision, repeats.
            hash: RandomState::with_seeds(11, 12, 13, 14),
            by_id: HashTable::new(),
            by_number: Directory::default(),
            by_order: Directory::default(),
            order_hashes: Vec::new(),
            groups: HashMap::default(),
            by_party: Vec::new(),
            party_start: Vec::new(),
            number_lengths: 0,
        }
    }
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
        let ids = Text::of(batch, "item_id")?;
        let numbers = Text::of(batch, "number")?;
        let orders = Text::of(batch, "po_number")?;
        let owners = Text::of(batch, "party_id")?;
        let kinds = Text::of(batch, "kind")?;
        let currencies = Text::of(batch, "currency")?;
        let open = Money::of(batch, "open_amount")?;
        let discounts = Money::of(batch, "discount_amount")?;
        let issued = Days::of(batch, "issue_date")?;
        let due = Days::of(batch, "due_date")?;
        let discount_dates = Days::of(batch, "discount_date")?;
        let mut loaded = LoadedBatch::default();
        loaded.rows.reserve(batch.num_rows());
        // What needs only what is there already is done side by side; so the entries that the
        // pass below looks at are in the cache by then.
        let keys: Vec<Keys> = (0..batch.num_rows())
            .into_par_iter()
            .with_min_len(ROWS_PER_TASK)
            .map(|row| self.keys(clipped(ids.text(row)), orders.text(row)))
            .collect();
        let mut owner = (String::new(), NO_PARTY);
        let mut last = None;
        for (row, keys) in keys.into_iter().enumerate() {
            if owner.1 == NO_PARTY || owner.0 != owners.text(row) {
                owner.0.clear();
                owner.0.push_str(owners.text(row));
                owner.1 = match owners.get(row) {
                    Some(id) => parties.intern(id),
                    None => NO_PARTY,
                };
            }
            let (id, number) = (clipped(ids.text(row)), clipped(numbers.text(row)));
            let kind = ItemKind::from_code(kinds.text(row)).unwrap_or(ItemKind::Invoice);
            let code = currencies.text(row);
            let currency = match last {
                Some((same, place)) if same == code => place,
                _ => self.currency_place(code)?,
            };
            last = Some((code, currency));
            let amount = open.or_zero(row);
            let is_taken = taken.is_none_or(|taken| !taken.is_null(row) && taken.value(row));
            let settled_by = side
                .settled_by(kind, amount.is_negative())
                .filter(|_| is_taken);
            let item = Item {
                open: signed_open(side, kind, amount),
                discount: discounts.or_zero(row),
                party: owner.1,
                due: due.get(row).map_or(NO_DATE, Date::days),
                discount_date: discount_dates.get(row).map_or(NO_DATE, Date::days),
                issued: issued.get(row).map_or(NO_DATE, Date::days),
                text: 0,
                paid_by: NONE,
                id_length: id.len() as u16,
                number_length: number.len() as u16,
                currency,
                kind,
                settled_by,
                was_closed: false,
            };
            if owner.1 == NO_PARTY || !parties.is_named(owner.1) {
                loaded.unnamed_parties.push(row as u32);
            }
            loaded.rows.push(self.push(item, id, number, &keys)?);
        }
        Ok(loaded)
    }

    /// The keys of an item, and the place of one with its identifier.
    fn keys(&self, id: &str, order: &str) -> Keys {
        let hash = (self.hash.hash_one(id) >> 32) as u32;
        let order = Significant::of(order.as_bytes());
        let order = (!order.is_empty()).then(|| order.hash(&self.hash));
        Keys {
            hash,
            known: self.find(hash, id),
            order: order.and_then(NonZeroU64::new),
        }
    }

    fn find(&self, hash: u32, id: &str) -> Option<u32> {
        let same = |&(other, known): &(u32, u32)| other == hash && self.id(ItemIx(known)) == id;
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
        let first = self.items.len();
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
        let new = loaded.rows.iter().zip(carried);
        let new = new.filter(|(outcome, _)| **outcome == Loaded::New);
        for (item, (_, carried)) in self.items[first..].iter_mut().zip(new) {
            item.paid_by = carried.paid_by.unwrap_or(NONE);
            item.was_closed = carried.open.is_zero();
        }
        Ok(loaded)
    }

    fn currency_place(&mut self, code: &str) -> Result<u8, ItemsError> {
        let currency = code.parse().unwrap_or(Currency::USD);
        if let Some(place) = self.currencies.iter().position(|&known| known == currency) {
            return Ok(place as u8);
        }
        self.currencies.push(currency);
        u8::try_from(self.currencies.len() - 1).map_err(|_| ItemsError::TooManyCurrencies)
    }

    fn push(
        &mut self,
        mut item: Item,
        id: &str,
        number: &str,
        keys: &Keys,
    ) -> Result<Loaded, ItemsError> {
        // The batch itself may bring an item twice.
        let known = keys.known.or_else(|| self.find(keys.hash, id));
        if let Some(known) = known {
            let same = self.same_content(known, &item, number);
            return Ok(if same {
                Loaded::Repeated
            } else {
                Loaded::Conflicting
            });
        }
        if item.open.is_zero() {
            return Ok(Loaded::NothingOpen);
        }
        let place = self.items.len() as u32;
        item.text = u32::try_from(self.text.len()).map_err(|_| ItemsError::TooMuchText)?;
        let text = Arc::make_mut(&mut self.text);
        text.push_str(id);
        text.push_str(number);
        self.items.push(item);
        self.by_id
            .insert_unique(spread(keys.hash), (keys.hash, place), |&(other, _)| {
                spread(other)
            });
        self.order_hashes.push(keys.order);
        Ok(Loaded::New)
    }

    fn same_content(&self, known: u32, item: &Item, number: &str) -> bool {
        let known_item = &self.items[known as usize];
        known_item.open == item.open
            && known_item.party == item.party
            && known_item.kind == item.kind
            && known_item.currency == item.currency
            && self.number(ItemIx(known)) == number
    }

    /// Builds the indexes, once all items are there; with `groups` also that of what is open on
    /// one order or payout.
    pub fn finish_loading(&mut self, parties: usize, groups: bool) {
        self.by_id = HashTable::new();
        self.sort_by_party();
        let count = self.items.len() as u32;
        self.by_number = Directory::build(count, |place| {
            let [run, all, joined] = self.names_of(ItemIx(place));
            let all = Some(all).filter(|all| *all != run);
            let joined = Some(joined).filter(|joined| *joined != run && Some(*joined) != all);
            let keys = [Some(run), all, joined].into_iter().flatten();
            keys.filter(|key| !key.is_empty())
                .map(|key| key.hash(&self.hash))
        });
        let orders = std::mem::take(&mut self.order_hashes);
        if groups {
            self.groups = self.sum_groups(&orders);
        }
        self.by_order =
            Directory::build(count, |place| orders[place as usize].map(NonZeroU64::get));
        self.number_lengths = (0..count)
            .into_par_iter()
            .map(|place| 1_u64 << self.significant(ItemIx(place)).as_bytes().len())
            .reduce(|| 0, |left, right| left | right);
        self.group_by_party(parties);
        for item in self.items.iter_mut().filter(|item| item.was_closed) {
            item.open = Amount::ZERO;
        }
    }

    /// What is open on each order or payout of several items.
    fn sum_groups(
        &self,
        orders: &[Option<NonZeroU64>],
    ) -> HashMap<GroupKey, SmallVec<[u64; 1]>, RandomState> {
        let mut sums: HashMap<(u64, u32, u8, Direction), (Amount, u32), RandomState> =
            HashMap::default();
        let items = self.items.iter().zip(orders);
        for (item, order) in items.filter(|(item, _)| !item.was_closed) {
            let (Some(order), Some(direction)) = (order, item.settled_by) else {
                continue;
            };
            let key = (order.get(), item.party, item.currency, direction);
            let sum = sums.entry(key).or_default();
            sum.0 += item.open;
            sum.1 += 1;
        }
        let mut groups: HashMap<GroupKey, SmallVec<[u64; 1]>, RandomState> = HashMap::default();
        for ((order, party, currency, direction), (amount, count)) in sums {
            if count > 1 && amount.is_positive() {
                let key = (party, currency, direction, amount);
                groups.entry(key).or_default().push(order);
            }
        }
        for orders in groups.values_mut() {
            orders.sort_unstable();
        }
        groups
    }

    /// The items of each order or payout of `party` on which exactly `amount` was open at the
    /// start, and still is.
    pub fn groups_with_amount(
        &self,
        party: u32,
        currency: Currency,
        direction: Direction,
        amount: Amount,
    ) -> Vec<Vec<ItemIx>> {
        let place = self.currencies.iter().position(|&known| known == currency);
        let orders = place.and_then(|place| {
            let key = (party, place as u8, direction, amount);
            self.groups.get(&key)
        });
        let groups = orders.into_iter().flatten().map(|&order| {
            let mut items: Vec<ItemIx> = self
                .by_order
                .places(order)
                .map(ItemIx)
                .filter(|&item| {
                    self.is_settled_by(item, direction)
                        && self.currency(item) == currency
                        && self.party(item) == Some(party)
                        && self.is_open(item)
                })
                .collect();
            items.sort_unstable();
            items
        });
        let is_whole = |items: &Vec<ItemIx>| {
            let open: Amount = items.iter().map(|&item| self.open(item)).sum();
            open == amount
        };
        groups.filter(is_whole).collect()
    }

    /// What outputs call the items; the parties are for the caller to add.
    pub fn labels(&self) -> Labels {
        let label = |item: &Item| ItemLabel {
            text: item.text,
            id_length: item.id_length,
            number_length: item.number_length,
            party: item.party,
            currency: item.currency,
        };
        Labels {
            text: Arc::clone(&self.text),
            items: self.items.iter().map(label).collect(),
            currencies: self.currencies.clone(),
            parties: Vec::new(),
        }
    }

    /// Puts the items of each party side by side, with their text: a payment looks at those of
    /// one customer, and memory is read in stretches.
    fn sort_by_party(&mut self) {
        let mut order: Vec<(u32, u32)> = self
            .items
            .iter()
            .zip(0..)
            .map(|(i, p)| (i.party, p))
            .collect();
        if order.is_sorted() {
            return;
        }
        order.par_sort_unstable();
        let pieces: Vec<(Vec<Item>, Vec<Option<NonZeroU64>>, String)> = order
            .par_chunks(SORTED_PER_TASK)
            .map(|piece| self.gather(piece))
            .collect();
        let mut items = Vec::with_capacity(self.items.len());
        let mut orders = Vec::with_capacity(self.items.len());
        let mut text = String::with_capacity(self.text.len());
        for (own, own_orders, own_text) in pieces {
            let base = text.len() as u32;
            items.extend(own.into_iter().map(|item| Item {
                text: base + item.text,
                ..item
            }));
            orders.extend(own_orders);
            text.push_str(&own_text);
        }
        self.items = items;
        self.order_hashes = orders;
        self.text = Arc::new(text);
    }

    /// Copies of the items at these places, with text of their own.
    fn gather(&self, places: &[(u32, u32)]) -> (Vec<Item>, Vec<Option<NonZeroU64>>, String) {
        let mut text = String::new();
        let items = places.iter().map(|&(_, place)| {
            let item = self.items[place as usize];
            let start = text.len() as u32;
            text.push_str(self.id(ItemIx(place)));
            text.push_str(self.number(ItemIx(place)));
            Item {
                text: start,
                ..item
            }
        });
        let items = items.collect();
        let orders = places
            .iter()
            .map(|&(_, place)| self.order_hashes[place as usize]);
        (items, orders.collect(), text)
    }

    fn group_by_party(&mut self, parties: usize) {
        let mut start = vec![0_u32; parties + 1];
        for item in &self.items {
            if item.party != NO_PARTY {
                start[item.party as usize + 1] += 1;
            }
        }
        for party in 0..parties {
            start[party + 1] += start[party];
        }
        let mut by_party = vec![(0_u32, 0_u32); start[parties] as usize];
        let mut next = start.clone();
        for (place, item) in self.items.iter().enumerate() {
            if item.party != NO_PARTY {
                let slot = &mut next[item.party as usize];
                by_party[*slot as usize] = (amount_key(item.open), place as u32);
                *slot += 1;
            }
        }
        let mut groups = Vec::with_capacity(parties);
        let mut rest = by_party.as_mut_slice();
        for party in 0..parties {
            let length = (start[party + 1] - start[party]) as usize;
            let (own, others) = rest.split_at_mut(length);
            groups.push(own);
            rest = others;
        }
        groups.into_par_iter().for_each(<[_]>::sort_unstable);
        self.by_party = by_party;
        self.party_start = start;
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The item's identifier.
    pub fn id(&self, item: ItemIx) -> &str {
        let item = &self.items[item.0 as usize];
        let start = item.text as usize;
        &self.text[start..start + usize::from(item.id_length)]
    }

    /// The item's document number.
    pub fn number(&self, item: ItemIx) -> &str {
        number_of(&self.items, &self.text, item.0)
    }

    /// The same as bytes.
    pub fn number_bytes(&self, item: ItemIx) -> &[u8] {
        self.number(item).as_bytes()
    }

    /// The significant part of the item's document number.
    pub fn significant(&self, item: ItemIx) -> Significant {
        significant_of(&self.items, &self.text, item.0)
    }

    /// Whether `reference` has about the length of some document's number, so that it is missed
    /// when no item has it.
    pub fn is_plausible(&self, reference: &str) -> bool {
        let length = Significant::of(reference.as_bytes()).as_bytes().len();
        reference::says_something(reference)
            && (length.saturating_sub(1)..=length + reference::TRUNCATED_MISSING_MAX)
                .any(|other| other < 64 && self.number_lengths & (1 << other) != 0)
    }

    /// Whether the item was open for exactly `amount` when it was loaded.
    pub fn was_open_for(&self, item: ItemIx, amount: Amount) -> bool {
        let own = self
            .party(item)
            .map_or(&[] as &[_], |party| self.party_slice(party));
        let key = amount_key(amount);
        let from = own.partition_point(|&(other, _)| other < key);
        own[from..]
            .iter()
            .take_while(|&&(other, _)| other == key)
            .any(|&(_, place)| place == item.0)
    }

    /// The digits at the end of the item's document number.
    pub fn last_run(&self, item: ItemIx) -> Significant {
        last_run_of(&self.items, &self.text, item.0)
    }

    /// What is open now: above zero for what a customer owes, below for credits.
    pub fn open(&self, item: ItemIx) -> Amount {
        self.items[item.0 as usize].open
    }

    /// Whether anything is open.
    pub fn is_open(&self, item: ItemIx) -> bool {
        !self.open(item).is_zero()
    }

    /// The item's party, if it has one.
    pub fn party(&self, item: ItemIx) -> Option<u32> {
        Some(self.items[item.0 as usize].party).filter(|&party| party != NO_PARTY)
    }

    /// The item's currency.
    pub fn currency(&self, item: ItemIx) -> Currency {
        self.currencies[usize::from(self.items[item.0 as usize].currency)]
    }

    /// The item's kind.
    pub fn kind(&self, item: ItemIx) -> ItemKind {
        self.items[item.0 as usize].kind
    }

    /// Whether money that moves in `direction` settles the item.
    pub fn is_settled_by(&self, item: ItemIx, direction: Direction) -> bool {
        self.items[item.0 as usize].settled_by == Some(direction)
    }

    /// When the item was issued.
    pub fn issued(&self, item: ItemIx) -> Option<Date> {
        Some(self.items[item.0 as usize].issued)
            .filter(|&days| days != NO_DATE)
            .map(Date::from_days)
    }

    /// When the item is due.
    pub fn due(&self, item: ItemIx) -> Option<Date> {
        Some(self.items[item.0 as usize].due)
            .filter(|&days| days != NO_DATE)
            .map(Date::from_days)
    }

    /// The discount that a payment on `date` may take, if any.
    pub fn discount_on(&self, item: ItemIx, date: Date, grace_days: i32) -> Option<Amount> {
        let last = self.items[item.0 as usize].discount_date;
        let within = last != NO_DATE && date <= Date::from_days(last).plus_days(grace_days);
        self.discount(item).filter(|_| within)
    }

    /// The discount of the item, whatever its date.
    pub fn discount(&self, item: ItemIx) -> Option<Amount> {
        let record = &self.items[item.0 as usize];
        (record.discount.is_positive() && record.discount < record.open).then_some(record.discount)
    }

    /// The payment that took from the item last.
    pub fn paid_by(&self, item: ItemIx) -> Option<u32> {
        Some(self.items[item.0 as usize].paid_by).filter(|&payment| payment != NONE)
    }

    /// Takes `amount` (with the sign of the open amount) off the item.
    ///
    /// Returns whether that was possible: an item is never applied beyond what was open.
    #[must_use]
    pub fn take(&mut self, item: ItemIx, amount: Amount, payment: u32) -> bool {
        let record = &mut self.items[item.0 as usize];
        let rest = record.open - amount;
        let possible = if record.open.is_negative() {
            !amount.is_positive() && !rest.is_positive()
        } else {
            !amount.is_negative() && !rest.is_negative()
        };
        if possible {
            record.open = rest;
            record.paid_by = payment;
        }
        possible
    }

    /// Gives back to the item what an earlier payment took from it.
    pub fn give(&mut self, item: ItemIx, amount: Amount) {
        self.items[item.0 as usize].open += amount;
    }

    /// What people may call the item: the last digits of its document number, all that is
    /// significant in it, and that without zeros inside.
    fn names_of(&self, item: ItemIx) -> [Significant; 3] {
        let number = self.number_bytes(item);
        [
            Significant::last_run(number),
            Significant::of(number),
            Significant::without_inner_zeros(number),
        ]
    }

    /// Items that may be called `key`: those of its hash. Whoever has other reasons to leave some
    /// out does so first, and then asks [`Items::is_called`].
    pub fn near_number(&self, key: &Significant) -> impl Iterator<Item = ItemIx> + '_ {
        self.by_number.places(key.hash(&self.hash)).map(ItemIx)
    }

    /// Whether the item may be called `key`.
    pub fn is_called(&self, item: ItemIx, key: &Significant) -> bool {
        self.names_of(item).contains(key)
    }

    /// Items whose purchase order has the significant part `key`, told by its hash.
    pub fn with_order(&self, key: &Significant) -> impl Iterator<Item = ItemIx> + '_ {
        self.by_order.places(key.hash(&self.hash)).map(ItemIx)
    }

    fn party_slice(&self, party: u32) -> &[(u32, u32)] {
        match self.party_start.get(party as usize..party as usize + 2) {
            Some(&[start, end]) => &self.by_party[start as usize..end as usize],
            _ => &[],
        }
    }

    /// The party's open items in `currency`, at most [`PARTY_SCAN_MAX`], in no order that means anything.
    pub fn of_party(&self, party: u32, currency: Currency) -> impl Iterator<Item = ItemIx> + '_ {
        self.party_slice(party)
            .iter()
            .take(PARTY_SCAN_MAX)
            .map(|&(_, place)| ItemIx(place))
            .filter(move |&item| self.is_open(item) && self.currency(item) == currency)
    }

    /// How many items the party had open at the start, in all currencies.
    pub fn count_of(&self, party: u32) -> usize {
        self.party_slice(party).len()
    }

    /// The party's items that were open for exactly `amount` at the start and still are.
    pub fn of_party_with_amount(
        &self,
        party: u32,
        currency: Currency,
        amount: Amount,
    ) -> impl Iterator<Item = ItemIx> + '_ {
        let own = self.party_slice(party);
        let key = amount_key(amount);
        let from = own.partition_point(|&(other, _)| other < key);
        own[from..]
            .iter()
            .take_while(move |&&(other, _)| other == key)
            .map(|&(_, place)| ItemIx(place))
            .filter(move |&item| self.open(item) == amount && self.currency(item) == currency)
    }
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

/// Thirty-two bits of an amount; equal amounts have equal keys, and the caller compares the
/// amounts themselves.
fn amount_key(amount: Amount) -> u32 {
    let units = amount.units() as u64;
    (units.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
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

fn number_of<'a>(items: &[Item], text: &'a str, place: u32) -> &'a str {
    let item = &items[place as usize];
    let start = item.text as usize + usize::from(item.id_length);
    &text[start..start + usize::from(item.number_length)]
}

fn significant_of(items: &[Item], text: &str, place: u32) -> Significant {
    Significant::of(number_of(items, text, place).as_bytes())
}

fn last_run_of(items: &[Item], text: &str, place: u32) -> Significant {
    Significant::last_run(number_of(items, text, place).as_bytes())
}
