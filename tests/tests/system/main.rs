//! tieout as a whole, through the engine and through the real command.

#![allow(clippy::unwrap_used)]

mod bad_books;
mod bad_input;
mod command;
mod competing;
mod crashes;
mod cuts;
mod days;
mod deliveries;
mod desk;
#[path = "../../shared/disk.rs"]
#[allow(dead_code, reason = "the ledger's tests use the rest")]
mod disk;
mod distributor;
mod elsewhere;
mod faults;
mod feeds;
mod golden;
mod inspecting;
mod joined;
pub mod ledger;
mod linking;
mod locked_out;
mod memory;
#[path = "../../shared/moments.rs"]
mod moments;
mod past;
mod payers;
mod properties;
mod purge;
mod questions;
mod recipes;
mod replay;
mod samples;
mod shell;
mod slt;
mod statements;
mod stored;
mod terminal;
mod tidy;
mod treasury;
mod truth;
mod watching;
mod years;
