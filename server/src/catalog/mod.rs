//! What clients ask about the tables: `pg_catalog`, `information_schema`, and the functions and
//! casts that come with the questions.
//!
//! The columns of these tables are data (`server/catalog/*.txt`); [`tables`] fills those that have
//! rows, [`functions`] has the functions, and [`rewrite`](mod@rewrite) turns what the query engine
//! cannot read into what it can.

mod emptiness;
mod functions;
mod layout;
mod relations;
mod rewrite;
mod rights;
mod tables;

use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

pub use relations::Relations;
pub use rewrite::{Asker, rewrite};

/// The database, and the query engine's catalog behind it.
pub const DATABASE: &str = "tieout";
const PG_CATALOG: &str = "pg_catalog";
/// Where `information_schema` lies: the query engine has one of its own under that name, which
/// speaks of its own types.
const INFORMATION: &str = "pg_information";

/// Whether a schema tells about tables, and has none of the ledger's rows.
pub fn is_about_the_catalog(schema: &str) -> bool {
    [PG_CATALOG, INFORMATION, "information_schema"].contains(&schema)
}

/// The tables of a ledger as clients see them.
pub struct Catalog {
    names: Vec<(String, String)>,
    /// The ledger's tables and views.
    pub relations: Arc<Relations>,
    postgres: Arc<dyn SchemaProvider>,
    information: Arc<dyn SchemaProvider>,
}

impl Catalog {
    /// Puts the tables and functions into `context`. Those of the state `before`, from which the
    /// context comes, are taken if the ledger's tables are still the same.
    ///
    /// # Errors
    /// Those of opening the ledger's tables.
    pub async fn install(
        context: &SessionContext,
        before: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, DataFusionError> {
        let Some(provider) = context.catalog(DATABASE) else {
            return Err(DataFusionError::Internal("no catalog".to_owned()));
        };
        let names = names(&provider);
        let known = before.filter(|before| before.names == names);
        let catalog = match known {
            Some(before) => Arc::clone(before),
            None => Arc::new(Self::gather(provider.as_ref(), names).await?),
        };
        provider.register_schema(PG_CATALOG, Arc::clone(&catalog.postgres))?;
        provider.register_schema(INFORMATION, Arc::clone(&catalog.information))?;
        if before.is_none() {
            register_nested(context)?;
        }
        if known.is_none() {
            for function in functions::functions(&catalog.relations) {
                context.register_udf(function);
            }
        }
        Ok(catalog)
    }

    async fn gather(
        provider: &dyn CatalogProvider,
        names: Vec<(String, String)>,
    ) -> Result<Self, DataFusionError> {
        let relations = Arc::new(Relations::of(provider, &names).await?);
        let (postgres, information) = (MemorySchemaProvider::new(), MemorySchemaProvider::new());
        for (name, table) in tables::pg_catalog(&relations)? {
            postgres.register_table(name, table)?;
        }
        for (name, table) in tables::information_schema(&relations)? {
            information.register_table(name, table)?;
        }
        Ok(Self {
            names,
            relations,
            postgres: Arc::new(postgres),
            information: Arc::new(information),
        })
    }
}

/// Arrays, which clients ask about.
fn register_nested(context: &SessionContext) -> Result<(), DataFusionError> {
    for function in datafusion_functions_nested::all_default_nested_functions() {
        context.register_udf(function.as_ref().clone());
    }
    for planner in [
        Arc::new(datafusion_functions_nested::planner::NestedFunctionPlanner)
            as Arc<dyn datafusion::logical_expr::planner::ExprPlanner>,
        Arc::new(datafusion_functions_nested::planner::FieldAccessPlanner),
    ] {
        datafusion::execution::FunctionRegistry::register_expr_planner(
            &mut *context.state_ref().write(),
            planner,
        )?;
    }
    Ok(())
}

/// Schema and name of each of the ledger's tables and views.
fn names(provider: &Arc<dyn CatalogProvider>) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for schema in ["public", "history"] {
        if let Some(tables) = provider.schema(schema) {
            let tables = tables.table_names().into_iter();
            names.extend(tables.map(|table| (schema.to_owned(), table)));
        }
    }
    names.sort();
    names
}
