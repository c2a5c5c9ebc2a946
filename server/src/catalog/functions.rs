//! Functions that clients call when they look into the catalog. They run over a few hundred rows,
//! one by one.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, new_empty_array};
use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

use super::relations::{Relations, schema_oid};
use super::rights;
use super::tables::OWNER;
use crate::values::types;

/// What a function is to some arguments.
type Body = Arc<dyn Fn(&[ScalarValue]) -> ScalarValue + Send + Sync>;

struct PgFunction {
    name: &'static str,
    returns: DataType,
    signature: Signature,
    body: Body,
}

impl std::fmt::Debug for PgFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

// There is one function of a name in a session.
impl PartialEq for PgFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for PgFunction {}

impl Hash for PgFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for PgFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType, DataFusionError> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue, DataFusionError> {
        let are_all_scalars = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if are_all_scalars { 1 } else { args.number_rows };
        if rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(&self.returns)));
        }
        let mut values = Vec::with_capacity(rows);
        for row in 0..rows {
            let of_row = args.args.iter().map(|arg| match arg {
                ColumnarValue::Scalar(value) => Ok(value.clone()),
                ColumnarValue::Array(array) => ScalarValue::try_from_array(array, row),
            });
            let of_row = of_row.collect::<Result<Vec<_>, _>>()?;
            values.push((self.body)(&of_row).cast_to(&self.returns)?);
        }
        if are_all_scalars {
            let value = values.pop().unwrap_or(ScalarValue::Null);
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(ScalarValue::iter_to_array(values)?))
    }
}

fn function(
    name: &'static str,
    returns: DataType,
    body: impl Fn(&[ScalarValue]) -> ScalarValue + Send + Sync + 'static,
) -> ScalarUDF {
    ScalarUDF::from(PgFunction {
        name,
        returns,
        signature: Signature::one_of(
            vec![TypeSignature::Nullary, TypeSignature::VariadicAny],
            Volatility::Stable,
        ),
        body: Arc::new(body),
    })
}

fn fixed(name: &'static str, value: ScalarValue) -> ScalarUDF {
    function(name, value.data_type(), move |_| value.clone())
}

fn text(text: Option<String>) -> ScalarValue {
    ScalarValue::Utf8(text)
}

/// The argument as a number.
fn number(args: &[ScalarValue], place: usize) -> Option<i64> {
    let value = args.get(place)?.cast_to(&DataType::Int64).ok()?;
    match value {
        ScalarValue::Int64(number) => number,
        _ => None,
    }
}

/// The argument as text.
fn word(args: &[ScalarValue], place: usize) -> Option<String> {
    let value = args.get(place)?.cast_to(&DataType::Utf8).ok()?;
    match value {
        ScalarValue::Utf8(text) => text,
        _ => None,
    }
}

/// Items of the first argument, an array.
fn length(args: &[ScalarValue]) -> Option<i64> {
    match args.first()? {
        ScalarValue::List(list) if !list.is_null(0) => i64::try_from(list.value(0).len()).ok(),
        _ => None,
    }
}

/// The functions over these tables.
pub fn functions(relations: &Arc<Relations>) -> Vec<ScalarUDF> {
    let mut all = constants();
    all.extend(about_types());
    all.extend(about_relations(relations));
    all
}

fn constants() -> Vec<ScalarUDF> {
    let mut all: Vec<ScalarUDF> = [
        "pg_type_is_visible",
        "pg_function_is_visible",
        "pg_opclass_is_visible",
        "pg_collation_is_visible",
        "has_schema_privilege",
        "has_database_privilege",
        "has_function_privilege",
        "pg_has_role",
    ]
    .map(|name| fixed(name, ScalarValue::from(true)))
    .into();
    all.extend(
        [
            "pg_is_in_recovery",
            "pg_relation_is_publishable",
            "has_sequence_privilege",
            "row_security_active",
        ]
        .map(|name| fixed(name, ScalarValue::from(false))),
    );
    all.extend(
        [
            "pg_get_expr",
            "pg_get_constraintdef",
            "pg_get_indexdef",
            "pg_get_triggerdef",
            "pg_get_ruledef",
            "pg_get_partkeydef",
            "pg_get_functiondef",
            "pg_get_function_arguments",
            "pg_get_function_result",
            "pg_get_function_identity_arguments",
            "pg_get_serial_sequence",
            "pg_get_statisticsobjdef_columns",
            "shobj_description",
            "inet_server_addr",
            "inet_client_addr",
            "pg_tablespace_location",
        ]
        .map(|name| fixed(name, ScalarValue::Utf8(None))),
    );
    all.extend(
        [
            "pg_relation_size",
            "pg_total_relation_size",
            "pg_table_size",
            "pg_indexes_size",
            "pg_database_size",
        ]
        .map(|name| fixed(name, ScalarValue::from(0_i64))),
    );
    let version = concat!("PostgreSQL 15.0 (tieout ", env!("CARGO_PKG_VERSION"), ")");
    all.push(fixed("version", ScalarValue::from(version)));
    all.push(fixed("pg_get_userbyid", ScalarValue::from(OWNER)));
    all.push(fixed("pg_encoding_to_char", ScalarValue::from("UTF8")));
    all.push(fixed("pg_char_to_encoding", ScalarValue::from(6_i32)));
    all
}

/// The name as SQL has to write it.
fn quoted(name: &str) -> String {
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if is_plain {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `%s`, `%I`, `%L` and `%%` of the first argument with the others in turn.
fn formatted(args: &[ScalarValue]) -> Option<String> {
    let pattern = word(args, 0)?;
    let (mut out, mut next) = (String::new(), 1);
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let kind = characters.next()?;
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = word(args, next);
        next += 1;
        match (kind, value) {
            ('s', value) => out.push_str(&value.unwrap_or_default()),
            ('I', value) => out.push_str(&quoted(&value?)),
            ('L', Some(value)) => out.extend(["'", &value.replace('\'', "''"), "'"]),
            ('L', None) => out.push_str("NULL"),
            _ => return None,
        }
    }
    Some(out)
}

fn about_types() -> Vec<ScalarUDF> {
    vec![
        function("format_type", DataType::Utf8, |args| {
            let oid = number(args, 0).and_then(|oid| u32::try_from(oid).ok());
            let modifier = number(args, 1).unwrap_or(-1) as i32;
            text(oid.map(|oid| types::format_type(oid, modifier)))
        }),
        // By a parameter; what a session has set is put in where the name is written out.
        function("current_setting", DataType::Utf8, |args| {
            let value = word(args, 0).and_then(|name| crate::session::default(&name));
            text(value.map(str::to_owned))
        }),
        function("to_regtype", DataType::Int32, |args| {
            ScalarValue::Int32(
                word(args, 0)
                    .and_then(|name| type_oid(&name))
                    .map(|oid| oid as i32),
            )
        }),
        function("format", DataType::Utf8, move |args| text(formatted(args))),
        function("quote_ident", DataType::Utf8, |args| {
            text(word(args, 0).map(|name| quoted(&name)))
        }),
        function("quote_literal", DataType::Utf8, |args| {
            text(word(args, 0).map(|word| format!("'{}'", word.replace('\'', "''"))))
        }),
        function("parse_ident", list_of_text(), |args| {
            let words = word(args, 0).unwrap_or_default();
            let words: Vec<_> = words
                .split('.')
                .map(|word| match word.strip_prefix('"') {
                    Some(quoted) => ScalarValue::from(quoted.trim_end_matches('"')),
                    None => ScalarValue::from(word.trim().to_lowercase()),
                })
                .collect();
            ScalarValue::List(ScalarValue::new_list_nullable(&words, &DataType::Utf8))
        }),
        function("array_lower", DataType::Int64, |args| {
            ScalarValue::Int64(length(args).filter(|&length| length > 0).map(|_| 1))
        }),
        function("array_upper", DataType::Int64, |args| {
            ScalarValue::Int64(length(args).filter(|&length| length > 0))
        }),
        function("current_schemas", list_of_text(), |args| {
            let schemas = ["pg_catalog", "public"].map(ScalarValue::from);
            let implied = args.first() == Some(&ScalarValue::from(true));
            let schemas = if implied { &schemas[..] } else { &schemas[1..] };
            ScalarValue::List(ScalarValue::new_list_nullable(schemas, &DataType::Utf8))
        }),
    ]
}

fn list_of_text() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// The OID of a type's name, `text` or `text[]`.
pub fn type_oid(name: &str) -> Option<u32> {
    let name = name
        .trim()
        .trim_start_matches("pg_catalog.")
        .replace('"', "");
    match name.strip_suffix("[]") {
        Some(of) => types::by_name(of).map(|pg| pg.array),
        None => types::by_name(&name).map(|pg| pg.oid),
    }
}

fn about_relations(relations: &Arc<Relations>) -> Vec<ScalarUDF> {
    let with = |body: fn(&Relations, &[ScalarValue]) -> ScalarValue| {
        let relations = Arc::clone(relations);
        move |args: &[ScalarValue]| body(&relations, args)
    };
    vec![
        function(
            rights::FUNCTION,
            DataType::Boolean,
            with(|relations, args| {
                let words = (word(args, 0), word(args, 1), word(args, 2));
                let (Some(readable), Some(table), Some(privilege)) = words else {
                    return ScalarValue::Boolean(None);
                };
                ScalarValue::Boolean(rights::has(relations, &readable, &table, &privilege))
            }),
        ),
        function(
            "pg_table_is_visible",
            DataType::Boolean,
            with(|relations, args| {
                let relation = number(args, 0).and_then(|oid| relations.numbered(oid));
                ScalarValue::from(relation.is_some_and(|relation| relation.schema == "public"))
            }),
        ),
        function(
            "pg_get_viewdef",
            DataType::Utf8,
            with(|relations, args| {
                let relation = number(args, 0).and_then(|oid| relations.numbered(oid));
                text(relation.and_then(|relation| relation.definition.clone()))
            }),
        ),
        function(
            "obj_description",
            DataType::Utf8,
            with(|relations, args| {
                let relation = number(args, 0).and_then(|oid| relations.numbered(oid));
                text(relation.and_then(|relation| relation.comment.clone()))
            }),
        ),
        function(
            "col_description",
            DataType::Utf8,
            with(|relations, args| {
                let relation = number(args, 0).and_then(|oid| relations.numbered(oid));
                let place = number(args, 1).and_then(|place| usize::try_from(place - 1).ok());
                let comments = relation.map(|relation| &relation.column_comments);
                let comment = comments.and_then(|comments| comments.get(place?));
                text(comment.cloned().flatten())
            }),
        ),
        function(
            "to_regclass",
            DataType::Int32,
            with(|relations, args| {
                let relation = word(args, 0);
                let relation = relation.and_then(|name| Some(relations.named(&name)?.oid as i32));
                ScalarValue::Int32(relation)
            }),
        ),
        function(
            "regclass_name",
            DataType::Utf8,
            with(|relations, args| {
                let relation = number(args, 0).and_then(|oid| relations.numbered(oid));
                text(relation.map(|relation| match relation.schema.as_str() {
                    "public" => relation.name.clone(),
                    schema => format!("{schema}.{}", relation.name),
                }))
            }),
        ),
        function("regnamespace_name", DataType::Utf8, |args| {
            let oid = number(args, 0);
            let schemas = ["public", "history", "pg_catalog", "information_schema"];
            let found = schemas
                .iter()
                .find(|schema| schema_oid(schema).map(i64::from) == oid);
            text(found.map(|schema| (*schema).to_owned()))
        }),
    ]
}
