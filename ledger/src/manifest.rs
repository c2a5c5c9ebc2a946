//! `ledger.json`: what readers see. It is replaced as a whole, and names every file with its
//! digest; what it does not name is rubbish.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::journal::{Digest, Event};
use crate::posted::{StoredTable, write_whole};
use crate::{FileFormat, LedgerError};

/// The file that says what readers see.
pub const MANIFEST: &str = "ledger.json";
/// The latest version of the folder's layout that this program knows, which it writes where files lie
/// elsewhere; without them the one before says all.
const FORMAT_VERSION: u32 = 3;
const ALL_AT_HAND: u32 = 2;
pub(crate) const NEW_MANIFEST: &str = ".ledger.json.partial";
/// The folder of single postings.
pub(crate) const POSTINGS: &str = "postings";
/// The folder of postings that were joined, by month.
pub(crate) const HISTORY: &str = "history";

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format_version: u32,
    /// Where joined files are put, if not in the ledger's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<Elsewhere>,
    pub(crate) postings: Vec<Posted>,
    /// BLAKE3 of the postings as they are written here, and of where joined files are put.
    digest: String,
}

/// A place in an object store.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Elsewhere {
    /// The hash of the ledger's first event, which tells it from others that might lie there.
    pub(crate) ledger: String,
    pub(crate) url: String,
}

/// One posting whose tables can be read, or several that were joined.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Posted {
    /// The first of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<u64>,
    /// The posting; of several the last.
    pub(crate) posting: u64,
    /// When the first of several was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) begun_at: Option<String>,
    pub(crate) recorded_at: String,
    /// Of a run; a person's action has none. Of several the last.
    pub(crate) recipe: Option<String>,
    /// Its last event, and that event's hash.
    pub(crate) sequence: u64,
    pub(crate) hash: String,
    /// The folder of its files, where it is not the one that its number names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<String>,
    /// Whether its files lie where the manifest says that joined files are put.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) elsewhere: bool,
    /// The last purge that its files have gone through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purged: Option<u64>,
    pub(crate) tables: BTreeMap<String, StoredTable>,
}

impl Posted {
    /// A posting whose last event is `last`.
    pub(crate) fn of(
        number: u64,
        last: &Event,
        recipe: Option<String>,
        tables: BTreeMap<String, StoredTable>,
    ) -> Self {
        Self {
            first: None,
            posting: number,
            begun_at: None,
            recorded_at: last.at.to_string(),
            recipe,
            sequence: last.sequence,
            hash: last.hash.to_string(),
            folder: None,
            elsewhere: false,
            purged: None,
            tables,
        }
    }

    /// Its first posting.
    pub(crate) fn first(&self) -> u64 {
        self.first.unwrap_or(self.posting)
    }

    /// When its first posting was recorded.
    pub(crate) fn begun_at(&self) -> &str {
        self.begun_at.as_deref().unwrap_or(&self.recorded_at)
    }

    /// The month in which its last posting was recorded, `2026-03`.
    pub(crate) fn month(&self) -> &str {
        self.recorded_at.get(..7).unwrap_or(&self.recorded_at)
    }

    /// Whether its files were joined by month.
    pub(crate) fn is_joined(&self) -> bool {
        let folder = self.folder.as_deref().unwrap_or_default();
        folder
            .strip_prefix(HISTORY)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// The folder of its files inside the ledger's.
    pub(crate) fn folder(&self) -> String {
        let own = self.folder.clone();
        own.unwrap_or_else(|| posting_folder(self.posting))
    }

    /// The names of its files inside the ledger's folder.
    pub(crate) fn files(&self) -> impl Iterator<Item = (String, &StoredTable)> {
        let folder = self.folder();
        self.tables
            .iter()
            .map(move |(name, stored)| (format!("{folder}/{}", stored_name(name)), stored))
    }

    /// The names of its objects beneath its URL.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (String, &StoredTable)> {
        self.files()
            .map(|(name, stored)| (object_name(&name).to_owned(), stored))
    }

    /// Whether its files are there in their sizes. Elsewhere that is seen when they are read.
    pub(crate) fn is_there(&self, dir: &Path) -> bool {
        let is_whole = |(name, stored): (String, &StoredTable)| {
            fs::metadata(dir.join(name)).is_ok_and(|about| about.len() == stored.bytes)
        };
        self.elsewhere || self.files().all(is_whole)
    }
}

/// The name of the file of a table.
pub(crate) fn stored_name(table: &str) -> String {
    format!("{table}.{}", FileFormat::Parquet.extension())
}

/// The name of a joined file beneath a URL.
pub(crate) fn object_name(file: &str) -> &str {
    let inside = file.strip_prefix(HISTORY);
    inside.map_or(file, |name| name.trim_start_matches('/'))
}

/// The folder of the postings `first` to `last` of a session.
pub(crate) fn postings_folder(first: u64, last: u64) -> String {
    format!("{POSTINGS}/{first:06}-{last:06}")
}

/// The folder of the posting `number`.
pub(crate) fn posting_folder(number: u64) -> String {
    format!("{POSTINGS}/{number:06}")
}

impl Manifest {
    pub(crate) fn empty() -> Self {
        Self {
            format_version: ALL_AT_HAND,
            history: None,
            postings: Vec::new(),
            digest: String::new(),
        }
    }

    /// The version that says all of it.
    fn version(&self) -> u32 {
        match self.history {
            None => ALL_AT_HAND,
            Some(_) => FORMAT_VERSION,
        }
    }

    /// The last posting.
    pub(crate) fn last(&self) -> u64 {
        self.postings.last().map_or(0, |posted| posted.posting)
    }

    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, LedgerError> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let path = dir.join(MANIFEST);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(LedgerError::read(&path)(error)),
        };
        let unreadable = |error: serde_json::Error| damaged(&path, &error.to_string());
        let Version { format_version } = serde_json::from_str(&text).map_err(unreadable)?;
        if format_version > FORMAT_VERSION {
            return Err(LedgerError::Newer {
                path,
                version: format_version.into(),
                known: FORMAT_VERSION.into(),
            });
        }
        if format_version < ALL_AT_HAND {
            let found = format!(
                "the ledger's format is version {format_version}, which kept one run without a \
                 journal; this program knows versions from {ALL_AT_HAND}"
            );
            return Err(damaged(&path, &found));
        }
        let manifest: Self = serde_json::from_str(&text).map_err(unreadable)?;
        // The text too, so that no other byte means the same.
        let is_own = format_version == manifest.version()
            && manifest.digest == manifest.digest_of().map_err(unreadable)?
            && manifest.text().map_err(unreadable)? == text;
        if is_own {
            Ok(Some(manifest))
        } else {
            Err(damaged(&path, "the file is not as it was written"))
        }
    }

    pub(crate) fn write(&mut self, dir: &Path) -> Result<(), LedgerError> {
        let path = dir.join(MANIFEST);
        let unwritable = |error: serde_json::Error| LedgerError::write(&path)(error.into());
        self.format_version = self.version();
        self.digest = self.digest_of().map_err(unwritable)?;
        let text = self.text().map_err(unwritable)?;
        write_whole(dir, MANIFEST, NEW_MANIFEST, text.as_bytes())
    }

    fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    fn digest_of(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(&self.postings)?;
        if let Some(history) = &self.history {
            text.push_str(&serde_json::to_string(history)?);
        }
        Ok(Digest::of(text.as_bytes()).to_string())
    }
}

pub(crate) fn damaged(path: &Path, found: &str) -> LedgerError {
    LedgerError::Damaged {
        path: path.to_owned(),
        found: found.to_owned(),
    }
}
