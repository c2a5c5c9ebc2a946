//! Fedwire Funds Service messages in the Fed's own format (FAIM 3.0), as banks exchanged them
//! until July 2025 and still store and forward them.
//!
//! A message is a row of tags with values, `{1500}` to `{9000}`, with or without line ends; a
//! file is a row of messages, and one ends where a tag comes that each has once. Elements of a
//! value end with `*`, or have fixed widths in files of older writers. Amounts are cents of US
//! dollars. There are no control totals.
//!
//! `framing` cuts the bytes at the tags, `tags` (with `tags.toml`) cuts values into elements,
//! `message` collects them, `entry` makes the rows, `remittance` the documents.

mod entry;
mod framing;
mod message;
mod reader;
mod remittance;
mod tags;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::stream::ByteStream;
use crate::transport::SourceFile;
use framing::{Pieces, tag_at};
use reader::Reader;

/// Fedwire messages in FAIM.
pub struct Fedwire;

impl Format for Fedwire {
    fn name(&self) -> &'static str {
        "fedwire"
    }

    fn about(&self) -> String {
        "Fedwire funds transfers in FAIM 3.0 tags, by stars or fixed widths, with structured \
         remittance"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        tag_at(head.trim_ascii_start()).is_some_and(|tag| (1000..=9999).contains(&tag))
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let mut pieces = Pieces::new(ByteStream::open(file, settings)?);
        let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows);
        while let Some(piece) = pieces.read().map_err(|error| file.refused(error))? {
            reader.piece(&piece)?;
        }
        reader.finish(pieces.size())
    }
}
