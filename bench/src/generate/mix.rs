//! The mix of a morning, as data: which scenarios occur on which channel, how often, what the
//! right answer is, and whether the files suffice to find it. `bench/README.md` shows the
//! same table.
//!
//! The weights are requests: a customer that lacks what a scenario needs (no two items of one
//! amount, no child, too many items for a payment without reference to be unambiguous) pays
//! `clean` instead. What came out is counted by `generate` and printed.

use clap::ValueEnum;

/// How a payment reaches the bank, and what comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A check through the lockbox that keys an amount per invoice.
    LockboxInvoice,
    /// A check through the lockbox that keys text only.
    LockboxText,
    /// An ACH credit or wire with remittance advice beside it.
    BankAdvice,
    /// An ACH credit or wire with text only.
    BankText,
}

impl Channel {
    /// All channels, in the order of the weights.
    pub const ALL: [Self; 4] = [
        Self::LockboxInvoice,
        Self::LockboxText,
        Self::BankAdvice,
        Self::BankText,
    ];
    /// Payments of a thousand.
    pub const PER_THOUSAND: [u32; 4] = [400, 400, 100, 100];

    /// Whether it is a check.
    pub const fn is_check(self) -> bool {
        matches!(self, Self::LockboxInvoice | Self::LockboxText)
    }

    /// How the same comes where no check can be written for it.
    #[must_use]
    pub const fn by_wire(self) -> Self {
        match self {
            Self::LockboxInvoice | Self::BankAdvice => Self::BankAdvice,
            Self::LockboxText | Self::BankText => Self::BankText,
        }
    }

    /// Whether the customer says how much of the payment is for which document.
    pub const fn has_line_amounts(self) -> bool {
        matches!(self, Self::LockboxInvoice | Self::BankAdvice)
    }
}

/// What the right answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it on items.
    Applied,
    /// Part on items, the rest on account.
    PartiallyApplied,
    /// The customer is known, the items are not.
    OnAccount,
    /// Paid before.
    Duplicate,
    /// No customer's payment.
    OutOfScope,
    /// Only a person who asks the customer can know.
    Person,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Applied,
        Self::PartiallyApplied,
        Self::OnAccount,
        Self::Duplicate,
        Self::OutOfScope,
        Self::Person,
    ];

    /// The word of `truth.csv`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::PartiallyApplied => "partially_applied",
            Self::OnAccount => "on_account",
            Self::Duplicate => "duplicate",
            Self::OutOfScope => "out_of_scope",
            Self::Person => "person",
        }
    }

    /// Whether the truth has items.
    pub const fn has_items(self) -> bool {
        matches!(self, Self::Applied | Self::PartiallyApplied)
    }
}

/// One row of the mix.
pub struct Row {
    /// Which.
    pub scenario: Scenario,
    /// Its name in `truth.csv`.
    pub name: &'static str,
    /// Per ten thousand payments of each channel; `clean` takes what is left.
    pub weights: [u32; 4],
    /// The right answer.
    pub outcome: Outcome,
    /// What happens.
    pub what: &'static str,
}

macro_rules! mix {
    ($($variant:ident, $name:literal, $weights:expr, $outcome:ident, $what:literal;)*) => {
        /// A scenario of the mix.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Scenario {
            $(#[doc = $what] $variant,)*
        }

        /// The mix, in the order of [`Scenario`].
        pub const MIX: &[Row] = &[
            $(Row {
                scenario: Scenario::$variant,
                name: $name,
                weights: $weights,
                outcome: Outcome::$outcome,
                what: $what,
            },)*
        ];
    };
}

mix! {
    Clean, "clean", [0, 0, 0, 0], Applied,
        "Known account, numbers as issued, paid in full.";
    NewAccount, "new_account", [800, 800, 800, 800], Applied,
        "An account nobody has seen, the name as people write it, numbers as issued.";
    ThirdParty, "third_party", [70, 70, 40, 70], Applied,
        "A payer who is no customer, numbers as issued, paid in full.";
    ParentPays, "parent_pays", [700, 700, 700, 700], Applied,
        "The parent's account pays its children's invoices.";
    Prefix, "prefix", [500, 600, 300, 500], Applied,
        "The number's prefix is dropped or one is added.";
    Zeros, "zeros", [400, 400, 300, 400], Applied,
        "Leading zeros are dropped or added.";
    Separators, "separators", [400, 400, 300, 400], Applied,
        "Other separators inside the number.";
    Truncated, "truncated", [300, 350, 100, 300], Applied,
        "One number lacks its first or last digits; payer and amount leave one item.";
    OcrSlip, "ocr_slip", [350, 350, 0, 0], Applied,
        "One character of one number is misread, often into another customer's number.";
    PurchaseOrder, "purchase_order", [100, 200, 0, 200], Applied,
        "The customer cites its purchase order instead of the invoice.";
    Discount, "discount", [600, 500, 700, 500], Applied,
        "The discount is taken within its terms.";
    Tolerance, "tolerance", [150, 150, 150, 150], Applied,
        "Short by at most 1.00: written off.";
    Deduction, "deduction", [400, 0, 500, 0], Applied,
        "Short by a deduction whose amount and reason are given.";
    PartPaid, "part_paid", [60, 60, 60, 60], Applied,
        "One invoice cited and paid in part, nothing said.";
    Overpaid, "overpaid", [90, 90, 60, 90], PartiallyApplied,
        "More than the cited invoice: the rest on account.";
    CreditNetted, "credit_netted", [200, 200, 250, 200], Applied,
        "A credit memo is cited and netted.";
    CreditSilent, "credit_silent", [0, 100, 0, 100], Applied,
        "Short by exactly one open credit memo that is not cited.";
    NoReference, "no_reference", [450, 550, 0, 550], Applied,
        "No reference; one item of the payer, and nothing else, has this amount.";
    NoReferenceNewAccount, "no_reference_new_account", [120, 150, 0, 150], Applied,
        "As before, from an account nobody has seen: the name has to do.";
    OnAccount, "on_account", [150, 180, 0, 250], OnAccount,
        "A known payer and an amount that fits nothing.";
    ClearAccount, "clear_account", [0, 0, 0, 0], Applied,
        "No reference; the amount is the whole account, credits netted.";
    ClearPastDue, "clear_past_due", [0, 0, 0, 0], Applied,
        "No reference; the amount is all that is past due.";
    DuplicateCheck, "duplicate_check", [130, 130, 0, 0], Duplicate,
        "The same check presented again.";
    DuplicateInvoice, "duplicate_invoice", [130, 130, 0, 0], Duplicate,
        "Another check for an invoice that a check has paid already.";
    TwinChecks, "twin_checks", [200, 200, 0, 0], Applied,
        "Two checks in a row of one amount, for two invoices of that amount.";
    TwoReadings, "two_readings", [600, 650, 0, 650], Person,
        "A known payer, no reference, and two open items of that amount.";
    SharedAmount, "shared_amount", [300, 320, 0, 320], Person,
        "An unknown payer, no reference, and an amount that several items have.";
    GarbageUnknown, "garbage_unknown", [110, 110, 0, 140], Person,
        "An unknown payer and a reference that says nothing.";
    ShortSeveral, "short_several", [0, 80, 0, 80], Person,
        "Several invoices cited, the sum short for no stated reason.";
    LockboxDeposit, "lockbox_deposit", [0, 0, 0, 0], OutOfScope,
        "The lockbox's deposit in one sum on the statement: its checks are in the lockbox file.";
    Debit, "debit", [0, 0, 0, 0], OutOfScope,
        "Money going out.";
    LateDiscount, "late_discount", [0, 0, 0, 0], Applied,
        "The discount is taken after its date: that much of the invoice stays open.";
    DeductionWithoutCode, "deduction_without_code", [0, 0, 0, 0], Applied,
        "Short by a deduction whose amount is given, and no reason.";
    FamilyCheck, "family_check", [0, 0, 0, 0], Applied,
        "The parent pays most of what all its children owe, up to hundreds of invoices.";
    InParts, "in_parts", [0, 0, 0, 0], Applied,
        "One invoice paid by two checks, first a part and then the rest.";
    NearDuplicate, "near_duplicate", [0, 0, 0, 0], Duplicate,
        "Another check for an invoice that a check has paid, its number written in another way.";
    SeveralItems, "several_items", [120, 150, 0, 150], Applied,
        "No reference; two to five invoices of the customer, and no other items, add up to it.";
    SeveralUnclear, "several_items_unclear", [0, 0, 0, 0], Person,
        "As before, but other items of the customer add up to it too.";
}

/// Which mix a morning has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Mix {
    /// [`MIX`], whose figures are comparable from version to version.
    #[default]
    Usual,
    /// [`WIDE`] besides.
    Wide,
}

/// What the wide mix has besides: per ten thousand payments of each channel, taken from `clean`.
pub const WIDE: &[(Scenario, [u32; 4])] = &[
    (Scenario::LateDiscount, [150, 150, 150, 150]),
    (Scenario::DeductionWithoutCode, [150, 0, 150, 0]),
    (Scenario::FamilyCheck, [20, 0, 40, 0]),
    (Scenario::InParts, [60, 60, 0, 0]),
    (Scenario::NearDuplicate, [100, 100, 0, 0]),
    (Scenario::SeveralItems, [400, 400, 0, 400]),
];

impl Scenario {
    /// Its row of the mix.
    pub fn row(self) -> &'static Row {
        &MIX[self as usize]
    }

    /// Whether the truth names items: those that are paid, or, where nobody but the customer
    /// could know, those that it meant.
    pub fn names_items(self) -> bool {
        self.row().outcome.has_items() || self == Self::SeveralUnclear
    }
}

/// The weights of one channel, `clean` included.
pub fn weights(channel: Channel, mix: Mix) -> impl Iterator<Item = u32> + Clone {
    let column = channel as usize;
    let of_row = move |row: &Row| {
        let wide = WIDE.iter().find(|(scenario, _)| *scenario == row.scenario);
        match wide {
            Some((_, weights)) if mix == Mix::Wide => weights[column],
            _ => row.weights[column],
        }
    };
    let named: u32 = MIX.iter().map(of_row).sum();
    MIX.iter().map(move |row| match row.scenario {
        Scenario::Clean => 10_000 - named,
        _ => of_row(row),
    })
}

/// How many invoices a payment covers: share of a thousand, least, most.
pub const INVOICES_PER_PAYMENT: &[(u32, i64, i64)] = &[
    (780, 1, 1),
    (110, 2, 2),
    (55, 3, 3),
    (35, 4, 6),
    (13, 7, 15),
    (7, 16, 40),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_their_scenario_says() {
        for (index, row) in MIX.iter().enumerate() {
            assert_eq!(row.scenario as usize, index);
        }
    }

    #[test]
    fn columns_leave_room_for_clean() {
        for channel in Channel::ALL {
            for mix in [Mix::Usual, Mix::Wide] {
                assert_eq!(weights(channel, mix).sum::<u32>(), 10_000);
                assert!(weights(channel, mix).next().unwrap() > 1_500);
            }
        }
        assert_eq!(Channel::PER_THOUSAND.iter().sum::<u32>(), 1_000);
        assert_eq!(INVOICES_PER_PAYMENT.iter().map(|r| r.0).sum::<u32>(), 1_000);
    }

    #[test]
    fn the_readme_shows_this_table() {
        let readme = include_str!("../../README.md");
        for row in MIX {
            let mut columns = row.weights;
            if row.scenario == Scenario::Clean {
                columns = Channel::ALL.map(|c| weights(c, Mix::Usual).next().unwrap());
            }
            let columns = columns.map(thousands).join(" | ");
            let shown = format!(
                "| `{}` | {columns} | {} | {} |",
                row.name,
                row.outcome.word(),
                row.what
            );
            assert!(readme.contains(&shown), "{shown}");
        }
        for (scenario, weights) in WIDE {
            let columns = weights.map(thousands).join(" | ");
            let shown = format!("| `{}` | {columns} |", scenario.row().name);
            assert!(readme.contains(&shown), "{shown}");
        }
    }

    fn thousands(count: u32) -> String {
        match count {
            0..1000 => count.to_string(),
            _ => format!("{},{:03}", count / 1000, count % 1000),
        }
    }
}
