//! The ledger's tables and views, each with a number that stays.

use arrow::datatypes::SchemaRef;
use datafusion::catalog::CatalogProvider;
use datafusion::datasource::TableType;
use datafusion::error::DataFusionError;
use tieout_treasury::{Described, Kind};

/// Numbers below are those of what every Postgres has.
const FIRST_OID: u32 = 16_384;
/// The OID of the schema `public`, as everywhere.
pub const PUBLIC_OID: u32 = 2200;
/// That of `pg_catalog`.
pub const PG_CATALOG_OID: u32 = 11;
/// That of `information_schema`.
pub const INFORMATION_OID: u32 = 13_000;
/// That of `history`.
pub const HISTORY_OID: u32 = 16_383;
/// That of the table `pg_class`, which comments name.
pub const PG_CLASS_OID: u32 = 1259;

/// The number of a table of `pg_catalog`, as every Postgres has it; clients ask for few.
pub fn catalog_oid(text: &str) -> Option<u32> {
    Some(match text.strip_prefix("pg_catalog.").unwrap_or(text) {
        "pg_type" => 1247,
        "pg_attribute" => 1249,
        "pg_proc" => 1255,
        "pg_class" => PG_CLASS_OID,
        "pg_database" => 1262,
        "pg_constraint" => 2606,
        "pg_namespace" => 2615,
        _ => return None,
    })
}

/// A table or view.
pub struct Relation {
    /// Its number: the same in every session and state, as it comes from the name.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it is a query by a name.
    pub is_view: bool,
    /// Its columns.
    pub columns: SchemaRef,
    /// What its rows are.
    pub comment: Option<String>,
    /// What each column says, in their order.
    pub column_comments: Vec<Option<String>>,
    /// The query, if it is a view.
    pub definition: Option<String>,
}

/// The tables and views, ordered by schema and name.
pub struct Relations(pub Vec<Relation>);

/// The number of a schema.
pub fn schema_oid(schema: &str) -> Option<u32> {
    match schema {
        "public" => Some(PUBLIC_OID),
        "history" => Some(HISTORY_OID),
        "pg_catalog" => Some(PG_CATALOG_OID),
        "information_schema" => Some(INFORMATION_OID),
        _ => None,
    }
}

impl Relations {
    /// Those with these schemas and names.
    pub async fn of(
        provider: &dyn CatalogProvider,
        names: &[(String, String)],
    ) -> Result<Self, DataFusionError> {
        let mut relations: Vec<Relation> = Vec::with_capacity(names.len());
        for (schema, name) in names {
            let Some(tables) = provider.schema(schema) else {
                continue;
            };
            let Some(table) = tables.table(name).await? else {
                continue;
            };
            let columns = table.schema();
            let mut oid = number(schema, name);
            while relations.iter().any(|other| other.oid == oid) {
                oid += 1;
            }
            let (described, column_comments) = words(name, &columns);
            let is_view = described.map_or_else(
                // A table may be a query, too: for the rows that hold.
                || table.table_type() == TableType::View,
                |described| described.kind == Kind::View,
            );
            // That of a table of somebody's own would say where its files lie.
            let definition = table
                .get_table_definition()
                .filter(|_| is_view || described.is_some());
            relations.push(Relation {
                oid,
                schema: schema.clone(),
                name: name.clone(),
                is_view,
                columns,
                comment: described.map(|described| described.comment.clone()),
                column_comments,
                definition: definition.map(str::to_owned),
            });
        }
        Ok(Self(relations))
    }

    /// The relation that `text` names, `schema.name` or a name in `public`.
    pub fn named(&self, text: &str) -> Option<&Relation> {
        let text = text.replace('"', "");
        let text = text.strip_prefix("tieout.").unwrap_or(&text);
        let (schema, name) = text.split_once('.').unwrap_or(("public", text));
        let mut all = self.0.iter();
        all.find(|relation| relation.schema == schema && relation.name == name)
    }

    /// The relation with a number.
    pub fn numbered(&self, oid: i64) -> Option<&Relation> {
        let mut all = self.0.iter();
        all.find(|relation| i64::from(relation.oid) == oid)
    }
}

/// What the treasury says of a table or view. All rows of a table are described as those that hold.
fn words(name: &str, columns: &SchemaRef) -> (Option<&'static Described>, Vec<Option<String>>) {
    let described = tieout_treasury::relations().find(|described| described.name == name);
    let fields = columns.fields().iter();
    let said = fields.map(|field| Some(described?.column(field.name())?.to_owned()));
    (described, said.collect())
}

/// A number from a name (FNV-1a), so that what a client remembers stays right.
fn number(schema: &str, name: &str) -> u32 {
    let bytes = schema.bytes().chain([b'.']).chain(name.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    FIRST_OID + (hash >> 40) as u32
}
