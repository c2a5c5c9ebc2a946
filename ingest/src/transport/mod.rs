//! How the bytes of a file arrive: plain, packed with gzip, or as a member of a zip archive, and
//! in UTF-16 or in a character set that has ASCII's bytes.
//!
//! [`unpack`] tells what a path holds; [`SourceFile::open`] gives the unpacked bytes as a stream,
//! as UTF-8 where they were UTF-16. Byte ranges count those bytes. What unpacks to far more than
//! its size is refused, so that no small file fills a disk or a day.

mod archive;
mod limit;
mod utf16;

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::format::ReadError;
use archive::Member;
use limit::Limited;
use utf16::{ByteOrder, Utf16};

const GZIP: &[u8] = b"\x1f\x8b";
const ZIP: &[u8] = b"PK\x03\x04";
/// Bytes by which packing and character set are told.
const HEAD_BYTES: usize = 256;

/// One file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What outputs call it: the path as given, for a member of an archive with its name behind.
    pub name: String,
    packing: Packing,
    byte_order: Option<ByteOrder>,
}

/// How a file's bytes are wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Packing {
    /// Not on disk.
    Memory(Arc<[u8]>),
    Plain,
    Gzip,
    Member(Member),
}

impl SourceFile {
    /// A file that is not packed, in a character set that has ASCII's bytes.
    pub fn plain(path: PathBuf, name: String) -> Self {
        Self {
            path,
            name,
            packing: Packing::Plain,
            byte_order: None,
        }
    }

    /// A file whose bytes the caller has.
    pub fn from_bytes(name: String, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes: Arc<[u8]> = bytes.into();
        Self {
            path: PathBuf::new(),
            name,
            byte_order: ByteOrder::of(&bytes),
            packing: Packing::Memory(bytes),
        }
    }

    /// Whether the bytes on disk are those that [`SourceFile::open`] gives.
    pub fn is_plain(&self) -> bool {
        self.packing == Packing::Plain && self.byte_order.is_none()
    }

    /// The unpacked bytes from the beginning.
    ///
    /// # Errors
    /// What the operating system says; reading on fails where the packing is damaged or what it
    /// holds is over the limit.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let unpacked = self.open_unpacked()?;
        Ok(match self.byte_order {
            Some(order) => Box::new(Utf16::new(unpacked, order)),
            None => unpacked,
        })
    }

    fn open_unpacked(&self) -> io::Result<Box<dyn Read + Send>> {
        if let Packing::Memory(bytes) = &self.packing {
            return Ok(Box::new(Cursor::new(Arc::clone(bytes))));
        }
        let file = File::open(&self.path)?;
        let size = file.metadata()?.len();
        Ok(match &self.packing {
            Packing::Memory(_) | Packing::Plain => Box::new(file),
            Packing::Gzip => Box::new(Limited::new(MultiGzDecoder::new(file), size)),
            Packing::Member(member) => member.open(file)?,
        })
    }

    /// The first bytes, at most `most`.
    ///
    /// # Errors
    /// As [`SourceFile::open`].
    pub fn head(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.open()?.take(most as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    /// The error of a file that the operating system will not give.
    pub fn refused(&self, source: io::Error) -> ReadError {
        ReadError::Io {
            file: self.name.clone(),
            source,
        }
    }

    fn with_character_set(mut self) -> io::Result<Self> {
        let mut head = Vec::new();
        let bytes = self.open_unpacked()?;
        bytes.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        self.byte_order = ByteOrder::of(&head);
        Ok(self)
    }
}

/// The file that outputs call `name`, if it is still there.
///
/// # Errors
/// What the operating system says, and what is wrong with the packing.
pub fn locate(name: &str) -> io::Result<SourceFile> {
    let given = Path::new(name);
    let archive = given.ancestors().find(|path| path.is_file());
    let path = archive.unwrap_or(given);
    let files = unpack(path, &path.display().to_string())?;
    let found = files.into_iter().find(|file| file.name == name);
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the archive has no such file"))
}

/// The files at `path`, which outputs call `name`: itself, or the members of the archive that it
/// is. A workbook is one file although it is packed as an archive.
///
/// # Errors
/// What the operating system says, and what is wrong with the packing.
pub fn unpack(path: &Path, name: &str) -> io::Result<Vec<SourceFile>> {
    let plain = SourceFile::plain(path.to_owned(), name.to_owned());
    let head = plain.head(HEAD_BYTES)?;
    if head.starts_with(GZIP) {
        let packed = SourceFile {
            packing: Packing::Gzip,
            ..plain
        };
        return Ok(vec![packed.with_character_set()?]);
    }
    if head.starts_with(ZIP) {
        let Some(members) = archive::members(path)? else {
            return Ok(vec![plain]);
        };
        let files = members.into_iter().map(|member| {
            let file = SourceFile {
                path: path.to_owned(),
                name: format!("{name}/{}", member.name),
                packing: Packing::Member(member),
                byte_order: None,
            };
            file.with_character_set()
        });
        return files.collect();
    }
    Ok(vec![plain.with_character_set()?])
}

#[cfg(test)]
mod tests;
