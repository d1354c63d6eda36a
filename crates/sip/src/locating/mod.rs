//! Which servers a name means (RFC 3263): what the DNS is asked, and what its answers say.
//!
//! ```text
//! new ──► questions ──► asked all at once ──► take(answers) ─┬─► Ask(questions) ──► …, three rounds at most
//!                                                            └─► Found, NotFound
//! ```
//! Whatever the DNS says, so many questions are asked and so many places found, and over `sips:` none without TLS.

mod turns;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::transaction::Transport;

pub use turns::in_turn;

/// More records of one answer are not looked at.
const MOST_RECORDS: usize = 32;
/// More services are not asked for.
const MOST_SERVICES: usize = 4;
/// More targets of all services are not looked up.
const MOST_TARGETS: usize = 8;
/// More addresses of one target are not tried.
const MOST_ADDRESSES: usize = 8;
/// So long counts what was found although not everything could be asked.
const DOUBTFUL: Duration = Duration::from_secs(30);
/// What is found counts no longer than this, whatever is said of it.
const LONGEST: Duration = Duration::from_secs(3600);

/// What is known of a server beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Nothing but whether it has to have TLS.
    Service { secure: bool },
    /// What it speaks.
    ServiceOver(Transport),
    /// What it speaks, and where.
    Host(Transport, u16),
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The name, without a dot at its end.
    pub name: String,
    /// What of it.
    pub of: Wanted,
}

/// What is asked of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// NAPTR.
    Services,
    /// SRV.
    Targets,
    /// A and AAAA of what an SRV record names.
    TargetAddresses,
    /// The addresses of the host that was configured, by the system's own way, which knows more than the DNS.
    HostAddresses,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These records, for so long.
    Records(Vec<Record>, Duration),
    /// There is nothing.
    Nothing,
    /// It is not known, and why.
    Failed(String),
}

/// A record of the DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// NAPTR (RFC 3403).
    Service {
        order: u16,
        preference: u16,
        flags: String,
        service: String,
        has_regexp: bool,
        replacement: String,
    },
    /// SRV (RFC 2782).
    Target {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    /// A or AAAA.
    Address(IpAddr),
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What it speaks.
    pub transport: Transport,
    /// Its name, or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The lowest is tried first.
    pub rank: (u16, u16),
    /// Its share among those of the same rank.
    pub weight: u16,
    /// Its addresses; whoever connects looks them up if there are none.
    pub addresses: Vec<IpAddr>,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask these at once, and give the answers in their order.
    Ask(Vec<Question>),
    /// The server is at one of these places, and they are known for so long.
    Found(Vec<Place>, Duration),
    /// There is no such server, and why.
    NotFound(String),
}

/// The search for a server.
#[derive(Debug)]
pub struct Search {
    host: String,
    /// What it may speak, the most wanted first.
    transports: Vec<Transport>,
    /// Where it is if no service is known.
    fallback: (Transport, u16),
    asked: Vec<Question>,
    services: BTreeMap<String, Answer>,
    /// The services that are left to be looked at, the most wanted first, and what they speak.
    wanted: Vec<(Transport, String)>,
    places: Vec<Place>,
    valid: Duration,
    /// The first question that has failed.
    doubt: Option<String>,
}

impl Search {
    /// Begins a search, with what is to be asked first.
    pub fn new(host: &str, sought: Sought) -> (Search, Vec<Question>) {
        let (transports, fallback): (Vec<_>, _) = match sought {
            Sought::Service { secure: true } => (vec![Transport::Tls], Transport::Tls),
            Sought::Service { secure: false } => (
                vec![Transport::Tls, Transport::Tcp, Transport::Udp],
                Transport::Udp,
            ),
            Sought::ServiceOver(transport) => (vec![transport], transport),
            Sought::Host(transport, _) => (Vec::new(), transport),
        };
        let port = match sought {
            Sought::Host(_, port) => port,
            Sought::Service { .. } | Sought::ServiceOver(_) => default_port(fallback),
        };
        let host = host.trim_end_matches('.').to_owned();
        let mut search = Search {
            wanted: transports
                .iter()
                .map(|transport| (*transport, service_of(&host, *transport)))
                .collect(),
            transports,
            fallback: (fallback, port),
            host,
            asked: Vec::new(),
            services: BTreeMap::new(),
            places: Vec::new(),
            valid: LONGEST,
            doubt: None,
        };
        let mut questions = search.targets_asked();
        match sought {
            // What most domains have is asked beside, so that nobody waits for what few have.
            Sought::Service { .. } => questions.push(Question {
                name: search.host.clone(),
                of: Wanted::Services,
            }),
            Sought::ServiceOver(_) => {}
            Sought::Host(..) => questions.push(search.host_asked()),
        }
        search.asked.clone_from(&questions);
        (search, questions)
    }

    /// Takes the answers to what was asked last.
    pub fn take(&mut self, answers: Vec<Answer>) -> Next {
        let asked = std::mem::take(&mut self.asked);
        let mut answered: Vec<_> = asked.into_iter().zip(answers).collect();
        for (_, answer) in &mut answered {
            self.note(answer);
        }
        let next = match answered.first().map(|(question, _)| question.of) {
            Some(Wanted::HostAddresses) => self.take_host(answered),
            Some(Wanted::TargetAddresses) => self.take_addresses(answered),
            Some(Wanted::Targets | Wanted::Services) => self.take_services(answered),
            None => Next::NotFound("nothing was asked".to_owned()),
        };
        if let Next::Ask(questions) = &next {
            self.asked.clone_from(questions);
        }
        next
    }

    fn note(&mut self, answer: &mut Answer) {
        match answer {
            Answer::Records(records, valid) => {
                records.truncate(MOST_RECORDS);
                self.valid = self.valid.min(*valid);
            }
            Answer::Nothing => {}
            Answer::Failed(why) => {
                self.valid = self.valid.min(DOUBTFUL);
                self.doubt.get_or_insert_with(|| why.clone());
            }
        }
    }

    fn take_services(&mut self, answered: Vec<(Question, Answer)>) -> Next {
        for (question, answer) in answered {
            match (question.of, answer) {
                (Wanted::Services, Answer::Records(records, _)) => {
                    let chosen = chosen(&records, &self.transports);
                    if let Some((transport, _)) = chosen.first() {
                        // RFC 3263 §4.2: what the domain wants spoken holds, also if no target of it is known.
                        self.fallback = (*transport, default_port(*transport));
                        self.wanted = chosen;
                    }
                }
                (Wanted::Targets, answer) => {
                    self.services.insert(question.name, answer);
                }
                (
                    Wanted::Services | Wanted::TargetAddresses | Wanted::HostAddresses,
                    Answer::Nothing | Answer::Failed(_) | Answer::Records(..),
                ) => {}
            }
        }
        let missing = self.targets_asked();
        if !missing.is_empty() {
            return Next::Ask(missing);
        }
        self.take_targets()
    }

    /// The services whose targets were not asked for yet.
    fn targets_asked(&self) -> Vec<Question> {
        let names = self.wanted.iter().map(|(_, name)| name);
        let unknown = names.filter(|name| !self.services.contains_key(*name));
        unknown
            .map(|name| Question {
                name: name.clone(),
                of: Wanted::Targets,
            })
            .collect()
    }

    fn take_targets(&mut self) -> Next {
        let mut denied = Vec::new();
        for (place, (transport, name)) in (0..).zip(std::mem::take(&mut self.wanted)) {
            let Some(Answer::Records(records, _)) = self.services.get(&name) else {
                continue;
            };
            let found = targets(records, transport, place);
            if found.is_empty() && records.iter().any(is_denial) {
                denied.push(transport);
            }
            self.places.extend(found);
        }
        self.places.sort_by_key(|place| place.rank);
        self.places.truncate(MOST_TARGETS);
        if self.places.is_empty() {
            return match denied.contains(&self.fallback.0) {
                true => Next::NotFound(format!("{} says that it has no such service", self.host)),
                false => Next::Ask(vec![self.host_asked()]),
            };
        }
        let mut questions: Vec<_> = self
            .places
            .iter()
            .filter(|place| place.addresses.is_empty())
            .map(|place| Question {
                name: place.host.clone(),
                of: Wanted::TargetAddresses,
            })
            .collect();
        questions.sort();
        questions.dedup();
        match questions.is_empty() {
            true => self.found(),
            false => Next::Ask(questions),
        }
    }

    fn take_addresses(&mut self, answered: Vec<(Question, Answer)>) -> Next {
        let mut why = Vec::new();
        for (question, answer) in answered {
            let found = match answer {
                Answer::Records(records, _) => addresses(&records),
                Answer::Nothing => Vec::new(),
                Answer::Failed(fault) => {
                    why.push(fault);
                    Vec::new()
                }
            };
            for place in &mut self.places {
                if place.host == question.name {
                    place.addresses.clone_from(&found);
                }
            }
        }
        let named = self.places.first().map(|place| place.host.clone());
        self.places.retain(|place| !place.addresses.is_empty());
        if !self.places.is_empty() {
            return self.found();
        }
        let named = named.unwrap_or_default();
        let why = why.first().map_or("it has no address", String::as_str);
        let host = &self.host;
        Next::NotFound(format!("{host} is served by {named}, of which {why}"))
    }

    fn take_host(&mut self, answered: Vec<(Question, Answer)>) -> Next {
        let (transport, port) = self.fallback;
        let why = match answered.into_iter().next().map(|(_, answer)| answer) {
            Some(Answer::Records(records, _)) => {
                let found = addresses(&records);
                if !found.is_empty() {
                    self.places.push(Place {
                        transport,
                        host: self.host.clone(),
                        port,
                        rank: (0, 0),
                        weight: 0,
                        addresses: found,
                    });
                    return self.found();
                }
                "it has no address".to_owned()
            }
            Some(Answer::Failed(why)) => why,
            Some(Answer::Nothing) | None => "it has no address".to_owned(),
        };
        Next::NotFound(match &self.doubt {
            Some(doubt) if *doubt != why => format!("{why} (its services are not known: {doubt})"),
            Some(_) | None => why,
        })
    }

    fn host_asked(&self) -> Question {
        Question {
            name: self.host.clone(),
            of: Wanted::HostAddresses,
        }
    }

    fn found(&mut self) -> Next {
        Next::Found(std::mem::take(&mut self.places), self.valid)
    }
}

fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::Tls => 5061,
        Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss => 5060,
    }
}

fn service_of(host: &str, transport: Transport) -> String {
    let service = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp | Transport::Ws | Transport::Wss => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    format!("{service}.{host}")
}

/// The services of these records that we can use, in the order in which they are wanted there (RFC 3263 §4.1).
fn chosen(records: &[Record], transports: &[Transport]) -> Vec<(Transport, String)> {
    let mut found: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Service {
                order,
                preference,
                flags,
                service,
                has_regexp: false,
                replacement,
            } if flags.eq_ignore_ascii_case("s") && !replacement.is_empty() => {
                let transport = match service.to_ascii_uppercase().as_str() {
                    "SIPS+D2T" => Transport::Tls,
                    "SIP+D2T" => Transport::Tcp,
                    "SIP+D2U" => Transport::Udp,
                    _ => return None,
                };
                let is_fit = transports.contains(&transport);
                is_fit.then(|| ((*order, *preference), (transport, replacement.clone())))
            }
            Record::Service { .. } | Record::Target { .. } | Record::Address(_) => None,
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.truncate(MOST_SERVICES);
    found.into_iter().map(|(_, service)| service).collect()
}

fn targets(records: &[Record], transport: Transport, service: u16) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    for record in records {
        let Record::Target {
            priority,
            weight,
            port,
            target,
        } = record
        else {
            continue;
        };
        let is_new = |place: &Place| place.port != *port || place.host != *target;
        if *port == 0 || target.is_empty() || !found.iter().all(is_new) {
            continue;
        }
        found.push(Place {
            transport,
            host: target.clone(),
            port: *port,
            rank: (service, *priority),
            weight: *weight,
            // No name, but there are those who write it.
            addresses: target.parse().into_iter().collect(),
        });
    }
    found
}

/// RFC 2782: a service with the root for its target is decidedly not there.
fn is_denial(record: &Record) -> bool {
    matches!(record, Record::Target { target, .. } if target.is_empty())
}

fn addresses(records: &[Record]) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for record in records {
        if let Record::Address(address) = record
            && !address.is_unspecified()
            && !address.is_multicast()
            && !found.contains(address)
        {
            found.push(*address);
        }
    }
    found.truncate(MOST_ADDRESSES);
    found
}

#[cfg(test)]
mod tests;
