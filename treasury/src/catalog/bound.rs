//! A query that was planned and optimised before its parameters were known.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType, Volatility};
use datafusion::physical_plan::ExecutionPlan;

use crate::lookups::planned_as_a_part;

/// The only function of a clock that may be in a plan that is kept, for as long as the day lasts.
const OF_A_DAY: &str = "current_date";

/// A query of which only the work is left to be planned.
#[derive(Debug)]
pub(super) struct Bound {
    plan: LogicalPlan,
    schema: SchemaRef,
}

impl Bound {
    /// `plan` with these texts for its parameters `$1`, `$2`, ...
    ///
    /// # Errors
    /// If they are none of the parameters' types.
    pub fn of(plan: &LogicalPlan, texts: &[String]) -> Result<Self> {
        let types = plan.get_parameter_types()?;
        let values = texts.iter().enumerate().map(|(place, text)| {
            let value = ScalarValue::from(text.as_str());
            match types.get(&format!("${}", place + 1)) {
                Some(Some(own)) => value.cast_to(own),
                _ => Ok(value),
            }
        });
        let values: Vec<_> = values.collect::<Result<_>>()?;
        let plan = plan.clone();
        let plan = plan.replace_params_with_values(&ParamValues::from(values))?;
        Ok(Self {
            schema: Arc::clone(plan.schema().inner()),
            plan,
        })
    }
}

/// Whether what `plan` is optimised to is right for as long as its tables and the day are the same.
pub(super) fn lasts_a_day(plan: &LogicalPlan) -> Result<bool> {
    let mut lasts = true;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarFunction(call) = expr {
                    let is_fixed = call.func.signature().volatility == Volatility::Immutable;
                    lasts &= is_fixed || call.func.name() == OF_A_DAY;
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(lasts)
}

#[async_trait]
impl TableProvider for Bound {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let state = session.as_any().downcast_ref::<SessionState>();
        let state = state
            .ok_or_else(|| DataFusionError::Internal("a session of another kind".to_owned()))?;
        let plan = match projection {
            Some(places) => {
                let columns = self.plan.schema().columns();
                let columns = places
                    .iter()
                    .filter_map(|place| columns.get(*place).cloned());
                LogicalPlanBuilder::from(self.plan.clone())
                    .project(columns.map(Expr::Column))?
                    .build()?
            }
            None => self.plan.clone(),
        };
        planned_as_a_part(&plan, state).await
    }
}
