//! Profiles for banks' CSV, and that no other report is taken for a statement.
#![allow(clippy::unwrap_used)]

mod reading;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use reading::real::{files_under, samples};
use reading::{Reading, read_source};
use tieout_ingest::{CsvProfiles, HEAD_BYTES, Settings, SourceFile, unpack};

const HARBOR: &str = include_str!("../../datasets/formats/bank_csv_profile/harbor.toml");

fn read_with(profile: &str, bytes: &[u8]) -> Reading {
    let mut profiles = CsvProfiles::default();
    profiles.add("own.toml", profile).unwrap();
    let settings = Settings {
        csv_profiles: Arc::new(profiles),
        ..Settings::default()
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let source = SourceFile::plain(file.path().to_owned(), "file".to_owned());
    read_source(reading::format("bank_csv"), &source, &settings)
}

#[test]
fn a_profile_names_columns_and_conventions() {
    let text = b"Harbor Bank\nBusiness account\nGebucht;G\xfcltig;Wer;Zweck;Zusatz;Summe\n\
                 03.04.2026;04.04.2026;Werft;Teile;Nr 7;1.250\n\
                 05.06.2026;06.06.2026;Reeder;Miete;;-20,5\n";
    let reading = read_with(HARBOR, text);
    assert_eq!(reading.problems(), []);
    assert_eq!(reading.counts.profile.as_deref(), Some("harbor"));
    assert_eq!(reading.column("booking_date"), ["2026-04-03", "2026-06-05"]);
    assert_eq!(reading.column("value_date"), ["2026-04-04", "2026-06-06"]);
    assert_eq!(reading.column("amount"), ["1250.00000", "20.50000"]);
    assert_eq!(reading.column("direction"), ["DBIT", "CRDT"]);
    assert_eq!(reading.column("remittance_text"), ["Teile Nr 7", "Miete"]);
    assert_eq!(reading.column("account")[0], "DE89370400440532013000");
}

#[test]
fn a_profile_may_number_columns_where_there_is_no_heading() {
    let profile = "format = \"bank_csv\"\nname = \"plain\"\ncontains = \"Plain Bank\"\n\
                   skip_lines = 1\nheading = false\ndates = \"MDY\"\ncurrency = \"CAD\"\n\
                   credit_words = [\"plus\"]\ndebit_words = [\"minus\"]\n\
                   [columns]\ndate = 1\namount = 3\ndirection = 4\ntext = 2\n";
    let text = b"Plain Bank\n03/04/2026,Rent,850,minus,x\n05/06/2026,Sale,12,plus,y\n";
    let reading = read_with(profile, text);
    assert_eq!(reading.column("booking_date"), ["2026-03-04", "2026-05-06"]);
    assert_eq!(reading.column("direction"), ["DBIT", "CRDT"]);
    assert_eq!(reading.column("currency"), ["CAD", "CAD"]);
}

#[test]
fn a_profile_settles_dates_that_fit_two_readings() {
    let text = b"Date,Description,Amount\n03/04/2026,Rent,-850.00\n05/06/2026,Sale,12.00\n";
    let of_another = "format = \"bank_csv\"\nname = \"other\"\ndates = \"MDY\"\n\
                      [columns]\ndate = \"Posted\"\namount = \"Sum\"\n";
    let open = read_with(of_another, text);
    assert_eq!(open.problems(), [("layout_uncertain", Some(2))]);
    let own = of_another
        .replace("Posted", "date")
        .replace("Sum", "AMOUNT");
    assert_eq!(
        read_with(&own, text).column("booking_date"),
        ["2026-03-04", "2026-05-06"]
    );
}

#[test]
fn a_dollar_sign_is_the_currency_that_a_profile_names() {
    let text = b"Date,Description,Amount\n2026-03-04,Rent,-$850.00\n2026-03-05,Sale,CAD 12.00\n";
    let profile = |currency: &str| {
        format!(
            "format = \"bank_csv\"\nname = \"own\"\ncontains = \"Amount\"\n\
             currency = \"{currency}\"\n"
        )
    };
    let reading = read_with(&profile("AUD"), text);
    assert_eq!(reading.column("currency"), ["AUD", "CAD"]);
    let reading = reading::read("bank_csv", text);
    assert_eq!(reading.column("currency"), ["USD", "CAD"]);
}

#[test]
fn the_refusal_says_which_lines_a_profile_needs() {
    let text = "Date,Description,Amount\n03/04/2026,Rent,-850.00\n";
    let open = reading::read("bank_csv", text);
    assert_eq!(open.problems(), [("layout_uncertain", Some(2))]);
    let action = open.findings[0].action.clone();
    let lines = action.split_once("with the lines ").unwrap().1;
    let (lines, choices) = lines.split_once(" and ").unwrap();
    assert!(choices.contains("dates = \"MDY\" if line 2 is of 2026-03-04"));
    let choice = choices.split(" if ").next().unwrap();
    let profile = format!("{}\n{choice}\n", lines.replace(", ", "\n"));
    let reading = read_with(&profile, text.as_bytes());
    assert_eq!(reading.column("booking_date"), ["2026-04-03"]);
}

#[test]
fn a_profile_makes_a_file_known_that_nothing_else_knows() {
    let text = b"Gebucht;Wer;Zweck;Summe\n03.04.2026;Werft;Teile;1.250,00\n";
    let mut profiles = CsvProfiles::default();
    let known = |profiles: &CsvProfiles| {
        let file = SourceFile::from_bytes("file".to_owned(), &text[..]);
        let format = tieout_ingest::recognize_by_profile(&file, text, profiles);
        format.map(tieout_ingest::Format::name)
    };
    assert_eq!(known(&profiles), None);
    let other = "format = \"bank_csv\"\nname = \"other\"\n[columns]\ndate = \"Posted\"\n\
                 amount = \"Sum\"\n";
    profiles.add("other.toml", other).unwrap();
    assert_eq!(known(&profiles), None);
    let own = other.replace("Posted", "Gebucht").replace("Sum", "Summe");
    profiles
        .add("own.toml", &own.replace("other", "own"))
        .unwrap();
    assert_eq!(known(&profiles), Some("bank_csv"));
}

#[test]
fn the_last_line_of_a_large_file_decides_for_the_first() {
    let mut text = "Date,Description,Amount,Currency\n".to_owned();
    for number in 0..5_000 {
        writeln!(text, "03/04/2026,\"Sale {number}\nfor cash\",-1.00,EUR").unwrap();
    }
    text.push_str("25/04/2026,Refund,5000.00,EUR\n");
    for chunk_bytes in [1_000, 1 << 20] {
        let settings = Settings {
            chunk_bytes,
            ..Settings::default()
        };
        let reading = reading::read_with("bank_csv", text.as_bytes(), &settings);
        assert_eq!(reading.problems(), []);
        assert_eq!(reading.counts.rows, 5_001);
        assert_eq!(reading.counts.lines, 10_002);
        assert_eq!(reading.counts.bytes, text.len() as u64);
        assert_eq!(reading.column("booking_date")[0], "2026-04-03");
    }
}

#[test]
fn no_other_report_is_taken_for_a_statement() {
    let Some(root) = samples() else { return };
    let format = reading::format("bank_csv");
    let is_other = |path: &PathBuf| !path.starts_with(root.join("csv-bank"));
    for path in files_under(&root).into_iter().filter(is_other) {
        for source in unpack(&path, "file").unwrap_or_default() {
            let head = source.head(HEAD_BYTES).unwrap_or_default();
            let is_claimed = format.recognizes_file(&source, &head);
            assert!(!is_claimed, "{}", path.display());
        }
    }
}
