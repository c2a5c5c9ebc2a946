//! Views and queries that are called with arguments: `select * from receivables_ageing('2026-03-31')`.

use std::fmt;
use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;
use futures::FutureExt as _;
use tieout_core::Date;

use super::{Parameter, Query};

/// Plans a query anew for each call.
pub(crate) struct QueryFunction(pub &'static Query);

impl fmt::Debug for QueryFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.described.name)
    }
}

impl TableFunctionImpl for QueryFunction {
    fn call_with_args(
        &self,
        arguments: TableFunctionArgs<'_, '_>,
    ) -> Result<Arc<dyn TableProvider>> {
        let (least, most) = (self.0.needs(), self.0.described.parameters.len());
        let given = arguments.exprs();
        if given.len() < least || given.len() > most {
            return Err(refused(&self.usage()));
        }
        let parameters = self.0.described.parameters.iter();
        let literals = parameters
            .zip(given)
            .map(|(parameter, given)| self.literal(parameter, given));
        let sql = self.0.sql(&literals.collect::<Result<Vec<_>>>()?);
        let state = arguments.session().as_any().downcast_ref::<SessionState>();
        let state = state.ok_or_else(|| refused("a session of another kind"))?;
        // Every table is at hand, so that nothing is ever waited for.
        let planned = state.create_logical_plan(&sql).now_or_never();
        let plan = planned.ok_or_else(|| refused("a table that is not at hand"))??;
        Ok(Arc::new(ViewTable::new(plan, Some(sql))))
    }
}

impl QueryFunction {
    fn usage(&self) -> String {
        let described = &self.0.described;
        let parameters: Vec<_> = described
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect();
        format!("write {}({})", described.name, parameters.join(", "))
    }

    /// The argument as an SQL literal.
    fn literal(&self, parameter: &Parameter, given: &Expr) -> Result<String> {
        let Expr::Literal(value, _) = given else {
            let found = format!("{} is to be a value; {}", parameter.name, self.usage());
            return Err(refused(&found));
        };
        if let ScalarValue::Date32(Some(days)) = value {
            return Ok(format!("date '{}'", Date::from_days(*days)));
        }
        let text = match value {
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)) => text.clone(),
            other => other.to_string(),
        };
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
