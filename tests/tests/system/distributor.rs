//! The shipped data, run through the engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tieout::{FileFormat, NoProgress, Output, RunOptions, Summary};

/// Where the shipped data is.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/distributor")
}

/// A run over `input` that writes its tables as `format` into `out`.
pub fn options(input: PathBuf, out: &Path, format: FileFormat) -> RunOptions {
    let mut options = RunOptions::new(vec![input]);
    options.out = Some(Output::all(out, format));
    options
}

pub fn run(options: &RunOptions) -> Summary {
    tieout::run(options, &NoProgress).unwrap()
}

/// The bytes of every file of a folder, by name.
pub fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}
