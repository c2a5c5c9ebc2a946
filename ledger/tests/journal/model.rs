//! A ledger against a model of it: items, payments, and what each posting left of them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tieout_ledger::Moment;
use tieout_ledger::journal::{Purge, PurgeScope};

use super::*;

/// What somebody does with the ledger.
#[derive(Clone, Debug)]
enum Step {
    /// A run with a new item of so many cents.
    Item(i64),
    /// A run with a payment of 100 of which so many cents go to an item; kept or dropped.
    Pay(prop::sample::Index, i64, bool),
    /// Somebody takes a decision back and applies so many cents to another item.
    Apply(prop::sample::Index, prop::sample::Index, i64),
    /// The files are joined.
    Join,
    /// A payment's texts go.
    Purge(prop::sample::Index),
    /// The tables are lost, and made again.
    Lose,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => (1_i64..30_000).prop_map(Step::Item),
        5 => (index(), 1_i64..=10_000, prop::bool::weighted(0.8))
            .prop_map(|(item, cents, kept)| Step::Pay(item, cents, kept)),
        3 => (index(), index(), 1_i64..=10_000)
            .prop_map(|(payment, item, cents)| Step::Apply(payment, item, cents)),
        1 => Just(Step::Join),
        1 => index().prop_map(Step::Purge),
        1 => Just(Step::Lose),
    ]
}

const PAYMENT_CENTS: i64 = 10_000;

/// All in cents.
#[derive(Clone, Debug, Default)]
struct Model {
    /// What was given and what is open.
    items: BTreeMap<String, (i64, i64)>,
    /// The item that a payment is applied to, so much, and the posting that says so.
    payments: BTreeMap<String, (String, i64, u64)>,
    postings: u64,
    /// Payments that were known after each posting.
    known: Vec<u64>,
}

impl Model {
    fn posted(&mut self) {
        self.postings += 1;
        self.known.push(self.payments.len() as u64);
    }

    fn item(&self, index: prop::sample::Index) -> Option<String> {
        (!self.items.is_empty()).then(|| {
            let ids: Vec<&String> = self.items.keys().collect();
            (*index.get(&ids)).clone()
        })
    }

    fn payment(&self, index: prop::sample::Index) -> Option<String> {
        (!self.payments.is_empty()).then(|| {
            let ids: Vec<&String> = self.payments.keys().collect();
            (*index.get(&ids)).clone()
        })
    }

    fn take(&mut self, item: &str, cents: i64) -> bool {
        let Some((_, open)) = self.items.get_mut(item) else {
            return false;
        };
        let fits = *open >= cents;
        if fits {
            *open -= cents;
        }
        fits
    }
}

fn money(cents: i64) -> String {
    Amount::from_units(i128::from(cents) * 1_000).to_string()
}

fn run(dir: &Path, model: &mut Model, step: &Step) {
    match step {
        Step::Item(cents) => {
            let id = format!("I{}", model.items.len());
            let mut ledger = Ledger::post(dir).unwrap();
            ledger
                .write(Table::OpenItems, &item(&id, &money(*cents)))
                .unwrap();
            ledger.finish("r@1").unwrap();
            model.items.insert(id, (*cents, *cents));
            model.posted();
        }
        Step::Pay(index, cents, kept) => {
            let Some(to) = model.item(*index) else { return };
            let id = format!("{:032x}", model.payments.len() + 1);
            let mut ledger = Ledger::post(dir).unwrap();
            let done = decide(&mut ledger, &id, &to, &money(*cents));
            let mut after = model.clone();
            let fits = after.take(&to, *cents);
            assert_eq!(done.is_ok(), fits, "{done:?}");
            if !fits || !kept {
                return;
            }
            ledger.finish("r@1").unwrap();
            after.payments.insert(id, (to, *cents, model.postings + 1));
            after.posted();
            *model = after;
        }
        Step::Apply(payment, index, cents) => {
            let (Some(id), Some(to)) = (model.payment(*payment), model.item(*index)) else {
                return;
            };
            let (from, applied, posting) = model.payments[&id].clone();
            let mut ledger = Ledger::post(dir).unwrap();
            let reversed = Reversed {
                what: what::PAYMENT,
                id: id.clone(),
                posting,
            };
            ledger.reverse(&[reversed]).unwrap();
            let mut after = model.clone();
            after.items.get_mut(&from).unwrap().1 += applied;
            let fits = after.take(&to, *cents);
            let done = decide(&mut ledger, &id, &to, &money(*cents));
            assert_eq!(done.is_ok(), fits, "{done:?}");
            if !fits {
                return;
            }
            ledger.commit().unwrap();
            after.payments.insert(id, (to, *cents, model.postings + 1));
            after.posted();
            *model = after;
        }
        Step::Join => {
            if model.postings > 0 {
                Ledger::join(dir, true).unwrap();
            }
        }
        Step::Purge(payment) => {
            let Some(id) = model.payment(*payment) else {
                return;
            };
            let purge = Purge {
                scope: PurgeScope::Payment(id),
                actor: "Ada".to_owned(),
                reason: "asked".to_owned(),
            };
            if Ledger::purge(dir, &purge).unwrap().event > 0 {
                model.posted();
            }
        }
        Step::Lose => {
            for folder in ["postings", "history"] {
                fs::remove_dir_all(dir.join(folder)).unwrap_or_default();
            }
        }
    }
}

fn check(dir: &Path, model: &Model) {
    if model.postings == 0 {
        return;
    }
    let ledger = Ledger::open(dir).unwrap();
    assert_eq!(ledger.postings(), model.postings);
    let journal = ledger.journal().unwrap();
    let mut open = Amount::ZERO;
    for (id, (given, left)) in &model.items {
        let state = journal.item(id).unwrap().unwrap();
        assert_eq!(
            (state.given.to_string(), state.open.to_string()),
            (money(*given), money(*left))
        );
        open += state.open;
    }
    let mut applied = Amount::ZERO;
    for (id, (_, cents, _)) in &model.payments {
        let state = journal.payment(id).unwrap().unwrap();
        assert_eq!(state.applied.to_string(), money(*cents), "{id}");
        assert_eq!(
            (state.applied + state.on_account).to_string(),
            money(PAYMENT_CENTS)
        );
        applied += state.applied;
    }
    // No money comes or goes: what was given is open or applied.
    let given: i64 = model.items.values().map(|(given, _)| given).sum();
    assert_eq!((open + applied).to_string(), money(given));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_ledger_does_what_its_model_does(steps in prop::collection::vec(step(), 1..24)) {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("ledger");
        let mut model = Model::default();
        for step in &steps {
            run(&dir, &mut model, step);
            check(&dir, &model);
        }
        if model.postings > 0 {
            prop_assert!(Ledger::verify(&dir, None).unwrap().is_sealed);
            for (place, payments) in model.known.iter().enumerate() {
                let number = place as u64 + 1;
                let then = Ledger::open(&dir).unwrap().as_of(Moment::Posting(number)).unwrap();
                prop_assert_eq!(then.postings(), number);
                if then.until().is_none() {
                    let decided = then.rows(Table::Payments);
                    prop_assert!(decided >= *payments, "{decided} {payments}");
                }
            }
        }
    }
}
