//! Files of old systems, whose lines end with CR alone.

use std::borrow::Cow;
use std::io::{self, Read};

use memchr::{memchr, memchr_iter};

/// Whether the lines of a file that begins with `head` end with CR alone.
fn end_lines(head: &[u8]) -> bool {
    memchr(b'\n', head).is_none() && memchr(b'\r', head).is_some()
}

/// The beginning of a file with its lines ended by LF.
pub(super) fn with_line_feeds(head: &[u8]) -> Cow<'_, [u8]> {
    if !end_lines(head) {
        return Cow::Borrowed(head);
    }
    let mut head = head.to_vec();
    end_with_line_feeds(&mut head);
    Cow::Owned(head)
}

/// The file `source`, which begins with `head`, with its lines ended by LF.
pub(super) fn read_with_line_feeds(
    head: &[u8],
    source: Box<dyn Read + Send>,
) -> Box<dyn Read + Send> {
    if end_lines(head) {
        Box::new(LineFeeds(source))
    } else {
        source
    }
}

struct LineFeeds<R>(R);

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        end_with_line_feeds(&mut buffer[..read]);
        Ok(read)
    }
}

fn end_with_line_feeds(bytes: &mut [u8]) {
    let returns: Vec<usize> = memchr_iter(b'\r', bytes).collect();
    for at in returns {
        bytes[at] = b'\n';
    }
}
