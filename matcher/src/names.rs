//! Finding parties by the names that payers give.

use std::cell::Cell;
use std::cmp::Reverse;
use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;
use parking_lot::RwLock;
use smallvec::{SmallVec, smallvec};
pub use tieout_core::Name;

use crate::parties::NAME_DIFFERS_BELOW;

/// Postings that one search looks at, those of the rarest triples first. Among many customers every
/// triple of a short name is common, and still they tell more than nothing.
const POSTINGS_MAX: usize = 24_000;
/// The rarest triples of a name that are looked up.
const TRIPLES_LOOKED_UP: usize = 12;
/// Answers that are remembered; later names are searched for each time.
const ANSWERS_MAX: usize = 1 << 18;
/// Names compared in full.
const COMPARED_MAX: usize = 12;

/// What a name search found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The party.
    pub party: u32,
    /// How alike the names are.
    pub similarity: f64,
    /// How alike the next party's name is.
    pub runner_up: f64,
}

/// Finds parties by name: the same words at once, misspelt ones by the rare letter triples
/// that they share.
#[derive(Default)]
pub struct NameIndex {
    names: Vec<(Name, u32)>,
    /// The letters of each name; apart, since a search looks at those of thousands.
    letters: Vec<u64>,
    exact: HashMap<u64, SmallVec<[u32; 1]>, RandomState>,
    triples: HashMap<[u8; 3], Vec<u32>, RandomState>,
    state: Option<RandomState>,
    /// Answers given before; the same payers come again and again.
    answers: RwLock<HashMap<Box<str>, Answer, RandomState>>,
}

/// What a search comes to.
#[derive(Clone, Default)]
struct Answer {
    found: Option<Found>,
    /// Those whose names are not plainly different, the most alike first; none where names of the same
    /// words were found, so that nobody looked further.
    suspects: Option<Arc<[u32]>>,
}

impl NameIndex {
    fn state(&self) -> RandomState {
        self.state
            .clone()
            .unwrap_or_else(|| RandomState::with_seeds(1, 2, 3, 4))
    }

    /// Adds a name of `party`.
    pub fn insert(&mut self, name: Name, party: u32) {
        if name.is_empty() {
            return;
        }
        let holders = self.exact.entry(name.key(&self.state())).or_default();
        if !holders.contains(&party) {
            holders.push(party);
        }
        let place = self.names.len() as u32;
        for triple in name.triples() {
            self.triples.entry(triple).or_default().push(place);
        }
        self.letters.push(letters(&name));
        self.names.push((name, party));
    }

    /// The first party with a name of the same words.
    pub fn exact(&self, name: &Name) -> Option<u32> {
        let holders = self.exact.get(&name.key(&self.state()))?;
        holders.first().copied()
    }

    /// The party whose name is most like `text`, if any name shares rare letters with it.
    pub fn find(&self, text: &str) -> Option<Found> {
        self.answer(text).found
    }

    /// The parties whose names are not plainly different from `text`, each once, the most alike first.
    pub fn suspects(&self, text: &str) -> Arc<[u32]> {
        self.answer(text)
            .suspects
            .unwrap_or_else(|| suspects(&self.alike(&Name::of(text))))
    }

    fn answer(&self, text: &str) -> Answer {
        if let Some(answer) = self.answers.read().get(text) {
            return answer.clone();
        }
        let answer = self.search(text);
        let mut answers = self.answers.write();
        if answers.len() < ANSWERS_MAX {
            answers.insert(text.into(), answer.clone());
        }
        answer
    }

    fn search(&self, text: &str) -> Answer {
        let name = Name::of(text);
        if name.is_empty() {
            return Answer::default();
        }
        if let Some(holders) = self.exact.get(&name.key(&self.state())) {
            let found = Found {
                party: holders[0],
                similarity: 1.0,
                runner_up: if holders.len() > 1 { 1.0 } else { 0.0 },
            };
            return Answer {
                found: Some(found),
                suspects: None,
            };
        }
        let alike = self.alike(&name);
        let found = alike.first().map(|&(party, similarity)| Found {
            party,
            similarity,
            runner_up: alike.get(1).map_or(0.0, |&(_, similarity)| similarity),
        });
        Answer {
            found,
            suspects: Some(suspects(&alike)),
        }
    }

    /// The parties whose names are most like `name`, each once, the most alike first; of those as
    /// much alike, the one of the lower number.
    fn alike(&self, name: &Name) -> Vec<(u32, f64)> {
        let mut parties: Vec<(u32, f64)> = Vec::new();
        for place in self.near(name) {
            let (candidate, party) = &self.names[place as usize];
            let similarity = name.similarity(candidate);
            match parties.iter_mut().find(|(known, _)| known == party) {
                Some((_, best)) => *best = best.max(similarity),
                None => parties.push((*party, similarity)),
            }
        }
        parties.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        parties
    }

    /// The places of the names that share the most of the rarest triples, and of those that share
    /// as many, the names with the most like letters.
    fn near(&self, name: &Name) -> Vec<u32> {
        let mut postings: SmallVec<[&[u32]; 32]> = name
            .triples()
            .iter()
            .filter_map(|triple| self.triples.get(triple))
            .map(Vec::as_slice)
            .collect();
        postings.sort_by_key(|places| places.len());
        let mut left = POSTINGS_MAX;
        let within = postings
            .iter()
            .take(TRIPLES_LOOKED_UP)
            .take_while(|places| {
                let fits = places.len() <= left;
                left = left.saturating_sub(places.len());
                fits
            });
        let looked_up = within.count();
        postings.truncate(looked_up);
        most_shared(&self.letters, letters(name), &postings)
    }
}

/// The letters of a name, whatever their order: a bit for each of `A` to `Z`, another where it occurs
/// again, one for each digit and two for all else. A slip of the pen changes one or two bits.
fn letters(name: &Name) -> u64 {
    let mut bits = 0_u64;
    for &letter in name.words().flatten() {
        let once = match letter {
            b'A'..=b'Z' => 1 << (letter - b'A'),
            b'0'..=b'9' => 1 << (52 + letter - b'0'),
            other => 1 << (62 + (other & 1)),
        };
        let is_letter = letter.is_ascii_uppercase();
        bits |= if is_letter && bits & once != 0 {
            once << 26
        } else {
            once
        };
    }
    bits
}

thread_local! {
    /// How many lists each place stands in: all zero between searches, so that none has to clear
    /// a byte for every name.
    static COUNTS: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The places that stand in most of the lists, at most [`COMPARED_MAX`]: those of equal count by how
/// far the letters of the name there are from `wanted`, then in ascending order. `letters` has those of
/// every name.
fn most_shared(letters: &[u64], wanted: u64, lists: &[&[u32]]) -> Vec<u32> {
    let mut counts = COUNTS.take();
    if counts.len() < letters.len() {
        counts.resize(letters.len(), 0);
    }
    // How many places stand in so many lists or more.
    let mut standing: SmallVec<[usize; TRIPLES_LOOKED_UP + 1]> = smallvec![0; lists.len() + 1];
    for &place in lists.iter().copied().flatten() {
        let count = &mut counts[place as usize];
        *count += 1;
        standing[usize::from(*count)] += 1;
    }
    // Most stand in one list only, and are not among the first.
    let enough = standing.iter().rposition(|&many| many >= COMPARED_MAX);
    let least = enough.unwrap_or(1).max(1);
    let mut ranked: Vec<(Reverse<u8>, u32, u32)> = Vec::new();
    for &place in lists.iter().copied().flatten() {
        let count = std::mem::take(&mut counts[place as usize]);
        if usize::from(count) >= least {
            let apart = (letters[place as usize] ^ wanted).count_ones();
            ranked.push((Reverse(count), apart, place));
        }
    }
    COUNTS.set(counts);
    if ranked.len() > COMPARED_MAX {
        ranked.select_nth_unstable(COMPARED_MAX);
        ranked.truncate(COMPARED_MAX);
    }
    ranked.sort_unstable();
    ranked.into_iter().map(|(.., place)| place).collect()
}

fn suspects(alike: &[(u32, f64)]) -> Arc<[u32]> {
    let near = |&&(_, similarity): &&(u32, f64)| similarity >= NAME_DIFFERS_BELOW;
    alike
        .iter()
        .take_while(near)
        .map(|&(party, _)| party)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    #[test]
    fn search_reports_the_runner_up() {
        let mut index = NameIndex::default();
        index.insert(Name::of("Northfield Steel East"), 1);
        index.insert(Name::of("Northfield Steel West"), 2);
        index.insert(Name::of("Copper Canyon Foods"), 3);
        let found = index.find("NORTHFEILD STEEL EAST INC").unwrap();
        assert_eq!(found.party, 1);
        assert!(found.similarity > 0.9 && found.runner_up > 0.6);
        assert!(found.similarity - found.runner_up > 0.05);
        assert_eq!(
            index.find("Copper Canyon Foods LLC").unwrap().similarity,
            1.0
        );
        assert_eq!(index.find("Zyx"), None);
    }

    #[test]
    fn two_holders_of_one_name_are_a_tie() {
        let mut index = NameIndex::default();
        index.insert(Name::of("Acme Supply"), 1);
        index.insert(Name::of("ACME Supply Inc"), 2);
        let found = index.find("Acme Supply Co").unwrap();
        assert_eq!((found.similarity, found.runner_up), (1.0, 1.0));
    }

    #[test]
    fn of_names_that_share_as_much_the_most_alike_are_compared() {
        let mut index = NameIndex::default();
        let others = [
            "Falcon",
            "Summit",
            "Granite",
            "Juniper",
            "Beacon",
            "Tidewater",
            "Lakeside",
            "Prairie",
            "Sterling",
            "Magnolia",
            "Redwood",
            "Cascade",
            "Vanguard",
            "Pinnacle",
            "Bluebird",
        ];
        for (party, other) in others.iter().enumerate() {
            index.insert(Name::of(&format!("{other} Depot")), party as u32);
        }
        index.insert(Name::of("Hickory Depot"), 99);
        // None of HIK, IKC, KCO, COY and OYR is in the right name: all share DEP, EPO and POT alone.
        assert_eq!(index.alike(&Name::of("HIKCOYR DEPOT"))[0].0, 99);
        assert_eq!(index.find("HIKCOYR DEPOT").unwrap().party, 99);
        assert_eq!(index.alike(&Name::of("HIKCOYR DEPOT")).len(), COMPARED_MAX);
    }

    #[test]
    fn a_search_leaves_nothing_for_the_next() {
        let (mut small, mut large) = (NameIndex::default(), NameIndex::default());
        small.insert(Name::of("Copper Canyon Foods"), 1);
        for party in 0..40 {
            large.insert(Name::of(&format!("Copper Canyon {party:03} Foods")), party);
        }
        let alone = large.alike(&Name::of("COPPER CANYN 017 FOODS"));
        assert_eq!(alone[0].0, 17);
        assert_eq!(small.alike(&Name::of("COPPR CANYON FOODS"))[0].0, 1);
        assert_eq!(large.alike(&Name::of("COPPER CANYN 017 FOODS")), alone);
    }

    #[test]
    fn letters_tell_a_slip_from_another_name() {
        let apart = |one: &str, other: &str| {
            (letters(&Name::of(one)) ^ letters(&Name::of(other))).count_ones()
        };
        assert_eq!(apart("Hickory Depot", "HIKCORY DEPOT"), 0);
        assert!(apart("Hickory Depot", "HICKRY DEPOT") <= 1);
        assert!(apart("Hickory Depot", "HICKKORY DEPOT") <= 1);
        assert!(apart("Hickory Depot", "Falcon Depot") > 4);
        assert_eq!(apart("Store 12", "STORE 21"), 0);
        assert!(apart("Store 12", "Store 34") == 4);
    }
}
