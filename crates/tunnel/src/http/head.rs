use crate::TunnelFault;

/// Proxies that explain themselves at length stay far below.
const LONGEST: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;
/// What every answer of a proxy begins with.
const BEGINNING: &[u8] = b"HTTP/1.";

/// What matters of an answer's head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    /// The values of `Proxy-Authenticate`, as they are.
    pub(super) challenges: Vec<String>,
    /// How long the body is, if that is known and the connection lives on after it.
    pub(super) body: Option<usize>,
}

/// What a proxy sends, until its heads are read.
#[derive(Debug, Default)]
pub(super) struct Heads {
    octets: Vec<u8>,
    /// No head ends before this.
    searched: usize,
}

impl Heads {
    pub(super) fn add(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// The next head that is complete.
    pub(super) fn next(&mut self) -> Result<Option<Head>, TunnelFault> {
        let known = self.octets.len().min(BEGINNING.len());
        if self.octets[..known] != BEGINNING[..known] {
            return Err(TunnelFault::NotHttp);
        }
        let Some(end) = self.end() else {
            return match self.octets.len() > LONGEST {
                true => Err(TunnelFault::Endless),
                false => Ok(None),
            };
        };
        if end > LONGEST {
            return Err(TunnelFault::Endless);
        }
        let rest = self.octets.split_off(end);
        let head = std::mem::replace(&mut self.octets, rest);
        self.searched = 0;
        read(&head).map(Some)
    }

    /// What came behind the last head.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        self.searched = 0;
        std::mem::take(&mut self.octets)
    }

    /// Where the head ends: behind an empty line. What was searched is not searched again, so that slow octets cost no more.
    fn end(&mut self) -> Option<usize> {
        let octets = &self.octets;
        let from = self.searched;
        for (at, octet) in octets.iter().enumerate().skip(from) {
            let ends_line = |rest: &[u8]| rest.ends_with(b"\n") || rest.ends_with(b"\n\r");
            if *octet == b'\n' && ends_line(&octets[..at]) {
                return Some(at + 1);
            }
        }
        self.searched = octets.len();
        None
    }
}

fn read(octets: &[u8]) -> Result<Head, TunnelFault> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(octets) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(TunnelFault::NotHttp),
        Err(httparse::Error::TooManyHeaders) => return Err(TunnelFault::Endless),
        Err(_) => return Err(TunnelFault::NotHttp),
    }
    let values = |name: &'static str| {
        let named = response.headers.iter();
        named
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .filter_map(|header| std::str::from_utf8(header.value).ok())
    };
    let is_old = response.version != Some(1);
    let closes = ["Connection", "Proxy-Connection"].into_iter().any(|name| {
        let mut words = values(name).flat_map(|value| value.split(','));
        words.any(|word| word.trim().eq_ignore_ascii_case("close"))
    });
    let mut lengths = values("Content-Length").map(length);
    let length = match (lengths.next(), lengths.next()) {
        (Some(length), None) => length,
        (Some(_), Some(_)) | (None, _) => None,
    };
    let is_chunked = values("Transfer-Encoding").next().is_some();
    Ok(Head {
        status: response.code.ok_or(TunnelFault::NotHttp)?,
        challenges: values("Proxy-Authenticate").map(str::to_owned).collect(),
        body: length.filter(|_| !is_old && !closes && !is_chunked),
    })
}

fn length(value: &str) -> Option<usize> {
    let digits = value.trim();
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}
