//! The stateful forking proxy: requests between users, bodies and tags left alone (RFC 3261 §16).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

use sip::header::{
    Authorization, MaxForwards, NameAddr, ProxyAuthorization, RecordRoute, Route, TypedHeader,
};
use sip::message::{HeaderName, Headers, Method, Request, Response, StatusCode};
use sip::transaction::{ClientKey, FlowId, Layer, ServerKey};
use sip::uri::Uri;

use crate::contacts::Contacts;
use crate::fork::{Fork, Verdict};
use crate::registrar::Registrar;

/// One place a request is forwarded to.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) flow: FlowId,
    /// The new Request-URI; the old one stays if absent.
    pub(crate) uri: Option<Uri<'static>>,
}

/// The requests on their way, and the Contacts that requests inside dialogs are routed by.
#[derive(Debug)]
pub(crate) struct Proxy {
    domain: String,
    our_route: NameAddr<'static>,
    forks: BTreeMap<ServerKey, Fork>,
    servers: BTreeMap<ClientKey, ServerKey>,
    contacts: Contacts,
}

impl Proxy {
    /// Makes a proxy that is known as `domain` and stays on the path of dialogs as `route`.
    pub(crate) fn new(domain: &str, route: Uri<'static>) -> Self {
        Self {
            domain: domain.to_owned(),
            our_route: NameAddr::new(route),
            forks: BTreeMap::new(),
            servers: BTreeMap::new(),
            contacts: Contacts::default(),
        }
    }

    /// Remembers who sent a message, for what is later sent to its Contact.
    pub(crate) fn learn(&mut self, flow: FlowId, method: &Method, headers: &Headers) {
        // A registration's Contact is the registrar's.
        if *method != Method::Register {
            self.contacts.learn(flow, headers);
        }
    }

    pub(crate) fn forget_flow(&mut self, flow: FlowId) {
        self.contacts.forget_flow(flow);
    }

    /// Forwards a request to every target; there is at least one.
    pub(crate) fn forward(
        &mut self,
        layer: &mut Layer,
        server: ServerKey,
        request: &Request,
        targets: Vec<Target>,
        now: Instant,
    ) {
        let mut branches = Vec::new();
        for target in targets {
            let forwarded = self.forwarded(request, target.uri.as_ref());
            branches.push((layer.send_request(target.flow, forwarded, now), target.flow));
        }
        self.servers
            .extend(branches.iter().map(|(key, _)| (*key, server)));
        let is_invite = *request.method() == Method::Invite;
        self.forks
            .insert(server, Fork::new(is_invite, branches, now));
    }

    /// Passes an answer back, or keeps it until the other branches have said theirs; returns what went back.
    pub(crate) fn handle_response(
        &mut self,
        layer: &mut Layer,
        key: ClientKey,
        mut response: Response,
        now: Instant,
    ) -> Option<Box<Response>> {
        let server = self.servers.get(&key).copied()?;
        let fork = self.forks.get_mut(&server)?;
        if let Some(flow) = fork.flow(key) {
            self.contacts.learn(flow, response.headers());
        }
        // RFC 3261 §16.7, step 3: our own Via is on top.
        response.headers_mut().pop_element(HeaderName::Via);
        let verdict = fork.handle_response(key, response, now);
        self.carry_out(layer, server, verdict, now)
    }

    /// A branch came to nothing without an answer: it counts as this status.
    pub(crate) fn handle_failure(
        &mut self,
        layer: &mut Layer,
        key: ClientKey,
        status: StatusCode,
        now: Instant,
    ) -> Option<Box<Response>> {
        let server = self.servers.get(&key).copied()?;
        let fork = self.forks.get_mut(&server)?;
        let Some(request) = layer.received_request(server) else {
            self.forget(server);
            return None;
        };
        let status = match fork.is_cancelled() {
            true => StatusCode::REQUEST_TERMINATED,
            false => status,
        };
        let response = Response::to_request(request, status);
        let verdict = fork.handle_response(key, response, now);
        self.carry_out(layer, server, verdict, now)
    }

    /// Passes a CANCEL on, its Reasons with it.
    pub(crate) fn handle_cancel(
        &mut self,
        layer: &mut Layer,
        server: ServerKey,
        cancel: &Request,
        now: Instant,
    ) -> bool {
        let Some(fork) = self.forks.get_mut(&server) else {
            return false;
        };
        fork.cancel();
        let reasons: Vec<_> = cancel
            .headers()
            .all(HeaderName::Reason)
            .map(|reason| ("Reason".to_owned(), reason.to_owned()))
            .collect();
        let waiting: Vec<_> = fork.waiting().collect();
        for key in waiting {
            layer.cancel(key, reasons.clone(), now);
        }
        true
    }

    /// The server transaction is over: nobody waits for the branches any more.
    pub(crate) fn handle_gone(&mut self, layer: &mut Layer, server: ServerKey, now: Instant) {
        let Some(fork) = self.forks.get(&server) else {
            return;
        };
        if !fork.is_accepted() {
            let waiting: Vec<_> = fork.waiting().collect();
            for key in waiting {
                layer.cancel(key, Vec::new(), now);
            }
        }
        self.forget(server);
    }

    /// Ends what nobody answered within Timer C, and forgets what was taken once nothing can be repeated.
    pub(crate) fn handle_timeout(&mut self, layer: &mut Layer, now: Instant) {
        self.forget_taken(layer);
        let due: Vec<_> = self
            .forks
            .iter()
            .filter(|(_, fork)| fork.timer_c().is_some_and(|at| at <= now))
            .map(|(server, _)| *server)
            .collect();
        for server in due {
            let Some(fork) = self.forks.get_mut(&server) else {
                continue;
            };
            fork.cancel();
            let waiting: Vec<_> = fork.waiting().collect();
            for key in waiting {
                layer.cancel(key, Vec::new(), now);
            }
        }
    }

    /// An accepted INVITE's transaction ends by Timer L, and tells nobody (RFC 6026 §7.1).
    fn forget_taken(&mut self, layer: &Layer) {
        let is_alive = |server| layer.local_tag(server).is_some();
        let taken = self.forks.iter().filter(|(_, fork)| fork.is_accepted());
        let gone = taken.map(|(server, _)| *server);
        let gone: Vec<_> = gone.filter(|server| !is_alive(*server)).collect();
        for server in gone {
            self.forget(server);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.forks.values().filter_map(Fork::timer_c).min()
    }

    /// Finds where a request inside a dialog goes: its Route names us, its Request-URI is a Contact.
    pub(crate) fn target_in_dialog(
        &self,
        request: &Request,
        registrar: &Registrar,
    ) -> Option<Target> {
        let uri = request.uri();
        let flow = gruu_of(&uri)
            .and_then(|(user, device)| registrar.device(&user, device))
            .map(|binding| binding.flow)
            .or_else(|| registrar.flow_of(&uri))
            .or_else(|| self.contacts.flow_of(&uri))?;
        Some(Target { flow, uri: None })
    }

    /// Passes on the ACK of a 2xx, which is no transaction of ours.
    pub(crate) fn forward_ack(&self, layer: &mut Layer, request: &Request, target: Target) {
        let forwarded = self.forwarded(request, target.uri.as_ref());
        layer.send_stateless(target.flow, forwarded);
    }

    fn forwarded(&self, request: &Request, uri: Option<&Uri<'_>>) -> Request {
        let mut forwarded = request.clone();
        if let Some(uri) = uri {
            forwarded.set_uri(uri.reborrow());
        }
        self.take_off_our_routes(&mut forwarded);
        self.take_off_our_credentials(forwarded.headers_mut());
        assert_identity(forwarded.headers_mut());
        let hops = max_forwards(request).saturating_sub(1);
        forwarded.headers_mut().replace_typed(&MaxForwards(hops));
        if *request.method() == Method::Invite {
            forwarded
                .headers_mut()
                .insert_front_typed(&RecordRoute(self.our_route.clone()));
        }
        forwarded
    }

    // RFC 3261 §16.4; a client that preloads our name may do so several times.
    fn take_off_our_routes(&self, request: &mut Request) {
        let others: Vec<_> = request
            .headers()
            .list::<Route>()
            .filter_map(Result::ok)
            .filter(|route| !self.is_our_name(route.0.uri().host_text()))
            .map(Route::into_owned)
            .collect();
        request.headers_mut().remove(HeaderName::Route);
        for route in &others {
            request.headers_mut().push_typed(route);
        }
    }

    /// RFC 3261 §22.3: what another proxy's realm is for goes on to it; what is for ours, a token above all, is nobody else's.
    fn take_off_our_credentials(&self, headers: &mut Headers) {
        take_off(headers, HeaderName::ProxyAuthorization, |line| {
            self.is_for_us(line)
        });
        // A digest here is the callee's own; a token that was sent unasked was meant for us.
        take_off(headers, HeaderName::Authorization, |line| {
            Authorization::parse(line).is_ok_and(|credentials| credentials.is("Bearer"))
        });
    }

    fn is_for_us(&self, line: &str) -> bool {
        ProxyAuthorization::parse(line).is_ok_and(|credentials| {
            let ours = |realm: Cow<'_, str>| realm == self.domain;
            credentials.is("Bearer") || credentials.param("realm").is_some_and(ours)
        })
    }

    fn is_our_name(&self, host: &str) -> bool {
        host.eq_ignore_ascii_case(&self.domain)
            || host.eq_ignore_ascii_case(self.our_route.uri().host_text())
    }

    fn carry_out(
        &mut self,
        layer: &mut Layer,
        server: ServerKey,
        verdict: Verdict,
        now: Instant,
    ) -> Option<Box<Response>> {
        let (response, cancel) = match verdict {
            Verdict::Forward(response) => (Some(response), None),
            Verdict::ForwardAndCancel(response, reason) => (Some(response), Some(reason)),
            Verdict::Cancel(reason) => (None, Some(reason)),
            Verdict::Wait => (None, None),
        };
        let done = response
            .as_ref()
            .is_some_and(|response| response.status().code() >= 300);
        if let Some(response) = &response {
            layer.respond(server, response, now);
        }
        if let Some(reason) = cancel
            && let Some(fork) = self.forks.get(&server)
        {
            let waiting: Vec<_> = fork.waiting().collect();
            for key in waiting {
                layer.cancel(key, vec![("Reason".into(), reason.into())], now);
            }
        }
        let is_request_done = done || self.forks.get(&server).is_some_and(|fork| fork.is_over());
        if is_request_done {
            self.forget(server);
        }
        response
    }

    fn forget(&mut self, server: ServerKey) {
        if let Some(fork) = self.forks.remove(&server) {
            for key in fork.keys() {
                self.servers.remove(&key);
            }
        }
    }
}

/// Takes off the lines of a header that are meant.
fn take_off(headers: &mut Headers, name: HeaderName, is_meant: impl Fn(&str) -> bool) {
    let others: Vec<String> = headers
        .all(name)
        .filter(|line| !is_meant(line))
        .map(str::to_owned)
        .collect();
    headers.remove(name);
    for line in &others {
        // It was a header's value before.
        let _ = headers.push(name, line);
    }
}

/// The user and the device that a GRUU names (RFC 5627 §3.1).
fn gruu_of<'a>(uri: &'a Uri<'_>) -> Option<(String, &'a str)> {
    let device = uri.param("gr").filter(|device| !device.is_empty())?;
    Some((uri.user_unescaped()?.into_owned(), device))
}

pub(crate) fn max_forwards(request: &Request) -> u8 {
    match request.headers().typed::<MaxForwards>() {
        Some(Ok(hops)) => hops.0,
        Some(Err(_)) | None => 70,
    }
}

/// RFC 3325 §5, §9.2, §9.3: what the caller prefers is for us alone; it becomes what we assert, to who may know.
fn assert_identity(headers: &mut Headers) {
    let preferred = headers
        .get(HeaderName::PPreferredIdentity)
        .map(str::to_owned);
    let Some(preferred) = preferred else {
        return;
    };
    headers.remove(HeaderName::PPreferredIdentity);
    let privacy = headers.get(HeaderName::Privacy).unwrap_or_default();
    let hidden = privacy
        .split(';')
        .any(|value| value.trim().eq_ignore_ascii_case("id"));
    if !hidden {
        // It was a header's value a moment ago.
        let _ = headers.push(HeaderName::PAssertedIdentity, &preferred);
    }
}
