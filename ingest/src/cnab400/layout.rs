//! Where each bank puts its fields, and which layout a file is in.

use std::sync::LazyLock;

use serde::Deserialize;
use toml::Table;

use super::RECORD_BYTES;
use crate::cnab::{Span, date_at, field, merged, money_at};
use crate::fixed::columns;
use crate::national::{decode, first_line};

/// What the bank that has none of its own is read by.
const USUAL_NAME: &str = "febraban";

/// The columns of one bank.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    pub name: String,
    pub code: String,
    /// First characters of records that are titles.
    pub records: Vec<String>,
    pub account: Span,
    pub is_account_in_title: bool,
    pub file_date: Span,
    #[serde(rename = "return")]
    pub returned: ReturnColumns,
    pub order: OrderColumns,
    #[serde(default)]
    pub trailer: Vec<TrailerColumns>,
}

/// The columns of a title that a bank tells about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnColumns {
    pub event: Span,
    pub event_if_blank: String,
    pub event_date: Span,
    pub our_number: Span,
    pub document: Span,
    pub company_use: Span,
    pub due_date: Span,
    pub face: Span,
    pub fee: Span,
    pub rebate: Span,
    pub discount: Span,
    pub paid: Span,
    pub credited: Span,
    pub interest: Span,
    pub other_credits: Span,
    pub credit_date: Span,
    pub reasons: Span,
    pub payer_name: Span,
}

/// The columns of a title that a company sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderColumns {
    pub event: Span,
    pub event_if_blank: String,
    pub our_number: Span,
    pub document: Span,
    pub company_use: Span,
    pub due_date: Span,
    pub face: Span,
    pub payer_id: Span,
    pub payer_name: Span,
}

/// A count and a total of the trailer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrailerColumns {
    /// The event of the titles that are counted; empty for all.
    pub event: String,
    pub count: Span,
    pub total: Span,
}

impl Layout {
    /// Whether the record is a title.
    pub fn is_title(&self, record: &[u8]) -> bool {
        let first = columns(record, 1, 1);
        self.records.iter().any(|known| known.as_bytes() == first)
    }

    /// Whether the fields of a title are where this layout has them.
    fn fits(&self, record: &[u8], is_return: bool) -> bool {
        let (event, if_blank, due_date, face) = if is_return {
            let columns = &self.returned;
            let if_blank = &columns.event_if_blank;
            (columns.event, if_blank, columns.due_date, columns.face)
        } else {
            let columns = &self.order;
            let if_blank = &columns.event_if_blank;
            (columns.event, if_blank, columns.due_date, columns.face)
        };
        let event = field(record, event);
        let is_event = event.len() == 2 && event.iter().all(u8::is_ascii_digit);
        self.is_title(record)
            && (is_event || event.is_empty() && !if_blank.is_empty())
            && date_at(record, due_date, "").is_ok()
            && money_at(record, face, "").is_ok()
    }
}

/// The layout of a file and whether it goes from bank to company.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub layout: &'static Layout,
    pub is_return: bool,
    /// Whether a layout of the bank fits.
    pub is_known: bool,
}

#[derive(Default, Deserialize)]
struct LayoutsFile {
    base: Table,
    bank: Vec<Table>,
}

static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| {
    // A test reads the file, so that it always parses.
    let file: LayoutsFile = toml::from_str(include_str!("layouts.toml")).unwrap_or_default();
    let mut usual = Table::new();
    usual.insert("name".to_owned(), USUAL_NAME.into());
    let tables = std::iter::once(&usual).chain(&file.bank);
    let layouts = tables.map(|own| merged(&file.base, own).try_into());
    layouts.filter_map(Result::ok).collect()
});

/// The usual layout, and then those of banks.
pub(super) fn all() -> impl Iterator<Item = &'static Layout> {
    LAYOUTS.iter()
}

/// The layout of a file that begins with `head`; none only if there are none at all.
pub(super) fn choose(head: &[u8]) -> Option<Choice> {
    let header = first_line(head);
    let is_return = columns(header, 2, 2) == b"2";
    let code = decode(columns(header, 77, 79));
    let titles = titles(head, header);
    let fits = |layout: &&Layout| {
        let mut titles = titles.iter();
        titles.all(|title| layout.fits(title, is_return))
    };
    let own = all().filter(|layout| layout.code == code).find(fits);
    Some(Choice {
        layout: own.or_else(|| all().next())?,
        is_return,
        is_known: own.is_some(),
    })
}

/// The first title of `head`, if there is one.
fn titles<'a>(head: &'a [u8], header: &'a [u8]) -> Vec<&'a [u8]> {
    let is_unbroken = header.len() > 2 * RECORD_BYTES - 1;
    let records: Vec<&[u8]> = if is_unbroken {
        header.chunks(RECORD_BYTES).skip(1).take(1).collect()
    } else {
        let lines = head.split(|&byte| byte == b'\n' || byte == b'\r');
        let lines = lines.filter(|line| !line.trim_ascii().is_empty());
        lines.skip(1).take(1).collect()
    };
    let titles = records.into_iter();
    titles.filter(|record| !record.starts_with(b"9")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_table_reads() {
        let file: LayoutsFile = toml::from_str(include_str!("layouts.toml")).unwrap();
        for bank in &file.bank {
            let layout: Result<Layout, _> = merged(&file.base, bank).try_into();
            assert!(layout.is_ok(), "{bank}: {:?}", layout.err());
        }
        assert_eq!(all().count(), file.bank.len() + 1);
    }
}
