//! Views and table functions: all plan, and all are described.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tieout_core::schema::Table;
use tieout_ledger::Ledger;
use tieout_treasury::{
    BlockingTreasury, Described, Kind, Limits, QueryError, functions, relations,
};

use super::{answer, answers, open, parties, refusal, write_ledger};

fn empty() -> (TempDir, BlockingTreasury) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::post(dir.path()).unwrap().finish("x").unwrap();
    let treasury = BlockingTreasury::open(&ledger, &Limits::default()).unwrap();
    (dir, treasury)
}

fn call(described: &Described) -> String {
    let arguments = described.parameters.iter().map(|parameter| {
        if parameter.is_date {
            "'2026-03-31'"
        } else if parameter.name == "reporting_currency" {
            "'EUR'"
        } else {
            "'a1'"
        }
    });
    let arguments: Vec<_> = arguments.collect();
    format!("{}({})", described.name, arguments.join(", "))
}

#[test]
fn every_view_answers_and_every_column_is_described() {
    let ((_empty, empty), (_filled, filled)) = (empty(), open());
    // What is as of a day has the columns of its table.
    let queries =
        relations().filter(|described| described.kind != Kind::Table && described.name != "as_of");
    for described in queries {
        assert!(!described.comment.is_empty(), "{}", described.name);
        let mut ways = Vec::new();
        if described.kind == Kind::View {
            ways.push(described.name.clone());
        }
        if !described.parameters.is_empty() {
            ways.push(call(described));
        }
        for way in ways {
            let sql = format!("select * from {way}");
            answer(&empty, &sql);
            answer(&filled, &sql);
            let schema = filled.query(&sql).unwrap().schema();
            let found: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            let described: Vec<_> = described.columns.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(found, described, "{way}");
        }
    }
}

#[test]
fn the_catalog_says_what_everything_is() {
    let (_dir, treasury) = open();
    let undescribed = answer(
        &treasury,
        "select relation, column_name from catalog where comment is null or comment = ''",
    );
    assert!(undescribed.is_empty(), "{undescribed:?}");
    answers(
        "select kind, data_type, comment from catalog where relation = 'payments' and place <= 1",
        &[
            "table||One row a payment that came in, with what became of it: amount = applied + \
             on_account + unapplied",
            "table|text|Identity of the payment: a hash of what the bank wrote",
        ],
    );
    let views = answer(
        &treasury,
        "select table_name from information_schema.tables where table_type = 'VIEW' \
         and table_schema = 'public'",
    );
    assert!(views.contains(&"cash_position".to_owned()), "{views:?}");
}

#[test]
fn functions_answer() {
    for (sql, expected) in [
        ("select normalize_reference('INV-0048213')", "48213"),
        ("select normalize_reference(null)", ""),
        (
            "select name_similarity('Harbor Intl Mfg', 'HARBOR INTERNATIONAL MANUFACTURING CO')",
            "1",
        ),
        (
            "select bai_type('115'), bai_type(15), bai_type('998')",
            "lockbox deposit|closing ledger|",
        ),
        (
            "select iso_code('PMNT-RCDT-ESCT'), iso_code('CUST', 'reason')",
            "payments, received credit transfers, SEPA credit transfer|requested by the customer",
        ),
        ("select business_days('2026-03-13', '2026-03-16')", "1"),
        (
            "select business_days('2026-04-02', date '2026-04-07', 'target')",
            "1",
        ),
        ("select float_date('2026-03-13', 2)", "2026-03-17"),
        ("select float_date('2026-11-25', 1, 'fed')", "2026-11-27"),
        ("select convert(10, 'EUR', 'EUR', '2026-03-13')", "10.00"),
        ("select convert(10.5, 'EUR', 'USD', '2026-03-13')", ""),
        (
            "select count(name_similarity(name, 'acme')) from parties",
            "2",
        ),
    ] {
        answers(sql, &[expected]);
    }
    let (_dir, treasury) = open();
    for (sql, says) in [
        (
            "select float_date('2026-03-13', 1, 'mars')",
            "the calendars are weekdays, target",
        ),
        ("select iso_code('CUST', 'mars')", "the sets are balance"),
        (
            "select convert(1, 'Euro', 'USD', '2026-03-13')",
            "three capital letters",
        ),
        (
            "select business_days('2026-03-13')",
            "business_days(from, to [, calendar])",
        ),
        ("select * from candidates()", "write candidates(payment_id)"),
        (
            "select * from receivables_ageing('31.3.2026')",
            "write it as '2026-03-31'",
        ),
    ] {
        let error = refusal(&treasury, sql).to_string();
        assert!(error.contains(says), "{sql}: {error}");
    }
    for function in functions() {
        assert!(function.usage.starts_with(function.name) && !function.comment.is_empty());
    }
}

#[test]
fn tables_are_as_they_were_known() {
    let (dir, treasury) = open();
    let path = dir.path().join("ledger");
    let rows = "select count(*) from ";
    assert_eq!(
        answer(&treasury, &format!("{rows} as_of('payments', 1)")),
        ["5"]
    );
    let mut ledger = Ledger::post(&path).unwrap();
    let named = parties(&[("C9", "Late Comer")]);
    ledger.write(Table::Parties, &named).unwrap();
    let ledger = ledger.finish("cash-application").unwrap();
    let treasury = BlockingTreasury::open(&ledger, &Limits::default()).unwrap();
    let first = answer(
        &treasury,
        "select max(recorded_at) from journal where posting = 1",
    );
    for (moment, parties) in [
        ("1".to_owned(), "2"),
        ("2".to_owned(), "3"),
        (format!("'{}'", first[0]), "2"),
        ("date '9999-12-31'".to_owned(), "3"),
        ("'9999-12-31'".to_owned(), "3"),
    ] {
        for relation in ["parties", "history.parties"] {
            let sql = format!("{rows} as_of('{relation}', {moment})");
            assert_eq!(answer(&treasury, &sql), [parties], "{sql}");
        }
    }
    let both = "select count(*) from as_of('parties', 2) n left anti join as_of('parties', 1) b \
                using (party_id)";
    assert_eq!(answer(&treasury, both), ["1"]);
    for (sql, word) in [
        ("select * from as_of('nothing', 1)", "no table nothing"),
        (
            "select * from as_of('explain_payment', 1)",
            "no table explain_payment",
        ),
        ("select * from as_of('payments; drop', 1)", "no table"),
        ("select * from as_of('payments', 3)", "postings 1 to 2"),
        (
            "select * from as_of('payments', date '1999-01-01')",
            "nothing is known as of the end of 1999-01-01 (UTC): the first posting was recorded at ",
        ),
        ("select * from as_of('payments', 'soon')", "write as_of"),
        ("select * from as_of('payments')", "write as_of"),
    ] {
        let refused = refusal(&treasury, sql).to_string();
        assert!(refused.contains(word), "{sql}: {refused}");
    }
}

#[test]
fn arguments_are_values_and_never_sql() {
    let (_dir, treasury) = open();
    let sql = "select count(*) from explain_payment('x'' or payment_id <> ''')";
    assert_eq!(answer(&treasury, sql), ["0"]);
    let sql = "select what, name from explain_payment('a1')";
    assert_eq!(answer(&treasury, sql), ["decision|applied"]);
}

#[test]
fn time_has_a_limit_and_queries_can_be_stopped() {
    const LONG: &str = "select count(*) from generate_series(1, 100000000) a, \
                        generate_series(1, 100000000) b where (a.value * b.value) % 7 = 3";
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(dir.path());
    let limits = Limits {
        time: Some(Duration::from_secs(1)),
        ..Limits::default()
    };
    let treasury = BlockingTreasury::open(&ledger, &limits).unwrap();
    assert_eq!(refusal(&treasury, LONG), QueryError::Time { seconds: 1 });
    let treasury = BlockingTreasury::open(&ledger, &Limits::default()).unwrap();
    let mut rows = treasury.query(LONG).unwrap();
    let canceller = rows.canceller();
    let stopping = std::thread::spawn(move || canceller.cancel());
    assert_eq!(rows.next().unwrap().unwrap_err(), QueryError::Cancelled);
    stopping.join().unwrap();
    assert_eq!(answer(&treasury, "select 1"), ["1"]);
}

pub fn create(name: &str, path: &Path) -> String {
    format!(
        "create external table {name} stored as csv location '{}' \
         options ('format.has_header' 'true')",
        path.display()
    )
}

#[test]
fn own_files_are_joined_in_from_allowed_folders_only() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(&dir.path().join("ledger"));
    let (allowed, other) = (dir.path().join("own"), dir.path().join("other"));
    std::fs::create_dir_all(&allowed).unwrap();
    std::fs::create_dir_all(&other).unwrap();
    let own = allowed.join("regions.csv");
    std::fs::write(&own, "party_id,region\nC1,north\nC2,south\n").unwrap();
    std::fs::write(other.join("secret.csv"), "a\n1\n").unwrap();
    let limits = Limits {
        allow_paths: vec![allowed.clone()],
        ..Limits::default()
    };
    let treasury = BlockingTreasury::open(&ledger, &limits).unwrap();
    answer(&treasury, &create("regions", &own));
    let joined = "select region, count(*) from payments join regions using (party_id) group by 1 \
                  order by 1";
    assert_eq!(answer(&treasury, joined), ["north|2", "south|2"]);
    let way_out = allowed.join("../other/secret.csv");
    let copied = format!("copy payments to '{}'", allowed.join("out.csv").display());
    for (sql, says) in [
        (
            create("x", &other.join("secret.csv")),
            "in no folder that --allow-path names",
        ),
        (
            create("x", &way_out),
            "in no folder that --allow-path names",
        ),
        (create("payments", &own), "'payments' already exists"),
        (
            create("cash_position", &own),
            "'cash_position' already exists",
        ),
        (
            create("x", Path::new("https://example.com/a.csv")),
            "beneath no URL that --allow-url names",
        ),
        (copied, "only read"),
        ("create table x as select 1".to_owned(), "only read"),
    ] {
        let error = refusal(&treasury, &sql).to_string();
        assert!(error.contains(says), "{sql}: {error}");
    }
    #[cfg(unix)]
    {
        let link = allowed.join("link");
        std::os::unix::fs::symlink(&other, &link).unwrap();
        for path in [&link, &allowed] {
            let error = refusal(&treasury, &create("y", path)).to_string();
            assert!(error.contains("in no folder"), "{error}");
        }
    }
    let missing = Limits {
        allow_paths: vec![dir.path().join("nowhere")],
        ..Limits::default()
    };
    let error = BlockingTreasury::open(&ledger, &missing).err().unwrap();
    assert!(matches!(error, QueryError::Folder { .. }), "{error}");
}

/// As PostgreSQL writes and reads them.
#[test]
fn times_are_written_and_read_by_the_patterns_of_postgres() {
    let (_dir, treasury) = empty();
    let noon = "timestamp '2026-03-05 13:07:09.25'";
    for (sql, wanted) in [
        ("to_char(date '2026-03-05', 'YYYY-MM')", "2026-03"),
        ("to_char(date '2026-03-05', 'FMDD.FMMM.YYYY')", "5.3.2026"),
        (
            "to_char(date '2026-03-05', 'Dy DD Mon YY')",
            "Thu 05 Mar 26",
        ),
        ("to_char(date '2026-03-05', '\"Q\"Q FMMonth')", "Q1 March"),
        (
            "to_char(date '2027-01-01', 'IYYY-IW-ID DDD')",
            "2026-53-5 001",
        ),
        (&format!("to_char({noon}, 'HH24:MI:SS.MS')"), "13:07:09.250"),
        (&format!("to_char({noon}, 'HH12:MI am')"), "01:07 pm"),
        ("to_char(date '2026-03-05', '%d/%m/%Y')", "05/03/2026"),
        ("to_date('05.03.2026', 'DD.MM.YYYY')", "2026-03-05"),
        ("to_date('5-MAR-2026', 'DD-MON-YYYY')", "2026-03-05"),
        ("to_date('2026-03-05')", "2026-03-05"),
        (
            "to_timestamp('05.03.2026 13:07', 'DD.MM.YYYY HH24:MI')",
            "2026-03-05T13:07:00",
        ),
        ("to_char(d, p)", "05.03 2026"),
    ] {
        let from = "(values (date '2026-03-05', 'DD.MM YYYY'), (null, 'YYYY'), (date '2026-03-05', null)) t(d, p)";
        let sql = format!("select {sql} from {from} where d is not null and p is not null");
        assert_eq!(answer(&treasury, &sql), [wanted], "{sql}");
    }
    let nulls = "select count(to_char(d, p)) from (values (date '2026-03-05', null), (null, 'YYYY')) t(d, p)";
    assert_eq!(answer(&treasury, nulls), ["0"]);
    for pattern in ["MONTH", "Month", "MON", "YYYY\"", "J", "wat"] {
        let sql = format!("select to_char(date '2026-03-05', '{pattern}')");
        let found = refusal(&treasury, &sql).to_string();
        assert!(found.contains("the pattern"), "{pattern}: {found}");
    }
}
