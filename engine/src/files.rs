//! From paths to files with their formats, by content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tieout_core::{Finding, FindingCode, Severity};
use tieout_ingest::{
    CsvProfiles, FORMATS, Format, HEAD_BYTES, Layouts, Role, Settings, SourceFile,
    recognize_by_profile, recognize_file, unpack,
};

use crate::{EngineError, FileSummary};

/// Folders inside folders that are followed.
const DEPTH_MAX: usize = 32;

/// One file with what it is.
pub struct Known {
    /// The file.
    pub source: SourceFile,
    /// What reads it.
    pub format: &'static dyn Format,
    /// Its size on disk; of a member of an archive, no part of it.
    pub bytes: u64,
    /// The turn in which it is read.
    pub role: Role,
    /// It was read in an earlier turn too, and said there what is to be said of it.
    pub is_again: bool,
    /// What the file on disk was like before it was read.
    pub stamp: Stamp,
}

/// Size and time of a file on disk: what changed while it was read has another afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// Of the file as it is now; none if it is gone.
    pub fn of(path: &Path) -> Option<Self> {
        let about = fs::metadata(path).ok()?;
        Some(Self {
            bytes: about.len(),
            modified: about.modified().ok(),
        })
    }
}

/// What was found under the paths.
#[derive(Default)]
pub struct Found {
    /// Files in the order in which they are read: by role, then as given.
    pub known: Vec<Known>,
    /// Files that no format reads.
    pub others: Vec<FileSummary>,
    /// What is to be said about those.
    pub findings: Vec<Finding>,
    /// Files that no format knows by itself, and whether they are members of an archive: a profile
    /// may.
    unknown: Vec<(SourceFile, Stamp, bool)>,
    /// Whether one of `others` did not come before.
    pub has_new_others: bool,
}

impl Found {
    /// Bytes of all known files.
    pub fn bytes(&self) -> u64 {
        self.known.iter().map(|file| file.bytes).sum()
    }

    /// Whether there is anything to read but how files are read.
    pub fn has_news(&self) -> bool {
        self.has_new_others || self.known.iter().any(|file| file.role != Role::Profile)
    }

    /// The known files of one role.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Known> {
        self.known.iter().filter(move |file| file.role == role)
    }

    /// Adds the layouts and profiles among the files to `settings`; says what is wrong with those
    /// that cannot be used.
    pub fn add_layouts_to(&self, settings: &mut Settings) -> Vec<Finding> {
        let mut layouts = Layouts::clone(&settings.layouts);
        let mut csv_profiles = CsvProfiles::clone(&settings.csv_profiles);
        let mut findings = Vec::new();
        for file in self.of(Role::Profile) {
            let name = &file.source.name;
            let added = fs::read_to_string(&file.source.path)
                .map_err(|error| error.to_string())
                .and_then(|text| {
                    let added = match file.format.name() {
                        "bank_csv_profile" => csv_profiles.add(name, &text),
                        _ => layouts.add(name, &text),
                    };
                    added.map_err(|error| error.to_string())
                });
            if let Err(error) = added {
                findings.push(unusable_layout(name, error));
            }
        }
        settings.layouts = Arc::new(layouts);
        settings.csv_profiles = Arc::new(csv_profiles);
        findings
    }
}

/// The layouts and profiles that lie beside the file at `path`.
///
/// # Errors
/// [`EngineError::Path`] if the folder cannot be read.
pub fn find_beside(path: &Path) -> Result<Found, EngineError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let is_toml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let beside = entries(folder)?.into_iter().filter(is_toml);
    let mut found = Found::default();
    beside.for_each(|path| classify(&path, &mut found));
    found.known.retain(|file| file.role == Role::Profile);
    Ok(found)
}

/// Lists the files under `paths` and tells what each is, as far as it tells so itself; the rest by
/// [`Found::recognize_by_profile`].
///
/// # Errors
/// [`EngineError::Path`] for a path that is not there, [`EngineError::NoFiles`] if nothing is.
pub fn find(paths: &[PathBuf]) -> Result<Found, EngineError> {
    let mut files = Vec::new();
    for path in paths {
        list(path, 0, &mut files)?;
    }
    if files.is_empty() {
        let given: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(EngineError::NoFiles(given.join(", ")));
    }
    // Of two payments that are held for each other the later one is the repetition: which that is
    // must not depend on the order in which files are named.
    files.sort();
    let mut found = Found::default();
    for path in files {
        classify(&path, &mut found);
    }
    Ok(found)
}

/// All files in a folder and its folders, but for hidden ones.
///
/// # Errors
/// [`EngineError::Path`] if it cannot be listed.
pub fn list_all(dir: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let mut files = Vec::new();
    list(dir, 0, &mut files)?;
    Ok(files)
}

fn list(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), EngineError> {
    if !fs::metadata(path).map_err(refused(path))?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == DEPTH_MAX {
        let error = io::Error::other("too many folders inside folders");
        return Err(refused(path)(error));
    }
    entries(path)?
        .iter()
        .try_for_each(|entry| list(entry, depth + 1, files))
}

fn refused(path: &Path) -> impl Fn(io::Error) -> EngineError {
    |source| EngineError::Path {
        path: path.to_owned(),
        source,
    }
}

/// What lies in a folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        })
        .map_err(refused(folder))?;
    entries.retain(|entry| !is_hidden(entry));
    // By name, so that a run does not depend on the order of the file system.
    entries.sort();
    Ok(entries)
}

/// Files that people did not put there: `.git`, `.DS_Store` and their like.
fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn classify(path: &Path, found: &mut Found) {
    let name = path.display().to_string();
    let stamp = Stamp::of(path).unwrap_or_default();
    match unpack(path, &name) {
        Ok(files) => found.classify(files, stamp),
        Err(error) => found.unreadable(&name, &error),
    }
}

impl Found {
    fn classify(&mut self, files: Vec<SourceFile>, stamp: Stamp) {
        let is_archive = files.len() != 1;
        for file in files {
            match file.head(HEAD_BYTES) {
                Ok(head) => self.recognize(file, &head, stamp, is_archive),
                Err(error) => self.unreadable(&file.name, &error),
            }
        }
    }

    fn recognize(&mut self, source: SourceFile, head: &[u8], stamp: Stamp, is_member: bool) {
        if head.is_empty() {
            let action = "ask the sender for the file again, or remove it";
            self.note(&source.name, 0, FindingCode::EmptyFile, "no bytes", action);
            return;
        }
        match recognize_file(&source, head) {
            Some(format) => self.add(source, format, stamp, is_member),
            None => self.unknown.push((source, stamp, is_member)),
        }
    }

    /// Gives the files that no format knows to the profiles of earlier runs and to those among the
    /// files, and puts all in order.
    pub fn recognize_by_profile(&mut self, mut profiles: CsvProfiles) {
        for file in self.of(Role::Profile) {
            if file.format.name() == "bank_csv_profile"
                && let Ok(text) = fs::read_to_string(&file.source.path)
            {
                // What is wrong with a profile is said when it is loaded.
                let _ = profiles.add(&file.source.name, &text);
            }
        }
        for (source, stamp, is_member) in std::mem::take(&mut self.unknown) {
            let head = source.head(HEAD_BYTES).unwrap_or_default();
            let format = recognize_by_profile(&source, &head, &profiles);
            if let Some(format) = format {
                self.add(source, format, stamp, is_member);
            } else {
                let bytes = if is_member { 0 } else { stamp.bytes };
                self.note_unknown(&source.name, &head, bytes);
            }
        }
        self.has_new_others = !self.others.is_empty();
        // Stable: within a role the files stay as they were given.
        self.known.sort_by_key(|file| file.role);
    }

    fn add(
        &mut self,
        source: SourceFile,
        format: &'static dyn Format,
        stamp: Stamp,
        is_member: bool,
    ) {
        if let Some(role) = format.also() {
            self.known.push(Known {
                source: source.clone(),
                format,
                bytes: 0,
                role,
                is_again: true,
                stamp,
            });
        }
        self.known.push(Known {
            source,
            format,
            bytes: if is_member { 0 } else { stamp.bytes },
            role: format.role(),
            is_again: false,
            stamp,
        });
    }

    fn unreadable(&mut self, name: &str, error: &io::Error) {
        let action = "check that the file is whole and may be read, and run again";
        let found = error.to_string();
        self.note(name, 0, FindingCode::UnreadableFile, &found, action);
    }

    fn note_unknown(&mut self, name: &str, head: &[u8], bytes: u64) {
        let begins = format!("a file that begins {}", shown(head));
        let action = "see `tieout formats` for what is read; remove the file, or check that it \
                      is complete";
        self.note(name, bytes, FindingCode::UnknownFile, &begins, action);
    }

    fn note(&mut self, name: &str, bytes: u64, code: FindingCode, found: &str, action: &str) {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
        self.findings.push(Finding {
            severity: Severity::Error,
            code,
            file: name.to_owned(),
            line: (code == FindingCode::UnknownFile).then_some(1),
            found: found.to_owned(),
            expected: format!("one of {}", names.join(", ")),
            action: action.to_owned(),
        });
        self.others.push(FileSummary {
            file: name.to_owned(),
            format: "unknown".to_owned(),
            profile: None,
            bytes,
            lines: 0,
            rows: 0,
            quarantined: 0,
            known_before: 0,
            failed: Some(format!("{found}; {action}")),
        });
    }
}

fn unusable_layout(name: &str, error: String) -> Finding {
    Finding {
        severity: Severity::Error,
        code: FindingCode::UnreadableFile,
        file: name.to_owned(),
        line: None,
        found: error,
        expected: "a lockbox layout or CSV profile in TOML".to_owned(),
        action: "correct the layout and run again; the shipped layouts were used".to_owned(),
    }
}

/// The first bytes as a person can read them.
fn shown(head: &[u8]) -> String {
    const SHOWN_BYTES: usize = 32;
    let cut = &head[..head.len().min(SHOWN_BYTES)];
    format!("{:?}", String::from_utf8_lossy(cut))
}
