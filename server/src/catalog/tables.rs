//! The rows of `pg_catalog` and `information_schema`.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::error::DataFusionError;

use super::DATABASE;
use super::layout::{self, Cell, Layout, Row};
use super::relations::{
    HISTORY_OID, INFORMATION_OID, PG_CATALOG_OID, PG_CLASS_OID, PUBLIC_OID, Relation, Relations,
    schema_oid,
};
use crate::values::types::{self, PgType, TYPES, oid};

/// The owner of all there is.
pub const OWNER: &str = "tieout";
const OWNER_OID: u32 = 10;
const HEAP_OID: u32 = 2;
const DATABASE_OID: u32 = 5;
const UTF8: u32 = 6;

type Tables = Vec<(String, Arc<dyn TableProvider>)>;

/// The tables of `pg_catalog`.
pub fn pg_catalog(relations: &Relations) -> Result<Tables, DataFusionError> {
    tables(layout::pg_catalog(), |name| match name {
        "pg_namespace" => namespaces(),
        "pg_class" => each(relations, class),
        "pg_attribute" => relations.0.iter().flat_map(attributes).collect(),
        "pg_type" => pg_types(),
        "pg_description" => relations.0.iter().flat_map(descriptions).collect(),
        "pg_database" => vec![vec![
            ("oid", DATABASE_OID.into()),
            ("datname", DATABASE.into()),
            ("datdba", OWNER_OID.into()),
            ("encoding", UTF8.into()),
            ("datlocprovider", "c".into()),
            ("datallowconn", Cell::Truth(true)),
            ("datconnlimit", Cell::Number(-1)),
            ("datcollate", "C".into()),
            ("datctype", "C".into()),
        ]],
        "pg_roles" => vec![vec![
            ("oid", OWNER_OID.into()),
            ("rolname", OWNER.into()),
            ("rolinherit", Cell::Truth(true)),
            ("rolcanlogin", Cell::Truth(true)),
            ("rolconnlimit", Cell::Number(-1)),
        ]],
        "pg_user" => vec![vec![
            ("usename", OWNER.into()),
            ("usesysid", OWNER_OID.into()),
        ]],
        "pg_am" => vec![vec![
            ("oid", HEAP_OID.into()),
            ("amname", "heap".into()),
            ("amtype", "t".into()),
        ]],
        "pg_tablespace" => vec![vec![
            ("oid", Cell::Number(1663)),
            ("spcname", "pg_default".into()),
            ("spcowner", OWNER_OID.into()),
        ]],
        "pg_settings" => crate::session::defaults()
            .map(|(name, value)| {
                vec![
                    ("name", name.into()),
                    ("setting", value.into()),
                    ("category", "Preset Options".into()),
                    ("vartype", "string".into()),
                    ("source", "default".into()),
                ]
            })
            .collect(),
        "pg_tables" => some(
            relations,
            |relation| !relation.is_view,
            |relation| {
                vec![
                    ("schemaname", text(&relation.schema)),
                    ("tablename", text(&relation.name)),
                    ("tableowner", OWNER.into()),
                ]
            },
        ),
        "pg_views" => some(
            relations,
            |relation| relation.is_view,
            |relation| {
                vec![
                    ("schemaname", text(&relation.schema)),
                    ("viewname", text(&relation.name)),
                    ("viewowner", OWNER.into()),
                    ("definition", maybe(relation.definition.as_ref())),
                ]
            },
        ),
        _ => Vec::new(),
    })
}

/// The tables of `information_schema`.
pub fn information_schema(relations: &Relations) -> Result<Tables, DataFusionError> {
    tables(layout::information_schema(), |name| match name {
        "schemata" => ["public", "history", "pg_catalog", "information_schema"]
            .map(|schema| {
                vec![
                    ("catalog_name", DATABASE.into()),
                    ("schema_name", schema.into()),
                    ("schema_owner", OWNER.into()),
                ]
            })
            .to_vec(),
        "tables" => each(relations, |relation| {
            let kind = if relation.is_view {
                "VIEW"
            } else {
                "BASE TABLE"
            };
            vec![
                ("table_catalog", DATABASE.into()),
                ("table_schema", text(&relation.schema)),
                ("table_name", text(&relation.name)),
                ("table_type", kind.into()),
                ("is_insertable_into", "NO".into()),
                ("is_typed", "NO".into()),
            ]
        }),
        "views" => some(
            relations,
            |relation| relation.is_view,
            |relation| {
                vec![
                    ("table_catalog", DATABASE.into()),
                    ("table_schema", text(&relation.schema)),
                    ("table_name", text(&relation.name)),
                    ("view_definition", maybe(relation.definition.as_ref())),
                    ("check_option", "NONE".into()),
                    ("is_updatable", "NO".into()),
                    ("is_insertable_into", "NO".into()),
                ]
            },
        ),
        "columns" => relations.0.iter().flat_map(information_columns).collect(),
        _ => Vec::new(),
    })
}

fn tables(layouts: &[Layout], rows: impl Fn(&str) -> Vec<Row>) -> Result<Tables, DataFusionError> {
    let table = |layout: &Layout| {
        let rows = if layout.is_empty {
            Vec::new()
        } else {
            rows(layout.name)
        };
        let batch = layout.batch(&rows)?;
        let table = MemTable::try_new(layout.schema(), vec![vec![batch]])?;
        Ok((
            layout.name.to_owned(),
            Arc::new(table) as Arc<dyn TableProvider>,
        ))
    };
    layouts.iter().map(table).collect()
}

fn each(relations: &Relations, row: impl Fn(&Relation) -> Row) -> Vec<Row> {
    relations.0.iter().map(row).collect()
}

fn some(
    relations: &Relations,
    which: impl Fn(&Relation) -> bool,
    row: impl Fn(&Relation) -> Row,
) -> Vec<Row> {
    let all = relations.0.iter();
    all.filter(|relation| which(relation)).map(row).collect()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn maybe(text: Option<&String>) -> Cell {
    text.map_or(Cell::Null, |text| Cell::Text(text.clone()))
}

fn namespaces() -> Vec<Row> {
    [
        (PG_CATALOG_OID, "pg_catalog"),
        (PUBLIC_OID, "public"),
        (HISTORY_OID, "history"),
        (INFORMATION_OID, "information_schema"),
    ]
    .map(|(oid, name)| {
        vec![
            ("oid", oid.into()),
            ("nspname", name.into()),
            ("nspowner", OWNER_OID.into()),
        ]
    })
    .to_vec()
}

fn class(relation: &Relation) -> Row {
    vec![
        ("oid", relation.oid.into()),
        ("relname", text(&relation.name)),
        (
            "relnamespace",
            schema_oid(&relation.schema).unwrap_or(0).into(),
        ),
        ("relowner", OWNER_OID.into()),
        ("relam", if relation.is_view { 0 } else { HEAP_OID }.into()),
        ("relfilenode", relation.oid.into()),
        // Nobody has counted them.
        ("reltuples", Cell::Number(-1)),
        ("relpersistence", "p".into()),
        ("relkind", if relation.is_view { "v" } else { "r" }.into()),
        (
            "relnatts",
            Cell::Number(relation.columns.fields().len() as i64),
        ),
        ("relispopulated", Cell::Truth(true)),
        ("relreplident", "n".into()),
    ]
}

fn attributes(relation: &Relation) -> Vec<Row> {
    let fields = relation.columns.fields().iter().enumerate();
    let attribute = |(place, field): (usize, &Arc<arrow::datatypes::Field>)| {
        let type_oid = types::oid_of(field.data_type());
        vec![
            ("attrelid", relation.oid.into()),
            ("attname", text(field.name())),
            ("atttypid", type_oid.into()),
            ("attstattarget", Cell::Number(-1)),
            ("attlen", Cell::Number(types::size_of(type_oid).into())),
            ("attnum", Cell::Number(place as i64 + 1)),
            ("attcacheoff", Cell::Number(-1)),
            (
                "atttypmod",
                Cell::Number(types::modifier_of(field.data_type()).into()),
            ),
            ("attalign", "i".into()),
            ("attstorage", "p".into()),
            ("attcompression", "".into()),
            ("attnotnull", Cell::Truth(!field.is_nullable())),
            ("attidentity", "".into()),
            ("attgenerated", "".into()),
            ("attislocal", Cell::Truth(true)),
        ]
    };
    fields.map(attribute).collect()
}

fn pg_types() -> Vec<Row> {
    let mut rows = Vec::new();
    for pg in &TYPES {
        let is_preferred = [oid::TEXT, oid::FLOAT8, oid::TIMESTAMPTZ, oid::BOOL].contains(&pg.oid);
        let common = |oid: u32, name: String, category: &str, size: i16| -> Row {
            vec![
                ("oid", oid.into()),
                ("typname", Cell::Text(name)),
                ("typnamespace", PG_CATALOG_OID.into()),
                ("typowner", OWNER_OID.into()),
                ("typlen", Cell::Number(size.into())),
                ("typtype", "b".into()),
                ("typcategory", category.into()),
                ("typisdefined", Cell::Truth(true)),
                ("typdelim", ",".into()),
                ("typalign", "i".into()),
                ("typstorage", "p".into()),
                ("typtypmod", Cell::Number(-1)),
                ("typrelid", Cell::Number(0)),
                ("typbasetype", Cell::Number(0)),
            ]
        };
        let mut base = common(pg.oid, pg.name.to_owned(), pg.category, pg.size);
        base.push(("typarray", pg.array.into()));
        base.push(("typelem", Cell::Number(0)));
        base.push(("typispreferred", Cell::Truth(is_preferred)));
        base.extend(functions(pg));
        let mut array = common(pg.array, format!("_{}", pg.name), "A", -1);
        array.push(("typelem", pg.oid.into()));
        array.push(("typarray", Cell::Number(0)));
        array.extend([
            ("typinput", "array_in".into()),
            ("typoutput", "array_out".into()),
            ("typreceive", "array_recv".into()),
            ("typsend", "array_send".into()),
        ]);
        rows.extend([base, array]);
    }
    rows
}

/// What PostgreSQL reads and writes a type's values with: clients tell from it what their bytes are.
fn functions(pg: &PgType) -> [(&'static str, Cell); 4] {
    let is_later = [
        oid::NUMERIC,
        oid::DATE,
        oid::TIME,
        oid::TIMESTAMP,
        oid::TIMESTAMPTZ,
        oid::INTERVAL,
        oid::UUID,
    ];
    let between = if is_later.contains(&pg.oid) { "_" } else { "" };
    let does = |what: &str| Cell::Text(format!("{}{between}{what}", pg.name));
    [
        ("typinput", does("in")),
        ("typoutput", does("out")),
        ("typreceive", does("recv")),
        ("typsend", does("send")),
    ]
}

fn descriptions(relation: &Relation) -> Vec<Row> {
    let comments = [relation.comment.as_ref()].into_iter();
    let comments = comments.chain(relation.column_comments.iter().map(Option::as_ref));
    let described = comments.enumerate().filter_map(|(place, comment)| {
        Some(vec![
            ("objoid", relation.oid.into()),
            ("classoid", PG_CLASS_OID.into()),
            ("objsubid", Cell::Number(place as i64)),
            ("description", text(comment?)),
        ])
    });
    described.collect()
}

fn information_columns(relation: &Relation) -> Vec<Row> {
    let fields = relation.columns.fields().iter().enumerate();
    let column = |(place, field): (usize, &Arc<arrow::datatypes::Field>)| {
        let type_oid = types::oid_of(field.data_type());
        let pg = types::by_oid(type_oid);
        let is_array = types::of_array(type_oid);
        let sql = is_array.map_or_else(|| pg.map_or("text", |pg| pg.sql), |_| "ARRAY");
        let udt = is_array.map_or_else(
            || pg.map_or("text", |pg| pg.name).to_owned(),
            |of| format!("_{}", of.name),
        );
        let (precision, scale) = match field.data_type() {
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => (
                Cell::Number((*precision).into()),
                Cell::Number((*scale).into()),
            ),
            _ => (Cell::Null, Cell::Null),
        };
        vec![
            ("table_catalog", DATABASE.into()),
            ("table_schema", text(&relation.schema)),
            ("table_name", text(&relation.name)),
            ("column_name", text(field.name())),
            ("ordinal_position", Cell::Number(place as i64 + 1)),
            (
                "is_nullable",
                if field.is_nullable() { "YES" } else { "NO" }.into(),
            ),
            ("data_type", sql.into()),
            ("character_maximum_length", Cell::Null),
            ("character_octet_length", Cell::Null),
            ("numeric_precision", precision),
            ("numeric_precision_radix", Cell::Null),
            ("numeric_scale", scale),
            ("datetime_precision", Cell::Null),
            ("interval_precision", Cell::Null),
            ("udt_catalog", DATABASE.into()),
            ("udt_schema", "pg_catalog".into()),
            ("udt_name", Cell::Text(udt)),
            ("is_self_referencing", "NO".into()),
            ("is_identity", "NO".into()),
            ("is_generated", "NEVER".into()),
            ("is_updatable", "NO".into()),
        ]
    };
    fields.map(column).collect()
}
