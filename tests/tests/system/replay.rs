//! History decided again: by the same recipe nothing differs, by another one it is told what does.

use std::path::Path;

use crate::command::Told;
use crate::desk::{Desk, OPEN_ITEMS, Table};
use crate::ledger::after_monday;

/// Advice of a payment that keeps something back, so that no amount tells what it pays.
const ADVICE: &str = "\
payment_reference,payer_name,payment_date,payment_amount,currency,document_number,gross,discount,adjustment,adjustment_reason,net
B7,Birch Lumber LLC,2026-03-31,1238.10,USD,INV-20001,1200.00,0,50.00,DAMAGE,1150.00
B7,Birch Lumber LLC,2026-03-31,1238.10,USD,INV-20002,88.10,0,0,,88.10
";

impl Desk {
    fn replay(&self, words: &[&str]) -> Told {
        self.tieout(&[&["replay", "--ledger", "ledger"], words].concat())
    }

    /// The rows of a replay, and its exit status.
    fn differences(&self, words: &[&str]) -> (Table, i32) {
        let told =
            self.replay(&[words, &["--diff", "--format", "csv", "--out", "diff.csv"]].concat());
        assert_ne!(told.status, 1, "{}", told.stderr);
        (Table::read(&self.path("diff.csv")), told.status)
    }

    /// The shipped recipe with another threshold, and the weights that people set: with those that
    /// were learned the score is 1 to as many decimals as it has.
    fn recipe(&self, threshold: &str) -> String {
        let shipped = self.tieout(&["recipes", "cash-application"]).stdout;
        // A threshold that is given holds instead of the one that follows from the costs.
        let other = shipped.replace(
            "[decision]\n",
            &format!("[decision]\nthreshold = {threshold}\n"),
        );
        let other = other.replace("weights = \"cash-application\"\n", "");
        assert_ne!(other, shipped);
        let other = other.replace("version = 1\n", "version = 2\n");
        std::fs::write(self.path("other.toml"), other).unwrap();
        "other.toml".to_owned()
    }
}

/// A desk with late advice, late items, a lowered item, a twin, and people who act.
fn a_busy_week() -> Desk {
    let desk = after_monday();
    let id = |reference: &str| {
        desk.ask(&format!(
            "select payment_id from payments where bank_reference = '{reference}'"
        ))
    };
    desk.post_lines(
        "tuesday",
        &[
            ("142", 123_810, "B7", "BIRCH LUMBER LLC PAYMENT"),
            ("142", 50_000, "B4", "ACME TOOLS INV-10001"),
        ],
    );
    for words in [
        &["assign", &id("B2"), "--owner", "Grace"][..],
        &["apply", &id("B2"), "--item", "I3=100.00"],
        &["unmatch", &id("B2")],
        &["reopen", &id("B2")],
    ] {
        let told = desk.act(words);
        assert_eq!(told.status, 0, "{}", told.stderr);
    }
    desk.put_in("wednesday", "remittances.csv", ADVICE);
    let late = OPEN_ITEMS.lines().next().unwrap().to_owned()
        + "\nI9,US1,C2,invoice,INV-99999,,USD,333.00,333.00,2026-03-20,2026-04-20,,\n\
           I2,US1,C1,invoice,INV-10002,,USD,730.25,700.25,2026-02-10,2026-03-12,,\n";
    desk.put_in("wednesday", "open_items.csv", &late);
    desk.post("wednesday");
    desk.tieout(&["export", "--ledger", "ledger", "--out", "lines.csv"]);
    desk.post_lines("thursday", &[("142", 70_025, "B8", "ACME TOOLS INV-10002")]);
    desk.verify();
    desk
}

fn bytes_of(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for name in ["journal.redb", "ledger.json"] {
        files.push((name.to_owned(), std::fs::read(dir.join(name)).unwrap()));
    }
    files
}

#[test]
fn the_same_recipe_differs_nowhere() {
    let desk = a_busy_week();
    let before = bytes_of(&desk.path("ledger"));
    let told = desk.replay(&["--recipe", "cash-application", "--diff"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(
        told.stdout.contains("0 of 5 decisions would differ"),
        "{}",
        told.stdout
    );
    let (rows, status) = desk.differences(&["--recipe", "cash-application", "--fail-below", "1"]);
    assert_eq!((rows.rows.len(), status), (0, 0));
    for span in [["--from", "2"], ["--from", "8"], ["--to", "7"]] {
        let words = [&["--recipe", "cash-application"][..], &span].concat();
        assert_eq!(desk.differences(&words).0.rows.len(), 0, "{span:?}");
    }
    assert_eq!(bytes_of(&desk.path("ledger")), before);
}

/// The shipped data, its books first, then one file a run.
#[test]
fn the_same_recipe_differs_nowhere_on_the_shipped_data() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/distributor");
    let desk = Desk::empty();
    let runs: [&[&str]; 5] = [
        &["parties.csv", "open_items.csv"],
        &["statement.bai2"],
        &["lockbox_invoice.txt"],
        &["remittances.csv"],
        &["lockbox_text.txt"],
    ];
    for (number, files) in runs.iter().enumerate() {
        let folder = format!("run{number}");
        for name in *files {
            let content = std::fs::read_to_string(data.join(name)).unwrap();
            desk.put_in(&folder, name, &content);
        }
        let told = desk.tieout(&[
            "run",
            &folder,
            "--ledger",
            "ledger",
            "--as-of",
            "2026-03-31",
            "--quiet",
        ]);
        assert_ne!(told.status, 1, "{}", told.stderr);
    }
    for threads in ["1", "3"] {
        let told = desk.replay(&["--recipe", "cash-application", "--threads", threads]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        assert!(told.stdout.contains("\n0 of "), "{}", told.stdout);
    }
}

#[test]
fn another_recipe_is_judged_by_what_people_said() {
    let desk = after_monday();
    let id = desk.ask("select payment_id from payments where bank_reference = 'B1'");
    let same = ["--recipe", "cash-application"];
    // Nobody has judged anything, and nothing differs.
    assert_eq!(
        desk.differences(&[&same[..], &["--fail-below", "1"]].concat())
            .1,
        0
    );

    let strict = desk.recipe("0.9999999");
    let words = ["--recipe", strict.as_str()];
    let (rows, _) = desk.differences(&words);
    assert_eq!(rows.column("payment_id"), [id.as_str()]);
    assert_eq!(rows.column("was_status"), ["applied"]);
    assert_eq!(rows.column("would_status"), ["proposed"]);
    assert_eq!(rows.column("at_stake"), ["500.00"]);
    assert_eq!(rows.column("was_items"), ["I1=500.00"]);
    // Something differs that nobody has judged: the gate holds.
    let (_, status) = desk.differences(&[&words[..], &["--fail-below", "0"]].concat());
    assert_eq!(status, 3);

    // The application was wrong, as somebody says; the stricter recipe would have asked.
    assert_eq!(desk.act(&["unmatch", &id]).status, 0);
    let told = desk.replay(&[&same[..], &["--fail-below", "0.5", "--diff"]].concat());
    assert_eq!(told.status, 3, "{}", told.stdout);
    assert!(
        told.stdout.contains("gate failed: 0.0000 right"),
        "{}",
        told.stdout
    );
    let (rows, _) = desk.differences(&words);
    assert_eq!(rows.column("action"), ["unmatch"]);
    assert_eq!(rows.column("was_verdict"), ["wrong"]);
    assert_eq!(rows.column("would_verdict"), [""]);

    // And right after all.
    assert_eq!(desk.act(&["apply", &id, "--item", "I1=500.00"]).status, 0);
    let told = desk.replay(&[&same[..], &["--fail-below", "1"]].concat());
    assert_eq!(told.status, 0, "{}", told.stdout);
    assert!(told.stdout.contains("1.0000 (1 of 1)"), "{}", told.stdout);
    for format in ["json", "parquet"] {
        let told =
            desk.replay(&[&words[..], &["--diff", "--format", format, "--out", "rows"]].concat());
        assert_eq!(told.status, 0, "{}", told.stderr);
        assert!(std::fs::metadata(desk.path("rows")).unwrap().len() > 0);
    }
}

#[test]
fn what_cannot_be_decided_again_is_told() {
    let desk = after_monday();
    let told = desk.replay(&["--recipe", "cash-application", "--from", "2"]);
    assert_eq!(told.status, 1);
    assert!(
        told.stderr.contains("no run to decide again"),
        "{}",
        told.stderr
    );
    let told = desk.replay(&["--recipe", "cash-application", "--fail-below", "95"]);
    assert!(told.stderr.contains("write a part of 1"), "{}", told.stderr);
}
