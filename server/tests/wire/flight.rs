//! Arrow Flight SQL: who may ask, what is answered, what ends a query.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Schema};
use arrow_flight::sql::{
    CommandGetDbSchemas, CommandGetPrimaryKeys, CommandGetTables, CommandGetXdbcTypeInfo, SqlInfo,
};
use arrow_flight::{Action, CancelFlightInfoRequest, CancelFlightInfoResult, IpcMessage};
use prost::Message;
use tieout_server::Verifier;

use crate::columns::{Columns, one};
use crate::house::{self, House, Papers};
use crate::limits::ENDLESS;

fn users() -> String {
    let verifier = Verifier::of("right").unwrap().written();
    format!(
        "[roles.clerk]\ntables = [\"payments\"]\n\
         [users.ann]\npassword = {verifier:?}\nrole = \"clerk\"\n\
         [users.bob]\npassword = {verifier:?}\n"
    )
}

fn row(values: Vec<ArrayRef>) -> RecordBatch {
    let names = (1..=values.len()).map(|place| format!("${place}"));
    RecordBatch::try_from_iter(names.zip(values)).unwrap()
}

#[test]
fn a_password_gives_a_token_and_nothing_else_does() {
    let house = House::with_flight(&users());
    let mut client = Columns::of(&house);
    let refused = client.ask("select 1").unwrap_err();
    assert!(refused.contains("password are needed"), "{refused}");
    for (user, password) in [("ann", "wrong"), ("nobody", "right"), ("", "")] {
        assert!(client.log_in(user, password).is_err(), "{user}");
    }
    client.log_in("ann", "right").unwrap();
    assert_eq!(
        one(&client.ask("select count(*) > 0 from payments").unwrap()),
        "true"
    );
    client.client.set_token("made-up".to_owned());
    let refused = client.ask("select 1").unwrap_err();
    assert!(refused.contains("not valid"), "{refused}");
}

#[test]
fn a_role_reads_and_sees_its_tables_only() {
    let house = House::with_flight(&users());
    let mut ann = Columns::of(&house);
    ann.log_in("ann", "right").unwrap();
    let refused = ann.ask("select * from parties").unwrap_err();
    assert!(refused.contains("42501"), "{refused}");
    let all = CommandGetTables::default();
    let info = ann.wait(async |client| client.get_tables(all).await);
    let tables = ann.fetch(&info.unwrap()).unwrap();
    assert_eq!(tables.column(2).as_string::<i32>().value(0), "payments");
    assert_eq!(tables.num_rows(), 1);
    // What one has prepared is nobody else's.
    let mut statement = ann.prepare("select 1").unwrap();
    let mut bob = Columns::of(&house);
    bob.log_in("bob", "right").unwrap();
    ann.client.set_token(bob.client.token().unwrap().clone());
    assert!(bob.ask("select * from parties limit 1").is_ok());
    let info = ann.wait(async |_| statement.execute().await).unwrap();
    let refused = ann.fetch(&info).unwrap_err();
    assert!(refused.contains("26000"), "{refused}");
}

#[test]
fn rows_are_those_of_the_other_protocol() {
    let house = House::with_flight("");
    let (mut columns, mut rows) = (Columns::of(&house), house.client());
    let sql = "select payment_id, booking_date, currency, amount, status, score \
               from payments order by payment_id";
    let batch = columns.ask(sql).unwrap();
    let text = rows.ask(sql);
    assert!(batch.num_rows() > 3000 && batch.num_rows() == text.rows.len());
    assert_eq!(
        *batch.schema().field(3).data_type(),
        DataType::Decimal128(23, 5)
    );
    let amounts = batch
        .column(3)
        .as_primitive::<arrow::datatypes::Decimal128Type>();
    for (place, row) in text.rows.iter().enumerate() {
        let id = batch.column(0).as_string::<i32>().value(place);
        assert_eq!(row[0].as_deref(), Some(id.as_bytes()));
        assert_eq!(row[3], Some(amounts.value_as_string(place).into_bytes()));
    }
    // No rows have columns all the same, and views of texts are texts.
    let none = columns.ask("select upper(payer_name) as payer from payments where false");
    let none = none.unwrap();
    assert_eq!(
        (none.num_rows(), none.schema().field(0).name().as_str()),
        (0, "payer")
    );
    assert_eq!(*none.schema().field(0).data_type(), DataType::Utf8);
    let view = columns.ask("select * from cash_position").unwrap();
    assert!(view.num_rows() > 0);
}

#[test]
fn parameters_are_of_every_type() {
    let house = House::with_flight("");
    let mut client = Columns::of(&house);
    let sql = "select count(*) from payments where currency = $1 and amount > $2 \
               and booking_date >= $3 and source_line >= $4";
    let mut statement = client.prepare(sql).unwrap();
    let asked = statement.parameter_schema().unwrap();
    let names: Vec<_> = asked
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, ["$1", "$2", "$3", "$4"]);
    let text = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    let amount = Decimal128Array::from(vec![10_000]).with_precision_and_scale(10, 2);
    let typed = row(vec![
        text("USD"),
        Arc::new(amount.unwrap()),
        Arc::new(Date32Array::from(vec![0])),
        Arc::new(Int32Array::from(vec![1])),
    ]);
    let counted = one(&client.run(&mut statement, typed).unwrap());
    let plain = "select count(*) from payments where currency = 'USD' and amount > 100";
    assert_eq!(counted, one(&client.ask(plain).unwrap()));
    assert_ne!(counted, "0");
    // Clients that know texts only, and wider numbers.
    let texts = row(vec![
        text("USD"),
        text("100.00"),
        text("1970-01-01"),
        Arc::new(Int64Array::from(vec![1])),
    ]);
    assert_eq!(one(&client.run(&mut statement, texts).unwrap()), counted);
    let floats = row(vec![
        text("USD"),
        Arc::new(Float64Array::from(vec![100.0])),
        text("1970-01-01"),
        text("1"),
    ]);
    assert_eq!(one(&client.run(&mut statement, floats).unwrap()), counted);
    let null = row(vec![
        Arc::new(StringArray::from(vec![None::<&str>])),
        text("1"),
        text("1970-01-01"),
        text("1"),
    ]);
    assert_eq!(one(&client.run(&mut statement, null).unwrap()), "0");
    let wrong = row(vec![text("USD"), text("x"), text("1970-01-01"), text("1")]);
    let refused = client.run(&mut statement, wrong).unwrap_err();
    assert!(refused.contains("parameter $2"), "{refused}");
    let few = row(vec![text("USD")]);
    let refused = client.run(&mut statement, few).unwrap_err();
    assert!(
        refused.contains("needs 4 parameters and got 1"),
        "{refused}"
    );
    let two = Arc::new(StringArray::from(vec!["USD", "EUR"])) as ArrayRef;
    let mut short = client.prepare("select $1 as x").unwrap();
    let refused = client.run(&mut short, row(vec![two])).unwrap_err();
    assert!(refused.contains("one row"), "{refused}");
    client.wait(async |_| short.close().await).unwrap();
}

#[test]
fn clients_are_told_what_there_is() {
    let house = House::with_flight("");
    let mut client = Columns::of(&house);
    let info = client.wait(async |client| client.get_catalogs().await);
    assert_eq!(one(&client.fetch(&info.unwrap()).unwrap()), "tieout");
    let info =
        client.wait(async |client| client.get_db_schemas(CommandGetDbSchemas::default()).await);
    let schemas = client.fetch(&info.unwrap()).unwrap();
    let names: Vec<_> = schemas
        .column(1)
        .as_string::<i32>()
        .iter()
        .flatten()
        .collect();
    assert_eq!(names, ["history", "public"]);
    let payments = CommandGetTables {
        db_schema_filter_pattern: Some("public".to_owned()),
        table_name_filter_pattern: Some("payment_".to_owned()),
        include_schema: true,
        ..CommandGetTables::default()
    };
    let info = client.wait(async |client| client.get_tables(payments).await);
    let tables = client.fetch(&info.unwrap()).unwrap();
    assert_eq!(tables.num_rows(), 1);
    let bytes = tables.column(4).as_binary::<i32>().value(0).to_vec();
    let schema = Schema::try_from(IpcMessage(bytes.into())).unwrap();
    assert_eq!(schema.field(0).name(), "payment_id");
    let info = client.wait(async |client| client.get_table_types().await);
    assert_eq!(client.fetch(&info.unwrap()).unwrap().num_rows(), 2);
    let wanted = vec![
        SqlInfo::FlightSqlServerName,
        SqlInfo::FlightSqlServerReadOnly,
    ];
    let info = client.wait(async |client| client.get_sql_info(wanted).await);
    assert_eq!(client.fetch(&info.unwrap()).unwrap().num_rows(), 2);
    let info = client.wait(async |client| {
        let all = CommandGetXdbcTypeInfo::default();
        client.get_xdbc_type_info(all).await
    });
    let types = client.fetch(&info.unwrap()).unwrap();
    let names: Vec<_> = types
        .column(0)
        .as_string::<i32>()
        .iter()
        .flatten()
        .collect();
    assert!(
        names.contains(&"numeric") && names.contains(&"date"),
        "{names:?}"
    );
    let info = client.wait(async |client| {
        let table = CommandGetPrimaryKeys {
            table: "payments".to_owned(),
            ..CommandGetPrimaryKeys::default()
        };
        client.get_primary_keys(table).await
    });
    assert_eq!(client.fetch(&info.unwrap()).unwrap().num_rows(), 0);
}

#[test]
fn a_statement_is_planned_once_for_its_ticket_and_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger");
    house::run(vec![house::data().join("parties.csv")], &ledger);
    let house = House::with_flight_over(&users(), &ledger);
    let plans = || (house.plans)();
    let mut client = Columns::of(&house);
    client.log_in("bob", "right").unwrap();
    let sql = "select count(*) from parties";
    let count = one(&client.ask(sql).unwrap());
    assert_eq!(plans(), 1);
    // A ticket is good for one call; whoever brings it again has it planned again.
    let info = client.wait(async |client| client.execute(sql.to_owned(), None).await);
    let info = info.unwrap();
    assert_eq!(plans(), 2);
    assert_eq!(one(&client.fetch(&info).unwrap()), count);
    assert_eq!(plans(), 2);
    assert_eq!(one(&client.fetch(&info).unwrap()), count);
    assert_eq!(plans(), 3);
    // One of somebody else is planned for whoever brings it, within their rights.
    let info = client.wait(async |client| client.execute(sql.to_owned(), None).await);
    let info = info.unwrap();
    let mut ann = Columns::of(&house);
    ann.log_in("ann", "right").unwrap();
    let refused = ann.fetch(&info).unwrap_err();
    assert!(refused.contains("42501"), "{refused}");
    assert_eq!(plans(), 5);
    assert_eq!(one(&client.fetch(&info).unwrap()), count);
    assert_eq!(plans(), 5);
    // A prepared statement is planned once, however often it runs.
    let mut statement = client.prepare(sql).unwrap();
    for _ in 0..3 {
        let info = client.wait(async |_| statement.execute().await);
        assert_eq!(one(&client.fetch(&info.unwrap()).unwrap()), count);
    }
    assert_eq!(plans(), 6);
    // After a commit the rows are those of the new state, and both are planned for it.
    let info = client.wait(async |client| client.execute(sql.to_owned(), None).await);
    let info = info.unwrap();
    assert_eq!(plans(), 7);
    let more = dir.path().join("parties.csv");
    std::fs::write(&more, "party_id,role,name\nN1,customer,Newcomer\n").unwrap();
    house::run(vec![more], &ledger);
    let after = one(&client.fetch(&info).unwrap());
    assert_eq!(
        after.parse::<u64>().unwrap(),
        count.parse::<u64>().unwrap() + 1
    );
    assert_eq!(plans(), 8);
    let info = client.wait(async |_| statement.execute().await);
    assert_eq!(one(&client.fetch(&info.unwrap()).unwrap()), after);
    assert_eq!(plans(), 9);
}

#[test]
fn nothing_is_written() {
    let house = House::with_flight("");
    let mut client = Columns::of(&house);
    for sql in [
        "delete from payments",
        "create table t (a int)",
        "copy payments to '/tmp/x'",
    ] {
        let refused = client.ask(sql).unwrap_err();
        assert!(
            refused.contains("25006") || refused.contains("42501"),
            "{refused}"
        );
        assert!(client.prepare(sql).is_err(), "{sql}");
        let updated = client.wait(async |client| client.execute_update(sql.to_owned(), None).await);
        assert!(updated.is_err(), "{sql}");
    }
    for (sql, word) in [
        ("select * from nothing", "42P01"),
        ("selec 1", "42601"),
        ("", "42601"),
        ("select 1; select 2", "one statement"),
        ("set search_path = x", "0A000"),
        ("select 1/0", "22012"),
    ] {
        let refused = client.ask(sql).unwrap_err();
        assert!(refused.contains(word), "{sql}: {refused}");
    }
    assert_eq!(one(&client.ask("select 1").unwrap()), "1");
}

#[test]
fn a_query_has_its_limits_here_too() {
    let house = House::with_flight("[limits]\nquery_seconds = 1\nquery_memory_mb = 8\n");
    let mut client = Columns::of(&house);
    let refused = client.ask(ENDLESS).unwrap_err();
    assert!(refused.contains("57014"), "{refused}");
    let large = "select a.payment_id || b.payment_id as x from payments a, payments b limit 800000";
    let joined = format!("select count(*) from ({large}) p join ({large}) q on p.x = q.x");
    let refused = client.ask(&joined).unwrap_err();
    assert!(
        refused.contains("53200") || refused.contains("57014"),
        "{refused}"
    );
    assert_eq!(one(&client.ask("select 1").unwrap()), "1");
}

#[test]
fn a_query_is_cancelled_by_its_info() {
    let house = House::with_flight("[limits]\nqueries_per_user = 1\n");
    let mut client = Columns::of(&house);
    let info = client.wait(async |client| client.execute(ENDLESS.to_owned(), None).await);
    let info = info.unwrap();
    let wish = CancelFlightInfoRequest::new(info.clone()).encode_to_vec();
    let action = Action::new("CancelFlightInfo", wish);
    let mut other = Columns::of(&house);
    let mut cancel = move || {
        let told = other.wait(async |client| {
            let mut results = client.do_action(action.clone()).await?;
            results
                .message()
                .await
                .map_err(arrow_flight::error::FlightError::from)
        });
        CancelFlightInfoResult::decode(told.unwrap().unwrap().body)
            .unwrap()
            .status
    };
    // Nothing runs yet.
    assert_eq!(cancel(), 3);
    let mut third = Columns::of(&house);
    let canceller = std::thread::spawn(move || {
        // A user's queries are counted here as well.
        while !third
            .ask("select 1")
            .is_err_and(|refused| refused.contains("53400"))
        {}
        while cancel() != 2 {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let refused = client.fetch(&info).unwrap_err();
    assert!(refused.contains("cancelled"), "{refused}");
    canceller.join().unwrap();
    // It counts until it has really ended.
    while client.ask("select 1").is_err() {}
}

#[test]
fn a_client_that_leaves_ends_its_query() {
    let house = House::with_flight("[limits]\nqueries_per_user = 1\n");
    let mut client = Columns::of(&house);
    client.begin_and_go(ENDLESS, Duration::from_millis(200));
    while client.ask("select 1").is_err() {}
    drop(client);
    while (house.connections)() > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn connections_without_anybody_end() {
    let house = House::with_flight(&format!(
        "[limits]\nlogin_seconds = 1\nconnections = 2\n{}",
        users()
    ));
    let address = house.flight.clone().unwrap().replace("grpc://", "");
    let mut silent = TcpStream::connect(&address).unwrap();
    let mut noisy = TcpStream::connect(&address).unwrap();
    noisy.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut rest = Vec::new();
    let _ = noisy.read_to_end(&mut rest);
    rest.clear();
    let _ = silent.read_to_end(&mut rest);
    while (house.connections)() > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut client = Columns::of(&house);
    client.log_in("bob", "right").unwrap();
    // Who is in may be silent for longer.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(one(&client.ask("select 1").unwrap()), "1");
}

#[test]
fn columns_go_by_tls_with_the_same_certificate() {
    let papers = Papers::new();
    let house = House::with_flight(&format!("{}{}", papers.lines(), users()));
    // Another certificate, for the same name.
    assert!(Columns::by_tls(&house, Papers::new().certificate.as_bytes()).is_err());
    let mut client = Columns::by_tls(&house, papers.certificate.as_bytes()).unwrap();
    client.log_in("bob", "right").unwrap();
    assert_eq!(one(&client.ask("select 1").unwrap()), "1");
    // In the clear there is nothing.
    let address = house.flight.clone().unwrap().replace("grpc+tls://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.starts_with(&[0, 0]), "{rest:?}");
}
