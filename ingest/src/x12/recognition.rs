//! Whether a file is X12, and whether it holds lockbox cheques.

use std::io::Read;

use memchr::memmem;

use super::separators::Separators;
use crate::registry::HEAD_BYTES;
use crate::transport::SourceFile;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Bytes that one read of the search takes.
const SEARCH_BYTES: usize = 1 << 18;
/// Bytes around `823` that say whether it is the number of a transaction set.
const AROUND: usize = 4;

/// Bytes within which an interchange begins that something else stands before: the header of a
/// network or a mail.
const WRAPPER_BYTES_MAX: usize = 4_096;

/// Whether a file that begins with `head` is X12: an interchange, or a group or transaction set
/// that lost its envelope.
pub(super) fn is_x12(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let head = head.trim_ascii_start();
    is_interchange(head) || is_fragment(head) || is_wrapped(head)
}

fn is_interchange(bytes: &[u8]) -> bool {
    Separators::of_interchange(bytes).is_some_and(|said| !is_of_tables(said.element))
}

/// Whether a line near the beginning begins an interchange.
fn is_wrapped(head: &[u8]) -> bool {
    let near = &head[..head.len().min(WRAPPER_BYTES_MAX)];
    memmem::find_iter(near, b"\nISA").any(|at| is_interchange(&head[at + 1..]))
}

/// `GS` with two capitals, or `ST` with three digits, between the same sign of punctuation.
fn is_fragment(head: &[u8]) -> bool {
    let [tag @ .., separator] = head.get(..3).unwrap_or_default() else {
        return false;
    };
    if !separator.is_ascii_punctuation() || is_of_tables(*separator) {
        return false;
    }
    let mut elements = head[3..].split(|byte| byte == separator);
    let code = elements.next().unwrap_or_default();
    let next = elements.next().unwrap_or_default();
    let is_named = next.first().is_some_and(u8::is_ascii_alphanumeric);
    match tag {
        b"GS" | b"gs" => code.len() == 2 && code.iter().all(u8::is_ascii_uppercase) && is_named,
        b"ST" | b"st" => code.len() == 3 && code.iter().all(u8::is_ascii_digit) && is_named,
        _ => false,
    }
}

/// Whether a character divides the columns of tables, which other formats read.
fn is_of_tables(separator: u8) -> bool {
    matches!(separator, b',' | b';' | b'\t' | b'"' | b'\'')
}

/// Whether transaction set 823 begins in `bytes`.
pub(super) fn holds_lockbox(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, b"823").any(|at| is_set_number(bytes, at))
}

fn is_set_number(bytes: &[u8], at: usize) -> bool {
    let before = bytes[..at].last_chunk::<3>();
    let after = bytes.get(at + 3);
    before.zip(after).is_some_and(|([s, t, separator], after)| {
        s.eq_ignore_ascii_case(&b'S')
            && t.eq_ignore_ascii_case(&b'T')
            && separator == after
            && !separator.is_ascii_alphanumeric()
    })
}

/// The same for the rest of a file that goes on after `head`. Interchanges of any kind may follow
/// one another, so that only the end tells.
pub(super) fn file_holds_lockbox(file: &SourceFile, head: &[u8]) -> bool {
    if head.len() < HEAD_BYTES {
        return false;
    }
    let Ok(mut source) = file.open() else {
        return false;
    };
    let mut buffer = vec![0; SEARCH_BYTES];
    let mut kept = 0;
    while let Ok(count) = source.read(&mut buffer[kept..]) {
        let filled = kept + count;
        if count == 0 || holds_lockbox(&buffer[..filled]) {
            return count > 0;
        }
        let from = filled.saturating_sub(3 + AROUND);
        buffer.copy_within(from..filled, 0);
        kept = filled - from;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interchanges_and_fragments_are_known() {
        let isa = b"ISA*00* *00* *ZZ*A*ZZ*B*260301*0700*U*00401*000000001*0*P*>~GS*RA";
        assert!(is_x12(isa));
        assert!(is_x12(b"\r\n\xef\xbb\xbf\r\n ST*820*0001~BPR*C*1"));
        assert!(is_x12(&[b"FROM: BANK\r\n", &isa[..]].concat()));
        assert!(!is_x12(&[b"FROM: BANK", &isa[..]].concat()));
        assert!(is_x12(b"GS|RA|SENDER|RECEIVER|20260301"));
        let table: Vec<u8> = isa
            .iter()
            .map(|&b| if b == b'*' { b',' } else { b })
            .collect();
        assert!(!is_x12(&table));
        assert!(!is_x12(b"ST,820,0001"));
        assert!(!is_x12(b"STATEMENT*OF*ACCOUNT"));
        assert!(!is_x12(b"UNA:+.? '\nUNB+UNOA:1+A+B"));
        assert!(!is_x12(b""));
    }

    #[test]
    fn lockboxes_are_known_by_their_set() {
        assert!(holds_lockbox(b"GE*1*1~ST*823*0001~"));
        assert!(holds_lockbox(b"st|823|0001"));
        assert!(!holds_lockbox(b"ST*820*823*REF*823*1"));
        assert!(!holds_lockbox(b"823"));
    }
}
