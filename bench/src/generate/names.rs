//! Company names: how the books write them, and how people write them on a check.
//!
//! Every name that is generated keeps its customer identifiable: the core (the words without
//! the legal suffix) is unique as a set of words and fits the last 28 columns of a lockbox record.

use ahash::AHashSet;

use super::dice::Dice;
use super::words::{FIRST, KIND, PLACE, SHORT, SUFFIX, TRADE};

/// The width of a remitter name in a lockbox record of 80 columns.
pub const REMITTER_WIDTH: usize = 28;

/// A company name in its two parts.
#[derive(Clone, Debug)]
pub struct Name {
    /// The words that tell it apart.
    pub core: String,
    /// `Inc.`, `LLC`, ... or empty.
    pub suffix: &'static str,
}

impl Name {
    /// The name as the books write it.
    pub fn in_books(&self) -> String {
        match self.suffix {
            "" => self.core.clone(),
            "Inc." | "LLC" => format!("{}, {}", self.core, self.suffix),
            other => format!("{} {other}", self.core),
        }
    }

    /// The name as a payer writes it: upper case, shortened, reordered, mistyped, cut.
    pub fn as_written(&self, dice: &mut Dice) -> String {
        let mut words: Vec<String> = self
            .core
            .to_uppercase()
            .split(' ')
            .map(str::to_owned)
            .collect();
        let mut suffix = self.suffix.trim_end_matches('.').to_uppercase();
        if dice.chance(500) {
            match dice.weighted([35, 20, 25, 5, 15]) {
                0 => suffix = other_suffix(&suffix, dice),
                1 => shorten(&mut words),
                2 => mistype(&mut words, dice),
                3 => words.rotate_left(1),
                _ => {
                    shorten(&mut words);
                    suffix.clear();
                }
            }
        }
        if !suffix.is_empty() {
            words.push(suffix);
        }
        let mut written = words.join(" ");
        written.truncate(REMITTER_WIDTH);
        written.truncate(written.trim_end().len());
        written
    }
}

fn other_suffix(suffix: &str, dice: &mut Dice) -> String {
    if suffix.is_empty() {
        (dice.pick(&["INC", "LLC", "CO"])).to_owned()
    } else {
        String::new()
    }
}

fn shorten(words: &mut [String]) {
    for word in words {
        if let Some((_, short)) = SHORT.iter().find(|(long, _)| long == word) {
            (*short).clone_into(word);
        }
    }
}

/// Drops, doubles or swaps a letter inside the longest word.
fn mistype(words: &mut [String], dice: &mut Dice) {
    let Some(word) = words.iter_mut().max_by_key(|w| w.len()) else {
        return;
    };
    let mut letters = word.clone().into_bytes();
    if letters.len() < 6 {
        return;
    }
    let at = 1 + dice.below(letters.len() as u64 - 3) as usize;
    match dice.below(3) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    *word = String::from_utf8_lossy(&letters).into_owned();
}

/// Composes names that no other party has.
#[derive(Default)]
pub struct NameBook {
    taken: AHashSet<String>,
}

impl NameBook {
    /// A new name.
    pub fn compose(&mut self, dice: &mut Dice) -> Name {
        let mut tries = 0;
        loop {
            let core = draw_core(dice, tries > 3);
            tries += 1;
            if core.len() <= REMITTER_WIDTH - 2 && self.claim(&core) {
                return Name {
                    core,
                    suffix: dice.pick(SUFFIX),
                };
            }
        }
    }

    /// Takes the core if no party has the same words, in whatever order or shortening.
    /// "Company" does not count: shortened to "Co" it reads as a suffix.
    fn claim(&mut self, core: &str) -> bool {
        let mut words: Vec<&str> = core.split(' ').filter(|&word| word != "Company").collect();
        words.sort_unstable();
        self.taken.insert(words.join(" "))
    }
}

fn draw_core(dice: &mut Dice, with_place: bool) -> String {
    let mut words = vec![dice.pick(FIRST)];
    let shape = dice.below(10);
    if shape < 9 {
        words.push(dice.pick(TRADE));
    }
    if shape > 0 {
        words.push(dice.pick(KIND));
    }
    if with_place {
        words.insert(1, dice.pick(PLACE));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// True when `a` becomes `b` by one inserted, dropped, changed or swapped letter.
    fn one_edit_apart(a: &str, b: &str) -> bool {
        let (a, b) = (a.to_uppercase().into_bytes(), b.to_uppercase().into_bytes());
        let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
        let back = a
            .iter()
            .rev()
            .zip(b.iter().rev())
            .take_while(|(x, y)| x == y)
            .count();
        a.len().max(b.len()) <= (front + back + 1).min(a.len().min(b.len()) + 1)
    }

    #[test]
    fn no_typo_makes_another_word() {
        for list in [FIRST, TRADE, KIND, PLACE] {
            for (i, a) in list.iter().enumerate() {
                for b in &list[i + 1..] {
                    assert!(!one_edit_apart(a, b), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_fit() {
        let mut dice = Dice::new(3, 0);
        let mut book = NameBook::default();
        let mut seen = AHashSet::new();
        for _ in 0..20_000 {
            let name = book.compose(&mut dice);
            assert!(name.core.len() <= REMITTER_WIDTH - 2);
            assert!(seen.insert(name.core.clone()));
            let written = name.as_written(&mut dice);
            assert!(written.len() <= REMITTER_WIDTH && !written.is_empty());
        }
    }
}
