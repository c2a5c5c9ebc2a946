//! What banks' codes mean, as data: the files of `core/codes`, one a standard.

/// Type codes of BAI2: which way money moves, and the words for balances, credits and debits.
pub const BAI2: &str = include_str!("../codes/bai2.toml");

/// Codes of ISO 20022's external code sets: balances, bank transactions, statuses, reasons.
pub const ISO20022: &str = include_str!("../codes/iso20022.toml");
