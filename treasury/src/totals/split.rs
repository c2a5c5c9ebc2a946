//! A stored table as totals of some files and rows of the others.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{Column, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use tieout_core::schema::Table;
use tieout_ledger::{ROWS, SUM_TYPE, Totalled, Totals, totalled};

use super::known::{Gone, KnownTotals};
use super::table::{FileWithTotals, TotalsTable};
use crate::holding::Holding;
use crate::reversed::StoredFile;
use crate::stored::StoredTable;
use crate::texts::as_views;

/// Of how many rows of a file at most one may have been taken back, so that its totals are used: those
/// rows are read.
const ROWS_OF_ONE_GONE: usize = 16;

/// The totals of a table's files, and the rows of those that have none.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    pub of: &'static Totalled,
    pub totals: Arc<TotalsTable>,
    pub rest: Option<Arc<dyn TableProvider>>,
}

impl Split {
    /// That of a table, if some of its files have totals. What is to be looked up first is looked up by so
    /// many threads.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn of(provider: &Arc<dyn TableProvider>, threads: usize) -> Result<Option<Self>> {
        if let Some(stored) = provider.downcast_ref::<StoredTable>() {
            return stored.split();
        }
        match provider.downcast_ref::<Holding>() {
            Some(holding) => holding.split(threads),
            None => Ok(None),
        }
    }

    /// The totals and the rows under the name of the table: each row of the others is a total of itself.
    ///
    /// # Errors
    /// Those of making a plan.
    pub fn plan(&self, name: &TableReference) -> Result<LogicalPlan> {
        let totals: Arc<dyn TableProvider> = Arc::clone(&self.totals) as _;
        let totals = LogicalPlanBuilder::scan(name.clone(), provider_as_source(totals), None)?;
        let Some(rest) = &self.rest else {
            return totals.build();
        };
        let rest = provider_as_source(Arc::clone(rest));
        let rest = LogicalPlanBuilder::scan(name.clone(), rest, None)?;
        let column = |column: &str| Expr::Column(Column::new(Some(name.clone()), column));
        let by = self.of.by.iter().map(|&name| column(name));
        let rows = lit(1_i64).alias_qualified(Some(name.clone()), ROWS);
        let sums = self.of.sums.iter().map(|&sum| {
            let amount = cast(column(sum), SUM_TYPE);
            amount.alias_qualified(Some(name.clone()), sum)
        });
        let rest = rest.project(by.chain([rows]).chain(sums))?;
        // A union's columns are of no table.
        totals.union(rest.build()?)?.alias(name.clone())?.build()
    }
}

/// The totals of those of `files` that have some, and the files that have none. Of each file `gone` gives how
/// many rows it has and which of them were taken back.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn parted(
    table: Table,
    files: Vec<(StoredFile, usize, Vec<usize>)>,
    known: &KnownTotals,
) -> Result<Option<Parted>> {
    let Some((of, totals)) = totalled(table).zip(Totals::of(table)?) else {
        return Ok(None);
    };
    let schema = as_views(totals.schema());
    let (mut with, mut rest) = (Vec::new(), Vec::new());
    for (file, rows, gone) in files {
        let totals = if gone.len() * ROWS_OF_ONE_GONE > rows {
            None
        } else {
            known.of(&file, &schema)?
        };
        match totals {
            Some(totals) => {
                let is_whole = gone.is_empty();
                let gone = Gone {
                    table,
                    rows: gone.into(),
                    of: rows,
                };
                with.push(FileWithTotals {
                    file,
                    totals,
                    gone: (!is_whole).then_some(gone),
                });
            }
            None => rest.push(file),
        }
    }
    let totals = TotalsTable {
        schema,
        files: with,
    };
    Ok((!totals.files.is_empty()).then(|| Parted {
        of,
        totals: Arc::new(totals),
        rest,
    }))
}

/// The files of a table by whether they have totals.
pub(crate) struct Parted {
    pub of: &'static Totalled,
    pub totals: Arc<TotalsTable>,
    pub rest: Vec<StoredFile>,
}
