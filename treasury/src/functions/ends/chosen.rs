//! The row of each group that comes first, or last.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, new_null_array,
};
use datafusion::arrow::compute::{FilterBuilder, SortOptions, is_not_null, prep_null_mask_filter};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// Bytes that may lie unused before those in use are put together.
const UNUSED_BYTES_MAX: usize = 1 << 20;

/// What was chosen of each group so far. Its state is the value, and its place in the order as bytes;
/// no place where nothing was chosen.
#[derive(Debug)]
pub(super) struct Chosen {
    is_first: bool,
    ignores_nulls: bool,
    /// What a row is ordered by, as bytes that compare as the order does.
    places: RowConverter,
    /// The value, as bytes.
    values: RowConverter,
    /// The bytes of a null.
    null: Vec<u8>,
    groups: Vec<Kept>,
    /// The bytes of the groups' places and values.
    bytes: Vec<u8>,
    unused: usize,
}

/// Where the bytes of a group lie. A place is never empty, so that 0 means that there is none.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    begin: usize,
    place: usize,
    value: usize,
}

impl Kept {
    fn place(self, bytes: &[u8]) -> Option<&[u8]> {
        (self.place > 0).then(|| &bytes[self.begin..self.begin + self.place])
    }

    fn value(self, bytes: &[u8]) -> &[u8] {
        let begin = self.begin + self.place;
        &bytes[begin..begin + self.value]
    }
}

impl Chosen {
    /// Of values of `kind` in this order.
    ///
    /// # Errors
    /// If values of these types cannot be bytes.
    pub fn of(
        kind: &DataType,
        order: Vec<(DataType, SortOptions)>,
        is_first: bool,
        ignores_nulls: bool,
    ) -> Result<Self> {
        let order = order.into_iter();
        let order = order.map(|(kind, options)| SortField::new_with_options(kind, options));
        let values = RowConverter::new(vec![SortField::new(kind.clone())])?;
        let null = values.convert_columns(&[new_null_array(kind, 1)])?;
        Ok(Self {
            is_first,
            ignores_nulls,
            places: RowConverter::new(order.collect())?,
            null: null.row(0).data().to_vec(),
            values,
            groups: Vec::new(),
            bytes: Vec::new(),
            unused: 0,
        })
    }

    /// Takes a row for its group if it comes before (or behind) the one that is there.
    fn offer(&mut self, group: usize, place: &[u8], value: &[u8]) {
        let kept = self.groups[group];
        if let Some(known) = kept.place(&self.bytes) {
            let is_better = if self.is_first {
                place < known
            } else {
                place >= known
            };
            if !is_better {
                return;
            }
            self.unused += kept.place + kept.value;
        }
        self.groups[group] = Kept {
            begin: self.bytes.len(),
            place: place.len(),
            value: value.len(),
        };
        self.bytes.extend_from_slice(place);
        self.bytes.extend_from_slice(value);
    }

    /// Puts the bytes in use together once most are not.
    fn tidy(&mut self) {
        if self.unused < UNUSED_BYTES_MAX.max(self.bytes.len() / 2) {
            return;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len() - self.unused);
        for kept in &mut self.groups {
            let begin = bytes.len();
            let end = kept.begin + kept.place + kept.value;
            bytes.extend_from_slice(&self.bytes[kept.begin..end]);
            kept.begin = begin;
        }
        self.bytes = bytes;
        self.unused = 0;
    }

    /// The rows that count, of `columns` and their `groups`.
    fn counted(
        &self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<(Vec<ArrayRef>, Vec<usize>)> {
        let Some(counts) = self.counts(&columns[0], filter)? else {
            return Ok((columns.to_vec(), groups.to_vec()));
        };
        let filter = FilterBuilder::new(&counts).build();
        let columns = columns.iter().map(|column| filter.filter(column));
        let groups = counts.values().set_indices().map(|row| groups[row]);
        Ok((columns.collect::<Result<_, _>>()?, groups.collect()))
    }

    /// Which rows count, without a null; none if all do.
    fn counts(
        &self,
        values: &ArrayRef,
        filter: Option<&BooleanArray>,
    ) -> Result<Option<BooleanArray>> {
        let told = (self.ignores_nulls && values.is_nullable()).then(|| is_not_null(values));
        let told = told.transpose()?;
        let filter = filter.map(|filter| match filter.null_count() {
            0 => filter.clone(),
            _ => prep_null_mask_filter(filter),
        });
        Ok(match (told, filter) {
            (Some(told), Some(filter)) => {
                let both = told.values() & filter.values();
                Some(BooleanArray::new(both, None))
            }
            (told, filter) => told.or(filter),
        })
    }

    /// The values of `groups`, and their places.
    fn told(&self, groups: &[Kept]) -> Result<(ArrayRef, BinaryArray)> {
        let (parser, null) = (self.values.parser(), self.null.as_slice());
        let rows = groups.iter().map(|kept| match kept.place {
            0 => parser.parse(null),
            _ => parser.parse(kept.value(&self.bytes)),
        });
        let value = self.values.convert_rows(rows)?.pop();
        let value = value.ok_or_else(|| DataFusionError::Internal("no column of values".into()))?;
        let mut places = BinaryBuilder::with_capacity(groups.len(), 0);
        for kept in groups {
            places.append_option(kept.place(&self.bytes));
        }
        Ok((value, places.finish()))
    }

    fn taken(&mut self, which: EmitTo) -> Result<(ArrayRef, BinaryArray)> {
        let groups = which.take_needed(&mut self.groups);
        let told = self.told(&groups)?;
        if self.groups.is_empty() {
            self.bytes = Vec::new();
            self.unused = 0;
        } else {
            let bytes = groups.iter().map(|kept| kept.place + kept.value);
            self.unused += bytes.sum::<usize>();
            self.tidy();
        }
        Ok(told)
    }
}

impl GroupsAccumulator for Chosen {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize(total_num_groups, Kept::default());
        let (columns, groups) = self.counted(values, group_indices, opt_filter)?;
        if groups.is_empty() {
            return Ok(());
        }
        let places = self.places.convert_columns(&columns[1..])?;
        let values = self.values.convert_columns(&columns[..1])?;
        for ((group, place), value) in groups.into_iter().zip(&places).zip(&values) {
            self.offer(group, place.data(), value.data());
        }
        self.tidy();
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.taken(emit_to)?.0)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (values, places) = self.taken(emit_to)?;
        Ok(vec![values, Arc::new(places)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize(total_num_groups, Kept::default());
        let places = values[1].as_binary::<i32>();
        let values = self.values.convert_columns(&values[..1])?;
        for ((group, place), value) in group_indices.iter().zip(places).zip(&values) {
            if let Some(place) = place {
                self.offer(*group, place, value.data());
            }
        }
        self.tidy();
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let places = self.places.convert_columns(&values[1..])?;
        let counts = self.counts(&values[0], opt_filter)?;
        let mut kept = BinaryBuilder::with_capacity(places.num_rows(), 0);
        for (row, place) in places.iter().enumerate() {
            let counts = counts.as_ref().is_none_or(|counts| counts.value(row));
            kept.append_option(counts.then(|| place.data()));
        }
        Ok(vec![Arc::clone(&values[0]), Arc::new(kept.finish())])
    }

    fn size(&self) -> usize {
        self.bytes.capacity()
            + self.groups.capacity() * size_of::<Kept>()
            + self.places.size()
            + self.values.size()
    }
}

/// What was chosen of all rows, where nothing is grouped.
#[derive(Debug)]
pub(super) struct OfAll(pub Chosen);

impl OfAll {
    fn told(&self) -> Result<(ArrayRef, BinaryArray)> {
        let of_none = [Kept::default()];
        self.0.told(match self.0.groups.as_slice() {
            [] => &of_none,
            groups => groups,
        })
    }
}

impl Accumulator for OfAll {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; values[0].len()];
        self.0.update_batch(values, &groups, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; states[0].len()];
        GroupsAccumulator::merge_batch(&mut self.0, states, &groups, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.told()?.0, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (value, place) = self.told()?;
        Ok(vec![
            ScalarValue::try_from_array(&value, 0)?,
            ScalarValue::try_from_array(&place, 0)?,
        ])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + GroupsAccumulator::size(&self.0)
    }
}
