//! A journal's file that nobody may change, for a store that would.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use parking_lot::Mutex;
use redb::StorageBackend;

/// A file that is only read: what the store would write stays in memory.
#[derive(Debug)]
pub struct Overlay {
    file: Mutex<Layers>,
}

#[derive(Debug)]
struct Layers {
    below: File,
    below_bytes: u64,
    bytes: u64,
    written: BTreeMap<u64, Vec<u8>>,
}

/// Bytes that are kept together once one of them was written.
const PAGE_BYTES: u64 = 4_096;

impl Overlay {
    pub fn over(below: File) -> io::Result<Self> {
        let bytes = below.metadata()?.len();
        Ok(Self {
            file: Mutex::new(Layers {
                below,
                below_bytes: bytes,
                bytes,
                written: BTreeMap::new(),
            }),
        })
    }
}

impl Layers {
    fn page(&mut self, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = self.written.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; PAGE_BYTES as usize];
        self.read_below(number * PAGE_BYTES, &mut page)?;
        Ok(page)
    }

    /// Reads what the file has, and zeros behind its end.
    fn read_below(&mut self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = self
            .below_bytes
            .saturating_sub(offset)
            .min(out.len() as u64);
        let (there, behind) = out.split_at_mut(there as usize);
        behind.fill(0);
        if there.is_empty() {
            return Ok(());
        }
        self.below.seek(io::SeekFrom::Start(offset))?;
        self.below.read_exact(there)
    }

    /// Each page that the stretch touches, with the parts of the page and of the stretch.
    fn pieces(
        offset: u64,
        length: usize,
    ) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
        let end = offset + length as u64;
        (offset / PAGE_BYTES..end.div_ceil(PAGE_BYTES)).map(move |number| {
            let start = number * PAGE_BYTES;
            let from = offset.max(start);
            let to = end.min(start + PAGE_BYTES);
            (
                number,
                (from - start) as usize..(to - start) as usize,
                (from - offset) as usize..(to - offset) as usize,
            )
        })
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.lock().bytes)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock();
        if offset + out.len() as u64 > file.bytes {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        file.read_below(offset, out)?;
        for (number, part, place) in Layers::pieces(offset, out.len()) {
            if let Some(page) = file.written.get(&number) {
                out[place].copy_from_slice(&page[part]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.lock().bytes = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock();
        for (number, part, place) in Layers::pieces(offset, data.len()) {
            let mut page = file.page(number)?;
            page[part].copy_from_slice(&data[place]);
            file.written.insert(number, page);
        }
        Ok(())
    }
}
