//! The canonical tables as Arrow schemas.
//!
//! The first columns of each table are a contract with scripts outside the project; the
//! columns after them may grow. [`Table::contract_columns`] says where the contract ends.
//! Money is `Decimal128(23, 5)`, dates are `Date32`, text is `Utf8`.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// Digits of every amount column.
pub const AMOUNT_PRECISION: u8 = 23;
/// The Arrow type of every amount column.
pub const AMOUNT_TYPE: DataType = DataType::Decimal128(AMOUNT_PRECISION, 5);
/// Decimals of an exchange rate.
pub const RATE_SCALE: i8 = 12;
/// The Arrow type of exchange rates: 16 digits before the point, 12 after.
pub const RATE_TYPE: DataType = DataType::Decimal128(28, RATE_SCALE);

/// The canonical tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// One row a payment with what became of it.
    Payments,
    /// One row a payment and item.
    Applications,
    /// One row a payment that a person has to look at.
    Exceptions,
    /// One row a payment that repeats another.
    Duplicates,
    /// One row a line that was not read.
    Quarantine,
    /// One row a thing to know about a file.
    Findings,
    /// One row a statement line or cheque.
    Transactions,
    /// One row a balance that a statement gives.
    Balances,
    /// One row a document line of remittance advice: `net = gross - discount + adjustment`, so
    /// that an adjustment below zero is taken off.
    RemittanceLines,
    /// One row a file.
    Files,
    /// One row a customer or vendor.
    Parties,
    /// One row an open item, as the run found it; `applications` says what it lost.
    OpenItems,
    /// One row a piece of evidence or an alternative of a decision.
    Evidence,
    /// One row a payment that somebody was told to make: pain.001, pain.008, pacs.008, NACHA,
    /// Fedwire.
    PaymentInstructions,
    /// One row a word about such a payment: accepted, rejected, returned, corrected.
    PaymentStatuses,
    /// One row a line of a processor's settlement report, known by its content as bank lines are;
    /// a reader leaves `settlement_line_id` empty, because only the pipeline knows the occurrence.
    SettlementLines,
    /// One row an event of the ledger's journal.
    Journal,
    /// One row a decision or a row of an earlier posting that no longer holds.
    Reversals,
    /// One row an own bank account: whose it is, and at which bank.
    Accounts,
    /// One row an exchange rate of a day: units of the quote currency for one of the base currency.
    ExchangeRates,
}

/// How many of a table's columns are the contract.
type Columns = (&'static [(&'static str, Kind)], usize);

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Optional,
    Money,
    OptionalMoney,
    Day,
    NeededDay,
    Count,
    OptionalCount,
    Flag,
    Ratio,
    OptionalRatio,
    Rate,
}

use Kind::{
    Count, Day, Flag, Money, NeededDay, Optional, OptionalCount, OptionalMoney, OptionalRatio,
    Rate, Ratio, Text,
};

const PAYMENTS: Columns = (
    &[
        ("payment_id", Text),
        ("source_file", Text),
        ("source_line", Count),
        ("account", Optional),
        ("booking_date", Day),
        ("value_date", Day),
        ("currency", Text),
        ("amount", Money),
        ("payer_name", Optional),
        ("check_number", Optional),
        ("bank_reference", Optional),
        ("end_to_end_id", Optional),
        ("status", Text),
        ("party_id", Optional),
        ("applied", Money),
        ("on_account", Money),
        ("unapplied", Money),
        ("reason", Optional),
        ("rule", Text),
        ("score", Ratio),
        ("margin", Ratio),
        ("direction", Text),
        ("channel", Text),
        ("payer_account", Optional),
        ("remittance_text", Optional),
        ("recipe", Text),
        ("byte_start", Count),
        ("byte_end", Count),
        ("reverses", Optional),
    ],
    21,
);

const APPLICATIONS: Columns = (
    &[
        ("payment_id", Text),
        ("item_id", Text),
        ("item_number", Optional),
        ("party_id", Optional),
        ("currency", Text),
        ("applied", Money),
        ("discount", Money),
        ("write_off", Money),
        ("deduction", Money),
        ("deduction_reason", Optional),
        ("rule", Text),
        ("score", Ratio),
        ("status", Text),
    ],
    13,
);

const EXCEPTIONS: Columns = (
    &[
        ("payment_id", Text),
        ("reason", Text),
        ("amount", Money),
        ("candidates", Optional),
    ],
    4,
);

const DUPLICATES: Columns = (
    &[
        ("payment_id", Text),
        ("duplicate_of", Text),
        ("evidence", Text),
    ],
    3,
);

const QUARANTINE: Columns = (
    &[
        ("source_file", Text),
        ("source_line", Count),
        ("byte_start", Count),
        ("byte_end", Count),
        ("reason", Text),
        ("message", Text),
        ("raw", Text),
    ],
    7,
);

const FINDINGS: Columns = (
    &[
        ("source_file", Text),
        ("source_line", OptionalCount),
        ("severity", Text),
        ("code", Text),
        ("found", Text),
        ("expected", Optional),
        ("action", Optional),
    ],
    7,
);

const TRANSACTIONS: Columns = (
    &[
        ("transaction_id", Text),
        ("source_file", Text),
        ("source_line", Count),
        ("account", Optional),
        ("booking_date", Day),
        ("value_date", Day),
        ("direction", Text),
        ("currency", Text),
        ("amount", Money),
        ("type_code", Optional),
        ("bank_reference", Optional),
        ("end_to_end_id", Optional),
        ("check_number", Optional),
        ("counterparty_name", Optional),
        ("counterparty_account", Optional),
        ("remittance_text", Optional),
        ("reversal", Flag),
        ("status", Text),
        ("channel", Text),
        ("statement_id", Optional),
        ("customer_number", Optional),
        ("byte_start", Count),
        ("byte_end", Count),
        ("feed", Text),
        ("entry_reference", Optional),
        ("creditor_reference", Optional),
        ("mandate_id", Optional),
        ("return_reason", Optional),
        ("charges", OptionalMoney),
    ],
    18,
);

const BALANCES: Columns = (
    &[
        ("source_file", Text),
        ("source_line", Count),
        ("account", Text),
        ("currency", Text),
        ("type_code", Text),
        ("balance_type", Text),
        ("as_of_date", Day),
        ("amount", Money),
        ("item_count", OptionalCount),
    ],
    9,
);

/// The amounts of a document line: `net = gross - discount + adjustment`. So an `adjustment` is
/// signed: below zero it is taken off (a deduction, a fee), above zero it is added (interest, a
/// late charge); a document that credits the payer has its amounts below zero. Every reader that
/// knows what its format's sign means turns it into this one; the canonical text input is kept as
/// it is written.
const REMITTANCE_LINES: Columns = (
    &[
        ("payment_id", Optional),
        ("source_file", Text),
        ("source_line", Count),
        ("payment_reference", Optional),
        ("payer_name", Optional),
        ("payment_date", Day),
        ("payment_amount", OptionalMoney),
        ("currency", Optional),
        ("document_number", Optional),
        ("gross", OptionalMoney),
        ("discount", OptionalMoney),
        ("adjustment", OptionalMoney),
        ("adjustment_reason", Optional),
        ("net", OptionalMoney),
    ],
    14,
);

const FILES: Columns = (
    &[
        ("source_file", Text),
        ("format", Text),
        ("profile", Optional),
        ("digest", Optional),
        ("bytes", Count),
        ("lines", Count),
        ("rows", Count),
        ("quarantined", Count),
        ("known_before", Count),
    ],
    9,
);

const PARTIES: Columns = (
    &[
        ("party_id", Text),
        ("role", Optional),
        ("name", Optional),
        ("aliases", Optional),
        ("parent_id", Optional),
        ("accounts", Optional),
        ("source_file", Text),
        ("source_line", Count),
        ("extra", Optional),
    ],
    6,
);

const OPEN_ITEMS: Columns = (
    &[
        ("item_id", Text),
        ("entity", Optional),
        ("party_id", Optional),
        ("kind", Text),
        ("number", Optional),
        ("po_number", Optional),
        ("currency", Text),
        ("amount", Money),
        ("open_amount", Money),
        ("issue_date", Day),
        ("due_date", Day),
        ("discount_amount", OptionalMoney),
        ("discount_date", Day),
        ("source_file", Text),
        ("source_line", Count),
        ("extra", Optional),
    ],
    13,
);

const EVIDENCE: Columns = (
    &[
        ("payment_id", Text),
        ("sequence", Count),
        ("kind", Text),
        ("name", Text),
        ("weight", OptionalRatio),
        ("score", OptionalRatio),
        ("items", Optional),
        ("detail", Optional),
    ],
    8,
);

const PAYMENT_INSTRUCTIONS: Columns = (
    &[
        ("source_file", Text),
        ("source_line", Count),
        ("message_type", Text),
        ("message_id", Optional),
        ("payment_information_id", Optional),
        ("instruction_id", Optional),
        ("end_to_end_id", Optional),
        ("transaction_reference", Optional),
        ("direction", Text),
        ("method", Optional),
        ("requested_date", Day),
        ("currency", Text),
        ("amount", Money),
        ("debtor_name", Optional),
        ("debtor_account", Optional),
        ("debtor_agent", Optional),
        ("creditor_name", Optional),
        ("creditor_account", Optional),
        ("creditor_agent", Optional),
        ("mandate_id", Optional),
        ("purpose", Optional),
        ("remittance_text", Optional),
        ("creditor_reference", Optional),
        ("byte_start", Count),
        ("byte_end", Count),
    ],
    25,
);

const PAYMENT_STATUSES: Columns = (
    &[
        ("source_file", Text),
        ("source_line", Count),
        ("message_type", Text),
        ("message_id", Optional),
        ("level", Text),
        ("original_message_id", Optional),
        ("original_payment_information_id", Optional),
        ("original_instruction_id", Optional),
        ("original_end_to_end_id", Optional),
        ("original_transaction_reference", Optional),
        ("status", Text),
        ("reason", Optional),
        ("information", Optional),
        ("status_date", Day),
        ("currency", Optional),
        ("amount", OptionalMoney),
        ("byte_start", Count),
        ("byte_end", Count),
    ],
    18,
);

const SETTLEMENT_LINES: Columns = (
    &[
        ("source_file", Text),
        ("source_line", Count),
        ("processor", Text),
        ("merchant_account", Optional),
        ("line_type", Text),
        ("processor_type", Optional),
        ("booking_date", Day),
        ("settlement_date", Day),
        ("currency", Text),
        ("gross", Money),
        ("fee", Money),
        ("net", Money),
        ("processor_reference", Optional),
        ("original_reference", Optional),
        ("merchant_reference", Optional),
        ("payout_reference", Optional),
        ("payment_method", Optional),
        ("customer_name", Optional),
        ("description", Optional),
        ("byte_start", Count),
        ("byte_end", Count),
        ("settlement_line_id", Optional),
    ],
    21,
);

const JOURNAL: Columns = (
    &[
        ("sequence", Count),
        ("posting", Count),
        ("recorded_at", Text),
        ("kind", Text),
        ("subject", Optional),
        ("actor", Optional),
        ("action", Optional),
        ("reason", Optional),
        ("hash", Text),
        ("payment_id", Optional),
        ("owner", Optional),
        ("deadline", Optional),
    ],
    9,
);

const REVERSALS: Columns = (
    &[
        ("what", Text),
        ("id", Text),
        ("reversed_posting", Count),
        ("posting", Count),
    ],
    4,
);

const ACCOUNTS: Columns = (
    &[
        ("account", Text),
        ("entity", Text),
        ("bank", Text),
        ("currency", Optional),
        ("name", Optional),
        ("source_file", Text),
        ("source_line", Count),
        ("extra", Optional),
    ],
    5,
);

const EXCHANGE_RATES: Columns = (
    &[
        ("rate_date", NeededDay),
        ("base_currency", Text),
        ("quote_currency", Text),
        ("rate", Rate),
        ("source", Optional),
        ("source_file", Text),
        ("source_line", Count),
        ("extra", Optional),
    ],
    5,
);

impl Table {
    /// Every table.
    pub const ALL: [Self; 20] = [
        Self::Payments,
        Self::Applications,
        Self::Exceptions,
        Self::Duplicates,
        Self::Quarantine,
        Self::Findings,
        Self::Transactions,
        Self::Balances,
        Self::RemittanceLines,
        Self::Files,
        Self::Parties,
        Self::OpenItems,
        Self::Evidence,
        Self::PaymentInstructions,
        Self::PaymentStatuses,
        Self::SettlementLines,
        Self::Journal,
        Self::Reversals,
        Self::Accounts,
        Self::ExchangeRates,
    ];

    /// The tables that `--out` writes.
    pub const OUTPUTS: [Self; 12] = [
        Self::Payments,
        Self::Applications,
        Self::Exceptions,
        Self::Duplicates,
        Self::Quarantine,
        Self::Findings,
        Self::Transactions,
        Self::Balances,
        Self::RemittanceLines,
        Self::PaymentInstructions,
        Self::PaymentStatuses,
        Self::SettlementLines,
    ];

    /// The table's name in SQL, and of its file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Applications => "applications",
            Self::Exceptions => "exceptions",
            Self::Duplicates => "duplicates",
            Self::Quarantine => "quarantine",
            Self::Findings => "findings",
            Self::Transactions => "transactions",
            Self::Balances => "balances",
            Self::RemittanceLines => "remittance_lines",
            Self::Files => "files",
            Self::Parties => "parties",
            Self::OpenItems => "open_items",
            Self::Evidence => "evidence",
            Self::PaymentInstructions => "payment_instructions",
            Self::PaymentStatuses => "payment_statuses",
            Self::SettlementLines => "settlement_lines",
            Self::Journal => "journal",
            Self::Reversals => "reversals",
            Self::Accounts => "accounts",
            Self::ExchangeRates => "exchange_rates",
        }
    }

    const fn columns(self) -> Columns {
        match self {
            Self::Payments => PAYMENTS,
            Self::Applications => APPLICATIONS,
            Self::Exceptions => EXCEPTIONS,
            Self::Duplicates => DUPLICATES,
            Self::Quarantine => QUARANTINE,
            Self::Findings => FINDINGS,
            Self::Transactions => TRANSACTIONS,
            Self::Balances => BALANCES,
            Self::RemittanceLines => REMITTANCE_LINES,
            Self::Files => FILES,
            Self::Parties => PARTIES,
            Self::OpenItems => OPEN_ITEMS,
            Self::Evidence => EVIDENCE,
            Self::PaymentInstructions => PAYMENT_INSTRUCTIONS,
            Self::PaymentStatuses => PAYMENT_STATUSES,
            Self::SettlementLines => SETTLEMENT_LINES,
            Self::Journal => JOURNAL,
            Self::Reversals => REVERSALS,
            Self::Accounts => ACCOUNTS,
            Self::ExchangeRates => EXCHANGE_RATES,
        }
    }

    /// How many of the first columns are the contract with scripts outside.
    pub const fn contract_columns(self) -> usize {
        self.columns().1
    }

    /// The table's schema.
    pub fn schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<Vec<SchemaRef>> =
            LazyLock::new(|| Table::ALL.map(build_schema).to_vec());
        Arc::clone(&SCHEMAS[self as usize])
    }

    /// The place of the column named `name`.
    ///
    /// # Panics
    /// If the table has no such column, which is a mistake in the program.
    pub fn column(self, name: &str) -> usize {
        self.columns()
            .0
            .iter()
            .position(|(column, _)| *column == name)
            .unwrap_or_else(|| panic!("{} has no column {name}", self.name()))
    }
}

/// `transactions` as a parser emits them: instead of `transaction_id` the content's identity
/// (sixteen bytes), because only the pipeline, which sees all files, knows the occurrence.
pub fn parsed_transactions() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        replace_first(
            Table::Transactions,
            Field::new("identity", DataType::FixedSizeBinary(16), false),
        )
    });
    Arc::clone(&SCHEMA)
}

/// `remittance_lines` as a parser emits them beside their transactions: instead of
/// `payment_id` the row of the transaction in the batch that goes with them (ascending).
pub fn parsed_remittance_lines() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        replace_first(
            Table::RemittanceLines,
            Field::new("transaction_row", DataType::UInt32, false),
        )
    });
    Arc::clone(&SCHEMA)
}

fn replace_first(table: Table, first: Field) -> SchemaRef {
    let schema = table.schema();
    let rest = schema.fields().iter().skip(1).cloned();
    let fields: Vec<_> = std::iter::once(Arc::new(first)).chain(rest).collect();
    Arc::new(Schema::new(fields))
}

fn build_schema(table: Table) -> SchemaRef {
    let fields: Vec<Field> = table
        .columns()
        .0
        .iter()
        .map(|&(name, kind)| {
            let (data_type, nullable) = match kind {
                Text => (DataType::Utf8, false),
                Optional => (DataType::Utf8, true),
                Money => (AMOUNT_TYPE, false),
                OptionalMoney => (AMOUNT_TYPE, true),
                Day => (DataType::Date32, true),
                NeededDay => (DataType::Date32, false),
                Count => (DataType::UInt64, false),
                OptionalCount => (DataType::UInt64, true),
                Flag => (DataType::Boolean, false),
                Ratio => (DataType::Float64, false),
                OptionalRatio => (DataType::Float64, true),
                Rate => (RATE_TYPE, false),
            };
            Field::new(name, data_type, nullable)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_stands_at_its_place() {
        for (place, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table as usize, place);
            assert!(table.contract_columns() <= table.schema().fields().len());
        }
    }

    #[test]
    fn parsed_batches_differ_in_the_first_column_only() {
        let parsed = parsed_transactions();
        let table = Table::Transactions.schema();
        assert_eq!(parsed.field(0).name(), "identity");
        assert_eq!(parsed.fields()[1..], table.fields()[1..]);
        assert_eq!(parsed_remittance_lines().field(0).name(), "transaction_row");
    }
}
