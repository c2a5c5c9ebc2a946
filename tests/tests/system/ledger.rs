//! A ledger over days: new files only, what is open carried over, and people's decisions.

use std::collections::BTreeMap;
use std::fs;

use crate::desk::{Desk, Line, OPEN_ITEMS, PARTIES, Table, statement};
use crate::feeds::{camt, entry};

/// One bank line that pays an item by its number, one that names nobody's document.
const MONDAY: [Line; 2] = [
    ("142", 50_000, "B1", "ACME TOOLS INV-10001"),
    ("142", 33_300, "B2", "BIRCH LUMBER LLC INV-99999"),
];

impl Desk {
    /// `tieout run DIR --ledger ledger --out out`, which must end with status 0.
    pub fn post(&self, folder: &str) -> String {
        let told = self.tieout(&["run", folder, "--ledger", "ledger", "--out", "out"]);
        assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
        told.stdout
    }

    /// The same for a statement of these lines in a folder of its own.
    pub fn post_lines(&self, folder: &str, lines: &[Line]) -> String {
        self.put_in(folder, "statement.bai", &statement(lines));
        self.post(folder)
    }

    /// The files in a folder, with their bytes.
    pub fn written(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.path(folder)).unwrap();
        let files = files.map(|entry| {
            let entry = entry.unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), bytes)
        });
        files.collect()
    }

    pub fn put_in(&self, folder: &str, name: &str, content: &str) {
        let dir = self.path(folder);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(name), content).unwrap();
    }

    /// The answer to a question over the ledger, as CSV without its header.
    pub fn ask(&self, question: &str) -> String {
        let told = self.tieout(&["sql", question, "--ledger", "ledger", "--format", "csv"]);
        assert_eq!(told.status, 0, "{question}: {}", told.stderr);
        let rows = told.stdout.split_once('\n').unwrap().1;
        rows.trim_end().to_owned()
    }

    pub fn act(&self, words: &[&str]) -> crate::command::Told {
        let mut all = vec!["act"];
        all.extend(words);
        all.extend([
            "--by",
            "Ada",
            "--reason",
            "as the customer said",
            "--ledger",
            "ledger",
        ]);
        self.tieout(&all)
    }

    pub fn verify(&self) {
        let told = self.tieout(&["audit", "verify", "--ledger", "ledger"]);
        assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    }
}

/// A desk whose first day is posted.
pub fn after_monday() -> Desk {
    let desk = Desk::empty();
    desk.put_in("monday", "parties.csv", PARTIES);
    desk.put_in("monday", "open_items.csv", OPEN_ITEMS);
    desk.post_lines("monday", &MONDAY);
    desk
}

const OPEN: &str = "select sum(applied) from applications where status = 'applied'";
const STATUSES: &str = "select status, count(*) from payments group by 1 order by 1";

#[test]
fn the_same_files_again_add_nothing() {
    let desk = after_monday();
    let before = desk.ask(STATUSES);
    let written = desk.written("out");
    let said = desk.post("monday");
    assert!(said.contains("0 payments"), "{said}");
    assert!(said.contains("Nothing new since posting 1"), "{said}");
    assert_eq!(desk.ask(STATUSES), before);
    assert_eq!(desk.ask("select max(posting) from journal"), "1");
    // A run that was killed after its commit is done again by the same words: it gives the same.
    assert_eq!(desk.written("out"), written);
    desk.verify();
}

#[test]
fn an_overlapping_statement_adds_what_is_new() {
    let desk = after_monday();
    let mut lines = MONDAY.to_vec();
    lines.push(("142", 73_025, "B3", "ACME TOOLS INV-10002"));
    desk.post_lines("tuesday", &lines);
    assert_eq!(desk.table("payments").rows.len(), 1);
    assert_eq!(
        desk.ask("select count(*), sum(amount) from payments"),
        "3,1563.25"
    );
    // A true twin of a line that is known already, in a later and longer statement.
    lines.push(lines[2]);
    desk.post_lines("wednesday", &lines);
    assert_eq!(desk.ask("select count(*) from payments"), "4");
    assert_eq!(desk.ask("select count(*) from duplicates"), "1");
    desk.verify();
}

#[test]
fn an_item_stays_as_open_as_decisions_left_it() {
    let desk = after_monday();
    desk.post_lines("tuesday", &[("142", 50_000, "B4", "ACME TOOLS INV-10001")]);
    let payment = desk.table("payments");
    assert_eq!(payment.column("status"), ["duplicate"]);
    let duplicate = desk.table("duplicates");
    let first = desk.ask("select payment_id from applications where item_id = 'I1'");
    assert_eq!(duplicate.column("duplicate_of"), [first.as_str()]);
    assert_eq!(desk.ask(OPEN), "500.00");
}

/// Advice of a payment that keeps something back, so that no amount tells what it pays.
pub const ADVICE: &str = "\
payment_reference,payer_name,payment_date,payment_amount,currency,document_number,gross,discount,adjustment,adjustment_reason,net
B7,Birch Lumber LLC,2026-03-31,1238.10,USD,INV-20001,1200.00,0,50.00,DAMAGE,1150.00
B7,Birch Lumber LLC,2026-03-31,1238.10,USD,INV-20002,88.10,0,0,,88.10
";

#[test]
fn late_advice_matches_a_payment_that_waits() {
    let desk = after_monday();
    desk.post_lines(
        "tuesday",
        &[("142", 123_810, "B7", "BIRCH LUMBER LLC PAYMENT")],
    );
    let status = "select status from payments where bank_reference = 'B7'";
    assert_ne!(desk.ask(status), "applied");
    desk.put_in("wednesday", "remittances.csv", ADVICE);
    let said = desk.post("wednesday");
    assert!(said.contains("1 earlier payment matched"), "{said}");
    assert_eq!(desk.ask(status), "applied");
    assert_eq!(desk.ask("select count(*) from payments"), "3");
    assert_eq!(
        desk.ask(
            "select count(*) from exceptions e join payments p using (payment_id) \
             where p.bank_reference = 'B7'"
        ),
        "0"
    );
    let left = "select count(*) from remittance_lines where payment_id is null";
    assert_eq!(desk.ask(left), "0");
    desk.verify();
}

#[test]
fn advice_waits_for_its_payment() {
    let desk = after_monday();
    desk.put_in("tuesday", "remittances.csv", ADVICE);
    desk.post("tuesday");
    assert_eq!(
        desk.ask("select count(*) from remittance_lines where payment_id is null"),
        "2"
    );
    desk.post_lines("wednesday", &[("142", 123_810, "B7", "UNKNOWN")]);
    assert_eq!(desk.table("applications").rows.len(), 2);
    assert_eq!(
        desk.ask("select count(*), count(payment_id) from remittance_lines"),
        "2,2"
    );
    desk.verify();
}

#[test]
fn an_item_that_comes_late_is_found_by_the_payment_that_names_it() {
    let desk = after_monday();
    let late = OPEN_ITEMS.lines().next().unwrap().to_owned()
        + "\nI9,US1,C2,invoice,INV-99999,,USD,333.00,333.00,2026-03-20,2026-04-20,,\n";
    desk.put_in("tuesday", "more_open_items.csv", &late);
    desk.post("tuesday");
    assert_eq!(desk.ask(STATUSES), "applied,2");
    desk.verify();
}

#[test]
fn a_newer_list_of_open_items_opens_nothing_again() {
    let desk = after_monday();
    let open = |rows: &str| OPEN_ITEMS.lines().next().unwrap().to_owned() + "\n" + rows;
    // Without what was applied here; with less open elsewhere; with another due date.
    desk.put_in(
        "tuesday",
        "open_items.csv",
        &open(
            "I1,US1,C1,invoice,INV-10001,,USD,500.00,500.00,2026-02-01,2026-04-30,,\n\
             I2,US1,C1,invoice,INV-10002,,USD,730.25,30.25,2026-02-10,2026-03-12,,\n\
             I3,US1,C2,invoice,INV-20001,,USD,1200.00,1200.00,2026-02-15,2026-05-17,,\n",
        ),
    );
    desk.post("tuesday");
    let findings = desk.table("findings");
    assert_eq!(findings.rows_where("code", "item_differs").len(), 2);
    assert_eq!(
        desk.ask("select item_id, open_amount, due_date from open_items order by 1"),
        "I1,500.00,2026-03-03\nI2,30.25,2026-03-12\nI3,1200.00,2026-05-17\nI4,88.10,2026-03-31"
    );
    desk.post_lines(
        "wednesday",
        &[
            ("142", 3_025, "B8", "ACME TOOLS INV-10002"),
            ("142", 50_000, "B9", "ACME TOOLS INV-10001"),
        ],
    );
    assert_eq!(
        desk.table("payments").column("status"),
        ["applied", "duplicate"]
    );
    desk.verify();
}

#[test]
fn parties_are_known_by_their_latest_row() {
    let desk = after_monday();
    let renamed = PARTIES.replace("Acme Tools Inc", "Apex Tools Inc");
    desk.put_in("tuesday", "parties.csv", &renamed);
    desk.post("tuesday");
    assert_eq!(
        desk.ask("select party_id, name from parties order by 1"),
        "C1,Apex Tools Inc\nC2,Birch Lumber LLC"
    );
    assert_eq!(desk.ask("select count(*) from history.parties"), "3");
}

/// The days of the shipped data in one run, and in one a file.
#[test]
fn runs_by_day_come_to_what_one_run_does_where_documents_decide() {
    let lines: Vec<Line> = vec![
        ("142", 50_000, "B1", "ACME TOOLS INV-10001"),
        ("142", 73_025, "B2", "ACME TOOLS INV-10002"),
        ("142", 120_000, "B3", "BIRCH LUMBER INV-20001"),
        ("142", 8_810, "B4", "BIRCH LUMBER INV-20002"),
        ("142", 8_810, "B5", "BIRCH LUMBER INV-20002"),
    ];
    let outcome = "select bank_reference, status, applied, on_account from payments order by 1";
    let whole = Desk::empty();
    let split = Desk::empty();
    for desk in [&whole, &split] {
        desk.put_in("books", "parties.csv", PARTIES);
        desk.put_in("books", "open_items.csv", OPEN_ITEMS);
        desk.post("books");
    }
    whole.put_in("all", "statement.bai", &statement(&lines));
    whole.post("all");
    for (day, line) in lines.iter().enumerate() {
        let folder = format!("day{day}");
        split.put_in(&folder, "statement.bai", &statement(&[*line]));
        split.post(&folder);
    }
    assert_eq!(split.ask(outcome), whole.ask(outcome));
    assert_eq!(split.ask(OPEN), whole.ask(OPEN));
    split.verify();
}

#[test]
fn people_decide_and_take_back() {
    let desk = after_monday();
    let id = desk.ask("select payment_id from payments where bank_reference = 'B2'");
    let queue = desk.tieout(&["queue", "--ledger", "ledger", "--format", "csv"]);
    assert!(
        queue.stdout.contains(&id),
        "{}{}",
        queue.stdout,
        queue.stderr
    );

    let told = desk.act(&[
        "assign",
        &id,
        "--owner",
        "Grace",
        "--deadline",
        "2026-04-15",
    ]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    let mine = desk.tieout(&[
        "queue", "--owner", "Grace", "--ledger", "ledger", "--format", "csv",
    ]);
    assert!(mine.stdout.contains("Grace,2026-04-15"), "{}", mine.stdout);

    // More than is open, more than there is, an unknown item, an old version.
    for (words, why) in [
        (&["--item", "I4=333.00"][..], "of which 88.10 is open"),
        (&["--item", "I3=400.00"], "more than the payment's 333.00"),
        (&["--item", "I7=1.00"], "no item I7"),
        (&["--item", "I3=1.00", "--version", "7"], "--version 1"),
    ] {
        let told = desk.act(&[&["apply", id.as_str()], words].concat());
        assert_eq!(told.status, 1, "{}", told.stdout);
        assert!(told.stderr.contains(why), "{}", told.stderr);
    }
    let told = desk.act(&[
        "apply",
        &id,
        "--item",
        "I4=88.00",
        "--write-off",
        "I4=0.10",
        "--item",
        "I3=200",
    ]);
    assert!(
        told.stdout
            .contains("partially_applied: 288.00 applied, 45.00 on account"),
        "{}{}",
        told.stdout,
        told.stderr
    );
    let row = "select status, rule, applied, on_account from payments where bank_reference = 'B2'";
    assert_eq!(desk.ask(row), "partially_applied,person,288.00,45.00");

    let told = desk.act(&["confirm", &id]);
    assert!(
        told.stderr.contains("is for payments that are proposed"),
        "{}",
        told.stderr
    );

    let told = desk.act(&["unmatch", &id]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert_eq!(desk.ask(row), "unidentified,person,0.00,0.00");
    assert_eq!(desk.ask(OPEN), "500.00");

    // Let the next run decide, which by then has the item.
    let told = desk.act(&["reopen", &id]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    let late = OPEN_ITEMS.lines().next().unwrap().to_owned()
        + "\nI9,US1,C2,invoice,INV-99999,,USD,333.00,333.00,2026-03-20,2026-04-20,,\n";
    desk.put_in("tuesday", "more_open_items.csv", &late);
    desk.post("tuesday");
    assert_eq!(desk.ask(row), "applied,references,333.00,0.00");
    assert_eq!(
        desk.ask("select actor, action from journal where kind = 'action' order by sequence"),
        "Ada,assign\nAda,apply\nAda,unmatch\nAda,reopen"
    );
    desk.verify();
    let chain = desk.tieout(&["audit", "export", "--payment", &id, "--ledger", "ledger"]);
    let said = chain
        .stdout
        .lines()
        .filter(|line| line.contains("\"actor\":\"Ada\""));
    assert_eq!(said.count(), 4);
}

#[test]
fn a_ledger_without_its_journal_is_not_begun_anew() {
    let desk = after_monday();
    let before = desk.ask(STATUSES);
    let journal = desk.path("ledger/journal.redb");
    let kept = fs::read(&journal).unwrap();
    fs::remove_file(&journal).unwrap();
    desk.put_in("tuesday", "statement.bai", &statement(&[]));
    let act: &[&str] = &["act", "comment", "abc", "--by", "Ada", "--reason", "why"];
    for words in [&["run", "tuesday"], act] {
        let told = desk.tieout(&[words, &["--ledger", "ledger"]].concat());
        assert_eq!(told.status, 1, "{words:?}: {}", told.stdout);
        let says = told.stderr.contains("the file is missing");
        assert!(says, "{words:?}: {}", told.stderr);
    }
    assert_eq!(desk.ask(STATUSES), before);
    // Brought back, it goes on.
    fs::write(&journal, kept).unwrap();
    desk.post("tuesday");
    assert_eq!(desk.ask(STATUSES), before);
    desk.verify();
}

#[test]
fn a_ledger_that_is_none_and_a_reason_that_is_missing_are_told() {
    let desk = after_monday();
    let told = desk.tieout(&["audit", "verify", "--ledger", "nowhere"]);
    assert!(
        told.status == 1 && told.stderr.contains("nowhere is no ledger"),
        "{}",
        told.stderr
    );
    let told = desk.tieout(&[
        "act", "comment", "abc", "--by", "Ada", "--reason", " ", "--ledger", "ledger",
    ]);
    assert!(
        told.stderr.contains("a name and a reason"),
        "{}",
        told.stderr
    );
    let told = desk.tieout(&["run", "monday", "--ledger", "monday"]);
    assert!(
        told.status == 1 && told.stderr.contains("other files"),
        "{}",
        told.stderr
    );
}

/// Only to read tables of other runs by the same words.
#[test]
fn the_output_is_the_runs_own() {
    let desk = after_monday();
    desk.post_lines("tuesday", &[("142", 73_025, "B3", "ACME TOOLS INV-10002")]);
    let payments = Table::read(&desk.path("out/payments.csv"));
    assert_eq!(payments.column("bank_reference"), ["B3"]);
}

#[test]
fn a_report_during_the_day_and_the_next_days_statement_count_once() {
    let desk = after_monday();
    let paid = |amount: &str, reference: &str| {
        let details = format!(
            "<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><RmtInf>\
             <Ustrd>INV-10002</Ustrd></RmtInf></TxDtls></NtryDtls>"
        );
        entry(amount, &details).replace("BATCH0042", reference)
    };
    let report = camt(
        "camt.052",
        "BkToCstmrAcctRpt",
        "Rpt",
        &paid("730.25", "REF0001"),
    );
    let statement = |entries: &str| {
        camt("camt.053", "BkToCstmrStmt", "Stmt", entries).replace("<Id>S1</Id>", "<Id>S2</Id>")
    };
    desk.put_in("tuesday", "report.xml", &report);
    desk.post("tuesday");
    let line = paid("730.25", "REF0001");
    desk.put_in("wednesday", "statement.xml", &statement(&line));
    desk.post("wednesday");
    // The statement again, and longer: what looks nearly the same is another payment.
    let longer = line + &paid("730.25", "REF0002");
    desk.put_in("thursday", "statement.xml", &statement(&longer));
    desk.post("thursday");
    assert_eq!(
        desk.ask(
            "select end_to_end_id, channel, status from payments \
             where end_to_end_id is not null order by 1, 2"
        ),
        "REF0001,statement,applied\nREF0001,summary,out_of_scope\nREF0002,statement,duplicate"
    );
    // A report that comes after its statement adds nothing either.
    desk.put_in("friday", "report.xml", &(report + "\n"));
    let said = desk.post("friday");
    assert!(said.contains("0 payments in"), "{said}");
    desk.verify();
}

#[test]
fn decisions_are_exported_once_and_balance() {
    let desk = after_monday();
    let export = |words: &[&str]| {
        let told = desk.tieout(&[&["export", "--ledger", "ledger"], words].concat());
        assert_eq!(told.status, 0, "{}", told.stderr);
        told.stdout
    };
    let sums = |name: &str| {
        let lines = Table::read(&desk.path(name));
        let cents = |column: &str| -> i64 {
            let cells = lines
                .column(column)
                .into_iter()
                .filter(|cell| !cell.is_empty());
            cells
                .map(|cell| cell.replace('.', "").parse::<i64>().unwrap())
                .sum()
        };
        (lines.rows.len(), cents("debit"), cents("credit"))
    };
    export(&["--out", "first.csv"]);
    // Two payments of 500.00 and 333.00: cash against an item, and against what nobody knows yet.
    assert_eq!(sums("first.csv"), (4, 83_300, 83_300));
    assert_eq!(export(&[]), "");

    let id = desk.ask("select payment_id from payments where bank_reference = 'B1'");
    assert_eq!(desk.act(&["unmatch", &id]).status, 0);
    export(&["--out", "second.csv"]);
    // Taken back, and decided anew.
    assert_eq!(sums("second.csv"), (4, 100_000, 100_000));
    let second = fs::read(desk.path("second.csv")).unwrap();
    let first = fs::read(desk.path("first.csv")).unwrap();
    export(&["--again", "1", "--out", "again.csv"]);
    assert_eq!(fs::read(desk.path("again.csv")).unwrap(), first);
    assert_eq!(export(&["--again", "2"]).as_bytes(), second);
    assert_eq!(
        export(&["--again", "2", "--format", "json"])
            .lines()
            .count(),
        4
    );
    let told = desk.tieout(&["export", "--again", "7", "--ledger", "ledger"]);
    assert!(told.stderr.contains("no export 7"), "{}", told.stderr);
    desk.verify();
}

#[test]
fn an_export_comes_again_until_it_is_acknowledged() {
    let desk = after_monday();
    let export = |words: &[&str]| {
        let told = desk.tieout(&[&["export", "--ledger", "ledger"], words].concat());
        assert_eq!(told.status, 0, "{}", told.stderr);
        told
    };
    let held = export(&["--hold"]);
    assert!(
        held.stderr.contains("until --acknowledge 1"),
        "{}",
        held.stderr
    );
    assert_eq!(held.stdout.lines().count(), 5);
    // What was decided since does not come between.
    let id = desk.ask("select payment_id from payments where bank_reference = 'B1'");
    assert_eq!(desk.act(&["unmatch", &id]).status, 0);
    assert_eq!(export(&["--hold"]).stdout, held.stdout);
    export(&["--acknowledge", "1"]);
    export(&["--acknowledge", "1"]);
    let second = export(&["--hold", "--out", "second.csv"]);
    assert!(
        second.stderr.starts_with("export 2: 4 lines"),
        "{}",
        second.stderr
    );
    // A file that cannot be written leaves the export open; the next try has the same lines.
    let told = desk.tieout(&[
        "export",
        "--out",
        "no/such/folder.csv",
        "--ledger",
        "ledger",
    ]);
    assert!(
        told.status == 1 && told.stderr.contains("run again: it has the same lines"),
        "{}",
        told.stderr
    );
    export(&["--out", "again.csv"]);
    let read = |name: &str| fs::read(desk.path(name)).unwrap();
    assert_eq!(read("again.csv"), read("second.csv"));
    assert_eq!(export(&[]).stdout, "");
    assert_eq!(export(&["--again", "1"]).stdout, held.stdout);
    for number in ["0", "3"] {
        let told = desk.tieout(&["export", "--acknowledge", number, "--ledger", "ledger"]);
        assert!(
            told.stderr.contains("there is no export"),
            "{}",
            told.stderr
        );
    }
    desk.verify();
}
