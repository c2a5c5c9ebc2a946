//! Pieces of SQL, as they are read and written.

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as SqlType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, ObjectNamePart, Value,
    ValueWithSpan,
};

/// What stands within casts and brackets.
pub fn inner(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => inner(expr),
        other => other,
    }
}

/// The arguments of a function that are expressions.
pub fn arguments(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return Vec::new();
    };
    let args = list.args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    args.collect()
}

/// The first argument, if it is a text.
pub fn first_text(function: &Function) -> Option<String> {
    match arguments(function).first() {
        Some(Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(text),
            ..
        })) => Some(text.clone()),
        _ => None,
    }
}

/// A text.
pub fn literal(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).into())
}

/// Nothing.
pub fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

/// A number.
pub fn number_literal(number: u32) -> Expr {
    Expr::Value(Value::Number(number.to_string(), false).into())
}

/// A cast.
pub fn cast(expr: Expr, data_type: SqlType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type,
        array: false,
        format: None,
    }
}

/// A call of a function.
pub fn call<const ARGS: usize>(name: &str, args: [Expr; ARGS]) -> Expr {
    let args = args.map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)));
    Expr::Function(Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.into(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
