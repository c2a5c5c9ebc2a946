//! Every shipped recipe over its own data, against the right answers; and recipes as people
//! write them.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use tieout::core::Amount;
use tieout::{FileFormat, RECIPES, read_recipe};

use crate::command;
use crate::desk::{Desk, Table, statement};
use crate::distributor::{options, run};

/// File, line, status, reason, item, cash, and what the cash did to the item.
type Row = [String; 7];
const COLUMNS: [&str; 7] = [
    "truth_file",
    "truth_line",
    "status",
    "reason",
    "item_id",
    "applied",
    "effect",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../datasets/recipes")
        .join(name)
}

fn truth(name: &str) -> BTreeSet<Row> {
    let table = Table::read(&folder(name).join("truth.csv"));
    let rows = table.rows.iter();
    rows.map(|row| COLUMNS.map(|column| table.cell(row, column).to_owned()))
        .collect()
}

/// What the recipe `name` made of its data.
fn decided(name: &str) -> BTreeSet<Row> {
    let (_, text) = RECIPES.iter().find(|(known, _)| *known == name).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(folder(name), dir.path(), FileFormat::Csv);
    options.recipe = read_recipe(text).unwrap();
    let summary = run(&options);
    assert!(summary.is_clean(), "{name}: {:?}", summary.findings);
    let payments = Table::read(&dir.path().join("payments.csv"));
    let applications = Table::read(&dir.path().join("applications.csv"));
    let mut taken: HashMap<&str, Vec<[&str; 3]>> = HashMap::new();
    for row in &applications.rows {
        let cell = |column| applications.cell(row, column);
        if cell("status") != "proposed" {
            let part = [cell("item_id"), cell("applied"), cell("status")];
            taken.entry(cell("payment_id")).or_default().push(part);
        }
    }
    items_stay_within_what_was_open(name, &applications);
    let mut decided = BTreeSet::new();
    for row in &payments.rows {
        let cell = |column| payments.cell(row, column).to_owned();
        let file = Path::new(payments.cell(row, "source_file"));
        let file = file.file_name().unwrap().to_str().unwrap().to_owned();
        let line = [file, cell("source_line"), cell("status"), cell("reason")];
        let parts = taken.remove(payments.cell(row, "payment_id"));
        for part in parts.unwrap_or_else(|| vec![[""; 3]]) {
            let [file, number, status, reason] = line.clone();
            let [item, cash, effect] = part.map(str::to_owned);
            decided.insert([file, number, status, reason, item, cash, effect]);
        }
    }
    decided
}

/// What was applied and not reversed is between nothing and what the item was open for.
fn items_stay_within_what_was_open(name: &str, applications: &Table) {
    let mut taken: HashMap<&str, Amount> = HashMap::new();
    for row in &applications.rows {
        let cell = |column| applications.cell(row, column);
        let parts = ["applied", "discount", "write_off", "deduction"];
        let total: Amount = parts
            .iter()
            .map(|part| cell(part).parse::<Amount>().unwrap())
            .sum();
        let item = taken.entry(cell("item_id")).or_default();
        match cell("status") {
            "applied" => *item += total,
            "reversed" => *item -= total,
            _ => {}
        }
    }
    let items = Table::read(&folder(name).join("open_items.csv"));
    for row in &items.rows {
        let open: Amount = items.cell(row, "open_amount").parse().unwrap();
        let taken = taken
            .get(items.cell(row, "item_id"))
            .copied()
            .unwrap_or_default();
        let item = items.cell(row, "item_id");
        assert!(
            taken.abs() <= open.abs(),
            "{name}: {taken} of {item}, open for {open}"
        );
        let is_memo = items.cell(row, "kind").ends_with("memo") || open.is_negative();
        assert!(is_memo || !taken.is_negative(), "{name}: {taken} of {item}");
    }
}

#[test]
fn every_recipe_finds_the_answers_to_its_own_data() {
    let own: Vec<_> = RECIPES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| *name != "cash-application")
        .collect();
    for &name in &own {
        let (truth, decided) = (truth(name), decided(name));
        let missed: Vec<_> = truth.difference(&decided).collect();
        let wrong: Vec<_> = decided.difference(&truth).collect();
        assert!(
            missed.is_empty() && wrong.is_empty(),
            "{name}: missed {missed:#?}, decided instead {wrong:#?}"
        );
        let opened = decided.iter().filter(|row| row[6] == "reversed").count();
        let applied = decided.iter().filter(|row| row[6] == "applied").count();
        assert!(
            applied > 3 && opened <= applied,
            "{name}: {applied} applied"
        );
    }
    let folders = fs::read_dir(folder("")).unwrap();
    let mut names: Vec<_> = folders
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    let mut expected = own;
    expected.sort_unstable();
    assert_eq!(
        names, expected,
        "every recipe has data, and all data a recipe"
    );
}

#[test]
fn recipes_are_listed_printed_and_run_by_name() {
    let listed = command::tieout(&["recipes"]);
    assert_eq!(listed.status, 0, "{}", listed.stderr);
    for &(name, text) in RECIPES {
        assert!(listed.stdout.contains(&format!("{name}@")), "{name}");
        let printed = command::tieout(&["recipes", name]);
        assert_eq!(printed.stdout, text);
    }
    let name = "bank-to-book";
    let folder = folder(name).display().to_string();
    let told = command::tieout(&["run", "--recipe", name, &folder]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(told.stdout.contains("recipe bank-to-book@1"));
    for flow in ["Money in", "Money out"] {
        assert!(told.stdout.contains(flow), "{}", told.stdout);
    }
    let unknown = command::tieout(&["run", "--recipe", "bank-to-boat", &folder]);
    assert_eq!(unknown.status, 1);
    assert!(
        unknown
            .stderr
            .contains("one of cash-application, bank-to-book")
    );
}

#[test]
fn sql_that_does_not_fit_points_at_its_line() {
    for (line, says) in [
        ("when = \"amont > 5\"", "did you mean amount or"),
        ("when = \"amount >\"", "cannot be read"),
        ("when = \"amount\"", "expected a condition"),
        ("when = \"amount > current_date\"", "line 5"),
    ] {
        let text = format!(
            "name = \"mine\"\nversion = 1\n[[rules]]\nname = \"large\"\n{line}\nhold = \
             \"held_by_rule\"\n"
        );
        let error = read_recipe(&text).unwrap_err();
        assert_eq!(error.line(), Some(5), "{error}");
        let error = error.to_string();
        assert!(
            error.contains(says) && error.contains("rule large, when"),
            "{error}"
        );
    }
}

#[test]
fn a_long_chain_of_conditions_is_refused_at_its_line() {
    let desk = Desk::with_books();
    let chain = vec!["account = '7'"; 1_500].join(" or ");
    for field in ["payments]\nwhere", "items]\nparty"] {
        let text = format!("name = \"mine\"\nversion = 1\n[{field} = \"{chain}\"\n");
        fs::write(desk.path("mine.toml"), text).unwrap();
        let told = desk.run(&["--recipe", "mine.toml"]);
        assert_eq!(told.status, 1, "{}", told.stderr);
        for part in [
            "recipe mine.toml: line 4, column ",
            "more than 500 operators in one expression; take a list",
            "4 | ",
        ] {
            assert!(told.stderr.contains(part), "{part}: {}", told.stderr);
        }
        // The line is shown in part: it has twenty thousand letters.
        assert!(told.stderr.len() < 1_500, "{}", told.stderr);
    }
}

const RULES: &str = r#"
name = "mine"
version = 3
effective_to = 2026-12-31

[[rules]]
name = "large ones are looked at"
when = "amount > 1000.00"
hold = "held_by_rule"

[[rules]]
name = "interest"
when = "remittance_text like '%INTEREST%'"
out_of_scope = "not_money"

[[overrides]]
name = "this account pays short"
when = "account = '7700112233'"
[overrides.amounts]
write_off = "5.00"

[[overrides]]
name = "Birch never is"
customers = ["C2"]
[overrides.amounts]
write_off = "0"
write_off_percent = "0"
"#;

#[test]
fn rules_hold_leave_out_and_set_tolerances() {
    let desk = Desk::with_books();
    desk.put(
        "statement.bai2",
        statement(&[
            ("195", 49_600, "R1", "C1 INV-10001"),
            ("195", 120_000, "R2", "C2 INV-20001"),
            ("195", 8_700, "R3", "C2 INV-20002"),
            ("195", 73_025, "R4", "INTEREST INV-10002"),
        ]),
    );
    fs::write(desk.path("mine.toml"), RULES).unwrap();
    let told = desk.run(&["--recipe", "mine.toml"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    let payments = desk.table("payments");
    let of = |reference: &str| {
        let row = payments.rows_where("bank_reference", reference)[0];
        ["status", "reason"].map(|column| payments.cell(row, column).to_owned())
    };
    assert_eq!(of("R1"), ["applied", ""], "within the account's tolerance");
    assert_eq!(of("R2"), ["proposed", "held_by_rule"]);
    assert_eq!(
        of("R3")[0],
        "proposed",
        "short, and this customer has no tolerance"
    );
    assert_eq!(of("R4"), ["out_of_scope", "not_money"]);
    let late = RULES.replace("2026-12-31", "2026-01-31");
    fs::write(desk.path("mine.toml"), late).unwrap();
    desk.run(&["--recipe", "mine.toml"]);
    let payments = desk.table("payments");
    let reasons: BTreeSet<_> = payments.column("reason").into_iter().collect();
    assert!(reasons.contains("no_version_holds"), "{reasons:?}");
    assert!(
        desk.table("applications")
            .rows_where("status", "applied")
            .is_empty()
    );
}

#[test]
fn each_payment_keeps_the_version_of_its_day() {
    let desk = Desk::with_books();
    desk.put(
        "statement.bai2",
        statement(&[("195", 50_000, "R1", "ACME TOOLS INC INV-10001")]),
    );
    let text = "name = \"mine\"\nversion = 1\neffective_to = 2026-03-30\n[[versions]]\n\
                version = 2\neffective_from = 2026-03-31\n";
    fs::write(desk.path("mine.toml"), text).unwrap();
    let told = desk.run(&["--recipe", "mine.toml", "--ledger", "ledger"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    let told = desk.tieout(&["sql", "select recipe from payments", "--ledger", "ledger"]);
    assert!(told.stdout.contains("mine@2"), "{}", told.stdout);
}

#[test]
fn what_was_undone_is_explained_from_both_sides() {
    let desk = Desk::empty();
    let data = folder("refunds-and-chargebacks");
    let told = desk.tieout(&[
        "run",
        data.to_str().unwrap(),
        "--recipe",
        "refunds-and-chargebacks",
        "--ledger",
        "ledger",
        "--quiet",
    ]);
    assert!(matches!(told.status, 0 | 3), "{}", told.stderr);
    let ask = |question: &str| {
        let told = desk.tieout(&["sql", question, "--ledger", "ledger", "--format", "csv"]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        told.stdout
    };
    let pairs = ask(
        "select p.payment_id, p.reverses from payments p join applications a \
         on a.payment_id = p.payment_id where a.status = 'reversed' order by 1 limit 1",
    );
    let (reversal, original) = pairs.lines().nth(1).unwrap().split_once(',').unwrap();
    let explain = |id: &str| {
        let told = desk.tieout(&["explain", id, "--ledger", "ledger"]);
        assert_eq!(told.status, 0, "{id}: {}", told.stderr);
        told.stdout
    };
    let text = explain(reversal);
    assert!(text.contains("Opened again\n"), "{text}");
    assert!(!text.contains("Applied to"), "{text}");
    assert!(
        text.contains(&format!("Undoes payment {original}")),
        "{text}"
    );
    let text = explain(original);
    assert!(text.contains(&format!("Undone by {reversal}")), "{text}");
    // Any line that there is can be asked about, whatever became of it.
    for id in ask("select payment_id from payments").lines().skip(1) {
        let text = explain(id);
        assert!(text.contains("What became of it"), "{text}");
    }
}

#[test]
fn weights_are_learned_the_same_each_time_and_a_recipe_can_name_them() {
    let desk = Desk::with_books();
    desk.put(
        "statement.bai",
        statement(&[("142", 50_000, "B1", "ACME TOOLS INV-10001")]),
    );
    let data = crate::distributor::folder();
    let learn = |out: &str| {
        let told = desk.tieout(&["recipes", "learn", data.to_str().unwrap(), "--out", out]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        fs::read_to_string(desk.path(out)).unwrap()
    };
    let weights = learn("weights.toml");
    assert_eq!(learn("again.toml"), weights);
    assert!(weights.contains("\namount_exact = "), "{weights}");
    let recipe = "name = \"mine\"\nversion = 1\nweights = \"weights.toml\"\n";
    fs::write(desk.path("mine.toml"), recipe).unwrap();
    let told = desk.run(&["--recipe", "mine.toml"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert_eq!(desk.table("payments").column("status"), ["applied"]);
    for (content, says) in [
        (
            "prior = -12\n[bits]\nno_such = 1.0\n",
            "no evidence no_such",
        ),
        ("prior = \"much\"\n", "invalid type"),
    ] {
        fs::write(desk.path("weights.toml"), content).unwrap();
        let told = desk.run(&["--recipe", "mine.toml"]);
        assert_eq!(told.status, 1, "{}", told.stdout);
        assert!(told.stderr.contains("line 3, column"), "{}", told.stderr);
        assert!(told.stderr.contains(says), "{}", told.stderr);
    }
}
