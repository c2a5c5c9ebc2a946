//! The layouts that a run knows: the user's own, then those that ship.

use std::sync::{Arc, LazyLock};

use super::layout::{Layout, LayoutError};

const SHIPPED: [(&str, &str); 2] = [
    (
        "bai-invoice.toml",
        include_str!("../../layouts/bai-invoice.toml"),
    ),
    ("bai-text.toml", include_str!("../../layouts/bai-text.toml")),
];

/// Lockbox layouts, in the order in which they are tried.
///
/// ```
/// use tieout_ingest::Layouts;
///
/// let mut layouts = Layouts::shipped();
/// let error = layouts.add("mybank.toml", "format = \"lockbox\"").unwrap_err();
/// assert_eq!(error.field, "line_lengths");
/// assert_eq!(layouts.names().collect::<Vec<_>>(), ["bai-invoice", "bai-text"]);
/// ```
#[derive(Clone, Debug)]
pub struct Layouts {
    all: Vec<Arc<Layout>>,
    /// How many of the first are the user's own.
    own: usize,
}

impl Layouts {
    /// The layouts that ship.
    pub fn shipped() -> Self {
        static LAYOUTS: LazyLock<Vec<Arc<Layout>>> = LazyLock::new(|| {
            SHIPPED
                .iter()
                .filter_map(|(file, text)| Layout::parse(file, text).ok())
                .map(Arc::new)
                .collect()
        });
        Self {
            all: LAYOUTS.clone(),
            own: 0,
        }
    }

    /// Adds a layout of the user's own, to be tried before those that ship and after the
    /// user's others. One of the same name as another of the user's replaces it.
    ///
    /// # Errors
    /// A [`LayoutError`] that names the file, the field and what is wrong.
    pub fn add(&mut self, file_name: &str, toml_text: &str) -> Result<(), LayoutError> {
        let layout = Arc::new(Layout::parse(file_name, toml_text)?);
        let same = self.all[..self.own]
            .iter()
            .position(|other| other.name == layout.name);
        if let Some(place) = same {
            self.all[place] = layout;
        } else {
            self.all.insert(self.own, layout);
            self.own += 1;
        }
        Ok(())
    }

    /// The names, in the order in which they are tried.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|layout| layout.name.as_str())
    }

    pub(crate) fn all(&self) -> &[Arc<Layout>] {
        &self.all
    }
}

impl Default for Layouts {
    fn default() -> Self {
        Self::shipped()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_that_ship_read() {
        assert_eq!(Layouts::shipped().all().len(), SHIPPED.len());
    }

    #[test]
    fn own_layouts_come_first_in_their_order() {
        let own = |name: &str| SHIPPED[0].1.replacen("bai-invoice", name, 1);
        let mut layouts = Layouts::shipped();
        for name in ["first", "second", "first"] {
            layouts.add("own.toml", &own(name)).unwrap();
        }
        let names: Vec<&str> = layouts.names().collect();
        assert_eq!(names, ["first", "second", "bai-invoice", "bai-text"]);
    }
}
