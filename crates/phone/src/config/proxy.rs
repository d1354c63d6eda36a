use sip::transaction::Transport;
use tunnel::{BadVariable, Environment, Proxy, Route};

use super::error::ConfigError;
use super::options::ProxyOption;
use super::server::Server;

const EXPECTED: &str = "a proxy's URL such as 'http://user:password@proxy.example.com:3128', 'https://…' or 'socks5://…'";

/// The proxy of the WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpProxy {
    /// None.
    Direct,
    /// This one.
    Through(Proxy),
    /// What the environment names, and what that is for each of the `servers`, in their order.
    Environment(Box<Environment>, Vec<Route>),
    /// What the application's function names for each attempt.
    Function,
}

impl HttpProxy {
    pub(super) fn read(
        option: Option<ProxyOption>,
        servers: &[Server],
    ) -> Result<Self, ConfigError> {
        let wrong = |got: String| ConfigError::new("httpProxy", EXPECTED, got);
        let is_given = matches!(option, Some(ProxyOption::Url(_) | ProxyOption::Function));
        if is_given && let Some(server) = servers.iter().find(|server| is_udp(server)) {
            return Err(ConfigError::new(
                "servers",
                "over WebSocket, TCP or TLS if there is an httpProxy, which takes no UDP",
                format!("'{server}'"),
            ));
        }
        match option {
            None | Some(ProxyOption::Direct) => Ok(Self::Direct),
            Some(ProxyOption::Function) => Ok(Self::Function),
            Some(ProxyOption::Url(url)) => {
                let proxy = url.reveal().parse().map(Self::Through);
                proxy.map_err(|bad: tunnel::BadProxy| wrong(bad.to_string()))
            }
            Some(ProxyOption::Environment(variables)) => {
                let environment = Environment::read(&variables);
                let routes = servers.iter().map(|server| named(&environment, server));
                let routes: Result<_, BadVariable> = routes.collect();
                routes
                    .map(|routes| Self::Environment(Box::new(environment), routes))
                    .map_err(|bad| wrong(format!("'environment', and {bad}")))
            }
        }
    }

    /// The way to one of the `servers`; none if the application is to be asked.
    pub fn route_to(&self, server: usize) -> Option<Route> {
        match self {
            Self::Direct => Some(Route::Direct),
            Self::Through(proxy) => Some(Route::Through(proxy.clone())),
            Self::Environment(_, routes) => routes.get(server).cloned(),
            Self::Function => None,
        }
    }

    /// The way of a stream to another place, such as a TURN server; none if the application was asked, and what it said for
    /// the WebSocket counts. An error if the environment's variable names no proxy.
    pub fn route_for(
        &self,
        secure: bool,
        host: &str,
        port: u16,
    ) -> Result<Option<Route>, BadVariable> {
        match self {
            Self::Direct => Ok(Some(Route::Direct)),
            Self::Through(proxy) => Ok(Some(Route::Through(proxy.clone()))),
            Self::Environment(environment, _) => {
                let found = environment.proxy_for(secure, host, port)?;
                Ok(Some(found.cloned().map_or(Route::Direct, Route::Through)))
            }
            Self::Function => Ok(None),
        }
    }
}

fn is_udp(server: &Server) -> bool {
    server.transport == Transport::Udp
}

fn named(environment: &Environment, server: &Server) -> Result<Route, BadVariable> {
    if is_udp(server) {
        return Ok(Route::Direct);
    }
    let found = environment.proxy_for(server.is_secure(), &server.host, server.port)?;
    Ok(found.cloned().map_or(Route::Direct, Route::Through))
}
