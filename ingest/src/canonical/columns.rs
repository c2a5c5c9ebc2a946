//! The kinds of canonical input, their columns, and how a kind is told by its columns.

use arrow::array::RecordBatch;
use tieout_core::schema::Table;

use crate::format::{Batch, Role};

/// What a canonical file lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    OpenItems,
    Remittances,
    Parties,
    Accounts,
    ExchangeRates,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text,
    ItemKind,
    Currency,
    Money,
    Day,
    Rate,
}

/// One column of the canonical list.
#[derive(Debug)]
pub(super) struct Column {
    pub name: &'static str,
    pub content: Content,
    /// Whether every row must have a value.
    pub is_needed: bool,
    /// The column whose value stands in where this one has none.
    pub stand_in: Option<usize>,
}

const fn column(name: &'static str, content: Content) -> Column {
    Column {
        name,
        content,
        is_needed: false,
        stand_in: None,
    }
}

const fn needed(name: &'static str, content: Content) -> Column {
    Column {
        is_needed: true,
        ..column(name, content)
    }
}

const OPEN_AMOUNT: usize = 8;
const OPEN_ITEMS: &[Column] = &[
    needed("item_id", Content::Text),
    column("entity", Content::Text),
    column("party_id", Content::Text),
    needed("kind", Content::ItemKind),
    column("number", Content::Text),
    column("po_number", Content::Text),
    needed("currency", Content::Currency),
    Column {
        stand_in: Some(OPEN_AMOUNT),
        ..needed("amount", Content::Money)
    },
    needed("open_amount", Content::Money),
    column("issue_date", Content::Day),
    column("due_date", Content::Day),
    column("discount_amount", Content::Money),
    column("discount_date", Content::Day),
];

const REMITTANCES: &[Column] = &[
    column("payment_reference", Content::Text),
    column("payer_name", Content::Text),
    column("payment_date", Content::Day),
    column("payment_amount", Content::Money),
    column("currency", Content::Currency),
    column("document_number", Content::Text),
    column("gross", Content::Money),
    column("discount", Content::Money),
    column("adjustment", Content::Money),
    column("adjustment_reason", Content::Text),
    column("net", Content::Money),
];

const PARTIES: &[Column] = &[
    needed("party_id", Content::Text),
    column("role", Content::Text),
    column("name", Content::Text),
    column("aliases", Content::Text),
    column("parent_id", Content::Text),
    column("accounts", Content::Text),
];

const ACCOUNTS: &[Column] = &[
    needed("account", Content::Text),
    needed("entity", Content::Text),
    needed("bank", Content::Text),
    column("currency", Content::Currency),
    column("name", Content::Text),
];

const EXCHANGE_RATES: &[Column] = &[
    needed("rate_date", Content::Day),
    needed("base_currency", Content::Currency),
    needed("quote_currency", Content::Currency),
    needed("rate", Content::Rate),
    column("source", Content::Text),
];

/// Names below which a header with something missing is no sign of a kind.
const NAMES_MIN: usize = 3;

impl Kind {
    /// The kinds, in the order in which a header is held against them.
    const ALL: [Self; 5] = [
        Self::OpenItems,
        Self::Remittances,
        Self::Parties,
        Self::Accounts,
        Self::ExchangeRates,
    ];

    /// The columns, in the order of the contract.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::OpenItems => OPEN_ITEMS,
            Self::Remittances => REMITTANCES,
            Self::Parties => PARTIES,
            Self::Accounts => ACCOUNTS,
            Self::ExchangeRates => EXCHANGE_RATES,
        }
    }

    /// The columns a file must have; of each group at least one.
    pub fn required(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::OpenItems => &[
                &["item_id"],
                &["party_id"],
                &["kind"],
                &["currency"],
                &["open_amount"],
                &["number"],
            ],
            Self::Remittances => &[
                &["document_number"],
                &["net", "gross"],
                &["payment_reference", "payment_amount"],
            ],
            Self::Parties => &[&["party_id"], &["name"]],
            Self::Accounts => &[&["account"], &["entity"], &["bank"]],
            Self::ExchangeRates => &[
                &["rate_date"],
                &["base_currency"],
                &["quote_currency"],
                &["rate"],
            ],
        }
    }

    /// The names of which a header has one if it aims at this kind.
    fn marks(self) -> &'static [&'static str] {
        match self {
            Self::OpenItems => &["item_id", "open_amount"],
            Self::Remittances => &["payment_reference", "document_number"],
            Self::Parties => &["party_id", "aliases", "parent_id", "accounts"],
            // A statement has accounts and banks too.
            Self::Accounts => &[],
            Self::ExchangeRates => &["base_currency", "quote_currency"],
        }
    }

    /// The table that the rows belong to.
    pub fn table(self) -> Table {
        match self {
            Self::OpenItems => Table::OpenItems,
            Self::Remittances => Table::RemittanceLines,
            Self::Parties => Table::Parties,
            Self::Accounts => Table::Accounts,
            Self::ExchangeRates => Table::ExchangeRates,
        }
    }

    /// Whether the table keeps what has no column of its own.
    pub fn has_extra(self) -> bool {
        self.table().schema().column_with_name("extra").is_some()
    }

    /// What the rows are to the run.
    pub fn role(self) -> Role {
        match self {
            Self::OpenItems => Role::OpenItems,
            Self::Remittances => Role::Remittances,
            Self::Parties | Self::Accounts | Self::ExchangeRates => Role::Parties,
        }
    }

    /// The columns' names, for people.
    pub fn column_names(self) -> String {
        let names: Vec<_> = self.columns().iter().map(|column| column.name).collect();
        names.join(",")
    }

    /// What people call the rows.
    pub fn title(self) -> &'static str {
        match self {
            Self::OpenItems => "open items",
            Self::Remittances => "remittances",
            Self::Parties => "parties",
            Self::Accounts => "own accounts with entity and bank",
            Self::ExchangeRates => "exchange rates",
        }
    }

    /// The rows as a batch of this kind.
    pub fn batch(self, rows: RecordBatch) -> Batch {
        Batch::Rows(self.table(), rows)
    }

    /// The kind of file that has columns of these names, in small letters.
    ///
    /// A header that has every required column of a kind is of that kind; else it is of the
    /// kind that it aims at most clearly, so that what is missing can be said.
    pub fn of<S: AsRef<str>>(names: &[S]) -> Option<Self> {
        let complete = Self::ALL.into_iter().find(|kind| kind.is_complete(names));
        complete.or_else(|| Self::aimed_at(names))
    }

    fn is_complete<S: AsRef<str>>(self, names: &[S]) -> bool {
        let has_one = |group: &&[&str]| group.iter().any(|name| has(names, name));
        self.required().iter().all(has_one)
    }

    fn aimed_at<S: AsRef<str>>(names: &[S]) -> Option<Self> {
        let aimed = Self::ALL.into_iter().filter(|kind| {
            let count = kind.count(names);
            let is_marked = kind.marks().iter().any(|mark| has(names, mark));
            is_marked && kind.has_enough(count, names.len())
        });
        // The last of equals wins `max_by_key`, so the order is turned round.
        aimed.rev().max_by_key(|kind| kind.count(names))
    }

    /// Foreign files share names like `currency` and `amount`: most columns must be ours.
    fn has_enough(self, count: usize, columns: usize) -> bool {
        let least = match self {
            Self::Parties => 2,
            Self::OpenItems | Self::Remittances | Self::Accounts | Self::ExchangeRates => NAMES_MIN,
        };
        count >= least && 2 * count > columns
    }

    fn count<S: AsRef<str>>(self, names: &[S]) -> usize {
        let columns = self.columns().iter();
        columns.filter(|column| has(names, column.name)).count()
    }
}

fn has<S: AsRef<str>>(names: &[S], wanted: &str) -> bool {
    names.iter().any(|name| name.as_ref() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(header: &str) -> Option<Kind> {
        Kind::of(&header.split(',').collect::<Vec<_>>())
    }

    #[test]
    fn stand_in_is_the_open_amount() {
        assert_eq!(OPEN_ITEMS[OPEN_AMOUNT].name, "open_amount");
    }

    #[test]
    fn needed_columns_are_those_the_table_cannot_leave_empty() {
        for kind in Kind::ALL {
            let schema = kind.table().schema();
            for column in kind.columns() {
                let field = schema.field(kind.table().column(column.name));
                assert_eq!(column.is_needed, !field.is_nullable(), "{}", column.name);
            }
        }
    }

    #[test]
    fn complete_headers_tell_their_kind() {
        for kind in Kind::ALL {
            let names: Vec<_> = kind.columns().iter().map(|column| column.name).collect();
            assert_eq!(Kind::of(&names), Some(kind));
        }
        let with_name = "item_id,party_id,name,kind,currency,open_amount,number";
        assert_eq!(kind(with_name), Some(Kind::OpenItems));
        assert_eq!(kind("party_id,name"), Some(Kind::Parties));
        let advice = "document_number,net,payment_amount";
        assert_eq!(kind(advice), Some(Kind::Remittances));
        let rates = "base_currency,quote_currency,rate_date";
        assert_eq!(kind(rates), Some(Kind::ExchangeRates));
    }

    #[test]
    fn incomplete_headers_aim_at_a_kind() {
        let no_amount = "item_id,party_id,kind,number,currency,due_date";
        assert_eq!(kind(no_amount), Some(Kind::OpenItems));
        let no_id = "party_id,kind,number,currency,open_amount";
        assert_eq!(kind(no_id), Some(Kind::OpenItems));
        assert_eq!(kind("party_id,role,accounts"), Some(Kind::Parties));
        assert_eq!(kind("party_id,role"), Some(Kind::Parties));
        assert_eq!(kind("role,name,aliases,accounts"), Some(Kind::Parties));
        let no_document = "payment_reference,payer_name,net,currency";
        assert_eq!(kind(no_document), Some(Kind::Remittances));
    }

    #[test]
    fn foreign_headers_are_of_no_kind() {
        for header in [
            "date,description,amount,currency",
            "account,bank,date,description,amount",
            "order_id,item_id,sku,quantity,amount,currency",
            "id,number,kind,amount,currency,name",
            "payment_id,item_id,item_number,party_id,currency,applied,discount",
            "01",
            "",
        ] {
            assert_eq!(kind(header), None, "{header}");
        }
    }
}
