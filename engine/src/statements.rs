//! Statements that banks number: whether one between two is missing. Files come in any order and
//! in any run, so that a gap is one only if nothing that was ever read fills it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tieout_core::{Amount, Currency, Date, Finding, FindingCode, Severity};
use tieout_ingest::NumberedStatement;

/// Stretches that are kept of an account; of more, the latest.
const SPANS_MAX: usize = 64;
/// Statements of an account that are put together at once; then at twice as many, and so on.
const READ_MIN: usize = 1_024;
/// Accounts whose statements are followed.
const SERIES_MAX: usize = 100_000;

/// What is numbered together: kind of message, account, currency.
type Series = (String, String, Currency);

/// One end of a stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edge {
    number: u64,
    page: u64,
    date: Option<Date>,
    /// What the account has at this end.
    balance: Option<Amount>,
    /// File and line, if this run has read it.
    place: Option<(String, u64)>,
}

/// Statements whose numbers follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    first: Edge,
    last: Edge,
}

/// A word of a file's reader about a gap, which only knows that file.
struct Told {
    finding: Finding,
    /// The numbers on both sides, once the statement itself came.
    between: Option<(Series, u64, u64)>,
}

/// The numbered statements of all runs.
#[derive(Default)]
pub struct Statements {
    spans: BTreeMap<Series, Vec<Span>>,
    told: Vec<Told>,
    /// How many of those stand in front of a statement that came already.
    told_before: usize,
    /// The file that is read, and the last number of each of its series.
    file: String,
    last: BTreeMap<Series, u64>,
}

impl Statements {
    /// What earlier runs have left, as [`Statements::left`] wrote it.
    pub fn carried(left: &Value) -> Self {
        let entries = left.as_array().into_iter().flatten();
        Self {
            spans: entries.filter_map(series).collect(),
            ..Self::default()
        }
    }

    /// What the next run has to know.
    pub fn left(&self) -> Value {
        let entries = self.spans.iter().map(|((kind, account, currency), spans)| {
            let edges = spans
                .iter()
                .map(|span| [span.first.told(), span.last.told()]);
            json!({
                "kind": kind,
                "account": account,
                "currency": currency.as_str(),
                "spans": edges.collect::<Vec<_>>(),
            })
        });
        entries.collect()
    }

    /// Takes a statement.
    pub fn take(&mut self, statement: NumberedStatement) {
        let NumberedStatement {
            file,
            line,
            series,
            account,
            currency,
            number,
            ..
        } = statement;
        let series = (series.to_owned(), account, currency);
        if self.file != file {
            self.file.clone_from(&file);
            self.last.clear();
        }
        let told = &mut self.told[self.told_before..];
        if let Some(before) = self.last.insert(series.clone(), number) {
            let is_told = |told: &&mut Told| {
                let finding = &told.finding;
                finding.line == Some(line) && finding.file == file && before != number
            };
            if let Some(told) = told.iter_mut().find(is_told) {
                told.between = Some((series.clone(), before, number));
            }
        }
        self.told_before = self.told.len();
        if self.spans.len() >= SERIES_MAX && !self.spans.contains_key(&series) {
            return;
        }
        let edge = |balance| Edge {
            number,
            page: statement.page,
            date: statement.date,
            balance,
            place: Some((file.clone(), line)),
        };
        let spans = self.spans.entry(series).or_default();
        spans.push(Span {
            first: edge(statement.opening),
            last: edge(statement.closing),
        });
        if spans.len() >= READ_MIN && spans.len().is_power_of_two() {
            join(spans);
        }
    }

    /// Keeps back what a reader says of a gap, until all files are read.
    pub fn keep(&mut self, finding: Finding) {
        self.told.push(Told {
            finding,
            between: None,
        });
    }

    /// What is missing once all files are read.
    pub fn gaps(&mut self) -> Vec<Finding> {
        for spans in self.spans.values_mut() {
            join(spans);
            let old = spans.len().saturating_sub(SPANS_MAX);
            spans.drain(..old);
        }
        let told = std::mem::take(&mut self.told);
        self.told_before = 0;
        // Readers have told of the gap in front of these.
        let known: BTreeSet<_> = told.iter().map(|told| place(&told.finding)).collect();
        let kept = told.iter().filter(|told| {
            let filled = told.between.as_ref();
            !filled.is_some_and(|(series, before, number)| self.leads(series, *before, *number))
        });
        let mut findings: Vec<Finding> = kept.map(|told| told.finding.clone()).collect();
        for (series, spans) in &self.spans {
            for pair in spans.windows(2) {
                let gap = gap(series, &pair[0].last, &pair[1].first);
                findings.extend(gap.filter(|gap| !known.contains(&place(gap))));
            }
        }
        findings
    }

    /// Whether statements lead from number `before` to `number`.
    fn leads(&self, series: &Series, before: u64, number: u64) -> bool {
        let spans = self.spans.get(series).into_iter().flatten();
        let (low, high) = (before.min(number), before.max(number));
        spans
            .into_iter()
            .any(|span| span.first.number <= low && span.last.number >= high)
    }
}

fn place(finding: &Finding) -> (&str, Option<u64>) {
    (&finding.file, finding.line)
}

/// Puts together what follows each other.
fn join(spans: &mut Vec<Span>) {
    let order = |span: &Span| {
        let Edge {
            number, page, date, ..
        } = span.first;
        (date, number, page)
    };
    spans.sort_by_key(order);
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans.drain(..) {
        match joined.last_mut() {
            Some(before) if span.goes_on_with(before) => before.extend(span),
            _ => joined.push(span),
        }
    }
    *spans = joined;
}

impl Span {
    /// Whether it follows `before`, or is part of it. Numbers that begin anew do not.
    fn goes_on_with(&self, before: &Self) -> bool {
        let is_anew = self.first.number < before.last.number && self.first.date > before.last.date;
        !is_anew && self.first.number <= before.last.number.saturating_add(1)
    }

    fn extend(&mut self, next: Self) {
        let order = |edge: &Edge| (edge.number, edge.page);
        if order(&next.last) > order(&self.last) {
            self.last = next.last;
        }
    }
}

/// The gap between two statements, if there is one and this run has read a statement beside it.
fn gap(series: &Series, before: &Edge, after: &Edge) -> Option<Finding> {
    let (_, account, currency) = series;
    let (first, last) = (before.number.checked_add(1)?, after.number.checked_sub(1)?);
    if first > last || counts_days(before.number, after.number) {
        return None;
    }
    let is_tied = before.balance.is_some() && before.balance == after.balance;
    if is_tied && counts_weekend(before, after) {
        return None;
    }
    let (file, line) = after.place.as_ref().or(before.place.as_ref())?;
    let (number, known) = if after.place.is_some() {
        (
            after.number,
            format!("known before it is {}", before.number),
        )
    } else {
        (
            before.number,
            format!("known behind it is {}", after.number),
        )
    };
    let balances = match (before.balance, after.balance) {
        (Some(closing), Some(opening)) if closing == opening => {
            format!(", and its balance of {closing} {currency} leads over the gap")
        }
        (Some(closing), Some(opening)) => format!(
            ", with a closing balance of {closing} {currency} before the gap and an opening \
             balance of {opening} behind it"
        ),
        _ => String::new(),
    };
    Some(Finding {
        severity: if is_tied {
            Severity::Info
        } else {
            Severity::Warning
        },
        code: FindingCode::StatementGap,
        file: file.clone(),
        line: Some(*line),
        found: format!("statement {number} of account {account}; the next one {known}{balances}"),
        expected: if first == last {
            format!("statement {first}")
        } else {
            format!("statements {first} to {last}")
        },
        action: "ask the bank for what is missing and run it; delivered later, it closes the gap"
            .to_owned(),
    })
}

/// Whether the numbers are those of days, each with two digits for the statements of the day.
fn counts_days(last: u64, number: u64) -> bool {
    number >= 10_000 && number % 100 == 1 && number / 100 > last / 100
}

/// Whether the numbers are those of days, and the days between are a weekend.
fn counts_weekend(before: &Edge, after: &Edge) -> bool {
    let (Some(from), Some(to)) = (before.date, after.date) else {
        return false;
    };
    let days = from.days() + 1..to.days();
    let is_each_day = i64::from(to.days()) - i64::from(from.days())
        == i64::try_from(after.number - before.number).unwrap_or(i64::MAX);
    // Day 0 was a Thursday.
    is_each_day
        && days.clone().count() <= 2
        && days.into_iter().all(|day| (day + 3).rem_euclid(7) >= 5)
}

impl Edge {
    fn told(&self) -> Value {
        let date = self.date.map(Date::days);
        let balance = self.balance.map(|balance| balance.units().to_string());
        json!([self.number, self.page, date, balance])
    }

    fn of(told: &Value) -> Option<Self> {
        let units = told[3].as_str().and_then(|units| units.parse().ok());
        let days = told[2].as_i64().and_then(|days| i32::try_from(days).ok());
        Some(Self {
            number: told[0].as_u64()?,
            page: told[1].as_u64()?,
            date: days.map(Date::from_days),
            balance: units.map(Amount::from_units),
            place: None,
        })
    }
}

fn series(entry: &Value) -> Option<(Series, Vec<Span>)> {
    let text = |name: &str| entry[name].as_str();
    let series = (
        text("kind")?.to_owned(),
        text("account")?.to_owned(),
        text("currency")?.parse().ok()?,
    );
    let spans = entry["spans"].as_array()?.iter().filter_map(|span| {
        Some(Span {
            first: Edge::of(&span[0])?,
            last: Edge::of(&span[1])?,
        })
    });
    Some((series, spans.collect()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn statement(file: &str, number: u64, day: i32, balances: (i128, i128)) -> NumberedStatement {
        NumberedStatement {
            file: file.to_owned(),
            line: number,
            series: "mt",
            account: "DE1".to_owned(),
            currency: Currency::USD,
            number,
            page: 0,
            date: Some(Date::from_days(day)),
            opening: Some(Amount::from_units(balances.0)),
            closing: Some(Amount::from_units(balances.1)),
        }
    }

    /// Number, day, and the balances.
    type Given = (u64, i32, (i128, i128));

    /// Runs with these statements; gives what each run finds.
    fn runs(runs: &[&[Given]]) -> Vec<Vec<String>> {
        let mut left = Value::Null;
        let mut found = Vec::new();
        for run in runs {
            let mut statements = Statements::carried(&left);
            for &(number, day, balances) in *run {
                let file = format!("{number}.sta");
                statements.take(statement(&file, number, day, balances));
            }
            let gaps = statements.gaps();
            left = statements.left();
            let told = gaps.iter().map(|gap| {
                let (severity, line) = (gap.severity.code(), gap.line.unwrap());
                format!("{severity} {line}: {}", gap.expected)
            });
            found.push(told.collect());
        }
        found
    }

    const NONE: [String; 0] = [];

    #[test]
    fn a_gap_between_files_and_runs_is_told_once_and_a_later_file_closes_it() {
        // 20,504 is a Friday.
        let (a, b, c) = (
            (118, 20_504, (0, 5)),
            (119, 20_507, (5, 6)),
            (120, 20_508, (6, 9)),
        );
        for order in [[a, b, c], [c, b, a], [c, a, b], [b, c, a]] {
            assert_eq!(runs(&[&order]), [NONE]);
        }
        let gap = "warning 120: statement 119";
        assert_eq!(runs(&[&[c, a]]), [[gap]]);
        let found = runs(&[&[a], &[c], &[a, c, (121, 20_509, (9, 9))], &[b], &[c]]);
        assert_eq!(found[1], [gap]);
        for later in [0, 2, 3, 4] {
            assert_eq!(found[later], NONE);
        }
        // What comes late may leave a gap behind it, and each part of a gap has its own.
        assert_eq!(runs(&[&[c], &[a]])[1], ["warning 118: statement 119"]);
        let found = runs(&[&[a, (125, 20_510, (8, 8))], &[(121, 20_505, (9, 9))]]);
        assert_eq!(found[0], ["warning 125: statements 119 to 124"]);
        assert_eq!(
            found[1],
            [
                "warning 121: statements 119 to 120",
                "warning 121: statements 122 to 124"
            ]
        );
    }

    #[test]
    fn balances_years_and_numbers_of_days_are_seen_to() {
        // The balance leads over the gap: perhaps a day without lines.
        let found = runs(&[&[(118, 20_503, (0, 5)), (120, 20_505, (5, 6))]]);
        assert_eq!(found[0], ["info 120: statement 119"]);
        // Friday to Monday where days are counted.
        let days = [(118, 20_504, (0, 5)), (121, 20_507, (5, 6))];
        assert_eq!(runs(&[&days]), [NONE]);
        let days = [(118, 20_504, (0, 5)), (121, 20_507, (4, 6))];
        assert_eq!(runs(&[&days])[0], ["warning 121: statements 119 to 120"]);
        // Numbers begin anew, and what is missing then is missing.
        let year = [
            (251, 20_453, (0, 5)),
            (1, 20_455, (5, 6)),
            (3, 20_460, (7, 8)),
        ];
        assert_eq!(runs(&[&year])[0], ["warning 3: statement 2"]);
        assert_eq!(
            runs(&[&year[..1], &year[1..2], &year[2..]])[2],
            ["warning 3: statement 2"]
        );
        // A date with a number of the day.
        let days = [(17_501, 20_500, (0, 5)), (17_801, 20_503, (4, 6))];
        assert_eq!(runs(&[&days]), [NONE]);
    }

    #[test]
    fn numbers_may_be_any_and_many() {
        let last = u64::MAX;
        let end = [(last - 1, 20_503, (0, 5)), (last, 20_504, (5, 6))];
        assert_eq!(runs(&[&end, &[(1, 20_505, (6, 6))]]), [NONE; 2]);
        // Each second one first, and then those between.
        let of = |number| (number, 20_000 + i32::try_from(number).unwrap(), (0, 0));
        let halves = |from| (from..5_000).step_by(2).map(of);
        let all: Vec<Given> = halves(1).chain(halves(2)).collect();
        assert_eq!(runs(&[&all]), [NONE]);
    }

    #[test]
    fn what_a_reader_says_of_its_file_holds_unless_another_file_fills_it() {
        let told = Finding {
            severity: Severity::Warning,
            code: FindingCode::StatementGap,
            file: "week.sta".to_owned(),
            line: Some(120),
            found: "statement 120".to_owned(),
            expected: "statement 119".to_owned(),
            action: String::new(),
        };
        for (has_other, left) in [(false, 1), (true, 0)] {
            let mut statements = Statements::default();
            statements.take(statement("week.sta", 118, 20_500, (0, 5)));
            statements.keep(told.clone());
            statements.take(statement("week.sta", 120, 20_504, (6, 9)));
            if has_other {
                statements.take(statement("119.sta", 119, 20_503, (5, 6)));
            }
            assert_eq!(statements.gaps().len(), left);
        }
    }
}
