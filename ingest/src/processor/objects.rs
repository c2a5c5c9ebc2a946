//! Reads the objects of a processor's API.

use serde_json::Value;
use tieout_core::{Currency, FindingCode, QuarantineReason, Severity};

use super::figure::Figure;
use super::json_items::{ITEM_BYTES_MAX, Item, JsonItems};
use super::profile::Profile;
use super::remarks::Remark;
use super::row::{bad_amount, currency};
use super::settlement::{Refusal, Settlement, Taken};
use super::{adyen, braintree, stripe};
use crate::format::{Counts, ReadError, Settings};
use crate::intake::Notice;
use crate::lines::Line;
use crate::transport::SourceFile;

/// An object and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    pub value: &'a Value,
    pub line: &'a Line<'a>,
}

impl<'a> Object<'a> {
    /// The value at a path of keys.
    pub fn at(self, path: &[&str]) -> Option<&'a Value> {
        path.iter()
            .try_fold(self.value, |value, key| value.get(key))
    }

    /// The text at a path of keys, or empty.
    pub fn text(self, path: &[&str]) -> &'a str {
        self.at(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// The same place's other object.
    pub fn with(self, value: &'a Value) -> Self {
        Self { value, ..self }
    }

    pub fn has(self, key: &str) -> bool {
        self.value.get(key).is_some_and(|value| !value.is_null())
    }

    /// The currency that `path` names.
    pub fn currency(self, path: &[&str]) -> Result<Currency, Refusal> {
        currency(self.text(path))
    }

    /// The whole number of minor units at `key`. A number with decimals is none.
    pub fn minor(self, path: &[&str], exponent: u32) -> Result<Option<Figure>, Refusal> {
        match self.at(path) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let shown = value.to_string();
                let Some(minor) = value.as_i64() else {
                    return Err(bad_amount(&shown, tieout_core::AmountError::NotANumber));
                };
                let read = Figure::from_minor(minor, exponent);
                read.map(Some).map_err(|error| bad_amount(&shown, error))
            }
        }
    }
}

/// Reads one file of objects.
pub(super) struct Objects<'a> {
    profile: &'static Profile,
    settlement: Settlement<'a>,
}

impl<'a> Objects<'a> {
    pub fn new(profile: &'static Profile, mut settlement: Settlement<'a>) -> Self {
        let report = format!("{} objects", profile.processor);
        settlement.intake.counts.profile = Some(report);
        Self {
            profile,
            settlement,
        }
    }

    /// Reads all items.
    pub fn read(mut self, file: &SourceFile, settings: &Settings) -> Result<Counts, ReadError> {
        let source = file.open().map_err(|error| file.refused(error))?;
        let mut items = JsonItems::new(source, settings.chunk_bytes, pages(self.profile.processor));
        let mut is_open = false;
        while let Some(item) = items.next_item().map_err(|error| file.refused(error))? {
            is_open |= item.is_open;
            self.item(&item)?;
        }
        for line in std::mem::take(&mut items.more_pages) {
            self.settlement.note(Remark::MorePages, line, "");
        }
        if is_open || items.is_open() {
            self.settlement.report(Notice {
                severity: Severity::Error,
                code: FindingCode::TruncatedFile,
                line: None,
                found: "the file ends within an object or a list".to_owned(),
                expected: "its closing bracket".to_owned(),
                action: "Fetch the file again.".into(),
            })?;
        }
        self.settlement.finish(items.bytes(), items.lines())
    }

    fn item(&mut self, item: &Item) -> Result<(), ReadError> {
        let line = Line {
            number: item.line,
            start: item.start,
            end: item.end,
            bytes: &item.bytes,
            is_cut: item.is_cut,
        };
        let taken = self.take(&line);
        self.settlement.conclude(taken, &line)
    }

    fn take(&mut self, line: &Line<'_>) -> Taken {
        if line.is_cut {
            let message = format!("the object has more than {ITEM_BYTES_MAX} bytes");
            return Err(Refusal::new(QuarantineReason::TooLong, message).into());
        }
        let value: Value = serde_json::from_slice(line.bytes).map_err(|error| {
            let message = format!("not JSON: {error}; correct the object and deliver it again");
            Refusal::new(QuarantineReason::BadStructure, message)
        })?;
        let object = Object {
            value: &value,
            line,
        };
        match self.profile.processor {
            "stripe" => stripe::take(self.profile, &mut self.settlement, object),
            "adyen" => adyen::take(self.profile, &mut self.settlement, object),
            _ => braintree::take(self.profile, &mut self.settlement, object),
        }
    }
}

/// Keys below which the answers of the processor's API hold their lists.
fn pages(processor: &str) -> &'static [&'static str] {
    match processor {
        "braintree" => &braintree::PAGES,
        _ => &[],
    }
}

/// Whether JSON that begins with `head` holds objects of the processor `name`.
pub(super) fn is_of(name: &str, head: &str) -> bool {
    match name {
        "stripe" => stripe::KINDS
            .iter()
            .any(|kind| has_member(head, "object", kind)),
        "adyen" => {
            let is_item = ["pspReference", "eventCode", "eventDate"];
            head.contains("\"notificationItems\"")
                || is_item
                    .iter()
                    .all(|key| head.contains(&format!("\"{key}\"")))
        }
        "braintree" => {
            let keys = [
                "disbursementDetails",
                "amountDisputed",
                "gateway_txn_id",
                "gateway_refund_id",
            ];
            keys.iter().any(|key| head.contains(&format!("\"{key}\"")))
        }
        _ => false,
    }
}

/// Whether `text` has `"key": "value"`, whatever blanks stand between.
fn has_member(text: &str, key: &str, value: &str) -> bool {
    let key = format!("\"{key}\"");
    let value = format!("\"{value}\"");
    text.match_indices(&key).any(|(at, _)| {
        let rest = text.get(at + key.len()..).unwrap_or_default().trim_start();
        rest.strip_prefix(':')
            .is_some_and(|rest| rest.trim_start().starts_with(&value))
    })
}
