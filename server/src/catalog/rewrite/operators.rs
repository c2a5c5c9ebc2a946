//! Operators that the query engine has in other ways.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType as SqlType, Expr, UnaryOperator, Value, ValueWithSpan,
};

use super::Rewriter;
use super::expressions::{call, cast, literal};
use crate::query::placeholder;
use crate::values::types::oid;

const TEXT_ARRAY: u32 = 1009;

impl Rewriter<'_> {
    /// `left = any(right)`, as the query engine has it.
    pub(super) fn is_in(&mut self, left: &Expr, right: &Expr, negated: bool) -> Expr {
        let left = Box::new(left.clone());
        let items = match right {
            Expr::Array(array) => Some(array.elem.clone()),
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(text),
                ..
            }) if text.starts_with('{') => {
                let items = text.trim_matches(['{', '}']).split(',');
                Some(items.map(|item| literal(item.trim())).collect())
            }
            _ => None,
        };
        if let Some(list) = items {
            return Expr::InList {
                expr: left,
                list,
                negated,
            };
        }
        if let Expr::Subquery(subquery) = right {
            return Expr::InSubquery {
                expr: left,
                subquery: subquery.clone(),
                negated,
            };
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
        if negated {
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr: Box::new(has),
            }
        } else {
            has
        }
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
