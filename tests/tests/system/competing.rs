//! Payments without references: those that compete for the same open items, and those for several.

use std::fmt::Write as _;

use crate::desk::{Desk, Table};
use crate::properties::{account, entry, statement};

/// An open item: dollars open, and the discount that the payments are in time for.
type Item = (u32, u32);

/// What was applied: payment and item, by their amounts as the names of payments and the numbers
/// of items.
type Applied = Vec<(String, String)>;

/// A desk with one customer's items, and its payments in this order, by dollars.
fn desk(items: &[Item], payments: &[u32]) -> Desk {
    let desk = Desk::empty();
    let parties = format!(
        "party_id,role,name,aliases,parent_id,accounts\nC1,customer,Acme Tools Inc,,,{}\n",
        account(1)
    );
    desk.put("parties.csv", parties);
    let mut rows = "item_id,entity,party_id,kind,number,po_number,currency,amount,open_amount,\
                    issue_date,due_date,discount_amount,discount_date\n"
        .to_owned();
    for (place, (open, discount)) in items.iter().enumerate() {
        let terms = if *discount == 0 {
            ",".to_owned()
        } else {
            format!("{discount}.00,2026-04-10")
        };
        writeln!(
            rows,
            "I{place},US1,C1,invoice,INV-{}00{place},,USD,{open}.00,{open}.00,2026-03-01,2026-04-30,{terms}",
            7 + place
        )
        .unwrap();
    }
    desk.put("open_items.csv", rows);
    let entries = payments.iter().enumerate().map(|(place, dollars)| {
        let id = format!("P{dollars}-{place}");
        entry(
            &id,
            i64::from(*dollars) * 100,
            "ACME TOOLS INC",
            Some(1),
            "",
        )
    });
    let entries: String = entries.collect();
    desk.put("a.xml", statement("A", &entries));
    desk
}

/// What is applied of the payments, whatever their order.
fn applied(desk: &Desk) -> Applied {
    let told = desk.run(&["--ledger", "ledger"]);
    assert!(matches!(told.status, 0 | 3), "{}", told.stderr);
    let (payments, applications) = (desk.table("payments"), desk.table("applications"));
    let mut applied: Applied = applications
        .rows_where("status", "applied")
        .iter()
        .map(|row| {
            let id = applications.cell(row, "payment_id");
            let payment = payments.rows_where("payment_id", id)[0];
            let amount = payments.cell(payment, "amount").to_owned();
            (amount, applications.cell(row, "item_id").to_owned())
        })
        .collect();
    applied.sort();
    applied
}

fn explained(desk: &Desk, amount: &str) -> String {
    let payments: Table = desk.table("payments");
    let payment = payments.rows_where("amount", amount)[0];
    let id = payments.cell(payment, "payment_id");
    let told = desk.tieout(&["explain", id, "--ledger", "ledger"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    told.stdout
}

fn pairs(of: &[(&str, &str)]) -> Applied {
    let pairs = of.iter();
    pairs
        .map(|&(amount, item)| (amount.to_owned(), item.to_owned()))
        .collect()
}

#[test]
fn the_payment_that_can_go_elsewhere_does_in_any_order() {
    // 100 is the first item, or the second less its discount, which 102 needs.
    let items = [(100, 0), (102, 2)];
    let right = pairs(&[("100.00", "I0"), ("102.00", "I1")]);
    for payments in [[100, 102], [102, 100]] {
        let desk = desk(&items, &payments);
        assert_eq!(applied(&desk), right, "{payments:?}");
        let why = explained(&desk, "100.00");
        assert!(why.contains("2 payments with 3 answers"), "{why}");
        assert!(why.contains("other payments need those"), "{why}");
    }
    // Without the other, the first is a person's to decide.
    assert_eq!(applied(&desk(&items, &[100])), []);
}

#[test]
fn a_chain_of_three_is_followed_in_any_order() {
    let items = [(100, 0), (102, 2), (105, 3)];
    let right = pairs(&[("100.00", "I0"), ("102.00", "I1"), ("105.00", "I2")]);
    for payments in [[100, 102, 105], [105, 100, 102], [102, 105, 100]] {
        assert_eq!(applied(&desk(&items, &payments)), right, "{payments:?}");
    }
}

#[test]
fn what_fits_in_two_ways_is_left_to_a_person() {
    let twins = desk(&[(100, 0), (100, 0)], &[100, 100]);
    assert_eq!(applied(&twins), []);
    let why = explained(&twins, "100.00");
    assert!(why.contains("fit together in other ways too"), "{why}");
    // One item and two payments that say the same of it.
    let both = desk(&[(100, 0), (350, 0)], &[100, 100]);
    assert_eq!(applied(&both), []);
    let why = explained(&both, "100.00");
    assert!(why.contains("Another payment fits the same items"), "{why}");
}

#[test]
fn what_others_pay_decides_what_is_left() {
    // Once 100 has its item, 270 is all that is open, whichever comes first.
    for payments in [[100, 270], [270, 100]] {
        let right = pairs(&[("100.00", "I0"), ("270.00", "I1"), ("270.00", "I2")]);
        let desk = desk(&[(100, 0), (120, 0), (150, 0)], &payments);
        assert_eq!(applied(&desk), right, "{payments:?}");
    }
}

#[test]
fn too_many_to_settle_together_are_held_and_say_so() {
    let items: Vec<Item> = (0..20).map(|n| (1_000 + n * 10, n.min(1) * 10)).collect();
    let payments: Vec<u32> = items.iter().map(|item| item.0).collect();
    let few = desk(&items[..16], &payments[..16]);
    assert_eq!(applied(&few).len(), 16);
    let many = desk(&items, &payments);
    assert_eq!(applied(&many), []);
    let why = explained(&many, "1000.00");
    assert!(why.contains("more than 16"), "{why}");
}

/// Items of which no two sums are alike, and none is near a multiple of another.
const APART: [Item; 5] = [
    (12_310, 0),
    (24_173, 483),
    (33_891, 0),
    (48_733, 0),
    (57_017, 0),
];

#[test]
fn several_items_are_paid_where_one_set_of_them_has_the_amount() {
    let two = desk(&APART, &[72_906]);
    let right = [("72906.00", "I1"), ("72906.00", "I3")];
    assert_eq!(applied(&two), pairs(&right));
    let why = explained(&two, "72906.00");
    assert!(why.contains("binds the items together"), "{why}");
    // With the discount that it is in time for.
    let three = desk(&APART, &[12_310 + 24_173 - 483 + 57_017]);
    let right = ["I0", "I1", "I4"].map(|item| ("93017.00", item));
    assert_eq!(applied(&three), pairs(&right));
    let applications = three.table("applications");
    let row = applications.rows_where("item_id", "I1")[0];
    assert_eq!(applications.cell(row, "discount"), "483.00");
}

#[test]
fn several_payments_for_several_items_are_told_in_any_order() {
    let right = pairs(&[
        ("69327.00", "I0"),
        ("69327.00", "I4"),
        ("82624.00", "I2"),
        ("82624.00", "I3"),
    ]);
    for payments in [[69_327, 82_624], [82_624, 69_327]] {
        assert_eq!(applied(&desk(&APART, &payments)), right);
    }
}

#[test]
fn sets_that_fit_as_well_are_candidates_for_a_person() {
    // 36483 is the first two, or the last two.
    let items = [(12_310, 0), (24_173, 0), (20_000, 0), (16_483, 0)];
    let several = desk(&items, &[36_483]);
    assert_eq!(applied(&several), []);
    let exceptions = several.table("exceptions");
    let row = &exceptions.rows[0];
    assert_eq!(exceptions.cell(row, "reason"), "ambiguous_items");
    let candidates = exceptions.cell(row, "candidates");
    for item in ["I0", "I1", "I2", "I3"] {
        assert!(candidates.contains(item), "{candidates}");
    }
}

#[test]
fn among_many_items_a_person_decides_about_several() {
    let items: Vec<Item> = (0..20)
        .map(|n| (10_007 + n * n * 131 + n * 17, 0))
        .collect();
    let pair = items[3].0 + items[11].0;
    let many = desk(&items, &[pair]);
    assert_eq!(applied(&many), []);
    let why = explained(&many, &format!("{pair}.00"));
    assert!(why.contains("I11") && why.contains("I3"), "{why}");
}

#[test]
fn round_amounts_that_add_up_say_little() {
    // Each sum is another, but most multiples of ten are some sum.
    let items = [(10, 0), (20, 0), (40, 0), (80, 0), (160, 0)];
    let round = desk(&items, &[70]);
    assert_eq!(applied(&round), []);
    let payments = round.table("payments");
    let row = payments.rows_where("amount", "70.00")[0];
    assert_eq!(payments.cell(row, "status"), "on_account");
}

#[test]
fn who_pays_on_account_pays_no_items() {
    let says = |text: &str| {
        let desk = desk(&APART, &[]);
        let paid = entry("P1", 7_290_600, "ACME TOOLS INC", Some(1), text);
        desk.put("a.xml", statement("A", &paid));
        applied(&desk).len()
    };
    assert_eq!(says("PAYMENT ON ACCOUNT"), 0);
    assert_eq!(says("THANK YOU"), 2);
}

#[test]
fn what_is_past_due_is_not_paid_where_another_item_has_the_amount_of_one() {
    let items = |rows: &[(&str, &str, &str)]| {
        let mut text = "item_id,entity,party_id,kind,number,po_number,currency,amount,open_amount,\
                        issue_date,due_date\n"
            .to_owned();
        for (id, open, due) in rows {
            writeln!(
                text,
                "{id},US1,C1,invoice,INV-90{id},,USD,{open},{open},2026-01-01,{due}"
            )
            .unwrap();
        }
        // Enough others that not every set is looked for.
        for place in 0..9 {
            writeln!(
                text,
                "F{place},US1,C1,invoice,INV-80{place},,USD,{0}.00,{0}.00,2026-01-01,2026-04-30",
                31 + 7 * place * place
            )
            .unwrap();
        }
        let desk = desk(&[], &[]);
        desk.put("open_items.csv", text);
        let paid = entry("P1", 100_160, "ACME TOOLS INC", Some(1), "");
        desk.put("a.xml", statement("A", &paid));
        applied(&desk).len()
    };
    let due = [
        ("A", "100.10", "2026-02-01"),
        ("B", "250.30", "2026-02-02"),
        ("C", "301.07", "2026-02-03"),
        ("D", "350.13", "2026-02-04"),
    ];
    assert_eq!(items(&due), 4);
    let swapped = [due.as_slice(), &[("E", "250.30", "2026-04-30")]].concat();
    assert_eq!(items(&swapped), 0);
}
