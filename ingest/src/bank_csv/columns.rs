//! Which column holds what, by the names in the heading.

use tieout_core::Currency;

use super::amount::Written;
use super::date::Dated;
use super::row::Row;
use super::words::{Meaning, Named, fold, words};

/// Names that do not say whose account it is: the other party's wherever it is named too, and
/// the other party's right behind its name.
const IBAN: &str = "iban";
const NUMBERS: [&str; 2] = ["account number", "kontonummer"];

/// The columns of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Columns {
    /// Their names as the file has them; empty if it has no heading.
    pub names: Vec<String>,
    /// What each holds.
    meanings: Vec<Option<Meaning>>,
    /// The line of the heading, or the last one before a table without.
    pub heading_line: Option<u64>,
    /// The currency that a name tells, such as `Amount (EUR)`.
    pub currency: Option<Currency>,
    /// The name has only a sign that other currencies have too.
    pub is_currency_assumed: bool,
    /// Names that are of other languages than English, and names that are English only.
    foreign_names: usize,
    english_names: usize,
    /// Whether the meanings come from names or a profile, and not from a guess.
    pub are_known: bool,
}

impl Columns {
    /// The columns that the cells of `row` name.
    pub fn of_heading(row: &Row) -> Self {
        let mut columns = Self {
            names: row.cells().map(str::to_owned).collect(),
            meanings: vec![None; row.len()],
            heading_line: Some(row.line),
            are_known: true,
            ..Self::default()
        };
        let named: Vec<Vec<Named>> = row.cells().map(|name| columns.read_name(name)).collect();
        columns.count_languages(&named);
        columns.assign(&named);
        columns
    }

    /// Columns whose meanings are given.
    pub fn of_meanings(meanings: Vec<Option<Meaning>>, are_known: bool) -> Self {
        Self {
            meanings,
            are_known,
            ..Self::default()
        }
    }

    /// Gives the columns the names in `row`.
    #[must_use]
    pub fn with_names(mut self, row: &Row) -> Self {
        self.names = row.cells().map(str::to_owned).collect();
        self.heading_line = Some(row.line);
        self
    }

    /// Columns of a table without a heading that begins below this line.
    #[must_use]
    pub fn below_line(self, line: u64) -> Self {
        Self {
            heading_line: Some(line).filter(|&line| line > 0),
            ..self
        }
    }

    /// The same without meanings.
    #[must_use]
    pub fn unassigned(self) -> Self {
        Self {
            meanings: Vec::new(),
            ..self
        }
    }

    fn read_name(&mut self, name: &str) -> Vec<Named> {
        let folded = fold(name);
        let known = words().column(&folded);
        let symbol = words().symbols.iter().find(|(symbol, ..)| {
            name.trim_end_matches([')', ']', ' '])
                .ends_with(symbol.as_str())
        });
        let (stem, code) = match folded.rsplit_once(' ') {
            Some((stem, code)) => (stem.trim_end_matches(" in"), words().code(code)),
            None => (&*folded, None),
        };
        let currency = code.or_else(|| symbol.map(|(_, currency, _)| *currency));
        let by_stem = words().column(stem);
        let is_money = |named: &Named| {
            let money = [
                Meaning::Amount,
                Meaning::Debit,
                Meaning::Credit,
                Meaning::Balance,
            ];
            money.contains(&named.meaning)
        };
        if code.is_some() && by_stem.iter().any(is_money) || known.iter().any(is_money) {
            if self.currency.is_none() {
                let is_sure = code.is_some() || symbol.is_some_and(|(_, _, is_sure)| *is_sure);
                self.is_currency_assumed = currency.is_some() && !is_sure;
            }
            self.currency = self.currency.or(currency);
        }
        if known.is_empty() && code.is_some() {
            by_stem.to_vec()
        } else {
            known.to_vec()
        }
    }

    fn count_languages(&mut self, named: &[Vec<Named>]) {
        for meanings in named.iter().filter(|meanings| !meanings.is_empty()) {
            let english = meanings.iter().filter(|named| named.is_english).count();
            self.foreign_names += usize::from(english == 0);
            self.english_names += usize::from(english == meanings.len());
        }
    }

    /// Each meaning but text goes to the column whose name stands first in the vocabulary.
    fn assign(&mut self, named: &[Vec<Named>]) {
        let mut offers: Vec<(usize, usize, Meaning)> = Vec::new();
        for (column, meanings) in named.iter().enumerate() {
            offers.extend(
                meanings
                    .iter()
                    .map(|named| (named.place, column, named.meaning)),
            );
        }
        offers.sort_unstable();
        for (_, column, meaning) in offers {
            let is_free = self.meanings.get(column) == Some(&None);
            let is_taken = meaning != Meaning::Text && self.place(meaning).is_some();
            if is_free && !is_taken {
                self.set(column, meaning);
            }
        }
        self.settle();
    }

    /// A lone value date is the date; a column beside both debit and credit is no amount.
    fn settle(&mut self) {
        if self.place(Meaning::Date).is_none()
            && let Some(column) = self.place(Meaning::ValueDate)
        {
            self.set(column, Meaning::Date);
        }
        self.settle_iban();
        let is_pair = self.is_pair();
        let lone = [Meaning::Debit, Meaning::Credit];
        if is_pair && let Some(column) = self.place(Meaning::Amount) {
            self.unset(column);
        } else if !is_pair && self.place(Meaning::Amount).is_some() {
            for column in lone
                .map(|meaning| self.place(meaning))
                .into_iter()
                .flatten()
            {
                self.unset(column);
            }
        }
    }

    /// Beside the name of the other party, and without another account of it, a bare IBAN is
    /// the other party's, and so is an account number right behind the name.
    fn settle_iban(&mut self) {
        let name = self.place(Meaning::Name);
        let is_theirs = name.is_some() && self.place(Meaning::OtherAccount).is_none();
        let iban = self.names.iter().position(|name| fold(name) == IBAN);
        let behind = name.map(|column| column + 1).filter(|&column| {
            let name = self.names.get(column).map(|name| fold(name));
            name.is_some_and(|name| NUMBERS.contains(&name.as_str()))
        });
        if let Some(column) = iban.or(behind).filter(|_| is_theirs) {
            self.set(column, Meaning::OtherAccount);
        }
    }

    /// Says what a column holds.
    pub fn set(&mut self, column: usize, meaning: Meaning) {
        if self.meanings.len() <= column {
            self.meanings.resize(column + 1, None);
        }
        if let Some(place) = self.meanings.get_mut(column) {
            *place = Some(meaning);
        }
    }

    fn unset(&mut self, column: usize) {
        if let Some(place) = self.meanings.get_mut(column) {
            *place = None;
        }
    }

    /// The first column of this meaning.
    pub fn place(&self, meaning: Meaning) -> Option<usize> {
        self.meanings
            .iter()
            .position(|found| *found == Some(meaning))
    }

    /// All columns of this meaning.
    pub fn places(&self, meaning: Meaning) -> impl Iterator<Item = usize> {
        let placed = self.meanings.iter().enumerate();
        placed.filter_map(move |(column, found)| (*found == Some(meaning)).then_some(column))
    }

    /// The cell of this meaning; empty if there is no such column.
    pub fn cell<'a>(&self, row: &'a Row, meaning: Meaning) -> &'a str {
        self.place(meaning).map_or("", |column| row.cell(column))
    }

    /// Whether money that comes and money that leaves stand apart.
    pub fn is_pair(&self) -> bool {
        self.place(Meaning::Debit).is_some() && self.place(Meaning::Credit).is_some()
    }

    /// The columns that hold money of the line.
    pub fn money(&self) -> impl Iterator<Item = usize> {
        let meanings = [Meaning::Amount, Meaning::Debit, Meaning::Credit];
        meanings
            .into_iter()
            .filter_map(|meaning| self.place(meaning))
    }

    /// Whether there is a date and money.
    pub fn is_statement(&self) -> bool {
        let has_money = self.place(Meaning::Amount).is_some() || self.is_pair();
        self.place(Meaning::Date).is_some() && has_money
    }

    /// Whether something says what the money was for, which a table of rates or prices has not.
    pub fn has_description(&self) -> bool {
        [
            Meaning::Text,
            Meaning::Name,
            Meaning::Reference,
            Meaning::EndToEndId,
            Meaning::TypeCode,
            Meaning::Balance,
        ]
        .into_iter()
        .any(|meaning| self.place(meaning).is_some())
    }

    /// Whether the row has a date and money where they must be.
    pub fn fits(&self, row: &Row) -> bool {
        let is_dated = Dated::of(self.cell(row, Meaning::Date)).is_some();
        is_dated
            && self
                .money()
                .any(|column| Written::of(row.cell(column)).is_some())
    }

    /// Whether the headings are of another language than English.
    pub fn are_foreign_to_english(&self) -> bool {
        self.foreign_names > 0 && self.english_names == 0
    }

    /// How many columns are known.
    pub fn known(&self) -> usize {
        self.meanings.iter().flatten().count()
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.names.len().max(self.meanings.len())
    }

    /// Whether `row` is the heading once more.
    pub fn is_heading(&self, row: &Row) -> bool {
        !self.names.is_empty() && row.cells().eq(self.names.iter().map(String::as_str))
    }

    /// The name of a column, or its number.
    pub fn name(&self, column: usize) -> String {
        match self.names.get(column).filter(|name| !name.is_empty()) {
            Some(name) => name.clone(),
            None => format!("column {}", column + 1),
        }
    }

    /// The name that tells most about the file.
    pub fn longest_name(&self) -> Option<&str> {
        let names = self.names.iter().map(String::as_str);
        names
            .filter(|name| !name.is_empty())
            .max_by_key(|name| name.len())
    }

    /// The columns with their meanings, in words.
    pub fn words(&self) -> String {
        let known = self
            .meanings
            .iter()
            .enumerate()
            .filter_map(|(column, meaning)| {
                meaning.map(|meaning| format!("{} = {}", self.name(column), meaning.words()))
            });
        known.collect::<Vec<_>>().join(", ")
    }

    /// The names of the columns that are not read.
    pub fn unread(&self) -> Vec<String> {
        let places = 0..self.width();
        let unread = places.filter(|&column| self.meanings.get(column).is_none_or(Option::is_none));
        let named = unread.filter(|&column| {
            self.names.is_empty() || self.names.get(column).is_some_and(|name| !name.is_empty())
        });
        named.map(|column| self.name(column)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Columns {
        let mut row = Row::default();
        for (place, name) in names.iter().enumerate() {
            row.push_at(place, name, false);
        }
        Columns::of_heading(&row)
    }

    #[test]
    fn names_of_many_languages_tell_what_columns_hold() {
        let german = columns(&[
            "Buchung",
            "Valuta",
            "Verwendungszweck",
            "Betrag (EUR)",
            "Saldo",
        ]);
        assert!(german.is_statement() && german.are_foreign_to_english());
        assert_eq!(german.currency, "EUR".parse().ok());
        assert_eq!(german.place(Meaning::ValueDate), Some(1));
        let pair = columns(&[
            "Date",
            "Description",
            "Withdrawal (-)",
            "Deposit (+)",
            "Amount",
        ]);
        assert!(pair.is_pair() && pair.place(Meaning::Amount).is_none());
        assert_eq!(pair.unread(), ["Amount"]);
        assert!(!columns(&["Start Date", "End Date", "Start Balance"]).is_statement());
        let theirs = columns(&["Date", "Payee", "Account number", "Amount (EUR)"]);
        assert_eq!(theirs.place(Meaning::OtherAccount), Some(2));
        let own = columns(&["Account number", "Date", "Payee", "Amount"]);
        assert_eq!(own.place(Meaning::Account), Some(0));
        let two = columns(&["Transaction Date", "Posting Date", "Amount"]);
        assert_eq!(two.place(Meaning::Date), Some(1));
    }
}
