//! Who the phone is, in the words of the SIP endpoint.

use sip::auth;
use sip::endpoint::{EndpointConfig, Redirects};
use sip::message::Method;
use sip::uri::Uri;

use crate::config::{Authorization, Config, ContactTransport, Credentials, Server};

pub(crate) fn endpoint_config(config: &Config, instance_id: &str) -> EndpointConfig {
    let aor: Uri<'static> = config
        .address
        .to_string()
        .parse()
        .expect("the configuration's address was parsed as a URI before");
    let mut extra_headers = config.extra_headers.clone();
    if let Some(org) = &config.org_id {
        extra_headers.push(("X-Organization-Id".into(), org.clone()));
    }
    let base = EndpointConfig::new(aor, format!("urn:uuid:{instance_id}"));
    let ours = ["replaces", "norefersub"].map(str::to_owned);
    let supported = base.supported.iter().cloned().chain(ours).collect();
    EndpointConfig {
        display_name: config.display_name.clone(),
        contact_transport: config.contact_transport.map(|transport| {
            match transport {
                ContactTransport::Ws => "ws",
                ContactTransport::Wss => "wss",
            }
            .into()
        }),
        contact_host: config.contact_host.clone(),
        user_agent: config.user_agent.clone(),
        credentials: credentials(config, &config.credentials),
        awaits_credentials: config.credentials.may_be_replaced(),
        extra_headers,
        domains: config.servers.iter().map(host).collect(),
        route_set: config
            .outbound_proxy
            .iter()
            .filter_map(|uri| uri.parse().ok())
            .collect(),
        allow: allowed(config),
        event_packages: config.notifies.clone(),
        supported,
        session_timers: config.session_timers,
        register_expires: config.register_expires,
        redirects: match config.follow_redirects {
            true => Redirects::default(),
            false => Redirects::Report,
        },
        ..base
    }
}

/// The host of a server as a URI names it.
fn host(server: &Server) -> String {
    match server.host.contains(':') {
        true => format!("[{}]", server.host),
        false => server.host.clone(),
    }
}

fn allowed(config: &Config) -> Vec<Method> {
    let mut allowed = vec![
        Method::Invite,
        Method::Ack,
        Method::Cancel,
        Method::Bye,
        Method::Options,
        Method::Info,
        Method::Update,
        Method::Notify,
        Method::Prack,
        Method::Refer,
        Method::Message,
    ];
    if !config.notifies.is_empty() {
        allowed.push(Method::Subscribe);
    }
    allowed
}

/// What challenges are answered with.
pub(crate) fn credentials(config: &Config, credentials: &Credentials) -> Option<auth::Credentials> {
    let made =
        match credentials {
            Credentials::None => return None,
            Credentials::Password {
                username,
                realms,
                password,
                ..
            } => auth::Credentials::password(username, password.reveal()).map(|credentials| {
                match realms.is_empty() {
                    true => credentials,
                    false => credentials.only(realms.clone()),
                }
            }),
            Credentials::Ha1 {
                username,
                realm,
                ha1,
            } => auth::Secret::ha1(ha1.reveal())
                .and_then(|secret| auth::Credentials::new(username, secret))
                .map(|credentials| credentials.only(vec![realm.clone()])),
            Credentials::Token { realms, token, .. } => {
                auth::Credentials::bearer(token.reveal(), realms.clone()).map(|credentials| {
                    match config.authorization {
                        Authorization::Always => credentials.unasked(),
                        Authorization::Challenge => credentials,
                    }
                })
            }
        };
    // What can't be used was refused when the configuration was made, or the token replaced.
    made.ok()
}
