use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use preflight::{Check, CheckCode, CheckName, PacketPath, TurnAllocation, TurnAnswer, TurnClient};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::link::{ServerLink, transaction};
use super::target::Login;
use super::{millis, silence};
use crate::io_threads::IoThreads;

/// As a call sends them.
const EACH: Duration = Duration::from_millis(20);
/// A second and a half of sound: so many are enough for 3 % to be told from none.
const PACKETS: u32 = 75;
/// The last may be on its way for so long.
const LATE: Duration = Duration::from_millis(600);
/// G.711 in RTP.
const OCTETS: usize = 172;

/// An allocation, which is given back when this is dropped.
pub(super) struct Allocated {
    /// Nothing once it is given back.
    held: Option<(ServerLink, TurnClient)>,
    pub(super) allocation: TurnAllocation,
    pub(super) round_trip: Duration,
    threads: Arc<IoThreads>,
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum TurnFault {
    Refused(u16, String),
    Failed(io::Error),
}

impl TurnFault {
    /// Whether anything came back.
    pub(super) fn came_back(&self) -> bool {
        match self {
            TurnFault::Refused(..) => true,
            TurnFault::Failed(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        }
    }
}

impl Allocated {
    /// Asks a server for one.
    pub(super) async fn by(
        link: io::Result<ServerLink>,
        Login { username, password }: &Login,
        threads: &Arc<IoThreads>,
    ) -> Result<Allocated, TurnFault> {
        let none = || TurnFault::Failed(io::Error::other("the system has no cryptography"));
        let mut client = TurnClient::new(username, password.expose()).ok_or_else(none)?;
        let mut link = link.map_err(TurnFault::Failed)?;
        let request = client.allocate(transaction());
        let (answer, round_trip) = ask(&mut link, &mut client, request).await?;
        match answer {
            TurnAnswer::Allocated(allocation) => Ok(Allocated {
                held: Some((link, client)),
                allocation,
                round_trip,
                threads: Arc::clone(threads),
            }),
            TurnAnswer::Again(_) | TurnAnswer::Done | TurnAnswer::Data(..) => {
                Err(TurnFault::Failed(io::ErrorKind::InvalidData.into()))
            }
            TurnAnswer::Refused { code, reason } => Err(TurnFault::Refused(code, reason)),
        }
    }

    async fn permit(&mut self, peer: SocketAddr) -> Result<(), TurnFault> {
        let Some((link, client)) = &mut self.held else {
            return Ok(());
        };
        let request = client.permit(peer, transaction());
        match ask(link, client, request).await?.0 {
            TurnAnswer::Refused { code, reason } => Err(TurnFault::Refused(code, reason)),
            TurnAnswer::Again(_)
            | TurnAnswer::Done
            | TurnAnswer::Data(..)
            | TurnAnswer::Allocated(_) => Ok(()),
        }
    }
}

impl Drop for Allocated {
    fn drop(&mut self) {
        let Some((mut link, mut client)) = self.held.take() else {
            return;
        };
        // Not joined: it ends when the server has confirmed, or after three seconds.
        self.threads.spawn(async move {
            let request = client.release(transaction());
            let _ = ask(&mut link, &mut client, request).await;
        });
    }
}

/// Makes a request, and again as often as the server wants that.
async fn ask(
    link: &mut ServerLink,
    client: &mut TurnClient,
    mut request: Vec<u8>,
) -> Result<(TurnAnswer, Duration), TurnFault> {
    loop {
        let take = |octets: &[u8]| {
            let answer = client.handle(octets, transaction());
            answer.filter(|answer| !matches!(answer, TurnAnswer::Data(..)))
        };
        let exchanged = link.exchange(&request, take).await;
        match exchanged.map_err(TurnFault::Failed)? {
            (TurnAnswer::Again(anew), _) => request = anew,
            settled => return Ok(settled),
        }
    }
}

/// What a server says to a request for an allocation.
pub(super) fn judge(
    allocated: &Result<Allocated, TurnFault>,
    url: &str,
    clean: impl Fn(&str) -> String,
) -> Check {
    let turn = |code, found: String| Check::new(CheckName::Turn, code, found);
    match allocated {
        Ok(Allocated {
            allocation,
            round_trip,
            ..
        }) => turn(
            CheckCode::TurnOk,
            format!("{url} relays from {}", allocation.relayed),
        )
        .with("relayed", allocation.relayed.to_string())
        .with_known("mapped", allocation.mapped.map(|one| one.to_string()))
        .with_known("lifetime", allocation.lifetime)
        .with_known("software", allocation.software.as_deref().map(&clean))
        .with("roundTrip", millis(*round_trip)),
        Err(TurnFault::Refused(code, reason)) => {
            let known = match code {
                401 | 441 => CheckCode::TurnCredentials,
                403 => CheckCode::TurnForbidden,
                486 => CheckCode::TurnQuota,
                508 => CheckCode::TurnFull,
                _ => CheckCode::TurnError,
            };
            let reason = clean(reason);
            turn(known, format!("{url} answers {code} {reason}")).with("status", *code)
        }
        Err(TurnFault::Failed(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            turn(CheckCode::TurnRefused, format!("{url} has no such port"))
        }
        Err(TurnFault::Failed(error)) if error.kind() == io::ErrorKind::InvalidData => {
            turn(CheckCode::TurnError, format!("{url}: {error}"))
        }
        Err(TurnFault::Failed(error)) => turn(CheckCode::TurnTimeout, silence(url, error)),
    }
}

/// Sends as much as a call does from one allocation to another of the same server: there and back is one round trip to it.
pub(super) async fn measure(
    mut from: Allocated,
    to: Result<Allocated, TurnFault>,
    clean: impl Fn(&str) -> String,
) -> Check {
    let relay = |code, found: String| Check::new(CheckName::Relay, code, found);
    let unmeasured = |why: &str, fault: TurnFault| {
        let said = match fault {
            TurnFault::Refused(code, reason) => format!("{code} {}", clean(&reason)),
            TurnFault::Failed(error) => error.to_string(),
        };
        relay(CheckCode::RelayUnmeasured, format!("{why}: {said}"))
    };
    let mut to = match to {
        Ok(to) => to,
        Err(fault) => return unmeasured("the server gives no second address", fault),
    };
    let (here, there) = (from.allocation.relayed, to.allocation.relayed);
    let permitted = tokio::join!(from.permit(there), to.permit(here));
    if let (Err(fault), _) | (_, Err(fault)) = permitted {
        return unmeasured("the server does not relay to itself", fault);
    }
    let figures = send_through(&mut from, &mut to).await.figures();
    let (round_trip, jitter) = (millis(figures.round_trip), millis(figures.jitter));
    let loss = (figures.loss * 10.0).round() / 10.0;
    let found = match figures.received {
        0 => format!("none of {} packets came back", figures.sent),
        received => format!(
            "{received} of {} packets came back ({loss} % lost), in {round_trip} ms, with {jitter} ms of jitter",
            figures.sent
        ),
    };
    let check = relay(figures.code(), found).with("loss", loss);
    match figures.received {
        0 => check,
        _ => check.with("roundTrip", round_trip).with("jitter", jitter),
    }
}

async fn send_through(from: &mut Allocated, to: &mut Allocated) -> PacketPath {
    let mut path = PacketPath::default();
    let peer = to.allocation.relayed;
    let (Some((out, _)), Some((back, _))) = (&mut from.held, &mut to.held) else {
        return path;
    };
    let begun = Instant::now();
    let end = begun + EACH * PACKETS + LATE;
    let mark: [u8; 8] = rand::random();
    let sending = async {
        let mut sent = Vec::new();
        let mut beat = interval(EACH);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..PACKETS {
            beat.tick().await;
            let mut packet = Vec::with_capacity(OCTETS);
            packet.extend_from_slice(&mark);
            packet.extend_from_slice(&number.to_be_bytes());
            packet.resize(OCTETS, 0);
            sent.push(begun.elapsed());
            // A packet that does not leave is lost.
            let _ = out
                .send(&TurnClient::send(peer, &packet, &transaction()))
                .await;
        }
        sent
    };
    let receiving = async {
        let mut came = Vec::new();
        while came.len() < PACKETS as usize {
            let Ok(received) = timeout_at(end, back.receive()).await else {
                break;
            };
            let data = received.ok().and_then(|octets| TurnClient::data(&octets));
            let number = data.as_deref().and_then(|data| data.strip_prefix(&mark));
            let number = number.and_then(|rest| rest.first_chunk());
            if let Some(number) = number {
                came.push((u32::from_be_bytes(*number) as usize, begun.elapsed()));
            }
        }
        came
    };
    let (sent, came) = tokio::join!(sending, receiving);
    for at in sent {
        path.send(at);
    }
    for (number, at) in came {
        path.receive(number, at);
    }
    path
}
