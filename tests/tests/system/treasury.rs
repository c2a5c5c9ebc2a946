//! What a treasurer asks: the views' figures against another way to count them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use tieout::core::{Amount, Date};

use crate::command::{self, Told};
use crate::desk::Desk;
use crate::distributor::folder;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run_into(desk: &Desk, input: &Path) {
    let input = input.canonicalize().unwrap();
    let words = [
        "run",
        input.to_str().unwrap(),
        "--out",
        "out",
        "--ledger",
        "ledger",
    ];
    let told = desk.tieout(&words);
    assert!(matches!(told.status, 0 | 3), "{}", told.stderr);
}

/// The shipped morning, with its tables as CSV beside the ledger.
fn morning() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let desk = Desk::empty();
        run_into(&desk, &folder());
        desk
    })
}

/// The small folder with accounts and rates, read by the name that the page gives it.
fn small() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let desk = Desk::empty();
        let mut command = command::command();
        command.current_dir(root());
        command.args(["run", "datasets/treasury", "--ledger"]);
        let told: Told = command.arg(desk.path("ledger")).output().unwrap().into();
        assert_eq!(told.status, 3, "{}", told.stderr);
        desk
    })
}

/// Rows of a CSV file as cells by name.
type Rows = Vec<BTreeMap<String, String>>;

fn read(reader: impl std::io::Read) -> Rows {
    let mut reader = csv::Reader::from_reader(reader);
    reader.deserialize().map(Result::unwrap).collect()
}

fn asked(desk: &Desk, sql: &str) -> Rows {
    let told = desk.tieout(&["sql", sql, "--ledger", "ledger", "--format", "csv"]);
    assert_eq!(told.status, 0, "{sql}: {}", told.stderr);
    read(told.stdout.as_bytes())
}

fn table(desk: &Desk, name: &str) -> Rows {
    read(fs::File::open(desk.path("out").join(format!("{name}.csv"))).unwrap())
}

fn amount(text: &str) -> Amount {
    if text.is_empty() {
        Amount::ZERO
    } else {
        text.parse().unwrap()
    }
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok()
}

/// What is left of each item of the morning: identity to signed amount, from the files alone.
fn left_open(desk: &Desk) -> Vec<(BTreeMap<String, String>, Amount)> {
    let mut taken: BTreeMap<String, Amount> = BTreeMap::new();
    for row in table(desk, "applications") {
        if row["status"] == "applied" {
            let parts = ["applied", "discount", "write_off", "deduction"];
            let total: Amount = parts.iter().map(|part| amount(&row[*part])).sum();
            *taken.entry(row["item_id"].clone()).or_default() += total.abs();
        }
    }
    let items = read(fs::File::open(folder().join("open_items.csv")).unwrap());
    let items = items.into_iter().map(|item| {
        let given = amount(&item["open_amount"]).abs();
        let open = given - taken.get(&item["item_id"]).copied().unwrap_or_default();
        let is_credit = matches!(item["kind"].as_str(), "credit_memo" | "on_account");
        (item, if is_credit { -open } else { open })
    });
    items.filter(|(_, open)| !open.is_zero()).collect()
}

#[test]
fn ageing_is_what_the_files_come_to() {
    let desk = morning();
    let today = day("2026-03-16").unwrap();
    let mut expected: BTreeMap<(String, &str), Amount> = BTreeMap::new();
    for (item, open) in left_open(desk) {
        let due = day(&item["due_date"]).or_else(|| day(&item["issue_date"]));
        let bucket = match due.map_or(0, |due| today.days() - due.days()) {
            ..=0 => "current",
            1..=30 => "days_1_30",
            31..=60 => "days_31_60",
            61..=90 => "days_61_90",
            _ => "days_over_90",
        };
        *expected
            .entry((item["party_id"].clone(), bucket))
            .or_default() += open;
    }
    let mut found: BTreeMap<(String, &str), Amount> = BTreeMap::new();
    for row in asked(desk, "select * from receivables_ageing") {
        for bucket in [
            "current",
            "days_1_30",
            "days_31_60",
            "days_61_90",
            "days_over_90",
        ] {
            let key = (row["party_id"].clone(), bucket);
            *found.entry(key).or_default() += amount(&row[bucket]);
        }
    }
    let told = |sums: BTreeMap<(String, &'static str), Amount>| -> Vec<_> {
        sums.into_iter().filter(|(_, sum)| !sum.is_zero()).collect()
    };
    assert!(!expected.is_empty());
    assert_eq!(told(found), told(expected));
}

#[test]
fn rates_of_matching_are_those_of_the_payments() {
    let desk = morning();
    let mut expected: BTreeMap<String, (u64, Amount, u64, Amount)> = BTreeMap::new();
    for row in table(desk, "payments") {
        if row["status"] == "out_of_scope" {
            continue;
        }
        let sums = expected.entry(row["account"].clone()).or_default();
        sums.0 += 1;
        sums.1 += amount(&row["amount"]);
        sums.2 += u64::from(row["status"] == "applied");
        sums.3 += amount(&row["applied"]);
    }
    let rows = asked(desk, "select * from match_rate");
    assert_eq!(rows.len(), expected.len());
    for row in rows {
        let (payments, sum, applied, applied_sum) = expected[&row["account"]];
        assert_eq!(row["payments"], payments.to_string());
        assert_eq!(amount(&row["amount"]), sum);
        assert_eq!(row["straight_through_payments"], applied.to_string());
        assert_eq!(amount(&row["applied_amount"]), applied_sum);
        let rate = applied_sum.units() * 100_000 / sum.units();
        let told = amount(&row["match_rate"]).units();
        assert!((told - rate).abs() <= 5, "{told} {rate}");
    }
}

#[test]
fn cash_that_waits_is_that_of_the_payments() {
    let desk = morning();
    let payments = table(desk, "payments");
    let is_held = |row: &&BTreeMap<String, String>| {
        !matches!(row["status"].as_str(), "out_of_scope" | "duplicate")
    };
    let waits = payments.iter().filter(is_held);
    let sum = |name: &str| -> Amount { waits.clone().map(|row| amount(&row[name])).sum() };
    let rows = asked(desk, "select * from unapplied_cash");
    let told = |name: &str| -> Amount { rows.iter().map(|row| amount(&row[name])).sum() };
    assert_eq!(told("on_account"), sum("on_account"));
    assert_eq!(told("unapplied"), sum("unapplied"));
    let duplicates = asked(desk, "select * from duplicates_prevented");
    assert_eq!(duplicates.len(), table(desk, "duplicates").len());
    let exceptions = asked(desk, "select sum(payments) as n from exceptions_by_reason");
    assert_eq!(
        exceptions[0]["n"],
        table(desk, "exceptions").len().to_string()
    );
    let deductions = asked(desk, "select sum(deduction) as n from deductions");
    let applications = table(desk, "applications");
    let kept_back = applications.iter().filter(|row| row["status"] == "applied");
    let kept_back: Amount = kept_back.map(|row| amount(&row["deduction"])).sum();
    assert_eq!(amount(&deductions[0]["n"]), kept_back);
}

#[test]
fn cash_is_what_the_bank_says() {
    let rows = asked(morning(), "select * from cash_position");
    // 16 March in `statement.bai2`: 1,443,424.62 + 13,267,537.79 - 193,424.62.
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["ledger"], "14517537.79");
    assert_eq!(rows[0]["credits"], "13267537.79");
    assert_eq!(rows[0]["debits"], "193424.62");
    assert_eq!(rows[0]["entity"], "");
}

/// The page's questions, their answers, and the lines of the page that they stand in.
#[test]
fn the_page_shows_what_its_questions_answer() {
    let path = root().join("docs/sql.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut rest = page.as_str();
    let mut told = String::new();
    while let Some((before, after)) = rest.split_once("```sql\n") {
        let (question, after) = after.split_once("```\n").unwrap();
        // An answer follows its question at once.
        let shown = after
            .strip_prefix("\n```text\n")
            .and_then(|text| text.split_once("```\n"));
        let answer = small().tieout(&["sql", question, "--ledger", "ledger"]);
        assert_eq!(answer.status, 0, "{question}: {}", answer.stderr);
        told.extend([before, "```sql\n", question, "```\n\n```text\n"]);
        told.extend([answer.stdout.as_str(), "```\n"]);
        rest = shown.map_or(after, |(_, after)| after);
    }
    told.push_str(rest);
    if told != page && std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        return fs::write(path, told).unwrap();
    }
    assert_eq!(told, page);
}

fn shell(words: &[&str], input: &str) -> Told {
    shell_of(small(), words, input)
}

/// What the shell over the ledger of `desk` answers to `input`.
pub fn shell_of(desk: &Desk, words: &[&str], input: &str) -> Told {
    let mut command = command::command();
    command.current_dir(desk.path("")).stdin(Stdio::piped());
    command.args(["sql", "--ledger", "ledger"]).args(words);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A shell that has stopped reads no more.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_shell_in_a_pipe_answers_line_by_line() {
    let told = shell(
        &["--format", "csv"],
        "select currency,\n  fee -- a comment; with a semicolon\nfrom bank_fees order by 1;\n\
         \\format json\nselect 'a;b' as x; select 2 as y\n",
    );
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert_eq!(
        told.stdout,
        "currency,fee\nEUR,12.50\nUSD,50.00\n{\"x\":\"a;b\"}\n{\"y\":2}\n"
    );
    let told = shell(
        &[],
        "\\d+ exchange_rates\n\\dt\n\\df\n\\chart select currency, fee from bank_fees;\n",
    );
    for part in [
        "table exchange_rates: One row an exchange rate of a day",
        "Units of the quote currency for one of the base currency",
        "| open_items",
        "convert(amount, from, to, date)",
        "█",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
    let told = shell(
        &[],
        "\\o fees.csv\n\\format csv\nselect fee from bank_fees order by 1;\n\\q\nselect 1;\n",
    );
    assert_eq!((told.status, told.stdout.as_str()), (0, ""));
    let written = fs::read_to_string(small().path("fees.csv")).unwrap();
    assert_eq!(written, "fee\n12.50\n50.00\n");
    for (input, says) in [
        (
            "select nosuch from payments;\nselect 1 as one;\n",
            "there is no column nosuch",
        ),
        (
            "\\nosuch\n",
            "there is no command \\nosuch; \\? lists the commands",
        ),
        ("\\d nosuch\n", "there is no table or view nosuch"),
        ("drop table payments;", "is refused: a ledger is only read"),
    ] {
        let told = shell(&[], input);
        assert_eq!(told.status, 1, "{input}");
        assert!(told.stderr.contains(says), "{input}: {}", told.stderr);
        assert!(!told.stdout.contains("one"), "{}", told.stdout);
    }
}

#[test]
fn questions_have_limits() {
    const LONG: &str = "select count(*) from generate_series(1, 100000000) a, \
                        generate_series(1, 100000000) b where (a.value * b.value) % 7 = 3";
    let told = small().tieout(&["sql", LONG, "--ledger", "ledger", "--timeout", "1"]);
    assert_eq!(told.status, 1);
    assert!(
        told.stderr.contains("longer than the 1 s"),
        "{}",
        told.stderr
    );
    let large = "select array_agg(a.value) from generate_series(1, 5000000) a";
    let told = small().tieout(&["sql", large, "--ledger", "ledger", "--memory", "1"]);
    assert!(
        told.stderr.contains("more than the 1 MB"),
        "{}",
        told.stderr
    );
    let create = "create external table own stored as csv location 'in/own.csv'";
    let told = small().tieout(&["sql", create, "--ledger", "ledger"]);
    assert!(told.stderr.contains("only read"), "{}", told.stderr);
    small().put("own.csv", "party_id,region\nC1,north\n");
    let told = shell(
        &["--allow-path", "in", "--format", "csv"],
        "create external table own stored as csv location 'in/own.csv' \
         options ('format.has_header' 'true');\nselect region, amount from payments join own using (party_id);\n",
    );
    assert_eq!(
        told.stdout, "region,amount\nnorth,500.00\n",
        "{}",
        told.stderr
    );
}

#[test]
fn rates_that_come_again_count_once_and_the_last_delivery_counts() {
    let desk = Desk::with_books();
    desk.put(
        "rates.csv",
        "rate_date,base_currency,quote_currency,rate\n2026-03-13,EUR,USD,1.0843\n",
    );
    assert_eq!(desk.run(&["--ledger", "ledger"]).status, 0);
    desk.put(
        "newer.csv",
        "rate_date,base_currency,quote_currency,rate\n2026-03-13,EUR,USD,1.0850\n2026-03-14,EUR,USD,0\n",
    );
    let told = desk.run(&["--ledger", "ledger"]);
    assert_eq!(told.status, 3, "{}", told.stdout);
    let refused = &asked(&desk, "select message from quarantine")[0]["message"];
    assert!(refused.contains("not above zero"), "{refused}");
    let rows = asked(&desk, "select rate from exchange_rates");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["rate"], "1.085");
    let sql = "select convert(100, 'EUR', 'USD', '2026-03-15') as a, \
               convert(108.50, 'USD', 'EUR', '2026-03-15') as b, \
               convert(1, 'USD', 'CHF', '2026-03-15') as c";
    let row = &asked(&desk, sql)[0];
    assert_eq!(
        (&*row["a"], &*row["b"], &*row["c"]),
        ("108.50", "100.00", "")
    );
}
