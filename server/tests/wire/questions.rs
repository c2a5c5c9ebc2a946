//! What clients ask and get.

use std::fs;

use postgres_protocol::message::frontend;

use crate::house::{self, House};

const INT4: u32 = 23;
const INT8: u32 = 20;
const TEXT: u32 = 25;
const NUMERIC: u32 = 1700;
const DATE: u32 = 1082;
const TEXT_ARRAY: u32 = 1009;

fn house() -> House {
    House::open_to_all(house::ledger())
}

#[test]
fn a_simple_query_has_rows_in_text() {
    let house = house();
    let mut client = house.client();
    let answer = client.ask("select count(*), sum(amount) from payments; select 'x' as y");
    assert_eq!(answer.tags, ["SELECT 1", "SELECT 1"]);
    assert_eq!(answer.columns, [("y".to_owned(), TEXT)]);
    let count: u64 = answer.one().parse().unwrap();
    assert!(count > 0);
    assert_eq!(answer.status, b'I');
    assert_eq!(client.ask("").tags, Vec::<String>::new());
}

#[test]
fn errors_have_their_codes_and_the_connection_goes_on() {
    let house = house();
    let mut client = house.client();
    for (sql, state) in [
        ("selec 1", "42601"),
        ("select * from nowhere", "42P01"),
        ("select nothing from payments", "42703"),
        ("delete from payments", "25006"),
        ("create table t (a int)", "25006"),
        (
            "create external table t stored as csv location '/etc/passwd'",
            "42601",
        ),
        ("copy payments to '/tmp/x'", "42501"),
        ("select * into t from payments", "25006"),
        ("select 1/0", "22012"),
        ("show nonsense", "42704"),
        ("set role clerk", "0A000"),
        ("fetch 1 from c", "34000"),
    ] {
        let answer = client.ask(sql);
        assert_eq!(answer.state(), state, "{sql}: {answer:?}");
    }
    assert_eq!(client.ask("select 1").one(), "1");
}

#[test]
fn files_are_no_tables() {
    let house = house();
    let mut client = house.client();
    let answer = client.ask("select * from '/etc/passwd'");
    assert!(!answer.errors.is_empty(), "{answer:?}");
    let file = house::data().join("parties.csv");
    let answer = client.ask(&format!("select * from \"{}\"", file.display()));
    assert_eq!(answer.state(), "42P01");
}

#[test]
fn parameters_of_every_type_are_taken() {
    let house = house();
    let mut client = house.client();
    for (sql, types, value, wanted) in [
        ("select $1 + 1", vec![INT4], "41", "42"),
        ("select $1 + 1", vec![INT8], "41", "42"),
        (
            "select cast($1 as decimal(23,5)) * 2",
            vec![NUMERIC],
            "0.50",
            "1.00000",
        ),
        ("select $1 || 'y'", vec![TEXT], "x", "xy"),
        ("select $1", vec![], "x", "x"),
        (
            "select $1 + interval '1 day'",
            vec![DATE],
            "2026-02-28",
            "2026-03-01",
        ),
        (
            "select case when $1 then 'yes' else 'no' end",
            vec![16],
            "t",
            "yes",
        ),
        ("select 'b' = any($1)", vec![TEXT_ARRAY], "{a,b}", "t"),
        ("select 'b' = any($1)", vec![], "{a,c}", "f"),
        ("select $1", vec![701], "1.5", "1.5"),
        (
            "select $1",
            vec![1114],
            "2026-01-02 03:04:05",
            "2026-01-02 03:04:05",
        ),
    ] {
        let answer = client.ask_with(sql, &types, &[Some(value)], false);
        assert!(answer.one().starts_with(wanted), "{sql}: {answer:?}");
    }
    let answer = client.ask_with("select $1 is null", &[TEXT], &[None], false);
    assert_eq!(answer.one(), "t");
    let answer = client.ask_with("select $1 + 1", &[INT4], &[Some("x")], false);
    assert_eq!(answer.state(), "22P02");
}

#[test]
fn a_parameter_takes_the_type_of_its_place() {
    let house = house();
    let mut client = house.client();
    let sql = "select count(*) from payments where amount > $1 and status = $2 limit $3";
    let values = [Some("100.00"), Some("applied"), Some("1")];
    let answer = client.ask_with(sql, &[], &values, false);
    assert_eq!(answer.parameters, [NUMERIC, TEXT, INT8]);
    let count: u64 = answer.one().parse().unwrap();
    assert!(count > 0);
    let answer = client.ask_with(sql, &[], &values[..2], false);
    assert_eq!(answer.state(), "08P01");
}

#[test]
fn binary_values_are_those_of_postgres() {
    let house = house();
    let mut client = house.client();
    let sql = "select cast(1234.5 as decimal(10,1)), cast(7 as bigint), true, 'x', \
               cast('2000-01-02' as date), make_array(1, null)";
    let answer = client.ask_with(sql, &[], &[], true);
    assert_eq!(answer.errors, []);
    let wanted: [&[u8]; 5] = [
        &[0, 2, 0, 0, 0, 0, 0, 1, 4, 210, 19, 136],
        &[0, 0, 0, 0, 0, 0, 0, 7],
        &[1],
        b"x",
        &[0, 0, 0, 1],
    ];
    for (value, wanted) in answer.rows[0].iter().zip(wanted) {
        assert_eq!(value.as_deref(), Some(wanted));
    }
    let list = answer.rows[0][5].as_ref().unwrap();
    assert_eq!(list[..8], [0, 0, 0, 1, 0, 0, 0, 1]);
}

#[test]
fn a_prepared_statement_is_used_again_in_parts() {
    let house = house();
    let mut client = house.client();
    let total = client.ask("select count(*) from payments").one();
    client.send(|buffer| {
        let sql = "select payment_id from payments where amount > $1 order by payment_id";
        frontend::parse("s", sql, [], buffer).unwrap();
    });
    let first = client.bind("s", &[Some("0")], false, 10);
    assert_eq!((first.rows.len(), first.suspended), (10, 1));
    let all = client.bind("s", &[Some("-1000000000")], false, 0);
    assert_eq!(all.tags, [format!("SELECT {total}")]);
    // Inside a transaction a portal lives on from group to group.
    client.ask("begin");
    let mut seen = client
        .bind("s", &[Some("-1000000000")], false, 7)
        .rows
        .len();
    loop {
        client.send(|buffer| {
            frontend::execute("", 7, buffer).unwrap();
            frontend::sync(buffer);
        });
        let part = client.answer();
        seen += part.rows.len();
        if part.suspended == 0 {
            break;
        }
    }
    assert_eq!(seen.to_string(), total);
    assert_eq!(client.ask("commit").tags, ["COMMIT"]);
}

#[test]
fn after_an_error_messages_are_left_out_until_sync() {
    let house = house();
    let mut client = house.client();
    client.send(|buffer| {
        frontend::parse("", "select wrong", [], buffer).unwrap();
        frontend::describe(b'S', "", buffer).unwrap();
        frontend::execute("", 0, buffer).unwrap();
        frontend::sync(buffer);
    });
    assert_eq!(client.answer().state(), "42703");
    client.send(frontend::sync);
    assert_eq!(client.answer().errors, []);
}

#[test]
fn cursors_give_rows_as_asked() {
    let house = house();
    let mut client = house.client();
    let outside = client.ask("declare c cursor for select 1");
    assert_eq!(outside.state(), "25P01");
    client.ask("begin");
    let sql = "declare \"c\" cursor for select payment_id from payments order by payment_id";
    assert_eq!(client.ask(sql).tags, ["DECLARE CURSOR"]);
    let first = client.ask("fetch forward 5 from \"c\"");
    assert_eq!((first.rows.len(), &first.tags[0][..]), (5, "FETCH 5"));
    let second = client.ask_with("fetch forward 5 from \"c\"", &[], &[], false);
    assert_eq!(second.rows.len(), 5);
    assert_ne!(first.rows, second.rows);
    assert!(client.ask("fetch all from c").rows.len() > 10);
    assert_eq!(client.ask("fetch 5 from c").tags, ["FETCH 0"]);
    client.ask("declare Bits binary cursor for select 7, 'a'");
    let wanted = [&7_i64.to_be_bytes()[..], b"a"].map(|bytes| Some(bytes.to_vec()));
    assert_eq!(client.ask("fetch all from bits").rows, [wanted]);
    assert_eq!(client.ask("close BITS").tags, ["CLOSE CURSOR"]);
    assert_eq!(client.ask("close c").tags, ["CLOSE CURSOR"]);
    assert_eq!(client.ask("fetch 1 from c").state(), "34000");
    assert_eq!(client.ask("select 1").state(), "25P02");
    assert_eq!(client.ask("commit").tags, ["ROLLBACK"]);
    assert_eq!(client.ask("select 1").one(), "1");
}

#[test]
fn rows_are_copied_out() {
    let house = house();
    let mut client = house.client();
    let rows = "copy (select 'a,b' as x, null as y, '' as z) to stdout";
    for options in ["with (format csv, header)", "csv header", "with csv header"] {
        let answer = client.ask(&format!("{rows} {options}"));
        assert_eq!(answer.copied(), "x,y,z\n\"a,b\",,\"\"\n", "{options}");
        assert_eq!(answer.tags, ["COPY 1"]);
    }
    let answer = client.ask(&format!(
        "{rows} (format csv, delimiter ';', null '-', force_quote (x))"
    ));
    assert_eq!(answer.copied(), "\"a,b\";-;\n");
    let text = client.ask("copy (select 'a\tb', null) to stdout");
    assert_eq!(text.copied(), "a\\tb\t\\N\n");
    let nothing = client.ask("copy (select 1 as a) to stdout (format csv, force_quote (b))");
    assert_eq!(nothing.state(), "42703");
    let table = client.ask("copy payments (payment_id, amount) to stdout");
    let total: usize = client
        .ask("select count(*) from payments")
        .one()
        .parse()
        .unwrap();
    assert_eq!(table.copied().lines().count(), total);
}

#[test]
fn rows_are_copied_out_in_binary() {
    let house = house();
    let mut client = house.client();
    let rows = "select 'ab' as x, cast(null as bigint) as y, date '2000-01-02' as z";
    let wanted = [
        &b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"[..],
        b"\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\x04\0\0\0\x01",
        b"\xff\xff",
    ]
    .concat();
    for options in ["with (format binary)", "binary"] {
        let answer = client.ask(&format!("copy ({rows}) to stdout {options}"));
        assert_eq!(answer.copied, wanted, "{options}: {answer:?}");
        assert_eq!(answer.tags, ["COPY 1"]);
        // The beginning comes with the first row: there are clients that count on it.
        assert_eq!(answer.copies, 2);
    }
    let none = client.ask("copy (select 1 where false) to stdout binary");
    assert_eq!(none.copied, [&wanted[..19], b"\xff\xff"].concat());
}

#[test]
fn statements_are_prepared_by_their_words() {
    let house = house();
    let mut client = house.client();
    let prepared = client.ask("prepare Found (text, int) as select $1 || 'x', $2 + 1");
    assert_eq!(prepared.tags, ["PREPARE"]);
    let answer = client.ask("execute found('it''s ', -3)");
    let wanted = ["it's x", "-2"].map(|text| Some(text.to_owned()));
    assert_eq!(answer.texts(), [wanted]);
    assert_eq!(answer.tags, ["SELECT 1"]);
    assert_eq!(answer.columns.len(), 2);
    let nulls = client.ask("execute \"found\"(null, null)");
    assert_eq!(nulls.texts(), [[None, None]]);
    // As a statement of the protocol, which clients send for whatever their users write.
    let answer = client.ask_with("execute found('a', 1)", &[], &[], false);
    assert_eq!(answer.texts()[0][0].as_deref(), Some("ax"));
    assert_eq!(answer.parameters, Vec::<u32>::new());
    assert_eq!(answer.columns.len(), 2);
    for (sql, state) in [
        ("prepare found as select 1", "42P05"),
        ("prepare other as select * from nowhere", "42P01"),
        ("execute nobody", "26000"),
        ("execute found('a')", "08P01"),
        ("execute found('a', 'b')", "22P02"),
        ("execute found('a', 1 + 1)", "0A000"),
    ] {
        assert_eq!(client.ask(sql).state(), state, "{sql}");
    }
    // One that would execute itself for ever.
    client.send(|buffer| frontend::parse("again", "execute again", [], buffer).unwrap());
    assert_eq!(client.bind("again", &[], false, 0).state(), "0A000");
    assert_eq!(client.ask("execute again").state(), "0A000");
    assert_eq!(client.ask("deallocate FOUND").tags, ["DEALLOCATE"]);
    assert_eq!(client.ask("execute found('a', 1)").state(), "26000");
}

#[test]
fn settings_end_with_their_transaction() {
    let house = house();
    let mut client = house.client();
    let told = |zone: &str| vec![("TimeZone".to_owned(), zone.to_owned())];
    let outside = client.ask("set local timezone = 'Asia/Tokyo'");
    assert_eq!(
        (outside.tags, outside.settings),
        (vec!["SET".to_owned()], vec![])
    );
    assert_eq!(client.ask("show timezone").one(), "UTC");
    client.ask("begin");
    let set = client.ask("set local timezone = 'Asia/Tokyo'");
    assert_eq!(set.settings, told("Asia/Tokyo"));
    assert_eq!(client.ask("show timezone").one(), "Asia/Tokyo");
    assert_eq!(client.ask("commit").settings, told("UTC"));
    assert_eq!(client.ask("show timezone").one(), "UTC");
    client.ask("begin; set timezone = 'Asia/Tokyo'");
    assert_eq!(client.ask("rollback").settings, told("UTC"));
    client.ask("begin; set timezone = 'Asia/Tokyo'");
    assert_eq!(client.ask("commit").settings, []);
    assert_eq!(client.ask("reset timezone").settings, told("UTC"));
    // A limit of a transaction, and none after it.
    client.ask("begin; set local statement_timeout = '1ms'");
    let long = "select count(*) from generate_series(1, 1000000000)";
    assert_eq!(client.ask(long).state(), "57014");
    assert_eq!(client.ask("commit").tags, ["ROLLBACK"]);
    assert_eq!(client.ask("show statement_timeout").one(), "0");
    assert_eq!(client.ask("rollback to savepoint a").state(), "25P01");
}

#[test]
fn texts_are_arrays_where_arrays_are_meant() {
    let house = house();
    let mut client = house.client();
    for (sql, wanted) in [
        ("select 'a' = any('{a,b}'::text[])", "t"),
        ("select 'a,b' = any('{\"a,b\",c}')", "t"),
        ("select 'a' = any('{\"a,b\",c}')", "f"),
        ("select 'a' <> all('{\"a,b\",c}')", "t"),
        ("select '{a,\"b c\",NULL}'::text[]", "{a,\"b c\",NULL}"),
        ("select '{1,2}'::int[]", "{1,2}"),
        ("select 1.5 = any('{1.50,2}'::numeric[])", "t"),
        ("select '2' = any(array[1,2]::text[])", "t"),
        ("select 'x' = any(array[1,2]::text[])", "f"),
        ("select 1 = any('{}'::int[])", "f"),
        ("select '{}'::date[]", "{}"),
    ] {
        assert_eq!(client.ask(sql).one(), wanted, "{sql}");
    }
    for sql in [
        "select 1 = any('x')",
        "select '{a'::text[]",
        "select '{a}'::int[]",
    ] {
        assert_eq!(client.ask(sql).state(), "22P02", "{sql}");
    }
}

#[test]
fn types_tell_how_their_values_are_read() {
    let house = house();
    let mut client = house.client();
    let sql = "select typname, typreceive from pg_catalog.pg_type where (typreceive != 0 or \
               typsend != 0) and typtype != 'r' and typreceive::text != 'array_recv' and \
               typname in ('int8', 'numeric', 'timestamptz') order by 1";
    let wanted = [
        ["int8", "int8recv"],
        ["numeric", "numeric_recv"],
        ["timestamptz", "timestamptz_recv"],
    ];
    let found = client.ask(sql).texts();
    assert_eq!(
        found,
        wanted.map(|row| row.map(|text| Some(text.to_owned())))
    );
}

#[test]
fn the_catalog_tells_of_tables_and_columns() {
    let house = house();
    let mut client = house.client();
    for (sql, wanted) in [
        (
            "select 'payments'::regclass::oid = oid from pg_class where relname = 'payments' and relnamespace = 2200",
            "t",
        ),
        (
            "select relname from pg_catalog.pg_class where oid = 'payments'::regclass",
            "payments",
        ),
        (
            "select oid::regclass::text from pg_class where relname = 'open_items' and relnamespace = 2200",
            "open_items",
        ),
        (
            "select pg_catalog.format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'payments'::regclass and attname = 'amount'",
            "numeric(23,5)",
        ),
        (
            "select data_type from information_schema.columns where table_schema = current_schema() and table_name = 'payments' and column_name = 'amount'",
            "numeric",
        ),
        (
            "select table_type from information_schema.tables where table_name = 'payments' and table_schema = 'public'",
            "BASE TABLE",
        ),
        (
            "select count(*) from pg_index i join pg_class c on c.oid = i.indrelid",
            "0",
        ),
        (
            "select count(*) from pg_class c where relname operator(pg_catalog.~) '^(payments)$' collate pg_catalog.default",
            "2",
        ),
        ("select current_database()", "tieout"),
        ("select current_user", "ann"),
        ("select current_setting('server_version_num')", "150000"),
        ("select typname from pg_type where oid = 1700", "numeric"),
        ("show transaction isolation level", "repeatable read"),
    ] {
        assert_eq!(client.ask(sql).one(), wanted, "{sql}");
    }
    let answer = client.ask("select 'nowhere'::regclass");
    assert_eq!(answer.state(), "42P01");
    let version = client.ask("select version()");
    assert!(version.one().starts_with("PostgreSQL 15"));
    assert_eq!(version.columns[0].0, "version");
}

#[test]
fn a_new_query_sees_a_new_posting_and_a_transaction_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger");
    let files = |some: &[&str]| {
        let mut paths = Vec::new();
        for entry in fs::read_dir(house::data()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if some.contains(&&*name) == (some[0] == "parties.csv") {
                paths.push(path);
            }
        }
        paths
    };
    house::run(files(&["parties.csv", "open_items.csv"]), &ledger);
    let house = House::open_to_all(&ledger);
    let (mut inside, mut outside) = (house.client(), house.client());
    let count = "select count(*) from payments";
    assert_eq!(outside.ask(count).one(), "0");
    inside.ask("begin");
    assert_eq!(inside.ask(count).one(), "0");
    inside.send(|buffer| frontend::parse("s", count, [], buffer).unwrap());
    house::run(vec![house::data()], &ledger);
    let after: u64 = outside.ask(count).one().parse().unwrap();
    assert!(after > 0);
    assert_eq!(inside.ask(count).one(), "0");
    inside.ask("commit");
    // A statement that was prepared before sees it too, and is planned anew once for that.
    let plans = (house.plans)();
    for _ in 0..3 {
        assert_eq!(inside.bind("s", &[], false, 0).one(), after.to_string());
    }
    assert_eq!((house.plans)(), plans + 1);
}
