//! What the business knows: `parties.csv`, `open_items.csv`; and what really happened:
//! `truth.csv`.

use std::path::Path;

use anyhow::Result;

use super::calendar::{Day, iso};
use super::items::{ENTITIES, Item};
use super::mix::{Channel, Outcome};
use super::parties::{NOBODY, Party, party_id};
use super::plan::{Line, NONE, Payment};
use super::reference::purchase_order;
use super::shown::Morning;
use super::sink::{Sink, Table, table};
use crate::money::cents_text;

/// Writes `parties.csv`.
pub fn parties(morning: &Morning, dir: &Path) -> Result<()> {
    let mut out = table(
        dir,
        "parties.csv",
        "party_id,role,name,aliases,parent_id,accounts",
    )?;
    for (number, party) in morning.parties.list.iter().enumerate() {
        let parent = if party.parent == NOBODY {
            String::new()
        } else {
            party_id(party.parent)
        };
        let alias = party
            .alias
            .as_ref()
            .map(super::names::Name::in_books)
            .unwrap_or_default();
        out.write_record([
            party_id(number as u32).as_str(),
            "customer",
            &party.name.in_books(),
            &alias,
            &parent,
            &accounts(party),
        ])?;
    }
    Ok(out.flush()?)
}

fn accounts(party: &Party) -> String {
    let listed: Vec<String> = party
        .accounts
        .iter()
        .map(|a| format!("{:09}:{}", a.aba, a.number))
        .collect();
    listed.join("|")
}

/// Writes `open_items.csv` in the order of issue.
pub fn open_items(morning: &Morning, dir: &Path) -> Result<()> {
    let header = "item_id,entity,party_id,kind,number,po_number,currency,amount,open_amount,\
                  issue_date,due_date,discount_amount,discount_date";
    let mut out = table(dir, "open_items.csv", header)?;
    for &index in &morning.items.file_order {
        let item = &morning.items.list[index as usize];
        let canadian = morning.parties.list[item.party as usize].canadian;
        write_item(&mut out, item, if canadian { "CAD" } else { "USD" })?;
    }
    Ok(out.flush()?)
}

fn write_item(out: &mut Table, item: &Item, currency: &str) -> Result<()> {
    let order = if item.order == 0 {
        String::new()
    } else {
        purchase_order(item.order)
    };
    let optional = |day: Day| {
        if item.discount == 0 {
            Vec::new()
        } else {
            iso(day).to_vec()
        }
    };
    let discount = if item.discount == 0 {
        String::new()
    } else {
        cents_text(item.discount)
    };
    out.write_record([
        item.id().as_bytes(),
        ENTITIES[usize::from(item.entity)].as_bytes(),
        party_id(item.party).as_bytes(),
        item.kind.word().as_bytes(),
        item.number().as_bytes(),
        order.as_bytes(),
        currency.as_bytes(),
        cents_text(item.amount).as_bytes(),
        cents_text(item.open).as_bytes(),
        &iso(item.issued),
        &iso(item.due),
        discount.as_bytes(),
        &optional(item.discount_date),
    ])?;
    Ok(())
}

/// Writes `truth.csv`: one row per payment and item, the files' lines as the key.
pub fn truth(morning: &Morning, sink: &Sink, dir: &Path) -> Result<()> {
    let header = "truth_file,truth_line,scenario,decidable,party_id,status,currency,amount,\
                  item_id,item_party_id,applied,discount,write_off,deduction,\
                  duplicate_of_file,duplicate_of_line";
    let mut out = table(dir, "truth.csv", header)?;
    let bank = [Channel::BankAdvice, Channel::BankText];
    for channels in [
        &[Channel::LockboxInvoice][..],
        &[Channel::LockboxText],
        &bank,
    ] {
        for index in morning.plan.arriving(|p| channels.contains(&p.channel)) {
            write_payment(&mut out, morning, sink, index)?;
        }
    }
    for bystander in &sink.bystanders {
        let row = bystander.scenario.row();
        out.write_record([
            sink.files[usize::from(bystander.place.file)].as_str(),
            itoa::Buffer::new().format(bystander.place.line),
            row.name,
            "yes",
            "",
            row.outcome.word(),
            bystander.currency,
            &cents_text(bystander.amount),
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ])?;
    }
    Ok(out.flush()?)
}

fn write_payment(out: &mut Table, morning: &Morning, sink: &Sink, index: u32) -> Result<()> {
    let payment = &morning.plan.payments[index as usize];
    if !payment.scenario.names_items() {
        return write_row(out, morning, sink, index, None);
    }
    for line in morning.plan.lines_of(payment) {
        write_row(out, morning, sink, index, Some(line))?;
    }
    Ok(())
}

fn write_row(
    out: &mut Table,
    morning: &Morning,
    sink: &Sink,
    index: u32,
    line: Option<&Line>,
) -> Result<()> {
    let payment = &morning.plan.payments[index as usize];
    let place = sink.places[index as usize];
    let row = payment.scenario.row();
    let decidable = if row.outcome == Outcome::Person {
        "no"
    } else {
        "yes"
    };
    let (original_file, original_line) = match payment.original {
        NONE => ("", String::new()),
        original => {
            let place = sink.places[original as usize];
            let file = sink.files[usize::from(place.file)].as_str();
            (file, place.line.to_string())
        }
    };
    let [item, owner, applied, discount, write_off, deduction] = match line {
        None => Default::default(),
        Some(line) => [
            morning.items.list[line.item as usize].id(),
            party_id(morning.items.list[line.item as usize].party),
            cents_text(line.cash),
            cents_text(line.discount),
            cents_text(line.write_off),
            cents_text(line.deduction),
        ],
    };
    out.write_record([
        sink.files[usize::from(place.file)].as_str(),
        itoa::Buffer::new().format(place.line),
        row.name,
        decidable,
        &payer(payment),
        row.outcome.word(),
        morning.currency(payment),
        &cents_text(payment.amount),
        &item,
        &owner,
        &applied,
        &discount,
        &write_off,
        &deduction,
        original_file,
        &original_line,
    ])?;
    Ok(())
}

/// The customer of the truth: empty where nobody could know it.
fn payer(payment: &Payment) -> String {
    let unknown = payment.payer == super::plan::Payer::Stranger
        && payment.scenario.row().outcome == Outcome::Person;
    if unknown {
        String::new()
    } else {
        party_id(payment.party)
    }
}
