//! `first_value` and `last_value` by an order: DataFusion's in every word, and faster.
//!
//! DataFusion keeps what a group's row is ordered by as a list of values for each group and function. Here
//! it is bytes that compare as the order does. The view `stated_balances`, which has ten of them, takes
//! two thirds of the time so.

mod chosen;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature,
};

use chosen::{Chosen, OfAll};

/// Both functions.
pub(crate) fn ends() -> [AggregateUDF; 2] {
    let ends = [(first_value_udaf(), true), (last_value_udaf(), false)];
    ends.map(|(theirs, is_first)| AggregateUDF::from(End { theirs, is_first }))
}

/// One of them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct End {
    theirs: Arc<AggregateUDF>,
    is_first: bool,
}

impl End {
    fn chosen(&self, arguments: &AccumulatorArgs<'_>) -> Result<Option<Chosen>> {
        let order = arguments.order_bys.iter();
        let order = order.map(|by| Ok((by.expr.data_type(arguments.schema)?, by.options)));
        let order = order.collect::<Result<Vec<_>>>()?;
        let value = arguments.return_field.data_type();
        if !is_ours(value, order.iter().map(|(kind, _)| kind)) {
            return Ok(None);
        }
        Chosen::of(value, order, self.is_first, arguments.ignore_nulls).map(Some)
    }
}

/// Whether there is an order, by plain values, which come back from bytes as what they were.
fn is_ours<'a>(value: &DataType, order: impl IntoIterator<Item = &'a DataType>) -> bool {
    let is_plain = |kind: &DataType| {
        kind.is_primitive()
            || matches!(
                kind,
                DataType::Boolean
                    | DataType::Utf8
                    | DataType::LargeUtf8
                    | DataType::Utf8View
                    | DataType::Binary
                    | DataType::LargeBinary
                    | DataType::BinaryView
            )
    };
    let mut order = order.into_iter().peekable();
    order.peek().is_some() && order.all(is_plain) && is_plain(value)
}

impl AggregateUDFImpl for End {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn signature(&self) -> &Signature {
        self.theirs.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.theirs.return_type(arguments)
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        self.theirs.return_field(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match self.chosen(&arguments)? {
            Some(chosen) => Ok(Box::new(OfAll(chosen))),
            None => self.theirs.accumulator(arguments),
        }
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let value = arguments.return_field.data_type();
        let order = arguments.ordering_fields.iter();
        if !is_ours(value, order.map(|field| field.data_type())) {
            return self.theirs.state_fields(arguments);
        }
        let (name, called) = (arguments.name, self.name());
        let value = Field::new(format!("{name}[{called}]"), value.clone(), true);
        let place = Field::new(format!("{name}[{called}_place]"), DataType::Binary, true);
        Ok(vec![Arc::new(value), Arc::new(place)])
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        match self.chosen(&arguments) {
            Ok(Some(_)) => true,
            Ok(None) | Err(_) => self.theirs.groups_accumulator_supported(arguments),
        }
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match self.chosen(&arguments)? {
            Some(chosen) => Ok(Box::new(chosen)),
            None => self.theirs.create_groups_accumulator(arguments),
        }
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let theirs = AggregateUDF::clone(&self.theirs);
        let theirs = theirs.with_beneficial_ordering(beneficial_ordering)?;
        Ok(theirs.map(|theirs| -> Arc<dyn AggregateUDFImpl> {
            Arc::new(Self {
                theirs: Arc::new(theirs),
                is_first: self.is_first,
            })
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.theirs.order_sensitivity()
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.theirs.supports_null_handling_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use datafusion::arrow::array::{
        ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, UInt64Array,
    };
    use datafusion::arrow::compute::SortOptions;
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::catalog::MemTable;
    use datafusion::prelude::{SessionConfig, SessionContext};
    use tokio::runtime::Builder;

    use super::*;

    const ROWS: u64 = 4000;
    /// Both directions, nulls in values and order, filters that leave groups without a row.
    const CHOSEN: [&str; 10] = [
        "first_value(v order by a, b)",
        "last_value(v order by a, b)",
        "first_value(v order by a desc nulls last, b)",
        "last_value(v order by t nulls first, b desc)",
        "first_value(v order by t, b) filter (where v % 7 = 0)",
        "last_value(t order by d desc, b) filter (where b > 3900)",
        "first_value(d order by t, b)",
        "last_value(t order by b)",
        "first_value(v order by a, b) ignore nulls",
        "last_value(v order by t, b) ignore nulls",
    ];

    /// A number that looks as if it were drawn.
    fn drawn(row: u64, of: u64) -> u64 {
        (row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) % 1_000_003 % of
    }

    fn rows() -> Vec<RecordBatch> {
        let some = |row: u64, value: u64| (!value.is_multiple_of(5)).then_some((value, row));
        let number = |row, of| some(row, drawn(row, of)).map(|(value, _)| value as i64);
        let text = |row, of| some(row, drawn(row, of)).map(|(value, _)| format!("text {value}"));
        let batch = |rows: std::ops::Range<u64>| {
            let columns: [(&str, ArrayRef); 6] = [
                (
                    "g",
                    Arc::new(Int64Array::from_iter_values(
                        rows.clone().map(|row| drawn(row, 97) as i64),
                    )),
                ),
                (
                    "a",
                    Arc::new(
                        rows.clone()
                            .map(|row| number(row, 11))
                            .collect::<Int64Array>(),
                    ),
                ),
                ("b", Arc::new(UInt64Array::from_iter_values(rows.clone()))),
                (
                    "t",
                    Arc::new(
                        rows.clone()
                            .map(|row| text(row, 13))
                            .collect::<StringArray>(),
                    ),
                ),
                (
                    "d",
                    Arc::new(Date32Array::from_iter_values(
                        rows.clone().map(|row| drawn(row, 17) as i32),
                    )),
                ),
                (
                    "v",
                    Arc::new(rows.map(|row| number(row, 1000)).collect::<Int64Array>()),
                ),
            ];
            RecordBatch::try_from_iter(columns).unwrap()
        };
        (0..ROWS)
            .step_by(100)
            .map(|first| batch(first..first + 100))
            .collect()
    }

    fn answers(ours: bool, parts: usize) -> Vec<String> {
        let config = SessionConfig::new().with_target_partitions(parts);
        let context = SessionContext::new_with_config(config);
        if ours {
            for end in ends() {
                context.register_udaf(end);
            }
        }
        let (batches, half) = (rows(), ROWS as usize / 200);
        let parts = vec![batches[..half].to_vec(), batches[half..].to_vec()];
        let table = MemTable::try_new(batches[0].schema(), parts).unwrap();
        context.register_table("rows", Arc::new(table)).unwrap();
        let ask = |sql: String| {
            let runtime = Builder::new_current_thread().build().unwrap();
            let answer = async { context.sql(&sql).await?.collect().await };
            let answer = runtime.block_on(answer).unwrap();
            pretty_format_batches(&answer).unwrap().to_string()
        };
        let chosen = CHOSEN.iter().enumerate();
        let chosen: Vec<_> = chosen
            .map(|(place, end)| format!("{end} as x{place}"))
            .collect();
        let chosen = chosen.join(", ");
        vec![
            ask(format!("select {chosen} from rows")),
            ask(format!("select {chosen} from rows where b < 0")),
            ask(format!(
                "select g, {chosen} from rows group by g order by g"
            )),
            // As many groups as rows.
            ask(format!(
                "select g, b, {chosen} from rows group by g, b order by g, b"
            )),
        ]
    }

    #[test]
    fn they_are_those_of_datafusion() {
        for parts in [1, 2] {
            assert_eq!(answers(true, parts), answers(false, parts), "{parts} parts");
        }
    }

    #[test]
    fn bytes_that_are_not_used_are_given_back() {
        let order = vec![(DataType::Int64, SortOptions::default())];
        let mut chosen = Chosen::of(&DataType::Int64, order, false, false).unwrap();
        for row in 0..100 {
            let columns: [ArrayRef; 2] = [
                Arc::new(Int64Array::from_iter_values(
                    row * 10_000..(row + 1) * 10_000,
                )),
                Arc::new(Int64Array::from_iter_values(
                    row * 10_000..(row + 1) * 10_000,
                )),
            ];
            chosen
                .update_batch(&columns, &vec![0; 10_000], None, 1)
                .unwrap();
        }
        // Each row is better than the one before, of 18 bytes.
        assert!(GroupsAccumulator::size(&chosen) < 8 << 20);
        let last = chosen
            .evaluate(datafusion::logical_expr::EmitTo::All)
            .unwrap();
        assert_eq!(last.as_ref(), &Int64Array::from(vec![999_999]));
    }
}
