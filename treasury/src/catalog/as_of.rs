//! The table function `as_of`: a table or view as it was known earlier.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::thread;

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::{DataFrame, SessionContext};
use parking_lot::Mutex;
use tieout_core::Date;
use tieout_ledger::{Ledger, Moment};
use tokio::runtime::Builder;

use super::{Described, Kind, Parameter, relations};
use crate::session::{Limits, Treasury};

/// Its name.
pub(crate) const AS_OF: &str = "as_of";
const USAGE: &str = "write as_of('payments', date '2026-03-31'); the moment is a day, a time such as \
                     '2026-03-31T10:00:00Z', or the number of a posting";
/// Earlier states that are kept open.
const STATES_MAX: usize = 4;
/// Planning a view goes deep.
const STACK_BYTES: usize = 8 << 20;

/// What it is, for people.
pub(crate) fn described() -> &'static Described {
    static DESCRIBED: LazyLock<Described> = LazyLock::new(|| {
        let parameter = |name: &str, comment: &str| Parameter {
            name: name.to_owned(),
            is_date: false,
            otherwise: None,
            comment: comment.to_owned(),
        };
        Described {
            name: AS_OF.to_owned(),
            kind: Kind::Function,
            comment: "A table or view as it was known at the end of a day (UTC), at a time, or right \
                      after a posting: rows that came later are not there, what was taken back later \
                      is. It has the columns of that table"
                .to_owned(),
            columns: Vec::new(),
            parameters: vec![
                parameter("relation", "the table or view, as a text; history.NAME for all rows"),
                parameter("moment", "a date, a time as text, or the number of a posting"),
            ],
        }
    });
    &DESCRIBED
}

/// Opens earlier states of a ledger when a query asks for them.
pub(crate) struct AsOf {
    ledger: Ledger,
    limits: Limits,
    /// By the last posting that each knows.
    states: Mutex<BTreeMap<u64, Arc<Treasury>>>,
}

impl fmt::Debug for AsOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(AS_OF)
    }
}

impl TableFunctionImpl for AsOf {
    fn call_with_args(
        &self,
        arguments: TableFunctionArgs<'_, '_>,
    ) -> Result<Arc<dyn TableProvider>> {
        let [relation, moment] = arguments.exprs() else {
            return Err(refused(USAGE));
        };
        let relation = relation_of(&text(relation)?)?;
        let moment: Moment = text(moment)?.parse().map_err(|_| refused(USAGE))?;
        let state = arguments.session().as_any().downcast_ref::<SessionState>();
        let state = state.ok_or_else(|| refused("a session of another kind"))?;
        let sql = format!("select * from {relation}");
        let plan = apart(|| self.plan(state, moment, &sql))?;
        Ok(Arc::new(ViewTable::new(plan, Some(sql))))
    }
}

impl AsOf {
    /// For a session over `ledger`.
    pub fn of(ledger: &Ledger, limits: &Limits) -> Self {
        Self {
            ledger: ledger.clone(),
            // Files of users' own have no earlier state.
            limits: Limits {
                own_tables: Vec::new(),
                ..limits.clone()
            },
            states: Mutex::default(),
        }
    }

    async fn plan(&self, state: &SessionState, moment: Moment, sql: &str) -> Result<LogicalPlan> {
        let posting = match moment {
            Moment::Posting(number) => number,
            Moment::Day(_) | Moment::At(_) => match last_posting(state, moment).await? {
                0 => return Err(self.not_yet(moment)),
                number => number,
            },
        };
        let known = self.states.lock().get(&posting).cloned();
        let treasury = match known {
            Some(treasury) => treasury,
            None => self.open(posting).await?,
        };
        treasury.context().state().create_logical_plan(sql).await
    }

    fn not_yet(&self, moment: Moment) -> DataFusionError {
        refused(&format!(
            "nothing is known as of {moment}: the first posting was recorded at {}",
            self.ledger.created_at()
        ))
    }

    async fn open(&self, posting: u64) -> Result<Arc<Treasury>> {
        let ledger = self.ledger.clone().as_of(Moment::Posting(posting));
        let ledger = ledger.map_err(|error| refused(&error.to_string()))?;
        // It opens a treasury, which has this function: the types of the two futures would contain
        // each other.
        let opened = Box::pin(Treasury::open(&ledger, &self.limits)).await;
        let treasury = Arc::new(opened.map_err(|error| refused(&error.to_string()))?);
        let mut states = self.states.lock();
        if states.len() >= STATES_MAX {
            states.clear();
        }
        states.insert(posting, Arc::clone(&treasury));
        Ok(treasury)
    }
}

/// The last posting that was recorded whole by `moment`; 0 if none was. It is read from the table and
/// not from the journal, which a writer may have open.
async fn last_posting(state: &SessionState, moment: Moment) -> Result<u64> {
    let Some(last) = moment.last() else {
        return Ok(0);
    };
    // Times are written with the same digits, so that texts have their order.
    let sql = format!(
        "select max(posting) from (select posting, max(recorded_at) as at from history.journal \
         group by posting) p where at <= '{last}'"
    );
    let plan = state.create_logical_plan(&sql).await?;
    let context = SessionContext::new_with_state(state.clone());
    let batches = DataFrame::new(context.state(), plan).collect().await?;
    let found = batches.iter().find_map(|batch| {
        let column = batch.column(0).as_primitive_opt::<UInt64Type>()?;
        column.iter().next().flatten()
    });
    Ok(found.unwrap_or(0))
}

/// Does `work` on a thread of its own: whoever plans a call cannot wait for files.
fn apart<T: Send, F: Future<Output = Result<T>>>(work: impl FnOnce() -> F + Send) -> Result<T> {
    let blocked = || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime
            .map_err(|error| refused(&error.to_string()))?
            .block_on(work())
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        let spawned = thread.spawn_scoped(scope, blocked);
        let spawned = spawned.map_err(|error| refused(&error.to_string()))?;
        let lost = || refused("opening the earlier state broke off; this is a mistake of tieout");
        spawned.join().unwrap_or_else(|_| Err(lost()))
    })
}

/// The argument as text: dates and numbers as they are written.
fn text(given: &Expr) -> Result<String> {
    match given {
        Expr::Literal(ScalarValue::Date32(Some(days)), _) => Ok(Date::from_days(*days).to_string()),
        Expr::Literal(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)),
            _,
        ) => Ok(text.clone()),
        Expr::Literal(value @ (ScalarValue::Int64(Some(_)) | ScalarValue::UInt64(Some(_))), _) => {
            Ok(value.to_string())
        }
        _ => Err(refused(USAGE)),
    }
}

/// The relation as SQL may write it: only what there is.
fn relation_of(given: &str) -> Result<String> {
    let name = given.to_lowercase();
    let (schema, name) = name.split_once('.').unwrap_or(("public", &name));
    let known = relations()
        .filter(|relation| relation.kind == Kind::Table || schema == "public")
        .any(|relation| relation.name == name && relation.kind != Kind::Function);
    if known && ["public", "history"].contains(&schema) {
        Ok(format!("{schema}.{name}"))
    } else {
        Err(refused(&format!("there is no table {given}; {USAGE}")))
    }
}

fn refused(found: &str) -> DataFusionError {
    DataFusionError::Plan(found.to_owned())
}
