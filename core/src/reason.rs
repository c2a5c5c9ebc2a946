//! The closed lists: statuses, reasons, rules. Numbers are never reused, names never change,
//! because scripts and stored ledgers hold them.

/// Defines an enum whose every value has a code and a sentence for people.
macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $number:literal, $code:literal, $sentence:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name {
            $(#[doc = $sentence] $value = $number,)+
        }

        impl $name {
            /// Every value, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The code, as outputs hold it.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$value => $code,)+ }
            }

            /// What it means, as one sentence for people.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$value => $sentence,)+ }
            }

            /// The value with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.code())
            }
        }
    };
}
pub(crate) use closed_list;

closed_list! {
    /// How a payment ended. Every payment has exactly one.
    Status {
        Applied = 1, "applied", "All of the money was applied to open items.";
        PartiallyApplied = 2, "partially_applied", "Part was applied to open items and the rest is on the customer's account.";
        OnAccount = 3, "on_account", "The customer is known, the items are not; all of the money is on the customer's account.";
        Proposed = 4, "proposed", "There is a likely answer, but a person decides.";
        Unidentified = 5, "unidentified", "Neither the customer nor the items could be told.";
        Duplicate = 6, "duplicate", "The same payment, or a payment of the same items, came before; it is held.";
        OutOfScope = 7, "out_of_scope", "The line is not a customer's payment to be applied.";
    }
}

closed_list! {
    /// Whether an application took effect.
    ApplicationStatus {
        Applied = 1, "applied", "The item was reduced.";
        Proposed = 2, "proposed", "A person has to confirm it; the item is unchanged.";
        Reversed = 3, "reversed", "The item was opened again by this much.";
    }
}

closed_list! {
    /// Why a payment is not simply applied in full. Where several hold, the lowest number is given.
    Reason {
        Debit = 1, "debit", "The line takes money out of the account.";
        NotMoney = 2, "not_money", "The line reports something, but moves no money of a customer.";
        LockboxDeposit = 3, "lockbox_deposit", "The bank's total of a lockbox whose cheques were read one by one.";
        LockboxDetailMissing = 4, "lockbox_detail_missing", "The bank's total of a lockbox whose cheques were not delivered.";
        ResubmittedPayment = 5, "resubmitted_payment", "Same payer account, cheque number and amount as an earlier payment.";
        ItemsAlreadyPaid = 6, "items_already_paid", "An earlier payment has paid the items that this one names.";
        CurrencyDiffers = 7, "currency_differs", "The items named are in another currency than the payment.";
        CustomerConflict = 8, "customer_conflict", "The payer and the items named belong to different customers.";
        AmbiguousCustomer = 9, "ambiguous_customer", "Several customers fit the payer equally well.";
        AmbiguousItems = 10, "ambiguous_items", "Several sets of open items fit equally well.";
        RemittanceDoesNotTie = 11, "remittance_does_not_tie", "The remittance's lines do not add up to the payment.";
        ReferenceNotFound = 12, "reference_not_found", "Documents are named that are not among the open items.";
        ShortPayment = 13, "short_payment", "Less was paid than the items named are open for, beyond tolerance.";
        OverPayment = 14, "over_payment", "More was paid than the items named are open for.";
        NoReadingFits = 15, "no_reading_fits", "The customer is known, but no set of open items fits the amount.";
        NoOpenItems = 16, "no_open_items", "The customer is known and has no open items in the currency.";
        BelowThreshold = 17, "below_threshold", "The best answer is not certain enough to apply itself.";
        PayerUnknown = 18, "payer_unknown", "Neither account, name nor a reference tells who paid.";
        NotBooked = 19, "not_booked", "The money is announced; the account does not have it yet.";
        DetailedElsewhere = 20, "detailed_elsewhere", "The bank's total of payments that were read one by one.";
        Reversal = 21, "reversal", "The line undoes an earlier one; it is no customer's payment.";
        Credit = 22, "credit", "The line brings money into the account.";
        LeftOut = 23, "left_out", "The recipe leaves the line out.";
        NoVersionHolds = 24, "no_version_holds", "No version of the recipe holds on the payment's day.";
        HeldByRule = 25, "held_by_rule", "A rule of the recipe asks for a person.";
        OriginalNotFound = 26, "original_not_found", "The line undoes an earlier one, which could not be told.";
        OriginalNotApplied = 27, "original_not_applied", "The line undoes an earlier one that was not applied to items.";
        TakenBack = 28, "taken_back", "A person took the decision back.";
    }
}

closed_list! {
    /// What led to a decision, from the strongest evidence to the weakest.
    Rule {
        RemittanceLines = 1, "remittance_lines", "The remittance names each item with its amount.";
        References = 2, "references", "The payment names the items and their sum fits.";
        ReferencesWithCredit = 3, "references_with_credit", "The payment names items whose sum fits once open credits are netted.";
        PartialReference = 4, "partial_reference", "A damaged reference and the amount leave one item of the customer.";
        ReferenceRemainder = 5, "reference_remainder", "The items named were paid and the difference is accounted for.";
        SingleItem = 6, "single_item", "An open item of the customer has the very amount.";
        ClearAccount = 7, "clear_account", "The amount is all that the customer has open.";
        ClearPastDue = 8, "clear_past_due", "The amount is all that the customer has past due.";
        CustomerOnly = 9, "customer_only", "Only the customer could be told.";
        Duplicate = 10, "duplicate", "The payment repeats an earlier one.";
        Scope = 11, "scope", "The kind of line decides.";
        NoRule = 12, "none", "No rule led to an answer.";
        Group = 13, "group", "The amount is all that is open on one order or payout.";
        Reversal = 14, "reversal", "The line undoes an earlier one, and what that did to items.";
        Recipe = 15, "recipe", "A rule of the recipe decides.";
        Person = 16, "person", "A person decided.";
        Subset = 17, "subset", "Several open items of the customer together have the very amount.";
    }
}

closed_list! {
    /// The kinds of open item (DESIGN's canonical list).
    ItemKind {
        Invoice = 1, "invoice", "What a customer owes for goods or services.";
        DebitMemo = 2, "debit_memo", "A charge to a customer beside an invoice.";
        CreditMemo = 3, "credit_memo", "What the business owes a customer; it reduces what is to be paid.";
        OnAccount = 4, "on_account", "Money of a customer that is not applied yet; it reduces what is to be paid.";
        Bill = 5, "bill", "What the business owes a vendor.";
        Refund = 6, "refund", "What the business pays back.";
        Payout = 7, "payout", "What a processor pays out.";
        Entry = 8, "entry", "An entry of the books: above zero money in, below zero money out.";
    }
}

impl ItemKind {
    /// Whether the item reduces what a customer has to pay.
    pub const fn is_credit(self) -> bool {
        matches!(self, Self::CreditMemo | Self::OnAccount)
    }

    /// Which way money moves that settles an item of the kind with an amount above zero: in for
    /// what is owed to the business, out for what it owes.
    pub const fn settled_by(self) -> Direction {
        match self {
            Self::Invoice | Self::DebitMemo | Self::Payout | Self::Entry => Direction::Credit,
            Self::CreditMemo | Self::OnAccount | Self::Bill | Self::Refund => Direction::Debit,
        }
    }
}

closed_list! {
    /// Which way money moves, seen from the account (ISO 20022 `CreditDebitCode`).
    Direction {
        Credit = 1, "CRDT", "Money comes into the account.";
        Debit = 2, "DBIT", "Money leaves the account.";
    }
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Credit => Self::Debit,
            Self::Debit => Self::Credit,
        }
    }
}

closed_list! {
    /// What kind of document a transaction came in.
    Channel {
        Lockbox = 1, "lockbox", "A cheque that came through a lockbox.";
        Statement = 2, "statement", "A line of an account statement.";
        Summary = 3, "summary", "A total that a statement gives beside its lines.";
        Ach = 4, "ach", "An entry of an ACH file.";
        Wire = 5, "wire", "A single funds transfer message.";
        Cheque = 6, "cheque", "A cheque of an image cash letter.";
        Processor = 7, "processor", "A line of a processor's settlement.";
        Books = 8, "books", "An item of the books that mirrors another.";
    }
}

closed_list! {
    /// How final a report of bank lines is. The same money may come in several; it counts once.
    Feed {
        Statement = 1, "statement", "The account's booked lines, as its statement has them.";
        Interim = 2, "interim", "A report during the day; the statement has the same lines again.";
        Detail = 3, "detail", "The single payments behind lines of a statement.";
    }
}

closed_list! {
    /// What a word about a payment is about (ISO 20022 payment status reports).
    StatusLevel {
        Group = 1, "group", "A whole message or file.";
        PaymentInformation = 2, "payment_information", "One batch of a message.";
        Transaction = 3, "transaction", "One payment.";
    }
}

closed_list! {
    /// What a line of a processor's settlement is.
    SettlementType {
        Charge = 1, "charge", "A customer paid.";
        Refund = 2, "refund", "A customer was paid back.";
        RefundReversal = 3, "refund_reversal", "A refund did not reach the customer.";
        Chargeback = 4, "chargeback", "A customer took a payment back through the bank.";
        ChargebackReversal = 5, "chargeback_reversal", "A chargeback was decided for the merchant.";
        Fee = 6, "fee", "The processor's own charge.";
        Payout = 7, "payout", "Money sent to the merchant's bank account.";
        Transfer = 8, "transfer", "Money moved between balances of the merchant.";
        Conversion = 9, "conversion", "One side of a currency conversion.";
        Reserve = 10, "reserve", "Money withheld, or released again.";
        Adjustment = 11, "adjustment", "A correction, or a kind that has no word of its own.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_codes_round_trip() {
        for pair in Reason::ALL.windows(2) {
            assert!((pair[0] as u8) < pair[1] as u8);
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
        for status in Status::ALL {
            assert_eq!(Status::from_code(status.code()), Some(*status));
        }
        for rule in Rule::ALL {
            assert_eq!(Rule::from_code(rule.code()), Some(*rule));
        }
        assert_eq!(Status::from_code("maybe"), None);
    }
}
