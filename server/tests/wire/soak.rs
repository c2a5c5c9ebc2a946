//! Many clients, bad clients, and silent ones: nothing breaks, nothing is left behind.
//!
//! `TIEOUT_SOAK_SECONDS=600 cargo test --release -p tieout-server soak` goes on for longer.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::house::{self, House};

const IDLE: usize = 500;
const BUSY: usize = 64;

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
}

#[test]
fn a_crowd_is_served_and_leaves_nothing_behind() {
    let house = House::open_to_all(house::ledger());
    let until = Instant::now() + soak_time();
    let mut idle: Vec<Client> = (0..IDLE).map(|_| house.client()).collect();
    let half_open: Vec<TcpStream> = (0..16)
        .map(|_| TcpStream::connect(house.address).unwrap())
        .collect();
    let address = house.address;
    let busy: Vec<_> = (0..BUSY)
        .map(|number| {
            thread::spawn(move || {
                let mut client = Client::connect(address, &format!("user{number}"), "").unwrap();
                let sql =
                    "select status, count(*), sum(amount) from payments group by 1 order by 1";
                let first = client.ask(sql);
                let mut asked = 1;
                loop {
                    assert_eq!(client.ask(sql), first);
                    asked += 1;
                    if Instant::now() >= until {
                        return asked;
                    }
                }
            })
        })
        .collect();
    for client in busy {
        assert!(client.join().unwrap() > 1);
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
fn noise_breaks_nothing() {
    let house = House::open_to_all(house::ledger());
    let until = Instant::now() + soak_time();
    let mut noise = Noise(0x5eed);
    let mut before = None;
    let mut round = 0_u32;
    loop {
        // Noise instead of a first message, and after a good one.
        let count = noise.next() as usize % 300;
        let mut stream = TcpStream::connect(house.address).unwrap();
        let _ = stream.write_all(&noise.bytes(count));
        drop(stream);
        let mut client = house.client();
        let kind = b"QPBDECHSXdcfp"[noise.next() as usize % 13];
        let count = noise.next() as usize % 200;
        let mut message = vec![kind];
        message.extend(((count + 4) as u32).to_be_bytes());
        message.extend(noise.bytes(count));
        let _ = client.stream.write_all(&message);
        drop(client);
        round += 1;
        if round == 50 {
            before = resident();
        }
        if round > 100 && Instant::now() >= until {
            break;
        }
    }
    while (house.connections)() > 0 {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(house.client().ask("select 1").one(), "1");
    if let (Some(before), Some(after)) = (before, resident()) {
        // Other tests run beside this one, so that only a leak for each client stands out.
        let grown = after.saturating_sub(before);
        let per_round = grown / round as usize;
        assert!(per_round < 8 << 20, "{per_round} bytes a client");
    }
}
