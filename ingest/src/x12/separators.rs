//! The characters that divide an interchange, which each interchange says for itself.

use memchr::memchr;

/// Bytes within which an ISA segment ends; 106 if no one changed its widths.
pub(super) const ISA_BYTES_MAX: usize = 512;
/// Bytes of a fragment that its separators are told by.
pub(super) const FRAGMENT_BYTES_MAX: usize = 4_096;

const ISA_ELEMENTS: usize = 16;

/// The characters that divide an interchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Separators {
    /// Between elements.
    pub element: u8,
    /// Between the components of an element.
    pub component: u8,
    /// After a segment; a line feed stands for any line end.
    pub terminator: u8,
}

impl Default for Separators {
    fn default() -> Self {
        Self {
            element: b'*',
            component: b':',
            terminator: b'~',
        }
    }
}

impl Separators {
    /// What the interchange that begins with `head` says. Widths of the ISA's elements do not
    /// matter, because senders change them.
    pub fn of_interchange(head: &[u8]) -> Option<Self> {
        let head = &head[..head.len().min(ISA_BYTES_MAX)];
        let (tag, rest) = head.split_at_checked(3)?;
        let element = *rest.first()?;
        if !tag.eq_ignore_ascii_case(b"ISA") || !divides(element) {
            return None;
        }
        let mut after = rest;
        for _ in 0..ISA_ELEMENTS {
            after = &after[memchr(element, after)? + 1..];
        }
        let (component, after) = match after {
            [] => return None,
            [end @ (b'\r' | b'\n'), ..] => (b':', std::slice::from_ref(end)),
            [component, rest @ ..] => (*component, without_blanks(rest)),
        };
        let terminator = match after.first() {
            None => b'~',
            Some(b'\r' | b'\n') => b'\n',
            Some(&byte) if divides(byte) && byte != element => byte,
            Some(_) => return None,
        };
        Some(Self {
            element,
            component,
            terminator,
        })
    }

    /// What can be told of segments without an ISA: the first character after a segment's name,
    /// and the first one after which another name follows.
    pub fn of_fragment(head: &[u8]) -> Option<Self> {
        let head = &head[..head.len().min(FRAGMENT_BYTES_MAX)];
        let element = *head.get(name_length(head)?)?;
        if !divides(element) {
            return None;
        }
        let ends = |at: &usize| {
            let rest = head.get(at + 1..).unwrap_or_default().trim_ascii_start();
            may_terminate(head[*at], element) && is_named(rest, element)
        };
        let terminator = (0..head.len())
            .find(ends)
            .map(|at| head[at])
            // Of one segment alone: what usually ends one.
            .or_else(|| {
                let ends = |byte: &u8| matches!(byte, b'\\' | b'~') && *byte != element;
                head.iter().copied().find(|byte| ends(byte))
            })
            .or_else(|| {
                let last = head.trim_ascii_end().last().copied();
                last.filter(|&byte| may_terminate(byte, element))
            })
            .unwrap_or(b'~');
        Some(Self {
            element,
            component: b':',
            terminator: if terminator == b'\r' {
                b'\n'
            } else {
                terminator
            },
        })
    }
}

/// Whether a separator may be this character.
fn divides(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !matches!(byte, b' ' | b'\r' | b'\n')
}

fn may_terminate(byte: u8, element: u8) -> bool {
    !byte.is_ascii_alphanumeric() && byte != element && !is_text_mark(byte)
}

/// Whether it is a character of text, which ends no segment.
fn is_text_mark(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'-'
            | b'.'
            | b','
            | b'&'
            | b'/'
            | b'\''
            | b'('
            | b')'
            | b'#'
            | b':'
            | b'@'
            | b'_'
            | b'+'
            | b'*'
    )
}

/// The length of the segment name at the beginning: a letter and one or two more characters.
fn name_length(bytes: &[u8]) -> Option<usize> {
    let name = bytes.iter().take(4);
    let length = name.take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_name = bytes.first().is_some_and(u8::is_ascii_alphabetic);
    (is_name && (2..=3).contains(&length)).then_some(length)
}

fn is_named(bytes: &[u8], element: u8) -> bool {
    name_length(bytes).is_some_and(|length| bytes.get(length) == Some(&element))
}

fn without_blanks(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take_while(|&&byte| byte == b' ').count();
    &bytes[blanks..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(isa: &str) -> Option<(char, char, char)> {
        Separators::of_interchange(isa.as_bytes())
            .map(|s| (s.element.into(), s.component.into(), s.terminator.into()))
    }

    #[test]
    fn an_interchange_says_its_separators_whatever_its_widths() {
        let isa = "ISA*00* *00* *ZZ*A*ZZ*B*260301*0700*U*00401*000000001*0*P*";
        assert_eq!(said(&format!("{isa}>~GS")), Some(('*', '>', '~')));
        assert_eq!(said(&format!("{isa}>\r\nGS")), Some(('*', '>', '\n')));
        assert_eq!(said(&format!("{isa}@\nGS")), Some(('*', '@', '\n')));
        assert_eq!(said(&format!("{isa}>  \r\nGS")), Some(('*', '>', '\n')));
        assert_eq!(said(&format!("{isa}\r\nGS")), Some(('*', ':', '\n')));
        let bars = isa.replace('*', "|");
        assert_eq!(said(&format!("{bars}^!GS")), Some(('|', '^', '!')));
        assert_eq!(said(isa), None);
        assert_eq!(said(&format!("{isa}>GS*")), None);
        assert_eq!(said("ISA*00"), None);
    }

    #[test]
    fn a_fragment_tells_its_separators() {
        let told = |text: &str| {
            let told = Separators::of_fragment(text.as_bytes());
            told.map(|s| (char::from(s.element), char::from(s.terminator)))
        };
        assert_eq!(told("ST*820*0001~BPR*C*1~"), Some(('*', '~')));
        assert_eq!(told("ST|820|0001\r\n  BPR|C|1\r\n"), Some(('|', '\n')));
        assert_eq!(told("RMR*IV*A-1**5\\"), Some(('*', '\\')));
        assert_eq!(told("RMR*IV*A-N1*5\\RMR*IV*B**1\\"), Some(('*', '\\')));
        assert_eq!(told("RMR*IV*A**5\\ with thanks!"), Some(('*', '\\')));
        assert_eq!(told("Dear customer"), None);
    }
}
