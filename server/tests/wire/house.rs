//! A ledger of the shipped data, and a server over it that ends with the test.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

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

/// A ledger that all tests read and none writes.
pub fn ledger() -> &'static Path {
    static LEDGER: OnceLock<PathBuf> = OnceLock::new();
    LEDGER.get_or_init(|| {
        // The folder of the tests' build, which outlives them and is written anew.
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wire");
        let _ = fs::remove_dir_all(&dir);
        run(vec![data()], &dir);
        dir
    })
}

/// A server that runs until this is dropped.
pub struct House {
    pub address: SocketAddr,
    pub connections: Box<dyn Fn() -> usize + Send>,
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
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        fs::write(&path, text).unwrap();
        Self::with(Settings::read(&path, Some(loopback())).unwrap(), ledger())
    }

    fn with(settings: Settings, dir: &Path) -> Self {
        let listening = Listening::start(settings, dir).unwrap();
        let connections = Box::new(listening.connections());
        let (address, stop) = (listening.address().unwrap(), listening.stop().unwrap());
        let thread = thread::spawn(move || listening.run());
        Self {
            address,
            connections,
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

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
