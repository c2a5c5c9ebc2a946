//! The view `catalog`: every relation and column with its type and what it says.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::{MemTable, SchemaProvider, TableProvider};
use datafusion::error::Result;
use tieout_core::schema::AMOUNT_TYPE;

use super::{Described, DescribedColumn, Kind, relations};

/// Its name.
pub(crate) const LISTING: &str = "catalog";

#[derive(Default)]
struct Columns {
    relation: Vec<String>,
    kind: Vec<&'static str>,
    place: Vec<u64>,
    column: Vec<Option<String>>,
    data_type: Vec<Option<String>>,
    comment: Vec<Option<String>>,
}

impl Columns {
    fn describe(&mut self, described: &Described, schema: Option<&Schema>) {
        let comment = Some(described.comment.clone());
        self.push(described, 0, None, None, comment);
        let Some(schema) = schema else {
            return;
        };
        for (place, field) in (1..).zip(schema.fields()) {
            let name = field.name();
            let comment = described.column(name).map(str::to_owned);
            let data_type = Some(type_name(field.data_type()));
            self.push(described, place, Some(name.clone()), data_type, comment);
        }
    }

    /// A table that the user has joined in.
    fn add_own(&mut self, name: &str, schema: &Schema) {
        let columns = schema.fields().iter().map(|field| DescribedColumn {
            name: field.name().clone(),
            comment: "As the file has it".to_owned(),
        });
        let described = Described {
            name: name.to_owned(),
            kind: Kind::Table,
            comment: "Files of your own".to_owned(),
            columns: columns.collect(),
            parameters: Vec::new(),
        };
        self.describe(&described, Some(schema));
    }

    fn push(
        &mut self,
        described: &Described,
        place: u64,
        column: Option<String>,
        data_type: Option<String>,
        comment: Option<String>,
    ) {
        self.relation.push(described.name.clone());
        self.kind.push(described.kind.word());
        self.place.push(place);
        self.column.push(column);
        self.data_type.push(data_type);
        self.comment.push(comment);
    }

    fn finish(self) -> Result<RecordBatch> {
        let text = |name| Field::new(name, DataType::Utf8, true);
        let schema = Schema::new(vec![
            text("relation"),
            text("kind"),
            Field::new("place", DataType::UInt64, false),
            text("column_name"),
            text("data_type"),
            text("comment"),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(self.relation)),
            Arc::new(StringArray::from(self.kind)),
            Arc::new(UInt64Array::from(self.place)),
            Arc::new(StringArray::from(self.column)),
            Arc::new(StringArray::from(self.data_type)),
            Arc::new(StringArray::from(self.comment)),
        ];
        Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
    }
}

/// The view over the relations of `schema`.
pub(crate) async fn listing(schema: &dyn SchemaProvider) -> Result<Arc<dyn TableProvider>> {
    let mut columns = Columns::default();
    for described in relations() {
        let table = if described.name == LISTING {
            None
        } else {
            schema.table(&described.name).await?
        };
        let fields = table.map(|table| table.schema());
        columns.describe(described, fields.as_deref());
    }
    for name in schema.table_names() {
        let is_described = relations().any(|described| described.name == name);
        if !is_described && let Some(table) = schema.table(&name).await? {
            columns.add_own(&name, &table.schema());
        }
    }
    let rows = columns.finish()?;
    Ok(Arc::new(MemTable::try_new(
        rows.schema(),
        vec![vec![rows]],
    )?))
}

/// A type as SQL has it.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt64 => "bigint".to_owned(),
        amount if *amount == AMOUNT_TYPE => "numeric(23,5)".to_owned(),
        DataType::Decimal128(digits, scale) => format!("numeric({digits},{scale})"),
        other => other.to_string(),
    }
}
