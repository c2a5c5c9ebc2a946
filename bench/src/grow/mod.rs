//! Files of one format of any size, for measuring how fast they are read. Each is what a bank or
//! a customer would send (its totals and balances tie), with amounts, references and names that
//! differ from line to line.

mod american;
mod european;
mod words;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use words::Words;

/// Writes a file of at least `bytes` bytes.
type Grow = fn(u64, &mut Sink) -> io::Result<()>;

/// The formats that can be grown.
const FORMATS: [(&str, Grow); 12] = [
    ("bai2", american::bai2),
    ("lockbox", american::lockbox),
    ("nacha", american::nacha),
    ("x12", american::x12_820),
    ("ofx", american::ofx),
    ("stripe", american::stripe),
    ("mt940", european::mt940),
    ("camt.053", european::camt_053),
    ("coda", european::coda),
    ("cfonb120", european::cfonb120),
    ("norma43", european::norma43),
    ("bank_csv", european::bank_csv),
];

/// The names of the formats that can be grown.
pub fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|(name, _)| *name)
}

/// Writes a file of `format` of at least `bytes` bytes to `path`.
///
/// # Errors
/// If the format cannot be grown, or the disk refuses.
pub fn run(format: &str, bytes: u64, path: &Path) -> Result<()> {
    let known = FORMATS.iter().find(|(name, _)| *name == format);
    let Some((_, grow)) = known else {
        let names: Vec<&str> = names().collect();
        bail!("{format} cannot be grown; one of {}", names.join(", "));
    };
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let mut sink = Sink {
        out: BufWriter::with_capacity(1 << 20, file),
        written: 0,
        words: Words::default(),
    };
    grow(bytes, &mut sink)?;
    sink.out.flush()?;
    Ok(())
}

/// Counts what is written.
struct Sink {
    out: BufWriter<File>,
    written: u64,
    words: Words,
}

impl Sink {
    fn put(&mut self, text: &str) -> io::Result<()> {
        self.written += text.len() as u64;
        self.out.write_all(text.as_bytes())
    }
}
