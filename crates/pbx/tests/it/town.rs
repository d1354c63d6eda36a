//! A PBX and its clients in virtual time: nothing waits, nothing is real but the messages.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pbx::{Command, Config, Event, Output, Pbx, RelayOrder, Reply, User};
use phone::{MediaCommand, MediaEvent, StreamCommand, Ticket};
use sip::auth::{Credentials, Secret};
use sip::endpoint::{
    Endpoint, EndpointConfig, Event as SipEvent, Invite, Output as SipOutput, UsageId,
};
use sip::transaction::{Flow, FlowId, Transport};
use sip::uri::Uri;

/// One client: a user agent on a connection of its own.
pub(crate) struct Client {
    pub(crate) endpoint: Endpoint,
    pub(crate) flow: FlowId,
    pub(crate) events: VecDeque<SipEvent>,
    pub(crate) connected: bool,
}

pub(crate) struct Town {
    pub(crate) pbx: Pbx,
    pub(crate) now: Instant,
    pub(crate) clients: BTreeMap<&'static str, Client>,
    pub(crate) events: Vec<Event>,
    pub(crate) replies: Vec<(Ticket, Result<Reply, pbx::CommandError>)>,
    /// What the relay's sockets were to do.
    pub(crate) relayed: Vec<RelayOrder>,
    next_flow: u64,
}

pub(crate) fn users(names: &[&str]) -> Vec<User> {
    names
        .iter()
        .map(|name| User {
            name: (*name).to_owned(),
            password: Some(pbx::Password::new(format!("{name}pw"))),
            token: None,
        })
        .collect()
}

impl Town {
    pub(crate) fn new() -> Self {
        Self::with(Config {
            users: users(&["alice", "bob"]),
            ..Config::default()
        })
    }

    pub(crate) fn with(config: Config) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "virtual time needs one instant to count from"
        )]
        let now = Instant::now();
        let address = "127.0.0.1:5080".parse().unwrap();
        let unix_time = Duration::from_secs(1_700_000_000);
        Self {
            pbx: Pbx::new(config, address, [7; 32], now, unix_time).unwrap(),
            now,
            clients: BTreeMap::new(),
            events: Vec::new(),
            replies: Vec::new(),
            relayed: Vec::new(),
            next_flow: 0,
        }
    }

    /// Connects a client that speaks as `user` with that user's password.
    pub(crate) fn connect(&mut self, client: &'static str, user: &str) {
        self.connect_with(client, user, &format!("{user}pw"));
    }

    pub(crate) fn connect_with(&mut self, client: &'static str, user: &str, password: &str) {
        self.next_flow += 1;
        let flow = FlowId(self.next_flow);
        let aor: Uri<'static> = format!("sip:{user}@pbx.test").parse().unwrap();
        let instance = format!("urn:uuid:00000000-0000-4000-8000-{:012}", self.next_flow);
        let mut config = EndpointConfig::new(aor, instance);
        let secret = Secret::Password(password.to_owned());
        config.credentials = Some(Credentials::new(user, secret).unwrap());
        let mut seed = [3; 32];
        seed[0] = u8::try_from(self.next_flow).unwrap();
        let mut endpoint = Endpoint::new(config, seed);
        endpoint.handle_flow_up(flow, Flow::new(Transport::Ws), self.now);
        let entry = Client {
            endpoint,
            flow,
            events: VecDeque::new(),
            connected: true,
        };
        self.clients.insert(client, entry);
        let peer = "127.0.0.1:40000".parse().unwrap();
        self.pbx.handle_connected(flow, peer, self.now);
        self.settle();
    }

    pub(crate) fn register(&mut self, client: &'static str, user: &str) {
        self.connect(client, user);
        let now = self.now;
        self.client(client).endpoint.register(now);
        self.settle();
        let registered = self
            .client(client)
            .events
            .iter()
            .any(|event| matches!(event, SipEvent::Registered(_)));
        assert!(registered, "{client} did not register");
        self.client(client).events.clear();
    }

    pub(crate) fn client(&mut self, client: &str) -> &mut Client {
        self.clients.get_mut(client).unwrap()
    }

    pub(crate) fn invite(&mut self, client: &str, target: &str) -> UsageId {
        let now = self.now;
        let target: Uri<'static> = target.parse().unwrap();
        let usage = self
            .client(client)
            .endpoint
            .invite(Invite::offer(target, "v=0\r\n"), now)
            .unwrap();
        self.settle();
        usage
    }

    pub(crate) fn command(&mut self, ticket: u64, command: Command) {
        self.pbx.handle_command(Ticket(ticket), command, self.now);
        self.settle();
    }

    /// Takes the first event of a client that `pick` wants, and what came before it.
    pub(crate) fn expect<T>(
        &mut self,
        client: &str,
        what: &str,
        pick: impl Fn(&SipEvent) -> Option<T>,
    ) -> T {
        while let Some(event) = self.client(client).events.pop_front() {
            if let Some(found) = pick(&event) {
                return found;
            }
        }
        panic!("{client} saw no {what}");
    }

    pub(crate) fn expect_incoming(&mut self, client: &str) -> UsageId {
        self.expect(client, "call", |event| match event {
            SipEvent::Incoming { usage, .. } => Some(*usage),
            _ => None,
        })
    }

    /// Answers a call with this SDP in a response of this code.
    pub(crate) fn respond(&mut self, client: &str, call: UsageId, code: u16, sdp: &str) {
        let now = self.now;
        let reply = sip::endpoint::Reply::new(code).sdp(sdp.to_owned());
        let endpoint = &mut self.client(client).endpoint;
        endpoint.respond(call, &reply, now).unwrap();
        self.settle();
    }

    pub(crate) fn expect_failure(&mut self, client: &str) -> u16 {
        self.expect(client, "failure", |event| match event {
            SipEvent::Failed {
                cause: sip::endpoint::FailureCause::Response(response),
                ..
            } => Some(response.status().code()),
            _ => None,
        })
    }

    /// Carries messages until nobody has anything to say.
    pub(crate) fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for client in self.clients.values_mut() {
                loop {
                    match client.endpoint.poll_output() {
                        SipOutput::Transmit { flow, bytes } => {
                            quiet = false;
                            if client.connected {
                                self.pbx.handle_signaling(flow, bytes, self.now);
                            }
                        }
                        SipOutput::KeepAlive { flow } => {
                            client.endpoint.handle_pong(flow, self.now);
                        }
                        SipOutput::Event(event) => client.events.push_back(event),
                        SipOutput::Timeout(..) => break,
                    }
                }
            }
            let (mut described, mut opened) = (Vec::new(), Vec::new());
            loop {
                match self.pbx.poll_output() {
                    Output::Send { flow, bytes } => {
                        quiet = false;
                        let client = self
                            .clients
                            .values_mut()
                            .find(|client| client.flow == flow && client.connected);
                        if let Some(client) = client {
                            client.endpoint.handle_message(flow, bytes.0, self.now);
                        }
                    }
                    Output::Close { flow } => {
                        quiet = false;
                        for client in self.clients.values_mut() {
                            if client.flow == flow && client.connected {
                                client.connected = false;
                                client.endpoint.handle_flow_down(flow, self.now);
                            }
                        }
                        self.pbx.handle_disconnected(flow, self.now);
                    }
                    Output::Media(
                        id,
                        MediaCommand::Stream(StreamCommand::Answer { .. })
                        | MediaCommand::Stream(StreamCommand::Offer),
                    ) => {
                        quiet = false;
                        described.push(id);
                    }
                    Output::Media(..) => {}
                    Output::Relay(RelayOrder::Open(port)) => {
                        quiet = false;
                        opened.push(port);
                    }
                    Output::Relay(order) => self.relayed.push(order),
                    Output::Event(event) => self.events.push(event),
                    Output::Reply(ticket, outcome) => self.replies.push((ticket, outcome)),
                    Output::Closed | Output::Timeout(..) => break,
                }
            }
            for id in described {
                let sdp = "v=0\r\ns=extension\r\n".to_owned();
                let event = MediaEvent::Described { sdp: sdp.into() };
                self.pbx.handle_media(id, event, self.now);
            }
            for port in opened {
                let number = 40_000 + u16::try_from(port.0).unwrap();
                let address = SocketAddr::from(([127, 0, 0, 1], number));
                self.pbx.handle_port(port, Some(address));
            }
            if quiet {
                return;
            }
        }
    }

    /// Lets time pass, timer by timer.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let mut next = match self.pbx.poll_output() {
                Output::Timeout(at, _) => at,
                other => panic!("{other:?} was left over"),
            };
            for client in self.clients.values_mut() {
                if let SipOutput::Timeout(Some(at), _) = client.endpoint.poll_output() {
                    next = Some(next.map_or(at, |next| next.min(at)));
                }
            }
            let Some(at) = next.filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            for client in self.clients.values_mut() {
                client.endpoint.handle_timeout(self.now);
            }
            self.settle();
            self.pbx.handle_timeout(self.now);
            self.settle();
        }
    }
}
