//! Open items and the indexes that lead to them. Never a scan of all items.

mod blocks;
mod indexes;
mod loading;

use std::hint::black_box;
use std::ops::Range;

use ahash::RandomState;
use hashbrown::{HashMap, HashTable};
use smallvec::SmallVec;
use tieout_core::{Amount, Currency, Date, Direction, ItemIx, ItemKind};

pub use self::blocks::Names;
use self::blocks::{Kept, Loading, NO_DATE, NO_PAYMENT};
pub use self::loading::{CarriedItem, ItemsError, Loaded, LoadedBatch};
use crate::directory::Directory;
use crate::labels::Labels;
use crate::parties::NO_PARTY;
use crate::reference::{self, Significant};

/// Open items of one party that a scan looks at.
pub const PARTY_SCAN_MAX: usize = 20_000;

/// Party, currency, direction and amount of what is open on one order or payout.
type GroupKey = (u32, u8, Direction, Amount);

/// All open items.
pub struct Items {
    /// Until the indexes are built.
    loading: Loading,
    blocks: Kept,
    currencies: Vec<Currency>,
    hash: RandomState,
    /// Hash of the identifier, and the item; the hash is kept so that growing is cheap.
    by_id: HashTable<(u32, u32)>,
    /// By what the number may be called, see [`Items::names_of`].
    by_number: Directory,
    /// By the purchase order.
    by_order: Directory,
    /// Orders or payouts with several items, where amounts may be of all of them together.
    groups: HashMap<GroupKey, SmallVec<[u64; 1]>, RandomState>,
    /// Items in the order of their parties and, within one, of [`amount_key`] of what was open
    /// at the start; the key stays when the open amount changes, so that the order holds.
    by_party: Vec<(u32, u32)>,
    /// The place of each party's first item, and where those of the last one end.
    party_start: Vec<u32>,
    /// Bit *n* is set if some document's number has *n* significant characters.
    number_lengths: u64,
    /// How many items of each party were closed before this run, where any were.
    closed_before: HashMap<u32, u32, RandomState>,
}

impl Default for Items {
    fn default() -> Self {
        Self {
            loading: Loading::default(),
            blocks: Kept::default(),
            currencies: Vec::new(),
            // Fixed seeds: the order of chains, and so every decision, repeats.
            hash: RandomState::with_seeds(11, 12, 13, 14),
            by_id: HashTable::new(),
            by_number: Directory::default(),
            by_order: Directory::default(),
            groups: HashMap::default(),
            by_party: Vec::new(),
            party_start: Vec::new(),
            number_lengths: 0,
            closed_before: HashMap::default(),
        }
    }
}

impl Items {
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
        Labels {
            items: self.blocks.names(),
            currencies: self.currencies.clone(),
            parties: Vec::new(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The item's identifier.
    pub fn id(&self, item: ItemIx) -> &str {
        self.blocks.id(item.0)
    }

    /// The item's document number.
    pub fn number(&self, item: ItemIx) -> &str {
        self.blocks.number(item.0)
    }

    /// The same as bytes.
    pub fn number_bytes(&self, item: ItemIx) -> &[u8] {
        self.number(item).as_bytes()
    }

    /// The significant part of the item's document number.
    pub fn significant(&self, item: ItemIx) -> Significant {
        Significant::of(self.number_bytes(item))
    }

    /// Notes the lengths of the numbers of closed items, loaded or not: bit *n* for *n* significant
    /// characters.
    pub fn note_lengths(&mut self, lengths: u64) {
        self.number_lengths |= lengths;
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
        Significant::last_run(self.number_bytes(item))
    }

    /// What is open now: above zero for what a customer owes, below for credits.
    pub fn open(&self, item: ItemIx) -> Amount {
        self.blocks.get(item.0).open
    }

    /// Whether anything is open.
    pub fn is_open(&self, item: ItemIx) -> bool {
        !self.open(item).is_zero()
    }

    /// The item's party, if it has one.
    pub fn party(&self, item: ItemIx) -> Option<u32> {
        Some(self.blocks.get(item.0).party).filter(|&party| party != NO_PARTY)
    }

    /// The item's currency.
    pub fn currency(&self, item: ItemIx) -> Currency {
        self.currencies[usize::from(self.blocks.get(item.0).currency)]
    }

    /// The item's kind.
    pub fn kind(&self, item: ItemIx) -> ItemKind {
        self.blocks.get(item.0).kind
    }

    /// Whether money that moves in `direction` settles the item.
    pub fn is_settled_by(&self, item: ItemIx, direction: Direction) -> bool {
        self.blocks.get(item.0).settled_by == Some(direction)
    }

    /// When the item was issued.
    pub fn issued(&self, item: ItemIx) -> Option<Date> {
        Some(self.blocks.get(item.0).issued)
            .filter(|&days| days != NO_DATE)
            .map(Date::from_days)
    }

    /// When the item is due.
    pub fn due(&self, item: ItemIx) -> Option<Date> {
        Some(self.blocks.get(item.0).due)
            .filter(|&days| days != NO_DATE)
            .map(Date::from_days)
    }

    /// The discount that a payment on `date` may take, if any.
    pub fn discount_on(&self, item: ItemIx, date: Date, grace_days: i32) -> Option<Amount> {
        let last = self.blocks.get(item.0).discount_date;
        let within = last != NO_DATE && date <= Date::from_days(last).plus_days(grace_days);
        self.discount(item).filter(|_| within)
    }

    /// The discount of the item, whatever its date.
    pub fn discount(&self, item: ItemIx) -> Option<Amount> {
        let record = self.blocks.get(item.0);
        (record.discount.is_positive() && record.discount < record.open).then_some(record.discount)
    }

    /// The payment that took from the item last.
    pub fn paid_by(&self, item: ItemIx) -> Option<u32> {
        Some(self.blocks.get(item.0).paid_by).filter(|&payment| payment != NO_PAYMENT)
    }

    /// Takes `amount` (with the sign of the open amount) off the item.
    ///
    /// Returns whether that was possible: an item is never applied beyond what was open.
    #[must_use]
    pub fn take(&mut self, item: ItemIx, amount: Amount, payment: u32) -> bool {
        let record = self.blocks.get_mut(item.0);
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
        self.blocks.get_mut(item.0).open += amount;
    }

    /// What people may call the item.
    fn names_of(&self, item: ItemIx) -> [Significant; 3] {
        Significant::names_of(self.number_bytes(item))
    }

    /// Items that may be called `key`: those of its hash. Whoever has other reasons to leave some
    /// out does so first, and then asks [`Items::is_called`].
    pub fn near_number(&self, key: &Significant) -> impl Iterator<Item = ItemIx> + '_ {
        self.by_number.places(key.hash(&self.hash)).map(ItemIx)
    }

    /// Reads the first item that may be called each of `keys`, so that it lies in the cache when the
    /// payments that name them are decided; changes nothing.
    pub fn look_ahead(&self, keys: &[Significant]) {
        let hashes: Vec<u64> = keys.iter().map(|key| key.hash(&self.hash)).collect();
        let mut places = Vec::with_capacity(hashes.len());
        self.by_number.first_places(&hashes, &mut places);
        let own = places.iter().map(|&place| self.blocks.get(place).text);
        black_box(own.fold(0, u32::wrapping_add));
        let numbers = places.iter().map(|&place| self.blocks.number(place));
        let first = numbers.map(|number| number.as_bytes().first().copied().unwrap_or_default());
        black_box(first.fold(0, u8::wrapping_add));
    }

    /// Whether the item may be called `key`.
    pub fn is_called(&self, item: ItemIx, key: &Significant) -> bool {
        self.names_of(item).contains(key)
    }

    /// Items whose purchase order has the significant part `key`, told by its hash.
    pub fn with_order(&self, key: &Significant) -> impl Iterator<Item = ItemIx> + '_ {
        self.by_order.places(key.hash(&self.hash)).map(ItemIx)
    }

    /// The items of a party lie side by side.
    fn party_places(&self, party: u32) -> Range<u32> {
        match self.party_start.get(party as usize..party as usize + 2) {
            Some(&[start, end]) => start..end,
            _ => 0..0,
        }
    }

    fn party_slice(&self, party: u32) -> &[(u32, u32)] {
        let places = self.party_places(party);
        &self.by_party[places.start as usize..places.end as usize]
    }

    /// The party's open items in `currency`, the first [`PARTY_SCAN_MAX`] of them, in the order of
    /// their places.
    pub fn of_party(&self, party: u32, currency: Currency) -> impl Iterator<Item = ItemIx> + '_ {
        self.party_places(party)
            .map(ItemIx)
            .filter(|&item| self.is_open(item) || !self.blocks.get(item.0).was_closed)
            .take(PARTY_SCAN_MAX)
            .filter(move |&item| self.is_open(item) && self.currency(item) == currency)
    }

    /// The item with the identifier `id`, which has this document number and party.
    pub fn named(&self, id: &str, number: &str, party: Option<u32>) -> Option<ItemIx> {
        let key = Significant::last_run(number.as_bytes());
        let is_own = |item: &ItemIx| self.id(*item) == id;
        let by_number = self.near_number(&key).find(is_own);
        by_number.or_else(|| {
            let own = self.party_slice(party?).iter();
            own.map(|&(_, place)| ItemIx(place)).find(is_own)
        })
    }

    /// How many items the party had open at the start, in all currencies.
    pub fn count_of(&self, party: u32) -> usize {
        let closed = self.closed_before.get(&party);
        self.party_places(party).len() - closed.map_or(0, |&closed| closed as usize)
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

/// Thirty-two bits of an amount; equal amounts have equal keys, and the caller compares the
/// amounts themselves.
fn amount_key(amount: Amount) -> u32 {
    let units = amount.units() as u64;
    (units.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}
