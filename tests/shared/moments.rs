//! Moments at which programs are killed, for tests of the whole system and of the ledger's sessions,
//! which include this by its path. `TIEOUT_CRASHES` says how many kills.

use std::thread;
use std::time::Duration;

/// Kills where the environment does not say otherwise.
const KILLS: usize = 20;

/// How many kills.
pub fn kills() -> usize {
    let text = std::env::var("TIEOUT_CRASHES").ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

/// The same moments in each run of the tests, as far as the machine is.
pub struct Moments(u64);

impl Moments {
    /// Those that come from `seed`, which is not 0.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % bound
    }

    /// Waits for some moment of a time, or shortly after.
    pub fn wait_within(&mut self, longest: Duration) {
        let wait = longest.as_micros() as u64 * self.below(1_100) / 1_000;
        thread::sleep(Duration::from_micros(wait));
    }
}
