//! X9.37 image cash letters (ANSI X9.37-2003, X9.100-187): cheques as US banks exchange them,
//! by their data and their images.
//!
//! `01` file, `10` cash letter, `20` bundle, then items: `25` cheque with addenda `26` to `28`,
//! `31` returned cheque with addenda `32` to `35`, each followed by its images (`50`, `52`,
//! `54`); then the control records `70`, `90`, `99`. Amounts are cents of US dollars.
//!
//! `record` cuts the bytes, whichever framing and character set they have, and steps over
//! images; `item` makes the row; `control` compares; `reader` holds it together.

mod control;
mod item;
mod reader;
mod record;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::stream::ByteStream;
use crate::transport::SourceFile;
use reader::Reader;
use record::{Form, Next, Records};

/// Image cash letters.
pub struct CashLetter;

impl Format for CashLetter {
    fn name(&self) -> &'static str {
        "x937"
    }

    fn about(&self) -> String {
        "X9.37 and X9.100-187 image cash letters, with lengths (ASCII or EBCDIC) or on lines: \
         cheques and returns; images are passed over"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let blanks = head
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n' | b' '));
        let blanks = blanks.count();
        Form::of(&head[blanks..]).is_some()
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let refused = |error| file.refused(error);
        let mut records = Records::new(ByteStream::open(file, settings)?).map_err(refused)?;
        let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows);
        loop {
            match records.read().map_err(refused)? {
                Next::Record(record) => reader.record(&record)?,
                Next::Broken(record) => {
                    reader.broken(&record)?;
                    break;
                }
                Next::End => break,
            }
        }
        reader.finish(records.size())
    }
}
