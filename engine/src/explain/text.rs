//! An explanation as text for people.

use std::fmt;
use std::ops::Range;

use tieout_core::{Amount, Feature, Reason, Rule, Status};
use tieout_matcher::PRIOR;

use super::{Advice, Applied, Explanation, Named, Other, Payment, Repeated, Source, SourceText};

/// Rows of one section that are printed.
const ROWS_MAX: usize = 60;

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        heading(&self.payment, &self.source, out)?;
        outcome(self, out)?;
        repeats(self, out)?;
        applications(self, out)?;
        evidence(self, out)?;
        others(self, out)?;
        advice(self, out)?;
        source(&self.source, out)
    }
}

impl Explanation {
    /// Whether the line opened items again instead of paying them.
    fn opens_items(&self) -> bool {
        self.payment.rule.value == Some(Rule::Reversal) && !self.applications.is_empty()
    }
}

/// A code with its sentence.
trait Sentence {
    fn sentence(&self) -> &'static str;
}

macro_rules! sentences {
    ($($list:ty),+) => {
        $(impl Sentence for Named<$list> {
            fn sentence(&self) -> &'static str {
                self.value.map_or("", <$list>::sentence)
            }
        })+
    };
}

sentences!(Status, Rule, Reason, Feature);

type Out<'a, 'b> = &'a mut fmt::Formatter<'b>;

fn heading(payment: &Payment, source: &Source, out: Out) -> fmt::Result {
    writeln!(out, "Payment {}", payment.id)?;
    field(
        out,
        "amount",
        &format!("{} {}", payment.amount, payment.currency),
    )?;
    field(
        out,
        "payer",
        payment.payer_name.as_deref().unwrap_or("(no name given)"),
    )?;
    optional(out, "payer account", payment.payer_account.as_deref())?;
    optional(out, "cheque", payment.check_number.as_deref())?;
    optional(out, "bank reference", payment.bank_reference.as_deref())?;
    optional(out, "end-to-end id", payment.end_to_end_id.as_deref())?;
    optional(out, "came to", payment.account.as_deref())?;
    optional(out, "booked", payment.booking_date.as_deref())?;
    if payment.value_date != payment.booking_date {
        optional(out, "value date", payment.value_date.as_deref())?;
    }
    optional(out, "text", payment.remittance_text.as_deref())?;
    field(out, "read from", &read_from(source))
}

fn read_from(source: &Source) -> String {
    let place = format!("{}:{}", source.file, source.line);
    let names = [&source.place, &source.format, &source.profile];
    let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    if names.is_empty() {
        place
    } else {
        format!("{place} ({})", names.join(", "))
    }
}

fn field(out: Out, name: &str, value: &str) -> fmt::Result {
    writeln!(out, "  {name:<15} {value}")
}

fn optional(out: Out, name: &str, value: Option<&str>) -> fmt::Result {
    value.map_or(Ok(()), |value| field(out, name, value))
}

fn coded<T>(named: &Named<T>) -> String
where
    Named<T>: Sentence,
{
    format!("{}: {}", named.code, named.sentence())
}

fn outcome(told: &Explanation, out: Out) -> fmt::Result {
    let payment = &told.payment;
    writeln!(out, "\nWhat became of it")?;
    let status = if told.opens_items() {
        format!(
            "{}: What the payment had paid that it undoes is open again.",
            payment.status.code
        )
    } else {
        coded(&payment.status)
    };
    field(out, "status", &status)?;
    if let Some(reason) = &payment.reason {
        field(out, "reason", &coded(reason))?;
    }
    field(out, "rule", &coded(&payment.rule))?;
    if let Some(party) = &told.party {
        let name = party.name.as_deref().unwrap_or("(not in the parties)");
        field(out, "customer", &format!("{} {name}", party.id))?;
    }
    field(out, "money", &equation(payment))?;
    let margin = if told.alternatives.is_empty() {
        "no runner-up".to_owned()
    } else {
        format!("{:.4} above the runner-up", payment.margin)
    };
    let score = format!(
        "{:.4}, {margin}, by recipe {}",
        payment.score, payment.recipe
    );
    field(out, "score", &score)
}

fn equation(payment: &Payment) -> String {
    format!(
        "{} = {} applied + {} on account + {} unapplied",
        payment.amount, payment.applied, payment.on_account, payment.unapplied
    )
}

fn repeats(told: &Explanation, out: Out) -> fmt::Result {
    if let Some(original) = &told.duplicate_of {
        writeln!(out, "\nRepeats payment {}", repeated(original))?;
    }
    for later in &told.repeated_by {
        writeln!(out, "\nRepeated by payment {}", repeated(later))?;
    }
    if let Some(original) = &told.undoes {
        writeln!(out, "\nUndoes payment {}", repeated(original))?;
    }
    for later in &told.undone_by {
        writeln!(out, "\nUndone by {}", repeated(later))?;
    }
    Ok(())
}

fn repeated(other: &Repeated) -> String {
    let place = other.place.as_ref();
    let place = place.map_or_else(String::new, |place| format!(" ({place})"));
    let evidence = if other.evidence.is_empty() {
        String::new()
    } else {
        format!("\n  {}", other.evidence)
    };
    format!("{}{place}{evidence}", other.payment_id)
}

fn applications(told: &Explanation, out: Out) -> fmt::Result {
    if told.applications.is_empty() {
        return Ok(());
    }
    let takes_effect = matches!(
        told.payment.status.value,
        Some(Status::Applied | Status::PartiallyApplied)
    );
    let title = if told.opens_items() {
        "Opened again"
    } else if takes_effect {
        "Applied to"
    } else {
        "Proposed, items unchanged"
    };
    writeln!(out, "\n{title}")?;
    let mut rows: Vec<Vec<String>> = told.applications.iter().map(application).collect();
    if told.applications.len() > 1 {
        rows.push(application_sum(&told.applications));
    }
    table(out, &APPLICATION_HEADER, &rows, &APPLICATION_RIGHT)
}

const APPLICATION_HEADER: [&str; 8] = [
    "item",
    "kind, due",
    "open",
    "cash",
    "discount",
    "write-off",
    "deduction",
    "reason",
];

const APPLICATION_RIGHT: [bool; 8] = [false, false, true, true, true, true, true, false];

fn application(part: &Applied) -> Vec<String> {
    let number = part.item_number.as_ref().unwrap_or(&part.item_id);
    let item = if *number == part.item_id {
        number.clone()
    } else {
        format!("{number} ({})", part.item_id)
    };
    let about = [&part.kind, &part.due_date].into_iter().flatten();
    let about: Vec<&str> = about.map(String::as_str).collect();
    vec![
        item,
        about.join(" "),
        part.open_amount
            .map_or_else(String::new, |open| open.to_string()),
        part.applied.to_string(),
        unless_zero(part.discount),
        unless_zero(part.write_off),
        unless_zero(part.deduction),
        part.deduction_reason.clone().unwrap_or_default(),
    ]
}

fn application_sum(parts: &[Applied]) -> Vec<String> {
    let sum = |amount: fn(&Applied) -> Amount| parts.iter().map(amount).sum::<Amount>();
    vec![
        "together".to_owned(),
        String::new(),
        String::new(),
        sum(|part| part.applied).to_string(),
        unless_zero(sum(|part| part.discount)),
        unless_zero(sum(|part| part.write_off)),
        unless_zero(sum(|part| part.deduction)),
        String::new(),
    ]
}

fn unless_zero(amount: Amount) -> String {
    if amount.is_zero() {
        String::new()
    } else {
        amount.to_string()
    }
}

fn evidence(told: &Explanation, out: Out) -> fmt::Result {
    if told.evidence.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nEvidence")?;
    let is_weighed = told.evidence.iter().any(|part| part.bits.abs() > 0.0);
    let mut rows: Vec<Vec<String>> = Vec::new();
    // Ledgers of earlier versions do not hold it.
    let is_told = |part: &super::Weighed| part.feature.value == Some(Feature::Prior);
    let untold = if told.evidence.iter().any(is_told) {
        0.0
    } else {
        prior()
    };
    if is_weighed && untold.abs() > 0.0 {
        rows.push(weight_row(
            untold,
            Feature::Prior.code(),
            Feature::Prior.sentence(),
        ));
    }
    rows.extend(told.evidence.iter().map(|part| {
        let detail = part.detail.as_ref();
        let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
        let sentence = format!("{}{detail}", part.feature.sentence());
        let mut row = weight_row(part.bits, &part.feature.code, &sentence);
        if !is_weighed {
            row[0].clear();
        }
        row
    }));
    if is_weighed {
        let sum = untold + told.evidence.iter().map(|part| part.bits).sum::<f64>();
        let meaning = format!("bits of log-odds: a score of {:.4}.", told.payment.score);
        rows.push(weight_row(sum, "together", &meaning));
    }
    table(out, &[], &rows, &[true, false, false])
}

fn prior() -> f64 {
    f64::from(PRIOR) / 100.0
}

fn weight_row(bits: f64, code: &str, sentence: &str) -> Vec<String> {
    vec![format!("{bits:+.2}"), code.to_owned(), sentence.to_owned()]
}

fn others(told: &Explanation, out: Out) -> fmt::Result {
    let (title, list) = if told.candidates.is_empty() {
        ("Runners-up", &told.alternatives)
    } else {
        ("Candidates, the best first", &told.candidates)
    };
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    let rows: Vec<Vec<String>> = list.iter().map(|one| other_row(one, told)).collect();
    table(out, &[], &rows, &[true, false, false])
}

fn other_row(other: &Other, told: &Explanation) -> Vec<String> {
    let proposed: Vec<&str> = told
        .applications
        .iter()
        .map(|part| part.item_id.as_str())
        .collect();
    let why = match &other.why {
        Some(why) => why.clone(),
        None if other.items == proposed.join("+") => "as proposed above".to_owned(),
        None => String::new(),
    };
    let items = match &other.numbers {
        Some(numbers) => format!("{numbers} ({})", other.items),
        None if other.items.is_empty() => "no item".to_owned(),
        None => other.items.clone(),
    };
    vec![format!("{:.4}", other.score), items, why]
}

const ADVICE_HEADER: [&str; 7] = [
    "document",
    "gross",
    "discount",
    "kept back",
    "net",
    "reason",
    "read from",
];
const ADVICE_RIGHT: [bool; 7] = [false, true, true, true, true, false, false];

fn advice(told: &Explanation, out: Out) -> fmt::Result {
    if told.advice.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat the payer says it is for")?;
    let text = |amount: Option<Amount>| amount.map_or_else(String::new, |value| value.to_string());
    let row = |line: &Advice| {
        vec![
            line.document_number.clone().unwrap_or_default(),
            text(line.gross),
            text(line.discount.filter(|amount| !amount.is_zero())),
            text(line.adjustment.filter(|amount| !amount.is_zero())),
            text(line.net),
            line.adjustment_reason.clone().unwrap_or_default(),
            line.place.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = told.advice.iter().map(row).collect();
    table(out, &ADVICE_HEADER, &rows, &ADVICE_RIGHT)
}

fn source(source: &Source, out: Out) -> fmt::Result {
    writeln!(out, "\nSource {}:{}", source.file, source.line)?;
    match &source.text {
        SourceText::Lines(lines) => numbered(out, source.line, lines),
        SourceText::Unchecked(lines) => {
            writeln!(out, "  (not compared with what the run read)")?;
            numbered(out, source.line, lines)
        }
        SourceText::Changed => writeln!(
            out,
            "  the file has changed since the run{}",
            range(source, "held")
        ),
        SourceText::Gone(error) => writeln!(
            out,
            "  the file cannot be read from this folder ({error}){}",
            range(source, "hold")
        ),
    }
}

fn range(source: &Source, verb: &str) -> String {
    let Range { start, end } = source.bytes;
    if start == end {
        return String::new();
    }
    format!("; bytes {start} to {end} {verb} the payment")
}

fn numbered(out: Out, first: u64, lines: &[String]) -> fmt::Result {
    let last = first + lines.len() as u64;
    let width = last.to_string().len();
    for (number, line) in (first..).zip(lines).take(ROWS_MAX) {
        writeln!(out, "  {number:>width$} | {line}")?;
    }
    cut(out, lines.len())
}

/// Says how many rows were left out, if any were.
fn cut(out: Out, rows: usize) -> fmt::Result {
    match rows.checked_sub(ROWS_MAX) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(out, "  and {more} more"),
    }
}

/// Rows with their columns aligned, figures to the right; columns without any text left out.
fn table(out: Out, header: &[&str], rows: &[Vec<String>], right: &[bool]) -> fmt::Result {
    let is_used = |&column: &usize| rows.iter().any(|row| !row[column].is_empty());
    let used: Vec<usize> = (0..right.len()).filter(is_used).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str());
        let cells = cells.chain(header.get(column).copied());
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..right.len()).map(width).collect();
    let print = |cells: &[&str], out: Out| {
        let aligned = used.iter().map(|&column| {
            let (cell, width) = (cells[column], widths[column]);
            if right[column] {
                format!("  {cell:>width$}")
            } else {
                format!("  {cell:<width$}")
            }
        });
        writeln!(out, "{}", aligned.collect::<String>().trim_end())
    };
    if !header.is_empty() {
        print(header, out)?;
    }
    for row in rows.iter().take(ROWS_MAX) {
        print(&row.iter().map(String::as_str).collect::<Vec<_>>(), out)?;
    }
    cut(out, rows.len())
}
