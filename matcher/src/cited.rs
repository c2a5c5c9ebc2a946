//! From a document's number as the payer wrote it to the open items that it may mean.

use smallvec::SmallVec;
use tieout_core::{Feature, ItemIx, ItemKind};

use crate::decide::View;
use crate::items::Items;
use crate::payer::Payer;
use crate::payment::Payment;
use crate::reading::Reads;
use crate::reference::{self, Agreement, DIGITS_MIN, Significant};

/// Neighbouring words that may be one number with blanks in it.
const WORDS_PER_NUMBER_MAX: usize = 3;
/// A longer word in front of a number is not the prefix of its series.
const PREFIX_BYTES_MAX: usize = 5;

/// Items that one reference may mean, all agreeing equally well.
#[derive(Clone, Debug, Default)]
pub struct Meant {
    pub items: SmallVec<[ItemIx; 2]>,
    pub feature: Option<Feature>,
}

/// One reference with the item that it means.
#[derive(Clone, Copy, Debug)]
pub struct Cited<'a> {
    pub reference: &'a str,
    pub item: ItemIx,
    pub feature: Feature,
}

/// What a payment names.
#[derive(Clone, Debug, Default)]
pub struct Citations<'a> {
    /// Items that are open, each once, in the order named.
    pub open: Vec<Cited<'a>>,
    /// Items that an earlier payment has closed.
    pub closed: Vec<Cited<'a>>,
    /// References that may mean several items.
    pub several: Vec<(&'a str, Meant)>,
    /// References that look like a document's number and lead to no item of the payer.
    pub missing: Vec<&'a str>,
}

impl Citations<'_> {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
            && self.closed.is_empty()
            && self.several.is_empty()
            && self.missing.is_empty()
    }

    /// The weakest agreement of all items named.
    pub fn weakest(&self) -> Option<Cited<'_>> {
        self.open
            .iter()
            .min_by_key(|cited| crate::score::weight(cited.feature))
            .copied()
    }
}

/// The items that `reference` may mean to this payer: those whose number agrees best, else
/// those of the purchase order.
pub fn meant(view: &View, payment: &Payment, payer: &Payer, reference: &str) -> Meant {
    let by_number = by_number(view, payment, payer, reference);
    if !by_number.items.is_empty() {
        return by_number;
    }
    let key = Significant::of(reference.as_bytes());
    if !reference::says_something(reference) {
        return Meant::default();
    }
    let items = view
        .items
        .with_order(&key)
        .filter(|&item| fits(view, payment, payer, item) && view.items.is_open(item))
        .collect();
    Meant {
        items,
        feature: Some(Feature::ReferencePurchaseOrder),
    }
}

fn by_number(view: &View, payment: &Payment, payer: &Payer, reference: &str) -> Meant {
    let significant = Significant::of(reference.as_bytes());
    if significant.digits() == 0 {
        return Meant::default();
    }
    let mut best = Best {
        reference,
        is_short: significant.digits() < DIGITS_MIN,
        agreement: Agreement::OneEdit,
        items: SmallVec::new(),
    };
    let items = view.items;
    for item in items.near_number(&significant) {
        let is_called = || items.is_called(item, &significant);
        best.consider(view, payment, payer, item, is_called);
    }
    let run = Significant::last_run(reference.as_bytes());
    if best.agreement != Agreement::Exact && run != significant && run.digits() >= DIGITS_MIN {
        for item in items.near_number(&run) {
            best.consider(view, payment, payer, item, || items.last_run(item) == run);
        }
    }
    Meant {
        items: best.items,
        feature: Some(feature_of(best.agreement)),
    }
}

/// The items that agree best with a reference.
struct Best<'a> {
    reference: &'a str,
    /// So few digits mean a document only where they are all of its number.
    is_short: bool,
    agreement: Agreement,
    items: SmallVec<[ItemIx; 2]>,
}

impl Best<'_> {
    /// Takes `item` if it agrees at least as well as the best so far. What leaves most items out
    /// comes first: its number lies elsewhere in memory.
    fn consider(
        &mut self,
        view: &View,
        payment: &Payment,
        payer: &Payer,
        item: ItemIx,
        has_key: impl Fn() -> bool,
    ) {
        if !fits(view, payment, payer, item) || !has_key() {
            return;
        }
        let is_invoice = view.items.kind(item) == ItemKind::Invoice;
        let number = view.items.number_bytes(item);
        let Some(agreement) = reference::agreement(self.reference.as_bytes(), number, is_invoice)
        else {
            return;
        };
        let too_short = self.is_short && agreement != Agreement::Exact;
        if too_short || agreement > self.agreement {
            return;
        }
        if agreement < self.agreement {
            self.items.clear();
            self.agreement = agreement;
        }
        if !self.items.contains(&item) {
            self.items.push(item);
        }
    }
}

const fn feature_of(agreement: Agreement) -> Feature {
    match agreement {
        Agreement::Exact => Feature::ReferenceExact,
        Agreement::Normalized => Feature::ReferenceNormalized,
        Agreement::Truncated => Feature::ReferenceTruncated,
        Agreement::OneEdit => Feature::ReferenceOneEdit,
    }
}

fn fits(view: &View, payment: &Payment, payer: &Payer, item: ItemIx) -> bool {
    view.items.currency(item) == payment.currency
        && view.items.is_settled_by(item, payment.direction())
        && payer.may_pay(view, item)
}

/// How `reference` may be the number of `item` with damage.
pub fn damaged(items: &Items, reference: &str, item: ItemIx) -> Option<Feature> {
    reference::damage(reference.as_bytes(), items.number_bytes(item)).map(feature_of)
}

/// How `reference` agrees with the number of `item`, damaged or not.
pub fn agreement(items: &Items, reference: &str, item: ItemIx) -> Option<Feature> {
    if !items.is_called(item, &Significant::of(reference.as_bytes())) {
        return damaged(items, reference, item);
    }
    let is_invoice = items.kind(item) == ItemKind::Invoice;
    let number = items.number_bytes(item);
    reference::agreement(reference.as_bytes(), number, is_invoice).map(feature_of)
}

/// All that the payment names: the documents of its lines, and what its text holds.
pub fn citations<'a>(
    view: &View,
    payment: &Payment<'a>,
    payer: &Payer,
    reads: &mut Reads,
) -> Citations<'a> {
    let mut citations = Citations::default();
    for line in &payment.lines {
        if !line.document.is_empty() {
            let meant = meant(view, payment, payer, line.document);
            note(view, &mut citations, line.document, meant, reads);
        }
    }
    if citations.is_empty()
        && let Some(reference) = payment.creditor_reference
    {
        let meant = meant(view, payment, payer, reference);
        if !meant.items.is_empty() {
            note(view, &mut citations, reference, meant, reads);
        }
    }
    if citations.is_empty() {
        from_text(view, payment, payer, &mut citations, reads);
    }
    citations
}

/// Hands on all that a payment with this text may be read to name: the text as a whole, its words,
/// and words that may be one number with blanks in it.
pub fn may_name<'a>(text: &'a str, mut take: impl FnMut(&'a str)) {
    take(text);
    let words: SmallVec<[&str; 16]> = reference::tokens(text).collect();
    for place in 0..words.len() {
        for count in 1..=words_of_number(text, &words[place..]) {
            take(span(text, words[place], words[place + count - 1]));
        }
    }
}

fn from_text<'a>(
    view: &View,
    payment: &Payment<'a>,
    payer: &Payer,
    citations: &mut Citations<'a>,
    reads: &mut Reads,
) {
    let text = payment.text;
    let words: SmallVec<[&str; 16]> = reference::tokens(text).collect();
    let misses = view.policy().identification.misses_references;
    let mut place = 0;
    while place < words.len() {
        let found = (1..=words_of_number(text, &words[place..])).find_map(|count| {
            let reference = span(text, words[place], words[place + count - 1]);
            let meant = meant(view, payment, payer, reference);
            (!meant.items.is_empty()).then_some((count, reference, meant))
        });
        if let Some((count, reference, meant)) = found {
            note(view, citations, reference, meant, reads);
            place += count;
            continue;
        }
        if misses
            && view.items.is_plausible(words[place])
            && payment.customer_number != Some(words[place])
        {
            citations.missing.push(words[place]);
        }
        place += 1;
    }
}

/// How many of the first words may be one number with blanks in it, such as `SI 25 0093121`: a
/// number ends in digits that say something, and a word in front of one that says enough by
/// itself is not part of it. So no date is taken for a number.
fn words_of_number(text: &str, words: &[&str]) -> usize {
    let joined = words
        .iter()
        .take(WORDS_PER_NUMBER_MAX)
        .zip(words.iter().skip(1))
        .take_while(|(word, next)| span(text, word, next).len() == word.len() + 1 + next.len())
        .take_while(|(word, next)| {
            span(text, word, next).as_bytes()[word.len()] == b' '
                && !reference::says_something(word)
        })
        .take(WORDS_PER_NUMBER_MAX - 1)
        .count();
    (1..=joined)
        .rev()
        .find(|&last| reference::says_something(words[last]))
        .filter(|_| words[0].len() <= PREFIX_BYTES_MAX)
        .map_or(1, |last| last + 1)
}

/// The part of `text` from the beginning of `first` to the end of `last`, both parts of it.
fn span<'a>(text: &'a str, first: &'a str, last: &'a str) -> &'a str {
    let base = text.as_ptr() as usize;
    let start = first.as_ptr() as usize - base;
    let end = last.as_ptr() as usize - base + last.len();
    text.get(start..end).unwrap_or(first)
}

fn note<'a>(
    view: &View,
    citations: &mut Citations<'a>,
    reference: &'a str,
    meant: Meant,
    reads: &mut Reads,
) {
    reads.items.extend(meant.items.iter().map(|item| item.0));
    let Some(feature) = meant.feature else {
        citations.missing.push(reference);
        return;
    };
    let is_order = feature == Feature::ReferencePurchaseOrder;
    match meant.items.as_slice() {
        [] => citations.missing.push(reference),
        [item] => push(view, citations, reference, *item, feature),
        // A purchase order means all that was delivered on it.
        items if is_order => {
            for &item in items {
                push(view, citations, reference, item, feature);
            }
        }
        _ => citations.several.push((reference, meant)),
    }
}

fn push<'a>(
    view: &View,
    citations: &mut Citations<'a>,
    reference: &'a str,
    item: ItemIx,
    feature: Feature,
) {
    let list = if view.items.is_open(item) {
        &mut citations.open
    } else {
        &mut citations.closed
    };
    if list.iter().all(|cited| cited.item != item) {
        list.push(Cited {
            reference,
            item,
            feature,
        });
    }
}
