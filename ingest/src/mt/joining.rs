//! How the lines of a text become one: whether a break was between two words or inside one.

/// Characters of a full line: the writer broke the text here, not between two words.
const FULL_LINE: usize = 65;
/// Characters of `:86:`.
const TAG_CHARACTERS: usize = 4;
/// A line below this length was not broken because it was full.
const SHORT_LINE: usize = 50;

/// Puts lines together: without a blank where a full line was broken.
pub(super) fn join(text: &[u8], joined: &mut Vec<u8>) {
    joined.clear();
    let mut is_full = true;
    for line in lines(text) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_start = joined.is_empty();
        let text = line.trim_ascii_end();
        if is_full && !is_start {
            joined.extend_from_slice(text);
        } else {
            separate(joined);
            joined.extend_from_slice(text.trim_ascii_start());
        }
        let is_filled = is_filled(line, is_start);
        is_full = is_filled && !line.ends_with(b" ");
        // Two blanks divide a name from its address, more only fill the line.
        if line.ends_with(b"  ") && !line.ends_with(b"   ") && !is_filled {
            joined.extend_from_slice(b"  ");
        }
    }
}

/// What stands between line feeds.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr(b'\n', text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// Whether the line has as many characters as it may; some banks count the tag before the first.
fn is_filled(line: &[u8], is_first: bool) -> bool {
    let count = length(line);
    count >= FULL_LINE || is_first && count + TAG_CHARACTERS == FULL_LINE
}

/// The lines of the German form in one. Writers break it anywhere, but a line that ends long
/// before its end was broken between two words.
pub(super) fn unbroken(text: &[u8]) -> Vec<u8> {
    let mut joined: Vec<u8> = Vec::with_capacity(text.len());
    let mut is_short = false;
    for line in lines(text) {
        let ends_in_word = joined.last().is_some_and(u8::is_ascii_alphanumeric);
        let begins_in_word = line.first().is_some_and(u8::is_ascii_alphanumeric);
        if ends_in_word && begins_in_word && is_short {
            joined.push(b' ');
        }
        joined.extend_from_slice(line);
        is_short = length(line) < SHORT_LINE;
    }
    joined
}

/// Characters of a text, whatever their encoding: bytes that go on with one are not counted.
pub(super) fn length(text: &[u8]) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let is_utf8 = std::str::from_utf8(text).is_ok();
    let goes_on = |byte: &&u8| is_utf8 && **byte & 0xc0 == 0x80;
    text.len() - text.iter().filter(goes_on).count()
}

/// A blank, unless one is there or there is nothing to divide.
pub(super) fn separate(value: &mut Vec<u8>) {
    if value.last().is_some_and(|&byte| byte != b' ') {
        value.push(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_line_was_broken_inside_a_word() {
        let full = "x".repeat(FULL_LINE);
        let first = "x".repeat(FULL_LINE - TAG_CHARACTERS);
        let mut joined = Vec::new();
        for (text, expected) in [
            (format!("{full}\ny"), format!("{full}y")),
            (format!("{first}\ny"), format!("{first}y")),
            (format!("a\n{first}\ny"), format!("a {first} y")),
            ("a\n b".to_owned(), "a b".to_owned()),
            ("a  \nb".to_owned(), "a  b".to_owned()),
            ("a     \nb".to_owned(), "a b".to_owned()),
        ] {
            join(text.as_bytes(), &mut joined);
            assert_eq!(joined, expected.as_bytes(), "{text}");
        }
        assert_eq!(unbroken(b"?32A GROUP\nSTREET"), b"?32A GROUP STREET");
        assert_eq!(
            unbroken(format!("{full}\ny").as_bytes()),
            format!("{full}y").as_bytes()
        );
    }
}
