//! Dates of OFX: `YYYYMMDD`, with time and zone behind it. The day is taken as written, in the
//! bank's own zone.

use tieout_core::Date;

/// Reads a date; none where it is empty or zeros.
///
/// # Errors
/// What is wrong with the text, for people.
pub(super) fn read_date(text: &str) -> Result<Option<Date>, String> {
    let bytes = text.as_bytes();
    if bytes.iter().all(|&byte| byte == b'0') {
        return Ok(None);
    }
    let day = bytes.get(..8).unwrap_or(bytes);
    let date = match bytes {
        [_, _, b'/', _, _, b'/', ..] => read_slashed(bytes),
        [_, _, _, _, b'-', _, _, b'-', ..] => {
            Date::parse_iso(bytes.get(..10).unwrap_or(bytes)).ok()
        }
        _ => Date::parse_yyyymmdd(day).ok(),
    };
    let refused = || format!("the date is `{text}`; expected YYYYMMDD, a day of the calendar");
    date.map(Some).ok_or_else(refused)
}

/// `DD/MM/YYYY` or `MM/DD/YYYY`, where only one of them can be meant.
fn read_slashed(bytes: &[u8]) -> Option<Date> {
    let [a1, a2, _, b1, b2, _, year @ ..] = bytes else {
        return None;
    };
    let year = year.get(..4)?;
    let read = |month: [u8; 2], day: [u8; 2]| {
        let text = [year, &month, &day].concat();
        Date::parse_yyyymmdd(&text).ok()
    };
    let (first, second) = ([*a1, *a2], [*b1, *b2]);
    match (read(first, second), read(second, first)) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_every_form_that_says_which() {
        let days = |text| read_date(text).map(|date| date.map(|date| date.to_string()));
        for text in [
            "20130510",
            "20130510161542.123[-3:BRT]",
            "20130510093914:014",
            "201305101120",
            "2013-05-10T00:00:00",
        ] {
            assert_eq!(days(text), Ok(Some("2013-05-10".to_owned())), "{text}");
        }
        assert_eq!(days("30/06/2025"), Ok(Some("2025-06-30".to_owned())));
        assert_eq!(days(""), Ok(None));
        assert_eq!(days("00000000"), Ok(None));
        for text in ["05/06/2025", "20120231", "201120000000", "2013051"] {
            assert!(read_date(text).is_err(), "{text}");
        }
    }
}
