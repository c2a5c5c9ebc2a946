//! Names as small numbers, so that millions of identifiers compare and sort cheaply.

use std::rc::Rc;

use ahash::AHashMap;

/// The number of an empty name.
pub const NONE: u32 = u32::MAX;

/// Numbers given to names in the order of their first appearance.
#[derive(Default)]
pub struct Numbering {
    numbers: AHashMap<Rc<[u8]>, u32>,
    names: Vec<Rc<[u8]>>,
}

impl Numbering {
    /// The number of `name`, a new one if it has none; [`NONE`] if it is empty.
    pub fn number(&mut self, name: &[u8]) -> u32 {
        if name.is_empty() {
            return NONE;
        }
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.names.len() as u32;
        let name: Rc<[u8]> = name.into();
        self.names.push(Rc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    /// The number of `name`, if it has one.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The name of a number; `-` for [`NONE`].
    pub fn name(&self, number: u32) -> String {
        self.names.get(number as usize).map_or_else(
            || "-".to_owned(),
            |name| String::from_utf8_lossy(name).into_owned(),
        )
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }
}
