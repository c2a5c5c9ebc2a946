//! Every real file that others published: it is recognised, and it is either clean, or listed in
//! `tests/samples/*.toml` with what is wrong with it and why. A file that is listed and clean, or
//! wrong in another way than listed, fails.
//!
//! The files are not part of this repository: `TIEOUT_SAMPLES` names their folder, seen from the
//! repository's root.
#![allow(clippy::unwrap_used)]

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use reading::real::{files_under, samples};
use reading::{Reading, read_source};
use serde::Deserialize;
use tieout_core::Severity;
use tieout_ingest::{HEAD_BYTES, Settings, recognize_file, unpack};

/// What `tests/samples/*.toml` hold.
#[derive(Deserialize)]
struct Explained {
    /// Folders of samples that this file speaks for.
    folders: Vec<String>,
    /// Files that are not clean.
    #[serde(default)]
    file: Vec<Unclean>,
}

#[derive(Deserialize)]
struct Unclean {
    /// The path below the folder of samples; one `*` stands for any text.
    path: String,
    /// The codes of all warnings, errors and quarantined lines; `unrecognized` for a file that no
    /// format knows.
    codes: BTreeSet<String>,
    /// Why that is right.
    why: String,
}

fn explanations() -> Vec<Explained> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let files = fs::read_dir(folder).unwrap();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    texts.map(|text| toml::from_str(&text).unwrap()).collect()
}

/// What the reader says of one file: its codes, by format.
fn read(path: &Path) -> Vec<(String, Reading, BTreeSet<String>)> {
    let Ok(files) = unpack(path, "file") else {
        return vec![refused("unreadable")];
    };
    let outcomes = files.into_iter().map(|source| {
        let head = source.head(HEAD_BYTES).unwrap_or_default();
        let Some(format) = recognize_file(&source, &head) else {
            return refused(if head.is_empty() {
                "empty"
            } else {
                "unrecognized"
            });
        };
        let reading = read_source(format, &source, &Settings::default());
        let grave = reading.findings.iter();
        let grave = grave.filter(|finding| finding.severity != Severity::Info);
        let mut codes: BTreeSet<String> = grave.map(|f| f.code.code().to_owned()).collect();
        let lines = reading.quarantine.iter();
        codes.extend(lines.map(|line| line.reason.code().to_owned()));
        (format.name().to_owned(), reading, codes)
    });
    outcomes.collect()
}

fn refused(code: &str) -> (String, Reading, BTreeSet<String>) {
    let codes = BTreeSet::from([code.to_owned()]);
    ("-".to_owned(), Reading::default(), codes)
}

#[derive(Default)]
struct Count {
    files: usize,
    clean: usize,
    rows: usize,
    quarantined: usize,
}

#[test]
fn every_folder_is_spoken_for() {
    let Some(root) = samples() else { return };
    let explained = explanations();
    let folders: BTreeSet<&str> = explained
        .iter()
        .flat_map(|explained| &explained.folders)
        .filter_map(|folder| folder.split('/').next())
        .collect();
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!path.is_dir() || folders.contains(name), "{name}");
    }
}

#[test]
fn every_file_is_clean_or_explained() {
    let Some(root) = samples() else { return };
    let mut wrong = Vec::new();
    let mut table: BTreeMap<(String, String), Count> = BTreeMap::new();
    for explained in explanations() {
        let mut unused: BTreeSet<&str> = explained.file.iter().map(|f| &*f.path).collect();
        for folder in &explained.folders {
            for path in files_under(&root.join(folder)) {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                let listed = explained.file.iter().find(|file| file.is_of(name));
                let expected = listed.map(|file| file.codes.clone()).unwrap_or_default();
                for (format, reading, codes) in read(&path) {
                    let count = table.entry((folder.clone(), format)).or_default();
                    count.files += 1;
                    count.clean += usize::from(codes.is_empty());
                    count.rows += reading.counts.rows as usize;
                    count.quarantined += reading.quarantine.len();
                    if codes != expected {
                        wrong.push(format!("{name}: {codes:?}, listed {expected:?}"));
                    }
                }
                if let Some(file) = listed {
                    assert!(!file.why.is_empty(), "{name}");
                    unused.remove(&*file.path);
                }
            }
        }
        wrong.extend(
            unused
                .into_iter()
                .map(|path| format!("{path}: no such file")),
        );
    }
    println!("folder                format                files  clean   rows  quarantined");
    for ((folder, format), count) in &table {
        println!(
            "{folder:<21} {format:<21} {:>5}  {:>5}  {:>5}  {:>11}",
            count.files, count.clean, count.rows, count.quarantined
        );
    }
    assert!(wrong.is_empty(), "not explained:\n{}", wrong.join("\n"));
}

impl Unclean {
    fn is_of(&self, name: &str) -> bool {
        match self.path.split_once('*') {
            Some((start, end)) => name.starts_with(start) && name.ends_with(end),
            None => self.path == name,
        }
    }
}
