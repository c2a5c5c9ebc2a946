//! What reaches over the runs of a ledger: each day comes to what all days in one run come to.

use crate::desk::{Desk, Line, OPEN_ITEMS, PARTIES, statement};
use crate::feeds::{camt, details, entry};
use crate::ledger::{ADVICE, after_monday};

const STATUSES: &str =
    "select bank_reference, status, reason, applied from payments order by 1, 2, 4";
/// What was applied to each item and not opened again.
const TAKEN: &str = "select item_id, sum(case status when 'applied' then applied else -applied end) \
                     from applications where status <> 'proposed' group by 1 order by 1";

impl Desk {
    /// A run of the recipe for what comes back, over a folder with one statement.
    fn post_returns(&self, folder: &str, lines: &[Line]) {
        self.put_in(folder, "statement.bai", &statement(lines));
        let told = self.tieout(&[
            "run",
            folder,
            "--ledger",
            "ledger",
            "--out",
            "out",
            "--recipe",
            "refunds-and-chargebacks",
        ]);
        assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    }

    /// By the same recipe all is decided as it was.
    fn replays_alike(&self) {
        let told = self.tieout(&[
            "replay",
            "--recipe",
            "cash-application",
            "--ledger",
            "ledger",
            "--diff",
            "--format",
            "csv",
            "--out",
            "diff.csv",
        ]);
        assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
        let differing = std::fs::read_to_string(self.path("diff.csv")).unwrap();
        assert_eq!(differing.lines().count(), 1, "{differing}");
    }

    fn put_books(&self, folder: &str) {
        self.put_in(folder, "parties.csv", PARTIES);
        self.put_in(folder, "open_items.csv", OPEN_ITEMS);
    }
}

const PAID: Line = ("142", 50_000, "B1234", "ACME TOOLS INV-10001");
const RETURNED: Line = ("555", 50_000, "R1", "RETURNED ITEM B1234");
const PAID_AGAIN: Line = ("142", 50_000, "B5678", "ACME TOOLS INV-10001");
const RETURNED_AGAIN: Line = ("555", 50_000, "R2", "RETURNED ITEM B1234");

#[test]
fn a_return_opens_what_a_payment_of_an_earlier_run_paid() {
    let whole = Desk::empty();
    whole.put_books("all");
    whole.post_returns("all", &[PAID, RETURNED]);
    let split = Desk::empty();
    split.put_books("monday");
    split.post_returns("monday", &[PAID]);
    assert_eq!(split.ask(TAKEN), "I1,500.00");
    split.post_returns("tuesday", &[RETURNED]);
    assert_eq!(split.ask(TAKEN), "I1,0.00");
    assert_eq!(split.ask(STATUSES), whole.ask(STATUSES));
    assert_eq!(split.ask(TAKEN), whole.ask(TAKEN));
    // The item is open, so the next payment is no repeat; what is undone is not undone twice.
    split.post_returns("wednesday", &[PAID_AGAIN]);
    assert_eq!(split.ask(TAKEN), "I1,500.00");
    split.post_returns("thursday", &[RETURNED_AGAIN]);
    let again = "select status, reason from payments where bank_reference = 'R2'";
    assert_eq!(split.ask(again), "unidentified,original_not_found");
    assert_eq!(split.ask(TAKEN), "I1,500.00");
    split.verify();
}

#[test]
fn a_part_of_an_earlier_payment_comes_back_and_then_the_rest() {
    let desk = Desk::empty();
    desk.put_books("monday");
    desk.post_returns("monday", &[PAID]);
    let back = |cents, reference| [("555", cents, reference, "RETURNED ITEM B1234")];
    desk.post_returns("tuesday", &back(20_000, "R1"));
    assert_eq!(desk.ask(TAKEN), "I1,300.00");
    desk.post_returns("wednesday", &back(40_000, "R2"));
    assert_eq!(desk.ask(TAKEN), "I1,300.00");
    desk.post_returns("thursday", &back(30_000, "R3"));
    assert_eq!(desk.ask(TAKEN), "I1,0.00");
    desk.verify();
}

#[test]
fn a_return_that_came_before_its_payment_finds_it() {
    let desk = Desk::empty();
    desk.put_books("monday");
    desk.post_returns("monday", &[RETURNED]);
    desk.post_returns("tuesday", &[PAID]);
    assert_eq!(desk.ask(TAKEN), "I1,0.00");
    desk.verify();
}

fn batch_of_the_day() -> (String, String) {
    let statement = camt("camt.053", "BkToCstmrStmt", "Stmt", &entry("1700.00", ""));
    let notification = camt(
        "camt.054",
        "BkToCstmrDbtCdtNtfctn",
        "Ntfctn",
        &entry("1700.00", &details()),
    );
    (statement, notification)
}

/// Status and amount of the payments of an account whose batch and its details came apart.
const BATCH: &str =
    "select status, amount from payments where account like '%DE89%' and amount > 1 order by 2";

#[test]
fn details_that_come_after_their_statement_are_applied() {
    let (statement, notification) = batch_of_the_day();
    let desk = after_monday();
    desk.put_in("tuesday", "statement.xml", &statement);
    desk.post("tuesday");
    assert!(!desk.ask(BATCH).contains("out_of_scope"));
    desk.put_in("wednesday", "details.xml", &notification);
    desk.post("wednesday");
    // The item of 500.00 was paid on Monday.
    assert_eq!(
        desk.ask(BATCH),
        "duplicate,500.00\napplied,1200.00\nout_of_scope,1700.00"
    );
    desk.verify();
    desk.replays_alike();
}

#[test]
fn details_wait_for_the_statement_of_a_later_run() {
    let (statement, notification) = batch_of_the_day();
    // The account has a statement of the day before.
    let earlier = camt("camt.053", "BkToCstmrStmt", "Stmt", &entry("0.50", ""))
        .replace("BATCH0042", "BATCH0041")
        .replace("2026-03-16", "2026-03-15")
        .replace("<Id>S1</Id>", "<Id>S0</Id>");
    let desk = after_monday();
    desk.put_in("tuesday", "earlier.xml", &earlier);
    desk.post("tuesday");
    desk.put_in("wednesday", "details.xml", &notification);
    desk.post("wednesday");
    assert_eq!(desk.ask(BATCH), "out_of_scope,500.00\nout_of_scope,1200.00");
    desk.put_in("thursday", "statement.xml", &statement);
    desk.post("thursday");
    assert_eq!(
        desk.ask(BATCH),
        "duplicate,500.00\napplied,1200.00\nout_of_scope,1700.00"
    );
    // Nothing of it comes a second time.
    desk.put_in("friday", "statement.xml", &(statement + "\n"));
    desk.put_in("friday", "details.xml", &(notification + "\n"));
    desk.post("friday");
    assert_eq!(desk.ask("select count(*) from payments"), "6");
    desk.verify();
    desk.replays_alike();
}

#[test]
fn rows_of_earlier_runs_are_known_in_any_file() {
    let desk = after_monday();
    let line = ("142", 123_810, "B7", "BIRCH LUMBER LLC PAYMENT");
    desk.put_in("tuesday", "statement.bai", &statement(&[line]));
    desk.put_in("tuesday", "remittances.csv", ADVICE);
    let balance = "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"USD\">9.00</Amt>\
                   <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-16</Dt></Dt></Bal>";
    let report = camt("camt.052", "BkToCstmrAcctRpt", "Rpt", balance);
    desk.put_in("tuesday", "report.xml", &report);
    desk.post("tuesday");
    let rows = "select count(*), (select count(*) from balances) as b, count(*) - count(payment_id) \
                from remittance_lines";
    let before = desk.ask(rows);
    assert_eq!(before, "2,1,0");
    // The same rows in other files: linked advice and balances.
    desk.put_in("wednesday", "advice.csv", &(ADVICE.to_owned() + "\n"));
    desk.put_in("wednesday", "report.xml", &(report + "\n"));
    desk.post("wednesday");
    assert_eq!(desk.ask(rows), before);
    let repeated = desk.table("findings");
    assert!(!repeated.rows_where("code", "repeated_delivery").is_empty());
    // One row more is one row more.
    let more =
        ADVICE.to_owned() + "B8,Birch Lumber LLC,2026-03-31,5.00,USD,INV-20002,5.00,0,0,,5.00\n";
    desk.put_in("thursday", "advice.csv", &more);
    desk.post("thursday");
    assert_eq!(desk.ask(rows), "3,1,1");
    desk.verify();
}

#[test]
fn profiles_are_known_to_later_runs() {
    let desk = after_monday();
    let export =
        |day: &str, amount: &str| format!("Gebucht;Wer;Summe\n{day}.04.2026;Werft;{amount}\n");
    let profile = "format = \"bank_csv\"\nname = \"harbor\"\ncurrency = \"EUR\"\n\
                   [columns]\ndate = \"Gebucht\"\nname = \"Wer\"\namount = \"Summe\"\n";
    desk.put_in("tuesday", "harbor.toml", profile);
    desk.put_in("tuesday", "export.csv", &export("03", "1.250,00"));
    desk.post("tuesday");
    desk.put_in("wednesday", "export.csv", &export("04", "8,25"));
    desk.post("wednesday");
    assert_eq!(desk.table("transactions").column("amount"), ["8.25"]);
    // A later one of the same name takes its place.
    desk.put_in(
        "thursday",
        "harbor.toml",
        &profile.replace("EUR", "SEK").replace("Summe", "Betrag"),
    );
    desk.post("thursday");
    desk.put_in(
        "friday",
        "export.csv",
        &export("05", "9,25").replace("Summe", "Betrag"),
    );
    desk.post("friday");
    let transactions = desk.table("transactions");
    assert_eq!(transactions.column("currency"), ["SEK"]);
    desk.verify();
}

#[test]
fn a_file_that_no_format_reads_is_news_once() {
    let desk = after_monday();
    desk.put_in("monday", "notes.txt", "call the bank\n");
    let run = || desk.tieout(&["run", "monday", "--ledger", "ledger", "--out", "out"]);
    assert_eq!(run().status, 3);
    let written = desk.written("out");
    let told = run();
    assert_eq!(told.status, 3, "{}", told.stdout);
    assert!(
        told.stdout.contains("Nothing new since posting 2"),
        "{}",
        told.stdout
    );
    assert_eq!(desk.written("out"), written);
    assert_eq!(desk.ask("select max(posting) from journal"), "2");
    desk.verify();
}
