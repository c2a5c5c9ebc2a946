//! A server over a real ledger, and clients that speak to it by the wire.

#![allow(clippy::unwrap_used)]

mod access;
mod client;
mod columns;
mod flight;
mod house;
mod limits;
mod malformed;
mod own;
mod questions;
