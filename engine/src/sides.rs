//! Rows of one table in the shape of another, for recipes whose sides are not bank lines and
//! open items: processors' settlement lines that pay or are paid, and items that mirror items.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, RecordBatch, StringArray,
    new_null_array,
};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Schema, UInt64Type};
use tieout_core::schema::{AMOUNT_TYPE, Table, parsed_remittance_lines, parsed_transactions};
use tieout_core::{Channel, Direction, Feed, IdentityHasher, ItemKind, LineId, SettlementType};

use crate::EngineError;
use crate::intake::{arrow, internal};

/// Hexadecimal digits of a line's content that make its item's identifier its own.
const ID_DIGITS: usize = 8;

/// The columns of one table, by name.
struct Rows<'a> {
    table: Table,
    batch: &'a RecordBatch,
}

impl<'a> Rows<'a> {
    fn column(&self, name: &str) -> &'a ArrayRef {
        self.batch.column(self.table.column(name))
    }

    fn text(&self, name: &str) -> Result<&'a StringArray, EngineError> {
        let column = self.column(name).as_string_opt::<i32>();
        column.ok_or_else(|| internal(format!("{name} is no text")))
    }

    fn money(&self, name: &str) -> Result<&'a Decimal128Array, EngineError> {
        let column = self.column(name).as_primitive_opt::<Decimal128Type>();
        column.ok_or_else(|| internal(format!("{name} is no amount")))
    }

    fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// What tells the rows apart: everything but where they stand.
    fn identities(&self, domain: &str) -> Vec<LineId> {
        let place = [
            "source_file",
            "source_line",
            "byte_start",
            "byte_end",
            "settlement_line_id",
        ];
        let schema = self.batch.schema();
        let own: Vec<&ArrayRef> = schema
            .fields()
            .iter()
            .zip(self.batch.columns())
            .filter(|(field, _)| !place.contains(&field.name().as_str()))
            .map(|(_, column)| column)
            .collect();
        let identity = |row| {
            let mut content = IdentityHasher::new(domain);
            for column in &own {
                content.field(&bytes_of(column, row));
            }
            content.finish()
        };
        (0..self.len()).map(identity).collect()
    }
}

fn bytes_of(column: &ArrayRef, row: usize) -> Vec<u8> {
    if column.is_null(row) {
        return Vec::new();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).as_bytes().to_vec(),
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            days.to_le_bytes().to_vec()
        }
        DataType::UInt64 => {
            let count = column.as_primitive::<UInt64Type>().value(row);
            count.to_le_bytes().to_vec()
        }
        DataType::Decimal128(..) => {
            let units = column.as_primitive::<Decimal128Type>().value(row);
            units.to_le_bytes().to_vec()
        }
        _ => Vec::new(),
    }
}

/// Columns of a table in the making; what is not set is null, or empty where null may not be.
struct Made {
    schema: Arc<Schema>,
    columns: Vec<ArrayRef>,
}

impl Made {
    fn of(schema: Arc<Schema>, rows: usize) -> Self {
        let columns = schema.fields().iter().map(|field| match field.data_type() {
            DataType::UInt64 if !field.is_nullable() => {
                Arc::new(arrow::array::UInt64Array::from(vec![0; rows])) as ArrayRef
            }
            other => new_null_array(other, rows),
        });
        Self {
            columns: columns.collect(),
            schema,
        }
    }

    fn set(&mut self, name: &str, column: ArrayRef) -> Result<(), EngineError> {
        let place = self.schema.index_of(name).map_err(arrow)?;
        self.columns[place] = column;
        Ok(())
    }

    fn set_text<'t>(
        &mut self,
        name: &str,
        texts: impl Iterator<Item = Option<&'t str>>,
    ) -> Result<(), EngineError> {
        let texts: StringArray = texts
            .map(|text| text.filter(|text| !text.is_empty()))
            .collect();
        self.set(name, Arc::new(texts))
    }

    /// The same in every row.
    fn set_all(&mut self, name: &str, text: &str, rows: usize) -> Result<(), EngineError> {
        let texts = StringArray::from_iter_values(std::iter::repeat_n(text, rows));
        self.set(name, Arc::new(texts))
    }

    fn copy(&mut self, from: &Rows, names: &[(&str, &str)]) -> Result<(), EngineError> {
        for (name, other) in names {
            self.set(name, Arc::clone(from.column(other)))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<RecordBatch, EngineError> {
        RecordBatch::try_new(self.schema, self.columns).map_err(arrow)
    }
}

fn amounts(units: impl Iterator<Item = i128>) -> ArrayRef {
    let amounts = Decimal128Array::from_iter_values(units);
    Arc::new(amounts.with_data_type(AMOUNT_TYPE))
}

fn identities(ids: &[LineId]) -> Result<ArrayRef, EngineError> {
    let bytes = ids.iter().map(|id| id.to_bytes());
    let array = arrow::array::FixedSizeBinaryArray::try_from_iter(bytes);
    array
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(arrow)
}

/// Joins what two columns have of a row.
fn joined(left: &StringArray, right: &StringArray) -> Vec<String> {
    let pairs = left.iter().zip(right);
    pairs
        .map(|pair| match pair {
            (Some(left), Some(right)) => format!("{left} {right}"),
            (one, other) => one.or(other).unwrap_or_default().to_owned(),
        })
        .collect()
}

fn no_documents() -> RecordBatch {
    RecordBatch::new_empty(parsed_remittance_lines())
}

/// Bank lines as a parser gives them.
pub struct Parsed {
    /// The lines.
    pub transactions: RecordBatch,
    /// Their documents: none.
    pub remittance_lines: RecordBatch,
}

/// Whether a line of this kind undoes an earlier one.
fn undoes(line_type: Option<&str>) -> bool {
    matches!(
        line_type.and_then(SettlementType::from_code),
        Some(
            SettlementType::Refund
                | SettlementType::RefundReversal
                | SettlementType::Chargeback
                | SettlementType::ChargebackReversal
        )
    )
}

/// Settlement lines as payments of the processor's customers, for what they paid: fees are
/// charges. What refers to an earlier line undoes it.
///
/// # Errors
/// [`EngineError::Internal`] if `batch` is not of the table `settlement_lines`.
pub fn settlement_as_lines(batch: &RecordBatch) -> Result<Parsed, EngineError> {
    let rows = Rows {
        table: Table::SettlementLines,
        batch,
    };
    let (gross, net) = (rows.money("gross")?, rows.money("net")?);
    let units: Vec<i128> = gross
        .values()
        .iter()
        .zip(net.values())
        .map(|(&gross, &net)| if gross == 0 { net } else { gross })
        .collect();
    let types = rows.text("line_type")?;
    let undoing: Vec<bool> = types.iter().map(undoes).collect();
    let (original, merchant) = (
        rows.text("original_reference")?,
        rows.text("merchant_reference")?,
    );
    let texts = joined(merchant, rows.text("description")?);
    // A line that undoes another names it outright; what else it says may fit others too.
    let names_original =
        |row: usize| undoing[row] && original.is_valid(row) && !original.value(row).is_empty();
    let count = rows.len();
    let mut made = Made::of(parsed_transactions(), count);
    made.set("identity", identities(&rows.identities("settlement"))?)?;
    made.copy(
        &rows,
        &[
            ("source_file", "source_file"),
            ("source_line", "source_line"),
            ("booking_date", "booking_date"),
            ("value_date", "settlement_date"),
            ("currency", "currency"),
            ("type_code", "line_type"),
            ("bank_reference", "processor_reference"),
            ("counterparty_name", "customer_name"),
            ("statement_id", "payout_reference"),
            ("byte_start", "byte_start"),
            ("byte_end", "byte_end"),
            ("charges", "fee"),
        ],
    )?;
    let accounts = rows.text("merchant_account")?;
    let processors = rows.text("processor")?;
    let accounts = accounts.iter().zip(processors);
    made.set_text("account", accounts.map(|(own, other)| own.or(other)))?;
    made.set_text("direction", units.iter().map(|&it| Some(direction(it))))?;
    made.set("amount", amounts(units.iter().map(|units| units.abs())))?;
    let ids = (0..count).map(|row| {
        let id = merchant.is_valid(row).then(|| merchant.value(row));
        id.filter(|_| !names_original(row))
    });
    made.set_text("end_to_end_id", ids)?;
    let texts = texts.iter().enumerate().map(|(row, text)| {
        Some(if names_original(row) {
            original.value(row)
        } else {
            text.as_str()
        })
    });
    made.set_text("remittance_text", texts)?;
    made.set("reversal", Arc::new(BooleanArray::from(undoing.clone())))?;
    made.set_all("status", "BOOK", count)?;
    made.set_all("channel", Channel::Processor.code(), count)?;
    made.set_all("feed", Feed::Statement.code(), count)?;
    Ok(Parsed {
        transactions: made.finish()?,
        remittance_lines: no_documents(),
    })
}

fn direction(units: i128) -> &'static str {
    if units < 0 {
        Direction::Debit.code()
    } else {
        Direction::Credit.code()
    }
}

/// Settlement lines as items that payouts pay: each for what it adds to its payout, or takes
/// off it.
///
/// # Errors
/// [`EngineError::Internal`] if `batch` is not of the table `settlement_lines`.
pub fn settlement_as_items(batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let rows = Rows {
        table: Table::SettlementLines,
        batch,
    };
    let (processors, references) = (rows.text("processor")?, rows.text("processor_reference")?);
    let types = rows.text("line_type")?;
    let ids: Vec<String> = rows
        .identities("settlement item")
        .iter()
        .enumerate()
        .map(|(row, id)| {
            let named = references.is_valid(row).then(|| references.value(row));
            let named = named.filter(|name| !name.is_empty());
            let own = id.to_string();
            format!(
                "{}:{}:{}",
                processors.value(row),
                named.unwrap_or_else(|| types.value(row)),
                &own[..ID_DIGITS.min(own.len())]
            )
        })
        .collect();
    let count = rows.len();
    let mut made = Made::of(Table::OpenItems.schema(), count);
    made.set_text("item_id", ids.iter().map(|id| Some(id.as_str())))?;
    made.set_all("kind", ItemKind::Payout.code(), count)?;
    made.copy(
        &rows,
        &[
            ("entity", "merchant_account"),
            ("party_id", "processor"),
            ("number", "processor_reference"),
            ("po_number", "payout_reference"),
            ("currency", "currency"),
            ("amount", "net"),
            ("open_amount", "net"),
            ("issue_date", "settlement_date"),
            ("source_file", "source_file"),
            ("source_line", "source_line"),
            ("extra", "line_type"),
        ],
    )?;
    made.finish()
}

/// Open items as payments of what mirrors them: a bill of one entity pays the invoice of another.
///
/// # Errors
/// [`EngineError::Internal`] if `batch` is not of the table `open_items`.
pub fn items_as_lines(batch: &RecordBatch) -> Result<Parsed, EngineError> {
    let rows = Rows {
        table: Table::OpenItems,
        batch,
    };
    let open = rows.money("open_amount")?;
    let kinds = rows.text("kind")?;
    let directions = kinds.iter().zip(open.values()).map(|(kind, &units)| {
        let kind = kind.and_then(ItemKind::from_code);
        let own = kind.unwrap_or(ItemKind::Invoice).settled_by();
        // Credits are written with and without a sign.
        let turned = units < 0 && !kind.is_some_and(ItemKind::is_credit);
        let own = if turned { own.opposite() } else { own };
        Some(own.opposite().code())
    });
    let texts = joined(rows.text("number")?, rows.text("po_number")?);
    let count = rows.len();
    let mut made = Made::of(parsed_transactions(), count);
    made.set("identity", identities(&rows.identities("mirror"))?)?;
    made.set_text("direction", directions)?;
    made.set(
        "amount",
        amounts(open.values().iter().map(|units| units.abs())),
    )?;
    made.copy(
        &rows,
        &[
            ("source_file", "source_file"),
            ("source_line", "source_line"),
            ("account", "entity"),
            ("booking_date", "issue_date"),
            ("value_date", "due_date"),
            ("currency", "currency"),
            ("type_code", "kind"),
            ("bank_reference", "item_id"),
            ("end_to_end_id", "number"),
            ("customer_number", "party_id"),
        ],
    )?;
    made.set_text("remittance_text", texts.iter().map(|it| Some(it.as_str())))?;
    let none = BooleanArray::from(vec![false; count]);
    made.set("reversal", Arc::new(none))?;
    made.set_all("status", "BOOK", count)?;
    made.set_all("channel", Channel::Books.code(), count)?;
    made.set_all("feed", Feed::Statement.code(), count)?;
    Ok(Parsed {
        transactions: made.finish()?,
        remittance_lines: no_documents(),
    })
}

/// The lines as the table `transactions` has them, for conditions that are asked before a line
/// has its identifier.
///
/// # Errors
/// [`EngineError::Internal`] if they have not their shape.
pub fn as_table(parsed: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let mut columns = parsed.columns().to_vec();
    let none = StringArray::from_iter_values(std::iter::repeat_n("", parsed.num_rows()));
    columns[0] = Arc::new(none);
    RecordBatch::try_new(Table::Transactions.schema(), columns).map_err(arrow)
}
