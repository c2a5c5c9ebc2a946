//! ANSI X12: remittance advice (820, 835), lockbox (823), invoices (810) and what receivers say
//! about what they were sent (997, 999, 824, TA1).
//!
//! Interchange (`ISA`..`IEA`), functional group (`GS`..`GE`), transaction set (`ST`..`SE`): each
//! interchange names its separators, and each trailer counts what is above it. `separators` and
//! `stream` cut bytes into segments, `envelope` checks trailers, `set` knows which reader a set
//! has; `remittance`, `claims`, `lockbox`, `invoice`, `acknowledgment` and `application` are these
//! readers, with `payment`, `advice` and `terms` for what several of them have. Sets of other kinds are counted
//! and passed over. `embedded` reads an 820 that another format carries in its text.

mod acknowledgment;
mod advice;
mod application;
mod claims;
mod deposit_control;
mod embedded;
mod envelope;
mod fields;
mod invoice;
mod lockbox;
mod payment;
mod reader;
mod recognition;
mod remittance;
mod segment;
mod separators;
mod set;
mod stream;
mod tables;
mod terms;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::transport::SourceFile;
pub(crate) use embedded::EmbeddedAdvice;
use reader::Reader;
use recognition::{holds_lockbox, is_x12};
use stream::Segments;

/// X12 files without lockbox cheques.
pub struct X12;

/// X12 files with lockbox cheques (823), whatever else they hold.
pub struct X12Lockbox;

impl Format for X12 {
    fn name(&self) -> &'static str {
        "x12"
    }

    fn about(&self) -> String {
        "X12 820 and 835 remittance, 810 invoices, 997, 999, 824 and TA1 acknowledgments, \
         releases 3010 to 8010, with any separators, wrapped or not, with or without envelope"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::Remittances
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        is_x12(head) && !holds_lockbox(head)
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

impl Format for X12Lockbox {
    fn name(&self) -> &'static str {
        "x12_823"
    }

    fn about(&self) -> String {
        "X12 823 lockbox cheques with their documents, alone or beside other X12 sets".to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn also(&self) -> Option<Role> {
        Some(Role::Remittances)
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        is_x12(head) && holds_lockbox(head)
    }

    fn recognizes_file(&self, file: &SourceFile, head: &[u8]) -> bool {
        is_x12(head) && (holds_lockbox(head) || recognition::file_holds_lockbox(file, head))
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

fn read(
    file: &SourceFile,
    settings: &Settings,
    receiver: &mut dyn Receiver,
) -> Result<Counts, ReadError> {
    let source = file.open().map_err(|error| file.refused(error))?;
    let mut segments = Segments::new(source, settings.chunk_bytes);
    let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows);
    while let Some(segment) = segments
        .next_segment()
        .map_err(|error| file.refused(error))?
    {
        reader.segment(&segment)?;
    }
    reader.finish(segments.bytes(), segments.lines())
}
