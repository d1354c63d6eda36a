//! Asks PulseAudio, or PipeWire in its place, what the default devices are: ALSA names them all `default`.
//!
//! One question over the server's local socket, in its native protocol: a packet is a header of five numbers and
//! values that say their kind, all big-endian. Nothing is changed and nobody is waited for longer than a moment.

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default devices; nothing if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServerDefaults {
    pub(super) input: Option<ServerDevice>,
    pub(super) output: Option<ServerDevice>,
}

/// A device of the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerDevice {
    /// The server's own, of which there are no two.
    pub(super) name: String,
    /// What to show a person.
    pub(super) description: String,
}

/// A local server answers within a millisecond.
const PATIENCE: Duration = Duration::from_millis(500);
/// No answer that is read here comes near to it.
const LONGEST: usize = 1 << 16;
/// Version 13 of the protocol (PulseAudio 0.9.15): clients have properties.
const VERSION: u32 = 13;
const COOKIE: usize = 256;

const REPLY: u32 = 2;
const AUTH: u32 = 8;
const SET_CLIENT_NAME: u32 = 9;
const GET_SERVER_INFO: u32 = 20;
const GET_SINK_INFO: u32 = 21;
const GET_SOURCE_INFO: u32 = 23;
/// A channel, or an index, that is none.
const NONE: u32 = u32::MAX;

/// The defaults of the server that this process would play through, if there is one.
pub(super) fn server_defaults() -> Option<ServerDefaults> {
    ask(&socket()?).ok()
}

fn ask(socket: &Path) -> io::Result<ServerDefaults> {
    let mut server = Server::connect(socket)?;
    server.request(AUTH, Writer::default().number(VERSION).bytes(&cookie()).0)?;
    server.request(SET_CLIENT_NAME, Writer::default().no_properties().0)?;
    let info = server.request(GET_SERVER_INFO, Vec::new())?;
    let mut info = Reader(&info).skip_strings(4)?;
    info.sample_spec()?;
    let (sink, source) = (info.string()?, info.string()?);
    Ok(ServerDefaults {
        output: server.describe(GET_SINK_INFO, sink),
        input: server.describe(GET_SOURCE_INFO, source),
    })
}

fn socket() -> Option<PathBuf> {
    if let Some(servers) = env::var_os("PULSE_SERVER") {
        // `{machine}unix:/path`, `unix:/path` or `/path`, and others that are not local.
        let servers = servers.into_string().ok()?;
        return servers.split_whitespace().find_map(|server| {
            let server = server.rsplit_once('}').map_or(server, |(_, rest)| rest);
            let path = server.strip_prefix("unix:").unwrap_or(server);
            path.starts_with('/').then(|| path.into())
        });
    }
    let folder = |name| env::var_os(name).map(PathBuf::from);
    let runtime = folder("PULSE_RUNTIME_PATH")
        .or_else(|| folder("XDG_RUNTIME_DIR").map(|folder| folder.join("pulse")))?;
    Some(runtime.join("native"))
}

/// What shows the server that this is the same user.
fn cookie() -> Vec<u8> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let at_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let mut cookie = [
        env::var_os("PULSE_COOKIE").map(PathBuf::from),
        at_home(".config/pulse/cookie"),
        at_home(".pulse-cookie"),
    ]
    .into_iter()
    .flatten()
    .find_map(|path| fs::read(path).ok())
    .unwrap_or_default();
    cookie.resize(COOKIE, 0);
    cookie
}

struct Server {
    stream: UnixStream,
    requests: u32,
}

impl Server {
    fn connect(socket: &Path) -> io::Result<Server> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Server {
            stream,
            requests: 0,
        })
    }

    /// Sends a command and returns the values of its reply.
    fn request(&mut self, command: u32, values: Vec<u8>) -> io::Result<Vec<u8>> {
        self.requests += 1;
        let number = self.requests;
        let mut payload = Writer::default().number(command).number(number).0;
        payload.extend(values);
        let mut packet = Vec::new();
        for word in [payload.len() as u32, NONE, 0, 0, 0] {
            packet.extend(word.to_be_bytes());
        }
        packet.extend(payload);
        self.stream.write_all(&packet)?;
        loop {
            let packet = self.packet()?;
            let mut reader = Reader(&packet);
            let (command, answers) = (reader.number()?, reader.number()?);
            if answers != number {
                continue;
            }
            return match command {
                REPLY => Ok(reader.0.to_vec()),
                _ => Err(unexpected()),
            };
        }
    }

    fn packet(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 20];
        self.stream.read_exact(&mut header)?;
        let length = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        if length > LONGEST {
            return Err(unexpected());
        }
        let mut packet = vec![0; length];
        self.stream.read_exact(&mut packet)?;
        Ok(packet)
    }

    fn describe(&mut self, command: u32, name: Option<String>) -> Option<ServerDevice> {
        let name = name?;
        let asked = Writer::default().number(NONE).string(&name).0;
        let described = self.request(command, asked).and_then(|reply| {
            let mut reader = Reader(&reply);
            reader.number()?;
            reader.string()?;
            reader.string()
        });
        let description = described.ok().flatten().unwrap_or_else(|| name.clone());
        Some(ServerDevice { name, description })
    }
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn number(mut self, number: u32) -> Writer {
        self.0.push(b'L');
        self.0.extend(number.to_be_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Writer {
        self.0.push(b'x');
        self.0.extend((bytes.len() as u32).to_be_bytes());
        self.0.extend(bytes);
        self
    }

    fn string(mut self, text: &str) -> Writer {
        self.0.push(b't');
        self.0.extend(text.bytes());
        self.0.push(0);
        self
    }

    fn no_properties(mut self) -> Writer {
        self.0.extend(b"PN");
        self
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(unexpected)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> io::Result<u32> {
        match self.take(5)? {
            [b'L', a, b, c, d] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => Err(unexpected()),
        }
    }

    fn string(&mut self) -> io::Result<Option<String>> {
        match self.take(1)? {
            b"N" => Ok(None),
            b"t" => {
                let length = self.0.iter().position(|byte| *byte == 0);
                let text = self.take(length.ok_or_else(unexpected)?)?;
                let text = String::from_utf8_lossy(text).into_owned();
                self.take(1)?;
                Ok(Some(text))
            }
            _ => Err(unexpected()),
        }
    }

    fn skip_strings(mut self, count: usize) -> io::Result<Reader<'a>> {
        for _ in 0..count {
            self.string()?;
        }
        Ok(self)
    }

    /// Passes over a format, a count of channels and a rate.
    fn sample_spec(&mut self) -> io::Result<()> {
        match self.take(7)? {
            [b'a', ..] => Ok(()),
            _ => Err(unexpected()),
        }
    }
}

fn unexpected() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;

    static SOCKETS: AtomicU32 = AtomicU32::new(0);

    /// A server that answers each packet with the next of these.
    fn answers(replies: Vec<Vec<u8>>) -> PathBuf {
        let number = SOCKETS.fetch_add(1, Relaxed);
        let path = env::temp_dir().join(format!("offhook-pulse-{}-{number}", std::process::id()));
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for reply in replies {
                let mut header = [0; 20];
                stream.read_exact(&mut header).unwrap();
                let length = u32::from_be_bytes(header[..4].try_into().unwrap());
                let mut packet = vec![0; length as usize];
                stream.read_exact(&mut packet).unwrap();
                let mut answer = (reply.len() as u32).to_be_bytes().to_vec();
                answer.resize(20, 0);
                answer.extend(reply);
                stream.write_all(&answer).unwrap();
            }
        });
        path
    }

    fn reply(number: u32) -> Writer {
        Writer::default().number(REPLY).number(number)
    }

    fn server_info(number: u32) -> Vec<u8> {
        let mut info = reply(number)
            .string("a")
            .string("1")
            .string("u")
            .string("h");
        info.0.extend([b'a', 3, 2, 0, 0, 0xAC, 0x44]);
        info.string("sink").string("source").0
    }

    #[test]
    fn the_defaults_are_described() {
        let socket = answers(vec![
            reply(1).number(VERSION).0,
            reply(2).number(7).0,
            server_info(3),
            reply(4).number(0).string("sink").string("Loudspeaker").0,
            // An error: it has no description.
            Writer::default().number(0).number(5).number(5).0,
        ]);
        let device = |name: &str, description: &str| {
            let (name, description) = (name.to_owned(), description.to_owned());
            Some(ServerDevice { name, description })
        };
        let expected = ServerDefaults {
            output: device("sink", "Loudspeaker"),
            input: device("source", "source"),
        };
        assert_eq!(ask(&socket).unwrap(), expected);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for wrong in [
            vec![],
            vec![b'L'; 4],
            Writer::default().number(0).number(1).number(1).0,
            reply(1).0[..9].to_vec(),
        ] {
            assert!(ask(&answers(vec![wrong])).is_err());
        }
        let cut = server_info(3);
        for length in 10..cut.len() {
            let socket = answers(vec![
                reply(1).number(VERSION).0,
                reply(2).number(7).0,
                cut[..length].to_vec(),
            ]);
            assert!(ask(&socket).is_err(), "{length}");
        }
        assert!(ask(Path::new("/no/such/socket")).is_err());
    }
}
