//! matcher
mod names;
mod reference;
