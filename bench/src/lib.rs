//! The bench of tieout: a morning with known answers, and the score of whoever answers it.
//!
//! [`generate`] writes a distributor's morning (parties, open items, lockbox files, a bank
//! statement, remittance advice) together with the truth about every payment. [`score`] reads
//! what an engine made of that morning and says what was right, wrong, held and lost. [`grow`]
//! writes a file of one format of any size.
//! Both know the formats only; neither links the engine, so that a peer is judged by the
//! same code.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod generate;
pub mod grow;
pub mod money;
pub mod score;
