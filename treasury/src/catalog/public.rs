//! The schema `public`: the ledger's tables, users' own files, and views that are planned when a
//! query first names them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, TableType};
use parking_lot::RwLock;

use super::{Kind, LISTING, Query, listing, queries, query};
use crate::tables::Tables;

/// The state of the session that a schema belongs to.
pub(crate) type StateRef = Weak<RwLock<SessionState>>;

/// The schema. It is filled once and then only gets users' own tables.
pub(crate) struct Public {
    stored: Arc<Tables>,
    /// Tables whose rows that hold need no query, and users' own.
    tables: RwLock<BTreeMap<String, Arc<dyn TableProvider>>>,
    /// Queries as they were planned: views, and tables whose rows that hold are those of a query.
    planned: RwLock<BTreeMap<String, Planned>>,
    state: OnceLock<StateRef>,
}

/// A query by its name, planned over the tables of this state or an earlier one.
#[derive(Clone)]
struct Planned {
    view: Arc<dyn TableProvider>,
    over: Arc<Tables>,
}

impl fmt::Debug for Public {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("public")
    }
}

impl Public {
    /// Over the tables `stored`, for the session of `state`. What was planned over those of `before`
    /// is taken over when it is asked for.
    pub fn new(state: StateRef, stored: Arc<Tables>, before: Option<&Self>) -> Self {
        let tables = stored
            .names()
            .filter_map(|name| Some((name.to_owned(), stored.held(name)?)));
        let planned = before.filter(|before| stored.hold_alike(&before.stored));
        let planned = planned.map(|before| before.planned.read().clone());
        Self {
            tables: RwLock::new(tables.collect()),
            planned: RwLock::new(planned.unwrap_or_default()),
            state: OnceLock::from(state),
            stored,
        }
    }

    /// Takes over users' own tables from the state `before`.
    pub fn join_in_those_of(&self, before: &Self) {
        let mut tables = self.tables.write();
        for (name, table) in before.tables.read().iter() {
            if before.stored.names().all(|stored| stored != name) {
                tables.insert(name.clone(), Arc::clone(table));
            }
        }
    }

    /// The ledger's tables.
    pub fn stored(&self) -> &Tables {
        &self.stored
    }

    fn state(&self) -> Result<SessionState> {
        let state = self.state.get().and_then(Weak::upgrade);
        let state = state.ok_or_else(|| {
            DataFusionError::Execution("the session that has the views is closed".to_owned())
        })?;
        let state = state.read().clone();
        Ok(state)
    }

    /// The query `sql`, which is planned once.
    async fn query(&self, name: &str, sql: String) -> Result<Arc<dyn TableProvider>> {
        let known = self.planned.read().get(name).cloned();
        let taken_over = match known {
            Some(known) if Arc::ptr_eq(&known.over, &self.stored) => return Ok(known.view),
            Some(known) => self.taken_over(&known)?,
            None => None,
        };
        let plan = if let Some(plan) = taken_over {
            plan
        } else {
            let plan = self.state()?.create_logical_plan(&sql).await;
            plan.map_err(|error| error.context(format!("view {name}")))?
        };
        let view: Arc<dyn TableProvider> = Arc::new(ViewTable::new(plan, Some(sql)));
        let planned = Planned {
            view: Arc::clone(&view),
            over: Arc::clone(&self.stored),
        };
        self.planned.write().insert(name.to_owned(), planned);
        Ok(view)
    }

    fn taken_over(&self, known: &Planned) -> Result<Option<LogicalPlan>> {
        let plan = known.view.get_logical_plan().map(Cow::into_owned);
        let plan = plan.map(|plan| self.stored.in_place_of(&known.over, plan));
        Ok(plan.transpose()?.flatten())
    }

    /// The query for the rows of a table that hold, or that of a view.
    fn sql(&self, name: &str) -> Option<String> {
        let held = self.stored.holding(name).map(str::to_owned);
        held.or_else(|| Some(view_named(name)?.sql(&[])))
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
        let held = self.stored.names();
        let held = held.filter(|name| self.stored.holding(name).is_some());
        names
            .chain(held.map(str::to_owned))
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
        match self.sql(name) {
            Some(sql) => self.query(name, sql).await.map(Some),
            None => Ok(None),
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        if self.tables.read().contains_key(name) || self.stored.holding(name).is_some() {
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
        self.tables.read().contains_key(name) || name == LISTING || self.sql(name).is_some()
    }
}
