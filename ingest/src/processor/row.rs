//! One row of a report by its profile.

use std::borrow::Cow;

use tieout_core::{Amount, AmountError, Currency, Date, QuarantineReason};

use super::calendar::{self, Order};
use super::figure::Figure;
use super::header::{AmountPlaces, FigurePlaces, Header, Places};
use super::profile::{AmountColumns, FeeSign, Profile};
use super::settlement::{Figures, Refusal};

/// The fields of a row and where they are.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub profile: &'a Profile,
    pub header: &'a Header,
    pub fields: &'a [String],
}

/// The figures of a row in the currency in which they settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Money {
    pub currency: Currency,
    pub figures: Figures,
    /// Whether they are of a payment that is not settled yet.
    pub only_tells: bool,
}

impl<'a> Row<'a> {
    /// The first value of `places`.
    pub fn text(&self, places: &Places) -> &'a str {
        let fields = self.fields;
        let values = places.iter().filter_map(|&place| fields.get(place));
        values
            .map(String::as_str)
            .find(|value| !value.is_empty())
            .unwrap_or_default()
    }

    /// The date of `places`, if there is one.
    pub fn date(&self, places: &Places, order: Order) -> Result<Option<Date>, Refusal> {
        date(self.text(places), order)
    }

    /// The row's figures; `carried` is the currency of rows that name none.
    pub fn money(&self, carried: Option<Currency>) -> Result<Money, Refusal> {
        let kinds = self.header.amounts.iter().zip(&self.profile.amounts);
        let given = kinds.filter(|(places, _)| self.is_given(places));
        let Some((places, columns)) = given.into_iter().next() else {
            let message = "the row has no amount; correct it and deliver it again";
            return Err(Refusal::new(QuarantineReason::MissingField, message));
        };
        let currency = self.currency(places, columns, carried)?;
        let exponent = self.profile.exponent(currency);
        let figure = |places: &FigurePlaces| self.figure(places, exponent);
        let gross = if self.is_other_currency(places, currency) {
            None
        } else {
            figure(&places.gross)?
        };
        let net = figure(&places.net)?;
        if net.is_none() && places.net.is_there() {
            let message = "the row has no net although the report has a column for it; ask the \
                           processor for it and deliver the row again";
            return Err(Refusal::new(QuarantineReason::MissingField, message));
        }
        let figures = Figures::tied(gross, self.fee(places, columns, exponent)?, net)?;
        Ok(Money {
            currency,
            figures,
            only_tells: columns.only_tells,
        })
    }

    fn is_given(&self, places: &AmountPlaces) -> bool {
        let [gross, net] = [&places.gross, &places.net];
        [
            &gross.signed,
            &gross.credit,
            &gross.debit,
            &net.signed,
            &net.credit,
            &net.debit,
        ]
        .into_iter()
        .any(|places| !self.text(places).is_empty())
    }

    fn is_other_currency(&self, places: &AmountPlaces, currency: Currency) -> bool {
        let gross = self.text(&places.gross_currency);
        !gross.is_empty() && !gross.eq_ignore_ascii_case(currency.as_str())
    }

    fn currency(
        &self,
        places: &AmountPlaces,
        columns: &AmountColumns,
        carried: Option<Currency>,
    ) -> Result<Currency, Refusal> {
        let text = columns
            .currency_code
            .as_deref()
            .unwrap_or_else(|| self.text(&places.currency));
        match (text, carried) {
            ("", Some(carried)) => Ok(carried),
            (text, _) => currency(text),
        }
    }

    /// A signed figure, or what comes less what goes.
    fn figure(&self, places: &FigurePlaces, exponent: u32) -> Result<Option<Figure>, Refusal> {
        if let Some(signed) = self.one(&places.signed, exponent)? {
            return Ok(Some(signed));
        }
        let credit = self.one(&places.credit, exponent)?;
        let debit = self.one(&places.debit, exponent)?;
        if credit.is_none() && debit.is_none() {
            return Ok(None);
        }
        Ok(Some(
            credit.unwrap_or_default().minus(debit.unwrap_or_default()),
        ))
    }

    fn one(&self, places: &Places, exponent: u32) -> Result<Option<Figure>, Refusal> {
        let text = self.text(places);
        if text.is_empty() {
            return Ok(None);
        }
        self.parse(text, exponent).map(Some)
    }

    fn parse(&self, text: &str, exponent: u32) -> Result<Figure, Refusal> {
        let read = Figure::parse(text, self.profile.figures, exponent);
        read.map_err(|error| bad_amount(text, error))
    }

    /// The sum of all fee columns.
    fn fee(
        &self,
        places: &AmountPlaces,
        columns: &AmountColumns,
        exponent: u32,
    ) -> Result<Option<Figure>, Refusal> {
        let mut fee = None;
        let fields = places
            .fee
            .iter()
            .filter_map(|&place| self.fields.get(place));
        for text in fields.filter(|text| !text.is_empty()) {
            let figure = self.parse(text, exponent)?;
            fee = Some(fee.unwrap_or(Figure::ZERO).plus(figure));
        }
        Ok(match columns.fee_sign {
            FeeSign::Taken => fee,
            FeeSign::Effect => fee.map(Figure::negated),
        })
    }

    /// The balance after the row.
    pub fn balance(&self, currency: Currency) -> Option<Figure> {
        let text = self.text(&self.header.balance);
        Figure::parse(text, self.profile.figures, self.profile.exponent(currency)).ok()
    }

    /// The description, with what the customer paid where that is in another currency.
    pub fn description(&self, settled: Option<Currency>) -> Cow<'a, str> {
        let text = self.text(&self.header.description);
        let amount = self.text(&self.header.original_amount);
        let paid_in = self.text(&self.header.original_currency);
        let is_same = settled.is_some_and(|settled| paid_in.eq_ignore_ascii_case(settled.as_str()));
        if amount.is_empty() || paid_in.is_empty() || is_same {
            return Cow::Borrowed(text);
        }
        let paid = format!("{} {amount}", paid_in.to_uppercase());
        Cow::Owned(if text.is_empty() {
            paid
        } else {
            format!("{text}; {paid}")
        })
    }
}

/// The date that `text` gives; empty text gives none.
pub(super) fn date(text: &str, order: Order) -> Result<Option<Date>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = calendar::date(text, order);
    read.map(Some).map_err(|_| {
        let message = format!(
            "found the date `{text}`, expected one that begins with its year or is written as {}; \
             correct it and deliver the row again",
            order.shown()
        );
        Refusal::new(QuarantineReason::BadDate, message)
    })
}

/// The currency that `text` names, in large or small letters.
pub(super) fn currency(text: &str) -> Result<Currency, Refusal> {
    Currency::parse(text.to_ascii_uppercase().as_bytes()).map_err(|error| {
        let message =
            format!("found the currency `{text}`: {error}; correct it and deliver the row again");
        Refusal::new(QuarantineReason::BadCurrency, message)
    })
}

/// The refusal of an amount.
pub(super) fn bad_amount(text: &str, error: AmountError) -> Refusal {
    let message =
        format!("found the amount `{text}`: {error}; correct it and deliver the row again");
    Refusal::new(QuarantineReason::BadAmount, message)
}

/// The figure as an amount, if there is one.
pub(super) fn amount(money: Option<Money>) -> Option<Amount> {
    money.map(|money| money.figures.gross.to_amount())
}
