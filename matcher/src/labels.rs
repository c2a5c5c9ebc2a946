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

/// What outputs say of an item.
#[derive(Clone, Copy, Debug)]
pub struct ItemName<'a> {
    /// Its identifier.
    pub id: &'a str,
    /// Its document number.
    pub number: &'a str,
    /// The identifier of its party, if it has one.
    pub party: Option<&'a str>,
    /// Its currency.
    pub currency: Currency,
}

impl Labels {
    /// What the item is called.
    pub fn item(&self, item: ItemIx) -> ItemName<'_> {
        let label = &self.items[item.0 as usize];
        let number = label.text as usize + usize::from(label.id_length);
        let end = number + usize::from(label.number_length);
        ItemName {
            id: &self.text[label.text as usize..number],
            number: &self.text[number..end],
            party: self.parties.get(label.party as usize).map(AsRef::as_ref),
            currency: self.currencies[usize::from(label.currency)],
        }
    }

    /// The party's identifier.
    pub fn party(&self, party: u32) -> &str {
        &self.parties[party as usize]
    }
}
