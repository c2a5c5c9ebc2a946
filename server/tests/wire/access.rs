//! Passwords, roles, encryption.

use std::io::{Read, Write};
use std::net::TcpStream;

use tieout_server::Verifier;

use crate::client::Client;
use crate::house::{House, Papers};

fn users() -> String {
    let verifier = Verifier::of("right").unwrap().written();
    format!(
        "[users.ann]\npassword = {verifier:?}\nrole = \"clerk\"\n\
         [users.bob]\npassword = {verifier:?}\n\
         [roles.clerk]\ntables = [\"payments\"]\n"
    )
}

#[test]
fn a_password_is_proved() {
    let house = House::configured(&users());
    let mut client = Client::connect(house.address, "bob", "right").unwrap();
    assert_eq!(client.ask("select current_user").one(), "bob");
    for (user, password) in [("bob", "wrong"), ("bob", ""), ("nobody", "right")] {
        let refused = Client::connect(house.address, user, password)
            .err()
            .unwrap();
        assert_eq!(refused.0, "28P01", "{user}: {refused:?}");
    }
}

#[test]
fn a_role_reads_its_tables_only() {
    let house = House::configured(&users());
    let mut ann = Client::connect(house.address, "ann", "right").unwrap();
    assert!(ann.ask("select * from payments").errors.is_empty());
    for sql in [
        "select * from parties",
        "select * from history.payments",
        "select 1 where exists (select 1 from open_items)",
        "with payments as (select * from parties) select * from payments",
        "copy parties to stdout",
        "begin; declare c cursor for select * from parties",
        "explain select * from parties",
        "select * from as_of('parties', 1)",
        "select * from as_of('history.payments', 1)",
        "select * from as_of('par' || 'ties', 1)",
        "select * from \"as_of\"('parties', 1)",
        "select * from as_of(cast('parties' as text), 1)",
        "select * from payments, lateral as_of('parties', 1)",
        "select * from table(as_of('parties', 1))",
    ] {
        let answer = ann.ask(sql);
        assert!(
            ["42501", "0A000"].contains(&answer.state()),
            "{sql}: {answer:?}"
        );
        ann.ask("rollback");
    }
    let earlier = ann.ask("select count(*) > 0 from as_of('payments', 1) p");
    assert_eq!(earlier.one(), "t");
    let mut bob = Client::connect(house.address, "bob", "right").unwrap();
    for sql in [
        "select * from parties",
        "select * from as_of('par' || 'ties', 1)",
    ] {
        assert!(bob.ask(sql).errors.is_empty(), "{sql}");
    }
}

#[test]
fn a_client_that_asks_for_tls_gets_it() {
    let papers = Papers::new();
    let house = House::configured(&papers.lines());
    let mut stream = TcpStream::connect(house.address).unwrap();
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"S");
    // What is no handshake ends the connection, and only that.
    stream.write_all(b"select 1; no handshake").unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(house.client().ask("select 1").one(), "1");
}
