//! A limit on what a packed file may unpack to.

use std::io::{self, Read};

/// Bytes that any packed file may unpack to.
const FLOOR_BYTES: u64 = 256 << 20;
/// Times its packed size that a larger file may unpack to; money files reach 5 to 50.
const RATIO_MAX: u64 = 200;

/// Reads until the limit, then fails.
pub(super) struct Limited<R> {
    source: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Limited<R> {
    /// Limits what `source` unpacks from `packed_bytes`.
    pub fn new(source: R, packed_bytes: u64) -> Self {
        let limit = packed_bytes.saturating_mul(RATIO_MAX).max(FLOOR_BYTES);
        Self {
            source,
            left: limit,
            limit,
        }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                return Err(io::Error::other(format!(
                    "it unpacks to more than {} bytes, {RATIO_MAX} times its size; unpack it by \
                     hand if it is right",
                    self.limit
                )));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_at_the_limit() {
        let mut source = Limited {
            source: io::repeat(b'0'),
            left: 10,
            limit: 10,
        };
        let mut buffer = [0; 8];
        assert_eq!(source.read(&mut buffer).ok(), Some(8));
        let refused = source.read(&mut buffer).map_err(|error| error.to_string());
        assert!(refused.is_err_and(|message| message.contains("more than 10 bytes")));
    }
}
