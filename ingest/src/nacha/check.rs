//! What an entry should be: compared with its batch, its addenda and its remittance.

use tieout_core::check_digits::is_routing_number;
use tieout_core::{Currency, Direction};

use super::entry::Entry;
use super::header::Batch;
use super::kinds::Purpose;
use super::oddity::{Oddities, Oddity};
use super::rows::{Outcome, Whole};
use crate::x12::EmbeddedAdvice;

/// Its own fields, against its batch.
pub(super) fn check_entry(entry: &Entry<'_>, batch: &Batch, line: u64, oddities: &mut Oddities) {
    if !is_routing_number(entry.bank.as_bytes()) {
        oddities.count(Oddity::CheckDigit, line, || entry.bank.to_owned());
    }
    let wrong = match &*batch.service_class {
        "220" => Some(Direction::Debit),
        "225" => Some(Direction::Credit),
        _ => None,
    };
    if wrong == Some(entry.meaning.direction) {
        let example = || format!("code {} in a batch {}", entry.code, batch.service_class);
        oddities.count(Oddity::WrongClass, line, example);
    }
    let is_trial = matches!(
        entry.meaning.purpose,
        Purpose::Prenote | Purpose::ZeroDollar
    );
    if is_trial && entry.cents > 0 {
        let example = || format!("{} with code {}", entry.amount(), entry.code);
        oddities.count(Oddity::MoneyInTrial, line, example);
    }
}

/// Its addenda, against what it says of them.
pub(super) fn check_addenda(whole: &Whole<'_>, oddities: &mut Oddities) {
    let (entry, addenda, line) = (whole.entry, whole.addenda, whole.kept.line);
    if entry.has_addenda == addenda.is_empty() {
        let found = if entry.has_addenda {
            "1, and none follows"
        } else {
            "not 1, and some follow"
        };
        oddities.count(Oddity::AddendaIndicator, line, || found.to_owned());
    }
    // A return keeps the count of the entry that comes back, whose addenda may be gone.
    let says = entry.addenda_count.filter(|_| addenda.word.is_none());
    // Some count the addenda that an international entry must have, and not the others.
    let counts = [addenda.count, addenda.count - addenda.optional];
    if let Some(says) = says.filter(|says| !counts.contains(says)) {
        let example = || format!("it says {says} and has {}", addenda.count);
        oddities.count(Oddity::AddendaCount, line, example);
    }
    match &addenda.word {
        None if entry.meaning.purpose == Purpose::Return => {
            oddities.count(Oddity::NoReason, line, String::new);
        }
        Some(word) if !word.is_listed() => {
            oddities.count(Oddity::UnknownReason, word.line, || {
                format!("`{}`", word.reason)
            });
        }
        _ => {}
    }
}

/// The remittance in its addenda, against its amount.
pub(super) fn check_advice(whole: &Whole<'_>, advice: &EmbeddedAdvice, oddities: &mut Oddities) {
    let (amount, line) = (whole.entry.amount(), whole.kept.line);
    let is_dollars = advice
        .currency
        .is_none_or(|currency| currency == Currency::USD);
    let is_payment = whole.outcome() == Outcome::Payment && !amount.is_zero() && is_dollars;
    if let Some(total) = advice.total.filter(|&total| is_payment && total != amount) {
        let example = || format!("it is about {total}, the entry has {amount}");
        oddities.count(Oddity::RemittanceTotal, line, example);
    }
    let paid = advice.total.unwrap_or(amount);
    if let Some(sum) = advice.sum.filter(|&sum| is_payment && sum != paid) {
        let example = || format!("they are {sum}, paid is {paid}");
        oddities.count(Oddity::DocumentTotal, line, example);
    }
    if advice.unread > 0 {
        oddities.count(Oddity::UnreadRemittance, line, String::new);
    }
    if advice.misfits > 0 {
        oddities.count(Oddity::DocumentMisfit, line, String::new);
    }
    if advice.other_currencies > 0 {
        oddities.count(Oddity::OtherCurrency, line, String::new);
    }
}
