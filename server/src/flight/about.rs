//! What there is: catalogs, schemas, tables, types, and what the server can.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{
    SqlInfoData, SqlInfoDataBuilder, XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder,
};
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables, Nullable,
    Searchable, SqlInfo, SqlSupportedCaseSensitivity, SqlSupportedTransaction, XdbcDataType,
};

use crate::access::Allowed;
use crate::catalog::{DATABASE, Relations};
use crate::values::types::{PgType, TYPES, oid};

const TABLE: &str = "TABLE";
const VIEW: &str = "VIEW";
/// Digits of an amount.
const DIGITS_MAX: i32 = 38;

/// The one catalog.
pub fn catalogs(asked: CommandGetCatalogs) -> Result<RecordBatch, FlightError> {
    let mut builder = asked.into_builder();
    builder.append(DATABASE);
    builder.build()
}

/// The schemas.
pub fn schemas(
    asked: CommandGetDbSchemas,
    relations: &Relations,
) -> Result<RecordBatch, FlightError> {
    let mut builder = asked.into_builder();
    let mut names: Vec<_> = relations
        .0
        .iter()
        .map(|relation| &relation.schema)
        .collect();
    names.dedup();
    for name in names {
        builder.append(DATABASE, name);
    }
    builder.build()
}

/// Tables and views, those that the user may read.
pub fn tables(
    asked: CommandGetTables,
    relations: &Relations,
    allowed: &Allowed,
) -> Result<RecordBatch, FlightError> {
    let mut builder = asked.into_builder();
    let readable = relations.0.iter();
    let readable = readable.filter(|relation| allowed.is(&relation.schema, &relation.name));
    for relation in readable {
        let kind = if relation.is_view { VIEW } else { TABLE };
        let (schema, name) = (&relation.schema, &relation.name);
        builder.append(DATABASE, schema, name, kind, &relation.columns)?;
    }
    builder.build()
}

/// The kinds of tables.
pub fn table_types(asked: CommandGetTableTypes) -> Result<RecordBatch, FlightError> {
    let mut builder = asked.into_builder();
    builder.append(TABLE);
    builder.append(VIEW);
    builder.build()
}

/// What the server is and can.
pub fn sql_info() -> Result<SqlInfoData, FlightError> {
    let lower = SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase as i32;
    let as_written = SqlSupportedCaseSensitivity::SqlCaseSensitivityUnknown as i32;
    let mut builder = SqlInfoDataBuilder::new();
    builder.append(SqlInfo::FlightSqlServerName, "tieout");
    builder.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    builder.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    builder.append(SqlInfo::FlightSqlServerReadOnly, true);
    builder.append(SqlInfo::FlightSqlServerSql, true);
    builder.append(SqlInfo::FlightSqlServerSubstrait, false);
    builder.append(
        SqlInfo::FlightSqlServerTransaction,
        SqlSupportedTransaction::None as i32,
    );
    builder.append(SqlInfo::FlightSqlServerCancel, true);
    builder.append(SqlInfo::FlightSqlServerBulkIngestion, false);
    builder.append(SqlInfo::SqlDdlCatalog, false);
    builder.append(SqlInfo::SqlDdlSchema, false);
    builder.append(SqlInfo::SqlDdlTable, false);
    builder.append(SqlInfo::SqlIdentifierCase, lower);
    builder.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    builder.append(SqlInfo::SqlQuotedIdentifierCase, as_written);
    builder.build()
}

/// The types of columns, as ODBC and JDBC call them.
pub fn types() -> Result<XdbcTypeInfoData, FlightError> {
    let mut builder = XdbcTypeInfoDataBuilder::new();
    for pg in &TYPES {
        if let Some(data_type) = xdbc(pg.oid) {
            builder.append(about_type(pg, data_type));
        }
    }
    builder.build()
}

fn about_type(pg: &PgType, data_type: XdbcDataType) -> XdbcTypeInfo {
    let is_number = pg.category == "N";
    let quote = (!is_number && pg.oid != oid::BOOL).then(|| "'".to_owned());
    let is_amount = pg.oid == oid::NUMERIC;
    XdbcTypeInfo {
        type_name: pg.sql.to_owned(),
        local_type_name: Some(pg.sql.to_owned()),
        data_type,
        sql_data_type: data_type,
        column_size: if is_amount {
            Some(DIGITS_MAX)
        } else {
            (pg.size > 0).then(|| i32::from(pg.size))
        },
        literal_prefix: quote.clone(),
        literal_suffix: quote,
        create_params: is_amount.then(|| vec!["precision".to_owned(), "scale".to_owned()]),
        nullable: Nullable::NullabilityNullable,
        case_sensitive: pg.category == "S",
        searchable: Searchable::Full,
        unsigned_attribute: is_number.then_some(false),
        auto_increment: Some(false),
        minimum_scale: is_amount.then_some(0),
        maximum_scale: is_amount.then_some(DIGITS_MAX),
        num_prec_radix: is_number.then_some(10),
        ..XdbcTypeInfo::default()
    }
}

fn xdbc(type_oid: u32) -> Option<XdbcDataType> {
    Some(match type_oid {
        oid::BOOL => XdbcDataType::XdbcBit,
        oid::BYTEA => XdbcDataType::XdbcVarbinary,
        oid::INT8 => XdbcDataType::XdbcBigint,
        oid::INT4 => XdbcDataType::XdbcInteger,
        oid::INT2 => XdbcDataType::XdbcSmallint,
        oid::FLOAT4 => XdbcDataType::XdbcReal,
        oid::FLOAT8 => XdbcDataType::XdbcDouble,
        oid::NUMERIC => XdbcDataType::XdbcDecimal,
        oid::TEXT => XdbcDataType::XdbcVarchar,
        oid::DATE => XdbcDataType::XdbcDate,
        oid::TIME => XdbcDataType::XdbcTime,
        oid::TIMESTAMP => XdbcDataType::XdbcTimestamp,
        oid::INTERVAL => XdbcDataType::XdbcInterval,
        _ => return None,
    })
}

/// Primary keys, of which there are none declared.
pub fn no_primary_keys() -> RecordBatch {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    RecordBatch::new_empty(
        Schema::new(vec![
            text("catalog_name", true),
            text("db_schema_name", true),
            text("table_name", false),
            text("column_name", false),
            Field::new("key_sequence", DataType::Int32, false),
            text("key_name", true),
        ])
        .into(),
    )
}

/// Foreign keys, of which there are none declared.
pub fn no_foreign_keys() -> RecordBatch {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    RecordBatch::new_empty(
        Schema::new(vec![
            text("pk_catalog_name", true),
            text("pk_db_schema_name", true),
            text("pk_table_name", false),
            text("pk_column_name", false),
            text("fk_catalog_name", true),
            text("fk_db_schema_name", true),
            text("fk_table_name", false),
            text("fk_column_name", false),
            Field::new("key_sequence", DataType::Int32, false),
            text("fk_key_name", true),
            text("pk_key_name", true),
            Field::new("update_rule", DataType::UInt8, false),
            Field::new("delete_rule", DataType::UInt8, false),
        ])
        .into(),
    )
}
