//! Whose books they are: own accounts, customers, business days.

use tieout_bench::generate::dice::Dice;
use tieout_core::Date;

pub const ACCOUNTS: usize = 40;
const BANKS: [&str; 8] = [
    "First Harbor",
    "Midland Trust",
    "Lakeside",
    "Northern",
    "Rhein Bank",
    "Banque du Nord",
    "City & Shires",
    "Maple",
];
const FIRST: [&str; 16] = [
    "Stanford",
    "Skyline",
    "Cumberland",
    "Virginia",
    "Harbor",
    "Pine Ridge",
    "Granite",
    "Delta",
    "Summit",
    "Prairie",
    "Evergreen",
    "Keystone",
    "Lakeview",
    "Redwood",
    "Silver",
    "Atlas",
];
const SECOND: [&str; 16] = [
    "Steel",
    "Optical",
    "Insulation",
    "Electric",
    "Marine",
    "Dairy",
    "Timber",
    "Paper",
    "Foods",
    "Tool",
    "Glass",
    "Motor",
    "Textile",
    "Valve",
    "Packaging",
    "Chemical",
];
const LAST: [&str; 6] = ["Depot Inc", "LLC", "Works", "Supply Co", "GmbH", "Group"];

/// An own account.
pub struct Account {
    pub number: String,
    pub lockbox: String,
    pub entity: String,
    pub bank: &'static str,
    pub currency: &'static str,
    /// Its lines have BAI codes; else those of ISO 20022.
    pub is_american: bool,
    /// Booked balance, hundred-thousandths.
    pub ledger: i128,
}

pub fn accounts() -> Vec<Account> {
    (0..ACCOUNTS)
        .map(|place| {
            let currency = match place {
                0..24 => "USD",
                24..32 => "EUR",
                32..37 => "GBP",
                _ => "CAD",
            };
            let is_american = matches!(currency, "USD" | "CAD");
            Account {
                number: if is_american {
                    format!(
                        "0{:08}:{:010}",
                        21_000_000 + place % 8,
                        4_400_128_000 + place
                    )
                } else {
                    format!("DE{:02}37040044{:010}", 10 + place, 532_013_000 + place)
                },
                lockbox: format!("006{place:04}"),
                entity: format!("E{}0", 1 + place % 6),
                bank: BANKS[place % 8],
                currency,
                is_american,
                ledger: 5_000_000 * 100_000,
            }
        })
        .collect()
}

/// A customer.
pub struct Party {
    pub id: String,
    pub name: String,
    pub account: String,
    /// The own account that it pays into.
    pub home: usize,
    /// Business days that it pays after the due date, and how much that varies.
    pub late: i64,
    pub spread: i64,
    pub by_cheque: bool,
}

pub fn parties(dice: &mut Dice, count: usize) -> Vec<Party> {
    (0..count)
        .map(|place| Party {
            id: format!("C{:06}", 100_000 + place),
            name: format!(
                "{} {} {} {place}",
                dice.pick(&FIRST),
                dice.pick(&SECOND),
                dice.pick(&LAST)
            ),
            account: format!(
                "{:09}:{:010}",
                100_000_000 + dice.below(900_000_000),
                dice.below(9_999_999_999)
            ),
            home: place % ACCOUNTS,
            late: dice.between(-4, 14),
            spread: dice.between(1, 12),
            by_cheque: dice.chance(250),
        })
        .collect()
}

/// The business days (Monday to Friday) from `first` to `last`, days since 1970.
pub fn business_days(first: Date, last: Date) -> Vec<i32> {
    // 1970-01-01 was a Thursday.
    let is_business = |day: &i32| (day + 3).rem_euclid(7) < 5;
    (first.days()..=last.days()).filter(is_business).collect()
}

/// A payment's or line's identity.
pub fn identity(dice: &mut Dice) -> String {
    format!("{:016x}{:016x}", dice.below(u64::MAX), dice.below(u64::MAX))
}
