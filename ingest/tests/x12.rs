//! What the golden files of X12 do not show: limits, damage and redelivery.
#![allow(clippy::unwrap_used)]

mod reading;

use std::fmt::Write as _;
use std::fs;

use reading::{Reading, read};
use tieout_ingest::{Format, HEAD_BYTES, SourceFile, recognize_file};

const ISA: &str = "ISA*00*          *00*          *ZZ*CASCADE        *ZZ*HARBORAR       \
                   *260302*0715*U*00401*000000001*0*P*>~";
const IEA: &str = "IEA*1*000000001~";

/// An interchange of one group with these sets.
fn interchange(group: &str, sets: &[String]) -> String {
    let count = sets.len();
    let sets = sets.concat();
    format!("{ISA}GS*{group}*A*B*20260302*0715*1*X*004010~{sets}GE*{count}*1~{IEA}")
}

fn set(number: &str, segments: &str) -> String {
    let count = segments.matches('~').count() + 2;
    format!("ST*{number}*0001~{segments}SE*{count}*0001~")
}

fn remittance(invoice: usize) -> String {
    set(
        "820",
        &format!("BPR*C*5*C*ACH************20260302~TRN*1*T~RMR*IV*HF-{invoice}**5~"),
    )
}

fn check(number: usize) -> String {
    format!("BPR*I*10*C*CHK~REF*CK*{number}~RMR*IV*HF-{number}**10~")
}

fn lockbox(checks: &str) -> String {
    set(
        "823",
        &format!("DEP*770012*20260309**D-1****4400128871~BAT*20260309**B1~{checks}"),
    )
}

fn codes(reading: &Reading) -> Vec<&str> {
    let findings = reading.findings.iter();
    findings.map(|finding| finding.code.code()).collect()
}

#[test]
fn many_findings_of_a_kind_are_counted() {
    let wrong: Vec<String> = (0..60)
        .map(|invoice| remittance(invoice).replace("SE*5*", "SE*6*"))
        .collect();
    let reading = read("x12", interchange("RA", &wrong));
    assert_eq!(codes(&reading), ["control_count"; 51]);
    let last = &reading.findings[50].found;
    assert_eq!(last, "10 more findings like the 50 before");
    assert_eq!(reading.table("remittance_lines").len(), 60);
}

#[test]
fn a_lost_terminator_costs_one_segment() {
    let one = interchange("RA", &[remittance(1)]);
    let lost = one.trim_end_matches('~');
    let reading = read("x12", format!("{lost}\n{one}"));
    // Both have the same number.
    assert_eq!(codes(&reading), ["control_number"]);
    assert_eq!(reading.table("remittance_lines").len(), 2);
}

#[test]
fn what_stands_before_an_interchange_is_in_quarantine() {
    let one = interchange("RA", &[remittance(1)]);
    let reading = read("x12", format!("FROM: BANK\r\nTO: HARBOR\r\n{one}"));
    assert_eq!(reading.refused(), [("misplaced_record", 1)]);
    assert_eq!(
        reading.table_column("remittance_lines", "source_line"),
        ["3"]
    );
}

#[test]
fn what_is_too_long_is_in_quarantine_and_the_rest_is_read() {
    let note = format!("NTE*ZZZ*{}~", "x".repeat(70_000));
    let long = remittance(1).replace("RMR", &format!("{note}RMR"));
    let long = long.replace("SE*5*", "SE*6*");
    let reading = read("x12", interchange("RA", &[long]));
    assert_eq!(reading.refused(), [("too_long", 1)]);
    assert_eq!(codes(&reading), ["quarantined_lines"]);
    assert_eq!(reading.table("remittance_lines").len(), 1);
}

#[test]
fn a_cheque_has_ten_thousand_documents_at_most() {
    let mut checks = check(1);
    for document in 1..=10_000 {
        write!(checks, "RMR*IV*X-{document}**0~").unwrap();
    }
    let reading = read("x12_823", interchange("LB", &[lockbox(&checks)]));
    assert_eq!(reading.documents.len(), 10_000);
    assert_eq!(reading.refused(), [("too_long", 1)]);
}

#[test]
fn a_cheque_keeps_its_identity_wherever_it_comes() {
    let alone = read("x12_823", interchange("LB", &[lockbox(&check(7))]));
    let later = lockbox(&format!("{}{}", check(6), check(7)));
    let later = read("x12_823", interchange("LB", &[later]).replace('~', "~\r\n"));
    assert_eq!(alone.column("identity")[0], later.column("identity")[1]);
    assert_ne!(later.column("identity")[0], later.column("identity")[1]);
}

#[test]
fn lockboxes_are_found_beyond_the_beginning() {
    let advice: Vec<String> = (0..HEAD_BYTES / 60).map(remittance).collect();
    let advice = interchange("RA", &advice);
    assert!(advice.len() > HEAD_BYTES);
    let known = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let source = SourceFile::plain(file.path().to_owned(), "file".to_owned());
        recognize_file(&source, &text.as_bytes()[..HEAD_BYTES]).map(Format::name)
    };
    assert_eq!(known(&advice), Some("x12"));
    let lockbox = interchange("LB", &[lockbox(&check(1))]);
    assert_eq!(known(&format!("{advice}{lockbox}")), Some("x12_823"));
}
