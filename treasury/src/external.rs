//! Files of users' own, joined in by `create external table`: only inside folders that were allowed.

use std::path::{Path, PathBuf};

use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{CreateExternalTable, DdlStatement, LogicalPlan};

use crate::QueryError;
use crate::session::read_only;

/// The kinds of files that can be joined in.
const FILE_TYPES: [&str; 3] = ["PARQUET", "CSV", "JSON"];

/// The folders that were allowed, as they really are.
#[derive(Clone, Debug)]
pub(crate) struct Allowed(Vec<PathBuf>);

impl Allowed {
    /// The folders `paths`.
    ///
    /// # Errors
    /// [`QueryError::Folder`] if one is not there.
    pub fn of(paths: &[PathBuf]) -> Result<Self, QueryError> {
        let folders = paths.iter().map(|path| {
            path.canonicalize().map_err(|error| QueryError::Folder {
                path: path.clone(),
                found: error.to_string(),
            })
        });
        folders.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a statement may be done: it reads, or it joins in files of an allowed folder.
    ///
    /// # Errors
    /// What is refused.
    pub fn check(&self, plan: &LogicalPlan) -> Result<()> {
        match plan {
            LogicalPlan::Ddl(DdlStatement::CreateExternalTable(table)) if !self.0.is_empty() => {
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
        let path = Path::new(location);
        let is_plain = !location.contains("://") && !location.contains(['*', '?', '[']);
        let real = path.canonicalize().ok().filter(|_| is_plain);
        let Some(real) = real else {
            return refused(format!(
                "{location} is not there; give the path of a file or folder"
            ));
        };
        if self.0.iter().any(|folder| real.starts_with(folder)) && no_way_out(&real, &self.0) {
            return Ok(());
        }
        let folders: Vec<_> = self
            .0
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        refused(format!(
            "{location} is in no folder that --allow-path names ({})",
            folders.join(", ")
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
