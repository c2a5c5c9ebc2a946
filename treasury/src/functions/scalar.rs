//! A function from values to a value, row by row.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::common::exec_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use tieout_core::Date;
use tieout_core::schema::AMOUNT_TYPE;

/// What is said of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionWords {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub usage: &'static str,
    /// What it gives.
    pub comment: &'static str,
}

/// The arguments of one row.
pub(super) struct Row<'a> {
    columns: &'a [ArrayRef],
    row: usize,
}

impl<'a> Row<'a> {
    /// Text; none where it is null or not given.
    pub fn text(&self, place: usize) -> Option<&'a str> {
        let column = self.columns.get(place)?;
        let texts = column.as_string_opt::<i32>()?;
        (!texts.is_null(self.row)).then(|| texts.value(self.row))
    }

    /// A date.
    pub fn date(&self, place: usize) -> Option<Date> {
        let column = self.columns.get(place)?;
        let days = column.as_primitive_opt::<Date32Type>()?;
        (!days.is_null(self.row)).then(|| Date::from_days(days.value(self.row)))
    }

    /// A whole number.
    pub fn number(&self, place: usize) -> Option<i64> {
        let column = self.columns.get(place)?;
        let numbers = column.as_primitive_opt::<Int64Type>()?;
        (!numbers.is_null(self.row)).then(|| numbers.value(self.row))
    }

    /// An amount in hundred-thousandths.
    pub fn amount(&self, place: usize) -> Option<i128> {
        let column = self.columns.get(place)?;
        let units = column.as_primitive_opt::<Decimal128Type>()?;
        (!units.is_null(self.row)).then(|| units.value(self.row))
    }

    /// Whether an argument is there and null.
    pub fn is_null(&self, place: usize) -> bool {
        self.columns
            .get(place)
            .is_some_and(|column| column.is_null(self.row))
    }
}

type Of<T> = Box<dyn Fn(&Row<'_>) -> Result<Option<T>> + Send + Sync>;

/// What a row comes to.
pub(super) enum Work {
    Text(Of<String>),
    Ratio(Of<f64>),
    Number(Of<i64>),
    Day(Of<Date>),
    /// Units of the type.
    Decimal(DataType, Of<i128>),
}

impl Work {
    fn gives(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8,
            Self::Ratio(_) => DataType::Float64,
            Self::Number(_) => DataType::Int64,
            Self::Day(_) => DataType::Date32,
            Self::Decimal(data_type, _) => data_type.clone(),
        }
    }

    fn over(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let rows = (0..rows).map(|row| Row { columns, row });
        Ok(match self {
            Self::Text(of) => Arc::new(rows.map(|row| of(&row)).collect::<Result<StringArray>>()?),
            Self::Ratio(of) => {
                Arc::new(rows.map(|row| of(&row)).collect::<Result<Float64Array>>()?)
            }
            Self::Number(of) => Arc::new(rows.map(|row| of(&row)).collect::<Result<Int64Array>>()?),
            Self::Day(of) => {
                let days = rows.map(|row| Ok(of(&row)?.map(Date::days)));
                Arc::new(days.collect::<Result<Date32Array>>()?)
            }
            Self::Decimal(data_type, of) => {
                let units = rows
                    .map(|row| of(&row))
                    .collect::<Result<Decimal128Array>>()?;
                Arc::new(units.with_data_type(data_type.clone()))
            }
        })
    }
}

/// A scalar function.
pub(super) struct Function {
    pub words: FunctionWords,
    /// The types that arguments are brought to; those after `needs` may be left out.
    pub takes: &'static [DataType],
    pub needs: usize,
    pub work: Work,
    pub signature: Signature,
}

pub(super) const TEXT: DataType = DataType::Utf8;
pub(super) const DAY: DataType = DataType::Date32;
pub(super) const NUMBER: DataType = DataType::Int64;
pub(super) const AMOUNT: DataType = AMOUNT_TYPE;

impl Function {
    /// A function that gives the same for the same arguments.
    pub fn new(words: FunctionWords, takes: &'static [DataType], needs: usize, work: Work) -> Self {
        Self {
            words,
            takes,
            needs,
            work,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// What is said of it.
    pub fn words(&self) -> FunctionWords {
        self.words.clone()
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.words.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.work.gives())
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if given.len() < self.needs || given.len() > self.takes.len() {
            return Err(DataFusionError::Plan(format!("write {}", self.words.usage)));
        }
        Ok(self.takes[..given.len()].to_vec())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut values = arguments.args.iter();
        let is_one = values.all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if is_one { 1 } else { arguments.number_rows };
        let columns = arguments.args.iter().map(|value| value.to_array(rows));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let answer = self.work.over(&columns, rows)?;
        if is_one {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &answer, 0,
            )?));
        }
        Ok(ColumnarValue::Array(answer))
    }
}

/// A value that a function cannot take.
pub(super) fn refused<T>(found: impl fmt::Display) -> Result<T> {
    exec_err!("{found}")
}
