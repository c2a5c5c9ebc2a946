//! The schema `public`: the ledger's tables, users' own files, and views that are planned when a
//! query first names them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::TableType;
use parking_lot::RwLock;

use super::{Kind, LISTING, Query, listing, queries, query};

/// The state of the session that a schema belongs to.
pub(crate) type StateRef = Weak<RwLock<SessionState>>;

/// The schema. It is filled once and then only gets users' own tables.
pub(crate) struct Public {
    tables: RwLock<BTreeMap<String, Arc<dyn TableProvider>>>,
    /// Views as they were planned.
    planned: RwLock<BTreeMap<&'static str, Arc<dyn TableProvider>>>,
    state: OnceLock<StateRef>,
}

impl fmt::Debug for Public {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("public")
    }
}

impl Public {
    /// No tables yet, for the session of `state`.
    pub fn new(state: StateRef) -> Self {
        Self {
            tables: RwLock::default(),
            planned: RwLock::default(),
            state: OnceLock::from(state),
        }
    }

    fn state(&self) -> Result<SessionState> {
        let state = self.state.get().and_then(Weak::upgrade);
        let state = state.ok_or_else(|| {
            DataFusionError::Execution("the session that has the views is closed".to_owned())
        })?;
        let state = state.read().clone();
        Ok(state)
    }

    async fn view(&self, query: &'static Query) -> Result<Arc<dyn TableProvider>> {
        let name = query.described.name.as_str();
        if let Some(known) = self.planned.read().get(name) {
            return Ok(Arc::clone(known));
        }
        let sql = query.sql(&[]);
        let plan = self.state()?.create_logical_plan(&sql).await;
        let plan = plan.map_err(|error| error.context(format!("view {name}")))?;
        let view: Arc<dyn TableProvider> = Arc::new(ViewTable::new(plan, Some(sql)));
        self.planned.write().insert(name, Arc::clone(&view));
        Ok(view)
    }
}

/// The view of this name.
fn view_named(name: &str) -> Option<&'static Query> {
    query(name).filter(|query| query.described.kind == Kind::View)
}

#[async_trait]
impl SchemaProvider for Public {
    fn table_names(&self) -> Vec<String> {
        let views = queries().iter().map(|query| &query.described);
        let views = views.filter(|described| described.kind == Kind::View);
        let own = self.tables.read();
        let names = own.keys().cloned();
        names
            .chain(views.map(|described| described.name.clone()))
            .chain([LISTING.to_owned()])
            .collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.tables.read().get(name) {
            return Ok(Some(Arc::clone(table)));
        }
        if name == LISTING {
            return listing(self).await.map(Some);
        }
        match view_named(name) {
            Some(query) => self.view(query).await.map(Some),
            None => Ok(None),
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        if self.tables.read().contains_key(name) {
            return Ok(Some(TableType::Base));
        }
        let is_view = name == LISTING || view_named(name).is_some();
        Ok(is_view.then_some(TableType::View))
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        if self.table_exist(&name) {
            return Err(DataFusionError::Execution(format!(
                "there is a {name} already; take another name"
            )));
        }
        Ok(self.tables.write().insert(name, table))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.read().contains_key(name) || name == LISTING || view_named(name).is_some()
    }
}
