//! A crowd for a while: idle and busy clients, noise, wrong passwords, connections that stay half
//! open, over both protocols. Nothing breaks, and nothing is left behind.
//!
//! `TIEOUT_SOAK_SECONDS=600 cargo test --release -p tieout-server --test soak` goes on for longer. It
//! is a program of its own, so that what it counts of the process is its own.

#![allow(clippy::unwrap_used)]

#[path = "wire/client.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod client;
#[path = "wire/house.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod house;

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use client::Client;
use house::House;
use tieout_server::Verifier;

const IDLE: usize = 500;
const BUSY: usize = 64;
const HALF_OPEN: usize = 32;
const WRONG_PASSWORDS: usize = 64;
const NOISES: usize = 200;
/// Rounds at least, so that the last can be compared with the first.
const ROUNDS: usize = 3;
/// What a process may grow from its first round to its last: allocators keep pages. One kilobyte
/// that stayed for each client would be more after a few minutes.
const GROWTH_BYTES_MAX: usize = 64 << 20;
const PASSWORD: &str = "right";

fn soak_time() -> Duration {
    let seconds = std::env::var("TIEOUT_SOAK_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(1);
    Duration::from_secs(seconds)
}

/// Bytes of memory that are in use, where the system says.
fn resident() -> Option<usize> {
    let about = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = about.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}

/// Open files and sockets, and threads, where the system says.
fn held() -> Option<(usize, usize)> {
    let count = |dir| Some(std::fs::read_dir(dir).ok()?.count());
    Some((count("/proc/self/fd")?, count("/proc/self/task")?))
}

/// Numbers that look like noise, the same each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// Bytes instead of a first message, on either port; then a message of noise from a client that
    /// is in.
    fn make(&mut self, house: &House, flight: &str) {
        let count = self.next() as usize % 300;
        let bytes = self.bytes(count);
        for address in [house.address.to_string().as_str(), flight] {
            let mut stream = TcpStream::connect(address).unwrap();
            let _ = stream.write_all(&bytes);
        }
        let mut client = Client::connect(house.address, "ann", PASSWORD).unwrap();
        let kind = b"QPBDECHSXdcfp"[self.next() as usize % 13];
        let count = self.next() as usize % 200;
        let mut message = vec![kind];
        message.extend(((count + 4) as u32).to_be_bytes());
        message.extend(self.bytes(count));
        let _ = client.stream.write_all(&message);
    }
}

fn busy(address: std::net::SocketAddr, until: Instant) {
    let sql = "select status, count(*), sum(amount) from payments group by 1 order by 1";
    let mut client = Client::connect(address, "ann", PASSWORD).unwrap();
    let first = client.ask(sql);
    assert!(first.errors.is_empty(), "{first:?}");
    loop {
        assert_eq!(client.ask(sql), first);
        if Instant::now() >= until {
            return;
        }
    }
}

fn round(house: &House, noise: &mut Noise, until: Instant) {
    let flight = house.flight.clone().unwrap().replace("grpc://", "");
    let connect = || Client::connect(house.address, "ann", PASSWORD).unwrap();
    let mut idle: Vec<Client> = (0..IDLE).map(|_| connect()).collect();
    let half_open: Vec<TcpStream> = (0..HALF_OPEN)
        .map(|place| match place % 2 {
            0 => TcpStream::connect(house.address).unwrap(),
            _ => TcpStream::connect(&flight).unwrap(),
        })
        .collect();
    let address = house.address;
    let crowd: Vec<_> = (0..BUSY)
        .map(|_| thread::spawn(move || busy(address, until)))
        .collect();
    for _ in 0..WRONG_PASSWORDS {
        let refused = Client::connect(house.address, "ann", "wrong")
            .err()
            .unwrap();
        assert_eq!(refused.0, "28P01");
    }
    for _ in 0..NOISES {
        noise.make(house, &flight);
    }
    for client in crowd {
        client.join().unwrap();
    }
    for client in &mut idle {
        assert_eq!(client.ask("select 1").one(), "1");
    }
    drop((idle, half_open));
    while (house.connections)() > 0 {
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_crowd_leaves_nothing_behind() {
    let verifier = Verifier::of(PASSWORD).unwrap().written();
    let house = House::with_flight(&format!("[users.ann]\npassword = {verifier:?}\n"));
    let mut noise = Noise(0x5eed);
    let until = Instant::now() + soak_time();
    round(&house, &mut noise, Instant::now());
    let (held_before, bytes_before) = (held(), resident());
    let mut rounds = 1;
    while rounds < ROUNDS || Instant::now() < until {
        round(&house, &mut noise, until);
        rounds += 1;
    }
    let client = Client::connect(house.address, "ann", PASSWORD);
    assert_eq!(client.unwrap().ask("select 1").one(), "1");
    while (house.connections)() > 0 {
        thread::sleep(Duration::from_millis(10));
    }
    // Sockets go before their count does, threads a moment after.
    let mut held_after = held();
    for _ in 0..1000 {
        if held_after <= held_before {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        held_after = held();
    }
    println!("{rounds} rounds: files and threads {held_before:?}, then {held_after:?}");
    if let (Some((files, threads)), Some((files_after, threads_after))) = (held_before, held_after)
    {
        assert!(files_after <= files, "{files_after} files, {files} before");
        // Idle threads of the pool for queries come and go.
        assert!(
            threads_after <= threads + BUSY,
            "{threads_after} threads, {threads} before"
        );
    }
    if let (Some(before), Some(after)) = (bytes_before, resident()) {
        println!("{before} bytes resident, then {after}");
        let grown = after.saturating_sub(before);
        assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes more");
    }
}
