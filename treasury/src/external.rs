//! Files of users' own, joined in by `create external table`: only inside folders, and beneath URLs of
//! object stores, that were allowed.

use std::path::{Path, PathBuf};

use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{CreateExternalTable, DdlStatement, LogicalPlan};
use datafusion::prelude::SessionContext;
use tieout_ledger::objects::Address;

use crate::QueryError;
use crate::session::read_only;

/// The kinds of files that can be joined in.
const FILE_TYPES: [&str; 3] = ["PARQUET", "CSV", "JSON"];

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
