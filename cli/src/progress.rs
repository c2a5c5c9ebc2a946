//! A progress bar for the person who waits.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tieout::Progress;

const STYLE: &str = "{bar:30} {bytes}/{total_bytes}  {msg}";
const REDRAW: Duration = Duration::from_millis(100);

/// Bytes read and payments decided, as one line that is gone when the run ends.
pub struct Bar {
    line: ProgressBar,
    payments: AtomicU64,
}

impl Bar {
    /// A bar on standard error, if a person watches there.
    pub fn for_watcher() -> Option<Self> {
        io::stderr().is_terminal().then(|| {
            let line = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template(STYLE) {
                line.set_style(style.progress_chars("=> "));
            }
            line.enable_steady_tick(REDRAW);
            Self {
                line,
                payments: AtomicU64::new(0),
            }
        })
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.line.finish_and_clear();
    }
}

impl Progress for Bar {
    fn file(&self, _name: &str, total_bytes: u64) {
        self.line.set_length(total_bytes);
    }

    fn bytes(&self, more: u64) {
        self.line.inc(more);
    }

    fn decided(&self, more: u64) {
        let payments = self.payments.fetch_add(more, Ordering::Relaxed) + more;
        self.line
            .set_message(format!("{payments} payments decided"));
    }
}
