//! Which files of a folder are complete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Aside;
use crate::EngineError;
use crate::files::{Stamp, list_all};

/// Ends of names that programs give to files which they are still writing.
const UNFINISHED: [&str; 9] = [
    ".part",
    ".partial",
    ".tmp",
    ".temp",
    ".filepart",
    ".crdownload",
    ".writing",
    ".swp",
    "~",
];

/// The files of a folder, and since when each is as it is.
pub struct Settling {
    dir: PathBuf,
    settle: Duration,
    seen: BTreeMap<PathBuf, Seen>,
    /// Files that were set aside, until it is clear that they are the same.
    aside: Vec<Aside>,
}

struct Seen {
    stamp: Stamp,
    since: Instant,
    /// Taken, or set aside, as it is.
    is_done: bool,
    /// How often it has changed, or was ready but for somebody who had it open for writing.
    stirred: u32,
}

/// How often a file may stir before whoever takes files once leaves it. Once is not enough: a
/// program that begins another holds what it has open for a moment longer.
const STIRRED_MAX: u32 = 2;

impl Settling {
    /// Nothing seen yet.
    pub fn of(dir: &Path, settle: Duration) -> Self {
        Self {
            dir: dir.to_owned(),
            settle,
            seen: BTreeMap::new(),
            aside: Vec::new(),
        }
    }

    /// Leaves a file alone that was set aside, as long as it is the same.
    pub fn leave_out(&mut self, aside: &Aside) {
        self.aside.push(aside.clone());
    }

    /// The files that are ready at `now`, by name.
    ///
    /// # Errors
    /// [`EngineError::Path`] if the folder cannot be listed.
    pub fn look(&mut self, now: Instant) -> Result<Vec<PathBuf>, EngineError> {
        let files: BTreeSet<PathBuf> = list_all(&self.dir)?
            .into_iter()
            .filter(|path| !is_unfinished(path))
            .collect();
        self.seen.retain(|path, _| files.contains(path));
        for path in files {
            // Gone since it was listed.
            let Some(stamp) = Stamp::of(&path) else {
                continue;
            };
            match self.seen.get_mut(&path) {
                Some(seen) if seen.stamp == stamp => {}
                Some(seen) => {
                    *seen = Seen {
                        stamp,
                        since: now,
                        is_done: false,
                        stirred: seen.stirred + 1,
                    };
                }
                None => {
                    let same = |aside: &Aside| aside.is_of(&path) && aside.is_same(&path);
                    let is_done = self.aside.iter().any(same);
                    let seen = Seen {
                        stamp,
                        since: now,
                        is_done,
                        stirred: 0,
                    };
                    self.seen.insert(path, seen);
                }
            }
        }
        let settled = self.seen.iter().filter(|(_, seen)| {
            !seen.is_done && now.saturating_duration_since(seen.since) >= self.settle
        });
        let mut ready: Vec<PathBuf> = settled.map(|(path, _)| path.clone()).collect();
        if !ready.is_empty() {
            let written = open_for_writing();
            ready.retain(|path| {
                // Gone since it was listed.
                let Ok(whole) = path.canonicalize() else {
                    return false;
                };
                let is_open = written.contains(&whole);
                if let Some(seen) = self.seen.get_mut(path).filter(|_| is_open) {
                    seen.since = now;
                    seen.stirred += 1;
                }
                !is_open
            });
        }
        Ok(ready)
    }

    /// Notes that the files were taken as they were when they were ready.
    pub fn take(&mut self, files: &[PathBuf]) {
        for path in files {
            if let Some(seen) = self.seen.get_mut(path) {
                seen.is_done = true;
                seen.stirred = 0;
            }
        }
    }

    /// Begins anew with the files.
    pub fn forget(&mut self, files: &[PathBuf]) {
        for path in files {
            self.seen.remove(path);
        }
    }

    /// Whether nothing more is to come of what was there at the last look: all is taken, or
    /// somebody goes on writing it.
    pub fn is_settled(&self) -> bool {
        let waits = |seen: &Seen| !seen.is_done && seen.stirred < STIRRED_MAX;
        !self.seen.values().any(waits)
    }

    /// How many files are not taken.
    pub fn unfinished(&self) -> u64 {
        self.seen.values().filter(|seen| !seen.is_done).count() as u64
    }
}

fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    name.starts_with('~') || UNFINISHED.iter().any(|end| name.ends_with(end))
}

/// Files that programs on this machine have open for writing, as far as the system tells.
#[cfg(target_os = "linux")]
fn open_for_writing() -> BTreeSet<PathBuf> {
    use std::fs;
    /// The bits of the access mode in an open file's flags; reading alone has none of them.
    const WRITES: u32 = 0o3;
    let entries = |dir: &Path| {
        let entries = fs::read_dir(dir).into_iter().flatten();
        entries.flatten().map(|entry| entry.path())
    };
    let mut written = BTreeSet::new();
    for process in entries(Path::new("/proc")) {
        for handle in entries(&process.join("fd")) {
            let flags = handle
                .file_name()
                .map(|number| process.join("fdinfo").join(number))
                .and_then(|about| fs::read_to_string(about).ok())
                .and_then(|about| {
                    let line = about.lines().find_map(|line| line.strip_prefix("flags:"));
                    u32::from_str_radix(line?.trim(), 8).ok()
                });
            if flags.is_some_and(|flags| flags & WRITES != 0)
                && let Ok(path) = fs::read_link(&handle)
            {
                written.insert(path);
            }
        }
    }
    written
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
fn open_for_writing() -> BTreeSet<PathBuf> {
    BTreeSet::new()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs::{self, File};
    use std::io::Write as _;

    use super::*;

    const SETTLE: Duration = Duration::from_secs(5);

    fn names(ready: Vec<PathBuf>) -> Vec<String> {
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        ready.into_iter().map(name).collect()
    }

    #[test]
    fn a_file_is_ready_once_it_has_stayed_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        fs::write(&path, "half").unwrap();
        let mut files = Settling::of(dir.path(), SETTLE);
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        assert!(files.look(begin).unwrap().is_empty());
        assert!(files.look(after(4)).unwrap().is_empty());
        fs::write(&path, "half and half").unwrap();
        assert!(files.look(after(5)).unwrap().is_empty());
        assert!(files.look(after(9)).unwrap().is_empty());
        let ready = files.look(after(10)).unwrap();
        files.take(&ready);
        assert_eq!(names(ready), ["a.csv"]);
        assert!(files.look(after(20)).unwrap().is_empty());
        // Another file of the same name.
        fs::write(&path, "something else").unwrap();
        assert!(files.look(after(21)).unwrap().is_empty());
        assert_eq!(names(files.look(after(26)).unwrap()), ["a.csv"]);
    }

    #[test]
    fn names_and_open_files_say_what_is_being_written() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "a.part",
            "b.csv.TMP",
            "c.filepart",
            "~d.xlsx",
            ".e.csv",
            "f.csv~",
            "partial.csv",
        ] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        let mut open = File::create(dir.path().join("open.csv")).unwrap();
        open.write_all(b"x").unwrap();
        let mut files = Settling::of(dir.path(), Duration::ZERO);
        let expected: &[&str] = if cfg!(target_os = "linux") {
            &["partial.csv"]
        } else {
            &["open.csv", "partial.csv"]
        };
        let ready = files.look(Instant::now()).unwrap();
        assert_eq!(names(ready.clone()), expected);
        files.take(&ready);
        if cfg!(target_os = "linux") {
            // It may be open for a moment only, so that it is looked at once more.
            assert!(!files.is_settled());
            assert!(files.look(Instant::now()).unwrap().is_empty());
        }
        assert!(files.is_settled());
        drop(open);
        if cfg!(target_os = "linux") {
            let ready = files.look(Instant::now()).unwrap();
            assert_eq!(names(ready), ["open.csv"]);
        }
    }
}
