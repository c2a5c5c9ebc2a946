//! What neighbouring lines nearly always have in common.

use std::rc::Rc;

use crate::rows::is_same;

/// Texts that are kept once for all lines that follow each other with the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(Rc<[Box<str>]>);

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.is(&other.0)
    }
}

impl Eq for Shared {}

impl Shared {
    /// Becomes `texts`; says whether that changes anything.
    pub fn update(&mut self, texts: &[&str]) -> bool {
        let is_new = !self.is(texts);
        if is_new {
            self.0 = texts.iter().map(|&text| Box::from(text)).collect();
        }
        is_new
    }

    fn is(&self, texts: &[impl AsRef<str>]) -> bool {
        let mut pairs = self.0.iter().zip(texts);
        self.0.len() == texts.len() && pairs.all(|(kept, text)| is_same(kept, text.as_ref()))
    }

    /// The first text.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", |text| text)
    }
}
