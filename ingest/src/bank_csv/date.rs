//! Dates as banks write them, and which of day, month and year comes first.

use tieout_core::{Currency, Date};

use super::running_balance::LineOrder;
use super::words::words;
use crate::rows::is_same;

/// Changes of the date through which lines in order are no accident.
const CHANGES_MIN: u64 = 3;

/// What comes first in dates of three short numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateOrder {
    Day,
    Month,
    Year,
}

impl DateOrder {
    pub const ALL: [Self; 3] = [Self::Day, Self::Month, Self::Year];

    /// The order as a profile names it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Day => "DMY",
            Self::Month => "MDY",
            Self::Year => "YMD",
        }
    }

    /// The order in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Day => "day, month, year",
            Self::Month => "month, day, year",
            Self::Year => "year, month, day",
        }
    }
}

/// A cell that holds a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    /// What it is in each order.
    dates: InOrders,
    /// Whether the date depends on the order.
    pub is_open: bool,
    /// Whether points stand between its numbers.
    pub has_points: bool,
    /// A second date in the cell.
    second: Option<InOrders>,
}

/// A date in each order, where it is one.
type InOrders = [Option<Date>; 3];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parts {
    /// Only one reading.
    Fixed { year: u32, month: u32, day: u32 },
    /// Three numbers whose order is open.
    Open([Number; 3]),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Number {
    value: u32,
    digits: usize,
    is_month: bool,
}

impl Dated {
    /// Takes `text` apart, or gives none if it is no date in any order.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let (parts, rest, has_points) = compact(text).or_else(|| separated(text))?;
        let second = second_date(rest);
        if second.is_none() && !is_time(rest) {
            return None;
        }
        let dates = parts.dates();
        let is_date = dates.iter().any(Option::is_some);
        is_date.then(|| Self {
            dates,
            is_open: matches!(parts, Parts::Open(_)),
            has_points,
            second: second.and_then(Self::of).map(|second| second.dates),
        })
    }

    /// The date in this order.
    pub const fn date(&self, order: DateOrder) -> Option<Date> {
        self.dates[order as usize]
    }

    /// The second date of the cell.
    pub fn second(&self, order: DateOrder) -> Option<Date> {
        self.second?[order as usize]
    }
}

/// The date that the last line had: most lines have that of their neighbour.
#[derive(Clone, Debug, Default)]
pub(super) struct LastDate {
    text: String,
    dated: Option<Dated>,
}

impl LastDate {
    /// As [`Dated::of`].
    #[inline]
    pub fn read(&mut self, text: &str) -> Option<Dated> {
        if !is_same(text, &self.text) {
            self.dated = Dated::of(text);
            self.text.clear();
            self.text.push_str(text);
        }
        self.dated
    }
}

impl Parts {
    fn dates(&self) -> InOrders {
        match *self {
            Self::Fixed { year, month, day } => [date_of(year, month, day); 3],
            Self::Open([a, b, c]) => DateOrder::ALL.map(|order| match order {
                DateOrder::Day => in_order(c, b, a),
                DateOrder::Month => in_order(c, a, b),
                DateOrder::Year => in_order(a, b, c),
            }),
        }
    }
}

fn in_order(year: Number, month: Number, day: Number) -> Option<Date> {
    if month.digits > 2 || day.digits > 2 || !matches!(year.digits, 2 | 4) {
        return None;
    }
    date_of(full_year(year), month.value, day.value)
}

/// Years that statements can be of.
const YEARS: std::ops::RangeInclusive<u32> = 1970..=2100;

fn date_of(year: u32, month: u32, day: u32) -> Option<Date> {
    let date = Date::from_ymd(year as i32, month, day).ok()?;
    YEARS.contains(&year).then_some(date)
}

fn full_year(year: Number) -> u32 {
    match (year.digits, year.value) {
        (4, value) => value,
        (_, value @ 70..) => 1900 + value,
        (_, value) => 2000 + value,
    }
}

/// Six, eight or fourteen digits without separators.
fn compact(text: &str) -> Option<(Parts, &str, bool)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length)?;
    let piece = |from: usize, to: usize| {
        let value = digits.get(from..to)?.parse().ok()?;
        Some(Number {
            value,
            digits: to - from,
            is_month: false,
        })
    };
    let parts = match length {
        6 => Parts::Open([piece(0, 2)?, piece(2, 4)?, piece(4, 6)?]),
        8 | 14 => {
            let year_first = [piece(0, 4)?.value, piece(4, 6)?.value, piece(6, 8)?.value];
            match year_first {
                [year, month, day] if date_of(year, month, day).is_some() => {
                    Parts::Fixed { year, month, day }
                }
                _ if length == 8 => Parts::Open([piece(0, 2)?, piece(2, 4)?, piece(4, 8)?]),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some((parts, rest, false))
}

/// Three numbers, one of which may be the name of a month, with separators between.
fn separated(text: &str) -> Option<(Parts, &str, bool)> {
    let mut numbers = [Number::default(); 3];
    let mut rest = text;
    let mut has_points = false;
    for (place, number) in numbers.iter_mut().enumerate() {
        if place > 0 {
            let is_between = |byte: &u8| matches!(byte, b'-' | b'/' | b'.' | b' ' | b',');
            let length = rest.bytes().take_while(|byte| is_between(byte)).count();
            if !(1..=2).contains(&length) {
                return None;
            }
            has_points |= rest.starts_with('.');
            rest = rest.get(length..)?;
        }
        (*number, rest) = leading_number(rest)?;
    }
    let parts = match numbers {
        [month, day, year] if month.is_month => fixed(year, month, day)?,
        [year, month, day] if month.is_month && year.digits == 4 => fixed(year, month, day)?,
        [day, month, year] if month.is_month => fixed(year, month, day)?,
        [year, month, day] if year.digits == 4 => fixed(year, month, day)?,
        numbers if numbers.iter().any(|number| number.is_month) => return None,
        numbers => Parts::Open(numbers),
    };
    Some((parts, rest, has_points))
}

fn fixed(year: Number, month: Number, day: Number) -> Option<Parts> {
    let is_sound = day.digits <= 2 && month.digits <= 2 && matches!(year.digits, 2 | 4);
    is_sound.then_some(Parts::Fixed {
        year: full_year(year),
        month: month.value,
        day: day.value,
    })
}

/// Up to four digits, or the name of a month.
fn leading_number(text: &str) -> Option<(Number, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=4).contains(&digits) {
        let (number, rest) = text.split_at_checked(digits)?;
        let number = Number {
            value: number
                .bytes()
                .fold(0, |value, digit| value * 10 + u32::from(digit - b'0')),
            digits,
            is_month: false,
        };
        return Some((number, rest));
    }
    let letters = text
        .find(|letter: char| !letter.is_alphabetic())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(letters)?;
    let number = Number {
        value: words().month(word)?,
        digits: 2,
        is_month: true,
    };
    Some((number, rest))
}

/// Nothing, the full stop of an ordinal, or a time of day.
fn is_time(rest: &str) -> bool {
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let time = rest.trim_start_matches(['T', ' ', ',']);
    rest.is_empty()
        || (time.len() < rest.len()
            && time.starts_with(|letter: char| letter.is_ascii_digit())
            && time.contains([':', '.'])
            && time.len() <= 40)
        || rest.bytes().all(|byte| byte.is_ascii_digit()) && rest.len() == 6
}

/// The date behind words such as `as of`.
fn second_date(rest: &str) -> Option<&str> {
    if rest.is_empty() {
        return None;
    }
    let rest = rest.trim_start();
    let mut dates = words()
        .followed_by
        .iter()
        .filter_map(|word| rest.strip_prefix(word.as_str()));
    dates
        .find(|date| separated(date.trim()).is_some())
        .map(str::trim)
}

/// How dates are read, and why so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dating {
    pub order: DateOrder,
    /// None if every date has one reading anyway.
    pub why: Option<&'static str>,
    /// The content leaves it open; weak signs that agree decided.
    pub is_assumed: bool,
}

impl Dating {
    /// What dates look like, in words.
    pub const fn words(&self) -> &'static str {
        match self.why {
            Some(_) => self.order.words(),
            None => "with one reading",
        }
    }
}

/// What a file shows of the order of its dates.
#[derive(Clone, Debug, Default)]
pub(super) struct DateEvidence {
    /// Dates that depend on the order.
    open: u64,
    /// How many of them are dates in each order.
    fits: [u64; 3],
    last: [Option<Date>; 3],
    rising: [u64; 3],
    falling: [u64; 3],
    has_points: bool,
    /// Lines with a date in the column by which they are ordered.
    rows: u64,
    /// What stands before the heading, which may be the statement's period.
    period: Period,
    /// The first one, for people.
    example: Option<(u64, String)>,
}

/// Dates before the heading.
#[derive(Clone, Debug, Default)]
struct Period {
    dates: u64,
    /// Those that depend on the order, and how many of them are dates in each.
    open: u64,
    fits: [u64; 3],
    /// From the first to the last, in each order.
    bounds: [Option<(Date, Date)>; 3],
    /// Lines of the table whose date lies between.
    within: [u64; 3],
}

impl Period {
    fn add(&mut self, dated: &Dated) {
        self.dates += 1;
        self.open += u64::from(dated.is_open);
        for (place, order) in DateOrder::ALL.into_iter().enumerate() {
            let Some(date) = dated.date(order) else {
                continue;
            };
            self.fits[place] += u64::from(dated.is_open);
            let (first, last) = self.bounds[place].unwrap_or((date, date));
            self.bounds[place] = Some((first.min(date), last.max(date)));
        }
    }

    fn is_in(&self, place: usize, date: Date) -> bool {
        self.bounds[place].is_some_and(|(first, last)| first <= date && date <= last)
    }

    /// Whether the period's own dates are dates in this order.
    fn is_written_in(&self, order: DateOrder) -> bool {
        self.open > 0 && self.fits[order as usize] == self.open
    }
}

/// Habits that tell the order where the dates do not.
pub(super) struct Habits {
    pub currency: Option<Currency>,
    pub has_decimal_comma: bool,
    pub is_foreign_to_english: bool,
    /// The order of the lines, if all balances beside them prove it.
    pub order: Option<LineOrder>,
}

impl DateEvidence {
    /// Takes one date into account; `is_main` for the column by which lines are ordered.
    pub fn add(&mut self, dated: &Dated, is_main: bool, line: u64, text: &str) {
        if dated.is_open {
            self.open += 1;
            self.has_points |= dated.has_points;
            if self.example.is_none() {
                self.example = Some((line, text.trim().chars().take(40).collect()));
            }
        }
        self.rows += u64::from(is_main);
        for (place, order) in DateOrder::ALL.into_iter().enumerate() {
            let date = dated.date(order);
            self.fits[place] += u64::from(dated.is_open && date.is_some());
            let is_within = date.is_some_and(|date| self.period.is_in(place, date));
            self.period.within[place] += u64::from(is_main && is_within);
            if is_main && date.is_some() {
                self.rising[place] +=
                    u64::from(self.last[place] < date && self.last[place].is_some());
                self.falling[place] += u64::from(self.last[place] > date);
                self.last[place] = date;
            }
        }
    }

    /// Takes the dates of a line before the heading into account.
    pub fn add_period<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        for word in cells.flat_map(|cell| cell.split([' ', ':'])) {
            if let Some(dated) = Dated::of(word.trim_matches(['(', ')', ',', ';'])) {
                self.period.add(&dated);
            }
        }
    }

    /// Whether lines stand from the newest to the oldest, in this order of dates.
    pub fn is_newest_first(&self, order: DateOrder) -> bool {
        let place = order as usize;
        self.falling[place] > self.rising[place]
    }

    /// The order of the dates, or the readings that are left.
    pub fn decide(&self, habits: &Habits) -> Result<Dating, Vec<DateOrder>> {
        let dating = |order, why, is_assumed| {
            Ok(Dating {
                order,
                why: Some(why),
                is_assumed,
            })
        };
        if self.open == 0 {
            return Ok(Dating {
                order: DateOrder::Day,
                why: None,
                is_assumed: false,
            });
        }
        let best = self.fits.iter().max().copied().unwrap_or_default();
        let open: Vec<DateOrder> = DateOrder::ALL
            .into_iter()
            .filter(|&order| self.fits[order as usize] == best)
            .collect();
        if let [order] = open[..] {
            return dating(order, "other orders do not give dates", false);
        }
        let only = |test: &dyn Fn(DateOrder) -> bool| -> Option<DateOrder> {
            let mut found = open.iter().copied().filter(|&order| test(order));
            found.next().filter(|_| found.next().is_none())
        };
        let is_sorted = |order| self.is_sorted(order, CHANGES_MIN);
        if let Some(order) = only(&is_sorted) {
            let why = "the lines are in the order of their dates only so";
            return dating(order, why, false);
        }
        if let Some(order) = only(&|order| self.period.is_written_in(order)) {
            return dating(order, "so are the dates before the heading", false);
        }
        if let Some(order) = only(&|order| self.is_within_period(order)) {
            let why = "they lie within the statement's period only so";
            return dating(order, why, false);
        }
        if let Some(lines) = habits.order
            && let Some(order) = only(&|order| self.follows(order, lines))
        {
            return dating(order, "the balances follow the dates only so", false);
        }
        match self.by_habit(habits) {
            Some((order, why, false)) if open.contains(&order) => dating(order, why, false),
            // The currency alone is a guess; that the few lines are in order only so agrees.
            Some((order, why, true)) if only(&|order| self.is_sorted(order, 1)) == Some(order) => {
                dating(order, why, true)
            }
            _ => Err(open),
        }
    }

    fn is_sorted(&self, order: DateOrder, changes_min: u64) -> bool {
        let (rising, falling) = (self.rising[order as usize], self.falling[order as usize]);
        rising.min(falling) == 0 && rising.max(falling) >= changes_min
    }

    fn is_within_period(&self, order: DateOrder) -> bool {
        self.period.dates > 1 && self.period.within[order as usize] == self.rows
    }

    /// Whether dates go the way that the balances go, through more than one change.
    fn follows(&self, order: DateOrder, lines: LineOrder) -> bool {
        const CHANGES_MIN: u64 = 2;
        let (rising, falling) = (self.rising[order as usize], self.falling[order as usize]);
        match lines {
            LineOrder::OldestFirst => falling == 0 && rising >= CHANGES_MIN,
            LineOrder::NewestFirst => rising == 0 && falling >= CHANGES_MIN,
        }
    }

    fn by_habit(&self, habits: &Habits) -> Option<(DateOrder, &'static str, bool)> {
        let is_day_first = habits.currency.and_then(|code| words().is_day_first(code));
        let has_day_habit =
            self.has_points || habits.has_decimal_comma || habits.is_foreign_to_english;
        match is_day_first {
            Some(false) if has_day_habit => None,
            _ if self.has_points => {
                Some((DateOrder::Day, "points stand between the numbers", false))
            }
            _ if habits.has_decimal_comma => {
                Some((DateOrder::Day, "amounts have a decimal comma", false))
            }
            _ if habits.is_foreign_to_english => {
                Some((DateOrder::Day, "the headings are not English", false))
            }
            Some(true) => Some((DateOrder::Day, "usual where the currency is used", true)),
            Some(false) => Some((DateOrder::Month, "usual where the currency is used", true)),
            None => None,
        }
    }

    /// The first date that several orders read, for people.
    pub fn example(&self) -> String {
        match &self.example {
            Some((line, text)) => format!("line {line}: {text}"),
            None => String::new(),
        }
    }

    /// What a profile says for each of `orders`, and what the example then is.
    pub fn choices(&self, orders: &[DateOrder]) -> String {
        let Some((line, text)) = &self.example else {
            return String::new();
        };
        let choice = |&order: &DateOrder| {
            let date = Dated::of(text)?.date(order)?;
            let key = order.key();
            Some(format!("dates = \"{key}\" if line {line} is of {date}"))
        };
        let choices: Vec<String> = orders.iter().filter_map(choice).collect();
        choices.join(", or ")
    }

    /// The line of that date.
    pub fn example_line(&self) -> Option<u64> {
        self.example.as_ref().map(|(line, _)| *line)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str, order: DateOrder) -> String {
        let mut shown = Vec::new();
        match Dated::of(text).and_then(|dated| dated.date(order)) {
            Some(date) => date.write_to(&mut shown),
            None => shown.push(b'-'),
        }
        String::from_utf8_lossy(&shown).into_owned()
    }

    #[test]
    fn reads_what_banks_write() {
        for (text, day, month) in [
            ("2026-04-02", "2026-04-02", "2026-04-02"),
            ("2012/3/22", "2012-03-22", "2012-03-22"),
            ("20260402", "2026-04-02", "2026-04-02"),
            ("2017-04-25T03:15:53", "2017-04-25", "2017-04-25"),
            ("02/04/2026", "2026-04-02", "2026-02-04"),
            ("13/04/26", "2026-04-13", "-"),
            ("04/13/2026 10:15 PM", "-", "2026-04-13"),
            ("2.4.2026", "2026-04-02", "2026-02-04"),
            ("02-Apr-26", "2026-04-02", "2026-04-02"),
            ("Apr 2, 2026", "2026-04-02", "2026-04-02"),
            ("2 août 2026", "2026-08-02", "2026-08-02"),
            ("09/16/2020 as of 09/15/2020", "-", "2020-09-16"),
            ("2026. 04. 02.", "2026-04-02", "2026-04-02"),
            ("31/02/2026", "-", "-"),
            ("1.234,56", "-", "-"),
            ("12.50", "-", "-"),
            ("2026-04-02 rent", "-", "-"),
            ("", "-", "-"),
        ] {
            assert_eq!(read(text, DateOrder::Day), day, "{text}, day first");
            assert_eq!(read(text, DateOrder::Month), month, "{text}, month first");
        }
    }

    const NO_HABITS: Habits = Habits {
        order: None,
        currency: None,
        has_decimal_comma: false,
        is_foreign_to_english: false,
    };

    fn evidence(texts: &[&str]) -> DateEvidence {
        let mut evidence = DateEvidence::default();
        for (line, text) in (1..).zip(texts) {
            if let Some(dated) = Dated::of(text) {
                evidence.add(&dated, true, line, text);
            }
        }
        evidence
    }

    #[test]
    fn the_whole_column_decides_or_nobody_does() {
        let decide = |texts: &[&str], habits: &Habits| {
            evidence(texts).decide(habits).map(|dating| dating.order)
        };
        let open = Err(vec![DateOrder::Day, DateOrder::Month]);
        assert_eq!(decide(&["03/04/2026", "05/04/2026"], &NO_HABITS), open);
        assert_eq!(
            decide(&["03/04/2026", "13/04/2026"], &NO_HABITS),
            Ok(DateOrder::Day)
        );
        assert_eq!(
            decide(&["03/04/2026", "04/13/2026"], &NO_HABITS),
            Ok(DateOrder::Month)
        );
        let sorted = [
            "09/01/2026",
            "10/01/2026",
            "01/02/2026",
            "02/02/2026",
            "03/02/2026",
        ];
        assert_eq!(decide(&sorted, &NO_HABITS), Ok(DateOrder::Day));
        let dollars = Habits {
            currency: "USD".parse().ok(),
            ..NO_HABITS
        };
        // The currency alone decides nothing; it agrees with lines that are in order only so.
        assert_eq!(decide(&["03/04/2026"], &dollars), open);
        let month_sorted = ["02/11/2026", "03/04/2026", "04/02/2026"];
        assert_eq!(decide(&month_sorted[..2], &dollars), open);
        assert_eq!(decide(&month_sorted[..2], &NO_HABITS), open);
        let zigzag = ["02/05/2026", "03/04/2026", "03/09/2026"];
        assert_eq!(decide(&zigzag, &NO_HABITS), open);
        assert_eq!(decide(&zigzag, &dollars), Ok(DateOrder::Month));
        let torn = Habits {
            has_decimal_comma: true,
            ..dollars
        };
        assert_eq!(decide(&["03/04/2026"], &torn), open);
        let by_balance = Habits {
            order: Some(LineOrder::OldestFirst),
            ..NO_HABITS
        };
        assert_eq!(decide(&zigzag, &by_balance), Ok(DateOrder::Month));
        assert_eq!(decide(&zigzag[..2], &by_balance), open);
    }

    #[test]
    fn the_period_of_the_statement_decides() {
        let decide = |title: &str| {
            let mut dates = DateEvidence::default();
            dates.add_period([title].into_iter());
            for (line, text) in (2..).zip(["03/04/2026", "05/04/2026"]) {
                dates.add(&Dated::of(text).unwrap(), true, line, text);
            }
            dates.decide(&NO_HABITS).map(|dating| dating.order)
        };
        assert_eq!(
            decide("Period: 01/04/2026 - 30/04/2026"),
            Ok(DateOrder::Day)
        );
        assert_eq!(decide("2026-04-01 to 2026-04-30"), Ok(DateOrder::Day));
        let open = Err(vec![DateOrder::Day, DateOrder::Month]);
        assert_eq!(decide("2026-03-01 to 2026-05-31"), open);
        assert_eq!(decide("Printed 2026-04-30"), open);
    }
}
