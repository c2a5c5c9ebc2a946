//! Operators that the query engine has in other ways.

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, DataType as SqlType, Expr, UnaryOperator, Value,
    ValueWithSpan,
};

use super::Rewriter;
use super::expressions::{call, cast, literal, null};
use crate::query::placeholder;
use crate::values::split_array;
use crate::values::types::oid;
use crate::wire::Refusal;

const TEXT_ARRAY: u32 = 1009;

impl Rewriter<'_> {
    /// `left = any(right)`, as the query engine has it.
    pub(super) fn is_in(
        &mut self,
        left: &Expr,
        right: &Expr,
        negated: bool,
    ) -> Result<Expr, Refusal> {
        let left = Box::new(left.clone());
        let items = match right {
            Expr::Array(array) => Some(array.elem.clone()),
            Expr::Cast {
                expr, data_type, ..
            } => match (expr.as_ref(), data_type) {
                (Expr::Array(array), SqlType::Array(ArrayElemTypeDef::SquareBracket(of, _))) => {
                    let items = array.elem.iter().cloned();
                    Some(items.map(|item| cast(item, of.as_ref().clone())).collect())
                }
                _ => None,
            },
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(text),
                ..
            }) => Some(items(text)?),
            _ => None,
        };
        if let Some(list) = items {
            return Ok(Expr::InList {
                expr: left,
                list,
                negated,
            });
        }
        if let Expr::Subquery(subquery) = right {
            return Ok(Expr::InSubquery {
                expr: left,
                subquery: subquery.clone(),
                negated,
            });
        }
        let mut left = *left;
        let unknown = placeholder(right)
            .and_then(|place| self.types.get_mut(place.wrapping_sub(1)))
            .filter(|known| **known == 0 || **known == oid::UNKNOWN);
        if let Some(known) = unknown {
            // What is sent without a type is text; so is what it is compared with.
            *known = TEXT_ARRAY;
            left = cast(left, SqlType::Text);
        }
        let has = call("array_has", [right.clone(), left]);
        Ok(if negated {
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr: Box::new(has),
            }
        } else {
            has
        })
    }
}

/// The items of an array's text, as texts.
///
/// # Errors
/// Those of [`split_array`].
pub fn items(text: &str) -> Result<Vec<Expr>, Refusal> {
    let items = split_array(text)?.into_iter();
    Ok(items
        .map(|item| item.map_or_else(null, |item| literal(&item)))
        .collect())
}

/// A function of a type is its name here, and none is `-`, which PostgreSQL also compares with 0.
pub fn without_zero(left: &Expr, right: &mut Expr) {
    let name = match left {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(path) => path.last(),
        _ => None,
    };
    let functions = ["typinput", "typoutput", "typreceive", "typsend"];
    let is_function =
        name.is_some_and(|name| functions.contains(&name.value.to_lowercase().as_str()));
    if is_function
        && let Expr::Value(ValueWithSpan {
            value: Value::Number(number, _),
            ..
        }) = &*right
        && number == "0"
    {
        *right = literal("-");
    }
}

/// `operator(pg_catalog.~)` as `~`.
pub fn plain_operator(operator: &BinaryOperator) -> Option<BinaryOperator> {
    let BinaryOperator::PGCustomBinaryOperator(words) = operator else {
        return None;
    };
    Some(match words.last()?.as_str() {
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "=" => BinaryOperator::Eq,
        "<>" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        ">" => BinaryOperator::Gt,
        "<=" => BinaryOperator::LtEq,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "||" => BinaryOperator::StringConcat,
        _ => return None,
    })
}

/// A pattern whose escape is another character than the backslash, with the backslash.
pub fn with_backslash(pattern: &Expr, escape: Option<&ValueWithSpan>) -> Option<Expr> {
    /// No pattern has it.
    const STAND_IN: &str = "\u{1}";
    let escape = match &escape?.value {
        Value::SingleQuotedString(text) if text != "\\" => text,
        _ => return None,
    };
    let replace =
        |expr: Expr, from: &str, to: &str| call("replace", [expr, literal(from), literal(to)]);
    let pattern = replace(pattern.clone(), "\\", "\\\\");
    let pattern = replace(pattern, &escape.repeat(2), STAND_IN);
    let pattern = replace(pattern, escape, "\\");
    Some(replace(pattern, STAND_IN, escape))
}
