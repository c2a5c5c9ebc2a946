//! Any bytes, read as the format that the program is named after: whatever `check` says holds,
//! and memory stays within a bound that follows from their number.
#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libfuzzer_sys::fuzz_target;
use tieout_ingest::{FORMATS, Format};

#[path = "../check.rs"]
mod check;

/// Memory that a reading may take whatever it reads: buffers, builders, tables of words.
const READING_BYTES_MAX: usize = 32 << 20;
/// Memory that it may take beside for each byte.
const BYTES_MAX_OF_A_BYTE: usize = 1 << 10;

static FORMAT: LazyLock<&'static dyn Format> = LazyLock::new(|| {
    let program = std::env::current_exe().expect("the program's own path");
    let name = program
        .file_stem()
        .and_then(|name| name.to_str())
        .expect("a name");
    let found = FORMATS
        .iter()
        .find(|format| format.name().replace('.', "_") == name);
    *found.expect("a program named after a format")
});

/// The system's memory, counted.
struct Counted;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static MEMORY: Counted = Counted;

// SAFETY: the system allocates; counting changes nothing of what it gives.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(held, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let before = HELD.load(Relaxed);
    MOST.store(before, Relaxed);
    check::check(*FORMAT, bytes);
    let taken = MOST.load(Relaxed).saturating_sub(before);
    let bound = READING_BYTES_MAX + BYTES_MAX_OF_A_BYTE * bytes.len();
    assert!(
        taken <= bound,
        "{taken} bytes of memory to read {}",
        bytes.len()
    );
});
