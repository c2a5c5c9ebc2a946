//! Company names as people write them, and how alike two of them are.

use std::sync::LazyLock;

use ahash::RandomState;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// Words that say the legal form or nothing at all.
const EMPTY_WORDS: [&str; 30] = [
    "INC",
    "INCORPORATED",
    "LLC",
    "LC",
    "LTD",
    "LIMITED",
    "CO",
    "COMPANY",
    "CORP",
    "CORPORATION",
    "LP",
    "LLP",
    "PLC",
    "PC",
    "GMBH",
    "AG",
    "SA",
    "SAS",
    "BV",
    "NV",
    "PTY",
    "THE",
    "AND",
    "OF",
    "DBA",
    "USA",
    "US",
    "ULC",
    "PLLC",
    "COS",
];

/// Long forms and the abbreviation that stands for them, whichever of the two is written.
const ABBREVIATIONS: [(&str, &str); 74] = [
    ("AMERICA", "AMER"),
    ("AMERICAN", "AMER"),
    ("ASSOCIATED", "ASSOC"),
    ("ASSOCIATES", "ASSOC"),
    ("ASSOCIATION", "ASSOC"),
    ("ASSN", "ASSOC"),
    ("AUTOMOTIVE", "AUTO"),
    ("BROTHERS", "BROS"),
    ("BUILDERS", "BLDRS"),
    ("BUILDING", "BLDG"),
    ("CENTER", "CTR"),
    ("CENTRE", "CTR"),
    ("CENTRAL", "CTRL"),
    ("CHEMICAL", "CHEM"),
    ("CHEMICALS", "CHEM"),
    ("COMMUNICATIONS", "COMM"),
    ("CONSTRUCTION", "CONST"),
    ("CONSTR", "CONST"),
    ("CONTRACTING", "CONTR"),
    ("CONTRACTORS", "CONTR"),
    ("DEPARTMENT", "DEPT"),
    ("DEVELOPMENT", "DEV"),
    ("DISTRIBUTING", "DIST"),
    ("DISTRIBUTION", "DIST"),
    ("DISTRIBUTOR", "DIST"),
    ("DISTRIBUTORS", "DIST"),
    ("DISTR", "DIST"),
    ("EASTERN", "EAST"),
    ("ELECTRIC", "ELEC"),
    ("ELECTRICAL", "ELEC"),
    ("ELECTRONICS", "ELECTR"),
    ("ENGINEERING", "ENG"),
    ("ENGR", "ENG"),
    ("ENTERPRISE", "ENT"),
    ("ENTERPRISES", "ENT"),
    ("EQUIPMENT", "EQUIP"),
    ("EQPT", "EQUIP"),
    ("FABRICATION", "FAB"),
    ("FABRICATORS", "FAB"),
    ("GENERAL", "GEN"),
    ("GOVERNMENT", "GOVT"),
    ("GROUP", "GRP"),
    ("HARDWARE", "HDWE"),
    ("HDWR", "HDWE"),
    ("HOLDINGS", "HLDGS"),
    ("HOSPITAL", "HOSP"),
    ("INDUSTRIAL", "IND"),
    ("INDUSTRIES", "IND"),
    ("INDUSTRY", "IND"),
    ("INDL", "IND"),
    ("INTERNATIONAL", "INTL"),
    ("INTNL", "INTL"),
    ("LABORATORIES", "LABS"),
    ("LABORATORY", "LABS"),
    ("LOGISTICS", "LOGIS"),
    ("MACHINERY", "MACH"),
    ("MANAGEMENT", "MGMT"),
    ("MANUFACTURING", "MFG"),
    ("MANUFACTURERS", "MFG"),
    ("MFRS", "MFG"),
    ("MARKETING", "MKTG"),
    ("MATERIALS", "MATLS"),
    ("MECHANICAL", "MECH"),
    ("MOUNTAIN", "MTN"),
    ("NATIONAL", "NATL"),
    ("NORTHERN", "NORTH"),
    ("PRODUCTS", "PROD"),
    ("PRODUCT", "PROD"),
    ("SERVICES", "SVC"),
    ("SERVICE", "SVC"),
    ("SVCS", "SVC"),
    ("SUPPLIES", "SUPPLY"),
    ("TECHNOLOGIES", "TECH"),
    ("TECHNOLOGY", "TECH"),
];

/// A name reduced to its words: capitals, no legal form, abbreviations made alike, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Name {
    words: SmallVec<[SmallVec<[u8; 16]>; 6]>,
}

impl Name {
    /// The words of `text`.
    pub fn of(text: &str) -> Self {
        let mut words: SmallVec<[SmallVec<[u8; 16]>; 6]> = SmallVec::new();
        let mut word: SmallVec<[u8; 16]> = SmallVec::new();
        for letter in text.chars().chain([' ']) {
            if letter.is_alphanumeric() {
                let mut utf8 = [0; 4];
                for upper in letter.to_uppercase() {
                    word.extend_from_slice(upper.encode_utf8(&mut utf8).as_bytes());
                }
            } else if !matches!(letter, '\'' | '.') && !word.is_empty() {
                words.push(canonical(std::mem::take(&mut word)));
            }
        }
        let empty: SmallVec<[bool; 6]> = words.iter().map(|word| is_empty_word(word)).collect();
        if empty.contains(&false) {
            let mut empty = empty.into_iter();
            words.retain(|_| !empty.next().unwrap_or(false));
        }
        words.sort_unstable();
        words.dedup();
        Self { words }
    }

    /// Its words, each once.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.words.iter().map(SmallVec::as_slice)
    }

    /// Whether there is nothing to compare.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// A hash of the words, the same for every order of them.
    pub fn key(&self, state: &RandomState) -> u64 {
        state.hash_one(&self.words)
    }

    /// The words with a blank between them.
    pub fn joined(&self) -> String {
        let words: Vec<&[u8]> = self.words().collect();
        String::from_utf8_lossy(&words.join(&b' ')).into_owned()
    }

    /// Keeps so many words at most.
    pub fn truncate(&mut self, words: usize) {
        self.words.truncate(words);
    }

    fn letters(&self) -> usize {
        self.words.iter().map(SmallVec::len).sum()
    }

    /// How alike the two are, between 0 (nothing in common) and 1 (the same words): twice the
    /// letters of the words that have a partner, weighted by how alike the partners are, over
    /// the letters of both.
    pub fn similarity(&self, other: &Self) -> f64 {
        let letters = self.letters() + other.letters();
        if letters == 0 {
            return 0.0;
        }
        let mut taken: SmallVec<[bool; 6]> = SmallVec::from_elem(false, other.words.len());
        let mut matched = 0.0;
        for word in &self.words {
            let mut best = (0.0, None);
            for (place, candidate) in other.words.iter().enumerate() {
                if !taken[place] {
                    let alike = word_similarity(word, candidate);
                    if alike > best.0 {
                        best = (alike, Some(place));
                    }
                }
            }
            if let (alike, Some(place)) = best {
                taken[place] = true;
                matched += alike * (word.len() + other.words[place].len()) as f64;
            }
        }
        matched / letters as f64
    }

    /// The letter triples of the words, sorted, each once.
    pub fn triples(&self) -> SmallVec<[[u8; 3]; 32]> {
        let mut triples = SmallVec::new();
        for word in &self.words {
            if word.len() < 3 {
                let mut short = [b' '; 3];
                short[..word.len()].copy_from_slice(word);
                triples.push(short);
            }
            triples.extend(
                word.windows(3)
                    .map(|window| [window[0], window[1], window[2]]),
            );
        }
        triples.sort_unstable();
        triples.dedup();
        triples
    }
}

/// What a word is written as: its abbreviation, or nothing where it says nothing.
static WORDS: LazyLock<HashMap<&[u8], &[u8], RandomState>> = LazyLock::new(|| {
    let short = ABBREVIATIONS
        .iter()
        .map(|(long, short)| (long.as_bytes(), short.as_bytes()));
    let empty = EMPTY_WORDS.iter().map(|word| (word.as_bytes(), &b""[..]));
    short.chain(empty).collect()
});

fn canonical(word: SmallVec<[u8; 16]>) -> SmallVec<[u8; 16]> {
    match WORDS.get(word.as_slice()) {
        Some([]) => word,
        Some(short) => SmallVec::from_slice(short),
        None => misspelt(&word).map_or(word, SmallVec::from_slice),
    }
}

/// Long forms of so many letters are told when they are misspelt.
const LONG_FORM_LETTERS: usize = 7;

/// The abbreviation of the long form that `word` is but for one letter too many, too few or in the
/// wrong place. First and last letters are the form's: others make words of their own (AMERICANA,
/// GENERALI), and so does another letter inside (HOLLINGS).
fn misspelt(word: &[u8]) -> Option<&'static [u8]> {
    if word.len() + 1 < LONG_FORM_LETTERS {
        return None;
    }
    let (first, last) = (word.first()?, word.last()?);
    let forms = ABBREVIATIONS.iter().filter(|(long, _)| {
        let long = long.as_bytes();
        long.len() >= LONG_FORM_LETTERS
            && long.first() == Some(first)
            && long.last() == Some(last)
            && is_slip(word, long)
    });
    let mut short = forms.map(|(_, short)| short.as_bytes());
    let found = short.next()?;
    short.all(|other| other == found).then_some(found)
}

/// Whether one has a letter that the other lacks, or two neighbours are exchanged.
fn is_slip(left: &[u8], right: &[u8]) -> bool {
    let same = |(one, other): &(&u8, &u8)| one == other;
    let (short, long) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    let alike = short.iter().zip(long).take_while(same).count();
    match long.len() - short.len() {
        0 => {
            let (one, other) = (&short[alike..], &long[alike..]);
            one.len() >= 2 && one[0] == other[1] && one[1] == other[0] && one[2..] == other[2..]
        }
        1 => short[alike..] == long[alike + 1..],
        _ => false,
    }
}

/// Legal forms long enough to be told when they are misspelt.
const MISSPELT: [&str; 4] = ["COMPANY", "CORPORATION", "INCORPORATED", "LIMITED"];

fn is_empty_word(word: &[u8]) -> bool {
    WORDS.get(word).is_some_and(|short| short.is_empty())
        || MISSPELT.iter().any(|form| {
            word.len().abs_diff(form.len()) <= 1
                && word[0] == form.as_bytes()[0]
                && std::str::from_utf8(word).is_ok_and(|word| strsim::osa_distance(word, form) == 1)
        })
}

/// Words this alike count as misspellings of one another; less alike, as different words.
const WORD_ALIKE_MIN: f64 = 0.88;

fn word_similarity(left: &[u8], right: &[u8]) -> f64 {
    if left == right {
        return 1.0;
    }
    let (short, long) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    // A name cut to the width of its field ends in the beginning of a word.
    if short.len() >= 2 && long.starts_with(short) {
        return 0.9;
    }
    if short.len() < 3 {
        return 0.0;
    }
    let (Ok(left), Ok(right)) = (std::str::from_utf8(left), std::str::from_utf8(right)) else {
        return 0.0;
    };
    let alike = strsim::jaro_winkler(left, right);
    if alike >= WORD_ALIKE_MIN { alike } else { 0.0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    #[test]
    fn form_does_not_matter() {
        let plain = Name::of("Harbor International Manufacturing, Inc.");
        for text in [
            "HARBOR INTL MFG",
            "Intl. Mfg Harbor LLC",
            "the Harbor International Manufacturing Company",
            "HARBOR INTERNATIONAL MANUFACTURING COMAPNY",
        ] {
            assert_eq!(Name::of(text), plain, "{text}");
        }
        assert!(!Name::of("The Company").is_empty());
    }

    #[test]
    fn misspelt_long_forms_meet_their_abbreviations() {
        let short = Name::of("Harbor Bldg Svcs");
        for text in [
            "HARBOR BUILDIING SERVICES",
            "Harbor Biulding Services",
            "Harbor Buildng Sevices",
        ] {
            assert_eq!(Name::of(text), short, "{text}");
        }
        for (text, other) in [
            ("Americana Foods", "American Foods"),
            ("Generali Tools", "General Tools"),
            ("Hollings Partners", "Holdings Partners"),
            ("Western Steel", "Eastern Steel"),
        ] {
            assert_ne!(Name::of(text), Name::of(other), "{text}");
        }
    }

    #[test]
    fn misspellings_are_near_and_other_names_far() {
        let name = Name::of("Ridgeway Plumbing Supply");
        assert!(name.similarity(&Name::of("RIDGEWYA PLUMBING SUPPLY CO")) > 0.9);
        assert!(name.similarity(&Name::of("RIDGEWAY PLUMB")) > 0.75);
        assert!(name.similarity(&Name::of("Lakeside Plumbing Supply")) < 0.8);
        assert!(name.similarity(&Name::of("Ridgeway Dental")) < 0.6);
    }
}
