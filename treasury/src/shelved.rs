//! Tables whose files lie partly elsewhere, at the URL of the ledger's history.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::listing::{ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::prelude::SessionContext;
use tieout_core::schema::Table;
use tieout_ledger::Ledger;
use url::Url;

use crate::QueryError;
use crate::error::{no_runtime, no_session};
use crate::tables::{empty, listing_options};
use crate::texts::read_schema;

/// Under which a session finds the ledger's files. Nothing that SQL can say leads there.
const SHELF: &str = "tieout://ledger/";

/// Registers the ledger's files as a store of the session, if some lie elsewhere; returns whether they
/// do. No other machine is asked before a query reads.
///
/// # Errors
/// [`QueryError::Store`] if this program has no client for it.
pub(crate) fn install(context: &SessionContext, ledger: &Ledger) -> Result<bool, QueryError> {
    let shelf = ledger.shelf();
    let shelf = shelf.map_err(|error| QueryError::Store(error.to_string()))?;
    let Some(shelf) = shelf else {
        return Ok(false);
    };
    let url = Url::parse(SHELF).map_err(|error| no_runtime(&error.to_string()))?;
    context.register_object_store(&url, Arc::new(shelf));
    Ok(true)
}

/// The rows of all files of `table` in that store.
///
/// # Errors
/// [`QueryError::Runtime`] if there can be no such table.
pub(crate) fn provider(
    context: &SessionContext,
    ledger: &Ledger,
    table: Table,
) -> Result<Arc<dyn TableProvider>, QueryError> {
    let names = ledger.names(table);
    if names.is_empty() {
        return empty(table);
    }
    let urls = names
        .iter()
        .map(|name| ListingTableUrl::parse(format!("{SHELF}{name}")));
    let urls = urls.collect::<Result<Vec<_>, _>>().map_err(no_session)?;
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(listing_options(context))
        .with_schema(read_schema(table));
    let listed = ListingTable::try_new(config).map_err(no_session)?;
    Ok(Arc::new(listed))
}
