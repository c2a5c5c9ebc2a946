//! Who pays and who is paid.

use std::borrow::Cow;

use tieout_core::check_digits::is_routing_number;

use super::value::reference;
use crate::xml::Element;

/// The elements of one side of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    party: &'static str,
    ultimate: &'static str,
    account: &'static str,
    agent: &'static str,
}

/// Whose account is debited.
pub(super) const DEBTOR: Side = Side {
    party: "Dbtr",
    ultimate: "UltmtDbtr",
    account: "DbtrAcct",
    agent: "DbtrAgt",
};

/// Whose account is credited.
pub(super) const CREDITOR: Side = Side {
    party: "Cdtr",
    ultimate: "UltmtCdtr",
    account: "CdtrAcct",
    agent: "CdtrAgt",
};

/// One side of a payment as it is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Party<'t> {
    pub name: &'t str,
    pub account: Cow<'t, str>,
    pub agent: &'t str,
}

impl<'t> Party<'t> {
    /// The `side` whose party and account are in `parties` and whose bank is in `agents`.
    pub fn of(side: Side, parties: Option<Element<'t>>, agents: Option<Element<'t>>) -> Self {
        let own = parties.and_then(|parties| parties.at(&[side.party]));
        let ultimate = parties.and_then(|parties| parties.at(&[side.ultimate]));
        let agent = agents.and_then(|agents| agents.at(&[side.agent]));
        let account = parties.and_then(|parties| parties.at(&[side.account]));
        let name = own.map_or("", name_of);
        Self {
            name: if name.is_empty() {
                ultimate.map_or("", name_of)
            } else {
                name
            },
            account: account.map_or(Cow::Borrowed(""), account_number),
            agent: agent.or(own).map_or("", institution),
        }
    }

    /// With the number of the bank before that of a US account.
    pub fn with_bank(mut self, side: Side, agents: Option<Element<'t>>) -> Self {
        let agent = agents.and_then(|agents| agents.at(&[side.agent]));
        self.account = with_bank(self.account, agent);
        self
    }

    /// Takes from `batch` what is not told here.
    pub fn or(self, batch: &'t OwnedParty) -> Self {
        Self {
            name: first(self.name, &batch.name),
            account: if self.account.is_empty() {
                Cow::Borrowed(&batch.account)
            } else {
                self.account
            },
            agent: first(self.agent, &batch.agent),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.name.is_empty() && self.account.is_empty()
    }
}

fn first<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

/// One side of all payments of a batch.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnedParty {
    pub name: String,
    pub account: String,
    pub agent: String,
}

impl OwnedParty {
    /// Takes what `element` says of the `side`; false if it is about something else.
    pub fn take(&mut self, side: Side, element: Element<'_>) -> bool {
        let name = element.name();
        if name == side.party {
            name_of(element).clone_into(&mut self.name);
        } else if name == side.ultimate {
            if self.name.is_empty() {
                name_of(element).clone_into(&mut self.name);
            }
        } else if name == side.account {
            self.account = account_number(element).into_owned();
        } else if name == side.agent {
            institution(element).clone_into(&mut self.agent);
        } else {
            return false;
        }
        true
    }
}

/// A party's name: directly, since version 08 in a choice, or that of a bank.
pub(super) fn name_of(party: Element<'_>) -> &str {
    party.first_text(&[
        &["Nm"],
        &["Pty", "Nm"],
        &["Agt", "FinInstnId", "Nm"],
        &["FinInstnId", "Nm"],
        &["Agt", "FinInstnId", "BICFI"],
        &["FinInstnId", "BICFI"],
        &["Agt", "FinInstnId", "BIC"],
        &["FinInstnId", "BIC"],
    ])
}

/// An account's number: the IBAN, or what the bank calls it.
pub(super) fn account_number(account: Element<'_>) -> Cow<'_, str> {
    let number = account.first_text(&[
        &["Id", "IBAN"],
        &["Id", "Othr", "Id"],
        &["Id", "PrtryAcct", "Id"],
        &["Id", "BBAN"],
        &["Prxy", "Id"],
    ]);
    if number.contains(char::is_whitespace) {
        Cow::Owned(number.split_whitespace().collect())
    } else {
        Cow::Borrowed(number)
    }
}

/// A bank: its BIC, its number in a clearing system, or its name.
fn institution(agent: Element<'_>) -> &str {
    let found = agent.first_text(&[
        &["FinInstnId", "BICFI"],
        &["FinInstnId", "BIC"],
        &["FinInstnId", "ClrSysMmbId", "MmbId"],
        &["FinInstnId", "Othr", "Id"],
        &["FinInstnId", "Nm"],
    ]);
    reference(found)
}

/// Numbers of US accounts mean nothing without the bank's, so they become `ABA:account` as in
/// every other format.
fn with_bank<'t>(number: Cow<'t, str>, agent: Option<Element<'t>>) -> Cow<'t, str> {
    let member = agent.and_then(|agent| agent.at(&["FinInstnId", "ClrSysMmbId"]));
    let Some(member) = member.filter(|_| !number.is_empty()) else {
        return number;
    };
    let bank = member.text_at(&["MmbId"]);
    let is_us = member.text_at(&["ClrSysId", "Cd"]) == "USABA";
    if is_us && is_routing_number(bank.as_bytes()) {
        Cow::Owned(format!("{bank}:{number}"))
    } else {
        number
    }
}
