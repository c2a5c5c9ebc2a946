//! A ledger of the shipped data, and a server over it that ends with the test.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

use tempfile::TempDir;
use tieout_server::{Listening, Settings, Stop};

use crate::client::Client;

/// The shipped data.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/distributor")
}

/// Runs over `paths` into the ledger `dir`.
pub fn run(paths: Vec<PathBuf>, dir: &Path) {
    let options = tieout::RunOptions {
        ledger: Some(dir.to_owned()),
        ..tieout::RunOptions::new(paths)
    };
    tieout::run(&options, &tieout::NoProgress).unwrap();
}

/// A ledger that all tests of this process read and none writes. It is gone once the process is.
pub fn ledger() -> &'static Path {
    static LEDGER: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (dir, _) = LEDGER.get_or_init(|| {
        let dir = TempDir::with_prefix_in("wire-", env!("CARGO_TARGET_TMPDIR")).unwrap();
        let dir = dir.keep();
        let remover = remove_afterwards(&dir);
        run(vec![data()], &dir);
        (dir, remover)
    });
    dir
}

/// Removes `dir` once this process has ended, however it ends. What tests share is never dropped, so
/// another program waits for the end of its input, which nobody writes and which ends with us.
fn remove_afterwards(dir: &Path) -> Child {
    let mut remover = Command::new("sh");
    remover.args(["-c", "trap '' HUP INT TERM; read -r _; rm -rf -- \"$0\""]);
    remover.arg(dir).stdin(Stdio::piped());
    remover.stdout(Stdio::null()).stderr(Stdio::null());
    remover.spawn().unwrap()
}

/// A server that runs until this is dropped.
pub struct House {
    pub address: SocketAddr,
    /// Where Arrow Flight SQL clients come in, if they do.
    pub flight: Option<String>,
    pub connections: Box<dyn Fn() -> usize + Send>,
    /// How many statements were planned so far.
    pub plans: Box<dyn Fn() -> u64 + Send>,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl House {
    /// Over `dir`, for anyone.
    pub fn open_to_all(dir: &Path) -> Self {
        Self::with(Settings::without_users(loopback()).unwrap(), dir)
    }

    /// Over the shared ledger, with this configuration file.
    pub fn configured(text: &str) -> Self {
        Self::configured_over(text, ledger())
    }

    fn configured_over(text: &str, ledger: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        fs::write(&path, text).unwrap();
        Self::with(Settings::read(&path, Some(loopback())).unwrap(), ledger)
    }

    /// The same, for Arrow Flight SQL clients too.
    pub fn with_flight(text: &str) -> Self {
        Self::with_flight_over(text, ledger())
    }

    /// The same over the ledger in `dir`.
    pub fn with_flight_over(text: &str, dir: &Path) -> Self {
        Self::configured_over(&format!("flight = \"127.0.0.1:0\"\n{text}"), dir)
    }

    pub fn with(settings: Settings, dir: &Path) -> Self {
        let listening = Listening::start(settings, dir).unwrap();
        let connections = Box::new(listening.connections());
        let plans = Box::new(listening.plans());
        let (address, stop) = (listening.address().unwrap(), listening.stop().unwrap());
        let flight = listening.flight();
        let thread = thread::spawn(move || listening.run());
        Self {
            address,
            flight,
            connections,
            plans,
            stop,
            thread: Some(thread),
        }
    }

    /// A client that needs no password.
    pub fn client(&self) -> Client {
        Client::connect(self.address, "ann", "").unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A certificate for localhost with its key, made for one test.
pub struct Papers {
    /// The certificate, PEM.
    pub certificate: String,
    dir: TempDir,
}

impl Papers {
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let certificate = made.cert.pem();
        fs::write(dir.path().join("server.crt"), &certificate).unwrap();
        let key = made.signing_key.serialize_pem();
        fs::write(dir.path().join("server.key"), key).unwrap();
        Self { certificate, dir }
    }

    /// The lines of a configuration file that name them.
    pub fn lines(&self) -> String {
        let [certificate, key] =
            ["server.crt", "server.key"].map(|name| self.dir.path().join(name));
        let [certificate, key] = [certificate.display(), key.display()];
        format!("certificate = '{certificate}'\nkey = '{key}'\n")
    }
}

/// Any free port of this machine.
pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
