//! `to_char`, `to_date` and `to_timestamp` by the patterns that PostgreSQL has for them, `'YYYY-MM-DD'`.
//!
//! DataFusion's own functions take patterns with percent signs, `'%Y-%m-%d'`, and write back any other as
//! it stands. So each has its patterns put into that form first; what has no such form is refused.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::functions::datetime;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::scalar::refused;

/// The functions, in place of those of the same names.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let timestamp = datetime::to_timestamp(&ConfigOptions::default());
    [
        (datetime::to_char(), Use::Write),
        (datetime::to_date(), Use::Read),
        (timestamp, Use::Read),
    ]
    .into_iter()
    .map(|(inner, what)| ScalarUDF::from(Templated { inner, what }))
    .collect()
}

/// What a pattern is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Use {
    /// Texts are written by it.
    Write,
    /// Texts are read by it: names in any case, and with any blanks behind them.
    Read,
}

/// A function whose arguments from the second on are patterns.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Templated {
    inner: Arc<ScalarUDF>,
    what: Use,
}

impl ScalarUDFImpl for Templated {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.inner.return_type(given)
    }

    fn return_field_from_args(&self, given: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(given)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(given)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        for pattern in arguments.args.iter_mut().skip(1) {
            *pattern = self.what.plain(pattern)?;
        }
        self.inner.invoke_with_args(arguments)
    }
}

impl Use {
    /// Patterns in DataFusion's form.
    fn plain(self, patterns: &ColumnarValue) -> Result<ColumnarValue> {
        Ok(match patterns {
            ColumnarValue::Scalar(
                ScalarValue::Utf8(Some(text))
                | ScalarValue::LargeUtf8(Some(text))
                | ScalarValue::Utf8View(Some(text)),
            ) => ColumnarValue::Scalar(ScalarValue::from(self.of(text)?)),
            ColumnarValue::Array(texts) if is_text(texts) => {
                let texts = cast(texts, &DataType::Utf8)?;
                let texts = texts.as_string::<i32>().iter();
                let plain = texts.map(|text| text.map(|text| self.of(text)).transpose());
                let plain = plain.collect::<Result<StringArray>>()?;
                ColumnarValue::Array(Arc::new(plain) as ArrayRef)
            }
            other => other.clone(),
        })
    }

    /// One pattern. One with a percent sign is in that form already.
    fn of(self, pattern: &str) -> Result<String> {
        if pattern.contains('%') {
            return Ok(pattern.to_owned());
        }
        let (mut plain, mut rest) = (String::with_capacity(pattern.len()), pattern);
        while let Some(first) = rest.chars().next() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let Some((text, after)) = quoted.split_once('"') else {
                    return refused(format!(
                        "the pattern '{pattern}' has a quote without an end"
                    ));
                };
                plain.push_str(text);
                rest = after;
            } else if first.is_alphabetic() || first == '\\' {
                let Some((part, after)) = self.part(rest) else {
                    return refused(format!(
                        "the pattern '{pattern}' has '{rest}', which is not known here; write names as \
                         Mon, FMMonth, Dy or FMDay, texts in double quotes, or all of it as in '%Y-%m-%d'"
                    ));
                };
                plain.push_str(&part);
                rest = after;
            } else {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        Ok(plain)
    }

    /// What stands for the first field of `text`, and what follows it.
    fn part(self, text: &str) -> Option<(String, &str)> {
        let bare = after(text, "FM", true);
        let (text, is_bare) = (bare.unwrap_or(text), bare.is_some());
        let names = NAMES.iter().find_map(|&(name, needs_bare, plain)| {
            let rest = after(text, name, self == Self::Read)?;
            let is_right = self == Self::Read || !needs_bare || is_bare;
            is_right.then(|| (plain.to_owned(), rest))
        });
        names.or_else(|| {
            let mut numbers = NUMBERS.iter();
            let (plain, rest) = numbers.find_map(|&(name, plain)| {
                let rest = after(text, name, true)?;
                // In front of noon or after it is written in the pattern's own case.
                let is_small = plain == "%p" && self == Self::Write && text.starts_with(['a', 'p']);
                Some((if is_small { "%P" } else { plain }, rest))
            })?;
            let is_bare = is_bare && self == Self::Write;
            Some((
                if is_bare {
                    plain.replace('%', "%-")
                } else {
                    plain.to_owned()
                },
                rest,
            ))
        })
    }
}

/// Names: written so, whether only without the blanks that make all of them as long, and in
/// DataFusion's form. The long ones come first.
const NAMES: [(&str, bool, &str); 4] = [
    ("Month", true, "%B"),
    ("Mon", false, "%b"),
    ("Day", true, "%A"),
    ("Dy", false, "%a"),
];

/// Numbers, and the words for them, in any case; the long ones come first.
const NUMBERS: [(&str, &str); 20] = [
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("IYYY", "%G"),
    ("IY", "%g"),
    ("IW", "%V"),
    ("ID", "%u"),
    ("Q", "%q"),
    ("MM", "%m"),
    ("DDD", "%j"),
    ("DD", "%d"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("HH", "%I"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("MS", "%3f"),
    ("US", "%6f"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("TZ", "%Z"),
];

/// What follows `name` in `text`, if it begins so.
fn after<'a>(text: &'a str, name: &str, in_any_case: bool) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(name.len())?;
    let is_so = begin == name || (in_any_case && begin.eq_ignore_ascii_case(name));
    is_so.then_some(rest)
}

fn is_text(values: &ArrayRef) -> bool {
    let texts = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View];
    texts.contains(values.data_type())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn patterns_are_put_into_the_other_form() {
        for (pattern, written, read) in [
            ("YYYY-MM-DD", Some("%Y-%m-%d"), Some("%Y-%m-%d")),
            ("yyyy/mm", Some("%Y/%m"), Some("%Y/%m")),
            ("YYYYMMDD", Some("%Y%m%d"), Some("%Y%m%d")),
            ("IYYY-\"W\"IW", Some("%G-W%V"), Some("%G-W%V")),
            (
                "YYYY\"T\"HH24:MI:SS.US",
                Some("%YT%H:%M:%S.%6f"),
                Some("%YT%H:%M:%S.%6f"),
            ),
            ("FMDD. FMMonth YYYY", Some("%-d. %B %Y"), Some("%d. %B %Y")),
            ("Dy, DD Mon YY", Some("%a, %d %b %y"), Some("%a, %d %b %y")),
            ("HH12:MI am", Some("%I:%M %P"), Some("%I:%M %p")),
            ("HH:MI PM", Some("%I:%M %p"), Some("%I:%M %p")),
            ("\"Q\"Q YYYY", Some("Q%q %Y"), Some("Q%q %Y")),
            ("%d.%m.%Y", Some("%d.%m.%Y"), Some("%d.%m.%Y")),
            ("DD-MON-YYYY", None, Some("%d-%b-%Y")),
            ("Month YYYY", None, Some("%B %Y")),
            ("YYYY\"T", None, None),
            ("YYYYTHH24", None, None),
            ("J", None, None),
            ("", Some(""), Some("")),
        ] {
            let written = written.map(str::to_owned);
            assert_eq!(Use::Write.of(pattern).ok(), written, "{pattern}");
            let read = read.map(str::to_owned);
            assert_eq!(Use::Read.of(pattern).ok(), read, "{pattern}");
        }
    }
}
