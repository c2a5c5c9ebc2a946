//! Which Postgres type a column has.

use arrow::datatypes::{DataType, TimeUnit};

/// OIDs of types, as every Postgres has them.
pub mod oid {
    #![allow(missing_docs, reason = "the names say all")]
    pub const BOOL: u32 = 16;
    pub const BYTEA: u32 = 17;
    pub const CHAR: u32 = 18;
    pub const NAME: u32 = 19;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const OID: u32 = 26;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const UNKNOWN: u32 = 705;
    pub const BPCHAR: u32 = 1042;
    pub const VARCHAR: u32 = 1043;
    pub const DATE: u32 = 1082;
    pub const TIME: u32 = 1083;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const INTERVAL: u32 = 1186;
    pub const NUMERIC: u32 = 1700;
    pub const UUID: u32 = 2950;
}

/// A type: its OID, name in SQL, bytes (-1 if they differ), OID of its arrays, category.
pub struct PgType {
    /// Its OID.
    pub oid: u32,
    /// Its name in the catalog.
    pub name: &'static str,
    /// Its name in SQL.
    pub sql: &'static str,
    /// Bytes of a value; -1 if they differ.
    pub size: i16,
    /// The OID of its arrays.
    pub array: u32,
    /// The letter of its kind: numbers, texts, dates.
    pub category: &'static str,
}

const fn pg_type(
    oid: u32,
    name: &'static str,
    sql: &'static str,
    size: i16,
    array: u32,
    category: &'static str,
) -> PgType {
    PgType {
        oid,
        name,
        sql,
        size,
        array,
        category,
    }
}

/// The types that a client may meet.
pub const TYPES: [PgType; 20] = [
    pg_type(oid::BOOL, "bool", "boolean", 1, 1000, "B"),
    pg_type(oid::BYTEA, "bytea", "bytea", -1, 1001, "U"),
    pg_type(oid::CHAR, "char", "\"char\"", 1, 1002, "Z"),
    pg_type(oid::NAME, "name", "name", 64, 1003, "S"),
    pg_type(oid::INT8, "int8", "bigint", 8, 1016, "N"),
    pg_type(oid::INT2, "int2", "smallint", 2, 1005, "N"),
    pg_type(oid::INT4, "int4", "integer", 4, 1007, "N"),
    pg_type(oid::TEXT, "text", "text", -1, 1009, "S"),
    pg_type(oid::OID, "oid", "oid", 4, 1028, "N"),
    pg_type(oid::FLOAT4, "float4", "real", 4, 1021, "N"),
    pg_type(oid::FLOAT8, "float8", "double precision", 8, 1022, "N"),
    pg_type(oid::BPCHAR, "bpchar", "character", -1, 1014, "S"),
    pg_type(oid::VARCHAR, "varchar", "character varying", -1, 1015, "S"),
    pg_type(oid::DATE, "date", "date", 4, 1182, "D"),
    pg_type(oid::TIME, "time", "time without time zone", 8, 1183, "D"),
    pg_type(
        oid::TIMESTAMP,
        "timestamp",
        "timestamp without time zone",
        8,
        1115,
        "D",
    ),
    pg_type(
        oid::TIMESTAMPTZ,
        "timestamptz",
        "timestamp with time zone",
        8,
        1185,
        "D",
    ),
    pg_type(oid::INTERVAL, "interval", "interval", 16, 1187, "T"),
    pg_type(oid::NUMERIC, "numeric", "numeric", -1, 1231, "N"),
    pg_type(oid::UUID, "uuid", "uuid", 16, 2951, "U"),
];

/// The type with an OID.
pub fn by_oid(oid: u32) -> Option<&'static PgType> {
    TYPES.iter().find(|pg| pg.oid == oid)
}

/// The type with a name of either kind.
pub fn by_name(name: &str) -> Option<&'static PgType> {
    TYPES.iter().find(|pg| pg.name == name || pg.sql == name)
}

/// The OID of a type as SQL may write it: `int`, `numeric(12, 2)`, `text[]`.
pub fn oid_named(text: &str) -> Option<u32> {
    let text = text.to_lowercase();
    if let Some(item) = text.strip_suffix("[]") {
        return by_oid(oid_named(item)?).map(|pg| pg.array);
    }
    // Lengths say nothing about how values are read; what follows them does.
    let name = match text.split_once('(') {
        None => text,
        Some((name, rest)) => format!("{name}{}", rest.split_once(')')?.1),
    };
    Some(match name.as_str() {
        "int" => oid::INT4,
        "dec" | "decimal" => oid::NUMERIC,
        "float" => oid::FLOAT8,
        "char" => oid::BPCHAR,
        other => by_name(other)?.oid,
    })
}

/// The type whose arrays have an OID.
pub fn of_array(oid: u32) -> Option<&'static PgType> {
    TYPES.iter().find(|pg| pg.array == oid)
}

/// The OID of a column's type.
pub fn oid_of(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Boolean => oid::BOOL,
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => oid::INT2,
        DataType::UInt16 | DataType::Int32 => oid::INT4,
        DataType::UInt32 | DataType::Int64 | DataType::UInt64 => oid::INT8,
        DataType::Float16 | DataType::Float32 => oid::FLOAT4,
        DataType::Float64 => oid::FLOAT8,
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => oid::NUMERIC,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => oid::BYTEA,
        DataType::Date32 | DataType::Date64 => oid::DATE,
        DataType::Time32(_) | DataType::Time64(_) => oid::TIME,
        DataType::Timestamp(_, None) => oid::TIMESTAMP,
        DataType::Timestamp(_, Some(_)) => oid::TIMESTAMPTZ,
        DataType::Interval(_) | DataType::Duration(_) => oid::INTERVAL,
        DataType::Dictionary(_, values) => oid_of(values),
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            by_oid(oid_of(field.data_type())).map_or(1009, |pg| pg.array)
        }
        _ => oid::TEXT,
    }
}

/// Bytes of a value of the type; -1 if they differ.
pub fn size_of(oid: u32) -> i16 {
    by_oid(oid).map_or(-1, |pg| pg.size)
}

/// Precision and scale, as Postgres packs them; -1 if there is nothing to say.
pub fn modifier_of(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale)
            if *scale >= 0 =>
        {
            (i32::from(*precision) << 16 | i32::from(*scale)) + 4
        }
        DataType::Dictionary(_, values) => modifier_of(values),
        _ => -1,
    }
}

/// The type as SQL writes it: `numeric(23,5)`, `text[]`.
pub fn format_type(type_oid: u32, modifier: i32) -> String {
    if let Some(pg) = of_array(type_oid) {
        return format!("{}[]", pg.sql);
    }
    match by_oid(type_oid) {
        None => "???".to_owned(),
        Some(pg) if pg.oid == oid::NUMERIC && modifier >= 4 => {
            let packed = modifier - 4;
            format!("numeric({},{})", packed >> 16, packed & 0x7ff)
        }
        Some(pg) => pg.sql.to_owned(),
    }
}

/// What a parameter of a type is to the query engine; none for a numeric, whose digits say it.
pub fn data_type_of(oid: u32) -> Option<DataType> {
    Some(match oid {
        oid::BOOL => DataType::Boolean,
        oid::BYTEA => DataType::Binary,
        oid::INT8 | oid::OID => DataType::Int64,
        oid::INT2 => DataType::Int16,
        oid::INT4 => DataType::Int32,
        oid::FLOAT4 => DataType::Float32,
        oid::FLOAT8 => DataType::Float64,
        oid::DATE => DataType::Date32,
        oid::TIME => DataType::Time64(TimeUnit::Microsecond),
        oid::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        oid::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        oid::NUMERIC => return None,
        _ => DataType::Utf8,
    })
}

/// How a parameter of a type is cast in SQL, so that what stands beside it is planned rightly;
/// none where its place says more than the client does.
pub fn cast_of(type_oid: u32) -> Option<String> {
    if let Some(pg) = of_array(type_oid) {
        return Some(format!(
            "{}[]",
            cast_of(pg.oid).unwrap_or("varchar".to_owned())
        ));
    }
    let name = match type_oid {
        oid::BOOL => "boolean",
        oid::BYTEA => "bytea",
        oid::INT8 | oid::OID => "bigint",
        oid::INT2 => "smallint",
        oid::INT4 => "integer",
        oid::FLOAT4 => "real",
        oid::FLOAT8 => "double precision",
        oid::DATE => "date",
        oid::TIME => "time",
        oid::TIMESTAMP => "timestamp",
        oid::TIMESTAMPTZ => "timestamp with time zone",
        _ => return None,
    };
    Some(name.to_owned())
}
