use super::super::OpenError;
use super::*;

struct Heard(Arc<Mutex<Vec<SourceEvent>>>);

impl Heard {
    fn take(&self) -> Vec<SourceEvent> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Of what was told the marks.
fn marks(heard: &Heard) -> Vec<SourceEvent> {
    let mut told = heard.take();
    told.retain(|event| *event != SourceEvent::Drain);
    told
}

fn source(low_water_ms: u64) -> (Source, Heard) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    let low_water = Duration::from_millis(low_water_ms);
    let source = Source::new(Rate::Hz8000, low_water, move |event| {
        told.lock().unwrap().push(event);
    });
    (source, Heard(heard))
}

fn played(id: u32, position: u64) -> SourceEvent {
    SourceEvent::Mark(ended(id, Outcome::Played, position))
}

fn ended(id: u32, outcome: Outcome, position: u64) -> Mark {
    let id = MarkId(id);
    Mark {
        id,
        outcome,
        position,
    }
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|s| s.to_le_bytes()).collect()
}

#[test]
fn an_odd_byte_waits_for_its_other_half() {
    let (mut source, _) = source(0);
    let pcm = bytes(&[1, -2, 3]);
    source.write(&pcm[..3]);
    source.write(&pcm[3..4]);
    source.write(&[]);
    source.write(&pcm[4..]);
    let mut reader = SourceReader::open(source.id()).unwrap();
    let mut out = [9; 4];
    reader.read(&mut out);
    assert_eq!(out, [1, -2, 3, 0]);
}

#[test]
fn an_odd_byte_is_dropped_with_the_rest_when_a_session_lets_go() {
    let (mut source, _) = source(0);
    let reader = SourceReader::open(source.id()).unwrap();
    source.write(&[0x7f]);
    drop(reader);
    source.write(&bytes(&[200, 201]));
    let mut reader = SourceReader::open(source.id()).unwrap();
    let mut out = [9; 3];
    reader.read(&mut out);
    assert_eq!(out, [200, 201, 0]);
}

#[test]
fn a_tick_that_finds_the_queue_taken_waits_for_nobody_and_loses_nothing() {
    let (mut source, _) = source(0);
    source.write(&bytes(&[5; 80]));
    let mut reader = SourceReader::open(source.id()).unwrap();
    let taken = lock(&source.shared.queue);
    let mut out = [9; 80];
    reader.read(&mut out);
    assert_eq!(out, [0; 80]);
    drop(taken);
    reader.read(&mut out);
    assert_eq!(out, [5; 80]);
}

#[test]
fn a_mark_is_played_after_the_tick_that_played_its_sample() {
    let (mut source, heard) = source(0);
    source.write(&bytes(&[1; 80]));
    source.mark(MarkId(7));
    let mut reader = SourceReader::open(source.id()).unwrap();
    reader.read(&mut [0; 80]);
    assert_eq!(marks(&heard), []);
    reader.read(&mut [0; 80]);
    assert_eq!(marks(&heard), [played(7, 80)]);
}

#[test]
fn clear_drops_what_waits_and_tells_its_marks() {
    let (mut source, heard) = source(0);
    let mut reader = SourceReader::open(source.id()).unwrap();
    source.write(&bytes(&[1; 800]));
    source.mark(MarkId(1));
    let mut out = [0; 80];
    reader.read(&mut out);
    let expected = Dropped {
        played: Duration::from_millis(10),
        sound: Duration::from_millis(90),
        marks: vec![ended(1, Outcome::Cleared, 80)],
    };
    assert_eq!(source.clear(), expected);
    assert_eq!(source.queued(), Duration::ZERO);
    source.write(&bytes(&[2; 80]));
    source.mark(MarkId(2));
    reader.read(&mut out);
    assert_eq!(out, [2; 80]);
    reader.read(&mut out);
    assert_eq!(marks(&heard), [played(2, 160)]);
    assert_eq!(source.queued(), Duration::ZERO);
    assert_eq!(source.clear().played, Duration::from_millis(10));
    assert_eq!(source.clear().played, Duration::ZERO);
}

#[test]
fn a_paused_source_keeps_what_waits_and_tells_what_was_reached() {
    let (mut source, heard) = source(0);
    let mut reader = SourceReader::open(source.id()).unwrap();
    source.write(&bytes(&[1; 80]));
    source.mark(MarkId(1));
    source.write(&bytes(&[2; 160]));
    let mut out = [0; 80];
    reader.read(&mut out);
    source.pause();
    for _ in 0..3 {
        reader.read(&mut out);
        assert_eq!(out, [0; 80]);
    }
    assert_eq!(marks(&heard), [played(1, 80)]);
    assert_eq!(source.queued(), Duration::from_millis(20));
    source.resume();
    reader.read(&mut out);
    assert_eq!(out, [2; 80]);
    source.pause();
    assert_eq!(source.clear().sound, Duration::from_millis(10));
}

#[test]
fn what_was_sent_and_heard_of_it_is_known_from_what_is_under_way() {
    let (mut source, _) = source(0);
    let mut reader = SourceReader::open(source.id()).unwrap();
    source.write(&bytes(&[1; 400]));
    let ms = Duration::from_millis;
    let position = |sent, heard, delay| Position { sent, heard, delay };
    // Frames of 20 ms: after every other tick half of one waits to be sent.
    let mut tick = |unsent, delay| {
        reader.read(&mut [0; 80]);
        let unsent = ms(unsent);
        reader.handed(Underway { unsent, delay });
    };
    tick(10, None);
    assert_eq!(source.position(), position(0, None, None));
    tick(0, None);
    assert_eq!(source.position(), position(160, None, None));
    let delay = Some(ms(20));
    tick(10, delay);
    assert_eq!(source.position(), position(160, Some(0), delay));
    tick(0, delay);
    assert_eq!(source.position(), position(320, Some(160), delay));
    tick(10, delay);
    tick(0, delay);
    tick(10, delay);
    tick(0, delay);
    assert_eq!(source.position(), position(400, Some(400), delay));
    drop(reader);
    assert_eq!(source.position(), position(400, Some(400), delay));
}

#[test]
fn what_never_left_the_call_that_ended_counts_as_neither_sent_nor_heard() {
    let (mut source, _) = source(0);
    let mut reader = SourceReader::open(source.id()).unwrap();
    source.write(&bytes(&[1; 400]));
    reader.read(&mut [0; 80]);
    let unsent = Duration::from_millis(10);
    let delay = Some(Duration::from_millis(50));
    reader.handed(Underway { unsent, delay });
    drop(reader);
    let position = source.position();
    assert_eq!((position.sent, position.heard), (0, Some(0)));
}

#[test]
fn marks_count_as_what_was_sent_does_whatever_earlier_calls_never_sent() {
    let (mut source, heard) = source(0);
    let ms = Duration::from_millis;
    let mut call = |unsent: &[u64]| {
        source.write(&bytes(&[1; 80]));
        assert_eq!(source.mark(MarkId(1)), None);
        source.write(&bytes(&[1; 80]));
        assert_eq!(source.mark(MarkId(2)), None);
        let mut reader = SourceReader::open(source.id()).unwrap();
        for unsent in unsent {
            reader.read(&mut [0; 80]);
            let unsent = ms(*unsent);
            reader.handed(Underway {
                unsent,
                delay: None,
            });
        }
        drop(reader);
        (source.position().sent, source.clear().played, marks(&heard))
    };
    // The packet of the second half is never full.
    let cut = SourceEvent::Mark(ended(2, Outcome::Cleared, 80));
    assert_eq!(call(&[0, 10]), (80, ms(10), vec![played(1, 80), cut]));
    assert_eq!(
        call(&[0, 0]),
        (240, ms(20), vec![played(1, 160), played(2, 240)])
    );
}

#[test]
fn a_clear_in_a_tick_never_plays_what_it_says_it_dropped() {
    let (mut source, _) = source(0);
    let mut reader = SourceReader::open(source.id()).unwrap();
    let ticking = std::thread::spawn(move || {
        let (mut loud, mut out) = (0_u64, [0; 80]);
        for _ in 0..3_000 {
            reader.read(&mut out);
            loud += out.iter().filter(|sample| **sample != 0).count() as u64;
        }
        (loud, reader)
    });
    let (mut written, mut played, mut dropped) = (0, Duration::ZERO, Duration::ZERO);
    while !ticking.is_finished() {
        source.write(&bytes(&[1; 800]));
        written += 800;
        let cleared = source.clear();
        played += cleared.played;
        dropped += cleared.sound;
    }
    let (loud, _reader) = ticking.join().unwrap();
    assert_eq!(played, Rate::Hz8000.duration_of(loud as usize));
    assert_eq!(played + dropped, Rate::Hz8000.duration_of(written));
}

#[test]
fn clear_gives_the_marks_of_a_source_that_nobody_plays() {
    let (mut source, heard) = source(0);
    source.write(&bytes(&[1; 80]));
    source.mark(MarkId(1));
    assert_eq!(source.clear().marks, [ended(1, Outcome::Cleared, 0)]);
    assert_eq!(heard.take(), []);
}

#[test]
fn drain_is_told_once_when_the_queue_falls_to_its_mark() {
    let (mut source, heard) = source(20);
    let mut reader = SourceReader::open(source.id()).unwrap();
    assert_eq!(source.write(&bytes(&[1; 320])), Duration::from_millis(40));
    let mut out = [0; 80];
    reader.read(&mut out);
    assert_eq!(heard.take(), []);
    reader.read(&mut out);
    assert_eq!(heard.take(), [SourceEvent::Drain]);
    reader.read(&mut out);
    assert_eq!(heard.take(), []);
}

#[test]
fn a_source_feeds_one_session_at_a_time() {
    let (source, _) = source(0);
    let first = SourceReader::open(source.id()).unwrap();
    assert!(matches!(
        SourceReader::open(source.id()),
        Err(OpenError::SourceBusy(_))
    ));
    drop(first);
    assert!(SourceReader::open(source.id()).is_ok());
    let id = source.id();
    drop(source);
    assert!(matches!(
        SourceReader::open(id),
        Err(OpenError::NoSource(_))
    ));
}

#[test]
fn whoever_keeps_it_from_being_collected_knows_whether_a_session_has_it() {
    let (source, _) = source(0);
    let has = || (source.is_held(), source.was_held());
    assert_eq!(has(), (false, false));
    let reader = SourceReader::open(source.id()).unwrap();
    assert_eq!(has(), (true, true));
    drop(reader);
    assert_eq!(has(), (false, true));
    source.expect_reader();
    assert_eq!(has(), (false, false));
}

#[test]
fn what_is_written_before_a_session_plays_it_waits_with_its_mark() {
    let (mut source, heard) = source(0);
    source.write(&bytes(&[5; 80]));
    source.mark(MarkId(1));
    assert_eq!(heard.take(), []);
    let mut reader = SourceReader::open(source.id()).unwrap();
    let mut out = [0; 80];
    reader.read(&mut out);
    reader.read(&mut [0; 80]);
    assert_eq!(out, [5; 80]);
    assert_eq!(marks(&heard), [played(1, 80)]);
}

#[test]
fn what_a_session_leaves_is_dropped_with_its_marks() {
    let (mut source, heard) = source(0);
    let mut reader = SourceReader::open(source.id()).unwrap();
    source.write(&bytes(&[1; 80]));
    source.mark(MarkId(1));
    source.write(&bytes(&[2; 160]));
    source.mark(MarkId(2));
    reader.read(&mut [0; 80]);
    reader.handed(Underway::default());
    assert_eq!(heard.take(), []);
    drop(reader.lease());
    let cleared = SourceEvent::Mark(ended(2, Outcome::Cleared, 80));
    assert_eq!(heard.take(), [played(1, 80), cleared, SourceEvent::Drain]);
    assert_eq!(source.queued(), Duration::ZERO);

    let mut out = [9; 80];
    source.write(&bytes(&[3; 80]));
    reader.read(&mut out);
    assert_eq!(out, [0; 80], "who let go hears nothing more");
    let mut next = SourceReader::open(source.id()).unwrap();
    drop(reader);
    next.read(&mut out);
    assert_eq!(out, [3; 80]);
}

#[test]
fn a_mark_behind_nothing_that_waits_is_told_at_once() {
    let (mut source, heard) = source(0);
    let reached = |id, position| Some(ended(id, Outcome::Played, position));
    assert_eq!(source.mark(MarkId(1)), reached(1, 0));
    source.write(&bytes(&[1; 80]));
    assert_eq!(source.mark(MarkId(9)), None);
    source.clear();
    let cleared = Some(ended(2, Outcome::Cleared, 0));
    assert_eq!(source.mark(MarkId(2)), cleared);

    source.write(&bytes(&[1; 80]));
    let mut reader = SourceReader::open(source.id()).unwrap();
    reader.read(&mut [0; 80]);
    reader.handed(Underway::default());
    source.clear();
    drop(reader);
    assert_eq!(source.mark(MarkId(3)), reached(3, 80));
    assert_eq!(heard.take(), [SourceEvent::Drain]);
}
