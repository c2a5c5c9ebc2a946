//! Which files hold SWIFT messages, and of which kind the first one is.

use super::envelope::{is_block, is_separator};
use super::field::Tag;

/// Lines of a bank's own that may stand before a message.
pub(super) const HEADER_LINES_MAX: usize = 5;
/// Bytes of such a line.
pub(super) const HEADER_LINE_BYTES_MAX: usize = 80;
/// Lines that are looked at.
const LINES_MAX: usize = 400;

/// What the first message of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Statements and confirmations.
    Account,
    /// Transfers.
    Transfers,
}

/// What a file that begins with `head` holds, if it is of SWIFT messages.
pub(super) fn content(head: &[u8]) -> Option<Content> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut lines = head
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|line| {
            let signs = line.iter().take_while(|&&byte| is_separator(byte)).count();
            &line[signs..]
        })
        .filter(|line| !line.is_empty())
        .take(LINES_MAX)
        .peekable();
    if lines.peek().is_some_and(|line| is_block(line)) {
        return enveloped(head, lines);
    }
    for _ in 0..HEADER_LINES_MAX {
        if Tag::at_start(lines.peek()?).is_some() {
            break;
        }
        if lines.next()?.len() > HEADER_LINE_BYTES_MAX {
            return None;
        }
    }
    by_tags(lines)
}

/// Block 2 says it; samples that were made unreadable on purpose say it by their fields.
fn enveloped<'a>(head: &[u8], lines: impl Iterator<Item = &'a [u8]>) -> Option<Content> {
    let at = memchr::memmem::find(head, b"{2:")?;
    let number = head.get(at + 4..at + 7)?;
    match number {
        b"940" | b"942" | b"950" | b"900" | b"910" => Some(Content::Account),
        b"101" | b"102" | b"103" => Some(Content::Transfers),
        number if number.iter().all(u8::is_ascii_digit) => None,
        _ => by_tags(lines.skip_while(|line| Tag::at_start(line).is_none())),
    }
}

/// The first field is one that messages begin with, or one that only statements have.
fn by_tags<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Content> {
    let mut tags = lines
        .filter_map(Tag::at_start)
        .map(|(tag, _)| tag)
        .peekable();
    let first = *tags.peek()?;
    match (&first.number(), first.option()) {
        (b"20" | b"25" | b"28" | b"60" | b"61" | b"62" | b"64" | b"65" | b"86" | b"NS", _)
        | (b"34", b'F')
        | (b"94" | b"95" | b"90" | b"91", b'0' | b'2') => {}
        _ => return None,
    }
    let is_transfer = tags.any(|tag| tag.number() == *b"59");
    Some(if is_transfer {
        Content::Transfers
    } else {
        Content::Account
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_known_with_and_without_envelope() {
        for head in [
            "{1:F01BANKDEFF}{2:I940BANKDEFFN}{4:\n:20:X",
            "\u{feff}@\"{1:F01X}{2:O94000000}{3:}{4:\n:20:0",
            "{1:Fxxxx}{2:Ixxxxxx{3:{108:xxxxx}}{4:\n:20:X\n:25:1",
            ":20:X\r\n:25:1",
            "\r\n\r\n:20:X",
            "BANKNL2A\n940\nBANKNL2A\n:20:X",
            ":940:\n:20:940A",
            ":61:2401010101C5,NTRFX",
            ":NS:",
        ] {
            assert_eq!(content(head.as_bytes()), Some(Content::Account), "{head}");
        }
        for head in [
            "{1:F21A}{4:{177:1}{451:0}}{1:F01A}{2:O1031}{4:\n:20:X",
            ":20:X\n:32A:240101EUR5,\n:50K:A\n:59:B",
        ] {
            assert_eq!(content(head.as_bytes()), Some(Content::Transfers), "{head}");
        }
    }

    #[test]
    fn other_files_are_not() {
        for head in [
            "",
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n10",
            "01,0004,12345,060321,0829,001,80,1,2/",
            "{1:F01X}{2:I535X}{4:\n:16R:GENL",
            "{1500}0230SAMPLE T ",
            "Date;Amount\n:20:X is not at the beginning of a field of a message of money, no no no!",
            "{\"id\": 1}",
            "OFXHEADER:100\nDATA:OFXSGML",
        ] {
            assert_ne!(content(head.as_bytes()), Some(Content::Transfers), "{head}");
        }
        assert_eq!(content(b"{1:F01X}{2:I535X}{4:\n:16R:GENL"), None);
        assert_eq!(content(b"01,0004,1,2/\n02,1/"), None);
        assert_eq!(content(b"{1500}0230SAMPLE T "), None);
    }
}
