//! What we write: requests outside dialogs, answers, and the headers that both carry.

use rand::Rng;

use super::command::{Body, Caller, CommandError, Reply};
use super::{Endpoint, EndpointConfig};
use crate::dialog::wants_privacy;
use crate::header::{CSeq, NameAddr, To};
use crate::message::{HeaderName, Headers, Method, Request, Response, StatusCode};
use crate::put::Put;
use crate::transaction::{Flow, FlowId, Transport};
use crate::uri::{Scheme, Uri};

/// Who a request is of, by its From.
#[derive(Debug, Clone, Copy)]
pub(super) enum As<'a> {
    Ourselves,
    Another(&'a Caller),
    Nobody,
}

impl Endpoint {
    /// Makes a request outside any dialog, up to its body.
    pub(super) fn request_to(
        &mut self,
        method: Method,
        target: &Uri<'_>,
        headers: &[(String, String)],
        body: Option<&Body>,
        caller: As<'_>,
    ) -> Result<Request, CommandError> {
        check_target(target)?;
        check_headers(headers)?;
        check_body(body)?;
        let tag = format!("{:016x}", self.draws.rng().next_u64());
        let call_id = long_id(self.draws.rng());
        let from = match caller {
            As::Nobody => ANONYMOUS.to_owned(),
            As::Ourselves => name_addr(self.config.display_name.as_deref(), &self.config.aor),
            As::Another(caller) => {
                name_addr(caller.display_name.as_deref(), &caller.uri.to_request_uri())
            }
        };
        let mut request = Request::new(method.clone(), target.to_request_uri());
        let out = request.headers_mut();
        for route in self.preloaded_routes() {
            out.put(HeaderName::Route, &route);
        }
        out.put(HeaderName::MaxForwards, "70");
        out.put(HeaderName::From, &format!("{from};tag={tag}"));
        out.put(HeaderName::To, &format!("<{}>", target.to_request_uri()));
        out.put(HeaderName::CallId, &call_id);
        out.push_typed(&CSeq::new(1, method));
        let out = request.headers_mut();
        push_all(out, &self.config.extra_headers);
        push_all(out, headers);
        if matches!(caller, As::Nobody) && out.get(HeaderName::Privacy).is_none() {
            out.put(HeaderName::Privacy, "id");
        }
        let private = wants_privacy(out);
        self.push_common(&mut request, private);
        Ok(with_body(request, body))
    }

    /// The flow that a request outside of dialogs takes to `target`.
    pub(super) fn flow_to(&self, target: &Uri<'_>) -> Result<FlowId, CommandError> {
        let flow = self.flows.choose(None).ok_or(CommandError::NoFlow)?;
        let transport = self.flows.transport(flow);
        let is_secure = transport.is_some_and(Transport::is_secure);
        match target.scheme() {
            Scheme::Sips if !is_secure => Err(CommandError::Insecure),
            Scheme::Sips | Scheme::Sip | Scheme::Tel | Scheme::Other => Ok(flow),
        }
    }

    /// Adds what every request of ours says of us, in a dialog or outside.
    pub(super) fn push_common(&self, request: &mut Request, private: bool) {
        let method = request.method().clone();
        let contact = self.registrar.dialog_contact(private);
        let headers = request.headers_mut();
        if makes_or_refreshes_dialog(&method) {
            headers.put(HeaderName::Contact, &contact);
        }
        if method == Method::Invite || method == Method::Update || method == Method::Options {
            headers.put(HeaderName::Allow, &join(&self.config.allow));
            headers.put(HeaderName::Accept, &self.config.accept.join(", "));
            self.push_allow_events(headers);
        }
        if !self.config.supported.is_empty() {
            headers.put(HeaderName::Supported, &self.config.supported.join(", "));
        }
        headers.put(HeaderName::UserAgent, &self.config.user_agent);
    }

    /// Names what can be subscribed to (RFC 6665 §4.4.4).
    fn push_allow_events(&self, headers: &mut Headers) {
        if !self.config.event_packages.is_empty() {
            headers.put(
                HeaderName::AllowEvents,
                &self.config.event_packages.join(", "),
            );
        }
    }

    /// Makes an answer, its To tag included.
    pub(super) fn answer_to(&self, request: &Request, tag: &str, reply: &Reply) -> Response {
        let status = StatusCode::new(reply.code).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR);
        let mut response = Response::to_request(request, status);
        if let Some(reason) = &reply.reason
            && let Ok(explained) = response.clone().with_reason(reason)
        {
            response = explained;
        }
        set_to_tag(&mut response, tag);
        self.push_answer_headers(request, &mut response);
        if let Some(elsewhere) = &reply.elsewhere {
            let contact = format!("<{elsewhere}>");
            response.headers_mut().put(HeaderName::Contact, &contact);
        }
        push_all(response.headers_mut(), &reply.headers);
        self.name_answer(request, tag, &mut response);
        if let Some(body) = &reply.body
            && let Ok(full) = response
                .clone()
                .with_body(&body.content_type, body.bytes.clone())
        {
            response = full;
        }
        response
    }

    fn push_answer_headers(&self, request: &Request, response: &mut Response) {
        let status = response.status();
        let dialog = !is_refusal(status) && makes_or_refreshes_dialog(request.method());
        let contact = self.registrar.dialog_contact(false);
        let headers = response.headers_mut();
        let makes_dialog = matches!(request.method(), Method::Invite | Method::Subscribe);
        if dialog && makes_dialog {
            // RFC 3261 §12.1.1: all of them, as they stand.
            headers.copy(HeaderName::RecordRoute, request.headers());
        }
        if dialog {
            headers.put(HeaderName::Contact, &contact);
        }
        if status.is_success() && describes_us(request.method()) {
            headers.put(HeaderName::Allow, &join(&self.config.allow));
            headers.put(HeaderName::Accept, &self.config.accept.join(", "));
            headers.put(HeaderName::Supported, &self.config.supported.join(", "));
            self.push_allow_events(headers);
        }
        headers.put(HeaderName::Server, &self.config.user_agent);
    }

    fn preloaded_routes(&self) -> Vec<String> {
        match self.registrar.service_route() {
            Some(route) => route.to_vec(),
            None => self.configured_routes(),
        }
    }

    pub(super) fn configured_routes(&self) -> Vec<String> {
        let routes = self.config.route_set.iter();
        routes.map(|route| format!("<{route}>")).collect()
    }
}

/// RFC 3323 §4.1.1.3.
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// Our Contact's URI: the user of our address of record, or another, at the host that the configuration names, else at our
/// end of the flow, else at `host`, a name of hexadecimal digits that is nobody's.
pub(super) fn contact_uri(
    config: &EndpointConfig,
    user: Option<&str>,
    host: &str,
    flow: Option<&Flow>,
) -> Uri<'static> {
    let end = flow.and_then(Flow::place);
    let end = end.map(|(host, port)| (host, Some(port)));
    let named = config.contact_host.clone().or(end);
    let (named, port) = named.unwrap_or_else(|| (host.to_owned(), None));
    let bare = Uri::sip(user, &named, port)
        .or_else(|_| Uri::sip(user, host, None))
        .expect("a user is escaped, and a name of hexadecimal digits is a host");
    match contact_transport(config, flow) {
        Some(transport) => bare.with_param("transport", transport).unwrap_or(bare),
        None => bare,
    }
}

fn contact_transport<'a>(config: &'a EndpointConfig, flow: Option<&Flow>) -> Option<&'a str> {
    match flow.map(|flow| flow.transport) {
        None | Some(Transport::Ws | Transport::Wss) => config.contact_transport.as_deref(),
        // The usual one.
        Some(Transport::Udp) => None,
        Some(transport @ (Transport::Tcp | Transport::Tls)) => Some(transport.uri_token()),
    }
}

/// A Call-ID: nobody draws it twice.
pub(super) fn long_id(rng: &mut impl Rng) -> String {
    format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64())
}

/// The registrar: as configured, else the domain of our address of record (RFC 3261 §10.2).
pub(super) fn registrar(config: &EndpointConfig) -> Uri<'static> {
    let aor = &config.aor;
    let domain = || {
        let bare = Uri::sip(None, aor.host_text(), aor.port()).ok()?;
        match aor.scheme() {
            Scheme::Sips => format!("sips{}", bare.as_str().trim_start_matches("sip"))
                .parse()
                .ok(),
            Scheme::Sip | Scheme::Tel | Scheme::Other => Some(bare),
        }
    };
    let configured = config.registrar.clone();
    configured.or_else(domain).unwrap_or_else(|| aor.clone())
}

/// The hosts of our own platform.
pub(super) fn domains(config: &EndpointConfig) -> Vec<String> {
    let uris = [Some(&config.aor), config.registrar.as_ref()];
    let named = uris.into_iter().flatten().chain(&config.route_set);
    let hosts = named.map(|uri| uri.host_text().to_owned());
    let all = hosts.chain(config.domains.iter().cloned());
    all.filter(|host| !host.is_empty()).collect()
}

pub(super) fn name_addr(display: Option<&str>, uri: &Uri<'_>) -> String {
    let address = NameAddr::new(uri.reborrow());
    address
        .with_display(display.unwrap_or_default())
        .to_string()
}

pub(super) fn with_body(request: Request, body: Option<&Body>) -> Request {
    let mut request = request;
    if let Some(body) = body {
        let checked = request.set_body(&body.content_type, body.bytes.clone());
        debug_assert!(checked.is_ok(), "every command checks its body first");
    }
    request
}

pub(super) fn push_all(headers: &mut Headers, all: &[(String, String)]) {
    for (name, value) in all {
        headers.put(name.as_str(), value);
    }
}

pub(super) fn set_to_tag(response: &mut Response, tag: &str) {
    let to = response.headers().to().ok();
    let Some(mut to) = to.filter(|to| to.tag().is_none()).map(To::into_owned) else {
        return;
    };
    to.set_tag(tag);
    response.headers_mut().replace_typed(&to);
}

pub(super) fn join(methods: &[Method]) -> String {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    names.join(", ")
}

/// Says whether the caller may add this header, and that it stays one line.
pub(super) fn check_headers(headers: &[(String, String)]) -> Result<(), CommandError> {
    let bad = headers.iter().find(|(name, value)| {
        is_ours(name) || Headers::default().push(name.as_str(), value).is_err()
    });
    match bad {
        Some((name, _)) => Err(CommandError::Header {
            name: name.chars().take(64).collect(),
        }),
        None => Ok(()),
    }
}

pub(super) fn check_reply(reply: &Reply) -> Result<(), CommandError> {
    check_headers(&reply.headers)?;
    check_body(reply.body.as_ref())?;
    let redirects = (300..400).contains(&reply.code);
    if !(101..=699).contains(&reply.code) || (reply.elsewhere.is_some() && !redirects) {
        return Err(CommandError::Code { code: reply.code });
    }
    match &reply.reason {
        Some(reason) if !is_one_line(reason) => Err(CommandError::Header {
            name: "reason phrase".into(),
        }),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn check_body(body: Option<&Body>) -> Result<(), CommandError> {
    match body {
        Some(body) if !is_one_line(&body.content_type) => Err(CommandError::Header {
            name: HeaderName::ContentType.as_str().into(),
        }),
        Some(_) | None => Ok(()),
    }
}

fn check_target(target: &Uri<'_>) -> Result<(), CommandError> {
    match target.scheme() {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => Ok(()),
        Scheme::Other => Err(CommandError::Target {
            scheme: target.scheme_name().chars().take(32).collect(),
        }),
    }
}

/// The longest value that an application may set: half of the largest message.
const MAX_VALUE: usize = 32 * 1024;

fn is_one_line(value: &str) -> bool {
    !value
        .bytes()
        .any(|byte| byte.is_ascii_control() && byte != b'\t')
        && value.len() <= MAX_VALUE
}

/// Headers that the stack writes itself.
fn is_ours(name: &str) -> bool {
    matches!(
        HeaderName::lookup(name),
        Some(
            HeaderName::Via
                | HeaderName::From
                | HeaderName::To
                | HeaderName::CallId
                | HeaderName::CSeq
                | HeaderName::Contact
                | HeaderName::MaxForwards
                | HeaderName::Route
                | HeaderName::RecordRoute
                | HeaderName::ContentLength
                | HeaderName::ContentType
                | HeaderName::Authorization
                | HeaderName::ProxyAuthorization
                | HeaderName::SessionExpires
                | HeaderName::MinSe
                | HeaderName::RSeq
                | HeaderName::RAck
        )
    )
}

fn is_refusal(status: StatusCode) -> bool {
    status.class() > 2
}

fn describes_us(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update | Method::Options)
}

/// Says whether a request of this method carries a Contact for its dialog.
fn makes_or_refreshes_dialog(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite | Method::Update | Method::Subscribe | Method::Notify | Method::Refer
    )
}
