//! How often a packet of a connected call asks the allocator for memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use media::transport::{Output, PathId, RtpOut, StreamId};

use crate::harness::{ALICE, BOB, Net};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; the counter is a plain cell of
// this thread that needs no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more.
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer comes from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the pointer comes from `alloc` above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(work: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn a_packet_costs_no_allocation_but_its_own_buffer() {
    let mut net = Net::pair(71);
    net.connect();
    let from = net.peers[ALICE].sockets[0];
    let now = net.now;
    let packet = RtpOut {
        pt: 111,
        timestamp: 0,
        marker: false,
        extensions: &[(1, &[0x55])],
        payload: &[7; 80],
    };
    let (mut sending, mut receiving) = (0, 0);
    for warm in [false, true] {
        for _ in 0..100 {
            let mut sealed = None;
            sending += u64::from(warm)
                * count(|| {
                    let alice = &mut net.peers[ALICE].transport;
                    alice.send_rtp(StreamId::AUDIO, packet, now).unwrap();
                    while let Output::Transmit(transmit) = alice.poll_output() {
                        sealed = Some(transmit.bytes);
                    }
                });
            let sealed = sealed.unwrap();
            receiving += u64::from(warm)
                * count(|| {
                    let bob = &mut net.peers[BOB].transport;
                    bob.handle_datagram(PathId(0), from, &sealed, now);
                    assert!(matches!(bob.poll_output(), Output::Rtp(_)));
                    assert!(matches!(bob.poll_output(), Output::Timeout(..)));
                });
        }
    }
    // The sealed packet and, while it grows by the tag, its second home; the opened packet.
    assert!(sending <= 200, "{sending} allocations for 100 packets sent");
    assert!(receiving <= 100, "{receiving} allocations for 100 received");
}
