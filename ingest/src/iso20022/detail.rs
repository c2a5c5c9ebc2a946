//! One payment behind an entry (`TxDtls`).

use std::borrow::Cow;

use tieout_core::{Amount, Currency, Direction};

use super::party::{CREDITOR, DEBTOR, Party, account_number, name_of};
use super::remittance::Remittance;
use super::value::{
    Money, code_at, code_or_proprietary, direction, money_at, opposite, reference, shared, signed,
};
use crate::xml::Element;

/// The account whose entries are read, as far as parties are told by it.
#[derive(Clone, Debug, Default)]
pub(super) struct Owner {
    pub account: String,
    pub name: String,
}

/// What a `TxDtls` says of its payment.
#[derive(Clone, Copy)]
pub(super) struct Detail<'t>(pub Element<'t>);

impl<'t> Detail<'t> {
    /// The amount in the entry's currency and the direction, which is the entry's if it has none.
    pub fn amount(self, currency: Currency, entry: Direction) -> Option<(Amount, Direction)> {
        let places: [&[&str]; 4] = [
            &["Amt"],
            &["AmtDtls", "TxAmt", "Amt"],
            &["AmtDtls", "CntrValAmt", "Amt"],
            &["AmtDtls", "InstdAmt", "Amt"],
        ];
        let amounts = places
            .iter()
            .filter_map(|path| money_at(self.0, path, Some(currency)));
        let found = amounts
            .into_iter()
            .find(|money| money.currency == currency)?;
        let own = direction(self.0).ok()?.unwrap_or(entry);
        Some((found.amount, own))
    }

    /// The amount as it changes the account.
    pub fn signed_amount(self, currency: Currency, entry: Direction) -> Option<Amount> {
        let (amount, direction) = self.amount(currency, entry)?;
        Some(signed(amount, direction))
    }

    pub fn end_to_end_id(self) -> &'t str {
        reference(self.0.text_at(&["Refs", "EndToEndId"]))
    }

    pub fn mandate_id(self) -> &'t str {
        reference(self.0.text_at(&["Refs", "MndtId"]))
    }

    pub fn check_number(self) -> &'t str {
        self.0.text_at(&["Refs", "ChqNb"]).trim_start_matches('0')
    }

    /// What the bank calls the payment: its own reference, or one that all banks share.
    pub fn bank_reference(self) -> &'t str {
        let places = ["AcctSvcrRef", "UETR", "TxId", "ClrSysRef"];
        let references = self.0.at(&["Refs"]);
        let texts = places.iter().map(|place| {
            let found = references.map_or("", |references| references.text_at(&[place]));
            reference(found)
        });
        texts
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or("")
    }

    pub fn return_reason(self) -> &'t str {
        let code = code_at(self.0, &["RtrInf", "Rsn"]);
        if code.is_empty() {
            self.0.text_at(&["RtrInf", "RtrRsn"])
        } else {
            code
        }
    }

    /// Whether the payment came back: the parties have the roles of the original.
    pub fn is_return(self) -> bool {
        self.0.at(&["RtrInf"]).is_some()
    }

    pub fn remittance(self) -> Remittance<'t> {
        Remittance::of(self.0.at(&["RmtInf"]))
    }

    /// The party on the other side of a movement in `direction` of the account of `owner`.
    pub fn counterparty(self, direction: Direction, reversal: bool, owner: &Owner) -> Party<'t> {
        let is_return = reversal || self.is_return();
        let original = if is_return {
            opposite(direction)
        } else {
            direction
        };
        let (other, own) = match original {
            Direction::Credit => (DEBTOR, CREDITOR),
            Direction::Debit => (CREDITOR, DEBTOR),
        };
        let party = |side| {
            let agents = self.0.at(&["RltdAgts"]);
            Party::of(side, self.0.at(&["RltdPties"]), agents).with_bank(side, agents)
        };
        let found = party(other);
        if !found.is_empty() && !owner.is(&found) {
            return found;
        }
        // Some banks give the parties of a return the roles that they have in the return.
        let alternative = party(own);
        let is_told_apart = is_return || !found.is_empty();
        if is_told_apart && !alternative.is_empty() && !owner.may_be(&alternative) {
            return alternative;
        }
        if owner.is(&found) {
            Party::default()
        } else {
            found
        }
    }
}

impl Owner {
    /// Reads an `Acct`.
    pub fn of(account: Element<'_>) -> Self {
        Self {
            account: shared(&account_number(account)).to_owned(),
            name: shared(account.at(&["Ownr"]).map_or("", name_of)).to_owned(),
        }
    }

    fn is(&self, party: &Party<'_>) -> bool {
        if party.account.is_empty() {
            return !self.name.is_empty() && self.name == party.name;
        }
        party.account == self.account
    }

    /// Whether the party is the owner, or has the beginning of the owner's name.
    fn may_be(&self, party: &Party<'_>) -> bool {
        let is_alike = !party.name.is_empty() && self.name.starts_with(party.name);
        is_alike || self.is(party)
    }
}

/// The kind of movement: the standard's code of domain, family and subfamily, or the bank's own.
pub(super) fn type_code(code: Option<Element<'_>>) -> Cow<'_, str> {
    let Some(code) = code else {
        return Cow::Borrowed("");
    };
    let domain = code.text_at(&["Domn", "Cd"]);
    if domain.is_empty() {
        let own = code.text_at(&["Prtry", "Cd"]);
        let own = if own.is_empty() {
            code_or_proprietary(code)
        } else {
            own
        };
        return Cow::Borrowed(shared(own));
    }
    let family = code.text_at(&["Domn", "Fmly", "Cd"]);
    let subfamily = code.text_at(&["Domn", "Fmly", "SubFmlyCd"]);
    let parts = [domain, family, subfamily].map(shared);
    Cow::Owned(parts.join("-"))
}

/// What the bank took off, in `currency`; below zero where it gave back.
pub(super) fn charges(element: Element<'_>, currency: Currency) -> Option<Amount> {
    let in_currency = |money: Money| (money.currency == currency).then_some(money.amount);
    let mut total = None;
    for charge in element.all("Chrgs") {
        let records = charge.all("Rcrd");
        let parts = records.filter_map(|record| charge_of(record, currency));
        let sum = parts.reduce(|sum, part| sum + part);
        let whole = || money_at(charge, &["TtlChrgsAndTaxAmt"], Some(currency));
        let found = sum.or_else(|| whole().and_then(in_currency));
        let found = found.or_else(|| charge_of(charge, currency));
        total = match (total, found) {
            (Some(total), Some(found)) => Some(total + found),
            (total, found) => total.or(found),
        };
    }
    total
}

fn charge_of(record: Element<'_>, currency: Currency) -> Option<Amount> {
    let money = money_at(record, &["Amt"], Some(currency))?;
    let is_given_back = record.text_at(&["CdtDbtInd"]) == "CRDT";
    let amount = if is_given_back {
        -money.amount
    } else {
        money.amount
    };
    (money.currency == currency).then_some(amount)
}
