//! SWIFT messages through the public surface: identity, limits, and what a file may end with.
#![allow(clippy::unwrap_used)]

mod reading;

use reading::{Reading, read_source};
use tieout_ingest::{HEAD_BYTES, Settings, SourceFile, recognize_file};

fn read(bytes: &[u8]) -> Reading {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let source = SourceFile::plain(file.path().to_owned(), "file".to_owned());
    let head = source.head(HEAD_BYTES).unwrap();
    let format = recognize_file(&source, &head).unwrap();
    read_source(format, &source, &Settings::default())
}

fn statement(reference: &str, lines: &str, closing: &str) -> Reading {
    let text = format!(
        ":20:{reference}\n:25:DE89370400440532013000\n:28C:7/1\n:60F:C240102EUR0,\n{lines}\
         :62F:C240103EUR{closing}\n-\n"
    );
    read(text.as_bytes())
}

#[test]
fn a_line_is_the_same_in_every_delivery_and_twins_are_alike() {
    let line = ":61:2401030103C5,00NTRFNONREF//77\n:86:Rent\n";
    let first = statement("MADE-0801", line, "5,00");
    let again = statement("MADE-0930", &line.repeat(2), "10,00");
    let other = statement("MADE-0930", &line.replace("Rent", "Rest"), "5,00");
    let identity = first.column("identity")[0];
    assert_eq!(again.column("identity"), [identity, identity]);
    assert_ne!(other.column("identity")[0], identity);
    assert!(first.problems().is_empty() && again.problems().is_empty());
}

#[test]
fn a_field_has_a_limit_and_what_is_beyond_it_is_in_quarantine() {
    let line = ":61:2401030103C5,00NTRFNONREF//77\n:86:Rent\n";
    for (more, refused) in [(999, 0), (1_000, 1)] {
        let reading = statement("LONG", &(line.to_owned() + &"x\n".repeat(more)), "5,00");
        assert_eq!(reading.rows.len(), 1);
        assert_eq!(reading.quarantine.len(), refused, "{more}");
        assert!(
            reading
                .quarantine
                .iter()
                .all(|line| line.reason.code() == "too_long")
        );
    }
}

#[test]
fn a_message_has_a_limit_and_what_is_beyond_it_is_in_quarantine() {
    let mut text = b":20:LONG\n:32A:240103EUR5,00\n:50K:PAYER\n:59:PAYEE\n".to_vec();
    let field = format!(":70:{}\n", "x".repeat(60_000));
    for _ in 0..20 {
        text.extend_from_slice(field.as_bytes());
    }
    text.extend_from_slice(b"-\n");
    let reading = read(&text);
    assert_eq!(reading.table("payment_instructions").len(), 1);
    let reasons = reading.refused();
    assert!(!reasons.is_empty() && reasons.iter().all(|(reason, _)| *reason == "too_long"));
}

#[test]
fn a_file_that_ends_early_says_so() {
    for text in [
        "{1:F01A}{2:O940X}",
        "{1:F01A}{2:O940X}{4:",
        "{1:F01A}{2:O940X}{4:\n:20:X",
        "{1:F01A}{2:O940X}{4:\n:20:X\n:25:1\n:60F:C240101EUR5,\n:62F:C240101EUR5,\n",
        "{1:F01A}{2:O910X}{4:\n:20:X\n:25:1\n:32A:240101EUR5,\n:50K:A\n",
        "{1:F01A}{2:O103X}{4:\n:20:X\n:32A:240101EUR5,\n:50K:A\n:59:B\n",
        ":20:X\n:25:1\n:34F:EUR0,\n:61:240101C5,NTRFX\n",
        ":20:X\n:25:1\n:60F:C240101EUR5,\n:61:240101C5,NTRFX\n:86:Text\n:20:",
    ] {
        let problems = read(text.as_bytes()).problems();
        assert!(
            problems.iter().any(|(code, _)| *code == "truncated_file"),
            "{text}: {problems:?}"
        );
    }
}

#[test]
fn an_account_may_have_its_bank_below_it() {
    let text = ":20:X\n:25P:0532013000\nBANKDEFF\n:28C:1\n:60F:C240101EUR5,\n:62F:C240101EUR5,\n";
    let reading = read(text.as_bytes());
    assert!(reading.problems().is_empty() && reading.quarantine.is_empty());
    assert_eq!(reading.balances[0]["account"], "0532013000");
}

#[test]
fn blocks_that_never_end_are_refused_at_once() {
    for piece in ["{2:x{4:}", "{4:", "{1:}{4:", "}", "-}{"] {
        let text = format!(":20:X\n{{1:F01A}}{}", piece.repeat(50_000));
        let reading = read(text.as_bytes());
        assert!(!reading.quarantine.is_empty() || !reading.problems().is_empty());
    }
}
