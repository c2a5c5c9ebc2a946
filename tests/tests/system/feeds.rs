//! The same money in several reports counts once, in whichever order they come.

use std::fmt::Write as _;
use std::fs;

use crate::desk::Desk;

/// A BAI2 report of one day; `modifier` 3 is during the day, 2 the next morning.
fn report(modifier: &str, lines: &[(&str, &str)]) -> String {
    let total: u64 = lines
        .iter()
        .map(|(cents, _)| cents.parse::<u64>().unwrap())
        .sum();
    let mut records = String::new();
    for (cents, reference) in lines {
        writeln!(
            records,
            "16,195,{cents},0,{reference},{reference}E,WIRE FROM ACME/"
        )
        .unwrap();
    }
    let count = lines.len();
    format!(
        "01,091000019,4400128871,260316,0605,1,,,2/\n\
         02,4400128871,091000019,1,260316,,USD,{modifier}/\n\
         03,4400128871,USD,100,{total},{count},/\n{records}\
         49,{},{}/\n98,{},1,{}/\n99,{},1,{}/\n",
        2 * total,
        count + 2,
        2 * total,
        count + 4,
        2 * total,
        count + 6
    )
}

#[test]
fn a_report_during_the_day_gives_way_to_the_statement() {
    let early = report("3", &[("100000", "REF0001"), ("250000", "REF0002")]);
    let late = report(
        "2",
        &[
            ("100000", "REF0001"),
            ("250000", "REF0002"),
            ("250000", "REF0003"),
        ],
    );
    for names in [["a_early", "b_late"], ["b_early", "a_late"]] {
        let desk = Desk::empty();
        fs::write(desk.path(names[0]), &early).unwrap();
        fs::write(desk.path(names[1]), &late).unwrap();
        let told = desk.tieout(&["run", names[0], names[1], "--out", "out"]);
        assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
        let transactions = desk.table("transactions");
        assert_eq!(transactions.rows.len(), 3);
        let findings = desk.table("findings");
        let superseded = findings.rows_where("code", "superseded");
        assert_eq!(superseded.len(), 1);
        assert!(findings.cell(superseded[0], "found").starts_with("2 lines"));
    }
}

#[test]
fn a_report_during_the_day_counts_until_the_statement_comes() {
    let desk = Desk::empty();
    let early = report("3", &[("100000", "REF0001"), ("100000", "REF0001")]);
    fs::write(desk.path("early"), early).unwrap();
    let told = desk.tieout(&["run", "early", "early", "--out", "out"]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    // Two true twins, delivered twice.
    assert_eq!(desk.table("transactions").rows.len(), 2);
    let findings = desk.table("findings");
    assert_eq!(findings.rows_where("code", "repeated_delivery").len(), 1);
}
