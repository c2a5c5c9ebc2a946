//! The open items: invoices numbered densely across all customers, so that one misread digit
//! is usually somebody else's real invoice.

use super::calendar::{Day, TODAY, civil};
use super::dice::Dice;
use super::parties::{Parties, Party};

/// What an open item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Owed by the customer.
    Invoice,
    /// Owed by the customer: a charge-back, freight, interest.
    DebitMemo,
    /// Owed to the customer.
    CreditMemo,
    /// Cash of an earlier payment that found no item.
    OnAccount,
}

impl Kind {
    /// The word of the open items file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::DebitMemo => "debit_memo",
            Self::CreditMemo => "credit_memo",
            Self::OnAccount => "on_account",
        }
    }

    /// Whether the item reduces what is owed.
    pub const fn is_credit(self) -> bool {
        matches!(self, Self::CreditMemo | Self::OnAccount)
    }
}

/// The companies of the group that sell; each numbers in its own style.
pub const ENTITIES: [&str; 3] = ["E10", "E20", "E30"];

/// One open item. Amounts are cents and positive; the kind says which way they count.
pub struct Item {
    /// Whose.
    pub party: u32,
    /// Position in the file, which is also its id.
    pub rank: u32,
    /// The digits of its number.
    pub sequence: u32,
    /// The customer's purchase order, or 0.
    pub order: u32,
    /// As issued.
    pub amount: i64,
    /// Still open.
    pub open: i64,
    /// Discount if paid by `discount_date`; 0 for none.
    pub discount: i64,
    /// Issued.
    pub issued: Day,
    /// Due.
    pub due: Day,
    /// Last day of the discount.
    pub discount_date: Day,
    /// Index in [`ENTITIES`].
    pub entity: u8,
    /// Kind.
    pub kind: Kind,
}

impl Item {
    /// What the item adds to what is owed: negative for credits.
    pub const fn signed(&self) -> i64 {
        if self.kind.is_credit() {
            -self.open
        } else {
            self.open
        }
    }

    /// Whether the discount may still be taken this morning.
    pub const fn discount_available(&self) -> bool {
        self.discount > 0 && self.discount_date >= TODAY
    }

    /// The item's identifier.
    pub fn id(&self) -> String {
        format!("OI{:08}", self.rank + 1)
    }

    /// The item's number as its entity writes it.
    pub fn number(&self) -> String {
        let n = self.sequence;
        let year = civil(self.issued).0 % 100;
        match (self.kind, self.entity) {
            (Kind::Invoice, 0) => format!("INV-{n:07}"),
            (Kind::Invoice, 1) => format!("{n:07}"),
            (Kind::Invoice, _) => format!("SI-{year:02}-{n:07}"),
            (Kind::CreditMemo, 0) => format!("CM-{n:07}"),
            (Kind::CreditMemo, 1) => format!("C{n:07}"),
            (Kind::CreditMemo, _) => format!("SC-{year:02}-{n:07}"),
            (Kind::DebitMemo, 0) => format!("DM-{n:07}"),
            (Kind::DebitMemo, 1) => format!("D{n:07}"),
            (Kind::DebitMemo, _) => format!("SD-{year:02}-{n:07}"),
            (Kind::OnAccount, _) => format!("OA-{n:07}"),
        }
    }
}

/// All open items, grouped by party, with where each party's begin.
pub struct Items {
    /// Grouped by party.
    pub list: Vec<Item>,
    /// `starts[p]..starts[p + 1]` are party `p`'s.
    pub starts: Vec<u32>,
    /// Indices into `list` in the order of the file.
    pub file_order: Vec<u32>,
}

/// Creates and numbers the items of all parties.
pub fn create(seed: u64, parties: &Parties) -> Items {
    let mut dice = Dice::new(seed, 2);
    let mut list = Vec::with_capacity(parties.list.iter().map(|p| p.items as usize).sum());
    let mut starts = vec![0];
    for (number, party) in parties.list.iter().enumerate() {
        let home = dice.weighted([40, 35, 25]) as u8;
        for _ in 0..party.items {
            list.push(new_item(number as u32, party, home, &mut dice));
        }
        starts.push(list.len() as u32);
    }
    let file_order = number_items(&mut list, &mut dice);
    Items {
        list,
        starts,
        file_order,
    }
}

fn new_item(number: u32, party: &Party, home: u8, dice: &mut Dice) -> Item {
    let kind = match dice.below(1000) {
        0..40 => Kind::CreditMemo,
        40..55 => Kind::DebitMemo,
        55..62 => Kind::OnAccount,
        _ => Kind::Invoice,
    };
    let entity = if dice.chance(850) {
        home
    } else {
        dice.below(3) as u8
    };
    let terms = if party.discount_terms {
        30
    } else {
        dice.pick(&[30, 30, 30, 45, 60])
    };
    let overdue = dice.chance(300);
    let offset = if overdue {
        -dice.between(1, 75)
    } else {
        dice.between(0, terms - 1)
    };
    let due = TODAY + offset as Day;
    let amount = new_amount(kind, party, dice);
    let has_discount = party.discount_terms && kind == Kind::Invoice;
    let partly_paid = kind == Kind::Invoice && !has_discount && dice.chance(30);
    Item {
        party: number,
        rank: 0,
        sequence: 0,
        order: if dice.chance(850) {
            730_000_000 + dice.below(90_000_000) as u32
        } else {
            0
        },
        amount,
        open: if partly_paid {
            amount * dice.between(30, 90) / 100
        } else {
            amount
        },
        discount: if has_discount { (amount + 25) / 50 } else { 0 },
        issued: due - terms as Day,
        due,
        discount_date: due - 20,
        entity,
        kind,
    }
}

/// Cents, skewed as a distributor's invoices are; some recur, some are round.
fn new_amount(kind: Kind, party: &Party, dice: &mut Dice) -> i64 {
    if kind == Kind::CreditMemo || kind == Kind::OnAccount {
        return dice.between(1_500, 40_000);
    }
    if !party.recurring.is_empty() && dice.chance(350) {
        return dice.pick(&party.recurring);
    }
    if dice.chance(60) {
        return 5_000 * dice.between(1, 60);
    }
    let (low, high) = [
        (2_500, 10_000),
        (10_000, 50_000),
        (50_000, 200_000),
        (200_000, 1_000_000),
        (1_000_000, 5_000_000),
    ][dice.weighted([14, 36, 31, 16, 3])];
    dice.between(low, high)
}

/// Gives numbers in the order of issue, each entity and kind its own sequence, and returns the
/// order of the file.
fn number_items(list: &mut [Item], dice: &mut Dice) -> Vec<u32> {
    const FIRST: [[u32; 4]; 3] = [
        [48_213, 3_107, 10_431, 2_212],
        [4_821_377, 40_118, 118_004, 52_212],
        [93_121, 6_033, 12_870, 82_212],
    ];
    let mut keyed: Vec<(Day, u32, u32)> = list
        .iter()
        .enumerate()
        .map(|(index, item)| (item.issued, dice.below(1 << 32) as u32, index as u32))
        .collect();
    keyed.sort_unstable();
    let mut next = FIRST;
    for (rank, &(_, _, index)) in keyed.iter().enumerate() {
        let item = &mut list[index as usize];
        let counter = &mut next[usize::from(item.entity)][item.kind as usize];
        item.rank = rank as u32;
        item.sequence = *counter;
        *counter += 1;
    }
    keyed.into_iter().map(|(_, _, index)| index).collect()
}
