//! A tick in the steady state does not allocate on our side of the transport.

use super::harness::*;
use media::codec::Codec;
use media::sdp::Direction;
use media::sdp::negotiate::{Content, VideoWish};
use media::session::Output;
use media::transport::PathId;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use video::{EncodedFrame, VideoCodec};

/// The cipher's, and the datagram itself.
const TO_SEND: u64 = 2;
/// The cipher's.
const TO_RECEIVE: u64 = 1;

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

/// Octets of a frame: some nine packets.
const FRAME: usize = 10_000;

#[test]
fn a_frame_costs_its_cipher_and_one_allocation_on_its_way() {
    let mut network = Network::new(1);
    let [mut a, mut b] = ["192.0.2.1:40001", "192.0.2.2:40002"].map(|address| {
        let mut phone = Phone::new(address, 500.0, &network);
        phone.session.wish_video(vec![VideoWish {
            content: Content::Camera,
            direction: Direction::SendRecv,
            codecs: vec![VideoCodec::Vp8],
        }]);
        phone
    });
    let mut camera = Camera::new(Content::Camera);
    camera.adapts = true;
    a.cameras.push(camera);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(30));
    a.cameras.clear();
    network.run(&mut a, &mut b, Duration::from_secs(1));
    let mut data = vec![7; FRAME];
    data[0] = 0x11;
    let data: Arc<[u8]> = data.into();
    let (mut sending, mut receiving, mut packets) = (0, 0, 0);
    let frames = 100;
    for number in 0..frames {
        let timestamp = Duration::from_secs(40) + number * 30 * MS;
        let frame = EncodedFrame::read(VideoCodec::Vp8, timestamp, data.clone()).unwrap();
        network.run(&mut a, &mut b, 20 * MS);
        let mut sent = Vec::with_capacity(64);
        let before = allocations();
        a.session.push_frame(Content::Camera, &frame, network.now);
        for _ in 0..10 {
            network.now += MS;
            a.session.handle_timeout(network.now);
            while let Some(output) = next(&mut a) {
                if let Output::Transmit(transmit) = output {
                    sent.push(transmit.bytes);
                }
            }
        }
        sending += allocations() - before;
        packets += sent.len() as u64;
        let before = allocations();
        for bytes in &sent {
            let from = "192.0.2.1:40001".parse().unwrap();
            b.session
                .handle_datagram(PathId(0), from, bytes, network.now);
            while next(&mut b).is_some() {}
        }
        receiving += allocations() - before;
    }
    let frames = u64::from(frames);
    assert!(packets >= 9 * frames, "{packets}");
    assert!(
        sending <= TO_SEND * packets + frames,
        "{sending} for {packets} packets"
    );
    assert!(
        receiving <= TO_RECEIVE * packets + 2 * frames,
        "{receiving} for {packets} packets"
    );
}

fn next(phone: &mut Phone) -> Option<Output> {
    let output = phone.session.poll_output();
    (!matches!(output, Output::Timeout(..))).then_some(output)
}
