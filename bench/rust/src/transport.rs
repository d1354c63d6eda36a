//! Calls without a codec: ICE, DTLS-SRTP and RTP of both legs over UDP on loopback, one thread, one socket a leg.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use std::{io, thread};

use media::transport::{
    Certificate, Config, Description, LocalParameters, Output, PathId, RemoteDtls, RemoteIce, RemoteKeying, RemoteParameters, RemotePath, Role,
    RtpOut, State, StreamId, Transport,
};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

use crate::figures::Meter;

pub const TICK: Duration = Duration::from_millis(10);
/// 20 ms of Opus at 32 kbit/s.
pub const PAYLOAD: [u8; 80] = [0x5a; 80];
pub const SET_UP: Duration = Duration::from_secs(60);
/// What is on its way when the measurement ends has this long to arrive.
pub const GRACE: Duration = Duration::from_millis(300);

struct Leg {
    transport: Transport,
    socket: UdpSocket,
    deadline: Option<Instant>,
    timestamp: u32,
    sent: u64,
    received: u64,
}

struct Calls {
    poll: Poll,
    legs: Vec<Leg>,
    deadlines: BinaryHeap<Reverse<(Instant, usize)>>,
    buffer: Vec<u8>,
    late: u64,
}

pub fn run(calls: usize, duration: Duration) -> Result<(), Box<dyn Error>> {
    let certificate = Certificate::generate()?;
    let mut events = Events::with_capacity(256);
    // What any process needs is not a call's.
    Calls::new(1, &certificate)?.connect(&mut events)?;
    let meter = Meter::start(calls);
    let mut all = Calls::new(calls, &certificate)?;
    all.connect(&mut events)?;
    let set_up = meter.set_up();
    all.talk(Duration::from_secs(1), &mut events)?;
    all.forget_figures();

    let stretch = meter.measure(set_up);
    all.talk(duration, &mut events)?;
    let figures = stretch.end();
    let late = all.late;
    all.until(Instant::now() + GRACE, &mut events, |_| false)?;

    let sent = all.legs.iter().map(|leg| leg.sent).sum();
    let received = all.legs.iter().map(|leg| leg.received).sum();
    figures.print(sent, received, late);
    Ok(())
}

impl Calls {
    fn new(calls: usize, certificate: &Certificate) -> Result<Self, Box<dyn Error>> {
        let mut all = Self {
            poll: Poll::new()?,
            legs: Vec::with_capacity(2 * calls),
            deadlines: BinaryHeap::new(),
            buffer: vec![0; 2048],
            late: 0,
        };
        for _ in 0..calls {
            all.add(Role::Controlling, certificate)?;
            all.add(Role::Controlled, certificate)?;
        }
        Ok(all)
    }

    fn add(&mut self, role: Role, certificate: &Certificate) -> Result<(), Box<dyn Error>> {
        let index = self.legs.len();
        let mut socket = UdpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let interest = Interest::READABLE;
        self.poll
            .registry()
            .register(&mut socket, Token(index), interest)?;
        let sockets = vec![socket.local_addr()?];
        let config = Config::new(sockets, role, certificate.clone(), 0x1000 + index as u32);
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(index as u64).to_le_bytes());
        let transport = Transport::new(config, seed, Instant::now())?;
        self.legs.push(Leg {
            transport,
            socket,
            deadline: None,
            timestamp: 0,
            sent: 0,
            received: 0,
        });
        self.drain(index);
        Ok(())
    }

    fn connect(&mut self, events: &mut Events) -> Result<(), Box<dyn Error>> {
        for offerer in (0..self.legs.len()).step_by(2) {
            self.describe(offerer, offerer + 1, Description::Offer)?;
            self.describe(offerer + 1, offerer, Description::Answer)?;
            // As calls come: one after the other, not all flights in one burst.
            self.until(Instant::now() + Duration::from_millis(1), events, |_| false)?;
        }
        let connected = |all: &Self| {
            let state = |leg: &Leg| leg.transport.state();
            all.legs.iter().all(|leg| state(leg) == State::Connected)
        };
        self.until(Instant::now() + SET_UP, events, connected)?;
        if connected(self) {
            Ok(())
        } else {
            Err("not every call was connected".into())
        }
    }

    fn describe(
        &mut self,
        from: usize,
        to: usize,
        description: Description,
    ) -> Result<(), Box<dyn Error>> {
        let parameters = remote(self.legs[from].transport.local(), description);
        self.legs[to]
            .transport
            .set_remote(parameters, Instant::now())?;
        self.drain(to);
        Ok(())
    }

    /// Sends a packet each 20 ms on every leg; half of the calls on even ticks, half on odd ones.
    fn talk(&mut self, duration: Duration, events: &mut Events) -> io::Result<()> {
        let start = Instant::now();
        let ticks = (duration.as_millis() / TICK.as_millis()) as u32;
        for tick in 0..ticks {
            let due = start + TICK * tick;
            self.until(due, events, |_| false)?;
            let behind = Instant::now() - due;
            self.late += u64::from(behind > TICK);
            for index in 0..self.legs.len() {
                if (index / 2 + tick as usize) % 2 == 0 {
                    self.send(index);
                }
            }
        }
        self.until(start + TICK * ticks, events, |_| false)
    }

    fn send(&mut self, index: usize) {
        let leg = &mut self.legs[index];
        leg.timestamp = leg.timestamp.wrapping_add(960);
        let packet = RtpOut {
            pt: 111,
            timestamp: leg.timestamp,
            marker: false,
            extensions: &[],
            payload: &PAYLOAD,
        };
        let sent = leg
            .transport
            .send_rtp(StreamId::AUDIO, packet, Instant::now());
        leg.sent += u64::from(sent.is_ok());
        self.drain(index);
    }

    fn until(
        &mut self,
        end: Instant,
        events: &mut Events,
        done: impl Fn(&Self) -> bool,
    ) -> io::Result<()> {
        loop {
            let now = Instant::now();
            self.run_deadlines(now);
            if now >= end || done(self) {
                return Ok(());
            }
            let next = self
                .deadlines
                .peek()
                .map_or(end, |Reverse((at, _))| end.min(*at));
            let wait = next.saturating_duration_since(now);
            if wait < Duration::from_millis(1) {
                // epoll counts in milliseconds and rounds up.
                thread::sleep(wait);
                self.poll.poll(events, Some(Duration::ZERO))?;
            } else {
                self.poll.poll(events, Some(wait))?;
            }
            for event in events.iter() {
                self.receive(event.token().0);
            }
        }
    }

    fn run_deadlines(&mut self, now: Instant) {
        while let Some(&Reverse((at, index))) = self.deadlines.peek()
            && at <= now
        {
            self.deadlines.pop();
            if self.legs[index].deadline == Some(at) {
                self.legs[index].transport.handle_timeout(now);
                self.drain(index);
            }
        }
    }

    fn receive(&mut self, index: usize) {
        loop {
            let leg = &mut self.legs[index];
            let Ok((length, from)) = leg.socket.recv_from(&mut self.buffer) else {
                return;
            };
            let datagram = &self.buffer[..length];
            leg.transport
                .handle_datagram(PathId(0), from, datagram, Instant::now());
            self.drain(index);
        }
    }

    fn drain(&mut self, index: usize) {
        let leg = &mut self.legs[index];
        loop {
            match leg.transport.poll_output() {
                Output::Transmit(transmit) => {
                    let _ = leg.socket.send_to(&transmit.bytes, transmit.to);
                }
                Output::Rtp(_) => leg.received += 1,
                Output::Timeout(at, _) => {
                    if leg.deadline != Some(at) {
                        leg.deadline = Some(at);
                        self.deadlines.push(Reverse((at, index)));
                    }
                    return;
                }
                Output::Rtcp(_)
                | Output::State(_)
                | Output::Captured(_)
                | Output::LocalCandidate(_)
                | Output::EndOfCandidates
                | Output::SelectedPath(_)
                | Output::ServerFault(..)
                | Output::Way(..)
                | Output::Resolve(_)
                // No server here is reached by a stream.
                | Output::Connect(..)
                | Output::Send(..)
                | Output::Disconnect(_) => {}
            }
        }
    }

    fn forget_figures(&mut self) {
        self.late = 0;
    }
}

fn remote(local: LocalParameters, description: Description) -> RemoteParameters {
    RemoteParameters {
        description,
        keying: RemoteKeying::Dtls(RemoteDtls {
            fingerprints: local.fingerprints,
            setup: local.setup,
        }),
        path: RemotePath::Ice(RemoteIce {
            ufrag: local.ufrag,
            pwd: local.pwd,
            candidates: local.candidates,
            named: Vec::new(),
            lite: false,
            end_of_candidates: true,
        }),
    }
}
