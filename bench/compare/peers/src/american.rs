//! Formats of US banks, clearing houses and customers.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use ::bai2::Bai2File;
use ::nacha::NachaFile;
use ::ofxy::Ofx;
use ::rs_ach::AchFile;
use ::x12_stream_parser::{Delimiters, Parser as Segments};
use ::x12_types::util::Parser as _;
use ::x12_types::v005010::{_820, Transmission};
use serde::Deserialize;

use super::{Clock, Outcome, Seen, cents};

/// The fields of `Bai2File` are private: its amounts are read from what it serializes to.
#[derive(Deserialize)]
struct Groups {
    groups: Vec<Accounts>,
}

#[derive(Deserialize)]
struct Accounts {
    accounts: Vec<Transactions>,
}

#[derive(Deserialize)]
struct Transactions {
    transactions: Vec<Amount>,
}

#[derive(Deserialize)]
struct Amount {
    amount: Option<u64>,
}

pub fn bai2(path: &Path) -> Outcome {
    let clock = Clock::start();
    let file = Bai2File::new(fs::read_to_string(path)?)?;
    let cost = clock.stop();
    let told: Groups = serde_json::from_str(&serde_json::to_string(&file)?)?;
    let accounts = told.groups.iter().flat_map(|group| &group.accounts);
    let lines = accounts.flat_map(|account| &account.transactions);
    let seen = Seen::amounts(lines.map(|line| line.amount.unwrap_or(0).into()));
    Ok((cost, seen))
}

pub fn nacha(path: &Path) -> Outcome {
    let clock = Clock::start();
    let file = NachaFile::new(fs::read_to_string(path)?);
    let cost = clock.stop();
    let entries = file.batches.iter().flat_map(|batch| &batch.detail_entries);
    Ok((
        cost,
        Seen::amounts(entries.map(|entry| entry.amount.into())),
    ))
}

pub fn rs_ach(path: &Path) -> Outcome {
    let clock = Clock::start();
    let text = fs::read_to_string(path)?;
    let file = AchFile::parse(&text)?;
    let cost = clock.stop();
    let entries = file.batches.iter().flat_map(|batch| &batch.entries);
    Ok((
        cost,
        Seen::amounts(entries.map(|entry| entry.amount.into())),
    ))
}

/// The element of an RMR segment that holds the amount paid.
const RMR_AMOUNT: usize = 3;

fn rmr_cents(amount: Option<&str>) -> i128 {
    amount.and_then(|text| text.parse().ok()).map_or(0, cents)
}

pub fn edi(path: &Path) -> Outcome {
    let clock = Clock::start();
    let text = fs::read_to_string(path)?;
    let document = ::edi::parse(&text).map_err(|error| format!("{error:?}"))?;
    let cost = clock.stop();
    let groups = document
        .interchanges
        .iter()
        .flat_map(|interchange| &interchange.functional_groups);
    let sets = groups.flat_map(|group| &group.transactions);
    let segments = sets.flat_map(|set| &set.segments);
    let documents = segments.filter(|segment| segment.segment_abbreviation == "RMR");
    let amounts =
        documents.map(|segment| rmr_cents(segment.elements.get(RMR_AMOUNT).map(AsRef::as_ref)));
    Ok((cost, Seen::amounts(amounts)))
}

pub fn x12_types(path: &Path) -> Outcome {
    let clock = Clock::start();
    let text = fs::read_to_string(path)?;
    let (rest, document) = Transmission::<_820>::parse(&text).map_err(|error| error.to_string())?;
    let cost = clock.stop();
    if !rest.trim().is_empty() {
        return Err(format!("{} bytes are left unread", rest.len()).into());
    }
    let sets = document
        .functional_group
        .iter()
        .flat_map(|group| &group.segments);
    let amounts = sets.flat_map(|set| {
        let entities = set.loop_ent.iter().flat_map(|entity| &entity.loop_rmr);
        entities.chain(&set.loop_rmr)
    });
    let amounts = amounts.map(|document| rmr_cents(document.rmr._04.as_deref()));
    Ok((cost, Seen::amounts(amounts)))
}

/// Gives segments and their elements, nothing of what they mean.
pub fn x12_stream_parser(path: &Path) -> Outcome {
    let clock = Clock::start();
    let bytes = fs::read(path)?;
    let mut seen = Seen::default();
    for segment in Segments::new(bytes.trim_ascii_end(), Delimiters::new(b'~', b'*', b'>')) {
        let segment = segment?;
        let mut amount = None;
        for (place, element) in segment.elements().enumerate() {
            if black_box(element).is_empty() || place != RMR_AMOUNT {
                continue;
            }
            amount = std::str::from_utf8(element).ok();
        }
        // The line end after a segment's terminator counts as part of the next segment.
        if segment.id().trim_ascii() == b"RMR" {
            seen.add(rmr_cents(amount));
        }
    }
    Ok((clock.stop(), seen))
}

pub fn ofx_rs(path: &Path) -> Outcome {
    let clock = Clock::start();
    let document = ::ofx_rs::parse(&fs::read_to_string(path)?)?;
    let cost = clock.stop();
    let banking = document.banking().ok_or("no statement of a bank")?;
    let statements = banking
        .statement_responses()
        .iter()
        .filter_map(|wrapper| wrapper.response());
    let lists = statements.filter_map(|statement| statement.transaction_list());
    let lines = lists.flat_map(|list| list.transactions());
    Ok((
        cost,
        Seen::amounts(lines.map(|line| cents(line.amount().as_decimal()))),
    ))
}

pub fn ofxy(path: &Path) -> Outcome {
    let clock = Clock::start();
    let document: Ofx = fs::read_to_string(path)?.parse()?;
    let cost = clock.stop();
    let bank = document.body.bank.ok_or("no statement of a bank")?;
    let list = bank.transaction_response.statement.bank_transactions;
    let lines = list.map(|list| list.transactions).unwrap_or_default();
    Ok((
        cost,
        Seen::amounts(lines.iter().map(|line| cents(line.amount))),
    ))
}
