//! What holds for any morning, however odd: mornings are drawn at random, and one that breaks a
//! property is made smaller until nothing can be left out of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tieout::core::Amount;
use tieout::{FileFormat, NoProgress, Output, Recipe, RunOptions};

use crate::desk::Table;

/// Mornings drawn for each property.
const CASES: u32 = 24;

const PARTIES: usize = 4;
const NAMES: [&str; PARTIES] = [
    "Acme Tools Inc",
    "Birch Lumber LLC",
    "Cedar Foods Co",
    "Dune Dental Group",
];

/// An open item: whose it is, and its cents. Few values, so that many are alike.
#[derive(Clone, Debug)]
struct Item {
    party: usize,
    cents: i64,
    has_discount: bool,
}

/// What a payment's amount is.
#[derive(Clone, Copy, Debug)]
enum Paid {
    /// What the items named are open for, and this much more or less.
    Named(i64),
    /// An amount of its own.
    Cents(i64),
}

#[derive(Clone, Debug)]
struct Payment {
    /// A party, or nobody known.
    payer: usize,
    has_account: bool,
    /// Items, by their place.
    names: Vec<usize>,
    paid: Paid,
    /// Whether a digit of the first number is missing.
    is_damaged: bool,
}

#[derive(Clone, Debug)]
struct Morning {
    items: Vec<Item>,
    payments: Vec<Payment>,
    /// Whether the second party is a child of the first.
    has_family: bool,
}

const CENTS: [i64; 6] = [10_000, 20_000, 30_000, 12_345, 99, 70_001];

fn item() -> impl Strategy<Value = Item> {
    let cents = proptest::sample::select(&CENTS);
    (0..PARTIES, cents, any::<bool>()).prop_map(|(party, cents, has_discount)| Item {
        party,
        cents,
        has_discount,
    })
}

fn payment() -> impl Strategy<Value = Payment> {
    let paid = prop_oneof![
        3 => Just(Paid::Named(0)),
        1 => (-150_i64..150).prop_map(Paid::Named),
        2 => proptest::sample::select(&CENTS).prop_map(Paid::Cents),
    ];
    let names = vec(0_usize..16, 0..4);
    let flags = (any::<bool>(), proptest::bool::weighted(0.1));
    (0..=PARTIES, names, paid, flags).prop_map(|(payer, names, paid, flags)| Payment {
        payer,
        has_account: flags.0,
        names,
        paid,
        is_damaged: flags.1,
    })
}

fn morning() -> impl Strategy<Value = Morning> {
    (vec(item(), 1..16), vec(payment(), 1..12), any::<bool>()).prop_map(
        |(items, payments, has_family)| Morning {
            items,
            payments,
            has_family,
        },
    )
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn number(place: usize) -> String {
    format!("INV-{}", 40_417 + 1_013 * place)
}

const ITEMS_HEADER: &str = "item_id,entity,party_id,kind,number,po_number,currency,amount,\
                            open_amount,issue_date,due_date,discount_amount,discount_date\n";

impl Morning {
    fn parties(&self) -> String {
        let mut rows = "party_id,role,name,aliases,parent_id,accounts\n".to_owned();
        for (party, name) in NAMES.iter().enumerate() {
            let parent = if self.has_family && party == 1 {
                "C0"
            } else {
                ""
            };
            writeln!(
                rows,
                "C{party},customer,{name},,{parent},{}",
                account(party)
            )
            .unwrap();
        }
        // One that has nothing to do with the others.
        rows.push_str("C9,customer,Zinnia Optics,,,\n");
        rows
    }

    fn items(&self) -> String {
        let mut rows = ITEMS_HEADER.to_owned();
        for (place, item) in self.items.iter().enumerate() {
            let (number, amount) = (number(place), money(item.cents));
            let discount = if item.has_discount {
                format!("{},2026-03-20", money(item.cents / 50))
            } else {
                ",".to_owned()
            };
            writeln!(
                rows,
                "I{place},US1,C{},invoice,{number},,USD,{amount},{amount},2026-02-01,2026-03-03,{discount}",
                item.party
            )
            .unwrap();
        }
        rows
    }

    fn cents(&self, payment: &Payment) -> i64 {
        let named = payment
            .names
            .iter()
            .filter_map(|&place| self.items.get(place));
        let sum: i64 = named.map(|item| item.cents).sum();
        match payment.paid {
            Paid::Named(more) => (sum + more).max(1),
            Paid::Cents(cents) => cents,
        }
    }

    /// The payments at these places as a statement; each keeps its reference.
    fn statement(&self, name: &str, places: impl Iterator<Item = usize>) -> String {
        let entries = places.map(|place| {
            let payment = &self.payments[place];
            let mut text: Vec<String> = payment.names.iter().map(|&item| number(item)).collect();
            if let Some(first) = text.first_mut().filter(|_| payment.is_damaged) {
                first.pop();
            }
            let payer = NAMES.get(payment.payer).copied().unwrap_or("Nobody Known");
            let account = (payment.has_account && payment.payer < PARTIES).then_some(payment.payer);
            entry(
                &format!("E{place}"),
                self.cents(payment),
                payer,
                account,
                &text.join(" "),
            )
        });
        let entries: String = entries.collect();
        statement(name, &entries)
    }

    /// The morning's files: parties, items, and the payments in two statements.
    fn files(&self) -> BTreeMap<String, String> {
        let count = self.payments.len();
        BTreeMap::from([
            ("parties.csv".to_owned(), self.parties()),
            ("open_items.csv".to_owned(), self.items()),
            (
                "a.xml".to_owned(),
                self.statement("A", (0..count).step_by(2)),
            ),
            (
                "b.xml".to_owned(),
                self.statement("B", (1..count).step_by(2)),
            ),
        ])
    }
}

pub fn account(party: usize) -> String {
    format!("021000021:70{party}7")
}

pub fn entry(id: &str, cents: i64, payer: &str, account_of: Option<usize>, text: &str) -> String {
    let amount = money(cents);
    let account = account_of.map_or_else(String::new, |party| {
        format!(
            "<DbtrAcct><Id><Othr><Id>{}</Id></Othr></Id></DbtrAcct>",
            account(party)
        )
    });
    format!(
        "<Ntry><Amt Ccy=\"USD\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>2026-03-16</Dt></BookgDt><ValDt><Dt>2026-03-16</Dt></ValDt>\
         <NtryDtls><TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs><Amt Ccy=\"USD\">{amount}</Amt>\
         <CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr>{account}\
         </RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )
}

pub fn statement(name: &str, entries: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr>\
         <MsgId>M{name}</MsgId><CreDtTm>2026-03-16T06:05:00</CreDtTm></GrpHdr><Stmt><Id>S{name}</Id>\
         <CreDtTm>2026-03-16T06:05:00</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id>\
         <Ccy>USD</Ccy></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

/// How a run is cut.
#[derive(Clone, Copy)]
struct Cut {
    threads: usize,
    batch_rows: usize,
    chunk_bytes: usize,
    backwards: bool,
}

const PLAIN: Cut = Cut {
    threads: 1,
    batch_rows: 8_192,
    chunk_bytes: 1 << 16,
    backwards: false,
};

/// What came of a run.
struct Run {
    payments: Table,
    applications: Table,
}

fn run(files: &BTreeMap<String, String>, cut: Cut, recipe: Recipe) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        paths.push(path);
    }
    if cut.backwards {
        paths.reverse();
    }
    let out = dir.path().join("out");
    let mut options = RunOptions::new(paths);
    options.recipe = recipe;
    options.out = Some(Output::all(out.clone(), FileFormat::Csv));
    options.settings.threads = cut.threads;
    options.settings.batch_rows = cut.batch_rows;
    options.settings.chunk_bytes = cut.chunk_bytes;
    tieout::run(&options, &NoProgress).unwrap();
    let table = |name: &str| Table::read(&out.join(format!("{name}.csv")));
    Run {
        payments: table("payments"),
        applications: table("applications"),
    }
}

fn plain(morning: &Morning) -> Run {
    run(&morning.files(), PLAIN, Recipe::cash_application())
}

fn amount(table: &Table, row: &[String], column: &str) -> Amount {
    table.cell(row, column).parse().unwrap()
}

impl Run {
    /// Every payment by its reference: all that was decided, but for the place it was read from.
    fn decided(&self) -> BTreeMap<String, Vec<String>> {
        let payments = &self.payments;
        let mut parts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for row in &self.applications.rows {
            parts
                .entry(row[0].as_str())
                .or_default()
                .push(row.join(","));
        }
        let decided = |row: &Vec<String>| {
            let id = payments.cell(row, "payment_id");
            let cells = row.iter().zip(&payments.header);
            let placed = |name: &str| ["source_file", "source_line"].contains(&name);
            let mut said: Vec<String> = cells
                .filter(|(_, name)| !placed(name))
                .map(|(cell, _)| cell.clone())
                .collect();
            said.extend(parts.get(id).cloned().unwrap_or_default());
            (payments.cell(row, "end_to_end_id").to_owned(), said)
        };
        payments.rows.iter().map(decided).collect()
    }

    /// References of payments that were applied.
    fn applied(&self) -> BTreeSet<String> {
        let payments = &self.payments;
        let is_applied = |row: &&Vec<String>| {
            ["applied", "partially_applied"].contains(&payments.cell(row, "status"))
        };
        let applied = payments.rows.iter().filter(is_applied);
        applied
            .map(|row| payments.cell(row, "end_to_end_id").to_owned())
            .collect()
    }
}

fn conserves_money(morning: &Morning, run: &Run) -> Result<(), TestCaseError> {
    let payments = &run.payments;
    prop_assert_eq!(payments.rows.len(), morning.payments.len());
    let mut of_payment: BTreeMap<&str, Amount> = BTreeMap::new();
    let mut of_item: BTreeMap<&str, Amount> = BTreeMap::new();
    let applications = &run.applications;
    for row in applications.rows_where("status", "applied") {
        let cell = |column| amount(applications, row, column);
        *of_payment
            .entry(applications.cell(row, "payment_id"))
            .or_default() += cell("applied");
        let total = cell("applied") + cell("discount") + cell("write_off") + cell("deduction");
        *of_item
            .entry(applications.cell(row, "item_id"))
            .or_default() += total;
    }
    let mut all = Amount::ZERO;
    for row in &payments.rows {
        let cell = |column| amount(payments, row, column);
        let parts = cell("applied") + cell("on_account") + cell("unapplied");
        prop_assert_eq!(cell("amount"), parts);
        let id = payments.cell(row, "payment_id");
        let applied = of_payment.get(id).copied().unwrap_or_default();
        prop_assert_eq!(cell("applied"), applied, "{}", id);
        all += cell("amount");
    }
    let came: i64 = morning.payments.iter().map(|it| morning.cents(it)).sum();
    prop_assert_eq!(all, money(came).parse::<Amount>().unwrap());
    for (place, item) in morning.items.iter().enumerate() {
        let open: Amount = money(item.cents).parse().unwrap();
        let id = format!("I{place}");
        let lost = of_item.get(id.as_str()).copied().unwrap_or_default();
        prop_assert!(
            !lost.is_negative() && lost <= open,
            "{} of {}, open for {}",
            lost,
            id,
            open
        );
    }
    Ok(())
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn money_is_conserved_and_no_item_is_over_applied(morning in morning()) {
        conserves_money(&morning, &plain(&morning))?;
    }

    #[test]
    fn threads_chunks_and_the_order_of_files_change_nothing(morning in morning()) {
        let files = morning.files();
        let decided = plain(&morning).decided();
        for (threads, batch_rows, chunk_bytes, backwards) in
            [(4, 1, 7, false), (2, 3, 1 << 16, true), (3, 8_192, 100, true)]
        {
            let cut = Cut { threads, batch_rows, chunk_bytes, backwards };
            let again = run(&files, cut, Recipe::cash_application()).decided();
            prop_assert_eq!(&decided, &again);
        }
    }

    #[test]
    fn an_unrelated_item_or_payment_changes_nothing_else(morning in morning()) {
        let decided = plain(&morning).decided();
        let mut files = morning.files();
        files.get_mut("open_items.csv").unwrap().push_str(
            "I99,US1,C9,invoice,ZX-88123456,,USD,876543.21,876543.21,2026-02-01,2026-03-03,,\n",
        );
        let other = entry("OTHER", 55_555_577, "Quite Somebody Else", None, "");
        files.insert("c.xml".to_owned(), statement("C", &other));
        let mut with = run(&files, PLAIN, Recipe::cash_application()).decided();
        prop_assert!(with.remove("OTHER").is_some());
        prop_assert_eq!(decided, with);
    }

    #[test]
    fn a_file_that_comes_twice_changes_nothing(morning in morning(), twice in 0_usize..4) {
        let decided = plain(&morning).decided();
        let mut files = morning.files();
        let (name, content) = files.iter().nth(twice).map(|(n, c)| (n.clone(), c.clone())).unwrap();
        files.insert(format!("again_{name}"), content);
        let again = run(&files, PLAIN, Recipe::cash_application());
        prop_assert_eq!(again.payments.rows.len(), morning.payments.len());
        prop_assert_eq!(decided, again.decided());
    }

    /// Payments that compete for an item are left out: where one is held, another may have it.
    #[test]
    fn a_stricter_threshold_never_applies_more(
        items in vec((proptest::sample::select(&CENTS), any::<bool>()), PARTIES),
        mut payments in vec(payment(), PARTIES),
    ) {
        for (party, payment) in payments.iter_mut().enumerate() {
            payment.payer = party;
            payment.names.truncate(1);
            payment.names.iter_mut().for_each(|name| *name = party);
        }
        let items = items.into_iter().enumerate().map(|(party, (cents, has_discount))| Item {
            party,
            cents: cents + party as i64 * 1_000_000,
            has_discount,
        });
        let morning = Morning { items: items.collect(), payments, has_family: false };
        let applied = |threshold: f64, margin: f64| {
            let text = format!(
                "name = \"strict\"\nversion = 1\n[decision]\nthreshold = {threshold}\nmargin = {margin}\n"
            );
            run(&morning.files(), PLAIN, tieout::read_recipe(&text).unwrap()).applied()
        };
        let mut last = applied(0.5, 0.1);
        for (threshold, margin) in [(0.9, 0.1), (0.99, 0.5), (0.9999, 0.5), (0.9999, 0.9999)] {
            let next = applied(threshold, margin);
            prop_assert!(next.is_subset(&last), "{:?} at {} and not before", next, threshold);
            last = next;
        }
    }
}

/// The mornings that are drawn do what the properties are about: most payments are applied, and some
/// of each other kind there are.
#[test]
fn mornings_at_random_end_in_every_way() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..CASES {
        let morning = morning().new_tree(&mut runner).unwrap().current();
        for status in plain(&morning).payments.column("status") {
            *ends.entry(status.to_owned()).or_default() += 1;
        }
    }
    for status in [
        "applied",
        "on_account",
        "proposed",
        "unidentified",
        "duplicate",
    ] {
        assert!(ends.get(status).is_some_and(|count| *count > 0), "{ends:?}");
    }
}
