//! SOCKS5 (RFC 1928) with user name and password (RFC 1929).

use std::net::IpAddr;

use crate::{Login, Output, Target, TunnelFault};

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const NO_LOGIN: u8 = 0;
const BY_LOGIN: u8 = 2;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// The client's side of one connection.
#[derive(Debug)]
pub(crate) struct Socks {
    target: Target,
    login: Option<Login>,
    /// What has come and is not read yet; a reply has 262 octets at most.
    octets: Vec<u8>,
    send: Option<Vec<u8>>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The method that the proxy chooses is awaited.
    Choosing,
    /// What it says to the credentials is awaited.
    LoggingIn,
    /// What it says to the request is awaited.
    Asking,
    Open,
}

impl Socks {
    pub(crate) fn new(target: &Target, login: Option<Login>) -> Self {
        let greeting = match login {
            None => vec![VERSION, 1, NO_LOGIN],
            Some(_) => vec![VERSION, 2, NO_LOGIN, BY_LOGIN],
        };
        Self {
            target: target.clone(),
            login,
            octets: Vec::new(),
            send: Some(greeting),
            state: State::Choosing,
        }
    }

    pub(crate) fn poll_output(&mut self) -> Output {
        match (self.send.take(), self.state) {
            (Some(octets), _) => Output::Transmit(octets),
            (None, State::Open) => Output::Open(std::mem::take(&mut self.octets)),
            (None, State::Choosing | State::LoggingIn | State::Asking) => Output::Wait,
        }
    }

    pub(crate) fn handle_octets(&mut self, octets: &[u8]) -> Result<(), TunnelFault> {
        self.octets.extend_from_slice(octets);
        match self.state {
            State::Choosing => self.chosen(),
            State::LoggingIn => self.logged_in(),
            State::Asking => self.answered(),
            State::Open => Ok(()),
        }
    }

    /// RFC 1928 §3.
    fn chosen(&mut self) -> Result<(), TunnelFault> {
        let Some([version, method]) = self.take() else {
            return self.expect_version(VERSION);
        };
        if version != VERSION {
            return Err(TunnelFault::NotSocks);
        }
        match (method, &self.login) {
            (NO_LOGIN, _) => {
                self.ask();
                Ok(())
            }
            (BY_LOGIN, Some(login)) => {
                self.send = Some(credentials(login));
                self.state = State::LoggingIn;
                Ok(())
            }
            (NO_METHOD, login) => Err(TunnelFault::NoMethod {
                had_login: login.is_some(),
            }),
            (_, _) => Err(TunnelFault::NotSocks),
        }
    }

    /// RFC 1929 §2. Some answer with the version of SOCKS.
    fn logged_in(&mut self) -> Result<(), TunnelFault> {
        match self.take() {
            None => Ok(()),
            Some([LOGIN_VERSION | VERSION, 0]) => {
                self.ask();
                Ok(())
            }
            Some([LOGIN_VERSION | VERSION, _]) => Err(TunnelFault::LoginRefused),
            Some([_, _]) => Err(TunnelFault::NotSocks),
        }
    }

    /// RFC 1928 §6.
    fn answered(&mut self) -> Result<(), TunnelFault> {
        let [version, reply, _, kind] = match self.octets.first_chunk() {
            Some(head) => *head,
            None => return self.expect_version(VERSION),
        };
        if version != VERSION {
            return Err(TunnelFault::NotSocks);
        }
        if reply != 0 {
            return Err(self.refusal(reply));
        }
        let address = match kind {
            IPV4 => 4,
            IPV6 => 16,
            NAME => match self.octets.get(4) {
                Some(length) => 1 + usize::from(*length),
                None => return Ok(()),
            },
            _ => return Err(TunnelFault::NotSocks),
        };
        let length = 4 + address + 2;
        if self.octets.len() >= length {
            // What follows came out of the tunnel.
            self.octets.drain(..length);
            self.state = State::Open;
        }
        Ok(())
    }

    fn ask(&mut self) {
        self.send = Some(request(&self.target));
        self.state = State::Asking;
    }

    /// The next two octets, if they are there.
    fn take(&mut self) -> Option<[u8; 2]> {
        let both = *self.octets.first_chunk()?;
        self.octets.drain(..2);
        Some(both)
    }

    fn expect_version(&self, version: u8) -> Result<(), TunnelFault> {
        match self.octets.first() {
            Some(first) if *first != version => Err(TunnelFault::NotSocks),
            Some(_) | None => Ok(()),
        }
    }

    fn refusal(&self, reply: u8) -> TunnelFault {
        let target = self.target.to_string();
        let why = match reply {
            2 => return TunnelFault::Forbidden { target },
            3 => "it has no way to that network",
            4 => "it does not find or reach that host",
            5 => "the connection was refused; is the server running, and on that port?",
            6 => "the connection timed out on its way",
            7 => {
                let why = "it does not know how to connect";
                return TunnelFault::Incapable { target, why };
            }
            8 => {
                let why = "it can't use this kind of address";
                return TunnelFault::Incapable { target, why };
            }
            1 => "it does not say why",
            _ => return TunnelFault::NotSocks,
        };
        TunnelFault::Beyond { target, why }
    }
}

/// RFC 1929 §2; a URL with longer ones was refused when it was read.
fn credentials(login: &Login) -> Vec<u8> {
    let mut octets = vec![LOGIN_VERSION];
    for text in [&login.username, &login.password] {
        octets.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        octets.extend(text.bytes().take(usize::from(u8::MAX)));
    }
    octets
}

/// RFC 1928 §4 and §5.
fn request(target: &Target) -> Vec<u8> {
    let mut octets = vec![VERSION, CONNECT, 0];
    match target.host().parse() {
        Ok(IpAddr::V4(address)) => {
            octets.push(IPV4);
            octets.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            octets.push(IPV6);
            octets.extend(address.octets());
        }
        Err(_) => {
            octets.push(NAME);
            octets.push(u8::try_from(target.host().len()).unwrap_or(u8::MAX));
            octets.extend(target.host().bytes());
        }
    }
    octets.extend(target.port().to_be_bytes());
    octets
}
