//! A customer's data goes, and everything still ties.

use crate::desk::Desk;
use crate::ledger::after_monday;

const TOTALS: &str = "select count(*), sum(amount), sum(applied), sum(on_account), sum(unapplied) \
                      from payments";

impl Desk {
    fn purge(&self, words: &[&str]) -> crate::command::Told {
        let more = [
            "--by",
            "Ada",
            "--reason",
            "asked by letter",
            "--ledger",
            "ledger",
        ];
        self.tieout(&[&["audit", "purge"], words, &more].concat())
    }
}

#[test]
fn a_customers_data_goes_and_totals_stay() {
    let desk = after_monday();
    desk.post_lines(
        "tuesday",
        &[("142", 120_000, "B5", "BIRCH LUMBER LLC INV-20001")],
    );
    let totals = desk.ask(TOTALS);
    let applied = desk.ask("select item_id, applied from applications order by 1");

    let told = desk.purge(&["--party", "C1"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(told.stdout.contains("1 payments purged"), "{}", told.stdout);
    assert_eq!(desk.ask(TOTALS), totals);
    assert_eq!(
        desk.ask("select item_id, applied from applications order by 1"),
        applied
    );
    assert_eq!(
        desk.ask("select party_id, name, accounts from parties order by 1"),
        "C1,[purged],[purged]\nC2,Birch Lumber LLC,021000021:222"
    );
    let texts = "select remittance_text, bank_reference from payments where party_id = 'C1'";
    assert_eq!(desk.ask(texts), "[purged],[purged]");
    assert_eq!(
        desk.ask("select actor, action, reason from journal where kind = 'purge'"),
        "Ada,purge,asked by letter"
    );
    let told = desk.tieout(&["audit", "verify", "--ledger", "ledger"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(told.stdout.contains("a purge has left"), "{}", told.stdout);

    // What was read is known all the same, and the ledger goes on.
    let said = desk.post("monday");
    assert!(said.contains("0 payments"), "{said}");
    desk.post_lines(
        "wednesday",
        &[
            ("142", 73_025, "B6", "INV-10002"),
            ("142", 50_000, "B1", "ACME TOOLS INV-10001"),
        ],
    );
    assert_eq!(desk.ask("select count(*) from payments"), "4");
    let told = desk.tieout(&[
        "replay",
        "--recipe",
        "cash-application",
        "--ledger",
        "ledger",
    ]);
    assert_eq!(told.status, 0, "{}", told.stderr);
}

#[test]
fn who_waits_is_not_purged_and_a_reason_is_needed() {
    let desk = after_monday();
    let id = desk.ask("select payment_id from payments where bank_reference = 'B2'");
    let told = desk.purge(&["--payment", &id]);
    assert_eq!(told.status, 1);
    assert!(
        told.stderr.contains("wait for a decision"),
        "{}",
        told.stderr
    );
    let told = desk.tieout(&[
        "audit", "purge", "--party", "C1", "--by", "Ada", "--reason", " ", "--ledger", "ledger",
    ]);
    assert!(
        told.stderr.contains("a name and a reason"),
        "{}",
        told.stderr
    );
    let told = desk.purge(&["--party", "C1", "--before", "2026-01-01"]);
    assert_eq!(told.status, 1, "{}", told.stdout);
    let told = desk.purge(&["--before", "2001-01-01"]);
    assert!(told.stdout.contains("nothing to purge"), "{}", told.stdout);
}

#[test]
fn joined_postings_answer_as_single_ones_did() {
    let desk = after_monday();
    desk.post_lines("tuesday", &[("142", 73_025, "B3", "ACME TOOLS INV-10002")]);
    let questions = [
        TOTALS,
        "select * from applications order by payment_id, item_id",
    ];
    let ask = || {
        let now = questions.map(|question| desk.ask(question));
        let then = desk.tieout(&[
            "as-of", "1", TOTALS, "--ledger", "ledger", "--format", "csv",
        ]);
        (now, then.stdout)
    };
    let before = ask();
    let told = desk.tieout(&["audit", "compact", "--ledger", "ledger"]);
    assert_eq!(told.stdout, "joined by month\n", "{}", told.stderr);
    assert_eq!(ask(), before);
    desk.verify();
}
