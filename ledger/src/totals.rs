//! Totals: what the rows of a stored file add up to, by the columns that reports group by.
//!
//! A file of a month has a million rows and some thousands of different days, accounts, codes and statuses.
//! Its totals have one row for each combination of these, with the number of rows and the sums of their
//! amounts. They are an annex of the file, so that they are as durable as its rows and never of another state.

use std::io;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch, UInt64Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::HashTable;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use tieout_core::schema::Table;

use crate::annex::Annex;
use crate::{POSTING, stored_schema};

/// The name of the annex: a Parquet file of its own, with the columns of [`Totals::schema`].
pub const TOTALS: &str = "totals.1";
/// The column with the number of rows.
pub const ROWS: &str = "rows";
/// The type of sums: digits for all rows that there can be, and the decimals of amounts.
pub const SUM_TYPE: DataType = DataType::Decimal128(38, 5);
/// Rows of a file for each of its totals at least; with fewer the totals would save too little.
const ROWS_OF_ONE: usize = 4;
/// Rows after which a file is judged by what it has had so far.
const JUDGED_AFTER: u64 = 1 << 17;

/// What the rows of a table are added up by, and which amounts are added.
#[derive(Debug, PartialEq, Eq)]
pub struct Totalled {
    /// Columns by which.
    pub by: &'static [&'static str],
    /// Amounts that are added: columns that are never null.
    pub sums: &'static [&'static str],
}

/// How the rows of `table` are added up; none if they are not.
pub fn totalled(table: Table) -> Option<&'static Totalled> {
    // Days come first: totals lie in this order, and files in the order of days.
    Some(match table {
        Table::Transactions => &Totalled {
            by: &[
                "booking_date",
                "value_date",
                "account",
                "currency",
                "direction",
                "type_code",
                "status",
                "feed",
                "channel",
                "reversal",
                POSTING,
            ],
            sums: &["amount"],
        },
        Table::Payments => &Totalled {
            by: &[
                "booking_date",
                "account",
                "currency",
                "direction",
                "channel",
                "status",
                "reason",
                "rule",
                "recipe",
                POSTING,
            ],
            sums: &["amount", "applied", "on_account", "unapplied"],
        },
        Table::Applications => &Totalled {
            by: &["party_id", "currency", "status", "deduction_reason"],
            sums: &["applied", "discount", "write_off", "deduction"],
        },
        Table::Exceptions => &Totalled {
            by: &["reason", POSTING],
            sums: &["amount"],
        },
        Table::OpenItems => &Totalled {
            by: &["issue_date", "due_date", "entity", "kind", "currency"],
            sums: &["amount", "open_amount"],
        },
        _ => return None,
    })
}

/// Totals in the making.
pub struct Totals {
    schema: SchemaRef,
    by: usize,
    converter: RowConverter,
    groups: Groups,
    seen: u64,
    /// A sum had no room: there are no totals then.
    is_over: bool,
}

/// One group for each combination of values.
struct Groups {
    keys: Rows,
    places: HashTable<usize>,
    hasher: ahash::RandomState,
    rows: Vec<i64>,
    sums: Vec<Vec<i128>>,
}

impl Totals {
    /// Those of `table`; none if its rows are not added up.
    ///
    /// # Errors
    /// If a column cannot be grouped by.
    pub fn of(table: Table) -> Result<Option<Self>, ArrowError> {
        let Some(totalled) = totalled(table) else {
            return Ok(None);
        };
        let schema = schema_of(table, totalled)?;
        let by = totalled.by.len();
        let fields = schema.fields().iter().take(by);
        let fields = fields.map(|field| SortField::new(field.data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let groups = Groups {
            keys: converter.empty_rows(0, 0),
            places: HashTable::new(),
            // Which places groups have while they are gathered does not show.
            hasher: ahash::RandomState::with_seeds(1, 2, 3, 4),
            rows: Vec::new(),
            sums: vec![Vec::new(); totalled.sums.len()],
        };
        Ok(Some(Self {
            schema,
            by,
            converter,
            groups,
            seen: 0,
            is_over: false,
        }))
    }

    /// The columns of the totals: what they are by, [`ROWS`], and the sums under the names of the amounts.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds rows of the table; with `sign` -1 takes away rows that were added before.
    ///
    /// # Errors
    /// If they lack a column.
    pub fn add(&mut self, rows: &RecordBatch, sign: i64) -> Result<(), ArrowError> {
        let counts = Int64Array::from(vec![sign; rows.num_rows()]);
        self.gather(rows, &counts, i128::from(sign))?;
        self.seen += rows.num_rows() as u64;
        Ok(())
    }

    /// Adds totals that were made before.
    ///
    /// # Errors
    /// If they lack a column.
    pub fn add_totals(&mut self, totals: &RecordBatch) -> Result<(), ArrowError> {
        let counts = column(totals, ROWS)?
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(|| unfit(ROWS))?;
        self.gather(totals, counts, 1)
    }

    fn gather(
        &mut self,
        rows: &RecordBatch,
        counts: &Int64Array,
        sign: i128,
    ) -> Result<(), ArrowError> {
        let fields = self.schema.fields();
        let by = fields.iter().take(self.by);
        let by = by.map(|field| column(rows, field.name()).cloned());
        let keys = self
            .converter
            .convert_columns(&by.collect::<Result<Vec<_>, _>>()?)?;
        let amounts = fields.iter().skip(self.by + 1).map(|field| {
            let amounts = column(rows, field.name())?;
            let amounts = amounts.as_primitive_opt::<Decimal128Type>();
            amounts
                .filter(|amounts| amounts.null_count() == 0)
                .ok_or_else(|| unfit(field.name()))
        });
        let amounts: Vec<&Decimal128Array> = amounts.collect::<Result<_, _>>()?;
        for row in 0..rows.num_rows() {
            let group = self.groups.of(keys.row(row));
            self.groups.rows[group] += counts.value(row);
            for (sums, amounts) in self.groups.sums.iter_mut().zip(&amounts) {
                match sums[group].checked_add(sign * amounts.value(row)) {
                    Some(sum) => sums[group] = sum,
                    None => self.is_over = true,
                }
            }
        }
        Ok(())
    }

    /// Whether a file whose rows these are is better without them.
    fn are_too_many(&self) -> bool {
        self.groups.rows.len() as u64 * ROWS_OF_ONE as u64 > self.seen
    }

    /// The totals, in the order of what they are by, without those of which no row is left; none if a sum
    /// has more digits than there is room for.
    ///
    /// # Errors
    /// If they cannot be put together.
    pub fn finish(self) -> Result<Option<RecordBatch>, ArrowError> {
        let Groups {
            keys, rows, sums, ..
        } = self.groups;
        if self.is_over {
            return Ok(None);
        }
        let mut order: Vec<u64> = (0..rows.len() as u64)
            .filter(|&group| rows[group as usize] != 0)
            .collect();
        order
            .sort_unstable_by(|&one, &other| keys.row(one as usize).cmp(&keys.row(other as usize)));
        let in_order = order.iter().map(|&group| keys.row(group as usize));
        let mut columns = self.converter.convert_rows(in_order)?;
        let order = UInt64Array::from(order);
        let counts: ArrayRef = Arc::new(Int64Array::from(rows));
        columns.push(take(&counts, &order, None)?);
        for sums in sums {
            let sums = Decimal128Array::from(sums).with_data_type(SUM_TYPE);
            let sums: ArrayRef = Arc::new(sums);
            columns.push(take(&sums, &order, None)?);
        }
        RecordBatch::try_new(self.schema, columns).map(Some)
    }
}

impl Totals {
    /// The totals as a Parquet file.
    ///
    /// # Errors
    /// If they cannot be put together.
    pub fn into_parquet(self) -> Result<Option<Vec<u8>>, ParquetError> {
        let Some(totals) = self.finish()? else {
            return Ok(None);
        };
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(None)
            .build();
        let mut file = ArrowWriter::try_new(Vec::new(), totals.schema(), Some(properties))?;
        file.write(&totals)?;
        file.into_inner().map(Some)
    }
}

impl Groups {
    fn of(&mut self, key: arrow::row::Row<'_>) -> usize {
        let hash = self.hasher.hash_one(key.as_ref());
        let found = self.places.find(hash, |&group| self.keys.row(group) == key);
        if let Some(&group) = found {
            return group;
        }
        let group = self.rows.len();
        self.keys.push(key);
        self.rows.push(0);
        for sums in &mut self.sums {
            sums.push(0);
        }
        let (keys, hasher) = (&self.keys, &self.hasher);
        let hash_of = |&group: &usize| hasher.hash_one(keys.row(group).as_ref());
        self.places.insert_unique(hash, group, hash_of);
        group
    }
}

/// The totals of a file that is being written; none once they are known to be too many.
pub(crate) struct TotalsAnnex(Option<Totals>);

impl TotalsAnnex {
    /// Those of a file of `table`; none if its rows are not added up.
    pub(crate) fn of(table: Table) -> io::Result<Option<Self>> {
        let totals = Totals::of(table).map_err(io::Error::other)?;
        Ok(totals.map(|totals| Self(Some(totals))))
    }
}

impl Annex for TotalsAnnex {
    fn name(&self) -> &'static str {
        TOTALS
    }

    fn add(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let Some(totals) = &mut self.0 else {
            return Ok(());
        };
        totals.add(rows, 1).map_err(io::Error::other)?;
        if totals.seen >= JUDGED_AFTER && totals.are_too_many() {
            self.0 = None;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Option<Vec<u8>>> {
        let Some(totals) = self.0.filter(|totals| !totals.are_too_many()) else {
            return Ok(None);
        };
        totals.into_parquet().map_err(io::Error::other)
    }
}

fn schema_of(table: Table, totalled: &Totalled) -> Result<SchemaRef, ArrowError> {
    let stored = stored_schema(table);
    let by = totalled.by.iter();
    let by = by.map(|name| stored.field_with_name(name).cloned());
    let mut fields = by.collect::<Result<Vec<_>, _>>()?;
    fields.push(Field::new(ROWS, DataType::Int64, false));
    let sums = totalled.sums.iter();
    fields.extend(sums.map(|name| Field::new(*name, SUM_TYPE, false)));
    Ok(Arc::new(Schema::new(fields)))
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    rows.column_by_name(name).ok_or_else(|| unfit(name))
}

fn unfit(name: &str) -> ArrowError {
    ArrowError::SchemaError(format!("there are no totals without {name}"))
}
