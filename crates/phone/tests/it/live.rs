//! How many octets are allocated: what is kept of anything shows in it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static OCTETS: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(octets: isize) {
    OCTETS.with(|sum| sum.set(sum.get() + octets));
}

// SAFETY: every call goes to the system's allocator unchanged; the counter is a thread-local without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What this thread has allocated and not freed.
pub(crate) fn octets() -> isize {
    OCTETS.with(Cell::get)
}
