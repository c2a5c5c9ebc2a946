//! What neighbouring lines nearly always have in common.

use std::rc::Rc;

use crate::rows::is_same;

/// Texts that are kept once for all lines that follow each other with the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shared(Rc<[Box<str>]>);

impl Shared {
    /// Becomes `texts`; says whether that changes anything.
    pub fn update(&mut self, texts: &[&str]) -> bool {
        let pairs = || self.0.iter().zip(texts);
        let is_new =
            self.0.len() != texts.len() || !pairs().all(|(kept, text)| is_same(kept, text));
        if is_new {
            self.0 = texts.iter().map(|&text| Box::from(text)).collect();
        }
        is_new
    }

    /// The first text.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", |text| text)
    }
}
