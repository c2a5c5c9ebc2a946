//! The real files that others published. They are not part of this repository: `TIEOUT_SAMPLES`
//! names their folder, seen from the repository's root.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of samples; where it is absent, the test that asks says that it skips.
pub fn samples() -> Option<PathBuf> {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = std::env::var_os("TIEOUT_SAMPLES").map(PathBuf::from);
    let root = repository.join(named.unwrap_or_else(|| "../shared/samples".into()));
    if !root.is_dir() {
        println!(
            "SKIPPED: no samples in {} (set TIEOUT_SAMPLES)",
            root.display()
        );
        return None;
    }
    Some(root)
}

/// Every file under `folder`, in the order of their paths.
pub fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
