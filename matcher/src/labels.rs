//! What outputs call items and parties.

use std::sync::Arc;

use tieout_core::{Currency, ItemIx};

/// Identifiers as they were loaded, which no payment changes: rows are written from them while
/// matching goes on.
#[derive(Debug, Default)]
pub struct Labels {
    pub(crate) text: Arc<String>,
    pub(crate) items: Vec<ItemLabel>,
    pub(crate) currencies: Vec<Currency>,
    pub(crate) parties: Vec<Box<str>>,
}

/// Where an item's identifier and number lie in the text, and whose it is.
#[derive(Debug)]
pub(crate) struct ItemLabel {
    pub text: u32,
    pub id_length: u16,
    pub number_length: u16,
    pub party: u32,
    pub currency: u8,
}

impl Labels {
    fn part(&self, start: usize, length: u16) -> &str {
        &self.text[start..start + usize::from(length)]
    }

    /// The item's identifier.
    pub fn item_id(&self, item: ItemIx) -> &str {
        let label = &self.items[item.0 as usize];
        self.part(label.text as usize, label.id_length)
    }

    /// The item's document number.
    pub fn item_number(&self, item: ItemIx) -> &str {
        let label = &self.items[item.0 as usize];
        let start = label.text as usize + usize::from(label.id_length);
        self.part(start, label.number_length)
    }

    /// The identifier of the item's party, if it has one.
    pub fn item_party(&self, item: ItemIx) -> Option<&str> {
        let party = self.items[item.0 as usize].party;
        self.parties.get(party as usize).map(AsRef::as_ref)
    }

    /// The item's currency.
    pub fn item_currency(&self, item: ItemIx) -> Currency {
        self.currencies[usize::from(self.items[item.0 as usize].currency)]
    }

    /// The party's identifier.
    pub fn party(&self, party: u32) -> &str {
        &self.parties[party as usize]
    }
}
