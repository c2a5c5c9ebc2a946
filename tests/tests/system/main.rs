//! tieout as a whole, through the engine and through the real command.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod command;
mod crashes;
mod cuts;
mod deliveries;
mod desk;
mod distributor;
mod feeds;
mod golden;
mod inspecting;
mod ledger;
mod past;
mod purge;
mod questions;
mod recipes;
mod replay;
mod samples;
mod tidy;
mod truth;
