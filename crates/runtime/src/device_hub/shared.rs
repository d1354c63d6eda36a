//! The open devices and who shares them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Sender;

use audio::mixer::Mixer;
use audio::{Frame, Rate};
use phone::media::StandIn;

use super::headset::is_headset;
use super::processed::{Heard, Listener};
use super::{Complaint, DeviceOrder, Standing, Wish};
use crate::audio::{DeviceFigures, DeviceGauge, LinkReader};
use crate::device::{
    Backend, Counters, DeviceEvent, DeviceId, Handle, Replacement, Selection, Speaker, Wanted,
    open_microphone, open_speaker,
};

/// One session's part of a device.
pub(super) struct Share<L> {
    link: L,
    gauge: Arc<DeviceGauge>,
    standing: Standing,
    replacement: Replacement,
}

impl<L> Share<L> {
    pub(super) fn new(link: L, gauge: Arc<DeviceGauge>, standing: Standing) -> Share<L> {
        Share {
            link,
            gauge,
            standing,
            replacement: Replacement::Never,
        }
    }

    /// Whether it has sound in this standing: the default is not heard by those who did not want it.
    fn takes(&self, standing: &Told) -> bool {
        match standing {
            Told::Open | Told::Failed(_) | Told::Nothing => true,
            Told::Replaced(_) => self.replacement != Replacement::Never,
        }
    }

    fn tell(&self, standing: &Told) {
        let said = match standing {
            Told::Nothing => return,
            Told::Open => Ok(()),
            Told::Failed(reason) => Err(Complaint::Failed(reason.clone())),
            Told::Replaced(stand_in) if self.replacement == Replacement::Never => {
                Err(Complaint::Failed(stand_in.reason.clone()))
            }
            Told::Replaced(stand_in) => Err(Complaint::Replaced(stand_in.clone())),
        };
        // Whether it is still wanted is known by its link.
        let _ = (self.standing)(said);
    }
}

/// How a device is.
enum Told {
    /// It was neither opened yet, nor could it not be.
    Nothing,
    Open,
    Failed(String),
    Replaced(StandIn),
}

/// A device and its shares.
struct Shared<D, L> {
    number: u64,
    selection: Selection,
    device: D,
    shares: Vec<Share<L>>,
    told: Told,
    /// Of those that share it the one who wants most.
    replacement: Replacement,
    /// Sound has gone through it.
    begun: bool,
    /// What is in use is known for a headset.
    headset: bool,
    counters: Arc<Counters>,
    tally: Tally,
    /// Closes the device when it is dropped.
    handle: Handle,
}

impl<D, L> Shared<D, L> {
    fn new(
        number: u64,
        selection: Selection,
        (device, handle): (D, Handle),
        counters: Arc<Counters>,
        share: Share<L>,
    ) -> Shared<D, L> {
        Shared {
            number,
            selection,
            device,
            replacement: share.replacement,
            shares: vec![share],
            told: Told::Nothing,
            begun: false,
            headset: false,
            counters,
            tally: Tally::default(),
            handle,
        }
    }

    fn join(&mut self, share: Share<L>) {
        share.tell(&self.told);
        if share.replacement > self.replacement {
            self.replacement = share.replacement;
            self.handle.set_replacement(share.replacement);
        }
        self.shares.push(share);
    }

    fn happened(&mut self, event: DeviceEvent) {
        if let DeviceEvent::Opened { name, .. } | DeviceEvent::Replaced { in_use: name, .. } =
            &event
        {
            self.headset = is_headset(name);
        }
        self.told = match event {
            DeviceEvent::Opened { .. } => Told::Open,
            // It goes on as it was.
            DeviceEvent::Moved => return,
            DeviceEvent::Busy => {
                return self
                    .shares
                    .iter()
                    .for_each(|share| share.gauge.ask_for_room());
            }
            DeviceEvent::Replaced {
                fault,
                chosen,
                in_use,
            } => Told::Replaced(StandIn {
                chosen: chosen.to_string(),
                in_use,
                reason: fault.to_string(),
            }),
            DeviceEvent::Failed { fault, .. } => Told::Failed(fault.to_string()),
        };
        for share in &self.shares {
            share.tell(&self.told);
        }
    }

    /// Passes on what the device counted in this tick. What it does before sound has gone through it is no fault.
    fn count(&mut self) {
        if !self.begun {
            return;
        }
        let figures = self.tally.take(&self.counters);
        for share in &self.shares {
            share.gauge.begin();
            share.gauge.count(figures);
        }
    }
}

/// What was counted when it was last asked.
#[derive(Default)]
struct Tally {
    seen: Option<DeviceFigures>,
    synthesizing: bool,
    dropping: bool,
}

impl Tally {
    /// The difference to the last time; nothing at first.
    fn take(&mut self, counters: &Counters) -> DeviceFigures {
        let now = read(counters);
        let seen = self.seen.replace(now).unwrap_or(now);
        let synthesized = now.synthesized - seen.synthesized;
        let dropped = now.dropped - seen.dropped;
        let begins = |is: bool, was: &mut bool| u64::from(is && !std::mem::replace(was, is));
        DeviceFigures {
            synthesized,
            synthesized_events: begins(synthesized > 0, &mut self.synthesizing),
            dropped,
            dropped_events: begins(dropped > 0, &mut self.dropping),
            xruns: now.xruns - seen.xruns,
            total: now.total - seen.total,
        }
    }
}

fn read(counters: &Counters) -> DeviceFigures {
    DeviceFigures {
        synthesized: counters.underrun.load(Relaxed),
        dropped: counters.overrun.load(Relaxed),
        xruns: counters.xruns.load(Relaxed),
        total: counters.frames.load(Relaxed),
        synthesized_events: 0,
        dropped_events: 0,
    }
}

/// All devices that are open.
pub(super) struct Devices {
    backend: Arc<dyn Backend>,
    /// Where supervisors say what happens.
    orders: Sender<DeviceOrder>,
    microphones: Vec<Shared<Heard, Listener>>,
    speakers: Vec<Shared<Speaker, LinkReader>>,
    /// Of the device that was opened last.
    number: u64,
    /// The devices that were open before.
    used: Vec<DeviceId>,
    /// What one of the speakers plays in this tick.
    mixer: Mixer,
    /// What all of them play.
    played: Mixer,
}

impl Devices {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        orders: Sender<DeviceOrder>,
        used: Vec<DeviceId>,
    ) -> Devices {
        Devices {
            backend,
            orders,
            microphones: Vec::new(),
            speakers: Vec::new(),
            number: 0,
            used,
            mixer: Mixer::new(Rate::Hz48000),
            played: Mixer::new(Rate::Hz48000),
        }
    }

    pub(super) fn take(&mut self, order: DeviceOrder) {
        match order {
            DeviceOrder::Hear(wish, share) => self.hear(wish, share),
            DeviceOrder::Play(wish, share) => self.play(wish, share),
            DeviceOrder::Happened(number, event) => self.happened(number, event),
        }
    }

    fn hear(&mut self, wish: Wish, mut share: Share<Listener>) {
        share.replacement = self.replacement(&wish);
        if let Some(known) = find(&mut self.microphones, &wish.selection) {
            return known.join(share);
        }
        let (wanted, number, events) = self.prepare(&wish, share.replacement);
        match open_microphone(Arc::clone(&self.backend), wanted, events) {
            Ok((microphone, handle)) => {
                let counters = Arc::clone(microphone.counters());
                let opened = (Heard::new(microphone), handle);
                let shared = Shared::new(number, wish.selection, opened, counters, share);
                self.microphones.push(shared);
            }
            Err(error) => share.tell(&no_thread(&error)),
        }
    }

    fn play(&mut self, wish: Wish, mut share: Share<LinkReader>) {
        share.replacement = self.replacement(&wish);
        if let Some(known) = find(&mut self.speakers, &wish.selection) {
            return known.join(share);
        }
        let (wanted, number, events) = self.prepare(&wish, share.replacement);
        match open_speaker(Arc::clone(&self.backend), wanted, events) {
            Ok(opened) => {
                let counters = Arc::clone(opened.0.counters());
                let shared = Shared::new(number, wish.selection, opened, counters, share);
                self.speakers.push(shared);
            }
            Err(error) => share.tell(&no_thread(&error)),
        }
    }

    /// A device that was open in this process and is missing was unplugged: that is no mistake.
    fn replacement(&self, wish: &Wish) -> Replacement {
        match (&wish.selection, wish.replacement) {
            (Selection::Id(id), Replacement::AfterUse) if self.used.contains(id) => {
                Replacement::AtOnce
            }
            (Selection::Id(_) | Selection::Default, replacement) => replacement,
        }
    }

    fn prepare(
        &mut self,
        wish: &Wish,
        replacement: Replacement,
    ) -> (Wanted, u64, impl FnMut(DeviceEvent) + Send + 'static) {
        self.number += 1;
        let number = self.number;
        let orders = self.orders.clone();
        let wanted = Wanted {
            selection: wish.selection.clone(),
            replacement,
        };
        let events = move |event| {
            // The hub is gone when nobody has a device any more.
            let _ = orders.send(DeviceOrder::Happened(number, event));
        };
        (wanted, number, events)
    }

    fn happened(&mut self, number: u64, event: DeviceEvent) {
        if let Some(shared) = numbered(&mut self.microphones, number) {
            remember(&mut self.used, &shared.selection, &event);
            shared.happened(event);
        } else if let Some(shared) = numbered(&mut self.speakers, number) {
            remember(&mut self.used, &shared.selection, &event);
            shared.happened(event);
        }
    }

    // Speakers first: what they play now is heard by microphones from now on.
    pub(super) fn tick(&mut self) {
        let beside_loudspeaker = self.play_tick();
        let played = self.played.all();
        let mut frame = Frame::silence(Rate::Hz48000);
        self.microphones.retain_mut(|shared| {
            shared.begun |= shared.device.microphone.tick(&mut frame);
            shared.hand_out(&frame, &played, beside_loudspeaker);
            shared.count();
            !shared.shares.is_empty()
        });
    }

    /// Lets all speakers play, and says whether a microphone may hear one of them.
    fn play_tick(&mut self) -> bool {
        let mut beside_loudspeaker = false;
        let Self { mixer, played, .. } = self;
        played.clear();
        self.speakers.retain_mut(|shared| {
            mixer.clear();
            shared.collect(mixer);
            let frame = mixer.all();
            if shared.device.tick(&frame) {
                shared.begun = true;
                played.add(&frame);
                beside_loudspeaker |= !shared.headset;
            }
            shared.count();
            !shared.shares.is_empty()
        });
        beside_loudspeaker
    }

    pub(super) fn are_all_closed(&self) -> bool {
        self.microphones.is_empty() && self.speakers.is_empty()
    }

    pub(super) fn used(&self) -> &[DeviceId] {
        &self.used
    }
}

impl Shared<Heard, Listener> {
    fn hand_out(&mut self, frame: &Frame, played: &Frame, beside_loudspeaker: bool) {
        let hands_free = beside_loudspeaker && !self.headset;
        for share in &mut self.shares {
            share.link.decide(hands_free);
        }
        if self.begun {
            let listeners = self.shares.iter().map(|share| &share.link);
            self.device.processors.process(listeners, frame, played);
        }
        let (told, begun, processors) = (&self.told, self.begun, &self.device.processors);
        let silence = Frame::silence(frame.rate());
        self.shares.retain_mut(|share| match share.takes(told) {
            // Before it has begun there is nothing to wait for at the other end.
            true if !begun => share.link.link.is_read(),
            true => {
                share.gauge.hear(frame);
                let heard = processors.heard_by(&share.link, frame);
                share.link.link.write(heard)
            }
            false => share.link.link.write(&silence),
        });
    }
}

impl Shared<Speaker, LinkReader> {
    fn collect(&mut self, mixer: &mut Mixer) {
        let (told, delay) = (&self.told, self.device.delay());
        self.shares.retain_mut(|share| {
            share.link.tell_delay(delay);
            let voice = share.link.read(Rate::Hz48000);
            if share.takes(told) {
                mixer.add(&voice);
            }
            !share.link.ended()
        });
    }
}

fn find<'a, D, L>(
    devices: &'a mut [Shared<D, L>],
    selection: &Selection,
) -> Option<&'a mut Shared<D, L>> {
    devices
        .iter_mut()
        .find(|shared| shared.selection == *selection)
}

fn numbered<D, L>(devices: &mut [Shared<D, L>], number: u64) -> Option<&mut Shared<D, L>> {
    devices.iter_mut().find(|shared| shared.number == number)
}

/// More devices than anybody plugs in; of more the oldest are forgotten.
const MOST_USED: usize = 64;

fn remember(used: &mut Vec<DeviceId>, selection: &Selection, event: &DeviceEvent) {
    let (DeviceEvent::Opened { .. }, Selection::Id(id)) = (event, selection) else {
        return;
    };
    if used.contains(id) {
        return;
    }
    if used.len() == MOST_USED {
        used.remove(0);
    }
    used.push(id.clone());
}

fn no_thread(error: &std::io::Error) -> Told {
    Told::Failed(format!("no thread for it could be started: {error}"))
}
