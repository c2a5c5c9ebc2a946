//! One JSON object's keys and values, each value as the text it has in the file.
//!
//! A number is never made a float on the way: `serde_json` finds where each value ends, and the
//! bytes between are taken as they stand.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// A text that is not one JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAnObject {
    /// Byte of the text where it breaks the rules.
    pub at: usize,
}

/// A value as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// A number, digit by digit.
    Number(&'a str),
    Null,
    /// True, false, an object or an array.
    Other(&'a str),
}

/// Gives each key with its value to `member`, in the order of the text.
pub(super) fn read_object<'a>(
    text: &'a str,
    member: &mut dyn FnMut(Cow<'a, str>, Value<'a>, &'a str),
) -> Result<(), NotAnObject> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.expect(b'{')?;
    if !cursor.is_next(b'}') {
        loop {
            let key = cursor.token()?;
            let key = string(key).ok_or(NotAnObject { at: cursor.at })?;
            cursor.expect(b':')?;
            let raw = cursor.token()?;
            let value = value(raw).ok_or(NotAnObject { at: cursor.at })?;
            member(key, value, raw);
            if !cursor.is_next(b',') {
                break;
            }
            cursor.at += 1;
        }
    }
    cursor.expect(b'}')?;
    cursor.skip_blanks();
    if cursor.at == text.len() {
        Ok(())
    } else {
        Err(NotAnObject { at: cursor.at })
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.at += self
            .rest()
            .bytes()
            .take_while(|byte| is_blank(byte))
            .count();
    }

    fn is_next(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        self.rest().as_bytes().first() == Some(&byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotAnObject> {
        if self.is_next(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(NotAnObject { at: self.at })
        }
    }

    /// The text of the next value.
    fn token(&mut self) -> Result<&'a str, NotAnObject> {
        self.skip_blanks();
        let rest = self.rest();
        let mut values = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let token = rest.get(..values.byte_offset()).unwrap_or_default();
                self.at += token.len();
                Ok(token)
            }
            _ => Err(NotAnObject { at: self.at }),
        }
    }
}

fn value(raw: &str) -> Option<Value<'_>> {
    match raw.as_bytes().first()? {
        b'"' => string(raw).map(Value::Text),
        b'n' => Some(Value::Null),
        b'-' | b'0'..=b'9' => Some(Value::Number(raw)),
        _ => Some(Value::Other(raw)),
    }
}

fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members(text: &str) -> Result<Vec<(String, String)>, NotAnObject> {
        let mut members = Vec::new();
        read_object(text, &mut |key, value, _| {
            members.push((key.into_owned(), format!("{value:?}")));
        })?;
        Ok(members)
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = r#" {"a" : 0.10000000000000000001,"b\u0041":"x\"y", "c":[1,{}],"d":null} "#;
        let expected = [
            ("a", "Number(\"0.10000000000000000001\")"),
            ("bA", "Text(\"x\\\"y\")"),
            ("c", "Other(\"[1,{}]\")"),
            ("d", "Null"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(members(text), Ok(expected.to_vec()));
        assert_eq!(members("{}"), Ok(vec![]));
    }

    #[test]
    fn the_place_of_a_breach_is_told() {
        for (text, at) in [
            ("", 0),
            ("[1]", 0),
            ("{\"a\" 1}", 5),
            ("{\"a\":1,}", 7),
            ("{\"a\":1", 6),
            ("{\"a\":1} x", 8),
            ("{\"a\":01}", 5),
            ("{a:1}", 1),
        ] {
            assert_eq!(members(text), Err(NotAnObject { at }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_json_reads_it(text in r#"[{}\[\]":,0-9a\\ e.-]{0,24}"#) {
            let is_object = serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(&text);
            prop_assert_eq!(members(&text).is_ok(), is_object.is_ok());
        }
    }
}
