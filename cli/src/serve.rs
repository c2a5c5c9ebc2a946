//! `tieout serve`: starts the server, a program of its own that lies beside this one.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::{env, io};

use crate::Outcome;
use crate::failure::Failure;

const PROGRAM: &str = "tieout-server";

/// Hands the words over to the server, and ends as it does.
pub fn serve(words: &[OsString]) -> Result<Outcome, Failure> {
    let program = beside().unwrap_or_else(|| PathBuf::from(PROGRAM));
    let mut server = Command::new(&program);
    server.args(words);
    let error = become_it(&mut server);
    if error.kind() == io::ErrorKind::NotFound {
        return Err(Failure::with_action(
            format!(
                "there is no {} beside this program",
                program.with_extension("").display()
            ),
            "the server is built apart: cargo build --release -p tieout-server",
        ));
    }
    Err(Failure::new(format!(
        "cannot start {}: {error}",
        program.display()
    )))
}

/// The server in the folder of this program.
fn beside() -> Option<PathBuf> {
    let name = format!("{PROGRAM}{}", env::consts::EXE_SUFFIX);
    Some(env::current_exe().ok()?.parent()?.join(name))
}

/// This process goes on as the server, so that signals reach it.
#[cfg(unix)]
fn become_it(server: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(server)
}

#[cfg(not(unix))]
fn become_it(server: &mut Command) -> io::Error {
    match server.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
