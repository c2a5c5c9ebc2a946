//! The workspace keeps the shape that `ARCHITECTURE.md` describes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;

/// Which of the project's crates each folder's manifest may name, in the order of the data.
const ALLOWED: [(&str, &[&str]); 10] = [
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
    ("server", &["tieout-ledger", "tieout-treasury", "tieout"]),
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

/// The lines that are the same from run to run.
fn without_times(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.contains("payments/s"))
        .collect()
}

/// `INSTA_UPDATE=always` rewrites the page, as it does the snapshots.
#[test]
fn the_readme_shows_what_the_first_command_prints() {
    const BEGIN: &str = "```text\n";
    let mut first = command::command();
    first
        .current_dir(root())
        .args(["run", "datasets/distributor"]);
    let told: command::Told = first.output().unwrap().into();
    let page = text("README.md");
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once("```").unwrap();
    let same = without_times(shown) == without_times(&told.stdout);
    if !same && std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let page = format!("{before}{BEGIN}{}```{after}", told.stdout);
        return fs::write(root().join("README.md"), page).unwrap();
    }
    assert_eq!(without_times(shown), without_times(&told.stdout));
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

/// The packages and features of a build, one a line.
fn build_of(words: &[&str]) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--format", "{p} {f}", "--prefix", "none"]);
    let output = tree.args(words).current_dir(root()).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .collect()
}

/// A feature that only a test or a bench asks for would have cargo compile the query engine a
/// second time, which takes minutes.
#[test]
fn tests_and_benches_share_the_build_of_the_binary() {
    let binary = build_of(&["--package", "tieout-cli", "--edges", "normal,build"]);
    let all = build_of(&["--workspace", "--edges", "normal,build,dev"]);
    let apart: Vec<_> = binary.difference(&all).collect();
    assert!(
        apart.is_empty(),
        "built with other features for the workspace: {apart:#?}; ask for the same ones in \
         [workspace.dependencies]"
    );
}
