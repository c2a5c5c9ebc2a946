//! Links two lists of parties or people, read from CSV files with a header.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field as ArrowField, Schema};
use csv::{ReaderBuilder, StringRecord, Trim};
use tieout_core::Date;
pub use tieout_matcher::link::{Assignment, FieldWeights, Level, Pair};
use tieout_matcher::link::{FIELDS_MAX, Field, Kind, Links, Sheet, link as compare};

use crate::EngineError;
use crate::intake::{arrow, internal};

/// What is to be linked.
#[derive(Clone, Debug)]
pub struct LinkOptions {
    /// A CSV file with a header.
    pub left: PathBuf,
    /// The other one; without it the rows of the first are linked with each other.
    pub right: Option<PathBuf>,
    /// The column that names a row in the result; the first column otherwise.
    pub id: Option<String>,
    /// The columns to compare, each as `NAME` or `NAME:KIND` with a kind of `text`, `number` or
    /// `date`; all that both files have, but the identifier, if there are none.
    pub on: Vec<String>,
    /// How many partners a row may have.
    pub assignment: Assignment,
    /// Pairs less probable are left out.
    pub probability_min: f64,
    /// Threads; the result does not depend on it.
    pub threads: usize,
}

/// What was linked.
#[derive(Clone, Debug)]
pub struct Linked {
    /// `left_id`, `right_id`, `probability`, `weight` (log-odds in bits) and `evidence` of each pair,
    /// in the order of the left file.
    pub rows: RecordBatch,
    /// Rows of the left file.
    pub left_rows: usize,
    /// Rows of the right file, if there is one.
    pub right_rows: Option<usize>,
    /// The columns that were compared.
    pub fields: Vec<Field>,
    /// Pairs that were compared, pairs expected to be the same, and what was learned.
    pub links: Links,
}

/// Links the files.
///
/// # Errors
/// [`EngineError::Path`] if a file cannot be read, [`EngineError::List`] if it is no list with the
/// columns that are asked for.
pub fn link(options: &LinkOptions) -> Result<Linked, EngineError> {
    let left = List::read(&options.left)?;
    let right = options.right.as_deref().map(List::read).transpose()?;
    let id = match &options.id {
        Some(id) => id.clone(),
        None => left.header[0].clone(),
    };
    let left_ids = left.ids(&id)?;
    let right_ids = right.as_ref().map(|list| list.ids(&id)).transpose()?;
    let fields = fields(options, &id, &left, right.as_ref())?;
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let left_sheet = left.sheet(&names)?;
    let right_sheet = right.as_ref().map(|list| list.sheet(&names)).transpose()?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()
        .map_err(internal)?;
    let mut links = pool.install(|| {
        let right = right_sheet.as_ref();
        compare(&fields, &left_sheet, right, options.assignment)
    });
    let enough = |probability| probability >= options.probability_min;
    links.pairs.retain(|pair| enough(pair.probability));
    let right_ids = right_ids.as_ref().unwrap_or(&left_ids);
    Ok(Linked {
        rows: rows(&links, &fields, &left_ids, right_ids)?,
        left_rows: left.rows.len(),
        right_rows: right.map(|list| list.rows.len()),
        fields,
        links,
    })
}

/// A CSV file in memory.
struct List {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<StringRecord>,
}

impl List {
    fn read(path: &Path) -> Result<Self, EngineError> {
        let file = File::open(path).map_err(|source| EngineError::Path {
            path: path.to_owned(),
            source,
        })?;
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .from_reader(BufReader::new(file));
        let wrong = |error: csv::Error| bad(path, error.to_string());
        let header = reader.headers().map_err(wrong)?;
        let header: Vec<String> = header.iter().map(str::to_owned).collect();
        if header.iter().all(String::is_empty) {
            return Err(bad(path, "no header: the first line names the columns"));
        }
        let rows = reader.records().collect::<Result<_, _>>().map_err(wrong)?;
        let path = path.to_owned();
        Ok(Self { path, header, rows })
    }

    fn column(&self, name: &str) -> Result<usize, EngineError> {
        let found = self.header.iter().position(|heading| heading == name);
        found.ok_or_else(|| {
            let there = self.header.join(", ");
            bad(&self.path, format!("no column {name}; there are {there}"))
        })
    }

    fn values(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }

    fn sheet(&self, names: &[&str]) -> Result<Sheet, EngineError> {
        let columns: Vec<usize> = names
            .iter()
            .map(|name| self.column(name))
            .collect::<Result<_, _>>()?;
        let rows = self.rows.iter().map(|row| {
            let values = columns.iter().map(|&column| row.get(column));
            values
                .map(|value| value.unwrap_or_default().into())
                .collect()
        });
        Ok(Sheet::new(names.len(), rows))
    }

    fn ids(&self, id: &str) -> Result<Vec<&str>, EngineError> {
        let column = self.column(id)?;
        Ok(self.values(column).collect())
    }
}

fn bad(path: &Path, what: impl Into<String>) -> EngineError {
    EngineError::List {
        path: path.to_owned(),
        what: what.into(),
    }
}

/// The columns to compare, with the kind of each.
fn fields(
    options: &LinkOptions,
    id: &str,
    left: &List,
    right: Option<&List>,
) -> Result<Vec<Field>, EngineError> {
    let mut wanted: Vec<(String, Option<Kind>)> = Vec::new();
    for word in &options.on {
        let (name, kind) = match word.rsplit_once(':') {
            Some((name, kind)) => (name, Some(named_kind(kind, &left.path)?)),
            None => (word.as_str(), None),
        };
        wanted.push((name.to_owned(), kind));
    }
    if wanted.is_empty() {
        let both = left
            .header
            .iter()
            .filter(|name| *name != id && right.is_none_or(|right| right.header.contains(name)));
        wanted = both.map(|name| (name.clone(), None)).collect();
    }
    if wanted.is_empty() {
        return Err(bad(
            &left.path,
            "has no column in common with the other file but the identifier; give both the same \
             headings",
        ));
    }
    if wanted.len() > FIELDS_MAX {
        return Err(bad(
            &left.path,
            format!(
                "{} columns; at most {FIELDS_MAX} can be compared: choose with --on",
                wanted.len()
            ),
        ));
    }
    let mut fields = Vec::with_capacity(wanted.len());
    for (name, kind) in wanted {
        let mut values: Vec<&str> = left.values(left.column(&name)?).collect();
        if let Some(right) = right {
            values.extend(right.values(right.column(&name)?));
        }
        fields.push(Field::new(name, kind.unwrap_or_else(|| seen_kind(&values))));
    }
    Ok(fields)
}

fn named_kind(word: &str, path: &Path) -> Result<Kind, EngineError> {
    match word {
        "text" => Ok(Kind::Text),
        "number" => Ok(Kind::Number),
        "date" => Ok(Kind::Date),
        _ => Err(bad(
            path,
            format!("no kind {word}: use text, number or date"),
        )),
    }
}

/// Dates and numbers are what nine of ten values look like; what else there is, is text.
fn seen_kind(values: &[&str]) -> Kind {
    let present: Vec<&str> = values
        .iter()
        .copied()
        .filter(|value| !value.is_empty())
        .collect();
    let nearly_all = |is: fn(&str) -> bool| {
        let count = present.iter().filter(|value| is(value)).count();
        !present.is_empty() && count * 10 >= present.len() * 9
    };
    if nearly_all(is_date) {
        Kind::Date
    } else if nearly_all(is_number) {
        Kind::Number
    } else {
        Kind::Text
    }
}

fn is_date(value: &str) -> bool {
    let text = value.as_bytes();
    let date = Date::parse_iso(text).or_else(|_| Date::parse_yyyymmdd(text));
    date.is_ok()
}

fn is_number(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    digits * 2 > value.len()
}

fn rows(
    links: &Links,
    fields: &[Field],
    left_ids: &[&str],
    right_ids: &[&str],
) -> Result<RecordBatch, EngineError> {
    let text = |name| ArrowField::new(name, DataType::Utf8, false);
    let ratio = |name| ArrowField::new(name, DataType::Float64, false);
    let schema = Schema::new(vec![
        text("left_id"),
        text("right_id"),
        ratio("probability"),
        ratio("weight"),
        text("evidence"),
    ]);
    let pairs = || links.pairs.iter();
    let left = pairs().map(|pair| left_ids[pair.left as usize]);
    let right = pairs().map(|pair| right_ids[pair.right as usize]);
    let evidence = pairs().map(|pair| {
        let levels = fields.iter().zip(&pair.evidence);
        let told = levels
            .map(|(field, (level, bits))| format!("{} {} {bits:+.1}", field.name, level.code()));
        told.collect::<Vec<_>>().join("; ")
    });
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(left)),
        Arc::new(StringArray::from_iter_values(right)),
        Arc::new(Float64Array::from_iter_values(
            pairs().map(|pair| rounded(pair.probability, 1e6)),
        )),
        Arc::new(Float64Array::from_iter_values(
            pairs().map(|pair| rounded(pair.weight, 1e2)),
        )),
        Arc::new(StringArray::from_iter_values(evidence)),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).map_err(arrow)
}

/// Rounded to what is shown, so that the last bit of a logarithm makes no difference.
fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_seen() {
        assert_eq!(seen_kind(&["19151111", "", "1916-12-14"]), Kind::Date);
        assert_eq!(seen_kind(&["5304218", "12-34"]), Kind::Number);
        assert_eq!(seen_kind(&["12 Main Street", "5"]), Kind::Text);
        assert_eq!(seen_kind(&["", ""]), Kind::Text);
    }
}
