//! What banks write over their columns and around their lines, as data.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;
use tieout_core::Currency;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Meaning {
    /// The booking date, or the only date.
    Date,
    ValueDate,
    /// Money with its sign, or with a direction in another column.
    Amount,
    /// Money that leaves.
    Debit,
    /// Money that comes.
    Credit,
    /// Which way an amount without a sign moves.
    Direction,
    /// The account's balance after the line.
    Balance,
    Currency,
    Account,
    /// The other party.
    Name,
    OtherAccount,
    Reference,
    EndToEndId,
    CheckNumber,
    TypeCode,
    MandateId,
    /// What the bank takes for the line.
    Fee,
    /// Booked or pending.
    Status,
    Text,
}

impl Meaning {
    /// The meaning in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::ValueDate => "value date",
            Self::Amount => "amount",
            Self::Debit => "debit",
            Self::Credit => "credit",
            Self::Direction => "direction",
            Self::Balance => "balance",
            Self::Currency => "currency",
            Self::Account => "account",
            Self::Name => "other party",
            Self::OtherAccount => "other party's account",
            Self::Reference => "bank reference",
            Self::EndToEndId => "end-to-end reference",
            Self::CheckNumber => "check number",
            Self::TypeCode => "type",
            Self::MandateId => "mandate",
            Self::Fee => "fee",
            Self::Status => "status",
            Self::Text => "text",
        }
    }
}

/// One entry of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub meaning: Meaning,
    /// The smaller, the sooner it counts among columns of one meaning.
    pub place: usize,
    pub is_english: bool,
}

/// The vocabulary, folded.
#[derive(Debug, Default)]
pub(super) struct Words {
    columns: HashMap<String, Vec<Named>>,
    foreign: Vec<String>,
    gross: Vec<String>,
    net: Vec<String>,
    pub credit: Vec<String>,
    pub debit: Vec<String>,
    pub pending: Vec<String>,
    pub void: Vec<String>,
    pub booked: Vec<String>,
    pub total: Vec<String>,
    pub opening: Vec<String>,
    pub closing: Vec<String>,
    pub account: Vec<String>,
    pub currency: Vec<String>,
    pub followed_by: Vec<String>,
    months: HashMap<String, u32>,
    /// The longest first, with whether it is certain.
    pub symbols: Vec<(String, Currency, bool)>,
    day_first: Vec<Currency>,
    month_first: Vec<Currency>,
    other: Vec<Currency>,
}

/// `words.toml` as it is written.
#[derive(Deserialize)]
struct WordsText {
    foreign: ForeignText,
    columns: BTreeMap<String, BTreeMap<Meaning, Vec<String>>>,
    values: HashMap<String, Vec<String>>,
    lines: HashMap<String, Vec<String>>,
    preamble: HashMap<String, Vec<String>>,
    dates: HashMap<String, Vec<String>>,
    months: MonthsText,
    symbols: HashMap<String, BTreeMap<String, String>>,
    currencies: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct ForeignText {
    names: Vec<String>,
    gross: Vec<String>,
    net: Vec<String>,
}

#[derive(Deserialize)]
struct MonthsText {
    names: Vec<Vec<String>>,
}

/// The vocabulary that ships.
pub(super) fn words() -> &'static Words {
    static WORDS: LazyLock<Words> = LazyLock::new(|| {
        let text = toml::from_str::<WordsText>(include_str!("words.toml"));
        text.map(Words::from).unwrap_or_default()
    });
    &WORDS
}

impl From<WordsText> for Words {
    fn from(mut text: WordsText) -> Self {
        let mut take = |name: &str| folded(&text.values.remove(name).unwrap_or_default());
        let [credit, debit, pending, void, booked] =
            ["credit", "debit", "pending", "void", "booked"].map(&mut take);
        let mut take = |name: &str| folded(&text.lines.remove(name).unwrap_or_default());
        let [total, opening, closing] = ["total", "opening", "closing"].map(&mut take);
        let mut take = |name: &str| folded(&text.preamble.remove(name).unwrap_or_default());
        let [account, currency] = ["account", "currency"].map(&mut take);
        let mut take = |name: &str| codes(&text.currencies.remove(name).unwrap_or_default());
        let [day_first, month_first, other] = ["day_first", "month_first", "other"].map(&mut take);
        Self {
            columns: columns(&text.columns),
            foreign: folded(&text.foreign.names),
            gross: folded(&text.foreign.gross),
            net: folded(&text.foreign.net),
            credit,
            debit,
            pending,
            void,
            booked,
            total,
            opening,
            closing,
            account,
            currency,
            followed_by: text.dates.remove("followed_by").unwrap_or_default(),
            months: months(&text.months.names),
            symbols: symbols(&text.symbols),
            day_first,
            month_first,
            other,
        }
    }
}

fn columns(
    languages: &BTreeMap<String, BTreeMap<Meaning, Vec<String>>>,
) -> HashMap<String, Vec<Named>> {
    let mut columns: HashMap<String, Vec<Named>> = HashMap::new();
    for (language, meanings) in languages {
        for (&meaning, names) in meanings {
            for (place, name) in names.iter().enumerate() {
                columns.entry(fold(name)).or_default().push(Named {
                    meaning,
                    place,
                    is_english: language == "english",
                });
            }
        }
    }
    columns
}

fn folded(words: &[String]) -> Vec<String> {
    words.iter().map(|word| fold(word)).collect()
}

fn codes(texts: &[String]) -> Vec<Currency> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

fn months(names: &[Vec<String>]) -> HashMap<String, u32> {
    let numbered = (1..).zip(names);
    numbered
        .flat_map(|(month, names)| names.iter().map(move |name| (fold(name), month)))
        .collect()
}

fn symbols(kinds: &HashMap<String, BTreeMap<String, String>>) -> Vec<(String, Currency, bool)> {
    let of_kind = |(kind, symbols): (&String, &BTreeMap<String, String>)| {
        let is_certain = kind == "certain";
        let symbols = symbols.iter().filter_map(move |(symbol, code)| {
            Some((symbol.clone(), code.parse().ok()?, is_certain))
        });
        symbols.collect::<Vec<_>>()
    };
    let mut symbols: Vec<_> = kinds.iter().flat_map(of_kind).collect();
    symbols.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
    symbols
}

impl Words {
    /// What a column with the folded name may hold; several languages may use one name.
    pub fn column(&self, name: &str) -> &[Named] {
        self.columns.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether columns of these folded names belong to another kind of report.
    pub fn are_foreign(&self, names: &[String]) -> bool {
        let has = |list: &[String]| names.iter().any(|name| list.contains(name));
        has(&self.foreign) || (has(&self.gross) && has(&self.net))
    }

    /// The month that a word names.
    pub fn month(&self, word: &str) -> Option<u32> {
        self.months.get(&fold(word)).copied()
    }

    /// The currency of a code in any case, if it is one that accounts are held in.
    pub fn code(&self, text: &str) -> Option<Currency> {
        let currency = Currency::parse(text.to_ascii_uppercase().as_bytes()).ok()?;
        let lists = [&self.day_first, &self.month_first, &self.other];
        lists
            .iter()
            .any(|list| list.contains(&currency))
            .then_some(currency)
    }

    /// Whether the day is written before the month where this currency is used.
    pub fn is_day_first(&self, currency: Currency) -> Option<bool> {
        if self.day_first.contains(&currency) {
            return Some(true);
        }
        self.month_first.contains(&currency).then_some(false)
    }
}

/// Small letters without accents; anything that is neither letter nor digit is one blank.
pub(super) fn fold(text: &str) -> String {
    if matches!(text, "+" | "-") {
        return text.to_owned();
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à'..='å' | 'ą' | 'ă' | 'ā' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'ď' | 'đ' => folded.push('d'),
            'è'..='ë' | 'ę' | 'ě' => folded.push('e'),
            'ğ' => folded.push('g'),
            'ì'..='ï' | 'ı' => folded.push('i'),
            'ł' | 'ľ' => folded.push('l'),
            'ñ' | 'ń' | 'ň' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ő' => folded.push('o'),
            'ř' => folded.push('r'),
            'ś' | 'š' | 'ş' | 'ș' => folded.push('s'),
            'ť' | 'ţ' | 'ț' => folded.push('t'),
            'ù'..='ü' | 'ů' | 'ű' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            // What Turkish capitals leave behind.
            '\u{307}' => {}
            letter if letter.is_alphanumeric() => folded.push(letter),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_reads_and_is_folded() {
        let words = words();
        let meanings = |name: &str| -> Vec<Meaning> {
            words
                .column(&fold(name))
                .iter()
                .map(|named| named.meaning)
                .collect()
        };
        assert_eq!(meanings("Buchungstag"), [Meaning::Date]);
        assert_eq!(meanings("Débit"), [Meaning::Debit, Meaning::Debit]);
        assert_eq!(meanings("Check #"), [Meaning::CheckNumber]);
        assert_eq!(words.month("Août"), Some(8));
        assert_eq!(
            words.code("eur").map(|code| code.to_string()),
            Some("EUR".to_owned())
        );
        assert_eq!(words.code("ABC"), None);
        assert_eq!(fold("  Soll/Haben (S/H) "), "soll haben s h");
    }
}
