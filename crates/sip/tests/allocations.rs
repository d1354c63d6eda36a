//! How often the parser allocates: a guard against a header that learns to own its text.
//!
//! A binary of its own, because it counts through the global allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use sip::header::{CSeq, Contact, From, Route, To, Via};
use sip::message::{Leniency, Message};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract that `System` has too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System` through `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn counted<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let result = work();
    (COUNT.get() - before, result)
}

fn invite() -> Bytes {
    let mut text = String::from(
        "INVITE sip:ben@example.com SIP/2.0\r\n\
         Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1;rport\r\n\
         From: \"Ann\" <sip:ann@example.com>;tag=1\r\n\
         To: Ben <sip:ben@example.com>\r\n\
         Call-ID: 1@a.invalid\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:ann@a.invalid;transport=ws>;+sip.instance=\"<urn:uuid:1>\"\r\n\
         Route: <sip:p1;lr>, <sip:p2;lr>\r\n",
    );
    for number in 0..12 {
        text += &format!("X-Header-{number}: value {number}\r\n");
    }
    text += "\r\nv=0\r\n";
    Bytes::from(text.into_bytes()).slice(..)
}

#[test]
fn a_message_of_usual_size_is_parsed_with_one_allocation() {
    let frame = invite();
    let _promoted = frame.clone();
    let (count, parsed) = counted(|| Message::parse(frame, Leniency::Interop).unwrap());
    assert_eq!(parsed.message.headers().len(), 19);
    assert_eq!(count, 1, "the spans of the headers, and nothing else");
}

#[test]
fn typed_reads_allocate_nothing() {
    let message = Message::parse(invite(), Leniency::Interop).unwrap().message;
    let headers = message.headers();
    let (count, lengths) = counted(|| {
        let from = headers.typed::<From>().unwrap().unwrap();
        let to = headers.typed::<To>().unwrap().unwrap();
        let via = headers.typed::<Via>().unwrap().unwrap();
        let contact = headers.typed::<Contact>().unwrap().unwrap();
        let cseq = headers.typed::<CSeq>().unwrap().unwrap();
        let routes = headers.list::<Route>().filter(Result::is_ok).count();
        let custom = headers.get("x-header-7").unwrap();
        (
            from.display().unwrap().len() + from.tag().unwrap().len() + to.uri().as_str().len(),
            via.branch().unwrap().len() + contact.instance().unwrap().len() + custom.len(),
            cseq.number as usize + routes,
        )
    });
    assert!(lengths.0 > 0 && lengths.1 > 0 && lengths.2 == 3);
    assert_eq!(count, 0);
}

#[test]
fn a_refused_message_has_reserved_no_more_than_its_spans() {
    let flood = Bytes::from("X: 1\r\n".repeat(10_000).into_bytes());
    let _promoted = flood.clone();
    let (count, result) = counted(|| Message::parse(flood, Leniency::Interop));
    assert!(result.is_err());
    assert!(count <= 6, "{count}");
}

#[test]
fn a_message_is_written_with_a_buffer_and_its_handle() {
    let parsed = Message::parse(invite(), Leniency::Interop).unwrap().message;
    let mut request = parsed.as_request().unwrap().clone();
    request.headers_mut().push("X-New", "1").unwrap();
    let (count, frame) = counted(|| request.to_bytes());
    assert!(frame.ends_with(b"v=0\r\n"));
    assert!(count <= 2, "{count}");
}
