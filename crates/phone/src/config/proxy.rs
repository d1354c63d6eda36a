use tunnel::{Environment, Proxy, Route};

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
    /// What the environment names for a server.
    Environment(Environment),
    /// What the application's function names for each attempt.
    Function,
}

impl HttpProxy {
    pub(super) fn read(option: Option<ProxyOption>) -> Result<Self, ConfigError> {
        let wrong = |got: String| ConfigError::new("httpProxy", EXPECTED, got);
        match option {
            None | Some(ProxyOption::Direct) => Ok(Self::Direct),
            Some(ProxyOption::Function) => Ok(Self::Function),
            Some(ProxyOption::Url(url)) => {
                let proxy = url.reveal().parse().map(Self::Through);
                proxy.map_err(|bad: tunnel::BadProxy| wrong(bad.to_string()))
            }
            Some(ProxyOption::Environment(variables)) => {
                let read = Environment::read(&variables).map(Self::Environment);
                read.map_err(|bad| wrong(format!("'environment', and {bad}")))
            }
        }
    }

    /// The way to a server; none if the application is to be asked.
    pub(crate) fn route_to(&self, server: &Server) -> Option<Route> {
        match self {
            Self::Direct => Some(Route::Direct),
            Self::Through(proxy) => Some(Route::Through(proxy.clone())),
            Self::Environment(environment) => {
                let found = environment.proxy_for(server.secure, &server.host, server.port);
                Some(found.map_or(Route::Direct, |proxy| Route::Through(proxy.clone())))
            }
            Self::Function => None,
        }
    }
}
