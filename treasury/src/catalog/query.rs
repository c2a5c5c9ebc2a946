//! Views and queries that are called with arguments: `select * from receivables_ageing('2026-03-31')`.

use std::fmt;
use std::sync::{Arc, Weak};

use datafusion::catalog::{
    CatalogProviderList, TableFunctionArgs, TableFunctionImpl, TableProvider,
};
use datafusion::common::ScalarValue;
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use futures::FutureExt as _;
use parking_lot::Mutex;
use tieout_core::Date;

use super::bound::{Bound, lasts_a_day};
use super::{Parameter, Query};

const SECONDS_OF_A_DAY: i64 = 86_400;

/// Plans a query for each call: anew, or, if its arguments are texts that rows are looked up by, once for
/// a state of the ledger.
pub(crate) struct QueryFunction {
    query: &'static Query,
    planned: Mutex<Option<Planned>>,
}

/// The optimised plan of a query with its parameters.
struct Planned {
    plan: LogicalPlan,
    /// Whose tables it reads.
    catalogs: Weak<dyn CatalogProviderList>,
    /// The day on which it was planned, since 1970.
    day: i64,
}

impl fmt::Debug for QueryFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.query.described.name)
    }
}

impl TableFunctionImpl for QueryFunction {
    fn call_with_args(
        &self,
        arguments: TableFunctionArgs<'_, '_>,
    ) -> Result<Arc<dyn TableProvider>> {
        let (least, most) = (self.query.needs(), self.query.described.parameters.len());
        let given = arguments.exprs();
        if given.len() < least || given.len() > most {
            return Err(refused(&self.usage()));
        }
        let parameters = self.query.described.parameters.iter();
        let state = arguments.session().as_any().downcast_ref::<SessionState>();
        let state = state.ok_or_else(|| refused("a session of another kind"))?;
        if least == most && parameters.clone().all(|parameter| !parameter.is_date) {
            let texts = parameters.zip(given);
            let texts = texts.map(|(parameter, given)| self.text(parameter, given));
            let texts = texts.collect::<Result<Vec<_>>>()?;
            if let Some(plan) = self.planned(state)? {
                return Ok(Arc::new(Bound::of(&plan, &texts)?));
            }
        }
        let parameters = self.query.described.parameters.iter();
        let literals = parameters
            .zip(given)
            .map(|(parameter, given)| self.literal(parameter, given));
        let sql = self.query.sql(&literals.collect::<Result<Vec<_>>>()?);
        let plan = logical(state, &sql)?;
        Ok(Arc::new(ViewTable::new(plan, Some(sql))))
    }
}

/// The plan of `sql`.
fn logical(state: &SessionState, sql: &str) -> Result<LogicalPlan> {
    // Every table is at hand, so that nothing is ever waited for.
    let planned = state.create_logical_plan(sql).now_or_never();
    planned.ok_or_else(|| refused("a table that is not at hand"))?
}

impl QueryFunction {
    /// Of this query.
    pub fn of(query: &'static Query) -> Self {
        Self {
            query,
            planned: Mutex::default(),
        }
    }

    /// The query with `$1`, `$2`, ... for its parameters, optimised. None if it has to be planned for each
    /// call.
    fn planned(&self, state: &SessionState) -> Result<Option<LogicalPlan>> {
        let Some(now) = state.execution_props().query_execution_start_time else {
            return Ok(None);
        };
        let (catalogs, day) = (
            state.catalog_list(),
            now.timestamp().div_euclid(SECONDS_OF_A_DAY),
        );
        if let Some(known) = self.planned.lock().as_ref()
            && known.day == day
            && known
                .catalogs
                .upgrade()
                .is_some_and(|own| Arc::ptr_eq(&own, catalogs))
        {
            return Ok(Some(known.plan.clone()));
        }
        let places = 1..=self.query.described.parameters.len();
        let places: Vec<_> = places.map(|place| format!("${place}")).collect();
        let plan = logical(state, &self.query.sql(&places))?;
        if !lasts_a_day(&plan)? {
            return Ok(None);
        }
        let plan = state.optimize(&plan)?;
        *self.planned.lock() = Some(Planned {
            plan: plan.clone(),
            catalogs: Arc::downgrade(catalogs),
            day,
        });
        Ok(Some(plan))
    }

    fn usage(&self) -> String {
        let described = &self.query.described;
        let parameters: Vec<_> = described
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect();
        format!("write {}({})", described.name, parameters.join(", "))
    }

    /// The argument as a text.
    fn text(&self, parameter: &Parameter, given: &Expr) -> Result<String> {
        let Expr::Literal(value, _) = given else {
            let found = format!("{} is to be a value; {}", parameter.name, self.usage());
            return Err(refused(&found));
        };
        Ok(match value {
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)) => text.clone(),
            ScalarValue::Date32(Some(days)) => Date::from_days(*days).to_string(),
            other => other.to_string(),
        })
    }

    /// The argument as an SQL literal.
    fn literal(&self, parameter: &Parameter, given: &Expr) -> Result<String> {
        let text = self.text(parameter, given)?;
        if let Expr::Literal(ScalarValue::Date32(Some(_)), _) = given {
            return Ok(format!("date '{text}'"));
        }
        if !parameter.is_date {
            return Ok(format!("'{}'", text.replace('\'', "''")));
        }
        match Date::parse_iso(text.as_bytes()) {
            Ok(date) => Ok(format!("date '{date}'")),
            Err(error) => Err(refused(&format!(
                "{} is `{text}`: {error}; write it as '2026-03-31'",
                parameter.name
            ))),
        }
    }
}

fn refused(found: &str) -> DataFusionError {
    DataFusionError::Plan(found.to_owned())
}
