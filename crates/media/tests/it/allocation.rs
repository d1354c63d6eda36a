//! A tick in the steady state does not allocate on our side of the transport.

use super::harness::*;
use media::codec::Codec;
use media::session::Output;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counter is a thread-local without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn playing_allocates_nothing_and_sending_only_in_the_cipher() {
    for codec in Codec::ALL {
        let mut network = Network::new(1);
        let mut a = Phone::with("192.0.2.1:40001", 500.0, &network, |c| {
            c.codecs = vec![codec]
        });
        let mut b = Phone::with("192.0.2.2:40002", 900.0, &network, |c| {
            c.codecs = vec![codec];
            // So it listens for keys in the sound.
            c.telephone_event = false;
        });
        connect(&mut network, &mut a, &mut b);
        network.run(&mut a, &mut b, Duration::from_secs(3));
        let (mut pulling, mut pushing, ticks) = (0, 0, 100);
        let captured = vec![1_000; a.session.capture_rate().samples_per_tick()];
        let mut playout = vec![0; a.session.playout_rate().samples_per_tick()];
        for _ in 0..ticks {
            network.run(&mut a, &mut b, 10 * MS);
            let before = allocations();
            b.session.pull_playout(&mut playout, network.now);
            pulling += allocations() - before;
            let before = allocations();
            a.session.push_captured(&captured, network.now);
            while !matches!(a.session.poll_output(), Output::Timeout(..)) {}
            pushing += allocations() - before;
        }
        assert_eq!(pulling, 0, "{codec:?}");
        assert!(
            pushing <= ticks * 8,
            "{codec:?}: {pushing} in {ticks} ticks"
        );
    }
}
