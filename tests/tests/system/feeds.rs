//! The same money in several reports counts once, in whichever order they come.

use std::fmt::Write as _;
use std::fs;

use crate::desk::{Desk, statement};

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
pub fn details() -> String {
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

/// A processor's report of charges, one line for each number.
fn processor_report(charges: &[u32]) -> String {
    let mut report = "balance_transaction_id,created,currency,gross,fee,net,reporting_category,\
                      automatic_payout_id,source_id\n"
        .to_owned();
    for charge in charges {
        let (gross, net) = (20 + charge, 19 + charge);
        writeln!(
            report,
            "txn_{charge},2026-05-04 10:00:00,usd,{gross}.00,1.00,{net}.00,charge,po_5,ch_{charge}"
        )
        .unwrap();
    }
    report
}

/// What is said to have come before, file by file.
fn repeated(desk: &Desk) -> Vec<(String, String)> {
    let findings = desk.table("findings");
    let repeated = findings.rows_where("code", "repeated_delivery");
    let cell = |row, name| findings.cell(row, name).to_owned();
    repeated
        .into_iter()
        .map(|row| (cell(row, "source_file"), cell(row, "found")))
        .collect()
}

#[test]
fn a_processor_report_delivered_again_adds_nothing() {
    let desk = Desk::empty();
    // Two lines that are alike in one report are two.
    let report = processor_report(&[1, 2, 2]);
    desk.put("may.csv", &report);
    desk.run(&[]);
    assert_eq!(desk.table("settlement_lines").rows.len(), 3);
    desk.put("may (1).csv", &report);
    let told = desk.run(&[]);
    assert_eq!(
        desk.table("settlement_lines").rows.len(),
        3,
        "{}",
        told.stdout
    );
    let found = "3 settlement lines that an earlier file had brought".to_owned();
    assert_eq!(repeated(&desk), [("in/may.csv".to_owned(), found)]);
}

#[test]
fn processor_reports_of_overlapping_periods_count_each_line_once() {
    for names in [["a.csv", "b.csv"], ["b.csv", "a.csv"]] {
        let desk = Desk::empty();
        desk.put(names[0], processor_report(&[1, 2, 3, 3]));
        desk.put(names[1], processor_report(&[3, 3, 3, 4]));
        desk.run(&[]);
        let mut lines = desk.table("settlement_lines").rows;
        assert_eq!(lines.len(), 6);
        lines.sort();
        let told = repeated(&desk);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, "in/b.csv");
        assert!(told[0].1.starts_with("2 settlement lines"), "{told:?}");
    }
}

#[test]
fn orders_statuses_and_balances_delivered_again_add_nothing() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/formats");
    let tables = ["payment_instructions", "payment_statuses", "balances"];
    let files = [
        ("pain.001/v03_two_batches.xml", tables[0]),
        ("pain.002/three_levels.xml", tables[1]),
        ("nacha/returns.ach", tables[1]),
        ("camt.053/v02_batch_and_documents.xml", tables[2]),
    ];
    for (file, table) in files {
        let desk = Desk::empty();
        let content = fs::read(folder.join(file)).unwrap();
        desk.put("first", &content);
        desk.run(&[]);
        let once = tables.map(|table| desk.table(table).rows.len());
        assert_ne!(desk.table(table).rows.len(), 0, "{file}");
        desk.put("second", &content);
        desk.run(&[]);
        let twice = tables.map(|table| desk.table(table).rows.len());
        assert_eq!(once, twice, "{file}");
        assert!(!repeated(&desk).is_empty(), "{file}");
    }
}

/// Credits by the clearing house to the account of the desk's statements, in one batch of Acme.
fn ach(credits: &[(u64, &str)]) -> String {
    let cents: u64 = credits.iter().map(|(cents, _)| cents).sum();
    let mut entries = String::new();
    for (number, (cents, document)) in (1..).zip(credits) {
        let paid = format!("{}.{:02}", cents / 100, cents % 100);
        let trace = format!("12104288{number:07}");
        let payment = format!("RMR*IV*{document}**{paid}\\");
        writeln!(
            entries,
            "622021000021{:<17}{cents:010}{:<15}{:<22}  1{trace}",
            "7700112233",
            format!("EFT{number}"),
            "HARBOR PARTS LLC"
        )
        .unwrap();
        writeln!(entries, "705{payment:<80}0001{number:07}").unwrap();
    }
    let count = 2 * credits.len();
    let hash = 2_100_002 * credits.len();
    format!(
        "101 021000021 1210428822603300605A094101{:<23}{:<23}{:8}\n\
         5220{:<16}{:20}1870000044CCDPAYMENTS        260331   1121042880000001\n\
         {entries}\
         8220{count:06}{hash:010}{:012}{cents:012}1870000044{:25}121042880000001\n\
         9000001000001{count:08}{hash:010}{:012}{cents:012}{:39}\n",
        "HARBOR NATIONAL BANK", "NORTHERN SKY BANK", "", "ACME TOOLS INC", "", 0, "", 0, ""
    )
}

const ACH_CREDITS: [(u64, &str); 2] = [(50_000, "INV-10001"), (73_025, "INV-10002")];

/// What becomes of the credits of the clearing house and these lines of the bank's statement,
/// whichever file comes first.
fn with_statement(lines: &[(&str, u64, &str, &str)]) -> Vec<Vec<(String, String)>> {
    let orders = [["a.ach", "b.bai"], ["b.ach", "a.bai"]].into_iter();
    let found = orders.map(|[credits, bank]| {
        let desk = Desk::with_books();
        desk.put(credits, ach(&ACH_CREDITS));
        desk.put(bank, statement(lines));
        let told = desk.run(&[]);
        assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
        payments(&desk)
    });
    found.collect()
}

#[test]
fn the_clearing_house_says_what_the_banks_line_for_a_batch_is_made_of() {
    let right = expected(&[
        ("applied", "500.00"),
        ("applied", "730.25"),
        ("out_of_scope", "1230.25"),
    ]);
    // The bank's own reference, or none.
    for reference in ["BR0042", ""] {
        let line = (
            "165",
            123_025,
            reference,
            "ACH CREDIT ACME TOOLS INC PAYMENTS",
        );
        let found = with_statement(&[line]);
        assert_eq!(found, [right.clone(), right.clone()], "{reference}");
    }
}

#[test]
fn the_clearing_house_and_the_banks_lines_for_each_entry_count_once() {
    let right = expected(&[
        ("applied", "500.00"),
        ("applied", "730.25"),
        ("out_of_scope", "500.00"),
        ("out_of_scope", "730.25"),
    ]);
    // The bank names the payer, or the trace number.
    for [first, second] in [
        ["ACH CREDIT ACME TOOLS INC", "ACH CREDIT ACME TOOLS INC"],
        ["ACH 121042880000001", "ACH 121042880000002"],
    ] {
        let lines = [
            ("165", 50_000, "BR1", first),
            ("165", 73_025, "BR2", second),
        ];
        assert_eq!(with_statement(&lines), [right.clone(), right.clone()]);
    }
}

#[test]
fn the_banks_line_of_another_payer_is_no_batch_of_the_clearing_house() {
    let line = ("165", 123_025, "BR0042", "ACH CREDIT BIRCH LUMBER LLC");
    for found in with_statement(&[line]) {
        // The batch waits for its own line, and nothing of it is applied.
        let batch =
            ["500.00", "730.25"].map(|amount| ("out_of_scope".to_owned(), amount.to_owned()));
        assert!(
            batch.iter().all(|payment| found.contains(payment)),
            "{found:?}"
        );
        assert_eq!(found.len(), 3);
    }
}

#[test]
fn a_profile_beside_a_file_makes_it_known() {
    let desk = Desk::empty();
    desk.put(
        "export.csv",
        "Gebucht;Wer;Summe\n03.04.2026;Werft;1.250,00\n",
    );
    let told = desk.run(&[]);
    assert_eq!(told.status, 3, "{}", told.stdout);
    assert_eq!(
        desk.table("findings")
            .rows_where("code", "unknown_file")
            .len(),
        1
    );
    desk.put(
        "harbor.toml",
        "format = \"bank_csv\"\nname = \"harbor\"\ncurrency = \"EUR\"\n\
         [columns]\ndate = \"Gebucht\"\nname = \"Wer\"\namount = \"Summe\"\n",
    );
    let told = desk.run(&[]);
    assert_eq!(told.status, 0, "{}", told.stdout);
    let transactions = desk.table("transactions");
    assert_eq!(transactions.column("amount"), ["1250.00"]);
    assert_eq!(transactions.column("booking_date"), ["2026-04-03"]);
}
