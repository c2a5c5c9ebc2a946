//! `PREPARE` and `EXECUTE`: statements that are kept by a name, with values in SQL's own words.

use datafusion::sql::sqlparser::ast::{
    DataType as SqlType, Expr, ObjectName, TypedString, UnaryOperator, Value, ValueWithSpan,
};

use super::statement::{Command, name_of};
use crate::values::types;
use crate::wire::{Refusal, state};

/// Reads `PREPARE name (types) AS query`, whose `command` is the query.
///
/// # Errors
/// [`state::FEATURE_NOT_SUPPORTED`] if it is no query, [`state::UNDEFINED_OBJECT`] for a type that
/// there is not.
pub fn prepare(name: String, types: &[SqlType], command: Command) -> Result<Command, Refusal> {
    let Command::Rows(query) = command else {
        let found = "PREPARE is for queries; say anything else as it is";
        return Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found));
    };
    let types = types.iter().map(|of| {
        types::oid_named(&of.to_string()).ok_or_else(|| {
            let found = format!("there is no type {of}");
            Refusal::new(state::UNDEFINED_OBJECT, found)
        })
    });
    Ok(Command::Prepare {
        name,
        types: types.collect::<Result<_, _>>()?,
        query,
    })
}

/// Reads `EXECUTE name (values)`.
///
/// # Errors
/// [`state::FEATURE_NOT_SUPPORTED`] if there is more to it, or one is no plain value.
pub fn execute(name: Option<ObjectName>, values: &[Expr]) -> Result<Command, Refusal> {
    let name = name.and_then(|name| name.0.into_iter().next_back());
    let name = name.and_then(|part| part.as_ident().cloned());
    let name = name.ok_or_else(|| {
        Refusal::new(
            state::FEATURE_NOT_SUPPORTED,
            "write EXECUTE name (values) with the name of a prepared statement",
        )
    })?;
    let values = values.iter().map(plain);
    Ok(Command::Execute {
        name: name_of(name),
        values: values.collect::<Result<_, _>>()?,
    })
}

/// The text of a plain value, as a client would send it; none for a null.
///
/// # Errors
/// [`state::FEATURE_NOT_SUPPORTED`] if it is another expression.
fn plain(value: &Expr) -> Result<Option<String>, Refusal> {
    let found = match value {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => return plain(expr),
        Expr::Value(ValueWithSpan { value, .. })
        | Expr::TypedString(TypedString {
            value: ValueWithSpan { value, .. },
            ..
        }) => match value {
            Value::Null => return Ok(None),
            Value::Number(digits, _) => Some(digits.clone()),
            Value::Boolean(truth) => Some(truth.to_string()),
            other => other.clone().into_string(),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match expr.as_ref() {
            Expr::Value(ValueWithSpan {
                value: Value::Number(digits, _),
                ..
            }) => Some(format!("-{digits}")),
            _ => None,
        },
        _ => None,
    };
    let found = found.ok_or_else(|| {
        let found = format!("EXECUTE takes plain values, and {value} is none");
        Refusal::new(state::FEATURE_NOT_SUPPORTED, found)
    })?;
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::query::read;
    use crate::values::types::oid;

    #[test]
    fn types_and_values_are_read() {
        let prepared = read("prepare Q (int, numeric(12,2), varchar(3)[], date) as select $1");
        let prepared = prepared.unwrap();
        let [Command::Prepare { name, types, .. }] = &prepared[..] else {
            panic!("{prepared:?}");
        };
        let wanted = [oid::INT4, oid::NUMERIC, 1015, oid::DATE];
        assert_eq!((&name[..], &types[..]), ("q", &wanted[..]));
        let executed = read("execute q(-1, 2.50, '{a}'::text[], date '2026-03-13', null, true)");
        let texts = ["-1", "2.50", "{a}", "2026-03-13", "", "true"];
        let wanted = Command::Execute {
            name: "q".to_owned(),
            values: texts
                .map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()))
                .to_vec(),
        };
        assert_eq!(executed.unwrap(), [wanted]);
        for (sql, state) in [
            ("prepare q as delete from payments", "25006"),
            ("prepare q as show timezone", "0A000"),
            ("prepare q (money) as select $1", "42704"),
            ("execute q(1 + 1)", "0A000"),
        ] {
            assert_eq!(read(sql).unwrap_err().state, state, "{sql}");
        }
    }
}
