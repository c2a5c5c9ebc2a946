//! Where items lie in memory: blocks of them, each with its text, made side by side. So the store
//! grows without copying what it has.

use std::num::NonZeroU64;
use std::sync::Arc;

use rayon::prelude::*;
use tieout_core::{Amount, Direction, ItemKind};

use super::ItemsError;

/// No payment, as the number of one.
pub const NO_PAYMENT: u32 = u32::MAX;
/// No date, as the days of one.
pub const NO_DATE: i32 = i32::MIN;

/// Blocks as they are kept. So few items that their texts, of at most 65,535 bytes each, are
/// addressed by 32 bits.
const KEPT_BITS: u32 = 15;
const _: () = assert!((2 << KEPT_BITS) * (u16::MAX as usize) <= u32::MAX as usize);

/// Blocks as they are loaded: what one thread prepares at a time.
const LOADED_BITS: u32 = 9;

/// Items of a block while they are loaded.
pub const LOADED_ITEMS: usize = 1 << LOADED_BITS;

/// One open item; as small as a cache line, because matching is a walk over random items.
#[derive(Clone, Copy)]
pub struct Item {
    /// Above zero for what a customer owes, below for credits.
    pub open: Amount,
    pub discount: Amount,
    pub party: u32,
    pub due: i32,
    pub discount_date: i32,
    pub issued: i32,
    /// Where the identifier begins in the text of the block; the number follows it.
    pub text: u32,
    /// The payment that took from it last.
    pub paid_by: u32,
    pub id_length: u16,
    pub number_length: u16,
    pub currency: u8,
    pub kind: ItemKind,
    /// Which way money moves that settles it; none where the recipe has no use for it.
    pub settled_by: Option<Direction>,
    /// Paid in an earlier run: `open` is what it was before, until the indexes are built.
    pub was_closed: bool,
}

const _: () = assert!(size_of::<Item>() == 64);

impl Item {
    fn text_length(&self) -> usize {
        usize::from(self.id_length) + usize::from(self.number_length)
    }
}

/// Some items with their text.
#[derive(Default)]
pub struct Block {
    items: Vec<Item>,
    /// Shared with the labels, once nothing is added any more.
    text: Arc<String>,
    /// Hash of the purchase order, by item.
    orders: Vec<Option<NonZeroU64>>,
}

impl Block {
    /// Room for so many items with so much text.
    pub fn with_capacity(items: usize, bytes: usize) -> Self {
        Self {
            items: Vec::with_capacity(items),
            text: Arc::new(String::with_capacity(bytes)),
            orders: Vec::with_capacity(items),
        }
    }

    /// Adds an item with its identifier and number, of at most 65,535 bytes each, and the hash of
    /// its purchase order.
    pub fn push(&mut self, item: Item, id: &str, number: &str, order: Option<NonZeroU64>) {
        let text = self.text.len() as u32;
        let own = Arc::make_mut(&mut self.text);
        own.push_str(id);
        own.push_str(number);
        self.items.push(Item { text, ..item });
        self.orders.push(order);
    }
}

/// Items by their place: the number of their block above `BITS` bits for the place within it.
pub struct Blocks<const BITS: u32>(Vec<Block>);

/// Items that are ready to be matched; every place up to their number is taken.
pub type Kept = Blocks<KEPT_BITS>;

/// Items that are being loaded; places may be empty.
pub type Loading = Blocks<LOADED_BITS>;

impl<const BITS: u32> Default for Blocks<BITS> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<const BITS: u32> Blocks<BITS> {
    /// The item at `place`.
    pub fn get(&self, place: u32) -> &Item {
        &self.block(place).items[Self::within(place)]
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, place: u32) -> &mut Item {
        &mut self.0[(place >> BITS) as usize].items[Self::within(place)]
    }

    /// The identifier of the item at `place`.
    pub fn id(&self, place: u32) -> &str {
        let block = self.block(place);
        let item = &block.items[Self::within(place)];
        let start = item.text as usize;
        &block.text[start..start + usize::from(item.id_length)]
    }

    /// The document number of the item at `place`.
    pub fn number(&self, place: u32) -> &str {
        let block = self.block(place);
        let item = &block.items[Self::within(place)];
        let start = item.text as usize + usize::from(item.id_length);
        &block.text[start..start + usize::from(item.number_length)]
    }

    /// The hash of the purchase order of the item at `place`, if it has one.
    pub fn order(&self, place: u32) -> Option<NonZeroU64> {
        let orders = &self.block(place).orders;
        orders.get(Self::within(place)).copied().flatten()
    }

    fn block(&self, place: u32) -> &Block {
        &self.0[(place >> BITS) as usize]
    }

    const fn within(place: u32) -> usize {
        place as usize & ((1 << BITS) - 1)
    }
}

impl Loading {
    /// The place of the first item of the next block.
    pub fn next(&self) -> u32 {
        (self.0.len() as u32) << LOADED_BITS
    }

    /// Adds a block of at most [`LOADED_ITEMS`]; returns the place of its first item.
    ///
    /// # Errors
    /// [`ItemsError::TooMany`] if there are no more places.
    pub fn add(&mut self, block: Block) -> Result<u32, ItemsError> {
        let first = u32::try_from(self.0.len() << LOADED_BITS).map_err(|_| ItemsError::TooMany)?;
        self.0.push(block);
        Ok(first)
    }

    /// Leaves the place empty.
    pub fn empty(&mut self, place: u32) {
        self.get_mut(place).open = Amount::ZERO;
    }

    /// The items side by side by party, with their text, in the order of their arrival: a payment
    /// looks at those of one customer, and memory is read in stretches.
    pub fn into_kept(self) -> Kept {
        let blocks = self.0.par_iter().enumerate();
        let order = blocks.flat_map_iter(|(number, block)| {
            let items = block.items.iter().zip((number as u64) << LOADED_BITS..);
            let taken = items.filter(|(item, _)| !item.open.is_zero());
            taken.map(|(item, place)| u64::from(item.party) << 32 | place)
        });
        let mut order: Vec<u64> = order.collect();
        order.par_sort_unstable();
        let blocks = order.par_chunks(1 << KEPT_BITS).map(|own| {
            let places = || own.iter().map(|&entry| entry as u32);
            let bytes = places().map(|place| self.get(place).text_length()).sum();
            let mut block = Block::with_capacity(own.len(), bytes);
            for place in places() {
                let item = *self.get(place);
                block.push(item, self.id(place), self.number(place), self.order(place));
            }
            block
        });
        Blocks(blocks.collect())
    }
}

impl Kept {
    /// How many items there are.
    pub fn len(&self) -> usize {
        match self.0.split_last() {
            Some((last, full)) => (full.len() << KEPT_BITS) + last.items.len(),
            None => 0,
        }
    }

    /// All items in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.0.iter().flat_map(|block| &block.items)
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.0.iter_mut().flat_map(|block| &mut block.items)
    }

    /// Forgets the purchase orders, once their index is built.
    pub fn drop_orders(&mut self) {
        for block in &mut self.0 {
            block.orders = Vec::new();
        }
    }

    /// What the items are called, to be read while items change.
    pub fn names(&self) -> Names {
        let names = |block: &Block| BlockNames {
            text: Arc::clone(&block.text),
            items: block.items.iter().map(Name::of).collect(),
        };
        Names(self.0.par_iter().map(names).collect())
    }
}

/// Where an item's identifier and number lie in the text of its block, and whose it is.
#[derive(Debug)]
struct Name {
    text: u32,
    id_length: u16,
    number_length: u16,
    party: u32,
    currency: u8,
}

impl Name {
    fn of(item: &Item) -> Self {
        Self {
            text: item.text,
            id_length: item.id_length,
            number_length: item.number_length,
            party: item.party,
            currency: item.currency,
        }
    }
}

#[derive(Debug)]
struct BlockNames {
    text: Arc<String>,
    items: Vec<Name>,
}

/// What the items are called, by their place.
#[derive(Debug, Default)]
pub struct Names(Vec<BlockNames>);

impl Names {
    /// Identifier, document number, party and place of the currency of the item at `place`.
    pub fn get(&self, place: u32) -> (&str, &str, u32, u8) {
        let BlockNames { text, items } = &self.0[(place >> KEPT_BITS) as usize];
        let name = &items[Kept::within(place)];
        let start = name.text as usize;
        let number = start + usize::from(name.id_length);
        let end = number + usize::from(name.number_length);
        let (id, number) = (&text[start..number], &text[number..end]);
        (id, number, name.party, name.currency)
    }
}
