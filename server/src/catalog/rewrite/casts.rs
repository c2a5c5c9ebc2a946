//! Casts to types that only Postgres has.

use datafusion::sql::sqlparser::ast::{Array, DataType as SqlType, Expr, Value, ValueWithSpan};

use super::Rewriter;
use super::expressions::{call, cast, inner, null, number_literal};
use super::operators::items;
use crate::catalog::functions::type_oid;
use crate::catalog::relations::{catalog_oid, schema_oid};
use crate::query::{placeholder, sql_type};
use crate::wire::{Refusal, state};

impl Rewriter<'_> {
    /// What stands for `expr` as `data_type`, if it cannot stay as it is.
    ///
    /// # Errors
    /// [`state::UNDEFINED_TABLE`] and the like, if a `reg...` type names what is not there.
    pub(super) fn cast(
        &self,
        expr: &Expr,
        data_type: &mut SqlType,
    ) -> Result<Option<Expr>, Refusal> {
        let name = match data_type {
            SqlType::Regclass => "regclass".to_owned(),
            SqlType::Custom(name, _) => name
                .0
                .last()
                .and_then(|part| part.as_ident())
                .map(|part| part.value.to_lowercase())
                .unwrap_or_default(),
            SqlType::Array(_) => {
                let text = data_type.to_string();
                let bare = text.replace("pg_catalog.", "");
                let bare = bare.replace("name[]", "text[]").replace("oid[]", "int[]");
                if let Some(plain) = sql_type(&bare) {
                    *data_type = plain;
                }
                let Expr::Value(ValueWithSpan {
                    value: Value::SingleQuotedString(text),
                    ..
                }) = expr
                else {
                    return Ok(None);
                };
                // The engine would make it an array of one text.
                let array = Expr::Array(Array {
                    elem: items(text)?,
                    named: true,
                });
                return Ok(Some(cast(array, data_type.clone())));
            }
            _ => return Ok(None),
        };
        let text = match expr {
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(text),
                ..
            }) => Some(text.as_str()),
            _ => None,
        };
        if let Some(number) = text.and_then(|text| text.parse::<u32>().ok())
            && name.starts_with("reg")
        {
            return Ok(Some(number_literal(number)));
        }
        let is_parameter = placeholder(inner(expr)).is_some();
        let arg = expr.clone();
        Ok(Some(match (name.as_str(), text) {
            ("regclass", Some(text)) => {
                let relation = self.catalog.relations.named(text);
                let known = relation.map(|relation| relation.oid);
                number_literal(known.or_else(|| catalog_oid(text)).ok_or_else(|| {
                    let found = format!("there is no table {text}");
                    Refusal::new(state::UNDEFINED_TABLE, found)
                })?)
            }
            ("regtype", Some(text)) => number_literal(type_oid(text).ok_or_else(|| {
                Refusal::new(state::UNDEFINED_OBJECT, format!("there is no type {text}"))
            })?),
            ("regnamespace", Some(text)) => number_literal(schema_oid(text).ok_or_else(|| {
                Refusal::new(
                    state::UNDEFINED_OBJECT,
                    format!("there is no schema {text}"),
                )
            })?),
            ("regclass", None) if is_parameter => call("to_regclass", [arg]),
            ("regtype", None) if is_parameter => call("to_regtype", [arg]),
            ("regclass", None) => call("regclass_name", [arg]),
            ("regtype", None) => call("format_type", [arg, null()]),
            ("regnamespace", None) => call("regnamespace_name", [arg]),
            ("oid" | "xid" | "cid", _) => cast(arg, SqlType::BigInt(None)),
            ("name" | "char" | "bpchar" | "regproc" | "json" | "jsonb" | "uuid" | "inet", _) => {
                cast(arg, SqlType::Text)
            }
            (other, _) => match sql_type(other) {
                Some(SqlType::Custom(..)) | None => return Ok(None),
                Some(plain) => cast(arg, plain),
            },
        }))
    }
}
