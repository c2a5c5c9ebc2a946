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

const PAYMENTS: [(&str, &str, &str); 2] = [
    ("500.00", "ACME TOOLS INC", "INV-10001"),
    ("1200.00", "BIRCH LUMBER LLC", "INV-20001"),
];

pub fn camt(message: &str, root: &str, report: &str, entries: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{message}.001.08\"><{root}><GrpHdr><MsgId>M</MsgId>\
         <CreDtTm>2026-03-16T06:05:00</CreDtTm></GrpHdr><{report}><Id>S1</Id>\
         <CreDtTm>2026-03-16T06:05:00</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>USD</Ccy></Acct>\
         {entries}</{report}></{root}></Document>"
    )
}

pub fn entry(amount: &str, details: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"USD\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>2026-03-16</Dt></BookgDt><ValDt><Dt>2026-03-16</Dt></ValDt>\
         <AcctSvcrRef>BATCH0042</AcctSvcrRef>{details}</Ntry>"
    )
}

/// The payments of one batch, as a camt.054 tells them apart.
fn details() -> String {
    let mut details = String::new();
    for (amount, name, document) in PAYMENTS {
        write!(
            details,
            "<TxDtls><Refs><EndToEndId>E{document}</EndToEndId></Refs><Amt Ccy=\"USD\">{amount}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties>\
             <RmtInf><Ustrd>Invoice {document}</Ustrd></RmtInf></TxDtls>"
        )
        .unwrap();
    }
    format!("<NtryDtls>{details}</NtryDtls>")
}

/// Status and amount of every payment, ordered.
fn payments(desk: &Desk) -> Vec<(String, String)> {
    let payments = desk.table("payments");
    let (statuses, amounts) = (payments.column("status"), payments.column("amount"));
    let mut found: Vec<(String, String)> = statuses
        .into_iter()
        .zip(amounts)
        .map(|(status, amount)| (status.to_owned(), amount.to_owned()))
        .collect();
    found.sort();
    found
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(status, amount): &(&str, &str)| ((*status).to_owned(), (*amount).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn details_take_the_place_of_the_batch_that_they_make_up() {
    let statement = camt("camt.053", "BkToCstmrStmt", "Stmt", &entry("1700.00", ""));
    let notification = camt(
        "camt.054",
        "BkToCstmrDbtCdtNtfctn",
        "Ntfctn",
        &entry("1700.00", &details()),
    );
    for names in [["a.xml", "b.xml"], ["b.xml", "a.xml"]] {
        let desk = Desk::with_books();
        desk.put(names[0], &statement);
        desk.put(names[1], &notification);
        let told = desk.run(&[]);
        assert!(
            matches!(told.status, 0 | 3),
            "{}{}",
            told.stdout,
            told.stderr
        );
        let right = [
            ("applied", "1200.00"),
            ("applied", "500.00"),
            ("out_of_scope", "1700.00"),
        ];
        assert_eq!(payments(&desk), expected(&right), "{}", told.stdout);
    }
}

#[test]
fn details_without_any_statement_count() {
    let desk = Desk::with_books();
    let entries = entry("1700.00", &details());
    desk.put(
        "a.xml",
        camt("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn", &entries),
    );
    desk.run(&[]);
    assert_eq!(
        payments(&desk),
        expected(&[("applied", "1200.00"), ("applied", "500.00")])
    );
}

#[test]
fn details_that_the_statement_does_not_have_are_not_booked() {
    let desk = Desk::with_books();
    let other = entry("88.10", "").replace("BATCH0042", "OTHER0001");
    desk.put("a.xml", camt("camt.053", "BkToCstmrStmt", "Stmt", &other));
    let entries = entry("1700.00", &details());
    desk.put(
        "b.xml",
        camt("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn", &entries),
    );
    let told = desk.run(&[]);
    let outside = desk.table("payments");
    let pending = outside.rows_where("reason", "not_booked");
    assert_eq!(pending.len(), 2, "{}", told.stdout);
    assert_eq!(
        desk.table("findings")
            .rows_where("code", "not_booked")
            .len(),
        1
    );
    assert_eq!(desk.table("applications").rows.len(), 0);
}

fn mt940(lines: &str, closing: &str) -> String {
    format!(
        ":20:STMT\n:25:37040044/0532013000\n:28C:00042/001\n:60F:C260313EUR0,\n{lines}:62F:C260316EUR{closing}\n-\n"
    )
}

fn mt942(lines: &str) -> String {
    format!(
        ":20:INTERIM\n:25:37040044/0532013000\n:28C:00007/001\n:34F:EURC0,\n:13D:2603161205+0100\n{lines}-\n"
    )
}

#[test]
fn a_swift_report_during_the_day_gives_way_to_the_statement() {
    let line = |amount: &str, reference: &str| {
        format!(
            ":61:2603160316C{amount}NTRFNONREF//{reference}\n:86:166?00GUTSCHRIFT?32ACME TOOLS\n"
        )
    };
    let early = line("500,00", "B0001");
    let late = early.clone() + &line("500,00", "B0002");
    for names in [["a.txt", "b.txt"], ["b.txt", "a.txt"]] {
        let desk = Desk::empty();
        desk.put(names[0], mt942(&early));
        desk.put(names[1], mt940(&late, "1000,00"));
        let told = desk.run(&[]);
        assert_eq!(desk.table("transactions").rows.len(), 2, "{}", told.stdout);
        let findings = desk.table("findings");
        assert_eq!(findings.rows_where("code", "superseded").len(), 1);
    }
}
