//! Small mornings with outputs made by hand, one for every kind of verdict.

use std::path::PathBuf;

use tempfile::TempDir;

use super::answers::Status;
use super::tally::Share;
use super::verdict::Wrong;
use super::{Score, run};

const TRUTH: &str = "truth_file,truth_line,scenario,decidable,party_id,status,currency,amount,\
item_id,item_party_id,applied,discount,write_off,deduction,duplicate_of_file,duplicate_of_line
box.txt,3,clean,yes,C1,applied,USD,100.00,A,C1,100.00,0.00,0.00,0.00,,
box.txt,5,discount,yes,C2,applied,USD,148.00,B,C3,98.00,2.00,0.00,0.00,,
box.txt,5,discount,yes,C2,applied,USD,148.00,D,C3,50.00,0.00,0.00,0.00,,
box.txt,8,overpaid,yes,C1,partially_applied,USD,70.00,E,C1,60.00,0.00,0.00,0.00,,
box.txt,9,duplicate_check,yes,C1,duplicate,USD,100.00,,,,,,,box.txt,3
box.txt,11,on_account,yes,C4,on_account,USD,40.00,,,,,,,,
box.txt,12,two_readings,no,C1,person,USD,30.00,,,,,,,,
box.txt,13,twin_checks,yes,C1,applied,USD,20.00,F,C1,20.00,0.00,0.00,0.00,,
bank.bai2,4,lockbox_deposit,yes,,out_of_scope,USD,508.00,,,,,,,,
";

const PAYMENTS: &str = "payment_id,source_file,source_line,currency,amount,status,party_id,\
applied,on_account,unapplied,score,rule
p1,in/box.txt,3,USD,100.00,applied,C1,100.00,0.00,0.00,0.99995,references
p2,in/box.txt,5,USD,148.00,applied,C2,148.00,0.00,0.00,0.9995,references
p3,in/box.txt,8,USD,70.00,partially_applied,C1,60.00,10.00,0.00,0.995,references
p4,in/box.txt,9,USD,100.00,duplicate,C1,0.00,0.00,100.00,0.0,duplicate
p5,in/box.txt,11,USD,40.00,on_account,C4,0.00,40.00,0.00,0.0,customer_only
p6,in/box.txt,12,USD,30.00,proposed,C1,0.00,0.00,30.00,0.5,single_item
p7,in/box.txt,13,USD,20.00,applied,C1,20.00,0.00,0.00,0.96,references
p8,in/bank.bai2,4,USD,508.00,out_of_scope,,0.00,0.00,508.00,0.0,scope
";

const APPLICATIONS: &str = "payment_id,item_id,applied,discount,write_off,deduction,status
p2,D,50.00,0.00,0.00,0.00,applied
p1,A,100.00,0.00,0.00,0.00,applied
p2,B,98.00,2.00,0.00,0.00,applied
p3,E,60.00,0.00,0.00,0.00,applied
p6,G,30.00,0.00,0.00,0.00,proposed
p7,F,20.00,0.00,0.00,0.00,applied
";

const ITEMS: &str = "item_id,kind,open_amount
A,invoice,100.00
B,invoice,100.00
D,invoice,50.00
E,invoice,60.00
F,invoice,20.00
G,invoice,30.00
H,credit_memo,5.00
";

struct Folder(TempDir);

impl Folder {
    fn new(payments: &str, applications: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.put("truth.csv", TRUTH);
        folder.put("open_items.csv", ITEMS);
        folder.put("payments.csv", payments);
        folder.put("applications.csv", applications);
        folder
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn score(&self) -> Score {
        let items = self.path("open_items.csv");
        run(self.0.path(), &self.path("truth.csv"), Some(&items), 5).unwrap()
    }
}

fn perfect() -> Score {
    Folder::new(PAYMENTS, APPLICATIONS).score()
}

/// The score after one text in the payments and one in the applications are replaced.
fn with(payments: (&str, &str), applications: (&str, &str)) -> Score {
    for (text, change) in [(PAYMENTS, payments.0), (APPLICATIONS, applications.0)] {
        assert!(text.contains(change), "{change}");
    }
    Folder::new(
        &PAYMENTS.replace(payments.0, payments.1),
        &APPLICATIONS.replace(applications.0, applications.1),
    )
    .score()
}

fn share(part: u64, whole: u64) -> Share {
    Share { part, whole }
}

fn only(score: &Score, wrong: Wrong) {
    let mut expected = [0; Wrong::ALL.len()];
    expected[wrong as usize] = 1;
    assert_eq!(score.tally.wrong, expected, "{}", score.text());
    assert_eq!(score.listed.len(), 1);
    assert!(score.listed[0].contains(wrong.word()), "{:?}", score.listed);
}

fn breach(score: &Score, name: &str) -> u64 {
    let breaches = score.breaches();
    let found = breaches.into_iter().find(|(breach, _)| *breach == name);
    found.unwrap().1
}

#[test]
fn a_perfect_answer_has_perfect_rates() {
    let score = perfect();
    let tally = &score.tally;
    assert_eq!(tally.customer, share(7, 7));
    assert_eq!(tally.applied, share(4, 4));
    assert_eq!(tally.exact, share(4, 4));
    assert_eq!(tally.lines, share(5, 5));
    assert_eq!(tally.value, share(33_800_000, 33_800_000));
    assert_eq!(tally.false_apply, share(0, 4));
    assert_eq!(tally.undecidable_applied, share(0, 1));
    assert_eq!(tally.duplicates_found, share(1, 1));
    assert_eq!(tally.duplicates_false, share(0, 1));
    assert_eq!(tally.twins_held, share(0, 1));
    assert_eq!(tally.on_account, share(1, 1));
    assert_eq!(tally.out_of_scope, share(1, 1));
    assert_eq!(tally.proposals, share(0, 1));
    assert_eq!(tally.balanced, share(8, 8));
    assert!(score.breaches().iter().all(|(_, count)| *count == 0));
    assert!(score.text().contains("none wrong"));
    assert!(score.listed.is_empty());
}

#[test]
fn a_wrong_item_is_false() {
    let score = with(("p1,", "p1,"), ("p1,A,", "p1,G,"));
    only(&score, Wrong::Item);
    assert_eq!(score.tally.false_apply, share(1, 4));
    assert_eq!(score.tally.exact, share(3, 4));
    assert_eq!(score.tally.applied, share(4, 4));
    assert_eq!(score.tally.lines, share(4, 5));
    assert_eq!(score.tally.value, share(23_800_000, 33_800_000));
    assert!(score.text().contains("1 in 4"));
}

#[test]
fn a_missing_or_additional_item_is_false() {
    let missing = with(
        (
            "p2,in/box.txt,5,USD,148.00,applied,C2,148.00,0.00",
            "p2,in/box.txt,5,USD,148.00,partially_applied,C2,98.00,50.00",
        ),
        ("p2,D,50.00,0.00,0.00,0.00,applied\n", ""),
    );
    only(&missing, Wrong::Item);
    let additional = with(
        ("p1,", "p1,"),
        (
            "p1,A,100.00",
            "p1,G,5.00,0.00,0.00,0.00,applied\np1,A,95.00",
        ),
    );
    only(&additional, Wrong::Item);
}

#[test]
fn wrong_cash_on_the_right_items_is_false() {
    let score = with(("p1,", "p1,"), ("p2,D,50.00", "p2,D,48.00"));
    only(&score, Wrong::Amount);
    // The cash does not add up to what payments.csv says.
    assert_eq!(breach(&score, "payments_out_of_balance"), 1);
}

#[test]
fn a_rest_that_is_not_on_account_is_false() {
    let score = with(
        (
            "partially_applied,C1,60.00,10.00,0.00",
            "partially_applied,C1,60.00,0.00,10.00",
        ),
        ("p1", "p1"),
    );
    only(&score, Wrong::Amount);
    assert_eq!(breach(&score, "payments_out_of_balance"), 0);
}

#[test]
fn a_wrong_discount_is_false() {
    let score = with(
        ("p1,", "p1,"),
        ("p2,B,98.00,2.00,0.00", "p2,B,98.00,0.00,2.00"),
    );
    only(&score, Wrong::Allowance);
}

#[test]
fn the_owner_of_the_items_counts_as_the_customer_and_nobody_else() {
    let owner = with(("applied,C2,148.00", "applied,C3,148.00"), ("p1", "p1"));
    assert_eq!(owner.tally.wrong, [0; Wrong::ALL.len()]);
    assert_eq!(owner.tally.customer, share(7, 7));
    let other = with(("applied,C2,148.00", "applied,C4,148.00"), ("p1", "p1"));
    only(&other, Wrong::Customer);
    assert_eq!(other.tally.customer, share(6, 7));
}

#[test]
fn applying_what_nobody_can_decide_is_false() {
    let score = with(
        ("proposed,C1,0.00,0.00,30.00", "applied,C1,30.00,0.00,0.00"),
        (
            "30.00,0.00,0.00,0.00,proposed",
            "30.00,0.00,0.00,0.00,applied",
        ),
    );
    only(&score, Wrong::Undecidable);
    assert_eq!(score.tally.undecidable_applied, share(1, 1));
    assert_eq!(score.tally.false_apply, share(1, 5));
}

#[test]
fn applying_a_duplicate_is_false_and_takes_more_than_is_open() {
    let score = with(
        (
            "duplicate,C1,0.00,0.00,100.00",
            "applied,C1,100.00,0.00,0.00",
        ),
        ("p1,A,", "p4,A,100.00,0.00,0.00,0.00,applied\np1,A,"),
    );
    only(&score, Wrong::Duplicate);
    assert_eq!(score.tally.duplicates_found, share(0, 1));
    assert_eq!(score.tally.duplicates_applied, share(1, 1));
    assert_eq!(breach(&score, "items_applied_beyond_open"), 1);
}

#[test]
fn applying_what_belongs_on_account_is_false() {
    let score = with(
        ("on_account,C4,0.00,40.00", "applied,C4,40.00,0.00"),
        ("p1,A,", "p5,G,40.00,0.00,0.00,0.00,applied\np1,A,"),
    );
    only(&score, Wrong::OnAccount);
    assert_eq!(score.tally.on_account, share(0, 1));
}

#[test]
fn applying_a_bank_line_is_false() {
    let score = with(
        (
            "out_of_scope,,0.00,0.00,508.00",
            "applied,C1,508.00,0.00,0.00",
        ),
        ("p1,A,", "p8,Z,508.00,0.00,0.00,0.00,applied\np1,A,"),
    );
    only(&score, Wrong::OutOfScope);
    assert_eq!(score.tally.out_of_scope, share(0, 1));
    assert_eq!(breach(&score, "items_unknown"), 1);
}

#[test]
fn on_account_of_another_customer_is_not_right() {
    let score = with(("on_account,C4", "on_account,C1"), ("p1", "p1"));
    assert_eq!(score.tally.on_account, share(0, 1));
    assert_eq!(score.tally.customer, share(6, 7));
}

#[test]
fn a_twin_that_is_held_is_a_false_duplicate() {
    let score = with(
        (
            "p7,in/box.txt,13,USD,20.00,applied,C1,20.00,0.00,0.00",
            "p7,in/box.txt,13,USD,20.00,duplicate,C1,0.00,0.00,20.00",
        ),
        ("p7,F,20.00,0.00,0.00,0.00,applied\n", ""),
    );
    assert_eq!(score.tally.twins_held, share(1, 1));
    assert_eq!(score.tally.duplicates_false, share(1, 2));
    assert_eq!(score.tally.applied, share(3, 4));
    let twins = score
        .scenarios
        .iter()
        .position(|s| s == "twin_checks")
        .unwrap();
    assert_eq!(
        score.tally.scenarios[twins].held[Status::Duplicate as usize],
        1
    );
}

#[test]
fn proposals_and_candidates_are_compared_with_the_truth() {
    let folder = Folder::new(
        &PAYMENTS
            .replace(
                "148.00,applied,C2,148.00,0.00,0.00",
                "148.00,proposed,C2,0.00,0.00,148.00",
            )
            .replace(
                "100.00,applied,C1,100.00,0.00,0.00",
                "100.00,unidentified,,0.00,0.00,100.00",
            ),
        &APPLICATIONS
            .replace(
                "p2,D,50.00,0.00,0.00,0.00,applied",
                "p2,D,50.00,0.00,0.00,0.00,proposed",
            )
            .replace(
                "p2,B,98.00,2.00,0.00,0.00,applied",
                "p2,B,98.00,2.00,0.00,0.00,proposed",
            )
            .replace("p1,A,100.00,0.00,0.00,0.00,applied\n", ""),
    );
    let put = |first: &str, second: &str| {
        let head = "payment_id,reason,amount,candidates";
        let rows = format!("p2,below_threshold,148.00,{first}\np1,payer_unknown,100.00,{second}");
        folder.put("exceptions.csv", &format!("{head}\n{rows}\n"));
        folder.score().tally
    };
    let tally = put("D+B=0.9312|D=0.2", "G=0.5|A=0.4");
    assert_eq!(tally.proposals, share(1, 2));
    assert_eq!(tally.first_candidate, share(1, 2));
    assert_eq!(tally.any_candidate, share(2, 2));
    let fates = tally.scenarios.iter();
    let by_scenario: Vec<(u64, u64)> = fates
        .map(|fate| (fate.first_candidate.part, fate.any_candidate.part))
        .filter(|counts| *counts != (0, 0))
        .collect();
    assert_eq!(by_scenario, [(0, 1), (1, 1)]);
    let tally = put("B=0.9312|D=0.2", "");
    assert_eq!(tally.first_candidate, share(0, 2));
    assert_eq!(tally.any_candidate, share(0, 2));
}

#[test]
fn every_line_has_exactly_one_row() {
    let missing = with(
        (
            "p1,in/box.txt,3,USD,100.00,applied,C1,100.00,0.00,0.00,0.99995,references\n",
            "",
        ),
        ("p1", "p1"),
    );
    assert_eq!(breach(&missing, "payments_missing"), 1);
    assert_eq!(breach(&missing, "applications_of_no_payment"), 1);
    let doubled = with(
        (
            "p8,",
            "p9,in/box.txt,3,USD,100.00,unidentified,,0.00,0.00,100.00,0.0,none\np8,",
        ),
        ("p1", "p1"),
    );
    assert_eq!(breach(&doubled, "payments_doubled"), 1);
    let unknown = with(
        (
            "p8,",
            "p9,in/box.txt,99,USD,7.00,applied,C1,7.00,0.00,0.00,1.0,none\np8,",
        ),
        ("p1", "p1"),
    );
    assert_eq!(unknown.unknown, share(1, 1));
    assert_eq!(breach(&unknown, "unknown_rows_applied"), 1);
}

#[test]
fn a_bank_line_out_of_scope_may_stay_out_of_the_payments() {
    let score = with(
        (
            "p8,in/bank.bai2,4,USD,508.00,out_of_scope,,0.00,0.00,508.00,0.0,scope\n",
            "",
        ),
        ("p1", "p1"),
    );
    assert_eq!(score.tally.missing_out_of_scope, 1);
    assert_eq!(breach(&score, "payments_missing"), 0);
    assert_eq!(score.tally.out_of_scope, share(0, 0));
}

#[test]
fn a_payment_out_of_balance_or_misread_is_seen() {
    let balance = with(
        (
            "p5,in/box.txt,11,USD,40.00,on_account,C4,0.00,40.00",
            "p5,in/box.txt,11,USD,40.00,on_account,C4,0.00,39.00",
        ),
        ("p1", "p1"),
    );
    assert_eq!(breach(&balance, "payments_out_of_balance"), 1);
    let amount = with(
        ("p6,in/box.txt,12,USD,30.00", "p6,in/box.txt,12,USD,30.01"),
        ("p1", "p1"),
    );
    assert_eq!(amount.tally.read, share(7, 8));
    let currency = with(
        ("p6,in/box.txt,12,USD", "p6,in/box.txt,12,CAD"),
        ("p1", "p1"),
    );
    assert_eq!(currency.tally.read, share(7, 8));
}

#[test]
fn what_only_the_customer_knows_can_be_a_right_candidate_but_not_be_applied() {
    let folder = Folder::new(PAYMENTS, APPLICATIONS);
    let row = "box.txt,12,two_readings,no,C1,person,USD,30.00,,,,,,,,";
    let meant =
        "box.txt,12,several_items_unclear,no,C1,person,USD,30.00,G,C1,30.00,0.00,0.00,0.00,,";
    assert!(TRUTH.contains(row));
    folder.put("truth.csv", &TRUTH.replace(row, meant));
    folder.put(
        "exceptions.csv",
        "payment_id,reason,amount,candidates\np6,two_readings,30.00,G=0.5\n",
    );
    let tally = folder.score().tally;
    assert_eq!(tally.first_candidate, share(0, 0));
    assert_eq!(tally.first_unclear, share(1, 1));
    assert_eq!(tally.proposals, share(1, 1));
    assert_eq!(tally.undecidable_applied, share(0, 1));
    let applied = PAYMENTS.replace(
        "proposed,C1,0.00,0.00,30.00,0.5",
        "applied,C1,30.00,0.00,0.00,0.5",
    );
    folder.put("payments.csv", &applied);
    folder.put(
        "applications.csv",
        &APPLICATIONS.replace("proposed", "applied"),
    );
    only(&folder.score(), Wrong::Undecidable);
}

#[test]
fn scores_fall_into_their_buckets() {
    let tally = perfect().tally;
    let counts = tally
        .reliability
        .buckets
        .map(|bucket| (bucket.right.part, bucket.right.whole));
    // The proposal at 0.5 is not the truth; the four applied ones are.
    assert_eq!(
        counts,
        [
            (0, 0),
            (0, 1),
            (0, 0),
            (0, 0),
            (1, 1),
            (1, 1),
            (1, 1),
            (1, 1)
        ]
    );
}

#[test]
fn the_calibration_error_is_the_distance_of_claim_and_truth() {
    let mut reliability = super::tally::Reliability::default();
    assert_eq!(reliability.error(), None);
    // Two claims of 0.9, one of them right; two of 0.6, both right.
    for (score, right) in [(0.9, true), (0.9, false), (0.6, true), (0.6, true)] {
        reliability.count(score, right);
    }
    let error = reliability.error().unwrap();
    assert!((error - (0.8 + 0.8) / 4.0).abs() < 1e-12, "{error}");
}

#[test]
fn json_has_every_rate_and_text_every_scenario() {
    let score = perfect();
    let json: serde_json::Value = serde_json::from_str(&score.json().unwrap()).unwrap();
    assert_eq!(json["rates"]["decidable_applied"]["whole"], 4);
    assert_eq!(json["applied_per_wrong"], serde_json::Value::Null);
    assert_eq!(json["breaches"]["items_applied_beyond_open"], 0);
    assert_eq!(json["scenarios"][0]["right"], 1);
    let text = score.text();
    assert!(
        score
            .scenarios
            .iter()
            .all(|scenario| text.contains(scenario.as_str()))
    );
}

#[test]
fn what_is_not_the_contract_is_refused() {
    let folder = Folder::new(
        &PAYMENTS.replace("on_account,C4", "perhaps,C4"),
        APPLICATIONS,
    );
    let items = folder.path("open_items.csv");
    let refused = |folder: &Folder| {
        let result = run(folder.0.path(), &folder.path("truth.csv"), Some(&items), 0);
        format!("{:#}", result.err().unwrap())
    };
    let error = refused(&folder);
    assert!(
        error.contains("payments.csv:6") && error.contains("perhaps"),
        "{error}"
    );
    folder.put("payments.csv", &PAYMENTS.replace("unapplied", "rest"));
    assert!(refused(&folder).contains("no column unapplied"));
    folder.put("payments.csv", &PAYMENTS.replace("p2,", "p1,"));
    assert!(refused(&folder).contains("not the first of its kind"));
}
