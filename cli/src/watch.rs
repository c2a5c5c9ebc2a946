//! `tieout watch`: takes files as they are dropped into a folder.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tieout::core::Status;
use tieout::watch::{Aside, aside};
use tieout::{RunOptions, Summary, WatchOptions, Watcher};

use crate::Outcome;
use crate::arguments::WatchArguments;
use crate::failure::Failure;
use crate::ledger;
use crate::recipes;
use crate::run;

/// Watches until it is interrupted, or once.
pub fn watch(arguments: WatchArguments) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger.clone())?;
    if arguments.aside {
        return list(&aside(&ledger)?);
    }
    let quiet = arguments.quiet;
    let mut run = RunOptions::new(Vec::new());
    if let Some(chosen) = &arguments.recipe {
        run.recipe = recipes::chosen(chosen)?;
    }
    if let Some(threads) = arguments.threads {
        run.settings.threads = threads.get();
    }
    run.ledger = Some(ledger);
    let options = WatchOptions {
        dir: arguments.dir,
        run,
        settle: arguments.settle,
        interval: arguments.interval,
        once: arguments.once || arguments.retry,
        retry: arguments.retry,
    };
    let teller = Teller {
        quiet,
        stop: stop_when_told()?,
    };
    let watched = tieout::watch(&options, &teller)?;
    if !quiet {
        let unfinished = match watched.unfinished {
            0 => String::new(),
            count => format!(", {count} not complete"),
        };
        tell(&format!(
            "{} postings, {} files set aside{unfinished}",
            watched.runs, watched.set_aside
        ));
    }
    Ok(if watched.is_clean || !options.once {
        Outcome::Clean
    } else {
        Outcome::NeedsAttention
    })
}

/// Whether somebody has asked the command to end. Who asks twice does not want to wait for the run.
fn stop_when_told() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let status = 128 + signal;
        signal_hook::flag::register_conditional_shutdown(signal, status, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| Failure::new(format!("cannot wait for signals: {error}")))?;
    }
    Ok(stop)
}

/// Tells on standard output what was read, on standard error what was not.
struct Teller {
    quiet: bool,
    stop: Arc<AtomicBool>,
}

impl Watcher for Teller {
    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn tied_out(&self, summary: &Summary) {
        run::warn(summary);
        if self.quiet {
            return;
        }
        let posting = summary.posting.unwrap_or_default();
        let files = summary.files.len();
        tell(&format!(
            "posting {posting}: {files} files, {}",
            outcome(summary)
        ));
    }

    fn set_aside(&self, aside: &Aside) {
        eprintln!("set aside: {}: {}", aside.file, aside.reason);
    }

    fn waits(&self, why: &str) {
        eprintln!("waiting: {why}");
    }
}

fn outcome(summary: &Summary) -> String {
    let of = |status: Status| -> u64 {
        let tallies = summary
            .currencies
            .iter()
            .flat_map(|totals| &totals.by_status);
        let own = tallies.filter(|(own, _)| *own == status);
        own.map(|(_, tally)| tally.count).sum()
    };
    let mut words = vec![format!("{} payments", summary.payments())];
    for status in Status::ALL {
        match of(*status) {
            0 => {}
            count => words.push(format!("{count} {}", status.code())),
        }
    }
    if summary.rematched.count > 0 {
        words.push(format!(
            "{} earlier payments matched",
            summary.rematched.count
        ));
    }
    if !summary.is_clean() {
        words.push("needs attention".to_owned());
    }
    words.join(", ")
}

fn list(files: &[Aside]) -> Result<Outcome, Failure> {
    let mut out = io::stdout().lock();
    for aside in files {
        writeln!(out, "{}: {}", aside.file, aside.reason)?;
    }
    out.flush()?;
    Ok(Outcome::Clean)
}

/// Who does not listen any more does not stop the watcher.
fn tell(words: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{words}").and_then(|()| out.flush());
}
