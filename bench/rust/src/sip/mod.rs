//! SIP messages: parsed and read, forwarded, answered, by each stack in turns.

mod offhook;
mod rsip;
mod rsipstack;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use crate::cpu;

const INVITE: &[u8] = include_bytes!("../../../messages/invite.sip");
const OK: &[u8] = include_bytes!("../../../messages/ok.sip");
/// Each measurement is cut into so many, in turns with the other stacks; the median counts.
const ROUNDS: usize = 7;

/// What a stack does with a frame, given as a WebSocket gives it; each gives up what it made.
struct Stack {
    name: &'static str,
    /// Parses and reads From, To, Via, Contact, CSeq and Route typed; returns CSeq's number.
    read: fn(&Bytes) -> u32,
    /// Parses, puts a Via on top and writes, as a proxy does; returns the length.
    forward: fn(&Bytes) -> usize,
    /// Parses an INVITE and writes its 200 with tag, Contact and this SDP; returns the length.
    answer: fn(&Bytes, &[u8]) -> usize,
}

const STACKS: [Stack; 3] = [offhook::STACK, rsip::STACK, rsipstack::STACK];

pub fn run(each: Duration) {
    let (invite, ok) = (&Bytes::copy_from_slice(INVITE), &Bytes::copy_from_slice(OK));
    let sdp = body(INVITE);
    for stack in &STACKS {
        assert_eq!(
            (stack.read)(invite),
            314_159,
            "{} reads wrongly",
            stack.name
        );
        assert_eq!((stack.read)(ok), 314_159, "{} reads wrongly", stack.name);
        assert!((stack.forward)(invite) > INVITE.len(), "{}", stack.name);
        assert!(
            (stack.answer)(invite, sdp) > sdp.len() + 400,
            "{}",
            stack.name
        );
    }
    measure("read", each, |stack| {
        black_box((stack.read)(black_box(invite)));
        black_box((stack.read)(black_box(ok)));
        2
    });
    measure("forward", each, |stack| {
        black_box((stack.forward)(black_box(invite)));
        black_box((stack.forward)(black_box(ok)));
        2
    });
    measure("answer", each, |stack| {
        black_box((stack.answer)(black_box(invite), black_box(sdp)));
        1
    });
}

fn measure(work: &str, each: Duration, turn: impl Fn(&Stack) -> u64) {
    let mut rates = STACKS.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (stack, rates) in STACKS.iter().zip(&mut rates) {
            rates.push(rate(each / ROUNDS as u32, || turn(stack)));
        }
    }
    for (stack, mut rates) in STACKS.iter().zip(rates) {
        rates.sort_by(f64::total_cmp);
        let per_second = rates[ROUNDS / 2];
        println!(
            "{}",
            json!({ "work": work, "stack": stack.name, "perSecond": per_second })
        );
    }
}

/// Messages per second of CPU time.
fn rate(at_least: Duration, turn: impl Fn() -> u64) -> f64 {
    let start = cpu::thread();
    let mut messages = 0;
    loop {
        for _ in 0..200 {
            messages += turn();
        }
        let used = cpu::thread() - start;
        if used >= at_least {
            return messages as f64 / used.as_secs_f64();
        }
    }
}

fn body(message: &[u8]) -> &[u8] {
    let head = message.windows(4).position(|four| four == b"\r\n\r\n");
    &message[head.expect("the message has a body") + 4..]
}
