//! Queries that have no rows because a table of theirs never has: what asks for indexes,
//! constraints, triggers or policies. They need not be planned, which the query engine often
//! cannot.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as SqlType, Expr, GroupByExpr, Ident, JoinOperator, ObjectName, Query,
    Select, SelectItem, SetExpr, SetOperator, TableFactor, TableWithJoins, Value,
};

use super::layout;
use super::rewrite::{arguments, call};

/// Makes a query that never has rows one that says so plainly.
pub fn simplify(query: &mut Query) {
    drop_empty_branches(&mut query.body);
    if is_empty(query) && has_plain_columns(query) {
        let columns = columns(&query.body);
        if let Some(select) = first_select(&mut query.body) {
            select.projection = distinct(columns).into_iter().map(nothing_as).collect();
            select.from.clear();
            select.selection = Some(Expr::Value(Value::Boolean(false).into()));
            select.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
            select.having = None;
            select.distinct = None;
            let select = Box::new(select.clone());
            *query.body = SetExpr::Select(select);
            query.order_by = None;
            query.with = None;
        }
    }
}

/// Whether a query never has rows.
pub fn is_empty(query: &Query) -> bool {
    query.with.is_none() && is_empty_set(&query.body)
}

fn is_empty_set(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => is_empty_select(select),
        SetExpr::Query(query) => is_empty(query),
        SetExpr::SetOperation {
            left, op, right, ..
        } => match op {
            SetOperator::Union => is_empty_set(left) && is_empty_set(right),
            SetOperator::Intersect => is_empty_set(left) || is_empty_set(right),
            _ => is_empty_set(left),
        },
        _ => false,
    }
}

fn is_empty_select(select: &Select) -> bool {
    // Without groups an aggregate has one row, over nothing too.
    let is_grouped = matches!(&select.group_by, GroupByExpr::Expressions(by, _) if !by.is_empty());
    let has_rows_anyway = !is_grouped && select.projection.iter().any(has_aggregate);
    !has_rows_anyway && select.from.iter().any(is_empty_source)
}

const AGGREGATES: [&str; 9] = [
    "count",
    "max",
    "min",
    "sum",
    "array_agg",
    "string_agg",
    "json_agg",
    "bool_or",
    "bool_and",
];

fn has_aggregate(item: &SelectItem) -> bool {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            is_aggregate(expr)
        }
        _ => false,
    }
}

/// Whether an aggregate is in an expression; one in a subquery is that query's own.
fn is_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => {
            let name = name_of(expr);
            AGGREGATES.contains(&&*name) || arguments(function).into_iter().any(is_aggregate)
        }
        Expr::Cast { expr, .. } | Expr::Nested(expr) | Expr::UnaryOp { expr, .. } => {
            is_aggregate(expr)
        }
        Expr::BinaryOp { left, right, .. } => is_aggregate(left) || is_aggregate(right),
        Expr::Case { else_result, .. } => else_result.as_deref().is_some_and(is_aggregate),
        _ => false,
    }
}

/// Makes a subquery for one value an aggregate, which the query engine wants where it depends on
/// the row around it. In the catalog such a query has one row at most.
pub fn aggregate(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return;
    };
    let is_plain = matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty())
        && query.limit_clause.is_none()
        && !select.from.is_empty();
    let [item] = &mut select.projection[..] else {
        return;
    };
    if !is_plain || has_aggregate(item) {
        return;
    }
    if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
        *expr = call("max", [expr.clone()]);
        query.order_by = None;
    }
}

fn is_empty_source(source: &TableWithJoins) -> bool {
    let mut empty = is_empty_factor(&source.relation);
    for join in &source.joins {
        let right = is_empty_factor(&join.relation);
        empty = match &join.join_operator {
            JoinOperator::Join(_)
            | JoinOperator::Inner(_)
            | JoinOperator::CrossJoin(_)
            | JoinOperator::Semi(_)
            | JoinOperator::LeftSemi(_) => empty || right,
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) => right,
            JoinOperator::FullOuter(_) => empty && right,
            _ => empty,
        };
    }
    empty
}

fn is_empty_factor(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Table {
            name, args: None, ..
        } => is_empty_table(name),
        TableFactor::Derived { subquery, .. } => is_empty(subquery),
        TableFactor::NestedJoin {
            table_with_joins, ..
        } => is_empty_source(table_with_joins),
        _ => false,
    }
}

fn is_empty_table(name: &ObjectName) -> bool {
    let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
    let [.., schema, table] = parts[..] else {
        return false;
    };
    let layouts = match schema.value.as_str() {
        "pg_catalog" => layout::pg_catalog(),
        super::INFORMATION => layout::information_schema(),
        _ => return false,
    };
    let mut layouts = layouts.iter();
    layouts.any(|layout| layout.is_empty && layout.name == table.value)
}

/// `a union b` where one side has no rows is the other.
fn drop_empty_branches(body: &mut Box<SetExpr>) {
    if let SetExpr::SetOperation {
        left,
        op: SetOperator::Union,
        right,
        ..
    } = body.as_mut()
    {
        drop_empty_branches(left);
        drop_empty_branches(right);
        // The names of the columns are those of the left side.
        if is_empty_set(right) && !is_empty_set(left) {
            *body = left.clone();
        } else if is_empty_set(left) && !is_empty_set(right) && columns(left) == columns(right) {
            *body = right.clone();
        }
    }
}

fn has_plain_columns(query: &Query) -> bool {
    fn of(body: &SetExpr) -> bool {
        match body {
            SetExpr::Select(select) => select.projection.iter().all(|item| {
                matches!(
                    item,
                    SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }
                )
            }),
            SetExpr::Query(query) => of(&query.body),
            SetExpr::SetOperation { left, .. } => of(left),
            _ => false,
        }
    }
    of(&query.body)
}

/// The names, numbered where they are the same, which the query engine refuses.
fn distinct(names: Vec<Ident>) -> Vec<Ident> {
    let mut taken = HashSet::new();
    let mut distinct = Vec::with_capacity(names.len());
    for name in names {
        let numbered = (2..).map(|number| format!("{}_{number}", name.value));
        let mut candidates = std::iter::once(name.value.clone()).chain(numbered);
        let free = candidates.find(|candidate| taken.insert(candidate.clone()));
        distinct.push(Ident::with_quote('"', free.unwrap_or_default()));
    }
    distinct
}

/// The names of a query's columns, as Postgres gives them.
fn columns(body: &SetExpr) -> Vec<Ident> {
    match body {
        SetExpr::Select(select) => {
            let items = select.projection.iter().map(|item| match item {
                SelectItem::ExprWithAlias { alias, .. } => alias.clone(),
                SelectItem::UnnamedExpr(expr) => Ident::with_quote('"', name_of(expr)),
                other => Ident::with_quote('"', other.to_string()),
            });
            items.collect()
        }
        SetExpr::Query(query) => columns(&query.body),
        SetExpr::SetOperation { left, .. } => columns(left),
        _ => Vec::new(),
    }
}

/// What Postgres calls a column that has no name.
pub fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(names) => names
            .last()
            .map_or_else(String::new, |name| name.value.clone()),
        Expr::Function(function) => match function.name.0.last().and_then(|part| part.as_ident()) {
            Some(name) => name.value.to_lowercase(),
            None => "?column?".to_owned(),
        },
        Expr::Cast {
            expr, data_type, ..
        } => match name_of(expr) {
            unknown if unknown == "?column?" => data_type.to_string().to_lowercase(),
            name => name,
        },
        Expr::Case { .. } => "case".to_owned(),
        Expr::Nested(inner) => name_of(inner),
        Expr::Exists { .. } => "exists".to_owned(),
        Expr::Array(_) => "array".to_owned(),
        Expr::Subquery(query) => {
            let mut names = columns(&query.body);
            names
                .pop()
                .map_or_else(|| "?column?".to_owned(), |name| name.value)
        }
        _ => "?column?".to_owned(),
    }
}

fn first_select(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first_select(&mut query.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

/// A null text under a name.
fn nothing_as(alias: Ident) -> SelectItem {
    SelectItem::ExprWithAlias {
        expr: null_text(),
        alias,
    }
}

/// A null that is a text.
pub fn null_text() -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Value(Value::Null.into())),
        data_type: SqlType::Text,
        array: false,
        format: None,
    }
}
