//! What can happen to a ledger, at random or all of it once.

use proptest::collection::vec;
use proptest::prelude::*;

use super::files::Format;

/// One of those that there are, counted round and round.
pub type Place = u16;

pub fn pick<T>(all: &[T], place: Place) -> &T {
    &all[usize::from(place) % all.len()]
}

/// What a new line pays.
#[derive(Clone, Debug)]
pub enum Kind {
    /// What is open of an item, which it names.
    Item(Place),
    /// A document that will come.
    Later(i64),
    /// Nobody knows what, so much and a few cents.
    Nothing(i64),
    /// What is open of one or two items of a customer, as advice will tell.
    Advised(Place, Place),
}

#[derive(Clone, Debug)]
pub enum Step {
    /// A list with one more open item: of so much, or what an earlier payment named.
    Item(i64, bool),
    /// A file of new lines; that many microseconds after its beginning the run is killed and done again.
    Lines(Format, Vec<Kind>, Option<u64>),
    /// An earlier file again under another name, perhaps with a new line in it.
    Again(Place, Option<Kind>),
    /// Advice for a payment that came without.
    Advice(Place),
    /// The bank takes a payment back.
    Return(Place),
    Apply(Place, Place, i64),
    WriteOff(Place, Place, i64),
    Unmatch(Place),
    Reopen(Place),
    OnAccount(Place),
    Duplicate(Place, Place),
    Comment(Place),
    Compact,
    /// The tables are lost.
    Lose,
    /// What was known after some posting.
    Past(Place),
}

pub fn dollars() -> impl Strategy<Value = i64> {
    // Few, so that many are alike.
    prop_oneof![Just(100), Just(250), Just(300), 1_i64..2_000].prop_map(|amount| amount * 100)
}

pub fn kind() -> impl Strategy<Value = Kind> {
    let place = any::<Place>;
    prop_oneof![
        5 => place().prop_map(Kind::Item),
        2 => dollars().prop_map(Kind::Later),
        2 => dollars().prop_map(Kind::Nothing),
        1 => (place(), place()).prop_map(|(one, other)| Kind::Advised(one, other)),
    ]
}

pub fn step() -> impl Strategy<Value = Step> {
    let place = any::<Place>;
    let cents = || prop_oneof![dollars(), 1_i64..12_000];
    let format = prop_oneof![
        Just(Format::Bai2),
        Just(Format::Camt),
        Just(Format::Lockbox)
    ];
    let killed = proptest::option::weighted(0.3, 0_u64..120_000);
    prop_oneof![
        4 => (dollars(), any::<bool>()).prop_map(|(cents, is_named)| Step::Item(cents, is_named)),
        6 => (format, vec(kind(), 1..4), killed)
            .prop_map(|(format, kinds, killed)| Step::Lines(format, kinds, killed)),
        2 => (place(), proptest::option::of(kind())).prop_map(|(file, kind)| Step::Again(file, kind)),
        2 => place().prop_map(Step::Advice),
        2 => place().prop_map(Step::Return),
        3 => (place(), place(), cents()).prop_map(|(own, item, cents)| Step::Apply(own, item, cents)),
        2 => (place(), place(), cents()).prop_map(|(own, item, cents)| Step::WriteOff(own, item, cents)),
        2 => place().prop_map(Step::Unmatch),
        2 => place().prop_map(Step::Reopen),
        1 => place().prop_map(Step::OnAccount),
        1 => (place(), place()).prop_map(|(own, other)| Step::Duplicate(own, other)),
        1 => place().prop_map(Step::Comment),
        2 => Just(Step::Compact),
        1 => Just(Step::Lose),
        2 => place().prop_map(Step::Past),
    ]
}

/// Each kind of step at least once, so that the years that are drawn cannot leave one out unseen.
pub fn full_year() -> Vec<Step> {
    let later = vec![Kind::Item(0), Kind::Later(12_000), Kind::Nothing(7_000)];
    let mut steps: Vec<Step> = [50_000, 30_000, 25_000, 10_000]
        .map(|cents| Step::Item(cents, false))
        .to_vec();
    steps.extend([
        Step::Lines(Format::Bai2, later, Some(3_000)),
        Step::Lines(Format::Camt, vec![Kind::Advised(1, 0)], None),
        Step::Advice(0),
        Step::Item(1, true),
        Step::Again(0, None),
        Step::Again(0, Some(Kind::Nothing(100))),
        Step::Return(0),
        Step::Lines(
            Format::Lockbox,
            vec![Kind::Item(0), Kind::Nothing(900)],
            Some(40_000),
        ),
        Step::Compact,
    ]);
    let places = || 0..6;
    steps.extend(places().map(|own| Step::Apply(own, own, 50)));
    steps.extend(places().map(|own| Step::WriteOff(own, own + 1, 25)));
    steps.extend(places().map(Step::Unmatch));
    steps.extend([
        Step::Lose,
        Step::OnAccount(2),
        Step::Duplicate(3, 0),
        Step::Comment(1),
    ]);
    steps.extend(places().map(Step::Reopen));
    steps.push(Step::Lines(Format::Bai2, vec![Kind::Item(1)], None));
    steps.push(Step::Compact);
    steps.extend((0..6).map(|posting| Step::Past(4 * posting)));
    steps
}
