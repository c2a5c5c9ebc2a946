//! The customers: families of a parent and its children, sizes after Zipf, bank accounts with
//! valid routing numbers, and how much business each does this morning.

use super::dice::Dice;
use super::names::{Name, NameBook};

/// No party.
pub const NOBODY: u32 = u32::MAX;

/// A bank account: routing number and account number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Nine digits, the last a 3-7-1 check digit.
    pub aba: u32,
    /// Up to ten digits.
    pub number: u64,
}

/// What kind of morning a family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Pays invoices as they come.
    Ordinary,
    /// Sends one payment that clears the whole account.
    ClearsAccount,
    /// Sends one payment that clears what is past due.
    ClearsPastDue,
}

/// One customer.
pub struct Party {
    /// Its name.
    pub name: Name,
    /// Another name it goes by.
    pub alias: Option<Name>,
    /// Its parent, or [`NOBODY`].
    pub parent: u32,
    /// One or two accounts that the books know.
    pub accounts: Vec<Account>,
    /// Takes 2/10 net 30.
    pub discount_terms: bool,
    /// Amounts that recur on its invoices, in cents; empty for most.
    pub recurring: Vec<i64>,
    /// Trades in Canadian dollars.
    pub canadian: bool,
    /// Open items it has.
    pub items: u32,
    /// Payments it sends.
    pub payments: u32,
}

/// A parent with its children, or one customer alone: a range of parties, the parent first.
pub struct Family {
    /// First party.
    pub first: u32,
    /// Number of parties.
    pub len: u32,
    /// Its morning.
    pub habit: Habit,
}

impl Family {
    /// The parties of the family.
    pub fn parties(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.len
    }
}

/// All customers.
pub struct Parties {
    /// In order of their numbers.
    pub list: Vec<Party>,
    /// Contiguous, in the same order.
    pub families: Vec<Family>,
}

/// A customer's identifier.
pub fn party_id(party: u32) -> String {
    format!("C{:06}", 100_001 + party)
}

/// Creates the customers of a morning with `payments` payments and so many open `items`.
pub fn create(seed: u64, payments: u32, items: u32) -> Parties {
    let mut dice = Dice::new(seed, 1);
    let count = (items / 50).max(40);
    let mut book = NameBook::default();
    let banks: Vec<u32> = (0..300).map(|_| routing_number(&mut dice)).collect();
    let mut all = Parties {
        list: Vec::with_capacity(count as usize),
        families: Vec::new(),
    };
    while (all.list.len() as u32) < count {
        let room = count - all.list.len() as u32;
        add_family(&mut all, room, &mut book, &banks, &mut dice);
    }
    share_out(&mut all, payments, items, &mut dice);
    all
}

fn add_family(all: &mut Parties, room: u32, book: &mut NameBook, banks: &[u32], dice: &mut Dice) {
    let first = all.list.len() as u32;
    let has_children = room > 6 && dice.chance(40);
    let len = if has_children {
        2 + dice.below(5) as u32
    } else {
        1
    };
    let habit = match dice.below(100) {
        0..15 if len == 1 => Habit::ClearsAccount,
        15..25 if len == 1 => Habit::ClearsPastDue,
        _ => Habit::Ordinary,
    };
    let canadian = len == 1 && habit == Habit::Ordinary && dice.chance(15);
    for member in 0..len {
        let parent = if member == 0 { NOBODY } else { first };
        let party = new_party(parent, habit, canadian, book, banks, dice);
        all.list.push(party);
    }
    all.families.push(Family { first, len, habit });
}

fn new_party(
    parent: u32,
    habit: Habit,
    canadian: bool,
    book: &mut NameBook,
    banks: &[u32],
    dice: &mut Dice,
) -> Party {
    let ordinary = habit == Habit::Ordinary;
    let accounts = 1 + usize::from(dice.chance(200));
    let recurring = if ordinary && dice.chance(250) {
        1 + dice.below(3)
    } else {
        0
    };
    Party {
        name: book.compose(dice),
        alias: dice.chance(120).then(|| book.compose(dice)),
        parent,
        accounts: (0..accounts).map(|_| new_account(banks, dice)).collect(),
        discount_terms: ordinary && dice.chance(250),
        recurring: (0..recurring)
            .map(|_| dice.between(4_000, 300_000))
            .collect(),
        canadian,
        items: 0,
        payments: 0,
    }
}

/// Splits 2N items and N payments over the parties: those that clear send one payment, the
/// others share by Zipf-Mandelbrot weights (integers, so that no platform rounds differently).
fn share_out(all: &mut Parties, payments: u32, items: u32, dice: &mut Dice) {
    let mut ordinary = Vec::with_capacity(all.list.len());
    let (mut items_left, mut payments_left) = (u64::from(items), u64::from(payments));
    // Where few customers pay, as few of those with a habit do.
    let (paying, mut habits) = (items.div_ceil(2 * payments).max(1), 0);
    for family in &all.families {
        if family.habit == Habit::Ordinary {
            ordinary.extend(family.parties());
            continue;
        }
        habits += 1;
        let party = &mut all.list[family.first as usize];
        party.items = 3 + dice.below(10) as u32;
        party.payments = u32::from(habits % paying == 0);
        items_left = items_left.saturating_sub(u64::from(party.items));
        payments_left = payments_left.saturating_sub(u64::from(party.payments));
    }
    dice.shuffle(&mut ordinary);
    let weight = |rank: usize| 1_000_000_000 / (rank as u64 + 21);
    let total: u64 = (0..ordinary.len()).map(weight).sum();
    let share = |part: u64, of: u64| (u128::from(part) * u128::from(of) / u128::from(total)) as u64;
    let mut before = 0;
    for (rank, &party) in ordinary.iter().enumerate() {
        let after = before + weight(rank);
        let party = &mut all.list[party as usize];
        party.items = (share(after, items_left) - share(before, items_left)) as u32;
        party.payments = (share(after, payments_left) - share(before, payments_left)) as u32;
        before = after;
    }
}

/// An account at one of the banks; one in five has fewer than ten digits.
pub fn new_account(banks: &[u32], dice: &mut Dice) -> Account {
    let digits = if dice.chance(200) {
        8 + dice.below(2) as u32
    } else {
        10
    };
    let low = 10_u64.pow(digits - 1);
    Account {
        aba: dice.pick(banks),
        number: low + dice.below(9 * low),
    }
}

/// A routing number with a valid check digit.
pub fn routing_number(dice: &mut Dice) -> u32 {
    let district = if dice.chance(500) {
        1 + dice.below(12)
    } else {
        21 + dice.below(12)
    };
    let body = (district * 1_000_000 + dice.below(1_000_000)) as u32;
    body * 10 + check_digit(body)
}

fn check_digit(body: u32) -> u32 {
    const WEIGHTS: [u32; 8] = [3, 7, 1, 3, 7, 1, 3, 7];
    let mut rest = body;
    let mut sum = 0;
    for weight in WEIGHTS.iter().rev() {
        sum += (rest % 10) * weight;
        rest /= 10;
    }
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing_numbers_check() {
        assert_eq!(check_digit(12_100_035), 8);
        let mut dice = Dice::new(1, 9);
        for _ in 0..100 {
            let mut rest = routing_number(&mut dice);
            let mut sum = 0;
            for weight in [1, 7, 3, 1, 7, 3, 1, 7, 3] {
                sum += (rest % 10) * weight;
                rest /= 10;
            }
            assert_eq!(sum % 10, 0);
        }
    }

    #[test]
    fn items_and_payments_add_up() {
        for (payments, items) in [
            (1_000, 2_000),
            (3_000, 6_000),
            (40_000, 80_000),
            (1_000, 100_000),
        ] {
            let all = create(5, payments, items);
            let owed: u32 = all.list.iter().map(|p| p.items).sum();
            let sent: u32 = all.list.iter().map(|p| p.payments).sum();
            assert_eq!((owed, sent), (items, payments));
        }
    }
}
