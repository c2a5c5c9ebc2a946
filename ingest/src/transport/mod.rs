//! How the bytes of a file arrive: plain, packed with gzip, or as a member of a zip archive, one
//! inside the other, and in UTF-16, EBCDIC or a character set that has ASCII's bytes.
//!
//! [`unpack`] tells what a path holds; [`SourceFile::open`] gives the unpacked bytes as a stream,
//! as UTF-8 where they were UTF-16, as Latin-1 where they were EBCDIC. Byte ranges count those
//! bytes. What unpacks to far more than its size is refused, so that no small file fills a disk or
//! a day.

mod archive;
mod characters;
mod ebcdic;
mod limit;
mod utf16;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::format::ReadError;
use archive::{MEMBERS_MAX, Member};
use characters::Characters;
use limit::Limited;

pub(crate) use ebcdic::LATIN_OF_EBCDIC;

const GZIP: &[u8] = b"\x1f\x8b";
const ZIP: &[u8] = b"PK\x03\x04";
/// Bytes by which packing and character set are told.
const HEAD_BYTES: usize = 256;
/// Packings one inside the other; what is packed more often is left as it is.
const PACKINGS_MAX: usize = 4;
/// Bytes of an archive inside another packing; it has to be in memory while its members are listed.
const INNER_ARCHIVE_BYTES_MAX: u64 = 64 << 20;

/// One file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What outputs call it: the path as given, for a member of an archive with its name behind.
    pub name: String,
    packing: Packing,
    characters: Characters,
}

/// How a file's bytes are wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Packing {
    /// Not on disk.
    Memory(Arc<[u8]>),
    Plain,
    Gzip(Box<Self>),
    /// Of the archive that the other packing gives.
    Member(Box<Self>, Member),
}

impl SourceFile {
    /// A file that is not packed, in a character set that has ASCII's bytes.
    pub fn plain(path: PathBuf, name: String) -> Self {
        Self {
            path,
            name,
            packing: Packing::Plain,
            characters: Characters::Ascii,
        }
    }

    /// A file whose bytes the caller has.
    pub fn from_bytes(name: String, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes: Arc<[u8]> = bytes.into();
        Self {
            path: PathBuf::new(),
            name,
            characters: Characters::of(&bytes[..bytes.len().min(HEAD_BYTES)]),
            packing: Packing::Memory(bytes),
        }
    }

    /// Whether the bytes on disk are those that [`SourceFile::open`] gives.
    pub fn is_plain(&self) -> bool {
        self.packing == Packing::Plain && self.characters == Characters::Ascii
    }

    /// The unpacked bytes from the beginning.
    ///
    /// # Errors
    /// What the operating system says; reading on fails where the packing is damaged or what it
    /// holds is over the limit.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(self.characters.decoded(self.open_unpacked()?))
    }

    fn open_unpacked(&self) -> io::Result<Box<dyn Read + Send>> {
        self.packing.open(&self.path)
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

    fn unpacked_head(&self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        let bytes = self.open_unpacked()?;
        bytes.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    /// Adds the files in it to `files`: itself, or what it holds. It is packed `depth` times already.
    fn unfold(mut self, depth: usize, files: &mut Vec<Self>) -> io::Result<()> {
        let head = self.unpacked_head()?;
        if depth < PACKINGS_MAX && head.starts_with(GZIP) {
            self.packing = Packing::Gzip(Box::new(self.packing));
            return self.unfold(depth + 1, files);
        }
        if depth < PACKINGS_MAX
            && head.starts_with(ZIP)
            && let Some(members) = self.packing.members(&self.path)?
        {
            return members.into_iter().try_for_each(|member| {
                let file = Self {
                    path: self.path.clone(),
                    name: format!("{}/{}", self.name, member.name),
                    packing: Packing::Member(Box::new(self.packing.clone()), member),
                    characters: Characters::Ascii,
                };
                file.unfold(depth + 1, files)
            });
        }
        if files.len() >= MEMBERS_MAX {
            return Err(io::Error::other(format!(
                "the archives in it have more files than the {MEMBERS_MAX} that are read"
            )));
        }
        self.characters = Characters::of(&head);
        files.push(self);
        Ok(())
    }
}

impl Packing {
    /// The unpacked bytes of the file at `path`.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::Plain => Box::new(File::open(path)?),
            Self::Gzip(packed) => {
                let source = MultiGzDecoder::new(packed.open(path)?);
                Box::new(Limited::new(source, packed.packed_bytes(path)?))
            }
            Self::Member(archive, member) if **archive == Self::Plain => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(member.start))?;
                member.open(file, member.packed_bytes)
            }
            Self::Member(archive, member) => {
                let mut source = archive.open(path)?;
                io::copy(&mut (&mut source).take(member.start), &mut io::sink())?;
                member.open(source, self.packed_bytes(path)?)
            }
        })
    }

    /// The size by which is told what may come of it: packings inside each other give no more than
    /// the outermost may.
    fn packed_bytes(&self, path: &Path) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => Ok(bytes.len() as u64),
            Self::Plain => Ok(path.metadata()?.len()),
            Self::Gzip(packed) => packed.packed_bytes(path),
            Self::Member(archive, member) => {
                Ok(member.packed_bytes.min(archive.packed_bytes(path)?))
            }
        }
    }

    /// The members of the archive that it gives; none if that is a workbook, or an archive inside
    /// another packing that is over the limit.
    fn members(&self, path: &Path) -> io::Result<Option<Vec<Member>>> {
        if *self == Self::Plain {
            return archive::members(File::open(path)?);
        }
        let mut bytes = Vec::new();
        let mut source = self.open(path)?.take(INNER_ARCHIVE_BYTES_MAX + 1);
        source.read_to_end(&mut bytes)?;
        if bytes.len() as u64 > INNER_ARCHIVE_BYTES_MAX {
            return Ok(None);
        }
        archive::members(Cursor::new(bytes))
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
    let mut files = Vec::new();
    SourceFile::plain(path.to_owned(), name.to_owned()).unfold(0, &mut files)?;
    Ok(files)
}

#[cfg(test)]
mod tests;
