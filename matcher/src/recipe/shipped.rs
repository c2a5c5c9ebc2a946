//! The recipes that come with the program.

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../recipes/", $name, ".toml")))),+]
    };
}

/// Name and text of each, the one that holds without a choice first.
pub const SHIPPED: &[(&str, &str)] = shipped![
    "cash-application",
    "bank-to-book",
    "processor-settlement",
    "vendor-payouts",
    "refunds-and-chargebacks",
    "intercompany",
];
