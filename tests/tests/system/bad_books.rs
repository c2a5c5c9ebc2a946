//! Books and recipes that nobody meant: a clear error, or an exception with its reason, however
//! much of it there is.

use std::fmt::Write as _;
use std::fs;

use crate::command::Told;
use crate::desk::{Desk, Line, OPEN_ITEMS, PARTIES, statement};

const PAID: [Line; 1] = [("142", 50_000, "B1", "ACME TOOLS INV-10001")];
const HEADER: &str = "item_id,entity,party_id,kind,number,po_number,currency,amount,open_amount,\
                      issue_date,due_date,discount_amount,discount_date\n";

/// A desk with these parties, items beside the usual ones, and a statement.
fn desk(parties: &str, items: &str, lines: &[Line]) -> Desk {
    let desk = Desk::empty();
    desk.put("parties.csv", parties);
    desk.put("open_items.csv", format!("{OPEN_ITEMS}{items}"));
    desk.put("statement.bai", statement(lines));
    desk
}

/// What is said of `code`, if anything is.
fn found(desk: &Desk, code: &str) -> Vec<String> {
    let findings = desk.table("findings");
    let rows = findings.rows_where("code", code);
    let text = |row: &&[String]| findings.cell(row, "found").to_owned();
    rows.iter().map(text).collect()
}

/// Status and reason of the payment with this reference of the bank.
fn ended(desk: &Desk, reference: &str) -> [String; 2] {
    let payments = desk.table("payments");
    let rows = payments.rows_where("bank_reference", reference);
    assert_eq!(rows.len(), 1, "{reference}");
    ["status", "reason"].map(|column| payments.cell(rows[0], column).to_owned())
}

/// A run by a recipe that is refused before anything is read.
fn refused(recipe: &str) -> Told {
    let desk = desk(PARTIES, "", &PAID);
    fs::write(desk.path("mine.toml"), recipe).unwrap();
    let told = desk.run(&["--recipe", "mine.toml"]);
    assert_eq!(told.status, 1, "{}", told.stdout);
    assert!(!desk.path("out").exists());
    told
}

#[test]
fn recipes_that_cannot_be_meant_are_refused_at_their_line() {
    let head = "name = \"mine\"\nversion = 1\n";
    for (body, line, says) in [
        (
            "[decision]\ntreshold = 0.9\n",
            4,
            "unknown field `treshold`",
        ),
        (
            "[[rules]]\nname = \"big\"\nhold = \"held_by_rule\"\nwhen = \"amount + true\"\n",
            6,
            "rule big, when",
        ),
        (
            "[[rules]]\nname = \"big\"\nhold = \"held_by_rule\"\nwhen = \"amount\"\n",
            6,
            "rule big, when",
        ),
        (
            "[amounts]\nwrite_off = \"5\"\nwrite_off_percent = \"0\"\n",
            5,
            "contradict",
        ),
        (
            "[decision]\ncost_of_wrong = 1\ncost_of_review = 1\n",
            4,
            "more than twice",
        ),
    ] {
        let told = refused(&format!("{head}{body}"));
        let place = format!("mine.toml: line {line}, column");
        assert!(told.stderr.contains(&place), "{body}: {}", told.stderr);
        assert!(told.stderr.contains(says), "{body}: {}", told.stderr);
        assert!(!told.stderr.contains("panicked"), "{}", told.stderr);
    }
}

#[test]
fn an_invoice_below_zero_is_a_credit_and_said_to_be() {
    let odd = "N1,US1,C1,invoice,INV-77001,,USD,50.00,-50.00,2026-02-01,2026-03-03,,\n";
    let lines = [
        ("142", 5_000, "B1", "ACME TOOLS INV-77001"),
        ("142", 50_000, "B2", "ACME TOOLS INV-10001"),
    ];
    let desk = desk(PARTIES, odd, &lines);
    let told = desk.run(&[]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    let found = found(&desk, "negative_item");
    assert!(found.len() == 1 && found[0].contains("N1"), "{found:?}");
    assert_eq!(ended(&desk, "B1"), ["proposed", "over_payment"]);
    assert_eq!(ended(&desk, "B2"), ["applied", ""]);
}

#[test]
fn an_unknown_currency_is_told_and_pays_nothing_else() {
    let odd = "N1,US1,C1,invoice,INV-77001,,ZZZ,50.00,50.00,2026-02-01,2026-03-03,,\n\
               N2,US1,C1,invoice,INV-77002,,dollars,50.00,50.00,2026-02-01,2026-03-03,,\n";
    let lines = [
        ("142", 5_000, "B1", "ACME TOOLS INV-77001"),
        ("142", 50_000, "B2", "ACME TOOLS INV-10001"),
    ];
    let desk = desk(PARTIES, odd, &lines);
    assert_eq!(desk.run(&[]).status, 3);
    let found = found(&desk, "unknown_currency");
    assert!(found.len() == 1 && found[0].contains("ZZZ"), "{found:?}");
    let quarantined = desk.table("quarantine");
    assert_eq!(quarantined.column("reason"), ["bad_currency"]);
    assert_ne!(ended(&desk, "B1")[0], "applied");
    assert_eq!(ended(&desk, "B2")[0], "applied");
}

#[test]
fn a_party_that_is_its_own_parent_is_told_and_stands_for_itself() {
    let own = PARTIES.replace("Acme Tools Inc,,,", "Acme Tools Inc,,C1,");
    let circle = PARTIES
        .replace("Acme Tools Inc,,,", "Acme Tools Inc,,C2,")
        .replace("Birch & Sons,,", "Birch & Sons,C1,");
    for (parties, count) in [(own, "1,"), (circle, "2,")] {
        let desk = desk(&parties, "", &PAID);
        let told = desk.run(&[]);
        assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
        let found = found(&desk, "circular_parent");
        assert!(found.len() == 1 && found[0].contains("C1"), "{found:?}");
        assert!(found[0].contains(count), "{found:?}");
        assert_eq!(ended(&desk, "B1"), ["applied", ""]);
    }
}

#[test]
fn ten_thousand_items_of_one_amount_leave_the_amount_to_a_person() {
    let mut items = String::new();
    for number in 100_000..110_000 {
        writeln!(
            items,
            "M{number},US1,C1,invoice,INV-{number},,USD,100.00,100.00,2026-02-01,2026-03-03,,"
        )
        .unwrap();
    }
    let acme = |text: &str| format!("ACME TOOLS INC {text}");
    let (none, one, unknown) = (acme(""), acme("INV-104711"), "SOMEBODY".to_owned());
    let lines = [
        ("142", 10_000, "B1", none.as_str()),
        ("142", 10_000, "B2", one.as_str()),
        ("142", 10_000, "B3", unknown.as_str()),
    ];
    let desk = desk(PARTIES, &items, &lines);
    assert_eq!(desk.run(&[]).status, 0);
    assert_ne!(ended(&desk, "B1")[0], "applied");
    assert_eq!(ended(&desk, "B2")[0], "applied");
    assert_eq!(desk.table("applications").column("item_id"), ["M104711"]);
    assert_ne!(ended(&desk, "B3")[0], "applied");
    for row in &desk.table("exceptions").rows {
        // Five candidates at most, however many fit.
        assert!(row[3].split('|').count() <= 5, "{row:?}");
    }
}

#[test]
fn a_remittance_of_five_thousand_lines_is_applied_line_by_line() {
    let (mut items, mut advice, mut total) = (HEADER.to_owned(), String::new(), 0);
    for number in 0..5_000 {
        let amount = number % 97 + 1;
        total += amount;
        writeln!(
            items,
            "R{number},US1,C1,invoice,INV-{},,USD,{amount}.00,{amount}.00,2026-02-01,2026-03-03,,",
            200_000 + number
        )
        .unwrap();
    }
    for number in 0..5_000 {
        let amount = number % 97 + 1;
        writeln!(
            advice,
            "B1,Acme Tools,2026-03-31,{total}.00,USD,INV-{},{amount}.00,0,0,,{amount}.00",
            200_000 + number
        )
        .unwrap();
    }
    let columns = "payment_reference,payer_name,payment_date,payment_amount,currency,\
                   document_number,gross,discount,adjustment,adjustment_reason,net\n";
    let desk = Desk::empty();
    desk.put("parties.csv", PARTIES);
    desk.put("open_items.csv", items);
    desk.put("remittances.csv", format!("{columns}{advice}"));
    let paid = [("142", total * 100, "B1", "ACME TOOLS")];
    desk.put("statement.bai", statement(&paid));
    let told = desk.run(&[]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    assert_eq!(ended(&desk, "B1"), ["applied", ""]);
    assert_eq!(desk.table("applications").rows.len(), 5_000);
}

#[test]
fn a_name_of_ten_thousand_letters_is_a_name() {
    let long = "ACME NORTH ".repeat(1_000);
    let parties = format!("{PARTIES}C3,customer,{long},,,\n");
    let item = "N1,US1,C3,invoice,INV-77001,,USD,7.00,7.00,2026-02-01,2026-03-03,,\n";
    // Behind a thousand words no document is looked for.
    let text = format!("INV-77001 {long}");
    let lines = [
        ("142", 700, "B1", text.as_str()),
        ("142", 50_000, "B2", "ACME TOOLS INV-10001"),
    ];
    let desk = desk(&parties, item, &lines);
    assert_eq!(desk.run(&[]).status, 0);
    assert_eq!(ended(&desk, "B1"), ["applied", ""]);
    assert_eq!(ended(&desk, "B2"), ["applied", ""]);
}
