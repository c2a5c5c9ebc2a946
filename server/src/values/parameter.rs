//! Values of parameters.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use std::sync::Arc;

use super::numeric;
use super::types::{self, oid};
use crate::wire::{Body, Refusal, malformed, state};

const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;
/// Digits that a decimal has at most.
const DIGITS_MAX: usize = 38;

/// Reads the value of parameter `place` (from 1) with the type `type_oid`.
///
/// # Errors
/// A [`Refusal`] that names the parameter, if the bytes are none of the type.
pub fn parameter(
    place: usize,
    type_oid: u32,
    binary: bool,
    bytes: Option<&[u8]>,
) -> Result<ScalarValue, Refusal> {
    let read = match bytes {
        None => null(type_oid),
        Some(bytes) if binary => read_binary(type_oid, bytes),
        Some(bytes) => match str::from_utf8(bytes) {
            Ok(text) => read_text(type_oid, text),
            Err(_) => Err(Refusal::new(
                state::CHARACTER_NOT_IN_REPERTOIRE,
                "it is not UTF-8",
            )),
        },
    };
    read.map_err(|refusal| Refusal {
        message: format!("parameter ${place}: {}", refusal.message),
        ..refusal
    })
}

fn null(type_oid: u32) -> Result<ScalarValue, Refusal> {
    let data_type = match types::of_array(type_oid) {
        Some(of) => list_type(of.oid),
        None => types::data_type_of(type_oid).unwrap_or(DataType::Decimal128(38, 10)),
    };
    ScalarValue::try_from(&data_type)
        .map_err(|error| Refusal::new(state::INTERNAL_ERROR, error.to_string()))
}

fn list_type(item_oid: u32) -> DataType {
    let item = types::data_type_of(item_oid).unwrap_or(DataType::Decimal128(38, 10));
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

fn read_text(type_oid: u32, text: &str) -> Result<ScalarValue, Refusal> {
    if let Some(of) = types::of_array(type_oid) {
        let items = split_array(text)?;
        let items = items.into_iter().map(|item| match item {
            Some(item) => read_text(of.oid, &item),
            None => null(of.oid),
        });
        return list(of.oid, items.collect::<Result<_, _>>()?);
    }
    let wrong = || {
        let name = types::by_oid(type_oid).map_or("text", |pg| pg.sql);
        Refusal::new(
            state::INVALID_TEXT_REPRESENTATION,
            format!("{text:?} is no {name}"),
        )
    };
    match type_oid {
        oid::NUMERIC => decimal(text.trim()).ok_or_else(wrong),
        oid::BOOL => match text.trim().to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => Ok(ScalarValue::from(true)),
            "f" | "false" | "n" | "no" | "off" | "0" => Ok(ScalarValue::from(false)),
            _ => Err(wrong()),
        },
        oid::BYTEA => hex(text)
            .map(|bytes| ScalarValue::Binary(Some(bytes)))
            .ok_or_else(wrong),
        _ => {
            let data_type = types::data_type_of(type_oid).unwrap_or(DataType::Utf8);
            if data_type == DataType::Utf8 {
                return Ok(ScalarValue::from(text));
            }
            ScalarValue::try_from_string(text.trim().to_owned(), &data_type).map_err(|_| wrong())
        }
    }
}

fn read_binary(type_oid: u32, bytes: &[u8]) -> Result<ScalarValue, Refusal> {
    if let Some(of) = types::of_array(type_oid) {
        return read_binary_array(of.oid, bytes);
    }
    let mut body = Body(bytes);
    let value = match type_oid {
        oid::BOOL => ScalarValue::from(body.number::<1>()? != [0]),
        oid::INT2 => ScalarValue::from(i16::from_be_bytes(body.number()?)),
        oid::INT4 => ScalarValue::from(i32::from_be_bytes(body.number()?)),
        oid::INT8 => ScalarValue::from(i64::from_be_bytes(body.number()?)),
        oid::OID => ScalarValue::from(i64::from(u32::from_be_bytes(body.number()?))),
        oid::FLOAT4 => ScalarValue::from(f32::from_be_bytes(body.number()?)),
        oid::FLOAT8 => ScalarValue::from(f64::from_be_bytes(body.number()?)),
        oid::DATE => {
            let days = i32::from_be_bytes(body.number()?).checked_add(EPOCH_DAYS);
            ScalarValue::Date32(Some(days.ok_or_else(out_of_range)?))
        }
        oid::TIME => ScalarValue::Time64Microsecond(Some(i64::from_be_bytes(body.number()?))),
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            let at = i64::from_be_bytes(body.number()?).checked_add(EPOCH_MICROSECONDS);
            let at = Some(at.ok_or_else(out_of_range)?);
            let zone = (type_oid == oid::TIMESTAMPTZ).then(|| "+00:00".into());
            ScalarValue::TimestampMicrosecond(at, zone)
        }
        oid::NUMERIC => {
            let text = numeric::read(bytes)?;
            return decimal(&text).ok_or_else(out_of_range);
        }
        oid::BYTEA => return Ok(ScalarValue::Binary(Some(bytes.to_vec()))),
        oid::UUID => {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let hex = hex.concat();
            if hex.len() != 32 {
                return Err(malformed("a uuid has 16 bytes"));
            }
            let parts = [
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..],
            ];
            return Ok(ScalarValue::from(parts.join("-")));
        }
        oid::INTERVAL => {
            let found = "send an interval as text";
            return Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found));
        }
        _ => {
            return match str::from_utf8(bytes) {
                Ok(text) => Ok(ScalarValue::from(text)),
                Err(_) => Err(Refusal::new(
                    state::CHARACTER_NOT_IN_REPERTOIRE,
                    "it is not UTF-8",
                )),
            };
        }
    };
    body.end().map_err(|refusal| Refusal {
        state: state::INVALID_BINARY_REPRESENTATION,
        ..refusal
    })?;
    Ok(value)
}

fn out_of_range() -> Refusal {
    Refusal::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "it is out of range")
}

fn read_binary_array(declared: u32, bytes: &[u8]) -> Result<ScalarValue, Refusal> {
    let mut body = Body(bytes);
    let dimensions = i32::from_be_bytes(body.number()?);
    let _has_nulls: [u8; 4] = body.number()?;
    let item_oid = u32::from_be_bytes(body.number()?);
    if dimensions == 0 {
        return list(declared, Vec::new());
    }
    if dimensions != 1 {
        return Err(malformed("an array has more than one dimension"));
    }
    let count = i32::from_be_bytes(body.number()?);
    let _first: [u8; 4] = body.number()?;
    let mut items = Vec::new();
    for _ in 0..count {
        let length = i32::from_be_bytes(body.number()?);
        items.push(match usize::try_from(length) {
            Ok(length) => read_binary(item_oid, body.bytes(length)?)?,
            Err(_) => null(item_oid)?,
        });
    }
    body.end()?;
    list(item_oid, items)
}

fn list(item_oid: u32, items: Vec<ScalarValue>) -> Result<ScalarValue, Refusal> {
    let data_type = match item_oid {
        // Each amount has its own scale; all of them fit into this one, or the cast says so.
        oid::NUMERIC => DataType::Decimal128(38, 10),
        other => types::data_type_of(other).unwrap_or(DataType::Utf8),
    };
    let cast = items.into_iter().map(|item| item.cast_to(&data_type));
    let items: Vec<_> = cast.collect::<Result<_, _>>().map_err(|_| out_of_range())?;
    let array = ScalarValue::new_list_nullable(&items, &data_type);
    let array: ArrayRef = array;
    debug_assert_eq!(array.len(), 1, "a list is one value");
    ScalarValue::try_from_array(&array, 0)
        .map_err(|error| Refusal::new(state::INTERNAL_ERROR, error.to_string()))
}

/// A decimal with the digits and the scale that `text` has.
fn decimal(text: &str) -> Option<ScalarValue> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{}{fraction}", whole.trim_start_matches('0'));
    let is_number = !(whole.is_empty() && fraction.is_empty())
        && whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit());
    if !is_number || all.len() > DIGITS_MAX {
        return None;
    }
    let value: i128 = if all.is_empty() { 0 } else { all.parse().ok()? };
    let value = if negative { -value } else { value };
    let precision = all.len().max(fraction.len()).max(1);
    Some(ScalarValue::Decimal128(
        Some(value),
        precision as u8,
        fraction.len() as i8,
    ))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?;
    if !digits.is_ascii() || digits.len() % 2 == 1 {
        return None;
    }
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}

/// The items of `{a,"b c",NULL}`; none for a null.
///
/// # Errors
/// [`state::INVALID_TEXT_REPRESENTATION`] if it is no array, or one of arrays.
pub fn split_array(text: &str) -> Result<Vec<Option<String>>, Refusal> {
    let wrong = || {
        Refusal::new(
            state::INVALID_TEXT_REPRESENTATION,
            format!("{text:?} is no array; write it as {{a,b}}"),
        )
    };
    let inner = text
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let inner = inner.ok_or_else(wrong)?;
    let mut items = Vec::new();
    let (mut item, mut is_quoted, mut was_quoted) = (String::new(), false, false);
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => item.push(characters.next().ok_or_else(wrong)?),
            '"' => {
                is_quoted = !is_quoted;
                was_quoted = true;
            }
            ',' if !is_quoted => {
                items.push(finish(&mut item, &mut was_quoted));
            }
            '{' | '}' if !is_quoted => return Err(wrong()),
            other => item.push(other),
        }
    }
    if is_quoted {
        return Err(wrong());
    }
    if !inner.trim().is_empty() {
        items.push(finish(&mut item, &mut was_quoted));
    }
    Ok(items)
}

fn finish(item: &mut String, was_quoted: &mut bool) -> Option<String> {
    let text = std::mem::take(item);
    if std::mem::take(was_quoted) {
        return Some(text);
    }
    let bare = text.trim();
    (!bare.eq_ignore_ascii_case("null")).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn text(type_oid: u32, value: &str) -> Result<ScalarValue, Refusal> {
        parameter(1, type_oid, false, Some(value.as_bytes()))
    }

    #[test]
    fn amounts_stay_exact() {
        let amount = text(oid::NUMERIC, "-1234.50").unwrap();
        assert_eq!(amount, ScalarValue::Decimal128(Some(-123_450), 6, 2));
        let small = text(oid::NUMERIC, "0.05").unwrap();
        assert_eq!(small, ScalarValue::Decimal128(Some(5), 2, 2));
        for wrong in ["", "-", ".", "1e5", "NaN", "1.2.3", "é"] {
            assert!(text(oid::NUMERIC, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn arrays_are_split_as_postgres_does() {
        let items = split_array("{a,\"b,\\\"c\", NULL ,\"null\",}").unwrap();
        let wanted = [Some("a"), Some("b,\"c"), None, Some("null"), Some("")];
        assert_eq!(items, wanted.map(|item| item.map(str::to_owned)));
        assert!(split_array("{}").unwrap().is_empty());
        assert!(split_array("{\"a}").is_err());
        assert!(split_array("a,b").is_err());
    }

    #[test]
    fn dates_begin_in_2000() {
        let date = parameter(1, oid::DATE, true, Some(&[0, 0, 0, 0])).unwrap();
        assert_eq!(date, text(oid::DATE, "2000-01-01").unwrap());
        assert!(parameter(1, oid::DATE, true, Some(&[0, 0])).is_err());
        assert!(parameter(1, oid::INT4, true, Some(&[0; 8])).is_err());
        let error = text(oid::DATE, "yesterday-ish").unwrap_err();
        assert_eq!(error.state, state::INVALID_TEXT_REPRESENTATION);
        assert!(error.message.starts_with("parameter $1: "), "{error}");
    }
}
