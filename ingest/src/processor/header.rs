//! Where a report has the columns of its profile.

use super::profile::{AmountColumns, Columns, Names, Profile, column_name};

/// Columns that hold one value, in the order of preference.
pub(super) type Places = Vec<usize>;

/// Where the values of a row are.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    /// The columns as the profile writes them.
    pub names: Vec<String>,
    /// Columns without the nameless ones at the end.
    pub width: usize,
    pub merchant_account: Places,
    pub kind: Places,
    pub status: Places,
    pub impact: Places,
    pub balance: Places,
    pub booking_date: Places,
    pub settlement_date: Places,
    pub processor_reference: Places,
    pub charge_reference: Places,
    pub original_reference: Places,
    pub merchant_reference: Places,
    pub payout_reference: Places,
    pub payment_method: Places,
    pub customer_name: Places,
    pub description: Places,
    pub original_amount: Places,
    pub original_currency: Places,
    pub line_count: Places,
    pub amounts: Vec<AmountPlaces>,
}

/// Where the figures of one currency are.
#[derive(Clone, Debug, Default)]
pub(super) struct AmountPlaces {
    pub currency: Places,
    pub gross: FigurePlaces,
    pub gross_currency: Places,
    pub fee: Places,
    pub net: FigurePlaces,
}

#[derive(Clone, Debug, Default)]
pub(super) struct FigurePlaces {
    pub signed: Places,
    pub credit: Places,
    pub debit: Places,
}

impl FigurePlaces {
    /// Whether the report has such a column.
    pub fn is_there(&self) -> bool {
        let columns = [&self.signed, &self.credit, &self.debit];
        columns.iter().any(|places| !places.is_empty())
    }
}

impl Header {
    /// The places of the profile's columns among `fields`.
    pub fn new(profile: &Profile, fields: &[String]) -> Self {
        let names: Vec<String> = fields.iter().map(|name| column_name(name)).collect();
        let named = names.iter().rposition(|name| !name.is_empty());
        let at = |wanted: &Names| places(&names, wanted);
        let columns: &Columns = &profile.columns;
        Self {
            width: named.map_or(0, |last| last + 1),
            merchant_account: at(&columns.merchant_account),
            kind: at(&columns.kind),
            status: at(&columns.status),
            impact: at(&columns.impact),
            balance: at(&columns.balance),
            booking_date: at(&columns.booking_date),
            settlement_date: at(&columns.settlement_date),
            processor_reference: at(&columns.processor_reference),
            charge_reference: at(&columns.charge_reference),
            original_reference: at(&columns.original_reference),
            merchant_reference: at(&columns.merchant_reference),
            payout_reference: at(&columns.payout_reference),
            payment_method: at(&columns.payment_method),
            customer_name: at(&columns.customer_name),
            description: at(&columns.description),
            original_amount: at(&columns.original_amount),
            original_currency: at(&columns.original_currency),
            line_count: at(&columns.line_count),
            amounts: profile
                .amounts
                .iter()
                .map(|amounts| AmountPlaces::new(amounts, &names))
                .collect(),
            names,
        }
    }

    /// The names of columns that no place points to.
    pub fn unread(&self) -> Vec<&str> {
        let single = [
            &self.merchant_account,
            &self.kind,
            &self.status,
            &self.impact,
            &self.balance,
            &self.booking_date,
            &self.settlement_date,
            &self.processor_reference,
            &self.charge_reference,
            &self.original_reference,
            &self.merchant_reference,
            &self.payout_reference,
            &self.payment_method,
            &self.customer_name,
            &self.description,
            &self.original_amount,
            &self.original_currency,
            &self.line_count,
        ];
        let amounts = self.amounts.iter().flat_map(AmountPlaces::all);
        let read: Vec<usize> = single
            .into_iter()
            .chain(amounts)
            .flatten()
            .copied()
            .collect();
        let names = self.names.iter().enumerate();
        let unread = names.filter(|(place, name)| !name.is_empty() && !read.contains(place));
        unread.map(|(_, name)| name.as_str()).collect()
    }
}

impl AmountPlaces {
    fn new(columns: &AmountColumns, names: &[String]) -> Self {
        let figure = |figure: &super::profile::FigureColumns| FigurePlaces {
            signed: places(names, &figure.signed),
            credit: places(names, &figure.credit),
            debit: places(names, &figure.debit),
        };
        Self {
            currency: places(names, &columns.currency),
            gross: figure(&columns.gross),
            gross_currency: places(names, &columns.gross_currency),
            fee: places(names, &columns.fee),
            net: figure(&columns.net),
        }
    }

    fn all(&self) -> [&Places; 9] {
        [
            &self.currency,
            &self.gross.signed,
            &self.gross.credit,
            &self.gross.debit,
            &self.gross_currency,
            &self.fee,
            &self.net.signed,
            &self.net.credit,
            &self.net.debit,
        ]
    }
}

/// Where the `wanted` names stand; a name that ends with `*` stands for all that begin so. A name
/// may stand more than once.
fn places(names: &[String], wanted: &Names) -> Places {
    let mut places = Places::new();
    for wanted in wanted {
        let is_wanted = |name: &str| match wanted.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == wanted,
        };
        let found = names.iter().enumerate().filter(|(_, name)| is_wanted(name));
        for (place, _) in found {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}
