//! The command at a terminal, as a person has it.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::command;
use crate::desk::Desk;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// What Ctrl-C sends.
pub const INTERRUPT: &str = "\u{3}";

/// A terminal of 60 columns with `tieout` in it; both end with this.
pub struct Terminal {
    child: Child,
    shown: Receiver<Vec<u8>>,
    /// What was shown and not yet expected.
    left: String,
}

impl Terminal {
    /// With `tieout` and the words, from the desk. None where the system has no program `script`.
    pub fn open(desk: &Desk, words: &str) -> Option<Self> {
        let tieout = command::binary().display();
        let line = format!("stty rows 24 cols 60; exec {tieout} {words}");
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &line, "/dev/null"]);
        script
            .current_dir(desk.path(""))
            .env("TIEOUT_HISTORY", "history");
        script.env_remove("TIEOUT_LEDGER").env("SHELL", "/bin/sh");
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = match script.spawn() {
            Ok(child) => child,
            Err(error) => {
                eprintln!("not tried: there is no script ({error})");
                return None;
            }
        };
        let mut stdout = child.stdout.take().unwrap();
        let (sender, shown) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self {
            child,
            shown,
            left: String::new(),
        })
    }

    /// Types.
    pub fn send(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Types a line.
    pub fn enter(&mut self, line: &str) {
        self.send(&format!("{line}\r"));
    }

    /// Waits until `text` is shown, and gives what was shown before it.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some((before, after)) = self.left.split_once(text) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.left = after;
                return before;
            }
            let wait = until.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(wait) {
                Ok(bytes) => self.left.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("{error} before {text:?} was shown: {}", self.left),
            }
        }
    }

    /// Waits for the end, and gives the status.
    pub fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
