//! Transaction sets: what each is made of, and what reads one.

use std::sync::LazyLock;

use serde::Deserialize;
use tieout_core::Date;

use super::acknowledgment::Acknowledgment;
use super::application::ApplicationAdvice;
use super::claims::Claims;
use super::invoice::Invoice;
use super::lockbox::LockboxDeposit;
use super::remittance::PaymentOrder;
use super::segment::{Segment, Tag, tag_of};
use super::tables::Tables;
use crate::format::ReadError;

/// What the envelope says about a transaction set.
#[derive(Clone, Debug, Default)]
pub(super) struct Heading {
    /// Which kind of set it is.
    pub number: Tag,
    /// ST02.
    pub control: String,
    /// GS06.
    pub group: String,
    /// GS02, or ISA06 if there is no group.
    pub sender: String,
    /// GS04, or ISA09.
    pub date: Option<Date>,
    /// The line of its ST.
    pub line: u64,
    /// Offset of its ST.
    pub start: u64,
}

/// Reads one transaction set, segment by segment.
pub(super) trait TransactionSet {
    /// Reads a segment; false if it is none that this set reads.
    fn segment(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError>;

    /// The set is over, at its SE or because the file ends; `end` is the offset after it.
    fn finish(&mut self, end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError>;
}

/// The reader of the set that `heading` begins; none if it has nothing to tie out.
pub(super) fn open(heading: Heading) -> Option<Box<dyn TransactionSet>> {
    Some(match &heading.number {
        b"820" => Box::new(PaymentOrder::new(heading)),
        b"835" => Box::new(Claims::new(heading)),
        b"823" => Box::new(LockboxDeposit::new(heading)),
        b"810" => Box::new(Invoice::new(heading)),
        b"997" | b"999" => Box::new(Acknowledgment::new(heading)),
        b"824" => Box::new(ApplicationAdvice::new(heading)),
        _ => return None,
    })
}

/// The segments that the set `number` may have though its reader has no use for them.
pub(super) fn known_segments(number: Tag) -> &'static [Tag] {
    let set = SETS.iter().find(|set| set.number == number);
    set.map_or(&[], |set| &set.segments)
}

struct Set {
    number: Tag,
    segments: Vec<Tag>,
}

#[derive(Deserialize)]
struct SetText {
    number: String,
    segments: String,
}

#[derive(Deserialize)]
struct SetsText {
    set: Vec<SetText>,
}

static SETS: LazyLock<Vec<Set>> = LazyLock::new(|| {
    let text: Option<SetsText> = toml::from_str(include_str!("sets.toml")).ok();
    let sets = text.map_or_else(Vec::new, |text| text.set);
    let set = |text: &SetText| Set {
        number: tag_of(text.number.as_bytes(), b' '),
        segments: text
            .segments
            .split_whitespace()
            .map(|name| tag_of(name.as_bytes(), b' '))
            .collect(),
    };
    sets.iter().map(set).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_segments_reads() {
        assert_eq!(SETS.len(), 7);
        assert!(known_segments(*b"835").contains(b"SVC"));
        assert!(known_segments(*b"820").contains(b"N1 "));
        assert!(!known_segments(*b"820").contains(b"CLP"));
        assert_eq!(known_segments(*b"850"), [] as [Tag; 0]);
    }
}
