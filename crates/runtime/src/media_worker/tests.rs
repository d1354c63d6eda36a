//! The worker's own conduct, with an engine that only notes what it is given.

mod notes;

use std::net::IpAddr;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use audio::detect::is_tone;
use audio::{Frame, Rate};
use media::Thrift;
use media::transport::Silence;
use mio::Events;
use phone::video::VideoContent;
use phone::{MediaEvent, SessionId, StreamCommand, Ticket};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use video::VideoCodec;

use super::load::Gauge;
use super::order::{Key, Message};
use super::worker::Worker;
use super::{EngineConfig, Handle, KeyFrameWish, News, Order, Pool, Spec, What, engine};
use crate::audio::{Input, Member, Output, Sink, SinkGroup, SinkWriter, Tone, link};
use crate::video::{VideoReader, VideoSource, VideoSourceEvent, link as link_video};
use notes::{Noted, host, host_slow, noting, spec};

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn datagrams_go_from_one_session_to_another() {
    let (one, other) = (host(None), host(None));
    let offer = format!("{} hello", other.address).into();
    one.media(StreamCommand::Answer { offer });
    assert_eq!(other.next(), Noted::Datagram(b"hello".to_vec()));
}

#[test]
fn a_session_whose_address_is_gone_gets_sockets_on_those_that_there_are() {
    let (session, other) = (host(None), host(None));
    // Nothing is taken away if nothing can be bound.
    session
        .handle
        .send(Order::Addresses(Vec::new(), Silence::IsWaitedOut));
    let here: IpAddr = "127.0.0.1".parse().unwrap();
    session
        .handle
        .send(Order::Addresses(vec![here], Silence::IsWaitedOut));
    let Noted::Bound(address) = session.next() else {
        panic!("it needs other sockets");
    };
    assert_ne!(address, session.address);
    let offer = format!("{address} hello").into();
    other.media(StreamCommand::Answer { offer });
    assert_eq!(session.next(), Noted::Datagram(b"hello".to_vec()));
    // It is where it should be now.
    session
        .handle
        .send(Order::Addresses(vec![here], Silence::IsWaitedOut));
    session.media(StreamCommand::Rollback);
    assert_eq!(session.next(), Noted::Command(StreamCommand::Rollback));
}

#[test]
fn a_session_whose_packets_may_take_another_way_tells_it_and_no_other_does() {
    for rerouted in [false, true] {
        let mut session = host(None);
        let all = vec!["127.0.0.1".parse().unwrap()];
        session.handle.send(Order::Network { all, rerouted });
        // Without a path nothing is known but the way out.
        session.media(StreamCommand::Rollback);
        while session.next() != Noted::Command(StreamCommand::Rollback) {}
        let told = session.news.try_recv().map(|news| news.what);
        let is_told = matches!(told, Ok(What::Media(MediaEvent::Rerouted)));
        assert_eq!(is_told, rerouted);
    }
}

#[test]
fn a_session_is_woken_at_its_deadline() {
    let session = host(None);
    session.media(StreamCommand::Rollback);
    assert_eq!(session.next(), Noted::Command(StreamCommand::Rollback));
    assert_eq!(session.next(), Noted::Timeout);
}

#[test]
fn a_session_ticks_every_10_ms_once_it_needs_to() {
    let session = host(None);
    session.media(StreamCommand::Offer);
    assert_eq!(session.next(), Noted::Command(StreamCommand::Offer));
    let first = session.captured();
    let second = session.captured();
    assert_eq!(
        first, second,
        "a frame of 20 ms does not wait for the clock"
    );
    let begun = session.captured();
    for _ in 0..9 {
        session.captured();
    }
    assert!(session.captured() > begun + Duration::from_millis(80));
}

#[test]
fn what_was_said_while_a_call_was_on_hold_is_not_heard_after_it() {
    let session = host(None);
    let (mut writer, reader) = link();
    session.handle.send(Order::SetInput(Input::Link(reader)));
    session.media(StreamCommand::Offer);
    session.handle.send(Order::Hold(Input::Silence));
    session.media(StreamCommand::Rollback);
    while session.next() != Noted::Command(StreamCommand::Rollback) {}
    let secret = Frame::new(Rate::Hz16000, &[1_000; 160]).unwrap();
    for _ in 0..8 {
        writer.write(&secret);
    }
    session.handle.send(Order::Resume);
    let mut ticks = 0;
    while ticks < 20 {
        if let Noted::Captured(_, loudest) = session.next() {
            assert_eq!(loudest, 0, "tick {ticks}");
            ticks += 1;
        }
    }
    writer.write(&secret);
    while !matches!(session.next(), Noted::Captured(_, 1_000)) {}
}

#[test]
fn a_tone_is_heard_before_sound_flows_and_takes_nothing_from_the_input() {
    let (wake, woken) = mpsc::channel();
    let group = SinkGroup::new(move || {
        let _ = wake.send(());
    });
    let sink = Sink::new(Rate::Hz16000, Duration::from_secs(1), Arc::clone(&group));
    let session = host(None);
    let output = Output::Sink(SinkWriter::open(sink.id()).unwrap());
    session.handle.send(Order::SetOutput(output));
    let tone = audio::tone::Sequence::sine(400.0, -16.0, None);
    session.handle.send(Order::Tone(Some(tone)));
    while !hears(&sink, 400.0) {
        woken.recv_timeout(PATIENCE).unwrap();
        group.woken();
    }
    session.media(StreamCommand::Offer);
    assert_eq!(session.next(), Noted::Command(StreamCommand::Offer));
    let (first, second) = (session.captured(), session.captured());
    assert_eq!(first, second, "sound begins at once although it ticked");
    session.handle.send(Order::Tone(None));
    let silent = |frame: Vec<u8>| frame.iter().all(|byte| *byte == 0);
    while !std::iter::from_fn(|| sink.read()).any(|frame| silent(frame.to_vec())) {
        woken.recv_timeout(PATIENCE).unwrap();
        group.woken();
    }
}

#[test]
fn levels_come_while_they_are_wanted() {
    let mut session = host(None);
    let input = Input::Tone(Tone::sine(400.0, -6.0));
    session.handle.send(Order::SetInput(input));
    session.media(StreamCommand::Offer);
    session.handle.send(Order::Measure(true));
    for _ in 0..3 {
        let [near, far] = session.level();
        assert!((0.3..0.4).contains(&near) && far == 0.0, "{near}, {far}");
    }
    session.handle.send(Order::Measure(false));
    session.media(StreamCommand::Rollback);
    while session.next() != Noted::Command(StreamCommand::Rollback) {}
    while session.news.try_recv().is_ok() {}
    for _ in 0..25 {
        while !matches!(session.next(), Noted::Captured(..)) {}
    }
    let later = std::iter::from_fn(|| session.news.try_recv().ok());
    assert!(
        !later
            .map(|news| news.what)
            .any(|what| matches!(what, What::Level(_)))
    );
}

#[test]
fn datagrams_and_orders_come_in_between_ticks_that_take_longer_than_a_tick() {
    const SLOW: u32 = 100;
    let session = host_slow(None, SLOW);
    session.media(StreamCommand::Offer);
    assert_eq!(session.next(), Noted::Command(StreamCommand::Offer));
    session.captured();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"hello", session.address).unwrap();
    session.media(StreamCommand::Rollback);
    let (mut ticks, mut datagrams, mut orders) = (0, 0, 0);
    while datagrams == 0 || orders == 0 {
        match session.next() {
            Noted::Captured(..) => ticks += 1,
            Noted::Datagram(_) => datagrams += 1,
            Noted::Command(_) => orders += 1,
            Noted::Bound(_)
            | Noted::Timeout
            | Noted::Closed
            | Noted::Thrift(_)
            | Noted::Frame(..)
            | Noted::BegunAnew(_)
            | Noted::KeyFrame(_) => {}
        }
    }
    assert!(ticks < SLOW / 2, "{ticks} ticks came first");
}

#[test]
fn pictures_are_sent_on_the_tick_and_wished_for_there() {
    let (source, told) = {
        let (tell, told) = mpsc::channel();
        let tell = move |event| {
            let _ = tell.send(event);
        };
        (VideoSource::new(Vec::new(), tell), told)
    };
    let mut session = host(None);
    let reader = VideoReader::open(source.id()).unwrap();
    let order = Order::Show(VideoContent::Camera, Some(reader));
    session.handle.send(order);
    let wishes = Vec::new();
    session.media(StreamCommand::WishVideo { wishes });
    session.media(StreamCommand::Offer);
    let active = VideoSourceEvent::Active(Some(VideoCodec::Vp8));
    while told.recv_timeout(PATIENCE).unwrap() != active {}
    let what = session.news.blocking_recv().unwrap().what;
    assert!(matches!(what, What::Media(MediaEvent::Lines { .. })));

    let wish = KeyFrameWish::default();
    let wisher = wish.clone();
    let (writer, seen) = link_video(Arc::new(move || wisher.wish()));
    session.handle.send(Order::Forward(1, writer, wish));
    seen.want_key_frame();
    // The tag of a VP8 key frame of 16 by 16 pixels (RFC 6386 §9.1).
    let key = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0];
    let micros = Duration::from_micros(5);
    assert!(source.write(VideoCodec::Vp8, micros, &key).unwrap());
    let (mut begun, mut shown, mut asked) = (false, false, false);
    while !(begun && shown && asked) {
        let noted = session.next();
        begun |= noted == Noted::BegunAnew(VideoContent::Camera);
        shown |= noted == Noted::Frame(VideoContent::Camera, 5);
        asked |= noted == Noted::KeyFrame(1);
    }
}

#[test]
fn a_frame_is_sent_when_it_comes_and_does_not_wait_for_a_tick() {
    let (messages, inbox) = mpsc::channel();
    let post = (messages.clone(), inbox);
    let (mut worker, _waker) = Worker::new(post, Instant::now(), Arc::default()).unwrap();
    let (tell, _news) = unbounded_channel();
    let (note, noted) = mpsc::channel();
    let source = VideoSource::new(Vec::new(), |_| ());
    let reader = VideoReader::open(source.id()).unwrap();
    let wishes = Vec::new();
    let orders = [
        Order::Show(VideoContent::Camera, Some(reader)),
        Order::Media(StreamCommand::WishVideo { wishes }),
        Order::Media(StreamCommand::Offer),
    ];
    messages
        .send(Message::Host(Key(1), noting(&tell, note)))
        .unwrap();
    for order in orders {
        let order = Message::Order(Key(1), Box::new(order));
        messages.send(order).unwrap();
        // One a turn, however little time there is.
        worker.take_messages();
    }
    worker.take_messages();
    let key = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0];
    let micros = Duration::from_micros(5);
    assert!(source.write(VideoCodec::Vp8, micros, &key).unwrap());
    worker.take_messages();
    worker.run_pictures();
    let shown = Noted::Frame(VideoContent::Camera, 5);
    assert!(noted.try_iter().any(|noted| noted == shown));
}

#[test]
fn dropping_the_handle_closes_the_session() {
    let session = host(None);
    drop(session.handle);
    let next = session.noted.recv_timeout(PATIENCE).unwrap();
    assert_eq!(next, Noted::Closed);
    assert!(
        session.noted.recv_timeout(PATIENCE).is_err(),
        "the engine is gone"
    );
}

fn call_leg(id: u128, input: Input, output: Output) -> (Handle, UnboundedReceiver<News>) {
    let options = serde_json::json!({ "uri": "sip:a@b.test", "servers": "ws://127.0.0.1:1" });
    let config = phone::Config::from_json(&options).unwrap();
    let (tell, news) = unbounded_channel();
    let handle = Pool::shared().unwrap().host(Spec {
        id: SessionId::from_random(id),
        addresses: vec!["127.0.0.1".parse().unwrap()],
        ports: None,
        build: engine(Arc::new(EngineConfig::new(&config)), Vec::new(), Vec::new()),
        news: tell,
    });
    handle.send(Order::SetInput(input));
    handle.send(Order::SetOutput(output));
    (handle, news)
}

fn described(news: &mut UnboundedReceiver<News>) -> phone::Sdp {
    loop {
        if let What::Media(MediaEvent::Described { sdp }) = news.blocking_recv().unwrap().what {
            return sdp;
        }
    }
}

#[test]
fn two_sessions_exchange_tones_over_loopback() {
    let (wake, woken) = mpsc::channel();
    let group = SinkGroup::new(move || {
        let _ = wake.send(());
    });
    let sink = || Sink::new(Rate::Hz16000, Duration::from_secs(1), Arc::clone(&group));
    let (at_caller, at_callee) = (sink(), sink());
    let output = |sink: &Sink| Output::Sink(SinkWriter::open(sink.id()).unwrap());
    let low = Input::Tone(Tone::sine(600.0, -12.0));
    let high = Input::Tone(Tone::sine(1_500.0, -12.0));
    let (caller, mut callers_news) = call_leg(1, low, output(&at_caller));
    let (callee, mut callees_news) = call_leg(2, high, output(&at_callee));

    caller.send(Order::Media(StreamCommand::Offer));
    let offer = described(&mut callers_news);
    callee.send(Order::Media(StreamCommand::Answer { offer }));
    let sdp = described(&mut callees_news);
    let provisional = false;
    caller.send(Order::Media(StreamCommand::SetAnswer { sdp, provisional }));

    let (mut caller_hears, mut callee_hears) = (false, false);
    while !(caller_hears && callee_hears) {
        woken.recv_timeout(PATIENCE).unwrap();
        group.woken();
        caller_hears |= hears(&at_caller, 1_500.0);
        callee_hears |= hears(&at_callee, 600.0);
    }
}

fn hears(sink: &Sink, hz: f64) -> bool {
    std::iter::from_fn(|| sink.read()).any(|frame| {
        let (pairs, _) = frame.as_chunks::<2>();
        let samples: Vec<i16> = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
        is_tone(&samples, Rate::Hz16000, hz)
    })
}

#[test]
fn a_conference_ticks_by_itself_and_who_left_is_heard_no_more() {
    let (wake, woken) = mpsc::channel();
    let group = SinkGroup::new(move || {
        let _ = wake.send(());
    });
    let conference = Pool::shared().unwrap().conference();
    let join = |hz| {
        let sink = Sink::new(Rate::Hz16000, Duration::from_secs(1), Arc::clone(&group));
        let output = Output::Sink(SinkWriter::open(sink.id()).unwrap());
        let input = Input::Tone(Tone::sine(hz, -12.0));
        let member = Member::new(None, input, output, Box::new(|_| true));
        (Arc::clone(&conference).join(member), sink)
    };
    let (_low, at_low) = join(600.0);
    let (high, at_high) = join(1_500.0);
    let until = |heard: &dyn Fn() -> bool| {
        while !heard() {
            woken.recv_timeout(PATIENCE).unwrap();
            group.woken();
        }
    };
    until(&|| hears(&at_low, 1_500.0));
    until(&|| hears(&at_high, 600.0));
    drop(high);
    until(&|| {
        std::iter::from_fn(|| at_low.read()).any(|frame| frame.iter().all(|byte| *byte == 0))
    });
}

#[test]
fn a_conference_that_breaks_tells_its_members() {
    let conference = Pool::shared().unwrap().conference();
    let (tell, told) = mpsc::channel();
    let trouble = Box::new(move |reason| tell.send(reason).is_ok());
    let well = Member::new(None, Input::Silence, Output::Nowhere, trouble);
    let _well = Arc::clone(&conference).join(well);
    let broken = Member::new(None, Input::Broken, Output::Nowhere, Box::new(|_| true));
    let _broken = conference.join(broken);
    let reason = told.recv_timeout(PATIENCE).unwrap();
    assert!(reason.contains("on purpose"), "{reason}");
}

#[test]
fn a_panic_ends_its_own_session_and_no_other() {
    let mut broken = host(Some(StreamCommand::Rollback));
    let healthy: Vec<_> = (0..4).map(|_| host(None)).collect();
    broken.media(StreamCommand::Rollback);
    assert_eq!(broken.crash(), "broken on purpose");
    for session in &healthy {
        session.media(StreamCommand::Rollback);
        assert_eq!(session.next(), Noted::Command(StreamCommand::Rollback));
    }
}

#[test]
fn a_broken_input_ends_its_own_session() {
    let mut session = host(None);
    session.handle.send(Order::SetInput(Input::Broken));
    session.media(StreamCommand::Offer);
    assert!(session.crash().contains("on purpose"));
}

#[test]
fn a_report_comes_back_with_its_ticket() {
    let mut session = host(None);
    let report = session.report(Ticket(9));
    assert_eq!(report, Some(serde_json::json!(["figures"])));
}

#[test]
fn a_session_that_broke_reports_nothing_but_does_answer() {
    let mut session = host(Some(StreamCommand::Rollback));
    session.media(StreamCommand::Rollback);
    session.crash();
    assert_eq!(session.report(Ticket(9)), None);
}

#[test]
fn a_session_that_can_not_be_made_is_refused_with_the_reason() {
    let (tell, mut news) = unbounded_channel();
    let _handle = Pool::shared().unwrap().host(Spec {
        id: SessionId::from_random(7),
        addresses: vec!["192.0.2.1".parse().unwrap()],
        ports: None,
        build: Box::new(|_, _| panic!("never asked: the address is not ours")),
        news: tell,
    });
    let what = news.blocking_recv().unwrap().what;
    let What::Media(MediaEvent::Refused { reason, .. }) = what else {
        panic!("{what:?}");
    };
    assert!(reason.contains("no UDP socket"), "{reason}");
}

#[test]
fn a_media_thread_that_breaks_tells_the_sessions_it_has_and_those_it_was_to_have() {
    let (messages, inbox) = mpsc::channel();
    let (mut worker, _waker) =
        Worker::new((messages.clone(), inbox), Instant::now(), Arc::default()).unwrap();
    let (tell, mut news) = unbounded_channel();
    messages.send(Message::Host(Key(1), spec(&tell))).unwrap();
    worker.take_messages();
    messages.send(Message::Host(Key(2), spec(&tell))).unwrap();
    worker.break_off("out of descriptors");
    let crashed = MediaEvent::Crashed {
        reason: "out of descriptors".to_owned(),
    };
    let refused = MediaEvent::Refused {
        refusal: phone::media::MediaRefusal::Unavailable,
        reason: "out of descriptors".to_owned(),
    };
    for expected in [crashed, refused] {
        let What::Media(told) = news.try_recv().unwrap().what else {
            panic!("{expected:?} was expected");
        };
        assert_eq!(told, expected);
    }
}

/// The sessions of a thread that has more to do than time leave out what they can, those that come later as well; when
/// nothing sounds any more, nothing is left out and there is room again.
#[test]
fn what_a_media_thread_measures_decides_what_its_sessions_leave_out_and_who_may_join() {
    let (messages, inbox) = mpsc::channel();
    let gauge = Arc::new(Gauge::default());
    let begin = Instant::now();
    let (mut worker, _waker) =
        Worker::new((messages.clone(), inbox), begin, Arc::clone(&gauge)).unwrap();
    let (tell, _news) = unbounded_channel();
    let (note, noted) = mpsc::channel();
    let host = |key| {
        let spec = noting(&tell, note.clone());
        messages.send(Message::Host(key, spec)).unwrap();
    };
    let order = |order| {
        let order = Message::Order(Key(1), Box::new(order));
        messages.send(order).unwrap();
    };
    host(Key(1));
    worker.take_messages();
    let idle = begin + Duration::from_secs(1);
    worker.measure(begin, idle, || Duration::from_millis(900));
    assert_eq!(gauge.load(), 0.0, "setting up is no sound");

    let later = idle + Duration::from_secs(1);
    assert_eq!(worker.awake_since(later), later);
    order(Order::Media(StreamCommand::Offer));
    worker.take_messages();
    assert!(worker.awake_since(later) < later, "a tick was due");
    worker.measure(idle, later, || Duration::from_millis(1_800));
    assert!(gauge.load() < 0.1, "one second alone: {gauge:?}");
    let (before, later) = (later, later + Duration::from_secs(1));
    worker.measure(before, later, || Duration::from_millis(2_700));
    assert!(gauge.load() > 0.98, "{gauge:?}");
    host(Key(2));
    worker.take_messages();
    let thrifts = || {
        let mut thrifts = Vec::new();
        while let Ok(noted) = noted.try_recv() {
            if let Noted::Thrift(thrift) = noted {
                thrifts.push(thrift);
            }
        }
        thrifts
    };
    assert_eq!(thrifts(), [Thrift::Plain, Thrift::Bare, Thrift::Bare]);

    order(Order::Close);
    worker.take_messages();
    worker.measure(later, later, || Duration::from_millis(2_700));
    assert_eq!(gauge.load(), 0.0);
    assert_eq!(thrifts(), [Thrift::None]);
}

/// Anybody may send to a port: 32 datagrams a tick are read, however many there are and however often it is said.
#[test]
fn a_flood_of_one_port_is_read_in_turns_and_does_not_take_the_threads_time() {
    let (messages, inbox) = mpsc::channel();
    let (mut worker, _waker) =
        Worker::new((messages.clone(), inbox), Instant::now(), Arc::default()).unwrap();
    let (tell, _news) = unbounded_channel();
    let (note, noted) = mpsc::channel();
    messages
        .send(Message::Host(Key(1), noting(&tell, note.clone())))
        .unwrap();
    worker.take_messages();
    let Ok(Noted::Bound(address)) = noted.try_recv() else {
        panic!("binding comes first");
    };
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut events = Events::with_capacity(8);
    let begin = Instant::now();
    let mut read = 0;
    let mut read_at = |ms: u64| {
        socket.send_to(b"more", address).unwrap();
        worker.wait(&mut events).unwrap();
        worker.read_sockets(begin + Duration::from_millis(ms));
        let datagram = |noted: &Noted| matches!(noted, Noted::Datagram(_));
        read += noted.try_iter().filter(datagram).count();
        read
    };
    for _ in 0..90 {
        socket.send_to(b"flood", address).unwrap();
    }
    assert_eq!(read_at(0), 32);
    assert_eq!(read_at(5), 32);
    assert_eq!(read_at(9), 32);
    assert_eq!(read_at(10), 64);
    assert_eq!(read_at(20), 95, "that is all");
}

#[test]
fn a_flood_of_a_call_with_pictures_is_read_as_a_burst_once_and_then_as_fast_as_pictures_come() {
    let (messages, inbox) = mpsc::channel();
    let (mut worker, _waker) =
        Worker::new((messages.clone(), inbox), Instant::now(), Arc::default()).unwrap();
    let (tell, _news) = unbounded_channel();
    let (note, noted) = mpsc::channel();
    let wishes = Vec::new();
    let agree = Order::Media(StreamCommand::WishVideo { wishes });
    for message in [
        Message::Host(Key(1), noting(&tell, note)),
        Message::Order(Key(1), Box::new(agree)),
    ] {
        messages.send(message).unwrap();
    }
    worker.take_messages();
    let Ok(Noted::Bound(address)) = noted.try_recv() else {
        panic!("binding comes first");
    };
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let begin = Instant::now();
    let mut events = Events::with_capacity(8);
    let mut read_at = |ms: u64| {
        for _ in 0..600 {
            socket.send_to(b"flood", address).unwrap();
        }
        worker.wait(&mut events).unwrap();
        worker.read_sockets(begin + Duration::from_millis(ms));
        let datagram = |noted: &Noted| matches!(noted, Noted::Datagram(_));
        noted.try_iter().filter(datagram).count()
    };
    let read = [0, 10, 20, 30, 1_000].map(&mut read_at);
    assert_eq!(read, [512, 64, 64, 64, 512]);
}

/// Sound has no socket of its own: what stands before it is read in the same tick.
#[test]
fn sound_behind_a_burst_of_pictures_does_not_wait_for_the_next_tick() {
    let (messages, inbox) = mpsc::channel();
    let (mut worker, _waker) =
        Worker::new((messages.clone(), inbox), Instant::now(), Arc::default()).unwrap();
    let (tell, _news) = unbounded_channel();
    let (note, noted) = mpsc::channel();
    let wishes = Vec::new();
    let agree = Order::Media(StreamCommand::WishVideo { wishes });
    for message in [
        Message::Host(Key(1), noting(&tell, note)),
        Message::Order(Key(1), Box::new(agree)),
    ] {
        messages.send(message).unwrap();
    }
    worker.take_messages();
    let Ok(Noted::Bound(address)) = noted.try_recv() else {
        panic!("binding comes first");
    };
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..300 {
        socket.send_to(b"picture", address).unwrap();
    }
    socket.send_to(b"sound", address).unwrap();
    worker.wait(&mut Events::with_capacity(8)).unwrap();
    worker.read_sockets(Instant::now());
    let read: Vec<Noted> = noted.try_iter().collect();
    assert_eq!(read.last(), Some(&Noted::Datagram(b"sound".to_vec())));
}
