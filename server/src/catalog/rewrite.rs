//! Postgres' SQL as the query engine reads it: names, operators, casts and functions that clients
//! use when they look into the catalog, and what a session knows of itself.

mod casts;
mod columns;
mod expressions;
mod operators;
mod schemas;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArguments, Ident, LimitClause, ObjectName, Query,
    Select, Statement, Value, VisitMut, VisitorMut,
};

use super::emptiness::{self, null_text};
use super::{Catalog, DATABASE, rights};
use crate::access::Allowed;
use crate::query::placeholder;
use crate::values::types::oid;
use crate::wire::Refusal;
use columns::name_columns;
pub use expressions::{arguments, call, literal};
use expressions::{first_text, number_literal};
use operators::{plain_operator, with_backslash, without_zero};
use schemas::{Qualifier, is_about_catalog};

/// Who asks.
pub struct Asker<'a> {
    /// The user's name.
    pub user: &'a str,
    /// What the user may read.
    pub allowed: Allowed,
    /// The number of the connection.
    pub process: u32,
    /// A setting of the session.
    pub setting: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

/// Rewrites `statement`. `types` are those of its parameters, 0 where unknown; what their place
/// says of them is noted.
///
/// # Errors
/// A [`Refusal`] if a cast to a `reg...` type names what is not there.
pub fn rewrite(
    statement: &mut Statement,
    catalog: &Catalog,
    asker: &Asker<'_>,
    types: &mut [u32],
) -> Result<(), Refusal> {
    let mut relations = Qualifier;
    let _ = VisitMut::visit(statement, &mut relations);
    let mut rewriter = Rewriter {
        catalog,
        asker,
        types,
        is_about_catalog: is_about_catalog(statement),
    };
    match VisitMut::visit(statement, &mut rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refusal) => Err(*refusal),
    }
}

struct Rewriter<'a> {
    catalog: &'a Catalog,
    asker: &'a Asker<'a>,
    types: &'a mut [u32],
    is_about_catalog: bool,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Box<Refusal>;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        name_columns(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        if self.is_about_catalog {
            emptiness::simplify(query);
        }
        self.note_limits(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if self.is_about_catalog {
            without_empty(expr);
        }
        if let Expr::InSubquery {
            expr: one,
            subquery,
            negated,
        } = expr
            && is_search_path(subquery)
        {
            *expr = Expr::InList {
                list: self.search_path(),
                expr: one.clone(),
                negated: *negated,
            };
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match self.rewritten(expr) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(new)) => {
                *expr = new;
                ControlFlow::Continue(())
            }
            Err(refusal) => ControlFlow::Break(Box::new(refusal)),
        }
    }
}

/// Whether a query takes the search path apart, which dashboards do with arrays in ways that only
/// Postgres has.
fn is_search_path(query: &Query) -> bool {
    let text = query.to_string();
    ["current_setting('search_path')", "string_to_array"]
        .iter()
        .all(|part| text.contains(part))
}

impl Rewriter<'_> {
    /// The schemas in which a name is looked for.
    fn search_path(&self) -> Vec<Expr> {
        let path = (self.asker.setting)("search_path").unwrap_or_default();
        let schemas = path.split(',').map(|schema| match schema.trim() {
            "\"$user\"" => literal(self.asker.user),
            schema => literal(schema.trim_matches('"')),
        });
        schemas.collect()
    }

    fn rewritten(&mut self, expr: &mut Expr) -> Result<Option<Expr>, Refusal> {
        Ok(match expr {
            Expr::Collate { expr, .. } => Some(*expr.clone()),
            Expr::BinaryOp { left, op, right } => {
                if let Some(plain) = plain_operator(op) {
                    *op = plain;
                }
                if self.is_about_catalog {
                    without_zero(left, right);
                }
                None
            }
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => Some(self.is_in(left, right, false)?),
            Expr::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } => Some(self.is_in(left, right, true)?),
            Expr::Cast {
                expr, data_type, ..
            } => self.cast(expr, data_type)?,
            Expr::Identifier(name) if name.quote_style.is_none() => {
                match name.value.to_lowercase().as_str() {
                    "current_schema" => Some(literal("public")),
                    "session_user" | "user" => Some(literal(self.asker.user)),
                    _ => None,
                }
            }
            Expr::Function(function) => self.function(function),
            Expr::Like {
                pattern,
                escape_char,
                ..
            }
            | Expr::ILike {
                pattern,
                escape_char,
                ..
            } => {
                if let Some(new) = with_backslash(pattern, escape_char.as_ref()) {
                    **pattern = new;
                    *escape_char = None;
                }
                None
            }
            _ => None,
        })
    }

    /// How many rows, and from which on, are numbers.
    fn note_limits(&mut self, query: &Query) {
        let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause else {
            return;
        };
        let offset = offset.as_ref().map(|offset| &offset.value);
        for number in limit.as_ref().into_iter().chain(offset) {
            let known =
                placeholder(number).and_then(|place| self.types.get_mut(place.wrapping_sub(1)));
            if let Some(known) = known.filter(|known| **known == 0 || **known == oid::UNKNOWN) {
                *known = oid::INT8;
            }
        }
    }

    /// A function without its schema; what a session knows of itself as a value.
    fn function(&self, function: &mut Function) -> Option<Expr> {
        let name = function.name.0.last()?.as_ident()?.value.to_lowercase();
        if function.name.0.len() > 1 {
            function.name = ObjectName::from(vec![Ident::new(&name)]);
        }
        let first = first_text(function);
        Some(match name.as_str() {
            "current_user" | "session_user" | "user" | "current_role" => literal(self.asker.user),
            "current_database" | "current_catalog" => literal(DATABASE),
            "current_schema" => literal("public"),
            "pg_backend_pid" => number_literal(self.asker.process),
            "current_setting" => {
                (self.asker.setting)(&first?).map_or_else(null_text, |value| literal(&value))
            }
            // Its rows would be those of options and rights, of which there are none.
            "array"
                if self.is_about_catalog
                    && matches!(function.args, FunctionArguments::Subquery(_)) =>
            {
                null_text()
            }
            "has_table_privilege" | "has_column_privilege" | "has_any_column_privilege" => {
                rights::asked(&name, function, &self.asker.allowed)?
            }
            "set_config" => {
                let args = arguments(function);
                args.get(1).copied().cloned().unwrap_or_else(null_text)
            }
            _ => return None,
        })
    }
}

/// Subqueries that never have rows, as what they come to; others so that they can be planned.
fn without_empty(expr: &mut Expr) {
    let truth = |truth: bool| Expr::Value(Value::Boolean(truth).into());
    let new = match expr {
        Expr::Subquery(query) if !emptiness::is_empty(query) => {
            emptiness::aggregate(query);
            return;
        }
        Expr::Subquery(_) => null_text(),
        Expr::Exists { subquery, negated } if emptiness::is_empty(subquery) => truth(*negated),
        Expr::InSubquery {
            subquery, negated, ..
        } if emptiness::is_empty(subquery) => truth(*negated),
        _ => return,
    };
    *expr = new;
}
