//! Amounts as banks write them: with signs before or behind, parentheses, currencies, and
//! separators of thousands.

use tieout_core::{Amount, Currency};

use super::words::words;

/// The character between units and decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Point,
    Comma,
}

impl Mark {
    pub const BOTH: [Self; 2] = [Self::Point, Self::Comma];

    const fn character(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// The mark in words, with an example.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Point => "decimal point (1,234.56)",
            Self::Comma => "decimal comma (1.234,56)",
        }
    }
}

/// What an amount's digits tell of the decimal mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    /// This mark and no other.
    Surely(Mark),
    /// Thousands, or three decimals behind this mark.
    Perhaps(Mark),
}

/// An amount taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written<'a> {
    is_negative: bool,
    digits: &'a str,
    /// The currency that stands with it, and whether its sign means no other.
    pub currency: Option<(Currency, bool)>,
    /// The letters behind it that say which way it moves (`CR`, `DR`).
    pub is_marked: bool,
}

impl<'a> Written<'a> {
    /// Takes `text` apart, or gives none if it is no amount under any convention.
    pub fn of(text: &'a str) -> Option<Self> {
        // Most columns of most lines are empty, and of those that are not many are words.
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::plain(text).or_else(|| Self::with_signs(text))
    }

    /// What nearly all amounts are: digits and marks, and perhaps a minus before them.
    fn plain(text: &'a str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_mark = |byte: u8| matches!(byte, b'.' | b',');
        let is_number = is_bare(digits)
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || is_mark(byte));
        is_number.then_some(Self {
            is_negative: digits.len() < text.len(),
            digits,
            currency: None,
            is_marked: false,
        })
    }

    fn with_signs(text: &'a str) -> Option<Self> {
        let mut written = Self {
            is_negative: false,
            digits: trim(text),
            currency: None,
            is_marked: false,
        };
        if let Some(inner) = inside_parentheses(written.digits) {
            written.is_negative = true;
            written.digits = trim(inner);
        }
        // Sign, currency and direction stand in any order, each once.
        let mut signs = 0;
        while let Some(rest) = written
            .strip_sign(&mut signs)
            .or_else(|| written.strip_currency())
        {
            written.digits = trim(rest);
        }
        if let Some(rest) = written.strip_direction() {
            written.digits = trim(rest);
            if let Some(rest) = written
                .strip_sign(&mut signs)
                .or_else(|| written.strip_currency())
            {
                written.digits = trim(rest);
            }
        }
        let is_number = written.digits.chars().all(|letter| {
            letter.is_ascii_digit() || matches!(letter, '.' | ',') || is_thousands(letter)
        });
        let has_digit = written.digits.bytes().any(|byte| byte.is_ascii_digit());
        (is_number && has_digit && signs <= 1).then_some(written)
    }

    fn strip_sign(&mut self, signs: &mut u32) -> Option<&'a str> {
        const MINUS: [char; 3] = ['-', '\u{2212}', '\u{2013}'];
        let minus = self
            .digits
            .strip_prefix(MINUS)
            .or_else(|| self.digits.strip_suffix(MINUS));
        let plus = || {
            self.digits
                .strip_prefix('+')
                .or_else(|| self.digits.strip_suffix('+'))
        };
        let rest = minus.or_else(plus)?;
        // Parentheses and a minus would be two signs.
        *signs += 1 + u32::from(self.is_negative);
        self.is_negative |= minus.is_some();
        Some(rest)
    }

    fn strip_currency(&mut self) -> Option<&'a str> {
        if self.currency.is_some() || is_bare(self.digits) {
            return None;
        }
        for (symbol, currency, is_certain) in &words().symbols {
            let rest = self
                .digits
                .strip_prefix(symbol.as_str())
                .or_else(|| self.digits.strip_suffix(symbol.as_str()));
            if let Some(rest) = rest {
                self.currency = Some((*currency, *is_certain));
                return Some(rest);
            }
        }
        let (code, rest) = code_beside(self.digits)?;
        self.currency = Some((words().code(code)?, true));
        Some(rest)
    }

    /// `CR` or `DR` behind the digits.
    fn strip_direction(&mut self) -> Option<&'a str> {
        let text = self.digits;
        let letters = text.len()
            - text
                .trim_end_matches(|l: char| l.is_ascii_alphabetic())
                .len();
        let (rest, word) = text.split_at_checked(text.len() - letters)?;
        if !(1..=2).contains(&letters) {
            return None;
        }
        let word = word.to_ascii_lowercase();
        let is_debit = matches!(&*word, "dr" | "d" | "s");
        if !is_debit && !matches!(&*word, "cr" | "c" | "h") {
            return None;
        }
        self.is_negative |= is_debit;
        self.is_marked = true;
        Some(rest)
    }

    /// What the digits tell of the decimal mark.
    pub fn told(&self) -> Told {
        let count = |mark| self.digits.bytes().filter(|&byte| byte == mark).count();
        let last = |mark| self.digits.rfind(mark);
        match (count(b'.'), count(b',')) {
            (0, 0) => Told::Nothing,
            (0, 1) => self.told_by(Mark::Comma),
            (1, 0) => self.told_by(Mark::Point),
            (0, _) => Told::Surely(Mark::Point),
            (_, 0) => Told::Surely(Mark::Comma),
            _ if last('.') > last(',') => Told::Surely(Mark::Point),
            _ => Told::Surely(Mark::Comma),
        }
    }

    /// Its only mark stands before decimals, unless three digits follow one to three.
    fn told_by(&self, mark: Mark) -> Told {
        let place = memchr::memchr(mark.character() as u8, self.digits.as_bytes());
        let (units, decimals) = match place {
            Some(place) => (&self.digits[..place], &self.digits[place + 1..]),
            None => ("", ""),
        };
        let may_be_thousands = decimals.len() == 3
            && (1..=3).contains(&units.len())
            && units.bytes().all(|byte| byte.is_ascii_digit())
            && !units.starts_with('0');
        if may_be_thousands {
            Told::Perhaps(mark)
        } else {
            Told::Surely(mark)
        }
    }

    /// Whether the digits have another separator than `mark`, and not three digits behind it: most
    /// amounts under the wrong mark.
    fn ends_in_no_group(&self, mark: Mark) -> bool {
        let digits = self.digits.as_bytes();
        let last = digits.iter().rev().take_while(|byte| byte.is_ascii_digit());
        let last = last.count();
        last < digits.len() && last != 3 && memchr::memchr(mark.character() as u8, digits).is_none()
    }

    /// The amount, if it is one with this decimal mark. `thousands` is what may stand between
    /// groups of digits; none allows any.
    pub fn amount(&self, mark: Mark, thousands: Option<char>) -> Option<Amount> {
        let ungrouped = Amount::parse_with_point(self.digits.as_bytes(), mark.character() as u8);
        if let Ok(amount) = ungrouped {
            return Some(if self.is_negative { -amount } else { amount });
        }
        if thousands.is_none() && self.ends_in_no_group(mark) {
            return None;
        }
        let mut parts = self.digits.split(mark.character());
        let (units, decimals) = (parts.next()?, parts.next());
        if parts.next().is_some() {
            return None;
        }
        let is_separator = |letter: char| match thousands {
            Some(allowed) => letter == allowed,
            None => !letter.is_ascii_digit(),
        };
        if !are_groups(units.rsplit(is_separator).map(str::len)) {
            return None;
        }
        let mut plain = String::with_capacity(self.digits.len() + 1);
        if self.is_negative {
            plain.push('-');
        }
        plain.extend(units.chars().filter(|&letter| !is_separator(letter)));
        if let Some(decimals) = decimals {
            plain.push('.');
            plain.push_str(decimals);
        }
        plain.parse().ok()
    }
}

/// Whether digits between separators, from right to left so many each, are thousands: groups of
/// three, or of two further left as in India.
fn are_groups(lengths: impl Iterator<Item = usize>) -> bool {
    let mut lengths = lengths.peekable();
    let last = lengths.next();
    if lengths.peek().is_none() {
        return true;
    }
    let mut are_sound = last == Some(3);
    while let Some(length) = lengths.next() {
        let least = if lengths.peek().is_some() { 2 } else { 1 };
        are_sound &= (least..=3).contains(&length);
    }
    are_sound
}

/// Blanks of all kinds and marks of writing direction around a text.
fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| {
        letter.is_whitespace()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// Nothing stands before the first digit or behind the last.
fn is_bare(text: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    is_digit(text.as_bytes().first()) && is_digit(text.as_bytes().last())
}

fn is_thousands(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\'' | '\u{2019}')
}

fn inside_parentheses(text: &str) -> Option<&str> {
    text.strip_prefix('(')?.strip_suffix(')')
}

/// Three letters before or behind the digits, and the rest.
fn code_beside(text: &str) -> Option<(&str, &str)> {
    let is_code = |code: &str| code.bytes().all(|byte| byte.is_ascii_alphabetic());
    let before = text.split_at_checked(3).filter(|(code, _)| is_code(code));
    let behind = || {
        let (rest, code) = text.split_at_checked(text.len().checked_sub(3)?)?;
        is_code(code).then_some((code, rest))
    };
    before.or_else(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, mark: Mark) -> String {
        let amount = Written::of(text).and_then(|written| written.amount(mark, None));
        amount.map_or("-".to_owned(), |amount| amount.to_string())
    }

    #[test]
    fn reads_what_banks_write() {
        for (text, point, comma) in [
            ("-1.234,56", "-", "-1234.56"),
            ("1,234.56-", "-1234.56", "-"),
            ("(12.50)", "-12.50", "-"),
            ("$1,150.00", "1150.00", "-"),
            ("- $220.00", "-220.00", "-"),
            ("-$4000.00", "-4000.00", "-"),
            ("1 234,50 EUR", "-", "1234.50"),
            ("EUR 3'000.10", "3000.10", "-"),
            ("1,00,000.00", "100000.00", "-"),
            ("250.00CR", "250.00", "-"),
            ("250.00 Dr", "-250.00", "-"),
            ("\u{2212}4,50\u{a0}€", "-", "-4.50"),
            ("د.ا.\u{200f}4.750", "4.75", "4750.00"),
            ("12..34", "-", "-"),
            ("12.3.4", "-", "-"),
            ("--5", "-", "-"),
            ("-(5)", "-", "-"),
            ("1,23,4", "-", "-"),
            ("ABC 5", "-", "-"),
            ("", "-", "-"),
            ("2026-04-02", "-", "-"),
        ] {
            assert_eq!(read(text, Mark::Point), point, "{text} with a point");
            assert_eq!(read(text, Mark::Comma), comma, "{text} with a comma");
        }
    }

    #[test]
    fn three_digits_behind_one_mark_may_be_thousands() {
        let told = |text| Written::of(text).map(|written| written.told());
        assert_eq!(told("1,234"), Some(Told::Perhaps(Mark::Comma)));
        assert_eq!(told("0,234"), Some(Told::Surely(Mark::Comma)));
        assert_eq!(told("1234,567"), Some(Told::Surely(Mark::Comma)));
        assert_eq!(told("1.234.567"), Some(Told::Surely(Mark::Comma)));
        assert_eq!(told("1.234,5"), Some(Told::Surely(Mark::Comma)));
        assert_eq!(told("12.5"), Some(Told::Surely(Mark::Point)));
        assert_eq!(told("12"), Some(Told::Nothing));
    }
}
