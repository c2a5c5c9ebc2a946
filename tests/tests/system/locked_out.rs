//! Ledgers that may not be written to, or not be read: each is told, and nothing is lost.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::command::{self, Told};
use crate::desk::{Desk, statement};
use crate::ledger::after_monday;

/// Somebody without rights of their own.
const NOBODY: u32 = 65_534;

impl Desk {
    /// The command as somebody who does not own the files; none where it cannot be run as such.
    fn as_another(&self, words: &[&str]) -> Option<Told> {
        let mut command = command::command();
        command.current_dir(self.path("")).args(words);
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        // The command itself may lie where nobody else comes.
        command.output().ok().map(Told::from)
    }
}

fn allow(desk: &Desk, name: &str, mode: u32) {
    fs::set_permissions(desk.path(name), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn who_may_not_write_the_ledger_is_told_and_may_read() {
    let desk = after_monday();
    let line = [("142", 73_025, "B3", "ACME TOOLS INV-10002")];
    desk.put_in("tuesday", "statement.bai", &statement(&line));
    allow(&desk, "", 0o755);
    for name in ["ledger", "ledger/postings", "ledger/postings/000001"] {
        allow(&desk, name, 0o555);
    }
    for entry in fs::read_dir(desk.path("ledger")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::set_permissions(path, Permissions::from_mode(0o444)).unwrap();
        }
    }
    let Some(told) = desk.as_another(&["run", "tuesday", "--ledger", "ledger", "--quiet"]) else {
        return;
    };
    assert_eq!(told.status, 1, "{}", told.stdout);
    assert!(
        told.stderr
            .contains("cannot write ledger/.lock: Permission denied"),
        "{}",
        told.stderr
    );
    for words in [
        &["sql", "select count(*) from payments"][..],
        &["queue"],
        &["audit", "verify"],
    ] {
        let told = desk.as_another(&[words, &["--ledger", "ledger"]].concat());
        let told = told.unwrap();
        assert_eq!(told.status, 0, "{words:?}: {}", told.stderr);
    }
    // Nor may be read.
    allow(&desk, "ledger", 0o000);
    let told = desk.as_another(&["sql", "select 1", "--ledger", "ledger"]);
    let told = told.unwrap();
    assert_eq!(told.status, 1);
    assert!(
        told.stderr.contains("cannot read ledger"),
        "{}",
        told.stderr
    );
    allow(&desk, "ledger", 0o755);
}

#[test]
fn a_ledger_on_a_disk_that_is_only_read_can_be_asked() {
    let desk = after_monday();
    let line = [("142", 73_025, "B3", "ACME TOOLS INV-10002")];
    desk.put_in("tuesday", "statement.bai", &statement(&line));
    let script = "mount --bind ledger ledger && mount -o remount,bind,ro ledger || exit 99; \
                  \"$0\" run tuesday --ledger ledger --quiet; echo run $?; \
                  \"$0\" sql 'select count(*) from payments' --ledger ledger --format csv; \
                  echo sql $?; \"$0\" audit verify --ledger ledger >/dev/null; echo verify $?";
    let told = Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .arg(command::binary())
        .current_dir(desk.path(""))
        .output();
    let Ok(told) = told else { return };
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    let said = String::from_utf8_lossy(&told.stdout).into_owned();
    if !told.status.success() {
        println!("no disk can be made that is only read: {words}");
        return;
    }
    assert_eq!(said, "run 1\ncount(*)\n2\nsql 0\nverify 0\n", "{words}");
    assert!(
        words.contains("cannot write ledger/.lock: Read-only file system"),
        "{words}"
    );
    // With the disk as it was, the run goes on.
    desk.post("tuesday");
    assert_eq!(desk.ask("select count(*) from payments"), "3");
    desk.verify();
}
