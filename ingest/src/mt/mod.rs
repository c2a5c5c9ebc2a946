//! SWIFT messages (MT): statements 940 and 950, the report during the day 942, confirmations 900
//! and 910, and customer transfers 101, 102 and 103.
//!
//! A message is a list of fields (`:61:`, `:86:`), most of one line, in an envelope of blocks
//! (`{1:...}{2:...}{4:` fields `-}`) or, as banks give it to their customers, without one. Field
//! 61 is a line of the statement, the 86 behind it its text; 60 and 62 are the balances before
//! and after, 90 the totals of a 942.
//!
//! `reader` puts lines together to fields (`field`, `envelope`), `messages` tells what message
//! they are of, `statement` reads those of a statement: `entry` takes field 61 apart, `narrative` field 86 by words that are
//! data, `row` makes the row, `header`, `totals` and
//! `sequence` compare. `confirmation` and `transfer` read
//! messages as a whole (`message`). `values` holds amounts, dates and balances, `charset` the
//! character sets.

mod charset;
mod confirmation;
mod entry;
mod envelope;
mod field;
mod header;
mod joining;
mod message;
mod messages;
mod narrative;
mod output;
mod reader;
mod recognition;
mod row;
mod sequence;
mod statement;
mod totals;
mod transfer;
mod values;
mod words;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::lines::LineReader;
use crate::transport::SourceFile;
use reader::Reader;
use recognition::Content;

/// Files whose first message is a statement or a confirmation.
pub struct Mt;

/// Files whose first message is a transfer.
pub struct MtTransfers;

impl Format for Mt {
    fn name(&self) -> &'static str {
        "mt"
    }

    fn about(&self) -> String {
        "SWIFT statements and advices (MT940, MT942, MT950, MT900, MT910), with or without \
         envelope; field 86 in the German form, with code words, or as plain text"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        recognition::content(head) == Some(Content::Account)
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        read(file, settings, receiver)
    }
}

impl Format for MtTransfers {
    fn name(&self) -> &'static str {
        "mt_transfers"
    }

    fn about(&self) -> String {
        "SWIFT customer transfers (MT101, MT102, MT103), as instructed payments".to_owned()
    }

    fn role(&self) -> Role {
        Role::Remittances
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        recognition::content(head) == Some(Content::Transfers)
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        read(file, settings, receiver)
    }
}

/// Reads messages of any kind; a file may hold several.
fn read(
    file: &SourceFile,
    settings: &Settings,
    receiver: &mut dyn Receiver,
) -> Result<Counts, ReadError> {
    let mut lines = LineReader::open(file, settings)?;
    let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows);
    while let Some(line) = lines.read_line().map_err(|error| file.refused(error))? {
        reader.line(&line)?;
    }
    reader.finish(lines.bytes(), lines.lines())
}
