//! How long somebody waits for a plan.
//!
//! DataFusion plans without a pause, so that a clock or a wish beside it is not looked at before the plan is
//! made, seconds later for a statement of a hundred joins. So planning itself looks, each time that a
//! relation is met or a rule is applied to a part of the plan, and ends with an error.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::tree_node::Transformed;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::{
    RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::optimizer::{
    Analyzer, AnalyzerRule, ApplyOrder, Optimizer, OptimizerConfig, OptimizerRule,
};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_optimizer::{PhysicalOptimizerContext, PhysicalOptimizerRule};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::sqlparser::ast::TableFactor;

/// How long whoever asked waits for a plan; for ever unless something is said. Clones are one: what is
/// given up for one is for all.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    until: Option<Instant>,
    is_over: Arc<AtomicBool>,
}

/// Why a plan was not made to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Impatience {
    /// It took longer than it may.
    #[error("planning takes longer than it may")]
    Late,
    /// Nobody wants it any more.
    #[error("planning was cancelled")]
    GivenUp,
}

impl Patience {
    /// Until then.
    pub fn until(until: Option<Instant>) -> Self {
        Self {
            until,
            ..Self::default()
        }
    }

    /// Nobody waits any more.
    pub fn give_up(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Whether somebody still waits.
    ///
    /// # Errors
    /// If nobody does, for whoever explains errors to say why.
    pub fn check(&self) -> Result<()> {
        let found = if self.is_over.load(Ordering::Relaxed) {
            Impatience::GivenUp
        } else if self.until.is_some_and(|until| Instant::now() >= until) {
            Impatience::Late
        } else {
            return Ok(());
        };
        Err(DataFusionError::External(Box::new(found)))
    }

    /// Has what `state` plans from now on wait so long.
    pub fn rule(&self, state: &mut SessionState) {
        let options = state.config_mut().options_mut();
        options.extensions.insert(self.clone());
    }
}

impl Impatience {
    /// The one that an error is, if it is.
    pub(crate) fn of(root: &DataFusionError) -> Option<Self> {
        match root {
            DataFusionError::External(error) => error.downcast_ref().copied(),
            _ => None,
        }
    }
}

/// It goes with the options of a session, which every step of planning is given. It is no setting: nobody
/// can see or set it.
impl ExtensionOptions for Patience {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _: &str) -> Result<()> {
        Err(DataFusionError::Configuration(format!(
            "there is no setting {key}"
        )))
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

impl ConfigExtension for Patience {
    const PREFIX: &'static str = "patience";
}

fn check(options: &ConfigOptions) -> Result<()> {
    options
        .extensions
        .get::<Patience>()
        .map_or(Ok(()), Patience::check)
}

/// A session whose planning looks whether somebody still waits.
pub(crate) fn patient(builder: SessionStateBuilder) -> SessionStateBuilder {
    let analyzing = Analyzer::new().rules.into_iter().map(Patient);
    let optimizing = Optimizer::new().rules.into_iter().map(Patient);
    let physical = PhysicalOptimizer::new().rules.into_iter().map(Patient);
    builder
        .with_relation_planners(vec![Arc::new(PatientRelations)])
        .with_analyzer_rules(analyzing.map(|rule| Arc::new(rule) as _).collect())
        .with_optimizer_rules(optimizing.map(|rule| Arc::new(rule) as _).collect())
        .with_physical_optimizer_rules(physical.map(|rule| Arc::new(rule) as _).collect())
}

/// A rule that looks first.
#[derive(Debug)]
struct Patient<R>(R);

impl AnalyzerRule for Patient<Arc<dyn AnalyzerRule + Send + Sync>> {
    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        check(config)?;
        self.0.analyze(plan, config)
    }

    fn name(&self) -> &str {
        self.0.name()
    }
}

impl OptimizerRule for Patient<Arc<dyn OptimizerRule + Send + Sync>> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        check(&config.options())?;
        self.0.rewrite(plan, config)
    }
}

impl PhysicalOptimizerRule for Patient<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        check(config)?;
        self.0.optimize(plan, config)
    }

    fn optimize_with_context(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: &dyn PhysicalOptimizerContext,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        check(context.config_options())?;
        self.0.optimize_with_context(plan, context)
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// Looks whenever SQL names a relation, and leaves it to the next planner.
#[derive(Debug)]
struct PatientRelations;

impl RelationPlanner for PatientRelations {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        check(context.context_provider().options())?;
        Ok(RelationPlanning::Original(Box::new(relation)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SQL: &str = "select value % 3, count(*) from generate_series(1, 9) t group by 1";

    /// A session that plans for somebody who waits so.
    fn session(patience: &Patience) -> SessionState {
        let builder = SessionStateBuilder::new_with_default_features();
        let mut state = patient(builder).build();
        patience.rule(&mut state);
        state
    }

    fn ended<T>(result: Result<T>) -> Option<Impatience> {
        Impatience::of(result.err().unwrap().find_root())
    }

    /// Each step looks by itself: what comes to it was planned while somebody waited.
    #[tokio::test]
    async fn each_step_of_planning_ends_when_nobody_waits() {
        let waits = session(&Patience::default());
        let plan = waits.create_logical_plan(SQL).await.unwrap();
        let optimized = waits.optimize(&plan).unwrap();
        waits.create_physical_plan(&optimized).await.unwrap();
        let given_up = Patience::default();
        given_up.clone().give_up();
        let late = Patience::until(Some(Instant::now()));
        for (patience, why) in [(late, Impatience::Late), (given_up, Impatience::GivenUp)] {
            let state = session(&patience);
            assert_eq!(ended(state.create_logical_plan(SQL).await), Some(why));
            assert_eq!(ended(state.optimize(&plan)), Some(why));
            let physical = state.query_planner();
            let physical = physical.create_physical_plan(&optimized, &state).await;
            assert_eq!(ended(physical), Some(why));
        }
    }
}
