//! The workspace keeps the shape that `ARCHITECTURE.md` describes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command;

/// Which of the project's crates each folder's manifest may name, in the order of the data.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("core", &[]),
    ("ingest", &["tieout-core"]),
    ("matcher", &["tieout-core"]),
    ("ledger", &["tieout-core"]),
    ("treasury", &["tieout-core", "tieout-ledger"]),
    (
        "engine",
        &[
            "tieout-core",
            "tieout-ingest",
            "tieout-matcher",
            "tieout-ledger",
            "tieout-treasury",
        ],
    ),
    ("cli", &["tieout"]),
    (
        "bench",
        &[
            "tieout-core",
            "tieout-ingest",
            "tieout-matcher",
            "tieout-ledger",
            "tieout-treasury",
            "tieout",
        ],
    ),
    ("tests", &["tieout"]),
];
const DEPENDENCY_TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(&path).unwrap().parse().unwrap()
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn own_dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    DEPENDENCY_TABLES
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(|table| table.keys())
        .filter(|name| *name == "tieout" || name.starts_with("tieout-"))
        .cloned()
        .collect()
}

#[test]
fn members_stand_in_the_order_of_the_data() {
    let workspace = manifest(".");
    let members: Vec<_> = workspace["workspace"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member.as_str().unwrap())
        .collect();
    assert_eq!(members, ALLOWED.map(|(folder, _)| folder));
}

#[test]
fn dependencies_run_one_way() {
    for (folder, allowed) in ALLOWED {
        for name in own_dependencies(&manifest(folder)) {
            assert!(
                allowed.contains(&name.as_str()),
                "{folder}/Cargo.toml names {name}, which {folder} may not know"
            );
        }
    }
}

#[test]
fn every_member_has_its_section_and_an_invariant() {
    let page = text("ARCHITECTURE.md");
    for (folder, _) in ALLOWED {
        let heading = format!("\n### `{folder}/`\n");
        let section = page.split_once(&heading).unwrap_or_else(|| {
            panic!("ARCHITECTURE.md has no section {heading:?}");
        });
        let section = section.1.split("\n#").next().unwrap();
        assert!(
            section.contains("**Architecture Invariant:**"),
            "the section on {folder} names no invariant"
        );
    }
}

/// Every item of code that the map points at is there, so that the page cannot go stale unseen.
#[test]
fn files_that_the_pages_name_exist() {
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        for name in text(page).split('`').skip(1).step_by(2) {
            let is_file = name.contains('/')
                && [".rs", ".md", ".toml"]
                    .iter()
                    .any(|end| name.ends_with(end))
                && !name.contains(['*', ' ']);
            if is_file && !name.starts_with("canonical/") {
                assert!(root().join(name).exists(), "{page} names {name}");
            }
        }
    }
}

#[test]
fn every_format_is_told_by_the_command() {
    let told = command::tieout(&["formats"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(!tieout::FORMATS.is_empty());
    for format in tieout::FORMATS {
        let line = told
            .stdout
            .lines()
            .find(|line| line.split_whitespace().next() == Some(format.name()));
        assert!(
            line.is_some(),
            "tieout formats does not name {}",
            format.name()
        );
        assert!(!format.about().is_empty());
    }
}
