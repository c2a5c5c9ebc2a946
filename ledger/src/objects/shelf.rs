//! All files of a ledger as one store, wherever each lies, for whoever reads by `object_store`.
//!
//! It has exactly the files that the manifest names, in the sizes that it says: an object that is
//! missing or another is an error, never a table with fewer rows, and no store is asked for a list.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::{altered, failed};
use crate::LedgerError;

/// The files of a ledger, by `FOLDER/TABLE.parquet`.
#[derive(Debug, Default)]
pub struct Shelf {
    files: HashMap<Path, Shelved>,
}

/// Where a file lies.
#[derive(Debug)]
pub(crate) struct Shelved {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) path: Path,
    /// For people.
    pub(crate) url: String,
    pub(crate) bytes: u64,
    /// When its last posting was recorded.
    pub(crate) at: DateTime<Utc>,
    /// Whether it lies in the ledger's folder.
    pub(crate) is_at_hand: bool,
}

impl Shelf {
    pub(crate) fn put(&mut self, name: &str, file: Shelved) {
        self.files.insert(Path::from(name), file);
    }

    fn file(&self, location: &Path) -> Result<&Shelved> {
        self.files.get(location).ok_or_else(|| Error::NotFound {
            path: location.to_string(),
            source: "the ledger has no such file".into(),
        })
    }
}

impl Shelved {
    fn about(&self, location: &Path) -> ObjectMeta {
        ObjectMeta {
            location: location.clone(),
            last_modified: self.at,
            size: self.bytes,
            e_tag: None,
            version: None,
        }
    }

    fn told(&self, error: &Error) -> Error {
        generic(failed(&self.url, error))
    }
}

/// The ledger's own words, which are found again in the chain of sources.
fn generic(error: LedgerError) -> Error {
    Error::Generic {
        store: "ledger",
        source: Box::new(error),
    }
}

fn read_only() -> Error {
    Error::NotSupported {
        source: "a ledger is only read".into(),
    }
}

impl fmt::Display for Shelf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} files of a ledger", self.files.len())
    }
}

#[async_trait]
impl ObjectStore for Shelf {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let file = self.file(location)?;
        if options.head {
            return Ok(GetResult {
                payload: GetResultPayload::Stream(stream::empty().boxed()),
                meta: file.about(location),
                range: 0..0,
                attributes: object_store::Attributes::default(),
            });
        }
        let got = file.store.get_opts(&file.path, options).await;
        let got = got.map_err(|error| file.told(&error))?;
        if got.meta.size != file.bytes {
            return Err(generic(altered(&file.url)));
        }
        let url = file.url.clone();
        let payload = match got.payload {
            GetResultPayload::Stream(pieces) => {
                let told = move |piece: Result<Bytes>| {
                    piece.map_err(|error| generic(failed(&url, &error)))
                };
                GetResultPayload::Stream(pieces.map(told).boxed())
            }
            file @ GetResultPayload::File(..) => file,
        };
        Ok(GetResult {
            payload,
            meta: file.about(location),
            ..got
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let file = self.file(location)?;
        if file.is_at_hand {
            // All at once, as it is quickest on a disk.
            let got = file.store.get_ranges(&file.path, ranges).await;
            return got.map_err(|error| file.told(&error));
        }
        let get = |range: Range<u64>| async move {
            let options = GetOptions {
                range: Some(range.into()),
                ..GetOptions::default()
            };
            self.get_opts(location, options).await?.bytes().await
        };
        object_store::coalesce_ranges(ranges, get, object_store::OBJECT_STORE_COALESCE_DEFAULT)
            .await
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only())
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only())
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        stream::iter([Err(read_only())]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([Err(read_only())]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(read_only())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only())
    }
}
