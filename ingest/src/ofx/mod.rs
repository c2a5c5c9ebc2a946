//! OFX: account statements that banks let people download, also as QFX (Quicken) and QBO
//! (QuickBooks). Open Financial Exchange 1.0 to 1.6 (SGML) and 2.0 to 2.3 (XML).
//!
//! A header (`OFXHEADER:100` or `<?OFX ...?>`), then `<OFX>` with message sets: `STMTRS` is the
//! statement of a bank account, `CCSTMTRS` of a card, `INVSTMTRS` of an investment account, whose
//! cash movements (`INVBANKTRAN`) are lines like the others. A line is a `STMTTRN`; balances are
//! `LEDGERBAL` and `AVAILBAL`. There are no control totals.
//!
//! `token` finds tags and text, `element` lists the elements, `reader` follows them, `entry` and
//! `balance` make the rows, `charset`, `date` and `money` read values, `oddity` says what may be
//! odd.

mod balance;
mod charset;
mod date;
mod element;
mod entry;
mod money;
mod oddity;
mod reader;
mod token;

use memchr::memmem;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::stream::ByteStream;
use crate::transport::SourceFile;
use reader::Reader;
use token::Tokens;

/// OFX files.
pub struct Ofx;

impl Format for Ofx {
    fn name(&self) -> &'static str {
        "ofx"
    }

    fn about(&self) -> String {
        "OFX 1.x (SGML) and 2.x (XML), QFX and QBO: bank, card and investment cash statements, \
         with or without header, end tags and line breaks"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let head = head.trim_ascii_start().to_ascii_uppercase();
        head.starts_with(b"OFXHEADER")
            || head.starts_with(b"<")
                && [&b"<OFX>"[..], b"<?OFX "]
                    .iter()
                    .any(|mark| memmem::find(&head, mark).is_some())
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let mut tokens = Tokens::new(ByteStream::open(file, settings)?);
        let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows);
        while let Some((token, place, bytes)) =
            tokens.read().map_err(|error| file.refused(error))?
        {
            reader.token(token, place, bytes)?;
        }
        reader.finish(tokens.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_files_from_others() {
        let yes = |text: &[u8]| Ofx.recognizes(text);
        assert!(yes(b"\xef\xbb\xbf\r\n\r\nOFXHEADER:100\r\nDATA:OFXSGML"));
        assert!(yes(b"<?xml version=\"1.0\"?><?OFX OFXHEADER=\"200\"?>"));
        assert!(yes(b"<!-- from the manual --><ofx>"));
        assert!(!yes(b"<?xml version=\"1.0\"?><Document xmlns=\"urn:iso\">"));
        assert!(!yes(b"Date,Text\n2026-03-02,<OFX>\n"));
        assert!(!yes(b""));
    }
}
