//! Exchange rates: amounts of one currency in another, by the rates that users load and no other.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{Date32Type, Decimal128Type, Int64Type};
use datafusion::error::Result;
use tieout_core::schema::{RATE_SCALE, RATE_TYPE};
use tieout_core::{Amount, Currency, Date};

use super::scalar::{AMOUNT, DAY, Function, FunctionWords, NUMBER, Row, TEXT, Work, refused};

/// Days for which a rate holds while no newer one is there: a week, so that it bridges holidays.
const RATE_DAYS_MAX: i32 = 7;
const ONE: i128 = 10_i128.pow(RATE_SCALE as u32);

/// The rows that [`Rates::fill`] takes: all that were delivered, since to choose among them needs
/// no memory here.
pub(crate) const LOAD: &str = "select base_currency, quote_currency, source_file, rate_date, rate, \
     posting, source_line from history.exchange_rates";

/// The rates of a ledger: units of the quote currency for one of the base currency, by day.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    quotes: OnceLock<HashMap<(Currency, Currency), Vec<Quote>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Quote {
    day: Date,
    /// What came later counts: posting, file, line.
    delivery: (u64, String, u64),
    /// In 10^-12.
    rate: i128,
}

/// A rate as a fraction, and what it was made of.
struct Found<'a> {
    numerator: i128,
    denominator: i128,
    used: [Option<(&'a Quote, Currency, Currency)>; 2],
}

impl Rates {
    /// Takes the rows of [`LOAD`], once.
    ///
    /// # Errors
    /// If they are of another shape.
    pub fn fill(&self, batches: &[RecordBatch]) -> Result<()> {
        let mut quotes: HashMap<(Currency, Currency), Vec<Quote>> = HashMap::new();
        for batch in batches {
            read(batch, &mut quotes)?;
        }
        for quotes in quotes.values_mut() {
            quotes.sort();
        }
        // A session loads its rates when it is opened.
        let _ = self.quotes.set(quotes);
        Ok(())
    }

    /// The last quote of that pair up to `day` that still holds.
    fn quote(&self, base: Currency, quote: Currency, day: Date) -> Option<&Quote> {
        let quotes = self.quotes.get()?.get(&(base, quote))?;
        let later = quotes.partition_point(|quote| quote.day <= day);
        let last = quotes.get(later.checked_sub(1)?)?;
        (day.days() - last.day.days() <= RATE_DAYS_MAX).then_some(last)
    }

    /// One unit of `from` in `to`: as quoted, else the other way round, else over a base currency
    /// for which both are quoted on the same day.
    fn find(&self, from: Currency, to: Currency, day: Date) -> Option<Found<'_>> {
        if from == to {
            return Some(Found {
                numerator: 1,
                denominator: 1,
                used: [None, None],
            });
        }
        if let Some(quote) = self.quote(from, to, day) {
            return Some(Found {
                numerator: quote.rate,
                denominator: ONE,
                used: [Some((quote, from, to)), None],
            });
        }
        if let Some(quote) = self.quote(to, from, day) {
            return Some(Found {
                numerator: ONE,
                denominator: quote.rate,
                used: [Some((quote, to, from)), None],
            });
        }
        self.cross(from, to, day)
    }

    fn cross(&self, from: Currency, to: Currency, day: Date) -> Option<Found<'_>> {
        let pairs = self.quotes.get()?.keys();
        let mut bases: Vec<Currency> = pairs
            .filter(|(_, quote)| *quote == from)
            .map(|(base, _)| *base)
            .collect();
        bases.sort_unstable();
        bases.into_iter().find_map(|base| {
            let own = self.quote(base, from, day)?;
            let other = self.quote(base, to, day)?;
            (own.day == other.day).then_some(Found {
                numerator: other.rate,
                denominator: own.rate,
                used: [Some((own, base, from)), Some((other, base, to))],
            })
        })
    }
}

fn read(batch: &RecordBatch, quotes: &mut HashMap<(Currency, Currency), Vec<Quote>>) -> Result<()> {
    // A query may give text in another layout than the table has.
    let texts = [0, 1, 2].map(|place: usize| cast(batch.column(place), &TEXT));
    let [bases, others, files] = texts;
    let (bases, others, files) = (bases?, others?, files?);
    let [bases, others, files] = [&bases, &others, &files].map(AsArray::as_string::<i32>);
    let days = cast(batch.column(3), &DAY)?;
    let rates = cast(batch.column(4), &RATE_TYPE)?;
    let [postings, lines] = [5, 6].map(|place: usize| cast(batch.column(place), &NUMBER));
    let (postings, lines) = (postings?, lines?);
    let days = days.as_primitive::<Date32Type>();
    let rates = rates.as_primitive::<Decimal128Type>();
    let [postings, lines] = [&postings, &lines].map(AsArray::as_primitive::<Int64Type>);
    for row in 0..batch.num_rows() {
        let pair = (bases.value(row).parse(), others.value(row).parse());
        let (Ok(base), Ok(other)) = pair else {
            continue;
        };
        if days.is_null(row) || rates.value(row) <= 0 {
            continue;
        }
        quotes.entry((base, other)).or_default().push(Quote {
            day: Date::from_days(days.value(row)),
            delivery: (
                postings.value(row) as u64,
                files.value(row).to_owned(),
                lines.value(row) as u64,
            ),
            rate: rates.value(row),
        });
    }
    Ok(())
}

/// `numerator / denominator` to the nearest whole, halves to the even one.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    let (whole, rest) = (
        numerator.div_euclid(denominator),
        numerator.rem_euclid(denominator),
    );
    let twice = rest.saturating_mul(2);
    let is_up = twice > denominator || (twice == denominator && whole % 2 != 0);
    whole + i128::from(is_up)
}

impl Found<'_> {
    /// In 10^-12; none if it is too large.
    fn rate(&self) -> Option<i128> {
        Some(rounded(self.numerator.checked_mul(ONE)?, self.denominator))
    }

    /// `amount` in `to`, rounded to that currency's minor unit; none if it is too large.
    fn convert(&self, amount: Amount, to: Currency) -> Option<Amount> {
        if self.numerator == self.denominator {
            return Some(amount);
        }
        let minor_unit = 10_i128.pow(tieout_core::AMOUNT_SCALE - to.exponent());
        let exact = amount.units().checked_mul(self.numerator)?;
        let minor = rounded(exact, self.denominator.checked_mul(minor_unit)?);
        Some(Amount::from_units(minor * minor_unit))
    }

    /// Which rates were used, in words.
    fn words(&self) -> String {
        let mut words = String::new();
        for (quote, base, other) in self.used.iter().flatten() {
            if !words.is_empty() {
                words.push_str("; ");
            }
            let Quote {
                day,
                delivery: (_, file, line),
                rate,
            } = quote;
            let decimals = plain(*rate);
            let _ = write!(
                words,
                "1 {base} = {decimals} {other} of {day} ({file}:{line})"
            );
        }
        if words.is_empty() {
            words.push_str("the same currency");
        }
        words
    }
}

/// A rate without zeros at its end.
fn plain(rate: i128) -> String {
    let decimals = format!("{:012}", rate % ONE);
    let decimals = decimals.trim_end_matches('0');
    if decimals.is_empty() {
        return (rate / ONE).to_string();
    }
    format!("{}.{decimals}", rate / ONE)
}

pub(super) fn functions(rates: &Arc<Rates>) -> Vec<Function> {
    let (of_rate, of_source, of_convert) =
        (Arc::clone(rates), Arc::clone(rates), Arc::clone(rates));
    vec![
        Function::new(
            FunctionWords {
                name: "exchange_rate",
                usage: "exchange_rate(from, to, date)",
                comment: "Units of the one currency for one of the other, by the last rate of the \
                          week up to the date in exchange_rates; null where there is none",
            },
            &[TEXT, TEXT, DAY],
            3,
            Work::Decimal(
                RATE_TYPE,
                Box::new(move |row| {
                    let Some((from, to, day)) = pair(row, 0)? else {
                        return Ok(None);
                    };
                    Ok(of_rate.find(from, to, day).and_then(|found| found.rate()))
                }),
            ),
        ),
        Function::new(
            FunctionWords {
                name: "exchange_rate_source",
                usage: "exchange_rate_source(from, to, date)",
                comment: "Which rates exchange_rate uses: quote, day, file and line; null where \
                          there is none",
            },
            &[TEXT, TEXT, DAY],
            3,
            Work::Text(Box::new(move |row| {
                let Some((from, to, day)) = pair(row, 0)? else {
                    return Ok(None);
                };
                Ok(of_source.find(from, to, day).map(|found| found.words()))
            })),
        ),
        Function::new(
            FunctionWords {
                name: "convert",
                usage: "convert(amount, from, to, date)",
                comment: "An amount of the one currency in the other by exchange_rate, rounded to \
                          the minor unit; null where there is no rate",
            },
            &[AMOUNT, TEXT, TEXT, DAY],
            4,
            Work::Decimal(
                AMOUNT,
                Box::new(move |row| {
                    let pair = pair(row, 1)?;
                    let Some((amount, (from, to, day))) = row.amount(0).zip(pair) else {
                        return Ok(None);
                    };
                    let Some(found) = of_convert.find(from, to, day) else {
                        return Ok(None);
                    };
                    match found.convert(Amount::from_units(amount), to) {
                        Some(converted) => Ok(Some(converted.units())),
                        None => refused("an amount that is too large to convert"),
                    }
                }),
            ),
        ),
    ]
}

/// Two currencies and a day, from the place `first` on.
fn pair(row: &Row<'_>, first: usize) -> Result<Option<(Currency, Currency, Date)>> {
    let (Some(from), Some(to), Some(day)) =
        (row.text(first), row.text(first + 1), row.date(first + 2))
    else {
        return Ok(None);
    };
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) => Ok(Some((from, to, day))),
        (Err(error), _) => refused(format_args!("`{from}`: {error}")),
        (_, Err(error)) => refused(format_args!("`{to}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rates() -> Rates {
        let quote = |day: &str, rate: i128| Quote {
            day: day.parse().unwrap(),
            rate,
            delivery: (1, "rates.csv".to_owned(), 2),
        };
        let currency = |code: &str| code.parse::<Currency>().unwrap();
        let (eur, usd, jpy) = (currency("EUR"), currency("USD"), currency("JPY"));
        let rates = Rates::default();
        let quotes = HashMap::from([
            (
                (eur, usd),
                vec![
                    quote("2026-03-12", 1_080_000_000_000),
                    quote("2026-03-13", 1_084_300_000_000),
                ],
            ),
            ((eur, jpy), vec![quote("2026-03-13", 161_500_000_000_000)]),
        ]);
        rates.quotes.set(quotes).unwrap();
        rates
    }

    fn convert(amount: &str, from: &str, to: &str, day: &str) -> Option<String> {
        let rates = rates();
        let to = to.parse().unwrap();
        let found = rates.find(from.parse().unwrap(), to, day.parse().unwrap())?;
        let converted = found.convert(amount.parse().unwrap(), to)?;
        Some(converted.to_string())
    }

    #[test]
    fn rates_are_used_as_quoted_turned_round_and_crossed() {
        let at = |amount, from, to| convert(amount, from, to, "2026-03-13");
        assert_eq!(at("100.00", "EUR", "USD").as_deref(), Some("108.43"));
        assert_eq!(at("108.43", "USD", "EUR").as_deref(), Some("100.00"));
        // 1000 / 1.0843 * 161.5 = 148,944.01...
        assert_eq!(at("1000.00", "USD", "JPY").as_deref(), Some("148944.00"));
        assert_eq!(at("-0.05", "EUR", "EUR").as_deref(), Some("-0.05"));
        assert_eq!(at("1.00", "EUR", "CHF"), None);
    }

    #[test]
    fn a_rate_holds_for_a_week_and_never_backwards() {
        let at = |day| convert("100.00", "EUR", "USD", day);
        assert_eq!(at("2026-03-12").as_deref(), Some("108.00"));
        assert_eq!(at("2026-03-20").as_deref(), Some("108.43"));
        assert_eq!(at("2026-03-21"), None);
        assert_eq!(at("2026-03-11"), None);
    }

    #[test]
    fn halves_go_to_the_even_unit() {
        assert_eq!(
            [5, 15, 25, -5, -15].map(|n| rounded(n, 10)),
            [0, 2, 2, 0, -2]
        );
    }

    #[test]
    fn a_rate_says_where_it_is_from() {
        let rates = rates();
        let usd = "USD".parse().unwrap();
        let jpy = "JPY".parse().unwrap();
        let found = rates.find(usd, jpy, "2026-03-14".parse().unwrap()).unwrap();
        assert_eq!(
            found.words(),
            "1 EUR = 1.0843 USD of 2026-03-13 (rates.csv:2); \
             1 EUR = 161.5 JPY of 2026-03-13 (rates.csv:2)"
        );
    }
}
