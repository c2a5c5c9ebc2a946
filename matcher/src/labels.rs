//! What outputs call items and parties.

use tieout_core::{Currency, ItemIx};

use crate::items::Names;

/// Identifiers as they were loaded, which no payment changes: rows are written from them while
/// matching goes on.
#[derive(Debug, Default)]
pub struct Labels {
    pub(crate) items: Names,
    pub(crate) currencies: Vec<Currency>,
    pub(crate) parties: Vec<Box<str>>,
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
        let (id, number, party, currency) = self.items.get(item.0);
        ItemName {
            id,
            number,
            party: self.parties.get(party as usize).map(AsRef::as_ref),
            currency: self.currencies[usize::from(currency)],
        }
    }

    /// The party's identifier.
    pub fn party(&self, party: u32) -> &str {
        &self.parties[party as usize]
    }
}
