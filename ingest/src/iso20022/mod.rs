//! ISO 20022: the XML messages of banks.
//!
//! `message` lists the messages and recognises them, in any wrapper and any version. `reader`
//! walks through a file of any size and takes one entry or payment at a time as a tree.
//! camt.052, .053 and .054 become bank lines (`statement`, `entry`, `detail`, with `balance` and
//! `summary` for what a statement says of itself); pain and pacs become instructed payments
//! (`instruction`) and words about them (`status`); remt.001 becomes document lines (`advice`).
//! `party`, `remittance`, `reference` and `value` read what all of them share, and `oddity`
//! counts what is unusual, so that each kind is told once.

mod advice;
mod balance;
mod detail;
mod entry;
mod instruction;
mod message;
mod oddity;
mod page;
mod party;
mod reader;
mod reference;
mod remittance;
mod statement;
mod status;
mod summary;
mod value;

use tieout_core::{FindingCode, Severity};

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::{Intake, Notice};
use crate::transport::SourceFile;
use crate::xml::XmlReader;
use message::{Message, Recognized};
use reader::Reader;

/// Files of one message.
pub struct Iso20022(&'static Message);

macro_rules! formats {
    ($($name:ident),+) => { $(
        #[doc = "Files that begin with this message."]
        pub static $name: Iso20022 = Iso20022(&message::$name);
    )+ };
}

formats!(
    CAMT_052, CAMT_053, CAMT_054, PAIN_001, PAIN_008, PACS_008, PACS_009, PACS_003, PAIN_002,
    PACS_002, PACS_004, CAMT_029, CAMT_055, CAMT_056, REMT_001
);

impl Format for Iso20022 {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn about(&self) -> String {
        format!("ISO 20022 {} ({})", self.0.about, self.0.element)
    }

    fn role(&self) -> Role {
        self.0.role
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        message::recognize(head) == Some(Recognized::Message(self.0))
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let source = file.open().map_err(|error| file.refused(error))?;
        let mut xml = XmlReader::new(source, settings.chunk_bytes);
        let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows);
        reader.read(&mut xml, file)?;
        reader.finish(&mut xml)
    }
}

/// Messages of the standard that hold nothing to tie out.
pub struct Iso20022Other;

impl Format for Iso20022Other {
    fn name(&self) -> &'static str {
        "iso20022"
    }

    fn about(&self) -> String {
        "any other ISO 20022 message (requests, acknowledgements, headers)".to_owned()
    }

    fn role(&self) -> Role {
        Role::Nothing
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        message::recognize(head) == Some(Recognized::Other)
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let source = file.open().map_err(|error| file.refused(error))?;
        let mut xml = XmlReader::new(source, settings.chunk_bytes);
        xml.skip_rest().map_err(|error| file.refused(error))?;
        let mut intake = Intake::new(file, receiver);
        intake.counts.bytes = xml.bytes();
        intake.counts.lines = xml.lines();
        intake.report(Notice {
            severity: Severity::Info,
            code: FindingCode::NotMoneyFile,
            line: None,
            found: "an ISO 20022 message that moves no money".to_owned(),
            expected: String::new(),
            action: "Nothing to do; it was not read.".into(),
        })?;
        Ok(intake.counts)
    }
}
