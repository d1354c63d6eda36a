//! What the phones of the process have to show: each puts it here after each input, and any thread reads it.

mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use phone::tally::{PeerStanding, Readiness, Standing, Tally};
use serde::Serialize;

use crate::media_worker;
use text::Page;

/// The phones of the process that have not ended, and the calls of those that have.
static PROCESS: Mutex<Process> = Mutex::new(Process {
    phones: Vec::new(),
    former: None,
});

struct Process {
    phones: Vec<Arc<Showcase>>,
    former: Option<Tally>,
}

/// A phone's entry, taken out when its task has ended: its calls count on for the process.
#[derive(Debug)]
pub(crate) struct Exhibit {
    showcase: Arc<Showcase>,
}

/// Where one phone puts what it has to show.
#[derive(Debug)]
pub(crate) struct Showcase {
    address: String,
    shown: Mutex<Exhibited>,
}

#[derive(Debug, Clone)]
struct Exhibited {
    standing: Standing,
    queues: Queues,
    closed: bool,
}

/// What waits between a phone and its application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Queues {
    /// Octets of events that the application has not read.
    pub events: u32,
    /// Commands that the phone has not taken.
    pub commands: u32,
}

/// Whether a phone would take a call now, and what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Whether it would, or why not.
    pub status: Readiness,
    /// Whether the connection to a server is open.
    pub connected: bool,
    /// Whether a registrar holds our binding.
    pub registered: bool,
    /// Calls that there are, also those that ring.
    pub calls: u32,
    /// Those of them that are not answered.
    pub ringing: u32,
    /// How full it is, 0 to 1: by `maxSessions` or by the media threads, whichever is more.
    pub load: f64,
    /// The peers that are asked whether they are there.
    pub peers: Vec<PeerStanding>,
    /// What waits between it and the application.
    pub queues: Queues,
}

impl Exhibit {
    pub(crate) fn open(address: String, standing: Standing) -> Exhibit {
        let shown = Exhibited {
            standing,
            queues: Queues::default(),
            closed: false,
        };
        let showcase = Arc::new(Showcase {
            address,
            shown: Mutex::new(shown),
        });
        process().phones.push(Arc::clone(&showcase));
        Exhibit { showcase }
    }

    pub(crate) fn showcase(&self) -> &Arc<Showcase> {
        &self.showcase
    }

    /// Shows this from now on.
    pub(crate) fn show(&self, standing: Standing, events: usize, commands: usize) {
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let mut shown = self.showcase.shown();
        shown.standing = standing;
        shown.queues = Queues {
            events: number(events),
            commands: number(commands),
        };
    }
}

impl Drop for Exhibit {
    fn drop(&mut self) {
        let tally = {
            let mut shown = self.showcase.shown();
            shown.closed = true;
            Arc::clone(&shown.standing.tally)
        };
        let mut process = process();
        process
            .phones
            .retain(|phone| !Arc::ptr_eq(phone, &self.showcase));
        process.former.get_or_insert_default().add(&tally);
    }
}

impl Showcase {
    pub(crate) fn health(&self) -> Health {
        let media = media_worker::load();
        let Exhibited {
            standing,
            queues,
            closed,
        } = self.shown().clone();
        if closed {
            return Health {
                status: Readiness::Closed,
                connected: false,
                registered: false,
                calls: 0,
                ringing: 0,
                load: 0.0,
                peers: Vec::new(),
                queues: Queues::default(),
            };
        }
        Health {
            status: standing.readiness(media),
            connected: standing.connected,
            registered: standing.registered,
            calls: standing.calls,
            ringing: standing.ringing,
            load: standing.load(media),
            peers: standing.peers,
            queues,
        }
    }

    /// What there is to show of this phone, in Prometheus' text form.
    pub(crate) fn page(&self) -> String {
        let mut page = Page::labelled("phone", &self.address);
        page.tally(&self.shown().standing.tally);
        page.phones(&[self.health()]);
        page.finish()
    }

    fn shown(&self) -> MutexGuard<'_, Exhibited> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is to show of the process and all its phones, in Prometheus' text form.
pub fn metrics() -> String {
    let (mut tally, phones) = {
        let process = process();
        (
            process.former.clone().unwrap_or_default(),
            process.phones.clone(),
        )
    };
    for phone in &phones {
        tally.add(&phone.shown().standing.tally);
    }
    let healths: Vec<Health> = phones.iter().map(|phone| phone.health()).collect();
    let mut page = Page::new();
    page.tally(&tally);
    page.phones(&healths);
    page.clock(media_worker::clock_figures(), media_worker::load());
    page.finish()
}

fn process() -> MutexGuard<'static, Process> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
