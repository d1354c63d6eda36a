//! What every fuzz target has: a watch over memory that is never given back.
//!
//! GCC's and Clang's leak sanitizers come with instrumented or nightly builds; counting what Rust allocates needs
//! neither.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

/// What is made once and kept, such as a certificate, grows once; what leaks grows each time.
const TRIES: usize = 3;

static LIVE: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

// SAFETY: everything is left to the system's allocator; beside it only a number changes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract for both.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Runs it, and again if it kept memory: what it keeps each time is a leak, and a finding.
pub fn without_leak(run: impl Fn()) {
    let kept = || {
        let before = LIVE.load(Ordering::Relaxed);
        run();
        LIVE.load(Ordering::Relaxed) - before
    };
    if kept() <= 0 {
        return;
    }
    let again: [i64; TRIES] = std::array::from_fn(|_| kept());
    assert!(
        again.iter().any(|bytes| *bytes <= 0),
        "leaks {again:?} bytes with each run"
    );
}
