//! What differs from line to line.

/// Names of companies, as many as no power of two, so that they do not repeat in step.
const NAMES: [&str; 13] = [
    "NORTHWIND TRADING",
    "ALDER HARDWARE",
    "BRIGHTON SUPPLY",
    "CEDAR VALLEY FOODS",
    "DELTA FASTENERS",
    "ELMWOOD PAPER",
    "FAIRVIEW MARINE",
    "GRANITE TOOLS",
    "HARBOR ELECTRIC",
    "IRONSIDE STEEL",
    "JUNIPER LABS",
    "KESTREL OPTICS",
    "LAKESHORE GLASS",
];

/// A sequence that is the same on every machine.
#[derive(Default)]
pub struct Words {
    step: u64,
}

impl Words {
    /// The next number below `limit`, by a multiplicative hash of its place.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.step += 1;
        let mixed = (self.step ^ (self.step >> 7)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 16) % limit
    }

    /// An amount in cents: 1.00 to 25,000.99.
    pub fn cents(&mut self) -> u64 {
        100 + self.below(2_500_000)
    }

    /// A document's number.
    pub fn document(&mut self) -> u64 {
        1_000_000 + self.below(8_999_999)
    }

    /// A company.
    pub fn name(&mut self) -> &'static str {
        NAMES[self.below(NAMES.len() as u64) as usize]
    }
}

/// Cents as a decimal number with `point`.
pub fn decimal(cents: u64, point: char) -> String {
    format!("{}{point}{:02}", cents / 100, cents % 100)
}
