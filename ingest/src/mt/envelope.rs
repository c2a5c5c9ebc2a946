//! The blocks of the network around a message: `{1:...}{2:...}{3:...}{4:` text `-}{5:...}`.

use super::message::Envelope;

/// Blocks nest this deep at most.
const DEPTH_MAX: usize = 8;

/// A piece of a line of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A whole block: its digit and its content.
    Block(u8, &'a [u8]),
    /// The block of the text begins; its first line may follow at once.
    Text(&'a [u8]),
    /// Signs between messages.
    Separator,
    /// Something else.
    Unknown(&'a [u8]),
}

/// Takes the next piece from a line.
pub(super) fn next_piece(line: &[u8]) -> Option<(Piece<'_>, &[u8])> {
    let (&first, rest) = line.split_first()?;
    if is_separator(first) {
        return Some((Piece::Separator, rest));
    }
    if !is_block(line) {
        return Some((Piece::Unknown(line), &[]));
    }
    let id = line.get(1).copied().unwrap_or_default();
    let content = line.get(3..).unwrap_or_default();
    match block_end(content) {
        Some(end) => {
            let rest = content.get(end + 1..).unwrap_or_default();
            Some((Piece::Block(id, &content[..end]), rest))
        }
        None if id == b'4' => Some((Piece::Text(content), &[])),
        None => Some((Piece::Unknown(line), &[])),
    }
}

/// Whether a line begins with a block.
pub(super) fn is_block(line: &[u8]) -> bool {
    matches!(line, [b'{', b'1'..=b'5' | b'S', b':', ..])
}

/// Signs that stand before, between and behind messages in files of several.
pub(super) fn is_separator(byte: u8) -> bool {
    matches!(byte, b'$' | b'@' | b'"' | b' ' | b'\t' | 0x00..=0x03 | 0x1a)
}

/// The place of the brace that ends a block.
fn block_end(content: &[u8]) -> Option<usize> {
    let mut depth = 0;
    for at in memchr::memchr2_iter(b'{', b'}', content) {
        match content[at] {
            b'{' if depth < DEPTH_MAX => depth += 1,
            b'{' => return None,
            _ if depth == 0 => return Some(at),
            _ => depth -= 1,
        }
    }
    None
}

impl Envelope {
    /// Remembers what block 2 or 3 says.
    pub fn read(&mut self, id: u8, content: &[u8]) {
        match id {
            b'2' => {
                let digits = content.get(1..4).unwrap_or_default();
                let number = std::str::from_utf8(digits).ok();
                self.message_type = number.and_then(|number| number.parse().ok());
            }
            b'3' => {
                self.user_reference = inner(content, b"{108:");
                self.transaction_reference = inner(content, b"{121:");
            }
            _ => {}
        }
    }
}

/// The content of a block inside a block, or nothing.
fn inner(content: &[u8], start: &[u8]) -> String {
    let Some(at) = memchr::memmem::find(content, start) else {
        return String::new();
    };
    let rest = content.get(at + start.len()..).unwrap_or_default();
    let end = memchr::memchr(b'}', rest).unwrap_or(rest.len());
    String::from_utf8_lossy(&rest[..end]).into_owned()
}

/// Whether block 4 is the network's answer to a message sent, not a message; and whether that
/// answer is no.
pub(super) fn answer(content: &[u8]) -> Option<bool> {
    let is_answer = content.starts_with(b"{177:") || content.starts_with(b"{451:");
    is_answer.then(|| memchr::memmem::find(content, b"{451:1}").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(mut line: &[u8]) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        while let Some((piece, rest)) = next_piece(line) {
            pieces.push(piece);
            line = rest;
        }
        pieces
    }

    #[test]
    fn blocks_follow_each_other_on_a_line() {
        assert_eq!(
            pieces(b"${1:F21X}{4:{177:1}{451:0}}{2:I103Y}{4::20:X"),
            [
                Piece::Separator,
                Piece::Block(b'1', b"F21X"),
                Piece::Block(b'4', b"{177:1}{451:0}"),
                Piece::Block(b'2', b"I103Y"),
                Piece::Text(b":20:X"),
            ]
        );
        assert_eq!(
            pieces(b"{5:}x"),
            [Piece::Block(b'5', b""), Piece::Unknown(b"x")]
        );
        assert_eq!(pieces(b"{5:{CHK"), [Piece::Unknown(b"{5:{CHK")]);
        assert_eq!(pieces(&[b'{'; 30]), [Piece::Unknown(&[b'{'; 30])]);
    }

    #[test]
    fn blocks_say_what_the_message_is() {
        let mut envelope = Envelope::default();
        envelope.read(b'2', b"O9401234");
        envelope.read(b'3', b"{113:X}{108:REF}{121:UETR-1}");
        assert_eq!(envelope.message_type, Some(940));
        assert_eq!(envelope.user_reference, "REF");
        assert_eq!(envelope.transaction_reference, "UETR-1");
        assert_eq!(answer(b"{177:1704260717}{451:1}"), Some(true));
        assert_eq!(answer(b"x"), None);
    }
}
