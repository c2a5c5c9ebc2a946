//! Limits, each with its code.

use std::time::{Duration, Instant};

use postgres_protocol::message::frontend;

use crate::client::Client;
use crate::house::{self, House};

/// A query that goes on for ever, as far as a test can tell, in little memory.
pub const ENDLESS: &str = "select count(*) from payments a, payments b, payments c, payments d, \
                       payments e where a.amount + b.amount + c.amount + d.amount + e.amount = 0.00001";

#[test]
fn a_query_ends_with_its_time() {
    let house = House::configured("[limits]\nquery_seconds = 1\n");
    let mut client = house.client();
    let began = Instant::now();
    assert_eq!(client.ask(ENDLESS).state(), "57014");
    assert!(began.elapsed() >= Duration::from_secs(1));
    client.ask("set statement_timeout = '50ms'");
    assert_eq!(client.ask(ENDLESS).state(), "57014");
    client.ask("set statement_timeout = default");
    assert_eq!(client.ask("select 1").one(), "1");
}

/// A statement that is planned for seconds: joins are put in order for a time that grows with their cube.
fn long_to_plan() -> String {
    let tables = 96;
    let join = |place| {
        let before = place - 1;
        format!(" join payments p{place} on p{place}.payment_id = p{before}.payment_id")
    };
    let joins: String = (1..tables).map(join).collect();
    format!("explain select count(*) from payments p0{joins}")
}

#[test]
fn planning_ends_with_its_time() {
    let house = House::configured("[limits]\nqueries_per_user = 1\n");
    let mut client = house.client();
    assert!(client.ask(&long_to_plan()).errors.is_empty());
    client.ask("set statement_timeout = '50ms'");
    assert_eq!(client.ask(&long_to_plan()).state(), "57014");
    // What was planned counts until it has really ended.
    while !client.ask("select 1").errors.is_empty() {}
}

#[test]
fn planning_is_cancelled() {
    let house = House::open_to_all(house::ledger());
    let mut client = house.client();
    let (process, secret) = client.key;
    let address = house.address;
    assert!(client.ask(&long_to_plan()).errors.is_empty());
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let mut buffer = bytes::BytesMut::new();
        frontend::cancel_request(process, secret, &mut buffer);
        std::io::Write::write_all(&mut stream, &buffer).unwrap();
    });
    let answer = client.ask(&long_to_plan());
    assert!(answer.errors[0].1.contains("cancelled"), "{answer:?}");
    canceller.join().unwrap();
    assert_eq!(client.ask("select 1").one(), "1");
}

#[test]
fn a_query_is_cancelled_by_who_knows_its_secret() {
    let house = House::open_to_all(house::ledger());
    let mut client = house.client();
    let (process, secret) = client.key;
    let address = house.address;
    let canceller = std::thread::spawn(move || {
        for key in [secret.wrapping_add(1), secret] {
            std::thread::sleep(Duration::from_millis(200));
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let mut buffer = bytes::BytesMut::new();
            frontend::cancel_request(process, key, &mut buffer);
            std::io::Write::write_all(&mut stream, &buffer).unwrap();
        }
    });
    let answer = client.ask(ENDLESS);
    assert_eq!(answer.state(), "57014");
    assert!(answer.errors[0].1.contains("cancelled"), "{answer:?}");
    canceller.join().unwrap();
    assert_eq!(client.ask("select 1").one(), "1");
}

#[test]
fn memory_has_a_limit_and_grouping_goes_to_files() {
    let house = House::configured("[limits]\nquery_memory_mb = 8\n");
    let mut client = house.client();
    let rows = |count: usize| {
        format!(
            "select a.payment_id || b.payment_id as x, a.amount + b.amount as y \
             from payments a, payments b limit {count}"
        )
    };
    // What a join looks up cannot go to files, and its sorts cannot begin with so little.
    let both = rows(800_000);
    let joined = format!("select count(*) from ({both}) p join ({both}) q on p.x = q.x");
    assert_eq!(client.ask(&joined).state(), "53200");
    let grouped = format!(
        "select count(*) from (select x, array_agg(y) from ({}) t group by x) u",
        rows(200_000)
    );
    assert_eq!(client.ask(&grouped).one(), "200000");
    assert_eq!(client.ask("select 1").one(), "1");
}

#[test]
fn a_join_that_does_not_fit_into_memory_sorts() {
    let house = House::configured("[limits]\nquery_memory_mb = 64\n");
    let mut client = house.client();
    let long =
        "select 'number ' || value || ' of a long list' as x from generate_series(1, 1000000)";
    let joined = format!("select count(*) from ({long}) a join ({long}) b on a.x = b.x");
    assert_eq!(client.ask(&joined).one(), "1000000");
    let plan = client.ask(&format!("explain analyze {joined}"));
    let plan = format!("{:?}", plan.texts());
    assert!(plan.contains("SortMergeJoin"), "{plan}");
}

#[test]
fn a_user_has_so_many_queries_at_a_time() {
    let house = House::configured("[limits]\nqueries_per_user = 1\n");
    let (mut first, mut second) = (house.client(), house.client());
    // A cursor's query runs once it is declared.
    first.ask("begin");
    let declared = first.ask(&format!("declare c cursor for {ENDLESS}"));
    assert_eq!(declared.tags, ["DECLARE CURSOR"]);
    assert_eq!(second.ask("select 1").state(), "53400");
    let mut other = Client::connect(house.address, "bob", "").unwrap();
    assert_eq!(other.ask("select 1").one(), "1");
    first.ask("rollback");
    // It counts until it has really ended.
    while !second.ask("select 1").errors.is_empty() {}
}

#[test]
fn there_are_so_many_connections() {
    let house = House::configured("[limits]\nconnections = 2\n");
    let (_first, second) = (house.client(), house.client());
    let refused = Client::connect(house.address, "ann", "").err().unwrap();
    assert_eq!(refused.0, "53300");
    drop(second);
    while (house.connections)() > 1 {
        std::thread::yield_now();
    }
    house.client();
}

#[test]
fn a_client_that_goes_ends_its_query() {
    let house = House::open_to_all(house::ledger());
    let mut client = house.client();
    client.send(|buffer| frontend::query(ENDLESS, buffer).unwrap());
    std::thread::sleep(Duration::from_millis(100));
    drop(client);
    while (house.connections)() > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}
