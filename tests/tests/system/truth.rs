//! The shipped data against its own answers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use tieout::FileFormat;

use crate::desk::Table;
use crate::distributor::{folder, options, run};

/// A payment's file and line.
type Place = (String, String);
/// Which item gets how much.
type Applied = BTreeSet<(String, String)>;

/// What is right for one payment.
#[derive(Default)]
struct Answer {
    decidable: bool,
    applies: bool,
    items: Applied,
}

fn truth() -> BTreeMap<Place, Answer> {
    let table = Table::read(&folder().join("truth.csv"));
    let mut answers: BTreeMap<Place, Answer> = BTreeMap::new();
    for row in &table.rows {
        let cell = |name| table.cell(row, name).to_owned();
        let answer = answers
            .entry((cell("truth_file"), cell("truth_line")))
            .or_default();
        answer.decidable = cell("decidable") == "yes";
        answer.applies = ["applied", "partially_applied"].contains(&cell("status").as_str());
        if !cell("item_id").is_empty() {
            answer.items.insert((cell("item_id"), cell("applied")));
        }
    }
    answers
}

/// What the run applied, for every payment.
fn applied() -> BTreeMap<Place, Applied> {
    let dir = tempfile::tempdir().unwrap();
    run(&options(folder(), dir.path(), FileFormat::Csv));
    let payments = Table::read(&dir.path().join("payments.csv"));
    let applications = Table::read(&dir.path().join("applications.csv"));
    let mut by_payment: HashMap<&str, Applied> = HashMap::new();
    for row in applications.rows_where("status", "applied") {
        let cell = |name| applications.cell(row, name).to_owned();
        let payment = applications.cell(row, "payment_id");
        let items = by_payment.entry(payment).or_default();
        items.insert((cell("item_id"), cell("applied")));
    }
    let place = |row| {
        let file = Path::new(payments.cell(row, "source_file"));
        let name = file.file_name().unwrap().to_str().unwrap();
        (
            name.to_owned(),
            payments.cell(row, "source_line").to_owned(),
        )
    };
    let rows = payments.rows.iter();
    rows.map(|row| {
        let items = by_payment.remove(payments.cell(row, "payment_id"));
        (place(row), items.unwrap_or_default())
    })
    .collect()
}

#[test]
fn decidable_payments_are_applied_and_none_wrongly() {
    let applied = applied();
    let (mut right, mut to_apply) = (0_usize, 0_usize);
    for (place, answer) in truth() {
        let items = &applied[&place];
        if answer.applies && answer.decidable {
            to_apply += 1;
            right += usize::from(*items == answer.items);
        }
        let harmless = items.is_empty() || (answer.applies && *items == answer.items);
        assert!(harmless, "{place:?}: {items:?}, not {:?}", answer.items);
    }
    assert!(to_apply > 2_500, "{to_apply}");
    assert!(right * 100 >= to_apply * 95, "{right} of {to_apply}");
}
