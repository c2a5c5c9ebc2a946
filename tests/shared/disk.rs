//! A disk that is full, fails, or loses half of what is written, at a call of one's choice: a small
//! library in front of the system's (`faults.c`). Tests of the whole system and of the ledger's
//! sessions include this by its path, so that neither builds what only the other needs.
//!
//! By default some calls of each kind are tried; `TIEOUT_FAULTS=all` tries them one by one until none
//! is left to fail, `TIEOUT_FAULTS=torn` those of one kind.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program that was ended half way through a call leaves, see `faults.c`.
pub const TORN: i32 = 86;

/// A kind of fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The call.
    pub call: &'static str,
    /// How it fails.
    pub how: &'static str,
    /// What the operating system says then.
    pub words: &'static str,
}

/// All kinds.
pub const FAULTS: [Fault; 5] = [
    fault("sync", "eio", "Input/output error"),
    fault("write", "full", "No space left on device"),
    fault("write", "short", "No space left on device"),
    fault("write", "torn", ""),
    fault("rename", "eio", "Input/output error"),
];

const fn fault(call: &'static str, how: &'static str, words: &'static str) -> Fault {
    Fault { call, how, words }
}

/// The library.
pub struct Library(PathBuf);

impl Library {
    /// Builds it into `dir`; none on systems that know no such thing, which is said.
    pub fn build(dir: &Path) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            println!("no library can be put in front of the system's here");
            return None;
        }
        let path = dir.join("faults.so");
        let mut compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-x", "c", "-", "-ldl", "-o"])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let source = include_bytes!("faults.c");
        compiler.stdin.take().unwrap().write_all(source).unwrap();
        assert!(compiler.wait().unwrap().success(), "faults.c is no C");
        Some(Self(path))
    }

    /// The environment of a program whose call `at` fails so, among those for files below `place`.
    /// The file `note` is made when it does.
    pub fn environment(
        &self,
        fault: Fault,
        at: u32,
        place: &Path,
        note: &Path,
    ) -> [(&'static str, PathBuf); 6] {
        [
            ("LD_PRELOAD", self.0.clone()),
            ("FAULT_CALL", fault.call.into()),
            ("FAULT_HOW", fault.how.into()),
            ("FAULT_AT", at.to_string().into()),
            ("FAULT_DIR", place.canonicalize().unwrap()),
            ("FAULT_NOTE", note.to_owned()),
        ]
    }
}

fn wanted() -> Option<String> {
    std::env::var("TIEOUT_FAULTS").ok()
}

/// The kinds that are wanted.
pub fn faults() -> impl Iterator<Item = Fault> {
    let wanted = wanted().filter(|wanted| wanted != "all");
    let is_wanted = move |fault: &Fault| wanted.as_ref().is_none_or(|how| how == fault.how);
    FAULTS.into_iter().filter(is_wanted)
}

/// Tries calls in their order, `some` or all of them, until there was none to fail, which `try_one`
/// says. How many failed.
pub fn try_calls(fault: Fault, some: &[u32], mut try_one: impl FnMut(u32) -> bool) -> usize {
    let hit = if wanted().is_some() {
        (1..u32::MAX).take_while(|&at| try_one(at)).count()
    } else {
        some.iter().take_while(|&&at| try_one(at)).count()
    };
    let Fault { call, how, .. } = fault;
    assert!(hit > 0, "no {call} was made to fail");
    println!("{how} at {hit} calls of {call}");
    hit
}
