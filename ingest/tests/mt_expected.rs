//! Statements that others published together with the parse that they expect: the same lines,
//! amounts, dates, types, references, texts and balances come out here.
//!
//! The files are not part of this repository: `TIEOUT_SAMPLES` names their folder, seen from the
//! repository's root.
#![allow(clippy::unwrap_used)]

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use reading::real::{files_under, samples};
use reading::{Reading, Row, read_source};
use serde_json::Value;
use tieout_core::{Amount, Date};
use tieout_ingest::{HEAD_BYTES, Settings, recognize_file, unpack};

type Keys = BTreeMap<String, String>;

/// A value that differs from what the authors expect, and why it is right.
const RIGHT: &[(&str, &str, &str)] = &[
    (
        "amount_formats.yml",
        "balance",
        "Six opening balances in one statement: the first counts here, the last there.",
    ),
    ("empty_entry_date.yml", "lines", NO_CURRENCY),
    ("statement_details.yml", "lines", NO_CURRENCY),
    ("statement_line.yml", "lines", NO_CURRENCY),
    ("sparkassen.yml", "lines", NO_CURRENCY),
    (
        "raphaelm.yml",
        "balance",
        "Its closing balances have no currency, which their grammar needs to find the amount.",
    ),
    (
        "details_60-63.yml",
        "purpose",
        "`ABWA+` in the further purpose is a name, not text.",
    ),
    (
        "malformed_details.yml",
        "purpose",
        "`ABWA+` in the further purpose is a name, not text.",
    ),
    (
        "overly_long_details.yml",
        "purpose",
        "`ABWA+` in the further purpose is a name, not text.",
    ),
    (
        "triodos.yml",
        "text",
        "Their grammar does not know subfields behind `>`, and leaves them in the text.",
    ),
];

const NO_CURRENCY: &str = "A field alone: without a balance its amount has no currency.";

/// One value of an expected parse beside ours.
struct Compared {
    what: &'static str,
    expected: String,
    read: String,
}

impl Compared {
    fn new(what: &'static str, expected: &str, read: &str) -> Self {
        Self {
            what,
            expected: expected.to_owned(),
            read: read.to_owned(),
        }
    }

    /// Lines are broken and blanks kept in many ways: texts are compared without.
    fn text(what: &'static str, expected: &str, read: &str) -> Self {
        let packed = |text: &str| text.split_whitespace().collect::<String>();
        Self::new(what, &packed(expected), &packed(read))
    }

    /// What was read is a part of what the authors leave as one.
    fn part(what: &'static str, expected: &str, read: &str) -> Self {
        let value = Self::text(what, expected, read);
        if value.expected.contains(&value.read) {
            return Self::new(what, &value.expected, &value.expected);
        }
        value
    }

    fn money(what: &'static str, expected: &str, read: &str) -> Self {
        let amount = |text: &str| match text.parse::<Amount>() {
            Ok(amount) => amount.to_string(),
            Err(_) => text.to_owned(),
        };
        Self::new(what, &amount(expected), &amount(read))
    }
}

/// The statement beside an expected parse, read.
fn reading_beside(expected: &Path) -> Reading {
    let ends = ["sta", "STA", "mta"].into_iter();
    let path = ends
        .map(|end| expected.with_extension(end))
        .find(|path| path.is_file());
    let source = unpack(&path.unwrap(), "file").unwrap().remove(0);
    let head = source.head(HEAD_BYTES).unwrap();
    match recognize_file(&source, &head) {
        Some(format) => read_source(format, &source, &Settings::default()),
        None => Reading::default(),
    }
}

fn get<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

/// The amount as its effect on the account.
fn signed(row: &Row) -> String {
    let sign = if get(row, "direction") == "DBIT" {
        "-"
    } else {
        ""
    };
    format!("{sign}{}", get(row, "amount"))
}

fn without_none(reference: &str) -> &str {
    if reference == "NONREF" {
        ""
    } else {
        reference.trim()
    }
}

/// The last balance of a type, as the authors' parsers keep it.
fn last_balance<'a>(reading: &'a Reading, type_code: &str) -> Option<&'a Row> {
    let mut balances = reading.balances.iter().rev();
    balances.find(|row| get(row, "type_code") == type_code)
}

// The dump of Python objects that the library mt-940 keeps beside its samples.

/// The keys at `indent` blanks, each with all that stands below it.
fn keys<'a>(lines: impl Iterator<Item = &'a str>, indent: usize) -> Keys {
    let mut keys = Keys::new();
    let mut open = String::new();
    for line in lines {
        let depth = line.len() - line.trim_start().len();
        if depth < indent && !line.trim().is_empty() {
            open.clear();
            continue;
        }
        match line.trim_start().split_once(':') {
            Some((key, value)) if depth == indent && !line.trim_start().starts_with('-') => {
                key.clone_into(&mut open);
                keys.insert(open.clone(), value.to_owned());
            }
            _ => {
                let value = keys.entry(open.clone()).or_default();
                let goes_on = value.ends_with('\\');
                value.truncate(value.len() - usize::from(goes_on));
                value.push_str(if goes_on { "" } else { "\n" });
                value.push_str(
                    line.trim_start()
                        .strip_prefix("\\ ")
                        .unwrap_or(line.trim_start()),
                );
            }
        }
    }
    keys
}

/// The text of a scalar; null is empty.
fn scalar(keys: &Keys, key: &str) -> String {
    let text = keys.get(key).map_or("", |text| text.trim());
    if text == "null" {
        return String::new();
    }
    match text.as_bytes() {
        [b'\'', .., b'\''] => text[1..text.len() - 1].replace("''", "'"),
        [b'"', .., b'"'] => unescaped(&text[1..text.len() - 1]),
        _ => text.to_owned(),
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        let digits = match rest.next() {
            Some('x') => 2,
            Some('u') => 4,
            Some('n' | 't' | ' ') => {
                out.push(' ');
                continue;
            }
            other => {
                out.extend(other);
                continue;
            }
        };
        let code: String = rest.by_ref().take(digits).collect();
        out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
    }
    out
}

/// The first text between quotes: the digits of a decimal.
fn decimal(keys: &Keys, key: &str) -> String {
    let text = keys.get(key).map_or("", String::as_str);
    text.split('\'').nth(1).unwrap_or_default().to_owned()
}

/// A date, of which four bytes stand in base 64: year, month, day.
fn pickled_date(keys: &Keys, key: &str) -> String {
    let text = keys.get(key).map_or("", String::as_str);
    let Some(token) = text.lines().find(|line| line.ends_with("==")) else {
        return String::new();
    };
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bits = token
        .trim_end_matches('=')
        .bytes()
        .fold(0_u64, |bits, byte| bits << 6 | u64::from(digit(byte)))
        >> 4;
    let [.., y1, y2, month, day] = bits.to_be_bytes();
    let year = i32::from(y1) * 256 + i32::from(y2);
    Date::from_ymd(year, month.into(), day.into())
        .unwrap()
        .to_string()
}

fn compare_pickled(text: &str, reading: &Reading) -> Vec<Compared> {
    let lines: Vec<&str> = text.lines().collect();
    let place = |start: &str| lines.iter().position(|line| line.starts_with(start));
    let (data, end) = (place("data:"), place("processors:").or(place("tags:")));
    let header = keys(
        lines[data.unwrap()..end.unwrap()].iter().skip(1).copied(),
        2,
    );
    let transactions = place("transactions:").map_or(lines.len(), |at| at + 1);
    let blocks = lines[transactions..].split(|line| line.starts_with("- "));
    let entries: Vec<Keys> = blocks
        .skip(1)
        .map(|block| keys(block.iter().copied().filter(|line| *line != "  data:"), 4))
        .collect();
    let mut compared = pickled_balances(&header, reading);
    let count = |count: usize| count.to_string();
    compared.push(Compared::new(
        "lines",
        &count(entries.len()),
        &count(reading.rows.len()),
    ));
    if entries.len() == reading.rows.len() {
        for (entry, row) in entries.iter().zip(&reading.rows) {
            compared.extend(pickled_line(entry, row));
        }
    }
    compared
}

fn pickled_balances(header: &Keys, reading: &Reading) -> Vec<Compared> {
    let mut compared = Vec::new();
    for (key, type_code) in [
        ("final_opening_balance", "60F"),
        ("intermediate_opening_balance", "60M"),
        ("final_closing_balance", "62F"),
        ("intermediate_closing_balance", "62M"),
        ("available_balance", "64"),
    ] {
        if header.contains_key(key) {
            let empty = Row::new();
            let row = last_balance(reading, type_code).unwrap_or(&empty);
            let read = get(row, "amount");
            compared.push(Compared::money("balance", &decimal(header, key), read));
            let date = pickled_date(header, key);
            compared.push(Compared::new("balance date", &date, get(row, "as_of_date")));
        }
    }
    compared
}

fn pickled_line(entry: &Keys, row: &Row) -> Vec<Compared> {
    let status = scalar(entry, "status");
    let mut amount = decimal(entry, "amount");
    if status == "RC" {
        amount.insert(0, '-');
    }
    let mut compared = vec![
        Compared::money("amount", &amount, &signed(row)),
        Compared::new(
            "value date",
            &pickled_date(entry, "date"),
            get(row, "value_date"),
        ),
        Compared::new("currency", &scalar(entry, "currency"), get(row, "currency")),
    ];
    if entry.contains_key("guessed_entry_date") {
        let date = pickled_date(entry, "guessed_entry_date");
        compared.push(Compared::new("entry date", &date, get(row, "booking_date")));
    }
    let code = get(row, "type_code");
    let (code, business_code) = code.split_once('/').unwrap_or((code, ""));
    compared.push(Compared::new("type", scalar(entry, "id").trim(), code));
    compared.push(compared_reference(entry, get(row, "bank_reference")));
    let details = scalar(entry, "transaction_details");
    compared.push(Compared::part(
        "text",
        &details,
        get(row, "remittance_text"),
    ));
    let purpose = scalar(entry, "purpose") + &scalar(entry, "additional_purpose");
    compared.push(Compared::text(
        "purpose",
        &purpose,
        get(row, "remittance_text"),
    ));
    for (what, key, read) in [
        ("business code", "transaction_code", business_code),
        (
            "end-to-end id",
            "end_to_end_reference",
            get(row, "end_to_end_id"),
        ),
        ("name", "applicant_name", get(row, "counterparty_name")),
    ] {
        let expected = scalar(entry, key);
        compared.push(Compared::text(what, without_none(&expected), read));
    }
    let has_purpose = entry.contains_key("purpose");
    compared.retain(|value| match value.what {
        "purpose" | "business code" | "end-to-end id" | "name" => {
            has_purpose && !value.expected.is_empty()
        }
        "text" => !has_purpose && !value.expected.is_empty(),
        _ => true,
    });
    compared
}

/// The authors divide field 61 by the lengths of its parts: what they cut off a reference stands
/// in the part after it.
fn compared_reference(entry: &Keys, read: &str) -> Compared {
    let reference = scalar(entry, "bank_reference");
    let rest = scalar(entry, "extra_details");
    let rest = rest.trim_start_matches('/');
    let own = scalar(entry, "customer_reference");
    let is_rest = !rest.is_empty() && read.ends_with(rest) || own.ends_with(&format!("//{read}"));
    if reference.is_empty() && is_rest {
        return Compared::new("bank reference", read, read);
    }
    Compared::new("bank reference", without_none(&reference), read)
}

// The parse that the library mt940-js keeps beside its samples.

fn compare_json(text: &str, reading: &Reading) -> Vec<Compared> {
    let Ok(Value::Array(statements)) = serde_json::from_str(text) else {
        return Vec::new();
    };
    let expected: Vec<&Value> = statements
        .iter()
        .filter_map(|statement| statement.get("transactions")?.as_array())
        .flatten()
        .collect();
    if !statements
        .iter()
        .all(|statement| statement.get("transactions").is_some())
    {
        return compare_fields(&statements, reading);
    }
    let count = |count: usize| count.to_string();
    let mut compared = vec![Compared::new(
        "lines",
        &count(expected.len()),
        &count(reading.rows.len()),
    )];
    for (entry, row) in expected.iter().zip(&reading.rows) {
        compared.extend(json_line(entry, row));
    }
    for key in ["openingBalance", "closingBalance"] {
        let stated = statements
            .iter()
            .map(|statement| json_money(&statement[key], "value"));
        let number = if key == "openingBalance" { "60" } else { "62" };
        let read = reading.balances.iter();
        let read = read.filter(|row| get(row, "type_code").starts_with(number));
        for (stated, row) in stated.zip(read) {
            compared.push(Compared::money("balance", &stated, get(row, "amount")));
        }
    }
    compared
}

fn json_text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn json_money(value: &Value, key: &str) -> String {
    let sign = if value["isCredit"].as_bool().unwrap() {
        ""
    } else {
        "-"
    };
    format!("{sign}{}", value[key])
}

fn json_line(entry: &Value, row: &Row) -> Vec<Compared> {
    let mut compared = vec![
        Compared::money("amount", &json_money(entry, "amount"), &signed(row)),
        Compared::new(
            "value date",
            json_text(entry, "valueDate"),
            get(row, "value_date"),
        ),
        Compared::new(
            "currency",
            json_text(entry, "currency"),
            get(row, "currency"),
        ),
        Compared::new(
            "bank reference",
            without_none(json_text(entry, "bankReference")),
            get(row, "bank_reference"),
        ),
    ];
    let date = json_text(entry, "entryDate");
    if !date.is_empty() {
        compared.push(Compared::new("entry date", date, get(row, "booking_date")));
    }
    let code = get(row, "type_code").split('/').next().unwrap();
    compared.push(Compared::new("type", json_text(entry, "code").trim(), code));
    compared
}

// The fields that the library mt940 of Ruby keeps beside its samples.

fn compare_fields(statements: &[Value], reading: &Reading) -> Vec<Compared> {
    let fields = statements.iter().filter_map(Value::as_array).flatten();
    let (lines, others): (Vec<&Value>, Vec<&Value>) =
        fields.partition(|field| field.get("swift_code").is_some());
    let count = |count: usize| count.to_string();
    let mut compared = vec![Compared::new(
        "lines",
        &count(lines.len()),
        &count(reading.rows.len()),
    )];
    for (line, row) in lines.iter().zip(&reading.rows) {
        let sign = if json_text(line, "funds_code") == "debit" {
            "-"
        } else {
            ""
        };
        let amount = format!("{sign}{}", json_text(line, "amount"));
        compared.push(Compared::money("amount", &amount, &signed(row)));
        for (what, key, column) in [
            ("value date", "value_date", "value_date"),
            ("entry date", "entry_date", "booking_date"),
        ] {
            let date = json_text(line, key).get(..10).unwrap_or_default();
            compared.push(Compared::new(what, date, get(row, column)));
        }
        let code = get(row, "type_code").split('/').next().unwrap();
        compared.push(Compared::new("type", json_text(line, "swift_code"), code));
    }
    let balances = others
        .iter()
        .filter(|field| field.get("balance_type").is_some());
    for (balance, row) in balances.zip(&reading.balances) {
        let sign = if json_text(balance, "sign") == "debit" {
            "-"
        } else {
            ""
        };
        let amount = format!("{sign}{}", json_text(balance, "amount"));
        compared.push(Compared::money("balance", &amount, get(row, "amount")));
    }
    compared
}

#[test]
fn statements_read_as_their_authors_expect() {
    let Some(root) = samples() else { return };
    let folders = ["mt940", "mt9xx"].into_iter();
    let files: Vec<PathBuf> = folders
        .flat_map(|folder| files_under(&root.join(folder)))
        .collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut unused: BTreeSet<(&str, &str)> = RIGHT.iter().map(|right| (right.0, right.1)).collect();
    for path in &files {
        let text = || String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let compared = match path.extension().and_then(|end| end.to_str()) {
            Some("yml") => compare_pickled(&text(), &reading_beside(path)),
            Some("json") => compare_json(&text(), &reading_beside(path)),
            _ => continue,
        };
        let name = path.file_name().unwrap().to_str().unwrap();
        counts.entry("files").or_default().0 += 1;
        let differs = |value: &Compared| value.expected != value.read;
        counts.entry("files").or_default().1 += usize::from(!compared.iter().any(differs));
        for value in compared {
            let count = counts.entry(value.what).or_default();
            count.0 += 1;
            count.1 += usize::from(!differs(&value));
            if !differs(&value) {
                continue;
            }
            let is_of = |right: &&(&str, &str, &str)| right.0 == name && right.1 == value.what;
            match RIGHT.iter().find(is_of) {
                Some((file, what, _)) => _ = unused.remove(&(*file, *what)),
                None => wrong.push(format!(
                    "{name}: {} `{}`, expected `{}`",
                    value.what, value.read, value.expected
                )),
            }
        }
    }
    println!("{:<16} compared  equal", "what");
    for (what, (compared, equal)) in &counts {
        println!("{what:<16} {compared:>8}  {equal:>5}");
    }
    assert!(unused.is_empty(), "as expected after all: {unused:?}");
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
}
