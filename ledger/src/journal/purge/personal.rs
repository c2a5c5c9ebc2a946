//! Which texts of which rows are a person's.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::UInt32Type;
use serde_json::Value;
use tieout_core::schema::Table;

use super::{PURGED_TEXT, PurgeScope, said, texts};
use crate::LedgerError;
use crate::journal::{Event, EventKind, Journal, Timestamp};

/// Shorter names and accounts are not looked for inside texts.
const WORD_MIN: usize = 6;

/// What of a table is somebody's.
struct Personal {
    table: Table,
    /// The column that names the payment.
    payment: Option<&'static str>,
    /// The column that names the party.
    party: Option<&'static str>,
    /// Columns that hold an account or a name, as a whole.
    who: &'static [&'static str],
    /// Columns that are purged.
    texts: &'static [&'static str],
}

const PERSONAL: [Personal; 12] = [
    Personal {
        table: Table::Payments,
        payment: Some("payment_id"),
        party: Some("party_id"),
        who: &["payer_account"],
        texts: &[
            "payer_name",
            "check_number",
            "bank_reference",
            "end_to_end_id",
            "payer_account",
            "remittance_text",
        ],
    },
    Personal {
        table: Table::Transactions,
        payment: Some("transaction_id"),
        party: None,
        who: &["counterparty_account"],
        texts: &[
            "bank_reference",
            "end_to_end_id",
            "check_number",
            "counterparty_name",
            "counterparty_account",
            "remittance_text",
            "customer_number",
            "entry_reference",
            "creditor_reference",
            "mandate_id",
        ],
    },
    Personal {
        table: Table::RemittanceLines,
        payment: Some("payment_id"),
        party: None,
        who: &["payer_name"],
        texts: &["payer_name", "payment_reference", "adjustment_reason"],
    },
    Personal {
        table: Table::Evidence,
        payment: Some("payment_id"),
        party: None,
        who: &[],
        texts: &["detail"],
    },
    Personal {
        table: Table::Duplicates,
        payment: Some("payment_id"),
        party: None,
        who: &[],
        texts: &["evidence"],
    },
    Personal {
        table: Table::Parties,
        payment: None,
        party: Some("party_id"),
        who: &[],
        texts: &["name", "aliases", "accounts", "extra"],
    },
    Personal {
        table: Table::OpenItems,
        payment: None,
        party: Some("party_id"),
        who: &[],
        texts: &["po_number", "extra"],
    },
    Personal {
        table: Table::Quarantine,
        payment: None,
        party: None,
        who: &[],
        texts: &["message", "raw"],
    },
    Personal {
        table: Table::Findings,
        payment: None,
        party: None,
        who: &[],
        texts: &["found", "expected"],
    },
    Personal {
        table: Table::SettlementLines,
        payment: None,
        party: None,
        who: &["customer_name"],
        texts: &["customer_name", "description"],
    },
    Personal {
        table: Table::PaymentInstructions,
        payment: None,
        party: None,
        who: &[
            "debtor_name",
            "debtor_account",
            "creditor_name",
            "creditor_account",
        ],
        texts: &[
            "debtor_name",
            "debtor_account",
            "creditor_name",
            "creditor_account",
            "remittance_text",
            "mandate_id",
        ],
    },
    Personal {
        table: Table::PaymentStatuses,
        payment: None,
        party: None,
        who: &[],
        texts: &["information"],
    },
];

/// Tables whose rows nothing is decided by: what is old of them is purged by its age.
const SET_ASIDE: [Table; 3] = [Table::Quarantine, Table::Findings, Table::PaymentStatuses];

/// Who, or what, is purged.
#[derive(Default)]
pub struct Subject {
    /// Payments.
    pub payments: HashSet<String>,
    parties: HashSet<String>,
    /// Names and accounts, in small letters.
    words: HashSet<String>,
    before: Option<Timestamp>,
}

impl Subject {
    /// Finds all that `scope` means.
    pub fn of(journal: &Journal, scope: &PurgeScope) -> Result<Self, LedgerError> {
        let mut subject = Self::default();
        match scope {
            PurgeScope::Payment(id) => {
                if journal.payment(id)?.is_some() {
                    subject.payments.insert(id.clone());
                }
            }
            PurgeScope::Account(account) => {
                subject.words.insert(account.to_lowercase());
                subject.add_payments(journal)?;
            }
            PurgeScope::Party(id) => {
                subject.parties.insert(id.clone());
                subject.add_party(journal)?;
                subject.add_payments(journal)?;
            }
            PurgeScope::Before(moment) => {
                subject.before = Some(*moment);
                subject.add_old(journal, *moment)?;
            }
        }
        Ok(subject)
    }

    /// Whether the journal knows nothing of it.
    pub fn is_nobody(&self) -> bool {
        let knows_party = !self.parties.is_empty() && !self.words.is_empty();
        self.payments.is_empty() && !knows_party && self.before.is_none()
    }

    /// Names and accounts of the party.
    fn add_party(&mut self, journal: &Journal) -> Result<(), LedgerError> {
        each_batch(journal, &[Table::Parties], |_, _, batch| {
            let ids = texts(batch, "party_id")?;
            for name in ["name", "aliases", "accounts"] {
                let column = texts(batch, name)?;
                for row in 0..batch.num_rows() {
                    if !self.parties.contains(ids.value(row)) {
                        continue;
                    }
                    let own = said(column, row)
                        .into_iter()
                        .flat_map(|text| text.split('|'));
                    for word in own.filter(|word| *word != PURGED_TEXT) {
                        self.words.insert(word.to_lowercase());
                        // A statement may have the account without its bank.
                        let bare = word.rsplit(':').next().unwrap_or(word);
                        self.words.insert(bare.to_lowercase());
                    }
                }
            }
            Ok(())
        })
    }

    /// The payments of the parties and accounts.
    fn add_payments(&mut self, journal: &Journal) -> Result<(), LedgerError> {
        let (parties, words) = (&self.parties, &self.words);
        let mut payments = std::mem::take(&mut self.payments);
        each_batch(journal, &[Table::Payments], |_, _, batch| {
            let ids = texts(batch, "payment_id")?;
            let (party, account) = (texts(batch, "party_id")?, texts(batch, "payer_account")?);
            for row in 0..batch.num_rows() {
                let is_party = said(party, row).is_some_and(|id| parties.contains(id));
                let is_account =
                    said(account, row).is_some_and(|own| words.contains(&own.to_lowercase()));
                if is_party || is_account {
                    payments.insert(ids.value(row).to_owned());
                }
            }
            Ok(())
        })?;
        self.payments = payments;
        Ok(())
    }

    /// Payments whose decision is older than `moment`, and final.
    fn add_old(&mut self, journal: &Journal, moment: Timestamp) -> Result<(), LedgerError> {
        let mut payments = HashSet::new();
        each_batch(journal, &[Table::Payments], |event, _, batch| {
            let ids = texts(batch, "payment_id")?;
            for id in ids.iter().flatten() {
                if event.at < moment {
                    payments.insert(id.to_owned());
                } else {
                    payments.remove(id);
                }
            }
            Ok(())
        })?;
        for id in payments {
            let state = journal.payment(&id)?;
            if state.is_some_and(|state| !state.is_waiting()) {
                self.payments.insert(id);
            }
        }
        Ok(())
    }

    /// Whether a text has one of the names or accounts in it.
    fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut words = self.words.iter().filter(|word| word.len() >= WORD_MIN);
        words.any(|word| text.contains(word.as_str()))
    }
}

fn each_batch(
    journal: &Journal,
    tables: &[Table],
    mut take: impl FnMut(&Event, Table, &RecordBatch) -> Result<(), String>,
) -> Result<(), LedgerError> {
    journal.events(1, |event| {
        if !matches!(event.kind, EventKind::Rows | EventKind::Decisions) {
            return Ok(true);
        }
        let is_asked = |name: &str| tables.iter().find(|table| table.name() == name);
        // Rows of one table only stand under its name.
        if event.kind == EventKind::Rows && is_asked(&event.subject).is_none() {
            return Ok(true);
        }
        for (name, batch) in journal.batches(event.sequence)? {
            if let Some(table) = is_asked(&name) {
                take(&event, *table, &batch)
                    .map_err(|found| journal.damaged(event.sequence, &found))?;
            }
        }
        Ok(true)
    })
}

/// Takes a subject's texts out of payloads.
pub struct Mask<'a> {
    subject: &'a Subject,
    /// Rows that were changed.
    pub rows: u64,
}

impl<'a> Mask<'a> {
    pub fn new(subject: &'a Subject) -> Self {
        Self { subject, rows: 0 }
    }

    /// An action without a reason that names the subject, and without what it taught about the
    /// subject; none where nothing is to be purged.
    pub fn action(&mut self, event: &Event, mut action: Value) -> Option<Value> {
        if event.kind != EventKind::Action {
            return None;
        }
        let subject = self.subject;
        let mut has_masked = false;
        if action["reason"]
            .as_str()
            .is_some_and(|it| subject.is_in(it))
        {
            action["reason"] = PURGED_TEXT.into();
            has_masked = true;
        }
        let payment = action["payment_id"].as_str().unwrap_or_default();
        let is_own = subject.payments.contains(payment);
        let lessons = action["learned"].as_array_mut();
        for lesson in lessons.into_iter().flatten() {
            // What kinds of answers were right says nothing of anybody.
            let is_personal = lesson["party_id"].is_string();
            let party = lesson["party_id"].as_str().unwrap_or_default();
            let names = |key: &str| subject.is_in(key) || subject.parties.contains(party);
            if is_personal
                && lesson["key"]
                    .as_str()
                    .is_some_and(|key| is_own || names(key))
            {
                lesson["key"] = PURGED_TEXT.into();
                has_masked = true;
            }
        }
        self.rows += u64::from(has_masked);
        has_masked.then_some(action)
    }

    /// Batches of an event without the subject's texts; none where they have none.
    pub fn batches(
        &mut self,
        event: &Event,
        batches: &[(String, RecordBatch)],
    ) -> Result<Option<Vec<(String, RecordBatch)>>, String> {
        let mut has_masked = false;
        let mut masked = Vec::with_capacity(batches.len());
        let mut owners: Vec<bool> = Vec::new();
        for (name, batch) in batches {
            let personal = PERSONAL.iter().find(|own| own.table.name() == name);
            let Some(personal) = personal else {
                masked.push((name.clone(), batch.clone()));
                continue;
            };
            let rows = self.rows_of(event, personal, batch, &owners)?;
            let (batch, count) = without(personal, batch, &rows)?;
            has_masked |= count > 0;
            self.rows += count;
            masked.push((name.clone(), batch));
            owners = rows;
        }
        Ok(has_masked.then_some(masked))
    }

    /// Which rows are the subject's; `owners` says it of the lines that documents stand under.
    fn rows_of(
        &self,
        event: &Event,
        personal: &Personal,
        batch: &RecordBatch,
        owners: &[bool],
    ) -> Result<Vec<bool>, String> {
        let subject = self.subject;
        let is_old = SET_ASIDE.contains(&personal.table)
            && subject.before.is_some_and(|before| event.at < before);
        let mut rows = vec![is_old; batch.num_rows()];
        let mut mark = |name: &str, is_own: &dyn Fn(&str) -> bool| -> Result<(), String> {
            let column = texts(batch, name)?;
            for (row, marked) in rows.iter_mut().enumerate() {
                *marked |= said(column, row).is_some_and(is_own);
            }
            Ok(())
        };
        if let Some(name) = personal.payment {
            // Documents of payments that wait stand under the place of their line.
            if let Some(places) = batch.column(0).as_primitive_opt::<UInt32Type>() {
                let places = places.values().iter();
                return Ok(places
                    .map(|place| owners.get(*place as usize) == Some(&true))
                    .collect());
            }
            mark(name, &|id| subject.payments.contains(id))?;
        }
        if let Some(name) = personal.party {
            mark(name, &|id| subject.parties.contains(id))?;
        }
        if !subject.words.is_empty() {
            for name in personal.who {
                mark(name, &|text| subject.words.contains(&text.to_lowercase()))?;
            }
            for name in personal.texts {
                mark(name, &|text| subject.is_in(text))?;
            }
        }
        Ok(rows)
    }
}

/// The batch with the texts of the `rows` purged, and how many rows had any.
fn without(
    personal: &Personal,
    batch: &RecordBatch,
    rows: &[bool],
) -> Result<(RecordBatch, u64), String> {
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    let mut changed = vec![false; rows.len()];
    for name in personal.texts {
        let place = batch
            .schema_ref()
            .index_of(name)
            .map_err(|e| e.to_string())?;
        let column = texts(batch, name)?;
        let is_gone =
            |row: usize| rows[row] && said(column, row).is_some_and(|text| text != PURGED_TEXT);
        if !(0..rows.len()).any(is_gone) {
            continue;
        }
        let values: StringArray = (0..rows.len())
            .map(|row| {
                if is_gone(row) {
                    changed[row] = true;
                    return Some(PURGED_TEXT);
                }
                column.is_valid(row).then(|| column.value(row))
            })
            .collect();
        columns[place] = Arc::new(values);
    }
    let count = changed.iter().filter(|changed| **changed).count();
    let batch = RecordBatch::try_new(batch.schema(), columns).map_err(|e| e.to_string())?;
    Ok((batch, count as u64))
}
