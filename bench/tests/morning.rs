//! The generated morning, read back from its files: totals tie, and the truth is true.
#![allow(clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;
use tieout_bench::generate;

const PAYMENTS: u32 = 3_000;

static MORNING: LazyLock<(TempDir, generate::Summary)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let peer = dir.path().join("peer");
    let summary = generate::run(PAYMENTS, 7, dir.path(), Some(&peer)).unwrap();
    (dir, summary)
});

fn path(name: &str) -> PathBuf {
    MORNING.0.path().join(name)
}

type Row = HashMap<String, String>;

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn cents(text: &str) -> i64 {
    let digits = text.replace('.', "");
    if text.is_empty() {
        0
    } else {
        digits.parse().unwrap()
    }
}

fn number(text: &str) -> i64 {
    text.trim().parse().unwrap()
}

/// A payment of the truth with its rows.
struct Truth(Vec<Row>);

impl Truth {
    fn get(&self, column: &str) -> &str {
        &self.0[0][column]
    }

    fn place(&self) -> (String, usize) {
        (
            self.get("truth_file").to_owned(),
            self.get("truth_line").parse().unwrap(),
        )
    }

    fn items(&self) -> impl Iterator<Item = &Row> {
        self.0.iter().filter(|row| !row["item_id"].is_empty())
    }
}

fn truth() -> Vec<Truth> {
    let mut payments: Vec<Truth> = Vec::new();
    for row in rows(&path("truth.csv")) {
        let key = |row: &Row| (row["truth_file"].clone(), row["truth_line"].clone());
        match payments.last_mut() {
            Some(last) if key(&last.0[0]) == key(&row) => last.0.push(row),
            _ => payments.push(Truth(vec![row])),
        }
    }
    payments
}

/// An item as a clerk sees it.
struct Item {
    party: String,
    credit: bool,
    open: i64,
    discount: i64,
}

fn items() -> HashMap<String, Item> {
    rows(&path("open_items.csv"))
        .into_iter()
        .map(|row| {
            let item = Item {
                party: row["party_id"].clone(),
                credit: matches!(row["kind"].as_str(), "credit_memo" | "on_account"),
                open: cents(&row["open_amount"]),
                discount: cents(&row["discount_amount"]),
            };
            (row["item_id"].clone(), item)
        })
        .collect()
}

/// Each customer's parent, or itself.
fn roots() -> HashMap<String, String> {
    rows(&path("parties.csv"))
        .into_iter()
        .map(|row| {
            let parent = &row["parent_id"];
            let root = if parent.is_empty() {
                &row["party_id"]
            } else {
                parent
            };
            (row["party_id"].clone(), root.clone())
        })
        .collect()
}

fn lockbox_files() -> Vec<PathBuf> {
    let names = std::fs::read_dir(MORNING.0.path()).unwrap();
    let all = names.map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect()
}

#[test]
fn lockbox_totals_tie() {
    for file in lockbox_files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let (mut batch, mut lockbox) = ((0, 0), (0, 0));
        for (place, line) in text.lines().enumerate() {
            assert_eq!(line.len(), 80, "{}:{}", file.display(), place + 1);
            match &line[..1] {
                "6" => {
                    batch = (batch.0 + 1, batch.1 + number(&line[7..17]));
                    assert_eq!(number(&line[4..7]), batch.0);
                }
                "7" => {
                    assert_eq!((number(&line[20..23]), number(&line[23..33])), batch);
                    lockbox = (lockbox.0 + batch.0, lockbox.1 + batch.1);
                    batch = (0, 0);
                }
                "8" => {
                    assert_eq!((number(&line[20..24]), number(&line[24..34])), lockbox);
                    lockbox = (0, 0);
                }
                "9" => assert_eq!(number(&line[1..7]), text.lines().count() as i64),
                _ => {}
            }
        }
        assert_eq!((batch, lockbox), ((0, 0), (0, 0)));
    }
}

#[test]
fn invoice_amounts_add_up_to_their_check() {
    let text = std::fs::read_to_string(path("lockbox_invoice.txt")).unwrap();
    let (mut check, mut documents) = (0, None);
    for line in text.lines() {
        if line.starts_with('4') {
            let net: i64 = line[26..36].trim_start_matches('0').parse().unwrap_or(0);
            documents = Some(documents.unwrap_or(0) + net);
            continue;
        }
        assert!(
            documents.is_none_or(|sum| sum == check),
            "{documents:?} {check}"
        );
        documents = None;
        if line.starts_with('6') {
            check = number(&line[7..17]);
        }
    }
}

#[test]
fn statement_totals_tie() {
    let text = std::fs::read_to_string(path("statement.bai2")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (mut account, mut group, mut accounts) = ((0, 0), 0, 0);
    let (mut credits, mut debits, mut summary) = ((0, 0), (0, 0), Vec::new());
    for line in &lines {
        let fields: Vec<&str> = line.trim_end_matches('/').split(',').collect();
        account.1 += 1;
        match fields[0] {
            "03" => {
                account = (0, 1);
                (credits, debits) = ((0, 0), (0, 0));
                summary = [4, 8, 12, 16, 13, 17].map(|at| number(fields[at])).to_vec();
                account.0 += summary[..4].iter().sum::<i64>();
            }
            "16" => {
                let (amount, is_debit) = (number(fields[2]), fields[1].starts_with('4'));
                account.0 += amount;
                let side = if is_debit { &mut debits } else { &mut credits };
                *side = (side.0 + amount, side.1 + 1);
            }
            "49" => {
                assert_eq!((number(fields[1]), number(fields[2])), account);
                assert_eq!(
                    summary[1],
                    summary[0] + credits.0 - debits.0,
                    "roll-forward"
                );
                assert_eq!(summary[2..], [credits.0, debits.0, credits.1, debits.1]);
                (group, accounts) = (group + account.0, accounts + 1);
            }
            "98" => {
                let found: Vec<i64> = fields[1..].iter().map(|f| number(f)).collect();
                assert_eq!(found, [group, accounts, lines.len() as i64 - 2]);
            }
            "99" => assert_eq!(
                fields[1..].iter().map(|f| number(f)).collect::<Vec<_>>(),
                [group, 1, lines.len() as i64]
            ),
            _ => {}
        }
    }
    assert!(accounts >= 1);
}

#[test]
fn the_truth_names_every_bank_line_once_with_its_amount() {
    let mut lines: HashMap<(String, usize), i64> = HashMap::new();
    let files = lockbox_files().into_iter().chain([path("statement.bai2")]);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        for (at, line) in text.lines().enumerate() {
            let amount = match line.split_at(1) {
                ("6", rest) => number(&rest[6..16]),
                ("1", rest) if rest.starts_with("6,") => number(line.split(',').nth(2).unwrap()),
                _ => continue,
            };
            lines.insert((name.clone(), at + 1), amount);
        }
    }
    for payment in truth() {
        assert_eq!(
            lines.remove(&payment.place()),
            Some(cents(payment.get("amount")))
        );
    }
    assert!(lines.is_empty(), "{lines:?}");
}

#[test]
fn no_item_loses_more_than_is_open() {
    let items = items();
    assert_eq!(items.len(), 2 * PAYMENTS as usize);
    let mut lost: HashMap<&str, i64> = HashMap::new();
    let truth = truth();
    for payment in &truth {
        let mut cash = 0;
        for row in payment.items() {
            let item = &items[&row["item_id"]];
            assert_eq!(item.party, row["item_party_id"]);
            let parts = ["applied", "discount", "write_off", "deduction"].map(|c| cents(&row[c]));
            assert!(
                parts
                    .iter()
                    .all(|&part| if item.credit { part <= 0 } else { part >= 0 })
            );
            *lost.entry(&row["item_id"]).or_default() += parts.iter().sum::<i64>().abs();
            cash += parts[0];
        }
        let amount = cents(payment.get("amount"));
        match payment.get("status") {
            "applied" => assert_eq!(cash, amount),
            "partially_applied" => assert!(0 < cash && cash < amount),
            _ if payment.get("scenario") == "several_items_unclear" => assert_eq!(cash, amount),
            _ => assert_eq!(payment.items().count(), 0),
        }
    }
    for (item, lost) in lost {
        assert!(
            lost <= items[item].open,
            "{item}: {lost} of {}",
            items[item].open
        );
    }
}

#[test]
fn amounts_without_reference_have_the_readings_that_the_truth_claims() {
    let (items, roots) = (items(), roots());
    let mut families: HashMap<&str, Vec<&Item>> = HashMap::new();
    for item in items.values() {
        families
            .entry(roots[&item.party].as_str())
            .or_default()
            .push(item);
    }
    let fits = |item: &Item, amount: i64| {
        !item.credit
            && (item.open == amount || item.discount > 0 && item.open - item.discount == amount)
    };
    let mut seen = HashSet::new();
    for payment in truth() {
        let amount = cents(payment.get("amount"));
        let party = payment.get("party_id");
        let count = |all: &mut dyn Iterator<Item = &&Item>| all.filter(|i| fits(i, amount)).count();
        let family = || families[roots[party].as_str()].iter();
        match payment.get("scenario") {
            "no_reference" | "no_reference_new_account" => assert_eq!(count(&mut family()), 1),
            "two_readings" => assert!(count(&mut family()) >= 2),
            "shared_amount" => assert!(count(&mut items.values().collect::<Vec<_>>().iter()) >= 2),
            "on_account" => assert_eq!(count(&mut family()), 0),
            _ => continue,
        }
        seen.insert(payment.get("scenario").to_owned());
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

#[test]
fn only_what_a_person_must_decide_is_undecidable() {
    for payment in truth() {
        let person = payment.get("status") == "person";
        assert_eq!(payment.get("decidable"), if person { "no" } else { "yes" });
        let unknown = matches!(payment.get("scenario"), "shared_amount" | "garbage_unknown");
        let beside = payment.get("status") == "out_of_scope";
        assert_eq!(payment.get("party_id").is_empty(), unknown || beside);
    }
}

#[test]
fn a_duplicate_repeats_an_earlier_payment_once() {
    let truth = truth();
    let by_place: HashMap<(String, usize), &Truth> = truth.iter().map(|p| (p.place(), p)).collect();
    let mut repeated = HashSet::new();
    for payment in truth.iter().filter(|p| p.get("status") == "duplicate") {
        let line = payment.get("duplicate_of_line").parse().unwrap();
        let first = (payment.get("duplicate_of_file").to_owned(), line);
        assert!(first < payment.place());
        let original = by_place[&first];
        assert_eq!(original.get("scenario"), "clean");
        assert_eq!(original.get("amount"), payment.get("amount"));
        assert_eq!(original.get("party_id"), payment.get("party_id"));
        assert!(repeated.insert(first), "repeated twice");
    }
    assert!(repeated.len() > 20);
}

#[test]
fn twins_are_two_checks_for_two_items() {
    let truth = truth();
    let twins: Vec<&Truth> = truth
        .iter()
        .filter(|p| p.get("scenario") == "twin_checks")
        .collect();
    assert!(!twins.is_empty());
    assert_eq!(twins.len() % 2, 0);
    for pair in twins.chunks(2) {
        assert_eq!(pair[0].get("amount"), pair[1].get("amount"));
        assert_eq!(pair[0].get("party_id"), pair[1].get("party_id"));
        assert_ne!(pair[0].get("item_id"), pair[1].get("item_id"));
    }
}

#[test]
fn the_peer_gets_the_same_payments() {
    let peer = rows(&path("peer/payments.csv"));
    let truth = truth();
    let by_place: HashMap<(String, usize), &Truth> = truth.iter().map(|p| (p.place(), p)).collect();
    assert_eq!(peer.len(), PAYMENTS as usize);
    for (place, row) in peer.iter().enumerate() {
        assert_eq!(row["payment_key"], format!("P{:08}", place + 1));
        let payment = by_place[&(row["file"].clone(), row["line"].parse().unwrap())];
        assert_eq!(row["amount"], payment.get("amount"));
        assert_eq!(row["currency"], payment.get("currency"));
    }
}

#[test]
fn the_summary_counts_what_was_written() {
    let summary = &MORNING.1;
    assert_eq!(summary.payments, PAYMENTS as usize);
    let truth = truth();
    assert_eq!(summary.scenarios.iter().sum::<usize>(), truth.len());
    let pays = truth.iter().filter(|p| p.get("status") != "person");
    let lines: usize = pays.map(|p| p.items().count()).sum();
    assert_eq!(summary.applications, lines);
    for scenario in ["several_items", "several_items_unclear"] {
        assert!(
            truth.iter().any(|p| p.get("scenario") == scenario),
            "{scenario}"
        );
    }
    assert!(summary.table().contains("no_reference_new_account"));
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |seed| {
        let dir = tempfile::tempdir().unwrap();
        generate::run(300, seed, dir.path(), None).unwrap();
        let mut files: Vec<PathBuf> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        files.sort();
        files
            .iter()
            .map(|file| std::fs::read(file).unwrap())
            .collect::<Vec<_>>()
    };
    let first = bytes(3);
    assert_eq!(first.len(), 7);
    assert_eq!(first, bytes(3));
    assert_ne!(first, bytes(4));
}

#[test]
fn too_few_and_too_many_payments_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for payments in [0, generate::PAYMENTS_MIN - 1, generate::PAYMENTS_MAX + 1] {
        assert!(generate::run(payments, 1, dir.path(), None).is_err());
    }
}

/// The seed and size that `datasets/README.md` names.
#[test]
fn the_shipped_morning_is_what_its_command_makes() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/distributor");
    let dir = tempfile::tempdir().unwrap();
    generate::run(3_000, 2026, dir.path(), None).unwrap();
    let mut names = 0;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let made = entry.unwrap().path();
        let name = made.file_name().unwrap();
        let same = std::fs::read(&made).unwrap() == std::fs::read(shipped.join(name)).unwrap();
        assert!(same, "{}", name.to_string_lossy());
        names += 1;
    }
    assert_eq!(names, std::fs::read_dir(&shipped).unwrap().count());
}
