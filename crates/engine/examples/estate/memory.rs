//! What this process holds in memory: as the system sees it, and to the byte from a moment on.
#![allow(
    unsafe_code,
    reason = "an allocator is an unsafe trait; each method hands its duty on to the same of another"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use mimalloc::MiMalloc;

/// As in the server: the system's own allocator takes a third of the time here.
#[global_allocator]
static ALLOCATOR: Counted = Counted(MiMalloc);

/// Off while nothing is asked, so that threads do not wait for each other's counts.
static COUNTING: AtomicBool = AtomicBool::new(false);
static ADDED: AtomicI64 = AtomicI64::new(0);

struct Counted(MiMalloc);

fn count(came: usize, went: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        // No allocation is larger than the address space, of which a program has half.
        ADDED.fetch_add(came as i64 - went as i64, Ordering::Relaxed);
    }
}

// SAFETY: every method passes its arguments on unchanged to that of an allocator that keeps the contract, and returns what
// that returned; counting allocates nothing.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those asked for here.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above.
        unsafe { self.0.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { self.0.dealloc(at, layout) }
    }
}

/// Counts from zero on what is asked for and given back.
pub(crate) fn begin() {
    ADDED.store(0, Ordering::Relaxed);
    COUNTING.store(true, Ordering::Relaxed);
}

/// Bytes asked for and not given back since [`begin`].
pub(crate) fn added() -> i64 {
    ADDED.load(Ordering::Relaxed)
}

/// Ends the counting.
pub(crate) fn end() {
    COUNTING.store(false, Ordering::Relaxed);
}

/// Resident memory of this process, in MiB.
pub(crate) fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}
