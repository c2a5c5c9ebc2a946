//! `tieout run`: reads, ties out, prints the summary.

use std::io::{self, Write};

use tieout::{NoProgress, Output, Progress, RunOptions, Summary};

use crate::Outcome;
use crate::arguments::RunArguments;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::recipes;
use crate::report::Report;
use crate::terminal::Paint;

/// Does what the command line says.
pub fn run(arguments: RunArguments) -> Result<Outcome, Failure> {
    let quiet = arguments.quiet;
    let options = options(arguments)?;
    let bar = if quiet { None } else { Bar::for_watcher() };
    let progress: &dyn Progress = bar.as_ref().map_or(&NoProgress, |bar| bar);
    let summary = tieout::run(&options, progress);
    if let Some(bar) = &bar {
        bar.finish();
    }
    let summary = summary?;
    warn(&summary);
    if !quiet {
        print(&summary, &options)?;
    }
    Ok(if summary.is_clean() {
        Outcome::Clean
    } else {
        Outcome::NeedsAttention
    })
}

/// Tells what the ledger leaves to a later run; nothing of this one is missing.
pub fn warn(summary: &Summary) {
    for undone in &summary.undone {
        eprintln!("tieout: warning: {undone}");
    }
}

fn options(arguments: RunArguments) -> Result<RunOptions, Failure> {
    let mut options = RunOptions::new(arguments.paths);
    let format = arguments.format.into();
    if let Some(chosen) = &arguments.recipe {
        options.recipe = recipes::chosen(chosen)?;
    }
    if let Some(threads) = arguments.threads {
        options.settings.threads = threads.get();
    }
    options.as_of = arguments.as_of;
    options.out = arguments.out.map(|dir| Output::all(dir, format));
    if let (Some(out), false) = (&mut options.out, arguments.tables.is_empty()) {
        out.tables = arguments.tables;
    }
    options.ledger = arguments.ledger;
    Ok(options)
}

/// The run is done whether or not somebody reads its summary to the end.
fn print(summary: &Summary, options: &RunOptions) -> Result<(), Failure> {
    let report = Report::new(summary, options, Paint::of_stdout());
    let mut out = io::stdout().lock();
    let written = write!(out, "{report}").and_then(|()| out.flush());
    match written.map_err(Failure::from) {
        Err(Failure::ReaderGone) => Ok(()),
        other => other,
    }
}
