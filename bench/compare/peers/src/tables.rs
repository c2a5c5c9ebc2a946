//! CSV of processors and banks: every field is split, only the net amount is read as a number.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use super::{Clock, Outcome, Seen, cents};

pub fn stripe(path: &Path) -> Outcome {
    amounts(path, b',', 6)
}

pub fn bank_csv(path: &Path) -> Outcome {
    amounts(path, b';', 4)
}

fn amounts(path: &Path, delimiter: u8, column: usize) -> Outcome {
    let clock = Clock::start();
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_path(path)?;
    let (mut record, mut seen) = (ByteRecord::new(), Seen::default());
    while reader.read_byte_record(&mut record)? {
        let field = record.get(column).ok_or("a record without an amount")?;
        let amount = std::str::from_utf8(field)?.replace(',', ".");
        seen.add(cents(amount.parse()?));
    }
    Ok((clock.stop(), seen))
}
