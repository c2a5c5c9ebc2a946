//! Files of users' own, joined in by `create external table`: only inside folders, and beneath URLs of
//! object stores, that were allowed. A session may begin with some, which whoever opens it names.

use std::path::{Path, PathBuf};

use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{CreateExternalTable, DdlStatement, LogicalPlan};
use datafusion::prelude::SessionContext;
use tieout_ledger::objects::Address;

use crate::QueryError;
use crate::session::read_only;

/// The kinds of files that can be joined in.
const FILE_TYPES: [&str; 3] = ["PARQUET", "CSV", "JSON"];

/// What a file of a user's own is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnFormat {
    /// CSV whose first line names the columns.
    Csv,
    /// Objects, one a line.
    Json,
    /// Parquet.
    Parquet,
}

/// A table that a session has beside those of the ledger, under a name that was given to files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTable {
    /// Its name: small letters, digits and underscores.
    pub name: String,
    /// A file or a folder of files, by its path or URL.
    pub location: String,
    /// What they are written in.
    pub format: OwnFormat,
}

impl OwnTable {
    /// The statement that makes it.
    fn statement(&self) -> Result<String, QueryError> {
        let mut letters = self.name.chars();
        let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        if !letters.next().is_some_and(is_letter)
            || !letters.all(|letter| is_letter(letter) || letter.is_ascii_digit())
        {
            return Err(self.refused("a name has small letters, digits and underscores only"));
        }
        let (kind, options) = match self.format {
            OwnFormat::Csv => ("csv", " options ('format.has_header' 'true')"),
            OwnFormat::Json => ("json", ""),
            OwnFormat::Parquet => ("parquet", ""),
        };
        let location = self.location.replace('\'', "''");
        let Self { name, .. } = self;
        Ok(format!(
            "create external table {name} stored as {kind} location '{location}'{options}"
        ))
    }

    fn refused(&self, found: &str) -> QueryError {
        QueryError::OwnTable {
            name: self.name.clone(),
            found: found.to_owned(),
        }
    }
}

/// Makes `tables` in `context`; what they name is allowed for that, and for nothing else.
///
/// # Errors
/// [`QueryError::OwnTable`] if one cannot be made.
pub(crate) async fn join_in(
    context: &SessionContext,
    tables: &[OwnTable],
) -> Result<(), QueryError> {
    for table in tables {
        let refused = |error: DataFusionError| table.refused(&error.find_root().to_string());
        let allowed = Allowed::named(std::slice::from_ref(table))?;
        let (state, statement) = (context.state(), table.statement()?);
        let plan = state.create_logical_plan(&statement).await;
        let plan = plan.map_err(refused)?;
        allowed.check(&plan).map_err(refused)?;
        context.execute_logical_plan(plan).await.map_err(refused)?;
    }
    Ok(())
}

/// What was allowed.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    /// Folders, as they really are.
    folders: Vec<PathBuf>,
    urls: Vec<Address>,
}

impl Allowed {
    /// The folders `paths`, and what lies beneath `urls`.
    ///
    /// # Errors
    /// [`QueryError::Folder`] if a folder is not there, [`QueryError::Store`] if a URL names no place.
    pub fn of(paths: &[PathBuf], urls: &[String]) -> Result<Self, QueryError> {
        let urls = urls.iter().map(|url| url.parse::<Address>());
        let urls = urls.collect::<Result<Vec<_>, _>>();
        let mut urls = urls.map_err(|error| QueryError::Store(error.to_string()))?;
        let files = urls.iter().filter_map(Address::folder);
        let paths = files.chain(paths.iter().cloned());
        let folders = paths.map(|path| {
            path.canonicalize().map_err(|error| QueryError::Folder {
                path,
                found: error.to_string(),
            })
        });
        let folders = folders.collect::<Result<_, _>>()?;
        urls.retain(|url| url.folder().is_none());
        Ok(Self { folders, urls })
    }

    /// Where the files of `tables` lie, and no other place.
    ///
    /// # Errors
    /// [`QueryError::OwnTable`] if one of them is not there.
    pub fn named(tables: &[OwnTable]) -> Result<Self, QueryError> {
        let mut all = Self {
            folders: Vec::new(),
            urls: Vec::new(),
        };
        for table in tables {
            let one = if table.location.contains("://") {
                Self::of(&[], std::slice::from_ref(&table.location))
            } else {
                Self::of(&[PathBuf::from(&table.location)], &[])
            };
            let one = one.map_err(|error| table.refused(&error.to_string()))?;
            all.folders.extend(one.folders);
            all.urls.extend(one.urls);
        }
        Ok(all)
    }

    /// Gives the session the stores of what was allowed. No other machine is asked before a table is
    /// made.
    ///
    /// # Errors
    /// [`QueryError::Store`] if this program has no client for one.
    pub fn install(&self, context: &SessionContext) -> Result<(), QueryError> {
        for address in &self.urls {
            let opened = address.open();
            let (store, _) = opened.map_err(|error| QueryError::Store(error.to_string()))?;
            context.register_object_store(address.url(), store);
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.urls.is_empty()
    }

    /// Whether a statement may be done: it reads, or it joins in files of an allowed folder.
    ///
    /// # Errors
    /// What is refused.
    pub fn check(&self, plan: &LogicalPlan) -> Result<()> {
        match plan {
            LogicalPlan::Ddl(DdlStatement::CreateExternalTable(table)) if !self.is_empty() => {
                self.check_files(table)
            }
            _ => read_only().verify_plan(plan),
        }
    }

    fn check_files(&self, table: &CreateExternalTable) -> Result<()> {
        if table.unbounded || !FILE_TYPES.contains(&table.file_type.to_uppercase().as_str()) {
            return refused(format!(
                "no table can be made of {} files; the kinds are {}",
                table.file_type,
                FILE_TYPES.join(", ")
            ));
        }
        if table.or_replace || table.name.schema().is_some() {
            return refused("a table of your own needs a name of its own".to_owned());
        }
        table
            .locations
            .iter()
            .try_for_each(|location| self.check_location(location))
    }

    fn check_location(&self, location: &str) -> Result<()> {
        let is_plain = !location.contains(['*', '?', '[']);
        let mut path = PathBuf::from(location);
        if location.contains("://") {
            let address = location.parse::<Address>();
            let address = address.map_err(|error| DataFusionError::Plan(error.to_string()))?;
            match address.folder() {
                Some(file) => path = file,
                None => return self.check_url(location, &address, is_plain),
            }
        }
        let real = path.canonicalize().ok();
        let Some(real) = real.filter(|_| is_plain) else {
            return refused(format!(
                "{location} is not there; give the path of a file or folder"
            ));
        };
        let is_inside = self.folders.iter().any(|folder| real.starts_with(folder));
        if is_inside && no_way_out(&real, &self.folders) {
            return Ok(());
        }
        let folders = self.folders.iter().map(|path| path.display().to_string());
        refused(format!(
            "{location} is in no folder that --allow-path names ({})",
            folders.collect::<Vec<_>>().join(", ")
        ))
    }

    fn check_url(&self, location: &str, address: &Address, is_plain: bool) -> Result<()> {
        if is_plain && self.urls.iter().any(|allowed| address.is_within(allowed)) {
            return Ok(());
        }
        let urls: Vec<_> = self.urls.iter().map(Address::to_string).collect();
        let urls = if urls.is_empty() {
            "none is allowed".to_owned()
        } else {
            urls.join(", ")
        };
        refused(format!(
            "{location} is beneath no URL that --allow-url names ({urls})"
        ))
    }
}

/// Whether nothing in the folder `path` leads out of the allowed ones by a link.
fn no_way_out(path: &Path, allowed: &[PathBuf]) -> bool {
    let Ok(entries) = path.read_dir() else {
        return true;
    };
    entries.flatten().all(|entry| {
        let inside = entry.path().canonicalize();
        let inside = inside.is_ok_and(|real| allowed.iter().any(|folder| real.starts_with(folder)));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        inside && (!is_folder || no_way_out(&entry.path(), allowed))
    })
}

fn refused<T>(found: String) -> Result<T> {
    Err(DataFusionError::Plan(found))
}
