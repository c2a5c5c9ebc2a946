//! Members of zip archives, read as streams from where they lie in the file.

use std::io::{self, Read, Seek};

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::limit::Limited;

/// Members that an archive may have.
pub(super) const MEMBERS_MAX: usize = 10_000;
/// The member by which a workbook is told from an archive.
const WORKBOOK: &str = "xl/workbook.xml";

/// Where a member lies in its archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub name: String,
    pub start: u64,
    pub packed_bytes: u64,
    bytes: u64,
    is_deflated: bool,
    checksum: u32,
}

impl Member {
    /// The unpacked bytes, of an archive that stands at the member's start.
    /// `limit_bytes` is the size by which is told what may come of it.
    pub fn open(
        &self,
        archive: impl Read + Send + 'static,
        limit_bytes: u64,
    ) -> Box<dyn Read + Send> {
        let packed = archive.take(self.packed_bytes);
        let bytes: Box<dyn Read + Send> = if self.is_deflated {
            Box::new(Limited::new(DeflateDecoder::new(packed), limit_bytes))
        } else {
            Box::new(packed)
        };
        Box::new(Checked {
            source: bytes,
            hasher: crc32fast::Hasher::new(),
            left: self.bytes,
            checksum: self.checksum,
        })
    }
}

/// The members of an archive, in its order; none if it is a workbook.
pub(super) fn members(archive: impl Read + Seek) -> io::Result<Option<Vec<Member>>> {
    let mut archive = ZipArchive::new(archive).map_err(io::Error::other)?;
    if archive.index_for_name(WORKBOOK).is_some() {
        return Ok(None);
    }
    if archive.len() > MEMBERS_MAX {
        return Err(io::Error::other(format!(
            "the archive has {} files; {MEMBERS_MAX} are read at most",
            archive.len()
        )));
    }
    let mut members = Vec::new();
    for place in 0..archive.len() {
        let entry = archive.by_index_raw(place).map_err(io::Error::other)?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        let is_deflated = match (entry.encrypted(), entry.compression()) {
            (false, CompressionMethod::Stored) => false,
            (false, CompressionMethod::Deflated) => true,
            (is_encrypted, method) => return Err(refused(&name, is_encrypted, method)),
        };
        members.push(Member {
            name,
            start: entry.data_start().unwrap_or_default(),
            packed_bytes: entry.compressed_size(),
            bytes: entry.size(),
            is_deflated,
            checksum: entry.crc32(),
        });
    }
    Ok(Some(members))
}

fn refused(name: &str, is_encrypted: bool, method: CompressionMethod) -> io::Error {
    let why = if is_encrypted {
        "is encrypted".to_owned()
    } else {
        format!("is packed with {method}; stored and deflated members are read")
    };
    io::Error::other(format!(
        "member {name} of the archive {why}; unpack it by hand"
    ))
}

/// Compares size and checksum at the end.
struct Checked<R> {
    source: R,
    hasher: crc32fast::Hasher,
    left: u64,
    checksum: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.left = self.left.wrapping_sub(read as u64);
        let is_end = read == 0 && !buffer.is_empty();
        if is_end && (self.left != 0 || self.hasher.clone().finalize() != self.checksum) {
            return Err(io::Error::other(
                "size or checksum of the member differ from what the archive says; ask for the \
                 archive again",
            ));
        }
        Ok(read)
    }
}
