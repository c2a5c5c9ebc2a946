//! A session whose process is killed while many threads wait for one commit.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::child::{Recorder, check};
use crate::moments::{Moments, kills};
use crate::rows::with_items;

/// Kills after which another ledger is begun, since each is verified as a whole.
const KILLS_PER_LEDGER: usize = 50;
/// What a commit takes at most, and the showing behind it.
const COMMIT: Duration = Duration::from_micros(3_600);

/// Kills after some acknowledgements and a moment, before the first one too, so that any part of a
/// commit is hit, and of the showing behind it. `TIEOUT_CRASHES` says how many times.
#[test]
fn what_was_told_is_there_after_a_kill() {
    let kills = kills();
    let mut moments = Moments::of(0x9E6C_63D0_876A_3F35);
    let (mut killed, mut payments) = (0, 0);
    while killed < kills {
        let dir = tempfile::tempdir().unwrap();
        with_items(dir.path(), 1);
        let mut told = BTreeSet::new();
        for _ in 0..KILLS_PER_LEDGER.min(kills - killed) {
            let mut child = Recorder::start(dir.path(), None, []);
            child.hear(moments.below(60) as usize);
            moments.wait_within(COMMIT);
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
