//! A session whose process is killed while many threads wait for one commit.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::child::{Recorder, check};
use crate::rows::with_items;

/// Kills where the environment does not say otherwise.
const KILLS: u64 = 20;
/// Kills after which another ledger is begun, since each is verified as a whole.
const KILLS_PER_LEDGER: u64 = 50;

/// The same moments in each run of the tests, as far as the machine is.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % bound
    }
}

/// Kills after some acknowledgements and a moment, before the first one too, so that any part of a
/// commit is hit, and of the showing behind it. `TIEOUT_CRASHES` says how many times.
#[test]
fn what_was_told_is_there_after_a_kill() {
    let kills = std::env::var("TIEOUT_CRASHES").ok();
    let kills = kills.and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut random = Random(0x9E6C_63D0_876A_3F35);
    let (mut killed, mut payments) = (0, 0);
    while killed < kills {
        let dir = tempfile::tempdir().unwrap();
        with_items(dir.path(), 1);
        let mut told = BTreeSet::new();
        for _ in 0..KILLS_PER_LEDGER.min(kills - killed) {
            let mut child = Recorder::start(dir.path(), None, &[]);
            child.hear(random.below(60) as usize);
            thread::sleep(Duration::from_micros(random.below(4_000)));
            let said = child.kill();
            assert!(said.refused.is_empty(), "{said:?}");
            assert!(said.others.is_empty(), "{said:?}");
            told.extend(said.told);
            killed += 1;
            check(dir.path(), &told, &format!("kill {killed}"));
        }
        payments += told.len();
    }
    println!("{payments} payments told in {killed} kills of a session of 8 threads");
}
