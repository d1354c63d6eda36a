use serde::Serialize;

use crate::CheckStatus;
use CheckStatus::{Failed, Ok, Skipped, Warning};

macro_rules! codes {
    ($(#[doc = $doc:literal] $code:ident = $text:literal,)*) => {
        /// What was found, in a word that stays over versions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum CheckCode {
            $(#[doc = $doc] #[serde(rename = $text)] $code,)*
        }

        impl CheckCode {
            /// All of them.
            pub const ALL: &[CheckCode] = &[$(CheckCode::$code,)*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(CheckCode::$code => $text,)*
                }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(CheckCode::$code => $doc.trim_ascii(),)*
                }
            }
        }
    };
}

codes! {
    /// What comes before it has failed.
    NotTried = "not-tried",
    /// The options say that it is not wanted.
    NotWanted = "not-wanted",
    /// There is nothing to look at.
    NotGiven = "not-given",

    /// The server's name has addresses.
    DnsOk = "dns-ok",
    /// The server is named by its address.
    DnsAddress = "dns-address",
    /// The proxy looks the server's name up.
    DnsByProxy = "dns-by-proxy",
    /// The server's name has no address.
    DnsNotFound = "dns-not-found",
    /// No DNS server answers.
    DnsUnanswered = "dns-unanswered",

    /// The proxy opens a tunnel to the server.
    ProxyOk = "proxy-ok",
    /// The proxy's name has no address.
    ProxyNotFound = "proxy-not-found",
    /// The proxy's port is closed.
    ProxyRefused = "proxy-refused",
    /// There is no way to the proxy.
    ProxyUnreachable = "proxy-unreachable",
    /// The proxy does not answer, or not further.
    ProxyTimeout = "proxy-timeout",
    /// TLS with the proxy fails.
    ProxyTls = "proxy-tls",
    /// The proxy wants credentials, or others.
    ProxyCredentials = "proxy-credentials",
    /// The proxy does not allow the connection.
    ProxyForbidden = "proxy-forbidden",
    /// The proxy can't reach the server.
    ProxyServerUnreachable = "proxy-server-unreachable",
    /// What it says is none of a proxy's.
    ProxyNonsense = "proxy-nonsense",
    /// The `httpProxy` function failed, or names none.
    ProxyFunction = "proxy-function",

    /// The server takes connections.
    TcpOk = "tcp-ok",
    /// The proxy connects.
    TcpByProxy = "tcp-by-proxy",
    /// The server takes connections, but not at all of its addresses.
    TcpSomeAddresses = "tcp-some-addresses",
    /// The server's port is closed.
    TcpRefused = "tcp-refused",
    /// Nothing comes back.
    TcpTimeout = "tcp-timeout",
    /// There is no way to the server.
    TcpUnreachable = "tcp-unreachable",

    /// The certificate is trusted.
    TlsOk = "tls-ok",
    /// The connection has no TLS.
    TlsNone = "tls-none",
    /// The certificate is not checked.
    TlsUnchecked = "tls-unchecked",
    /// The certificate ends soon.
    TlsExpiresSoon = "tls-expires-soon",
    /// The certificate is for another name.
    TlsWrongName = "tls-wrong-name",
    /// The certificate has ended.
    TlsExpired = "tls-expired",
    /// The certificate is not valid yet.
    TlsNotYetValid = "tls-not-yet-valid",
    /// Nobody whom this machine trusts has signed the certificate.
    TlsUnknownAuthority = "tls-unknown-authority",
    /// The certificate is not trusted for another reason.
    TlsUntrusted = "tls-untrusted",
    /// The server's key is none of `tls.pin`.
    TlsPin = "tls-pin",
    /// The server wants a certificate of ours, or another.
    TlsClientCertificate = "tls-client-certificate",
    /// The port does not speak TLS.
    TlsNoTls = "tls-no-tls",
    /// The handshake fails.
    TlsFailed = "tls-failed",
    /// The handshake does not end.
    TlsTimeout = "tls-timeout",
    /// The `tls` options can't be used.
    TlsOptions = "tls-options",

    /// The server opens a WebSocket for SIP.
    WebsocketOk = "websocket-ok",
    /// The server wants credentials for that: HTTP 401, 403 or 407.
    WebsocketForbidden = "websocket-forbidden",
    /// There is nothing at the path: HTTP 404 or 410.
    WebsocketNotFound = "websocket-not-found",
    /// The server redirects: HTTP 3xx.
    WebsocketRedirected = "websocket-redirected",
    /// What is behind the server does not work: HTTP 5xx.
    WebsocketUnavailable = "websocket-unavailable",
    /// The server answers with another HTTP status.
    WebsocketRefused = "websocket-refused",
    /// The WebSocket is not for SIP.
    WebsocketNoSip = "websocket-no-sip",
    /// The answer is none of HTTP or WebSocket.
    WebsocketNonsense = "websocket-nonsense",
    /// The answer does not come.
    WebsocketTimeout = "websocket-timeout",
    /// The server closes instead of an answer.
    WebsocketClosed = "websocket-closed",

    /// The registrar takes the account.
    RegistrationOk = "registration-ok",
    /// The registrar does not take the password or token: 401 or 407.
    RegistrationCredentials = "registration-credentials",
    /// The registrar forbids: 403.
    RegistrationForbidden = "registration-forbidden",
    /// The registrar does not know the account: 404.
    RegistrationUnknown = "registration-unknown",
    /// The registrar can't at the moment: 5xx.
    RegistrationUnavailable = "registration-unavailable",
    /// The registrar refuses for another reason.
    RegistrationRefused = "registration-refused",
    /// The registrar does not answer.
    RegistrationTimeout = "registration-timeout",
    /// The connection was lost meanwhile.
    RegistrationLost = "registration-lost",

    /// The `iceServers` function failed, or gave no list of servers.
    IceFunction = "ice-function",

    /// The STUN server answers.
    StunOk = "stun-ok",
    /// The STUN server's name has no address.
    StunNotFound = "stun-not-found",
    /// The STUN server's port is closed.
    StunRefused = "stun-refused",
    /// The STUN server does not answer.
    StunTimeout = "stun-timeout",
    /// There is no way to the STUN server.
    StunUnreachable = "stun-unreachable",
    /// The STUN server refuses the question.
    StunError = "stun-error",
    /// The STUN server's URL can't be used.
    StunUnusable = "stun-unusable",

    /// The TURN server gives an address.
    TurnOk = "turn-ok",
    /// The TURN server's name has no address.
    TurnNotFound = "turn-not-found",
    /// The TURN server's port is closed.
    TurnRefused = "turn-refused",
    /// The TURN server does not answer.
    TurnTimeout = "turn-timeout",
    /// There is no way to the TURN server, directly or through the proxy.
    TurnUnreachable = "turn-unreachable",
    /// TLS with the TURN server fails.
    TurnTls = "turn-tls",
    /// The TURN server does not take the user's name or password: 401 or 441.
    TurnCredentials = "turn-credentials",
    /// The TURN server forbids: 403.
    TurnForbidden = "turn-forbidden",
    /// The user has as many addresses at the TURN server as may be: 486.
    TurnQuota = "turn-quota",
    /// The TURN server has no address left: 508.
    TurnFull = "turn-full",
    /// The TURN server refuses for another reason.
    TurnError = "turn-error",
    /// The TURN server's URL can't be used.
    TurnUnusable = "turn-unusable",

    /// Sound goes to the TURN server and back as it should.
    RelayOk = "relay-ok",
    /// Three packets of a hundred or more are lost on the way to the TURN server and back.
    RelayLossy = "relay-lossy",
    /// The way to the TURN server and back takes 300 ms or more.
    RelaySlow = "relay-slow",
    /// On the way to the TURN server and back the delay changes by 40 ms or more.
    RelayRestless = "relay-restless",
    /// Nothing comes back from the TURN server.
    RelaySilent = "relay-silent",
    /// The TURN server does not let us send to ourselves.
    RelayUnmeasured = "relay-unmeasured",

    /// UDP leaves the network, and comes back.
    UdpOk = "udp-ok",
    /// No server is reached by UDP, but a TURN server by TCP or TLS.
    UdpBlocked = "udp-blocked",
    /// No server is reached by UDP, and none otherwise.
    UdpUnanswered = "udp-unanswered",

    /// There is no NAT: servers see this machine's own address.
    NatNone = "nat-none",
    /// A NAT gives a socket one address for everybody (endpoint-independent mapping).
    NatOpen = "nat-open",
    /// A NAT gives a socket another address for each destination (symmetric), and there is a TURN server.
    NatSymmetricRelayed = "nat-symmetric-relayed",
    /// A NAT gives a socket another address for each destination (symmetric), and no TURN server works.
    NatSymmetric = "nat-symmetric",
    /// Too few servers have said where they see us.
    NatUnknown = "nat-unknown",

    /// The microphone gives sound.
    MicrophoneOk = "microphone-ok",
    /// There is no microphone, or not that one.
    MicrophoneNone = "microphone-none",
    /// Another program has the microphone to itself.
    MicrophoneBusy = "microphone-busy",
    /// The system forbids the microphone.
    MicrophoneDenied = "microphone-denied",
    /// The microphone opens, and gives nothing.
    MicrophoneSilent = "microphone-silent",
    /// The microphone does not open for another reason.
    MicrophoneFailed = "microphone-failed",

    /// The speaker takes sound.
    SpeakerOk = "speaker-ok",
    /// There is no speaker, or not that one.
    SpeakerNone = "speaker-none",
    /// Another program has the speaker to itself.
    SpeakerBusy = "speaker-busy",
    /// The system forbids the speaker.
    SpeakerDenied = "speaker-denied",
    /// The speaker opens, and takes nothing.
    SpeakerSilent = "speaker-silent",
    /// The speaker does not open for another reason.
    SpeakerFailed = "speaker-failed",

    /// The clock goes right.
    ClockOk = "clock-ok",
    /// The clock is half a minute to an hour off.
    ClockOff = "clock-off",
    /// The clock is an hour or more off.
    ClockWrong = "clock-wrong",
    /// No server has said what time it is.
    ClockUnknown = "clock-unknown",

    /// There is time for more calls than one.
    CpuOk = "cpu-ok",
    /// There is time for one call, and little more.
    CpuTight = "cpu-tight",
    /// There is no time for a call.
    CpuFull = "cpu-full",
}

impl CheckCode {
    /// How it is with something of which this was found.
    pub fn status(self) -> CheckStatus {
        self.verdict().0
    }

    /// What to do; none if there is nothing.
    pub fn advice(self) -> Option<&'static str> {
        Some(self.verdict().1).filter(|advice| !advice.is_empty())
    }

    fn verdict(self) -> (CheckStatus, &'static str) {
        match self {
            Self::NotTried => (Skipped, "Mend what has failed before it, then try again."),
            Self::NotWanted | Self::NotGiven => (Skipped, ""),
            Self::DnsOk
            | Self::ProxyOk
            | Self::TcpOk
            | Self::TlsOk
            | Self::WebsocketOk
            | Self::RegistrationOk
            | Self::StunOk
            | Self::TurnOk
            | Self::RelayOk
            | Self::UdpOk
            | Self::NatNone
            | Self::NatOpen
            | Self::NatSymmetricRelayed
            | Self::MicrophoneOk
            | Self::SpeakerOk
            | Self::ClockOk
            | Self::CpuOk => (Ok, ""),
            Self::DnsAddress | Self::DnsByProxy | Self::TcpByProxy => (Skipped, ""),
            Self::DnsNotFound => (
                Failed,
                "Look whether the server's name is right. If it is known inside a company only, connect its VPN.",
            ),
            Self::DnsUnanswered => (
                Failed,
                "This machine's DNS server does not answer: look at its network, at the VPN, and whether a browser finds that name.",
            ),
            Self::ProxyNotFound => (
                Failed,
                "Look whether the name of the proxy in httpProxy, or in the environment, is right.",
            ),
            Self::ProxyRefused => (
                Failed,
                "Nothing listens at the proxy's port: look whether host and port are right, and whether the proxy runs.",
            ),
            Self::ProxyUnreachable => (
                Failed,
                "This machine has no way to the proxy: look at its network and its VPN.",
            ),
            Self::ProxyTimeout => (
                Failed,
                "The proxy does not answer at that step: look whether host, port and scheme are right, or ask its administrator.",
            ),
            Self::ProxyTls => (
                Failed,
                "Give the authority of the proxy's certificate in tls.ca, or use http:// if the proxy has no TLS.",
            ),
            Self::ProxyCredentials => (
                Failed,
                "Give the proxy's user name and password in its URL: http://user:password@host:port, odd characters as %40.",
            ),
            Self::ProxyForbidden => (
                Failed,
                "The proxy's administrator has to allow CONNECT to that host and port.",
            ),
            Self::ProxyServerUnreachable => (
                Failed,
                "The proxy works, but does not reach the server: look whether the server's address is right and whether it runs.",
            ),
            Self::ProxyNonsense => (
                Failed,
                "What listens there is no such proxy: look at the port, and whether it is http://, https:// or socks5://.",
            ),
            Self::ProxyFunction => (
                Failed,
                "Mend the httpProxy function: it gives a proxy's URL, what a PAC script answers, or null, within 10 seconds.",
            ),
            Self::TcpSomeAddresses => (
                Warning,
                "Connecting takes longer than it has to: mend those addresses, often IPv6 that leads nowhere, or take them out of DNS.",
            ),
            Self::TcpRefused => (
                Failed,
                "Nothing listens at that port, or a firewall refuses it: look whether host and port are right, and whether the server runs.",
            ),
            Self::TcpTimeout => (
                Failed,
                "A firewall on the way drops the connection, or nothing is at that address: allow that host and port, or go through a proxy.",
            ),
            Self::TcpUnreachable => (
                Failed,
                "This machine has no way there: look at its network and its VPN.",
            ),
            Self::TlsNone => (
                Warning,
                "Use wss:// if the server has it: others on the way can read who calls whom.",
            ),
            Self::TlsUnchecked => (
                Warning,
                "Leave tls.rejectUnauthorized out, and give the authority of the certificate in tls.ca: anybody on the way could be the server.",
            ),
            Self::TlsExpiresSoon => (
                Warning,
                "Have the server's certificate renewed before it ends.",
            ),
            Self::TlsWrongName => (
                Failed,
                "Use a name of the certificate in the URL, or give it in tls.servername.",
            ),
            Self::TlsExpired => (
                Failed,
                "The server's administrator has to renew the certificate. If it should be valid, look at this machine's clock.",
            ),
            Self::TlsNotYetValid => (
                Failed,
                "Look whether this machine's clock is right; else the server's administrator has to wait or to take another certificate.",
            ),
            Self::TlsUnknownAuthority => (
                Failed,
                "Give the authority's certificate (PEM) in tls.ca. If you don't know that authority, somebody may read along.",
            ),
            Self::TlsUntrusted => (
                Failed,
                "The server's administrator has to take another certificate.",
            ),
            Self::TlsPin => (
                Failed,
                "If the server's key was changed, give the new one in tls.pin. If it was not, somebody is between.",
            ),
            Self::TlsClientCertificate => {
                (Failed, "Give tls.cert and tls.key that the server knows.")
            }
            Self::TlsNoTls => (
                Failed,
                "Look at the port, and whether the address begins with ws:// instead of wss://.",
            ),
            Self::TlsFailed => (
                Failed,
                "Look whether that port is the one of the SIP server, and whether something on the way inspects TLS.",
            ),
            Self::TlsTimeout => (
                Failed,
                "The server, or something on the way, takes the connection and says nothing: look whether that port is the one of the SIP server.",
            ),
            Self::TlsOptions => (Failed, "Mend that member of the option tls."),
            Self::WebsocketForbidden => (
                Failed,
                "Look whether the URL needs a token in its query, and whether the server allows this client.",
            ),
            Self::WebsocketNotFound => (
                Failed,
                "Look at the path of the server's URL: often it is /ws, /sip or nothing.",
            ),
            Self::WebsocketRedirected => (
                Failed,
                "Use the address that it redirects to, if that is your server's: redirections are not followed. On a hotel's network, sign in with a browser first.",
            ),
            Self::WebsocketUnavailable => (
                Failed,
                "A server in front of the SIP server answers, but that does not work: ask its administrator.",
            ),
            Self::WebsocketRefused => (
                Failed,
                "Look whether that is the URL of a SIP server's WebSocket.",
            ),
            Self::WebsocketNoSip => (
                Failed,
                "That WebSocket is not one of a SIP server (RFC 7118): look at the path of the URL.",
            ),
            Self::WebsocketNonsense => (
                Failed,
                "Another service is at that port, or something on the way breaks WebSockets: look at the port, or use wss://.",
            ),
            Self::WebsocketTimeout => (
                Failed,
                "The server, or something on the way, does not answer the request: look whether that port is the one of the SIP server, or use wss://.",
            ),
            Self::WebsocketClosed => (
                Failed,
                "The server, or something on the way, closes the connection: look whether that port is the one of the SIP server.",
            ),
            Self::RegistrationCredentials => (
                Failed,
                "Look whether uri, username and the password or token are those of this server.",
            ),
            Self::RegistrationForbidden => (
                Failed,
                "The account may not register, or not from here: ask the server's administrator. Some servers say so of a wrong password.",
            ),
            Self::RegistrationUnknown => (
                Failed,
                "The server does not know that account: look whether uri is right.",
            ),
            Self::RegistrationUnavailable => (
                Failed,
                "The registrar does not work at the moment: try later, or ask the server's administrator.",
            ),
            Self::RegistrationRefused => (
                Failed,
                "Ask the server's administrator what its answer means.",
            ),
            Self::RegistrationTimeout => (
                Failed,
                "The WebSocket works, but no registrar answers behind it: look whether the domain of uri is the server's, or ask its administrator.",
            ),
            Self::RegistrationLost => (
                Failed,
                "The server closes the connection when it is asked to register: ask its administrator.",
            ),
            Self::ClockOff => (
                Warning,
                "Set this machine's clock, best by the network (NTP): tokens and certificates go by it.",
            ),
            Self::ClockWrong => (
                Failed,
                "Set this machine's clock and time zone: tokens and certificates are taken for expired or not yet valid.",
            ),
            Self::ClockUnknown => (Skipped, ""),
            Self::StunNotFound => (
                Failed,
                "Look whether the STUN server's name is right, and whether this machine's DNS knows it.",
            ),
            Self::IceFunction => (
                Failed,
                "Mend the iceServers function: it gives an array of { urls, username, credential, expires } within 2 seconds.",
            ),
            Self::StunRefused => (
                Failed,
                "No STUN server runs at that port: look at the port in iceServers, usually 3478.",
            ),
            Self::StunTimeout => (
                Failed,
                "The STUN server is down, or a firewall drops UDP to it: look at its address, and allow UDP to its port.",
            ),
            Self::StunUnreachable => (
                Failed,
                "This machine has no route to any of its addresses: look at its network, and whether it has IPv4, IPv6 or both.",
            ),
            Self::StunError => (
                Failed,
                "Look whether that is a STUN server that serves strangers.",
            ),
            Self::StunUnusable => (
                Failed,
                "Write it as stun:host or stun:host:port in iceServers.",
            ),
            Self::TurnNotFound => (
                Failed,
                "Look whether the TURN server's name is right, and whether this machine's DNS knows it.",
            ),
            Self::TurnRefused => (
                Failed,
                "No TURN server runs at that port, or not over that transport: look at the port in iceServers, usually 3478, with TLS 5349 or 443.",
            ),
            Self::TurnTimeout => (
                Failed,
                "The TURN server is down, or a firewall drops what goes to it: look at its address, allow its port, or name it as turns: on port 443.",
            ),
            Self::TurnUnreachable => (
                Failed,
                "Look at this machine's network, and whether httpProxy may connect to the TURN server's port.",
            ),
            Self::TurnTls => (
                Failed,
                "Give the authority of the TURN server's certificate in tls.ca, and name the server as its certificate does.",
            ),
            Self::TurnCredentials => (
                Failed,
                "Look at username and credential of that server in iceServers: credentials for a limited time may have run out.",
            ),
            Self::TurnForbidden => (
                Failed,
                "The TURN server's administrator has to allow this user, or this network.",
            ),
            Self::TurnQuota => (
                Failed,
                "End other calls of that user, wait ten minutes for those that were lost, or have the TURN server's quota raised.",
            ),
            Self::TurnFull => (
                Failed,
                "The TURN server has no ports left: its administrator has to give it more.",
            ),
            Self::TurnError => (
                Failed,
                "Ask the TURN server's administrator what its answer means.",
            ),
            Self::TurnUnusable => (
                Failed,
                "Write it as turn:host:port, turn:host:port?transport=tcp or turns:host:port in iceServers, with username and credential.",
            ),
            Self::RelayLossy => (
                Warning,
                "Sound will have gaps: use a cable instead of Wi-Fi, end what fills the line, or take a TURN server that is nearer.",
            ),
            Self::RelaySlow => (
                Warning,
                "Both will talk at the same time: take a TURN server that is nearer, or leave the VPN.",
            ),
            Self::RelayRestless => (
                Warning,
                "Sound will come late: use a cable instead of Wi-Fi, and end what fills the line.",
            ),
            Self::RelaySilent => (
                Failed,
                "The TURN server gives addresses and relays nothing: its administrator has to open its range of ports (min-port to max-port).",
            ),
            Self::RelayUnmeasured => (Skipped, ""),
            Self::UdpBlocked => (
                Warning,
                "Calls go by TCP, which is worse for sound: allow UDP to the TURN server's port if you can.",
            ),
            Self::UdpUnanswered => (
                Failed,
                "Allow UDP to the servers in iceServers, or name a TURN server by TLS: turns:host:443.",
            ),
            Self::NatSymmetric => (
                Warning,
                "Name a TURN server in iceServers: others behind such a NAT can't be reached without.",
            ),
            Self::NatUnknown => (
                Skipped,
                "Name two STUN or TURN servers in iceServers, or one that has a second address (RFC 5780).",
            ),
            Self::MicrophoneNone => (
                Failed,
                "Connect a microphone, choose one in the system's settings, or look at its id in audio.input.",
            ),
            Self::MicrophoneBusy => (
                Failed,
                "Close the program that uses the microphone, or take another one.",
            ),
            Self::MicrophoneDenied => (
                Failed,
                "Allow this program the microphone in the system's privacy settings; on Linux the user must be in the group audio.",
            ),
            Self::MicrophoneSilent => (
                Failed,
                "Plug the microphone in anew, or restart the system's sound server.",
            ),
            Self::MicrophoneFailed => (Failed, "Plug the microphone in anew, or take another one."),
            Self::SpeakerNone => (
                Failed,
                "Connect a speaker, choose one in the system's settings, or look at its id in audio.output.",
            ),
            Self::SpeakerBusy => (
                Failed,
                "Close the program that uses the speaker, or take another one.",
            ),
            Self::SpeakerDenied => (
                Failed,
                "Allow this program the speaker; on Linux the user must be in the group audio.",
            ),
            Self::SpeakerSilent => (
                Failed,
                "Plug the speaker in anew, or restart the system's sound server.",
            ),
            Self::SpeakerFailed => (Failed, "Plug the speaker in anew, or take another one."),
            Self::CpuTight => (
                Warning,
                "End other programs, or take codecs that cost less, such as PCMU.",
            ),
            Self::CpuFull => (
                Failed,
                "Sound would be torn: end what keeps the processor busy, or take another machine.",
            ),
        }
    }
}
