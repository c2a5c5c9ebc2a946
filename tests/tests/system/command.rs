//! The real command, as a script calls it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// What a command left behind.
pub struct Told {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The command's file, built if it is not.
///
/// Cargo builds a binary for the tests of its own package only, so it is asked for it here; it
/// has nothing to do where the whole workspace is tested.
pub fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "tieout-cli"]);
        if !cfg!(debug_assertions) || profile_folder().ends_with("release") {
            build.arg("--release");
        }
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.unwrap().success(), "the command does not build");
        profile_folder().join(format!("tieout{}", std::env::consts::EXE_SUFFIX))
    })
}

/// `target/release`, where this test is in `target/release/deps`.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().to_path_buf()
}

/// The command with nothing of the caller's surroundings that could change its answer.
pub fn command() -> Command {
    let mut command = Command::new(binary());
    command.env_remove("TIEOUT_LEDGER").stdin(Stdio::null());
    command
}

/// Runs `tieout` with the words.
pub fn tieout<W: AsRef<std::ffi::OsStr>>(words: &[W]) -> Told {
    command().args(words).output().unwrap().into()
}
