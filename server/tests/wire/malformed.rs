//! Clients that break the protocol: each loses its own connection at most, and is told why where it
//! can be told.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use postgres_protocol::message::{backend, frontend};
use tieout_server::Verifier;

use crate::client::Client;
use crate::columns::{Columns, one};
use crate::house::{self, House, Papers};

/// Protocol 3.0.
const VERSION: u32 = 3 << 16;
const TLS: u32 = 80_877_103;
const CANCEL: u32 = 80_877_102;

/// A first message: its length, a code, the rest.
fn first(code: u32, rest: &[u8]) -> Vec<u8> {
    let mut message = (rest.len() as u32 + 8).to_be_bytes().to_vec();
    message.extend(code.to_be_bytes());
    message.extend(rest);
    message
}

/// A message with its type and a true length.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}

/// Everything that the server says, up to its end. One that has let a client in and waits would be an
/// error here.
fn last_words(stream: &mut TcpStream) -> Vec<u8> {
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    let mut told = Vec::new();
    let mut bytes = [0; 1 << 12];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return told,
            Ok(count) => told.extend(&bytes[..count]),
            // What was sent and not read makes an end of another kind.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return told,
            Err(error) => panic!("{error}, after {}", String::from_utf8_lossy(&told)),
        }
    }
}

/// What is said to these bytes of a client that is not in.
fn answer(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    String::from_utf8_lossy(&last_words(&mut stream)).into_owned()
}

#[test]
fn messages_that_are_none_end_their_connection_and_no_other() {
    let house = House::open_to_all(house::ledger());
    let mut witness = house.client();
    let lies = |kind: u8, length: i32| {
        let mut message = vec![kind];
        message.extend(length.to_be_bytes());
        message
    };
    let bind = b"\0\0\0\x01\0\0\0\x01\0\0\0\x01x\0\0";
    for (bytes, state) in [
        (message(b'?', b""), "08P01"),
        (message(0, b""), "08P01"),
        // A call of a function, as old clients made them; a password that nobody asked for.
        (message(b'F', b"\0\0\0\x01"), "08P01"),
        (message(b'p', b"right\0"), "08P01"),
        (lies(b'Q', 0), "08P01"),
        (lies(b'Q', 3), "08P01"),
        (lies(b'Q', -1), "08P01"),
        (lies(b'Q', i32::MIN), "08P01"),
        (lies(b'Q', i32::MAX), "08P01"),
        (lies(b'Q', (16 << 20) + 5), "08P01"),
        (message(b'Q', b"select 1"), "08P01"),
        (message(b'Q', b"select 1\0more"), "08P01"),
        (message(b'Q', b"select '\xff'\0"), "22021"),
        (message(b'P', b"\0select 1\0\xff\xff"), "08P01"),
        (message(b'B', &bind[..bind.len() - 1]), "08P01"),
        (message(b'B', b"\0\0\0\x01\0\x07\0\0\0\0"), "08P01"),
        (message(b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff"), "08P01"),
        (
            message(b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0"),
            "08P01",
        ),
        (message(b'D', b"X\0"), "08P01"),
        (message(b'C', b"S"), "08P01"),
        (message(b'E', b"\0\0\0"), "08P01"),
        (message(b'S', b"\0"), "08P01"),
    ] {
        let mut client = house.client();
        client.stream.write_all(&bytes).unwrap();
        let told = last_words(&mut client.stream);
        let told = String::from_utf8_lossy(&told);
        assert!(told.contains(state), "{bytes:?}: {told}");
        assert_eq!(witness.ask("select 1").one(), "1", "{bytes:?}");
    }
    // What is out of place, and no mistake of the message, is answered, and the client goes on.
    for (bytes, state) in [
        (message(b'B', bind), "08P01"),
        (message(b'E', b"nowhere\0\0\0\0\0"), "34000"),
        (message(b'D', b"Snowhere\0"), "26000"),
        (message(b'D', b"Pnowhere\0"), "34000"),
    ] {
        let mut client = house.client();
        client.send(|buffer| frontend::parse("", "select 1", [], buffer).unwrap());
        client.stream.write_all(&bytes).unwrap();
        client.send(frontend::sync);
        assert_eq!(client.answer().state(), state, "{bytes:?}");
        // Rows of a COPY that is over are left out.
        client.stream.write_all(&message(b'd', b"rows")).unwrap();
        client.stream.write_all(&message(b'c', b"")).unwrap();
        assert_eq!(client.ask("select 1").one(), "1", "{bytes:?}");
    }
}

#[test]
fn first_messages_that_are_none_let_nobody_in() {
    let house = House::open_to_all(house::ledger());
    let named = |code: u32| first(code, b"user\0ann\0\0");
    let told = answer(house.address, &named(VERSION));
    assert!(told.contains("server_version"), "{told}");
    // A minor version that comes later is told which one it gets.
    let told = answer(house.address, &named(VERSION + 9));
    assert!(told.starts_with('v') && told.contains("server_version"));
    let mut cut = named(VERSION);
    cut.truncate(12);
    let mut asked_for_ever = Vec::new();
    for _ in 0..10 {
        asked_for_ever.extend(first(TLS, b""));
    }
    asked_for_ever.extend(named(VERSION));
    for bytes in [
        cut,
        vec![0; 8],
        vec![0, 0, 0, 4],
        vec![0, 0, 0, 7, 0, 3, 0],
        vec![0xff; 64],
        i32::MAX.to_be_bytes().to_vec(),
        first(VERSION, &[b'x'; 11 << 10]),
        first(VERSION, b""),
        first(VERSION, b"user"),
        first(VERSION, b"user\0ann\0"),
        first(VERSION, b"user\0\xff\0\0"),
        first(VERSION, b"database\0tieout\0\0"),
        first(VERSION, b"user\0\0\0"),
        first(VERSION, b"user\0ann\0client_encoding\0KLINGON\0\0"),
        named(2 << 16),
        named(0),
        first(CANCEL, b"\0\0\0\x01"),
        first(CANCEL, b""),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        asked_for_ever,
    ] {
        let told = answer(house.address, &bytes);
        assert!(!told.contains("server_version"), "{bytes:?}: {told}");
    }
    while (house.connections)() > 0 {
        thread::yield_now();
    }
    assert_eq!(house.client().ask("select 1").one(), "1");
}

#[test]
fn a_proof_that_is_none_lets_nobody_in() {
    let verifier = Verifier::of("right").unwrap().written();
    let house = House::configured(&format!("[users.ann]\npassword = {verifier:?}\n"));
    let startup = first(VERSION, b"user\0ann\0\0");
    let offered = |mechanism: &[u8], length: u32, words: &[u8]| {
        let mut body = mechanism.to_vec();
        body.push(0);
        body.extend(length.to_be_bytes());
        body.extend(words);
        message(b'p', &body)
    };
    let words = b"n,,n=,r=abcdefgh";
    let good = offered(b"SCRAM-SHA-256", words.len() as u32, words);
    for bytes in [
        Vec::new(),
        message(b'Q', b"select 1\0"),
        message(b'X', b""),
        message(b'p', b""),
        message(b'p', b"right\0"),
        good[..good.len() / 2].to_vec(),
        offered(b"SCRAM-SHA-1", words.len() as u32, words),
        offered(b"SCRAM-SHA-256-PLUS", words.len() as u32, words),
        offered(b"SCRAM-SHA-256", u32::MAX, b""),
        offered(b"SCRAM-SHA-256", 4, b"\xff\xff\xff\xff"),
        offered(b"SCRAM-SHA-256", 12, b"p=tls-unique"),
        offered(b"SCRAM-SHA-256", 7, b"n,,n=,r"),
        message(b'p', &[b'x'; 11 << 10]),
        [&good[..], &message(b'Q', b"select 1\0")].concat(),
        [&good[..], &message(b'p', b"")].concat(),
        [&good[..], &message(b'p', b"c=biws,r=abcdefgh,p=AAAA")].concat(),
        [&good[..], &good[..]].concat(),
    ] {
        let told = answer(house.address, &[&startup[..], &bytes].concat());
        assert!(!told.contains("server_version"), "{bytes:?}: {told}");
    }
    // A proof that held once does not hold again.
    let converse = |proof: Option<Vec<u8>>| {
        let mut stream = TcpStream::connect(house.address).unwrap();
        stream.write_all(&startup).unwrap();
        let mut scram = ScramSha256::new(b"right", ChannelBinding::unsupported());
        expect(&mut stream, 10);
        let begun = scram.message().to_vec();
        let offer = offered(b"SCRAM-SHA-256", begun.len() as u32, &begun);
        stream.write_all(&offer).unwrap();
        scram.update(&expect(&mut stream, 11)).unwrap();
        let own = scram.message().to_vec();
        let proof = proof.unwrap_or_else(|| own.clone());
        stream.write_all(&message(b'p', &proof)).unwrap();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let told = last_words(&mut stream);
        (own, String::from_utf8_lossy(&told).into_owned())
    };
    let (proof, told) = converse(None);
    assert!(told.contains("server_version"), "{told}");
    let (own, told) = converse(Some(proof));
    assert!(told.contains("08P01"), "{told}");
    // One letter of a right proof is wrong.
    let mut wrong = own;
    let place = wrong.len() - 5;
    wrong[place] = if wrong[place] == b'A' { b'B' } else { b'A' };
    let (_, told) = converse(Some(wrong));
    assert!(!told.contains("server_version"), "{told}");
    assert!(Client::connect(house.address, "ann", "right").is_ok());
}

/// The words of the next message, which asks for authentication of this kind.
fn expect(stream: &mut TcpStream, kind: u32) -> Vec<u8> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    let length = u32::from_be_bytes(head[1..].try_into().unwrap());
    let mut body = vec![0; length as usize - 4];
    stream.read_exact(&mut body).unwrap();
    assert_eq!(head[0], b'R');
    assert_eq!(body[..4], kind.to_be_bytes());
    body.split_off(4)
}

/// Words that come in the clear behind the question for TLS, as somebody between the two could put
/// them, are no words of the client.
#[test]
fn nothing_in_the_clear_passes_for_encrypted() {
    let papers = Papers::new();
    let house = House::configured(&papers.lines());
    let smuggled = [
        first(TLS, b""),
        first(VERSION, b"user\0ann\0\0"),
        message(b'Q', b"select 1\0"),
    ];
    let told = answer(house.address, &smuggled.concat());
    assert!(told.starts_with('S'), "{told}");
    assert!(!told.contains("server_version"), "{told}");
    assert_eq!(house.client().ask("select 1").one(), "1");
}

/// Silent ones, ones that speak a letter at a time, and ones that stop in the midst of TLS: all are cut
/// off, so that they take no place from others.
#[test]
fn who_is_not_in_after_a_while_is_cut_off() {
    let papers = Papers::new();
    let limits = "[limits]\nlogin_seconds = 1\nconnections = 3\n";
    let house = House::configured(&format!("{}{limits}", papers.lines()));
    let mut silent = TcpStream::connect(house.address).unwrap();
    let mut encrypting = TcpStream::connect(house.address).unwrap();
    encrypting.write_all(&first(TLS, b"")).unwrap();
    let mut slow = TcpStream::connect(house.address).unwrap();
    // As long as a first message may be: at this pace its end would come after a quarter of an hour.
    let startup = first(VERSION, &[b'x'; 9 << 10]);
    let is_cut_off = startup.iter().any(|&byte| {
        thread::sleep(Duration::from_millis(100));
        slow.write_all(&[byte]).is_err()
    });
    assert!(is_cut_off);
    assert_eq!(last_words(&mut silent), b"");
    assert_eq!(last_words(&mut encrypting), b"S");
    while (house.connections)() > 0 {
        thread::yield_now();
    }
    // Who is in may be silent for longer.
    let mut client = house.client();
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(client.ask("select 1").one(), "1");
}

/// The system asks the machine of a silent client now and then whether it is there: `02` is the timer
/// for that in the kernel's table of connections.
#[cfg(target_os = "linux")]
#[test]
fn a_client_whose_machine_is_gone_is_noticed() {
    let house = House::open_to_all(house::ledger());
    let client = house.client();
    let port = client.stream.local_addr().unwrap().port();
    let (server, client_end) = (
        format!("0100007F:{:04X}", house.address.port()),
        format!("0100007F:{port:04X}"),
    );
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let line = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| words[1..3] == [server.as_str(), client_end.as_str()]);
    let timer = line.unwrap()[5];
    assert!(timer.starts_with("02:"), "{timer}");
}

/// What would take more stack or memory than there is is refused with its code; what is just below
/// that is answered, by either protocol.
#[test]
fn statements_are_so_long_and_so_deep() {
    let house = House::with_flight("");
    let (mut client, mut columns) = (house.client(), Columns::of(&house));
    let chain = |with: &str, of: &str, count: usize| vec![of; count].join(with);
    let deep = |count: usize| {
        [
            format!("select {}", chain("+", "1", count)),
            format!("select 1{}", "::bigint".repeat(count)),
            format!(
                "select count(*) from payments where {}",
                chain(" or ", "amount = 1", count / 2)
            ),
            format!("select {}", chain(" || ", "'a'", count)),
            format!("select true{}", " is null".repeat(count)),
            chain(" union all ", "select 1", count / 4),
            (0..count / 4).fold("with c as (select 1 as x)".to_owned(), |sql, _| {
                sql + ", d as (select * from c)"
            }),
        ]
    };
    for sql in deep(480).iter().take(6) {
        let answered = client.ask(sql);
        assert_eq!(answered.errors, [], "{}", &sql[..60]);
        assert!(!answered.rows.is_empty());
        assert!(columns.ask(sql).is_ok(), "{}", &sql[..60]);
    }
    // Each query reads the one before it.
    let reading = (1..127).map(|number| {
        format!(
            "q{number} as (select x + 1 as x from q{} where x > 0)",
            number - 1
        )
    });
    let reading: Vec<_> = reading.collect();
    let sql = format!(
        "with q0 as (select 1 as x), {} select x from q126",
        reading.join(", ")
    );
    assert_eq!(client.ask(&sql).one(), "127");
    assert_eq!(one(&columns.ask(&sql).unwrap()), "127");
    for sql in deep(200_000) {
        let refused = client.ask(&sql);
        assert_eq!(refused.state(), "54001", "{}", &sql[..60]);
        let refused = columns.ask(&sql).unwrap_err();
        assert!(refused.contains("54001"), "{refused}");
    }
    let refused = client.ask(&format!("select x in ({})", chain(",", "1", 1 << 20)));
    assert_eq!(refused.state(), "54001");
    assert_eq!(
        client
            .ask(&format!("select 1 in ({})", chain(",", "1", 10_000)))
            .one(),
        "t"
    );
    assert_eq!(client.ask("select 1").one(), "1");
}

/// A client that only listens: what it is owed does not keep others waiting, nor grow.
#[test]
fn a_client_that_does_not_read_keeps_nobody_waiting() {
    let house = House::open_to_all(house::ledger());
    let mut deaf = house.client();
    let large = "select a.*, b.payment_id from payments a, payments b";
    deaf.send(|buffer| frontend::query(large, buffer).unwrap());
    assert!(matches!(
        deaf.message(),
        backend::Message::RowDescription(_)
    ));
    for _ in 0..20 {
        assert_eq!(
            house
                .client()
                .ask("select count(*) > 0 from payments")
                .one(),
            "t"
        );
    }
    drop(deaf);
    while (house.connections)() > 0 {
        thread::sleep(Duration::from_millis(10));
    }
}
