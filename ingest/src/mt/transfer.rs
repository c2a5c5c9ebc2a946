//! Messages 101, 102 and 103: customer transfers, as instructed payments.

use tieout_core::{Amount, Direction, FindingCode, QuarantineReason, Severity};

use super::confirmation::{bytes_of, note_conversion};
use super::entry::Refusal;
use super::field::Field;
use super::message::{Envelope, Fields, Party, money, text_of};
use super::output::Output;
use super::values;
use crate::format::ReadError;
use crate::intake::Notice;
use crate::rows::{PaymentInstruction, decode};

/// A message with one payment or many.
pub(super) struct Transfers<'a> {
    pub envelope: &'a Envelope,
    pub message_type: u16,
    /// The fields that hold for all payments, before the first and behind the last.
    shared: Vec<Field>,
}

/// Writes the rows of a message.
pub(super) fn read(
    fields: &[Field],
    envelope: &Envelope,
    message_type: u16,
    out: &mut Output<'_>,
) -> Result<(), ReadError> {
    note_conversion(Fields(fields), out);
    if message_type == 103 {
        let message = Transfers {
            envelope,
            message_type,
            shared: fields.to_vec(),
        };
        return message.payment(Fields(fields), out).map(|_| ());
    }
    let mut parts = parts_of(fields);
    let mut shared = parts.remove(0).to_vec();
    if message_type == 102 {
        shared.extend_from_slice(take_totals(&mut parts));
    }
    let message = Transfers {
        envelope,
        message_type,
        shared,
    };
    let mut sum = Amount::ZERO;
    for part in &parts {
        sum += message.payment(Fields(part), out)?;
    }
    message.compare(sum, parts.is_empty(), out)
}

/// The fields before the first 21, and from each 21 to the next.
fn parts_of(fields: &[Field]) -> Vec<&[Field]> {
    let starts = fields.iter().enumerate();
    let starts =
        starts.filter(|(_, field)| field.tag.number() == *b"21" && field.tag.option() == b' ');
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, _) in starts {
        parts.push(&fields[from..at]);
        from = at;
    }
    parts.push(&fields[from..]);
    parts
}

/// The fields from the total on (32A), which stand behind the last payment of a 102.
fn take_totals<'a>(parts: &mut [&'a [Field]]) -> &'a [Field] {
    let Some(last) = parts.last_mut() else {
        return &[];
    };
    let is_total = |field: &Field| field.tag.number() == *b"32" && field.tag.option() == b'A';
    let at = last.iter().position(is_total).unwrap_or(last.len());
    let (payment, totals) = last.split_at(at);
    *last = payment;
    totals
}

impl Transfers<'_> {
    /// The field of the payment, or that of the whole message.
    fn field<'f>(&'f self, own: Fields<'f>, number: [u8; 2]) -> Option<&'f Field> {
        own.find(number)
            .or_else(|| Fields(&self.shared).find(number))
    }

    /// Who pays: of the options of field 50, `C` and `L` name who only gave the instruction.
    fn debtor<'f>(&'f self, own: Fields<'f>) -> Option<&'f Field> {
        let fields = own.0.iter().chain(&self.shared);
        let mut debtors = fields.filter(|field| field.tag.number() == *b"50");
        debtors.find(|field| !matches!(field.tag.option(), b'C' | b'L'))
    }

    /// Writes one payment; gives its amount.
    fn payment(&self, own: Fields<'_>, out: &mut Output<'_>) -> Result<Amount, ReadError> {
        let stated: Result<_, Refusal> = own.find(*b"32").map_or_else(
            || {
                let message = "the payment has no amount (field 32)".to_owned();
                Err((QuarantineReason::MissingField, message))
            },
            money,
        );
        let (date, currency, amount) = match stated {
            Ok(stated) => stated,
            Err(refusal) => {
                own.0
                    .iter()
                    .try_for_each(|field| out.refuse(field, &refusal))?;
                return Ok(Amount::ZERO);
            }
        };
        let shared = Fields(&self.shared);
        let execution = shared
            .find(*b"30")
            .and_then(|field| values::date(field.first_line()));
        let total_date = shared
            .find_option(*b"32", b'A')
            .and_then(|field| money(field).ok()?.0);
        let debtor = Party::of(self.debtor(own));
        let creditor = Party::of(own.find(*b"59"));
        let agent = |number| Party::of(self.field(own, number)).account_or_bank();
        let text = text_of(own.find(*b"70"));
        out.instruction(&PaymentInstruction {
            source_line: own.0.first().map_or(0, Field::line),
            message_type: &format!("MT{}", self.message_type),
            message_id: &self.envelope.user_reference,
            payment_information_id: &decode(match self.message_type {
                103 => b"",
                _ => shared.text(*b"20"),
            }),
            instruction_id: &decode(match self.message_type {
                103 => own.text(*b"20"),
                _ => own.text(*b"21"),
            }),
            end_to_end_id: &decode(end_to_end_id(&text)),
            transaction_reference: &self.envelope.transaction_reference,
            direction: Direction::Credit,
            method: &decode(
                self.field(own, *b"23")
                    .map(Field::first_line)
                    .unwrap_or_default(),
            ),
            requested_date: date.or(execution.map(|date| date.value)).or(total_date),
            amount,
            debtor_name: &decode(debtor.name),
            debtor_account: &decode(debtor.account),
            debtor_agent: &decode(agent(*b"52")),
            creditor_name: &decode(creditor.name),
            creditor_account: &decode(creditor.account),
            creditor_agent: &decode(agent(*b"57")),
            purpose: &decode(own.text(*b"26")),
            remittance_text: &decode(&text),
            bytes: bytes_of(own),
            ..PaymentInstruction::blank(currency)
        })?;
        Ok(amount)
    }

    /// The total of a 102 is the sum of its payments.
    fn compare(&self, sum: Amount, is_empty: bool, out: &mut Output<'_>) -> Result<(), ReadError> {
        let shared = Fields(&self.shared);
        let line = self.shared.first().map(Field::line);
        if is_empty {
            return out.report(Notice {
                severity: Severity::Error,
                code: FindingCode::MissingRecord,
                line,
                found: format!("a message {} without a payment", self.message_type),
                expected: "at least one payment, which begins with field 21".to_owned(),
                action: "Ask for the message again.".into(),
            });
        }
        let total = shared
            .find(*b"19")
            .and_then(|field| values::amount(field.first_line(), None));
        let stated = total.map(|total| total.value).or_else(|| {
            let settled = shared.find_option(*b"32", b'A')?;
            money(settled).ok().map(|money| money.2)
        });
        match stated {
            Some(stated) if stated != sum => out.report(Notice {
                severity: Severity::Error,
                code: FindingCode::ControlTotal,
                line,
                found: format!("a total of {stated}"),
                expected: format!("{sum}, the sum of the payments"),
                action: "Ask for the message again: a payment may be missing.".into(),
            }),
            _ => Ok(()),
        }
    }
}

impl<'a> Party<'a> {
    /// A bank: its code or name, or else its account.
    fn account_or_bank(self) -> &'a [u8] {
        if self.name.is_empty() {
            self.account
        } else {
            self.name
        }
    }
}

/// The payer's own reference, which field 70 gives behind `/ROC/`.
fn end_to_end_id(text: &[u8]) -> &[u8] {
    let Some(at) = memchr::memmem::find(text, b"/ROC/") else {
        return b"";
    };
    let rest = text.get(at + 5..).unwrap_or_default();
    let end = memchr::memchr2(b'/', b' ', rest).unwrap_or(rest.len());
    &rest[..end]
}
