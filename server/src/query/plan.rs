//! A statement planned against one state of the ledger.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::{ParamValues, ScalarValue, TableReference};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as SqlType, Expr, FunctionArg, FunctionArgExpr, Statement, TableFactor,
    Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut, visit_expressions,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use tieout_treasury::read_only;

use super::books::Snapshot;
use crate::access::Allowed;
use crate::catalog::{Asker, is_about_the_catalog, rewrite};
use crate::values::types::{self, oid};
use crate::wire::{Refusal, state};

/// The function whose first argument names what is read.
const AS_OF: &str = "as_of";
/// The most parameters of a statement.
const PARAMETERS_MAX: usize = 1000;

/// A statement, what it needs, and what it gives.
pub struct Planned {
    plan: LogicalPlan,
    /// What it was planned against.
    pub snapshot: Arc<Snapshot>,
    /// OIDs of the parameters' types.
    pub parameters: Vec<u32>,
    /// The columns of its rows.
    pub schema: Schema,
}

impl Planned {
    /// Plans `statement`; `given` are the types of its parameters as far as the client says.
    ///
    /// # Errors
    /// A [`Refusal`] if the statement has no meaning here, or `asker` may not read what it reads.
    pub async fn of(
        statement: &Statement,
        given: &[u32],
        asker: &Asker<'_>,
        snapshot: Arc<Snapshot>,
    ) -> Result<Self, Refusal> {
        let mut statement = statement.clone();
        let count = placeholders(&statement)?;
        let mut types = given.to_vec();
        types.truncate(count);
        types.resize(count, 0);
        rewrite(&mut statement, &snapshot.catalog, asker, &mut types)?;
        cast_parameters(&mut statement, &types);
        let context = snapshot.treasury.context();
        let state = context.state();
        let explained = |error| Refusal::from(snapshot.treasury.explain(&error));
        let earlier = earlier_relations(&statement);
        let wrapped = DfStatement::Statement(Box::new(statement));
        let references = state
            .resolve_table_references(&wrapped)
            .map_err(explained)?;
        may_read(&asker.allowed, &references)?;
        may_read(&asker.allowed, &earlier)?;
        let plan = state.statement_to_plan(wrapped).await.map_err(explained)?;
        read_only().verify_plan(&plan).map_err(explained)?;
        let inferred = plan.get_parameter_types().map_err(explained)?;
        for (place, known) in types.iter_mut().enumerate() {
            if *known == 0 || *known == oid::UNKNOWN {
                let found = inferred.get(&format!("${}", place + 1));
                let found = found.and_then(Option::as_ref).map(types::oid_of);
                *known = found.unwrap_or(oid::TEXT);
            }
        }
        Ok(Self {
            schema: plan.schema().as_arrow().clone(),
            plan,
            parameters: types,
            snapshot,
        })
    }

    /// The plan with the values of its parameters.
    ///
    /// # Errors
    /// [`state::PROTOCOL_VIOLATION`] if they are too few or too many, other codes if a value does
    /// not fit.
    pub fn with(&self, values: Vec<ScalarValue>) -> Result<LogicalPlan, Refusal> {
        if values.len() != self.parameters.len() {
            return Err(Refusal::new(
                state::PROTOCOL_VIOLATION,
                format!(
                    "the statement needs {} parameters and got {}",
                    self.parameters.len(),
                    values.len()
                ),
            ));
        }
        if values.is_empty() {
            return Ok(self.plan.clone());
        }
        let plan = self
            .plan
            .clone()
            .with_param_values(ParamValues::from(values));
        plan.map_err(|error| self.snapshot.treasury.explain(&error).into())
    }
}

fn may_read(allowed: &Allowed, references: &[TableReference]) -> Result<(), Refusal> {
    for reference in references {
        let schema = reference.schema().unwrap_or("public");
        let name = reference.table();
        let is_open = is_about_the_catalog(schema) || name == AS_OF;
        if !is_open && !allowed.is(schema, name) {
            return Err(Refusal::new(
                state::INSUFFICIENT_PRIVILEGE,
                format!("you may not read {schema}.{name}; ask for a role that has it"),
            ));
        }
    }
    Ok(())
}

/// What the statement reads as of an earlier moment: the first arguments of `as_of(...)`, which may be
/// read by whoever may read them now. A call of another shape, whose argument is an expression, say,
/// stands for a table that nobody has been given.
fn earlier_relations(statement: &Statement) -> Vec<TableReference> {
    #[derive(Default)]
    struct Finder(Vec<TableReference>);
    impl Visitor for Finder {
        type Break = ();

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            let (name, arguments) = match factor {
                TableFactor::Table {
                    name,
                    args: Some(arguments),
                    ..
                } => (name, &arguments.args),
                TableFactor::Function { name, args, .. } => (name, args),
                _ => return ControlFlow::Continue(()),
            };
            let name = name.0.last().and_then(|part| part.as_ident());
            if name.is_some_and(|name| name.value.eq_ignore_ascii_case(AS_OF))
                && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(relation)))) =
                    arguments.first()
                && let Some(relation) = relation.value.clone().into_string()
            {
                self.0.push(TableReference::from(relation.to_lowercase()));
            }
            ControlFlow::Continue(())
        }
    }
    let mut finder = Finder::default();
    let _ = statement.visit(&mut finder);
    let shown = statement.to_string().to_lowercase().replace('"', "");
    if shown.matches(&format!("{AS_OF}(")).count() != finder.0.len() {
        finder.0.push(TableReference::bare(format!("{AS_OF}(...)")));
    }
    finder.0
}

/// The highest of `$1`, `$2`, ...
fn placeholders(statement: &Statement) -> Result<usize, Refusal> {
    let mut highest = 0;
    let visited = visit_expressions(statement, |expr| match placeholder(expr) {
        None => ControlFlow::Continue(()),
        Some(place @ 1..=PARAMETERS_MAX) => {
            highest = highest.max(place);
            ControlFlow::Continue(())
        }
        Some(place) => ControlFlow::Break(place),
    });
    match visited {
        ControlFlow::Continue(()) => Ok(highest),
        ControlFlow::Break(_) => Err(Refusal::new(
            state::UNDEFINED_PARAMETER,
            format!("parameters are $1 to ${PARAMETERS_MAX}"),
        )),
    }
}

/// The number of a parameter.
pub fn placeholder(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(ValueWithSpan {
            value: Value::Placeholder(name),
            ..
        }) => Some(name.strip_prefix('$')?.parse().unwrap_or(0)),
        _ => None,
    }
}

/// Says the types that the client gave in the statement itself, so that what stands beside a
/// parameter is planned for it.
fn cast_parameters(statement: &mut Statement, types: &[u32]) {
    struct Caster<'a>(&'a [u32]);
    impl VisitorMut for Caster<'_> {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            let type_oid = placeholder(expr).and_then(|place| self.0.get(place.wrapping_sub(1)));
            if let Some(sql) = type_oid.and_then(|&oid| types::cast_of(oid))
                && let Some(data_type) = sql_type(&sql)
            {
                *expr = Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(expr.clone()),
                    data_type,
                    array: false,
                    format: None,
                };
            }
            ControlFlow::Continue(())
        }
    }
    let _ = VisitMut::visit(statement, &mut Caster(types));
}

/// A type as SQL writes it.
pub fn sql_type(text: &str) -> Option<SqlType> {
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?;
    parser.parse_data_type().ok()
}
