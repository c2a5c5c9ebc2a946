//! A URL that names a place in an object store, and the store.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreScheme};
use parking_lot::RwLock;
use url::Url;

use crate::LedgerError;

static BROUGHT: RwLock<BTreeMap<String, Arc<dyn ObjectStore>>> = RwLock::new(BTreeMap::new());

/// Serves all URLs of `scheme` from `store`, for this process: their paths, whatever the host.
pub fn bring(scheme: &str, store: Arc<dyn ObjectStore>) {
    BROUGHT.write().insert(scheme.to_owned(), store);
}

/// A place in an object store, `s3://bucket/books` or `file:///mnt/books`, without a slash at its
/// end, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl FromStr for Address {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, LedgerError> {
        let wrong = |found: &str| LedgerError::Address {
            url: text.to_owned(),
            found: found.to_owned(),
        };
        let url = Url::parse(text.trim_end_matches('/'))
            .map_err(|error| wrong(&format!("it is no URL ({error})")))?;
        if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            // Not the text, which may have them.
            return Err(LedgerError::Address {
                url: url.scheme().to_owned(),
                found: "a URL has no password, ? or # in it; credentials come from the environment"
                    .to_owned(),
            });
        }
        if !is_brought(url.scheme()) {
            match ObjectStoreScheme::parse(&url) {
                Ok((ObjectStoreScheme::Memory, _)) | Err(_) => {
                    return Err(wrong(
                        "there is no such store; the kinds are file:///..., s3://bucket/..., \
                         gs://bucket/..., az://container/... and https://host/...",
                    ));
                }
                Ok((ObjectStoreScheme::Local, _)) if url.host_str().is_some() => {
                    return Err(wrong(
                        "a file has three slashes in front: file:///mnt/books",
                    ));
                }
                Ok(_) => {}
            }
        }
        Ok(Self(url))
    }
}

fn is_brought(scheme: &str) -> bool {
    BROUGHT.read().contains_key(scheme)
}

impl Address {
    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The folder, of a `file://` URL.
    pub fn folder(&self) -> Option<PathBuf> {
        (self.0.scheme() == "file").then(|| self.0.to_file_path().ok())?
    }

    /// Whether it is this one or a place inside it.
    pub fn is_within(&self, outer: &Self) -> bool {
        let (own, outer) = (self.to_string(), outer.to_string());
        own.strip_prefix(&outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The store, and the place in it.
    ///
    /// # Errors
    /// [`LedgerError::Address`] if this program was built without a client for it or the
    /// environment lacks what the client needs.
    pub fn open(&self) -> Result<(Arc<dyn ObjectStore>, Path), LedgerError> {
        let wrong = |found: String| LedgerError::Address {
            url: self.to_string(),
            found,
        };
        if let Some(store) = BROUGHT.read().get(self.0.scheme()) {
            let path = Path::from_url_path(self.0.path());
            let path = path.map_err(|error| wrong(error.to_string()))?;
            return Ok((Arc::clone(store), path));
        }
        let (scheme, path) =
            ObjectStoreScheme::parse(&self.0).map_err(|error| wrong(error.to_string()))?;
        match scheme {
            ObjectStoreScheme::Local => Ok((local(), path)),
            scheme => Ok((self.client(&scheme)?, path)),
        }
    }

    #[cfg(not(feature = "cloud"))]
    fn client(&self, _: &ObjectStoreScheme) -> Result<Arc<dyn ObjectStore>, LedgerError> {
        Err(LedgerError::Address {
            url: self.to_string(),
            found: "this tieout is built without clients for cloud stores; build it with \
                    `cargo build --release -p tieout-cli -p tieout-server --features cloud`"
                .to_owned(),
        })
    }

    #[cfg(feature = "cloud")]
    fn client(&self, scheme: &ObjectStoreScheme) -> Result<Arc<dyn ObjectStore>, LedgerError> {
        super::cloud::client(&self.0, scheme, super::apart::runtime(&self.to_string())?).map_err(
            |error| LedgerError::Address {
                url: self.to_string(),
                found: format!("{error}; credentials and region come from the environment"),
            },
        )
    }
}

/// Files of this machine; a folder that is empty after a removal goes too.
fn local() -> Arc<dyn ObjectStore> {
    Arc::new(LocalFileSystem::new().with_automatic_cleanup(true))
}

/// A file of this machine as an object of [`local`].
pub(crate) fn local_object(file: &FilePath) -> Result<(Arc<dyn ObjectStore>, Path), LedgerError> {
    let whole = file.canonicalize().map_err(LedgerError::read(file))?;
    let path = Path::from_absolute_path(&whole).map_err(|error| LedgerError::Object {
        url: file.display().to_string(),
        found: error.to_string(),
    })?;
    Ok((local(), path))
}
