//! What the ledger's tables say about one payment.

use std::collections::HashMap;
use std::path::Path;

use tieout_core::{Feature, Reason, Rule, Status};
use tieout_treasury::BlockingTreasury;

use super::record::Record;
use super::source::{self, Place};
use super::{Advice, Applied, Explanation, Named, Other, Party, Payment, Repeated, Weighed};
use crate::EngineError;

/// Digits of a whole identifier.
const ID_DIGITS: usize = 32;
/// Identifiers that are listed when several begin alike.
const ALIKE_MAX: usize = 4;
/// Items of other answers whose numbers are looked up.
const NUMBERED_MAX: usize = 200;

const PAYMENTS: &str = "select * from payments where payment_id >= $1 and payment_id < $2 \
                        order by payment_id limit 5";
const PARTIES: &str = "select name from parties where party_id = $1";
const APPLICATIONS: &str = "select a.*, o.kind, o.due_date, o.open_amount from applications a \
                            left join open_items o on o.item_id = a.item_id \
                            where a.payment_id = $1";
const EVIDENCE: &str = "select * from evidence where payment_id = $1 order by sequence";
const EXCEPTIONS: &str = "select candidates from exceptions where payment_id = $1";
const ORIGINALS: &str = "select d.duplicate_of as other, d.evidence, p.source_file, p.source_line \
                         from duplicates d left join payments p on p.payment_id = d.duplicate_of \
                         where d.payment_id = $1";
const REPEATS: &str = "select d.payment_id as other, d.evidence, p.source_file, p.source_line \
                       from duplicates d left join payments p on p.payment_id = d.payment_id \
                       where d.duplicate_of = $1 order by 1";
const UNDOES: &str = "select p.payment_id as other, '' as evidence, p.source_file, p.source_line \
                      from payments l join payments p on p.payment_id = l.reverses \
                      where l.payment_id = $1";
const UNDONE: &str = "select l.payment_id as other, '' as evidence, l.source_file, l.source_line \
                      from payments l where l.reverses = $1 order by 1";
const ADVICE: &str = "select * from remittance_lines where payment_id = $1";
const NUMBERS: &str = "select item_id, number from open_items where item_id in";
/// A path may have held another file in another run: the one of the payment's first decision counts.
const FILES: &str = "select format, profile, digest, bytes from files where source_file = $1 \
                     and posting = (select min(posting) from history.payments \
                     where payment_id = $2)";

/// Questions to one ledger.
pub struct Lookup<'a> {
    treasury: &'a BlockingTreasury,
}

impl<'a> Lookup<'a> {
    pub fn new(treasury: &'a BlockingTreasury) -> Self {
        Self { treasury }
    }

    /// Everything about the one payment whose identifier begins with `given`.
    pub fn explanation(&self, given: &str, ledger_dir: &Path) -> Result<Explanation, EngineError> {
        let row = self.payment(given, ledger_dir)?;
        let payment = payment(&row);
        let id = payment.id.as_str();
        let (evidence, mut alternatives) = self.evidence(id)?;
        let mut candidates = self.candidates(id, &alternatives)?;
        self.number(alternatives.iter_mut().chain(&mut candidates))?;
        Ok(Explanation {
            party: self.party(row.text("party_id"))?,
            applications: self.rows(APPLICATIONS, &[id], applied)?,
            duplicate_of: self.rows(ORIGINALS, &[id], repeated)?.into_iter().next(),
            repeated_by: self.rows(REPEATS, &[id], repeated)?,
            undoes: self.rows(UNDOES, &[id], repeated)?.into_iter().next(),
            undone_by: self.rows(UNDONE, &[id], repeated)?,
            advice: self.rows(ADVICE, &[id], advice)?,
            source: source::find(self.place(&row)?),
            candidates,
            evidence,
            alternatives,
            payment,
        })
    }

    fn records(&self, sql: &str, parameters: &[&str]) -> Result<Vec<Record>, EngineError> {
        let mut records = Vec::new();
        for batch in self.treasury.query_with(sql, parameters)? {
            records.extend(Record::of(&batch?)?);
        }
        Ok(records)
    }

    fn rows<T>(
        &self,
        sql: &str,
        parameters: &[&str],
        read: fn(&Record) -> T,
    ) -> Result<Vec<T>, EngineError> {
        Ok(self.records(sql, parameters)?.iter().map(read).collect())
    }

    fn payment(&self, given: &str, ledger_dir: &Path) -> Result<Record, EngineError> {
        let unknown = || EngineError::UnknownPayment {
            given: given.to_owned(),
            ledger: ledger_dir.to_owned(),
        };
        let prefix = given.trim().to_ascii_lowercase();
        let is_id = (1..=ID_DIGITS).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return Err(unknown());
        }
        // Every identifier that begins so lies below the prefix and the letter after `f`.
        let mut found = self.records(PAYMENTS, &[&prefix, &format!("{prefix}g")])?;
        match found.len() {
            1 => found.pop().ok_or_else(unknown),
            0 => Err(unknown()),
            _ => Err(EngineError::AmbiguousPayment {
                given: given.to_owned(),
                alike: alike(&found),
            }),
        }
    }

    fn party(&self, id: Option<String>) -> Result<Option<Party>, EngineError> {
        let Some(id) = id else { return Ok(None) };
        let names = self.records(PARTIES, &[&id])?;
        let name = names.first().and_then(|row| row.text("name"));
        Ok(Some(Party { id, name }))
    }

    fn evidence(&self, id: &str) -> Result<(Vec<Weighed>, Vec<Other>), EngineError> {
        let rows = self.records(EVIDENCE, &[id])?;
        let (evidence, others): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| row.word("kind") == "evidence");
        Ok((
            evidence.into_iter().map(weighed).collect(),
            others.into_iter().map(other).collect(),
        ))
    }

    fn candidates(&self, id: &str, known: &[Other]) -> Result<Vec<Other>, EngineError> {
        let rows = self.records(EXCEPTIONS, &[id])?;
        let listed = rows.first().and_then(|row| row.text("candidates"));
        Ok(listed
            .iter()
            .flat_map(|listed| listed.split('|'))
            .map(|one| candidate(one, known))
            .collect())
    }

    /// Adds the numbers of the items' documents, by which people know them.
    fn number<'o>(&self, others: impl Iterator<Item = &'o mut Other>) -> Result<(), EngineError> {
        let mut others: Vec<&mut Other> = others.collect();
        let mut ids: Vec<String> = others
            .iter()
            .flat_map(|other| other.items.split('+'))
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids.truncate(NUMBERED_MAX);
        if ids.is_empty() {
            return Ok(());
        }
        let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
        let sql = format!("{NUMBERS} ({})", places.join(", "));
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let numbers: HashMap<String, String> = self
            .rows(&sql, &ids, |row| (row.word("item_id"), row.word("number")))?
            .into_iter()
            .collect();
        for other in &mut others {
            other.numbers = numbered(&other.items, &numbers);
        }
        Ok(())
    }

    fn place(&self, row: &Record) -> Result<Place, EngineError> {
        let file = row.word("source_file");
        let files = self.records(FILES, &[&file, &row.word("payment_id")])?;
        let about = |name| files.first().and_then(|row| row.text(name));
        Ok(Place {
            line: row.count("source_line"),
            bytes: row.count("byte_start")..row.count("byte_end"),
            format: about("format"),
            profile: about("profile"),
            digest: about("digest"),
            file_bytes: files.first().map(|row| row.count("bytes")),
            file,
        })
    }
}

/// The numbers of all of `items`, or none if one has no number of its own.
fn numbered(items: &str, numbers: &HashMap<String, String>) -> Option<String> {
    let own = |id: &str| numbers.get(id).filter(|number| !number.is_empty()).cloned();
    let listed: Option<Vec<String>> = items.split('+').map(own).collect();
    listed
        .map(|listed| listed.join("+"))
        .filter(|listed| listed != items)
}

fn alike(found: &[Record]) -> String {
    let ids = found
        .iter()
        .take(ALIKE_MAX)
        .map(|row| row.word("payment_id"));
    let mut listed = ids.collect::<Vec<_>>().join(", ");
    if found.len() > ALIKE_MAX {
        listed.push_str(", ...");
    }
    listed
}

fn named<T>(code: String, from_code: fn(&str) -> Option<T>) -> Named<T> {
    Named {
        value: from_code(&code),
        code,
    }
}

fn payment(row: &Record) -> Payment {
    Payment {
        id: row.word("payment_id"),
        amount: row.amount("amount"),
        currency: row.word("currency"),
        payer_name: row.text("payer_name"),
        payer_account: row.text("payer_account"),
        account: row.text("account"),
        booking_date: row.text("booking_date"),
        value_date: row.text("value_date"),
        check_number: row.text("check_number"),
        bank_reference: row.text("bank_reference"),
        end_to_end_id: row.text("end_to_end_id"),
        remittance_text: row.text("remittance_text"),
        status: named(row.word("status"), Status::from_code),
        rule: named(row.word("rule"), Rule::from_code),
        reason: row
            .text("reason")
            .map(|code| named(code, Reason::from_code)),
        applied: row.amount("applied"),
        on_account: row.amount("on_account"),
        unapplied: row.amount("unapplied"),
        score: row.ratio("score"),
        margin: row.ratio("margin"),
        recipe: row.word("recipe"),
    }
}

fn applied(row: &Record) -> Applied {
    Applied {
        item_id: row.word("item_id"),
        item_number: row.text("item_number"),
        kind: row.text("kind"),
        due_date: row.text("due_date"),
        open_amount: row.optional_amount("open_amount"),
        applied: row.amount("applied"),
        discount: row.amount("discount"),
        write_off: row.amount("write_off"),
        deduction: row.amount("deduction"),
        deduction_reason: row.text("deduction_reason"),
    }
}

fn weighed(row: &Record) -> Weighed {
    Weighed {
        feature: named(row.word("name"), Feature::from_code),
        bits: row.ratio("weight"),
        detail: row.text("detail"),
    }
}

fn other(row: &Record) -> Other {
    Other {
        items: row.word("items"),
        numbers: None,
        score: row.ratio("score"),
        why: row.text("detail"),
    }
}

/// One of the list `ITEM+ITEM=0.9312|ITEM=0.2000`.
fn candidate(listed: &str, known: &[Other]) -> Other {
    let (items, score) = listed.rsplit_once('=').unwrap_or((listed, ""));
    let same = known.iter().find(|other| other.items == items);
    Other {
        items: items.to_owned(),
        numbers: None,
        score: score.parse().unwrap_or_default(),
        why: same.and_then(|other| other.why.clone()),
    }
}

fn repeated(row: &Record) -> Repeated {
    Repeated {
        payment_id: row.word("other"),
        evidence: row.word("evidence"),
        place: row.place(),
    }
}

fn advice(row: &Record) -> Advice {
    Advice {
        place: row.place().unwrap_or_default(),
        document_number: row.text("document_number"),
        gross: row.optional_amount("gross"),
        discount: row.optional_amount("discount"),
        adjustment: row.optional_amount("adjustment"),
        adjustment_reason: row.text("adjustment_reason"),
        net: row.optional_amount("net"),
    }
}
