//! The command `tieout`: ties out money, answers in SQL, explains each decision.

mod act;
mod arguments;
mod as_of;
mod audit;
mod explain;
mod export;
mod failure;
mod formats;
mod inspect;
mod ledger;
mod link;
mod memory;
mod progress;
mod queue;
mod recipes;
mod replay;
mod report;
mod run;
mod serve;
mod shell;
mod sql;
mod terminal;
mod watch;
mod whole_file;

use std::process::ExitCode;

use arguments::Command;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Everything was read and ties.
    Clean,
    /// The work is done, but something is quarantined or out of balance.
    NeedsAttention,
}

fn main() -> ExitCode {
    let command = match arguments::parse() {
        Ok(command) => command,
        Err(error) => return arguments::refuse(&error),
    };
    let outcome = match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Watch(arguments) => watch::watch(arguments),
        Command::Sql(arguments) => sql::sql(arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Formats => formats::formats(),
        Command::Recipes(arguments) => recipes::recipes(&arguments),
        Command::Link(arguments) => link::link(arguments),
        Command::Queue(arguments) => queue::queue(arguments),
        Command::Act(arguments) => act::act(arguments),
        Command::Memory(command) => memory::memory(command),
        Command::Export(arguments) => export::export(&arguments),
        Command::Replay(arguments) => replay::replay(arguments),
        Command::AsOf(arguments) => as_of::as_of(arguments),
        Command::Serve { words } => serve::serve(&words),
        Command::Audit(command) => audit::audit(command),
    };
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::NeedsAttention) => ExitCode::from(3),
        Err(failure) => failure.tell(),
    }
}
