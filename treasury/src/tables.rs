//! The tables of a ledger as a session reads them, and which of them are those of an earlier state.

use std::collections::BTreeMap;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use datafusion::catalog::{MemTable, SchemaProvider, TableProvider};
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::file_format::options::ReadOptions as _;
use datafusion::datasource::listing::{ListingOptions, ListingTableUrl};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::error::Result as PlanResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{ParquetReadOptions, SessionContext, col, lit};
use tieout_core::schema::Table;
use tieout_ledger::journal::what;
use tieout_ledger::{Ledger, POSTING, stored_schema};

use crate::QueryError;
use crate::error::no_session;
use crate::holding::Holding;
use crate::reversed::{Asked, Places, StoredFile};
use crate::shelved;
use crate::stored::{Known, Reading, StoredTable};
use crate::texts::read_schema;

/// The schema with every row of every posting, those that no longer hold too.
pub(crate) const HISTORY: &str = "history";
/// Files of each table that are looked into when a ledger is opened, so that a damaged one is named.
const FILES_LOOKED_INTO: usize = 1;

/// All rows of each table, and the query for those that hold where not all do.
pub(crate) struct Tables {
    stored: BTreeMap<&'static str, Stored>,
    known: Known,
    /// Where rows of later postings are left out, the last posting.
    until: Option<u64>,
    /// Whether files lie at a URL, too.
    is_elsewhere: bool,
}

struct Stored {
    names: Vec<String>,
    all: Arc<dyn TableProvider>,
    held: Held,
}

/// Which rows of a table hold.
enum Held {
    All,
    /// Those that no reversal names.
    Some(Arc<Holding>),
    /// Those of a query.
    Query(String),
}

impl Tables {
    /// Opens the tables of `ledger`. Files that `before` knows are not looked into again.
    ///
    /// # Errors
    /// A [`QueryError`] if a file cannot be read.
    pub async fn open(
        context: &SessionContext,
        ledger: &Ledger,
        is_elsewhere: bool,
        before: Option<&Self>,
    ) -> Result<Self, QueryError> {
        let mut tables = BTreeMap::new();
        let until = ledger.until();
        let before = before.filter(|before| {
            (until, before.until) == (None, None) && before.is_elsewhere == is_elsewhere
        });
        let is_read_by_place = until.is_none() && !is_elsewhere;
        let known_of_files = before.map(|before| before.known.clone());
        let known_of_files = known_of_files.unwrap_or_default();
        let reversals = if is_read_by_place {
            stored_files(ledger, Table::Reversals)?
        } else {
            Vec::new()
        };
        for table in Table::ALL {
            let names = ledger.names(table);
            let known = before.and_then(|before| before.stored.get(table.name()));
            let all = match known.filter(|known| known.names == names) {
                Some(known) => Arc::clone(&known.all),
                None if is_elsewhere => {
                    up_to(context, ledger, shelved::provider(context, ledger, table)?)?
                }
                None => {
                    let is_known_good =
                        known.is_some_and(|known| known.names.first() == names.first());
                    let files = stored_files(ledger, table)?;
                    let all =
                        provider(context, files, is_known_good, table, &known_of_files).await?;
                    up_to(context, ledger, all)?
                }
            };
            let held = match reversed_by(table) {
                Some((what, Key::Column(key))) if is_read_by_place => {
                    let asked = Asked {
                        what,
                        key,
                        files: stored_files(ledger, table)?,
                        reversals: reversals.clone(),
                        last: ledger.postings(),
                    };
                    let places = known.and_then(Stored::places).unwrap_or_default();
                    let before = known.map_or(&[][..], |known| &known.names);
                    places.keep(names.iter().chain(before));
                    Held::Some(Arc::new(Holding::of(Arc::clone(&all), asked, places)))
                }
                _ => holding(ledger, table).map_or(Held::All, Held::Query),
            };
            let stored = Stored { names, all, held };
            tables.insert(table.name(), stored);
        }
        let before = before.iter().flat_map(|before| before.stored.values());
        let names = tables.values().chain(before);
        known_of_files.keep(names.flat_map(|stored| &stored.names));
        Ok(Self {
            stored: tables,
            known: known_of_files,
            until,
            is_elsewhere,
        })
    }

    /// Puts all rows of each table into the schema `history`.
    ///
    /// # Errors
    /// A [`QueryError`] if the session does not take them.
    pub fn register(&self, history: &dyn SchemaProvider) -> Result<(), QueryError> {
        for (name, stored) in &self.stored {
            history
                .register_table((*name).to_owned(), Arc::clone(&stored.all))
                .map_err(no_session)?;
        }
        Ok(())
    }

    /// The names of the tables.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.stored.keys().copied()
    }

    /// The rows of a table that hold, unless they are those of a query.
    pub fn held(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        let stored = self.stored.get(name)?;
        match &stored.held {
            Held::All => Some(Arc::clone(&stored.all)),
            Held::Some(holding) => Some(Arc::clone(holding) as Arc<dyn TableProvider>),
            Held::Query(_) => None,
        }
    }

    /// The query for the rows of a table that hold, if there is one.
    pub fn holding(&self, name: &str) -> Option<&str> {
        match &self.stored.get(name)?.held {
            Held::Query(sql) => Some(sql),
            Held::All | Held::Some(_) => None,
        }
    }

    /// Whether the same rows hold by the same queries, so that what was planned for `other` needs
    /// other files and nothing else.
    pub fn hold_alike(&self, other: &Self) -> bool {
        let mut stored = self.stored.iter();
        (self.until, other.until) == (None, None)
            && stored.all(|(name, stored)| {
                let other = other.stored.get(name);
                other.is_some_and(|other| stored.held.is_alike(&other.held))
            })
    }

    /// Whether a table has the same files.
    pub fn has_same_files(&self, other: &Self, table: Table) -> bool {
        let files = |tables: &Self| {
            tables
                .stored
                .get(table.name())
                .map(|stored| stored.names.clone())
        };
        files(self) == files(other)
    }

    /// A plan that reads the tables of `before`, so that it reads these. None if it reads anything
    /// else.
    ///
    /// # Errors
    /// Those of going over a plan.
    pub fn in_place_of(&self, before: &Self, plan: LogicalPlan) -> PlanResult<Option<LogicalPlan>> {
        let mut is_known = true;
        let replaced = plan.transform_down_with_subqueries(|node| {
            let LogicalPlan::TableScan(mut scan) = node else {
                return Ok(Transformed::no(node));
            };
            let old = source_as_provider(&scan.source)?;
            let Some(new) = self.instead_of(before, &old) else {
                is_known = false;
                return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
            };
            scan.source = provider_as_source(new);
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        })?;
        Ok(is_known.then_some(replaced.data))
    }

    /// What `old` is of `before`, of these tables.
    fn instead_of(
        &self,
        before: &Self,
        old: &Arc<dyn TableProvider>,
    ) -> Option<Arc<dyn TableProvider>> {
        let is_old =
            |known: &Arc<dyn TableProvider>| ptr::addr_eq(Arc::as_ptr(known), Arc::as_ptr(old));
        let (name, stored) = before.stored.iter().find(|(name, stored)| {
            is_old(&stored.all) || before.held(name).as_ref().is_some_and(is_old)
        })?;
        if is_old(&stored.all) {
            self.stored.get(name).map(|stored| Arc::clone(&stored.all))
        } else {
            self.held(name)
        }
    }
}

impl Stored {
    /// What is known of where rows lie.
    fn places(&self) -> Option<Arc<Places>> {
        match &self.held {
            Held::Some(holding) => Some(Arc::clone(holding.places())),
            Held::All | Held::Query(_) => None,
        }
    }
}

impl Held {
    /// Whether what was planned for one is right for the other, with other files.
    fn is_alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) | (Self::Some(_), Self::Some(_)) => true,
            (Self::Query(one), Self::Query(other)) => one == other,
            _ => false,
        }
    }
}

/// The files of a table, as they really are.
fn stored_files(ledger: &Ledger, table: Table) -> Result<Vec<StoredFile>, QueryError> {
    let files = ledger.names(table).into_iter().zip(ledger.files(table));
    let files = files.map(|(name, path)| {
        let url = url_of(&path).map_err(|found| unreadable(&path, found))?;
        Ok(StoredFile { name, path, url })
    });
    files.collect()
}

fn url_of(path: &Path) -> Result<ListingTableUrl, String> {
    let whole = path.canonicalize().map_err(|error| error.to_string())?;
    let url = file_url(&whole).ok_or_else(|| "the path is no UTF-8".to_owned())?;
    ListingTableUrl::parse(&url).map_err(|error| error.find_root().to_string())
}

fn unreadable(path: &Path, found: String) -> QueryError {
    QueryError::Unreadable {
        path: path.to_owned(),
        found,
    }
}

/// The rows of postings that `ledger` knows: a file may have rows of later ones too.
fn up_to(
    context: &SessionContext,
    ledger: &Ledger,
    all: Arc<dyn TableProvider>,
) -> Result<Arc<dyn TableProvider>, QueryError> {
    let Some(last) = ledger.until() else {
        return Ok(all);
    };
    let own = col(POSTING).lt_eq(lit(last));
    let rows = context.read_table(all).and_then(|rows| rows.filter(own));
    Ok(rows.map_err(no_session)?.into_view())
}

/// The rows of a table that hold, in SQL; none if all do.
fn holding(ledger: &Ledger, table: Table) -> Option<String> {
    let history = format!("{HISTORY}.{}", table.name());
    if let Some(key) = delivered_anew(table).filter(|_| ledger.rows(table) > 0) {
        let schema = stored_schema(table);
        let columns: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let columns = columns.join(", ");
        return Some(format!(
            "select {columns} from (select *, row_number() over (partition by {key} \
             order by posting desc, source_file desc, source_line desc) as place from {history}) t \
             where place = 1"
        ));
    }
    let (what, key) = reversed_by(table).filter(|_| ledger.rows(Table::Reversals) > 0)?;
    let key = match key {
        Key::Column(name) => format!("t.{name}"),
        Key::Made(sql) => sql.to_owned(),
    };
    Some(format!(
        "select t.* from {history} t left anti join {} r on r.what = '{what}' \
         and r.id = {key} and r.reversed_posting = t.posting",
        Table::Reversals.name()
    ))
}

/// What tells a row of which a later delivery has a newer one.
fn delivered_anew(table: Table) -> Option<&'static str> {
    match table {
        Table::Accounts => Some("account"),
        Table::ExchangeRates => Some("rate_date, base_currency, quote_currency"),
        _ => None,
    }
}

/// How reversals name a row.
enum Key {
    /// By a column.
    Column(&'static str),
    /// By what is made of several, in SQL.
    Made(&'static str),
}

/// What reversals call the rows of a table, and how they name one.
fn reversed_by(table: Table) -> Option<(&'static str, Key)> {
    match table {
        Table::Payments
        | Table::Applications
        | Table::Exceptions
        | Table::Duplicates
        | Table::Evidence => Some((what::PAYMENT, Key::Column("payment_id"))),
        Table::OpenItems => Some((what::ITEM, Key::Column("item_id"))),
        Table::Parties => Some((what::PARTY, Key::Column("party_id"))),
        Table::RemittanceLines => Some((
            what::ADVICE,
            Key::Made("t.source_file || ':' || cast(t.source_line as varchar)"),
        )),
        _ => None,
    }
}

/// The rows in `files`, which all have the columns of `table`.
async fn provider(
    context: &SessionContext,
    files: Vec<StoredFile>,
    is_known_good: bool,
    table: Table,
    known: &Known,
) -> Result<Arc<dyn TableProvider>, QueryError> {
    let Some(first) = files.first().map(|first| first.path.clone()) else {
        return empty(table);
    };
    let looked_into = if is_known_good { 0 } else { FILES_LOOKED_INTO };
    for StoredFile { path, url, .. } in files.iter().take(looked_into) {
        let looked = async {
            let state = context.state();
            let options = listing_options(context);
            options.infer_schema(&state, url).await
        };
        let looked = looked.await;
        looked.map_err(|error| unreadable(path, error.find_root().to_string()))?;
    }
    let read = Reading {
        options: listing_options(context),
        table,
        // A file of an earlier version lacks columns that came later; they are null.
        schema: read_schema(table),
        statistics: context
            .runtime_env()
            .cache_manager
            .get_file_statistic_cache(),
    };
    let stored = StoredTable::of(files, read, known.clone());
    let stored = stored.map_err(|error| unreadable(&first, error.find_root().to_string()))?;
    Ok(Arc::new(stored))
}

/// A table without rows.
pub(crate) fn empty(table: Table) -> Result<Arc<dyn TableProvider>, QueryError> {
    let empty = MemTable::try_new(read_schema(table), vec![Vec::new()]);
    Ok(Arc::new(empty.map_err(no_session)?))
}

pub(crate) fn listing_options(context: &SessionContext) -> ListingOptions {
    ParquetReadOptions::default()
        .to_listing_options(&context.copied_config(), context.copied_table_options())
}

/// The path as a URL, in which no character of a folder's name can be taken for a pattern.
fn file_url(path: &Path) -> Option<String> {
    let mut url = "file://".to_owned();
    for &byte in path.to_str()?.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
    }
    Some(url)
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}
