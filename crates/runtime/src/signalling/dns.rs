//! Asks the DNS where a server is. What is asked, and what the answers mean, is `sip::locating`'s.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::pin::pin;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use domain::base::iana::Rcode;
use domain::base::name::{Name, ParsedName};
use domain::base::record::Record as DnsRecord;
use domain::base::{Message, MessageBuilder, Rtype};
use domain::net::client::dgram_stream;
use domain::net::client::protocol::{TcpConnect, UdpConnect};
use domain::net::client::request::{RequestMessage, SendRequest};
use domain::rdata::{A, Aaaa, Naptr, Srv};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use sip::locating::{Answer, Next, Place, Question, Record, Search, Sought, Wanted};
use tokio::time::{sleep, timeout};

use super::connect::lookup;

/// One question, whoever answers it.
const PATIENCE: Duration = Duration::from_secs(3);
/// A name server that has not answered by then is asked again, and the next one beside it.
const REPEAT: Duration = Duration::from_secs(1);
/// Few domains have NAPTR records, and there are name servers that never answer for them: they are waited for so long once the rest
/// is known.
const LAST_WORD: Duration = Duration::from_millis(500);
/// The same for IPv6 (RFC 8305 §3), with a little more than it says.
const OTHER_FAMILY: Duration = Duration::from_millis(250);
/// More name servers are not asked, as by the system (resolv.conf(5)).
const MOST_SERVERS: usize = 3;
/// The system says nothing of how long its addresses count.
const SYSTEM_VALID: Duration = Duration::from_secs(60);
/// What the system may take for an address.
const SYSTEM_PATIENCE: Duration = Duration::from_secs(4);

type Response = Message<Bytes>;

/// The name servers that are asked.
#[derive(Debug, Clone)]
pub struct Dns {
    servers: Vec<SocketAddr>,
    /// Who knows the host itself.
    hosts: Hosts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hosts {
    OfTheSystem,
    OfTheServers,
}

impl Dns {
    /// What the system knows, as it is now; it says nothing of its name servers where it has no `/etc/resolv.conf`.
    pub(crate) async fn of_system() -> Dns {
        let read = || std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        let text = tokio::task::spawn_blocking(read).await.unwrap_or_default();
        Dns {
            hosts: Hosts::OfTheSystem,
            ..Dns::at(name_servers(&text))
        }
    }

    /// Name servers at these addresses, and nobody else.
    pub fn at(mut servers: Vec<SocketAddr>) -> Dns {
        servers.dedup();
        servers.truncate(MOST_SERVERS);
        Dns {
            servers,
            hosts: Hosts::OfTheServers,
        }
    }

    /// Where a server is, and for how long that is known.
    ///
    /// # Errors
    ///
    /// What the DNS says instead.
    pub async fn find(&self, host: &str, sought: Sought) -> Result<(Vec<Place>, Duration), String> {
        let (mut search, mut questions) = Search::new(host, sought);
        loop {
            let answers = self.answers(&questions).await;
            match search.take(answers) {
                Next::Ask(more) => questions = more,
                Next::Found(places, valid) => {
                    tracing::debug!(host, ?places, "the server was found");
                    return Ok((places, valid));
                }
                Next::NotFound(why) => return Err(why),
            }
        }
    }

    /// In the order of the questions, of which those for services are last.
    async fn answers(&self, questions: &[Question]) -> Vec<Answer> {
        let (services, others): (Vec<_>, Vec<_>) = questions
            .iter()
            .partition(|question| question.of == Wanted::Services);
        let all = |some: Vec<&Question>| {
            let some: Vec<Question> = some.into_iter().cloned().collect();
            async move { join_all(some.iter().map(|question| self.answer(question))).await }
        };
        let late = services.len();
        let (mut answers, said) = beside(all(others), all(services), |_| LAST_WORD).await;
        let silent = || {
            let why = Answer::Failed("no name server answered for NAPTR in time".to_owned());
            vec![why; late]
        };
        answers.extend(said.unwrap_or_else(silent));
        answers
    }

    async fn answer(&self, question: &Question) -> Answer {
        let name = &question.name;
        match (question.of, self.hosts) {
            (Wanted::HostAddresses, Hosts::OfTheSystem) => of_the_system(name).await,
            (Wanted::HostAddresses | Wanted::TargetAddresses, _) => self.addresses(name).await,
            (Wanted::Targets, _) => self.ask(name, Rtype::SRV).await,
            (Wanted::Services, _) => self.ask(name, Rtype::NAPTR).await,
        }
    }

    /// Both families by turns.
    async fn addresses(&self, name: &str) -> Answer {
        let grace = |v4: &Answer| match v4 {
            Answer::Records(..) => OTHER_FAMILY,
            Answer::Nothing | Answer::Failed(_) => PATIENCE,
        };
        let (v4, v6) = beside(self.ask(name, Rtype::A), self.ask(name, Rtype::AAAA), grace).await;
        let (mut found, mut valid) = ([Vec::new(), Vec::new()], Duration::MAX);
        let mut why = None;
        let answers = [v6.unwrap_or(Answer::Nothing), v4];
        for (place, answer) in answers.into_iter().enumerate() {
            match answer {
                Answer::Records(records, counts) => {
                    found[place] = records;
                    valid = valid.min(counts);
                }
                Answer::Nothing => {}
                Answer::Failed(reason) => why = Some(reason),
            }
        }
        let [v6, v4] = found;
        let mut by_turns = Vec::new();
        for place in 0..v6.len().max(v4.len()) {
            let both = [v6.get(place), v4.get(place)];
            by_turns.extend(both.into_iter().flatten().cloned());
        }
        match (by_turns.is_empty(), why) {
            (false, _) => Answer::Records(by_turns, valid),
            (true, Some(why)) => Answer::Failed(why),
            (true, None) => Answer::Nothing,
        }
    }

    async fn ask(&self, name: &str, of: Rtype) -> Answer {
        match timeout(PATIENCE, self.ask_in_turn(name, of)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(why)) => Answer::Failed(why),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                Answer::Failed(format!(
                    "no name server answered for {name} ({of}) within {seconds} s"
                ))
            }
        }
    }

    /// The first good answer; a server begins when the one before has failed or is late.
    async fn ask_in_turn(&self, name: &str, of: Rtype) -> Result<Answer, String> {
        let query = query(name, of).map_err(|()| format!("{name} is no name of the DNS"))?;
        let mut waiting = self.servers.iter();
        let mut trying = FuturesUnordered::new();
        let mut last = "this machine knows no name server".to_owned();
        loop {
            match waiting.next() {
                Some(server) => trying.push(ask_one(*server, query.clone(), name, of)),
                None if trying.is_empty() => return Err(last),
                None => {}
            }
            let next_may_start = sleep(match waiting.len() {
                0 => PATIENCE,
                _ => REPEAT,
            });
            tokio::select! {
                Some(outcome) = trying.next() => match outcome {
                    Ok(answer) => return Ok(answer),
                    Err(why) => last = why,
                },
                () = next_may_start => {}
            }
        }
    }
}

/// Both, but the second no longer than this after the first.
async fn beside<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
    grace: impl Fn(&A) -> Duration,
) -> (A, Option<B>) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let mut early = None;
    let first = loop {
        tokio::select! {
            first = &mut first => break first,
            second = &mut second, if early.is_none() => early = Some(second),
        }
    };
    match early {
        Some(second) => (first, Some(second)),
        None => {
            let second = timeout(grace(&first), second).await.ok();
            (first, second)
        }
    }
}

/// The `nameserver` lines of a resolv.conf(5), whatever the others say.
fn name_servers(text: &str) -> Vec<SocketAddr> {
    let named = text.lines().filter_map(|line| {
        let address = line.trim().strip_prefix("nameserver")?;
        let address = address
            .starts_with(char::is_whitespace)
            .then(|| address.trim())?;
        let scoped = || {
            format!("[{address}]:53")
                .parse::<SocketAddrV6>()
                .map(SocketAddr::V6)
        };
        let plain = address.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53));
        plain.or_else(|_| scoped()).ok()
    });
    named.collect()
}

async fn ask_one(
    server: SocketAddr,
    query: RequestMessage<Vec<u8>>,
    name: &str,
    of: Rtype,
) -> Result<Answer, String> {
    let mut response = exchange(server, query.clone(), Extensions::Told).await?;
    // RFC 6891 §7: so says who knows no extensions.
    if matches!(response.header().rcode(), Rcode::FORMERR | Rcode::NOTIMP) {
        response = exchange(server, query, Extensions::Untold).await?;
    }
    read(&response, name, of).ok_or_else(|| {
        let ip = server.ip();
        format!("the name server {ip} gave no good answer for {name} ({of})")
    })
}

async fn of_the_system(name: &str) -> Answer {
    match timeout(SYSTEM_PATIENCE, lookup(name, 0)).await {
        Ok(Ok(found)) => {
            let records = found.iter().map(|one| Record::Address(one.ip()));
            Answer::Records(records.collect(), SYSTEM_VALID)
        }
        Ok(Err(error)) => Answer::Failed(format!("{name} was not found: {error}")),
        Err(_) => {
            let seconds = SYSTEM_PATIENCE.as_secs();
            Answer::Failed(format!("{name} was not found within {seconds} s"))
        }
    }
}

fn query(name: &str, of: Rtype) -> Result<RequestMessage<Vec<u8>>, ()> {
    let name = Name::<Vec<u8>>::from_str(name).map_err(|_| ())?;
    let mut message = MessageBuilder::new_vec();
    message.header_mut().set_rd(true);
    let mut question = message.question();
    question.push((&name, of)).map_err(|_| ())?;
    let message = Message::from_octets(question.finish()).map_err(|_| ())?;
    RequestMessage::new(message).map_err(|_| ())
}

/// Whether a name server is told that we take more than 512 octets in a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extensions {
    Told,
    Untold,
}

/// Over UDP, with another port and number for each try, and over TCP if the answer is too large for that.
async fn exchange(
    server: SocketAddr,
    query: RequestMessage<Vec<u8>>,
    extensions: Extensions,
) -> Result<Response, String> {
    let mut config = dgram_stream::Config::new();
    config.dgram_mut().set_read_timeout(REPEAT);
    if extensions == Extensions::Untold {
        config.dgram_mut().set_udp_payload_size(None);
    }
    let (connection, transport) = dgram_stream::Connection::with_config(
        UdpConnect::new(server),
        TcpConnect::new(server),
        config,
    );
    let mut request = connection.send_request(query);
    let told = |error: &dyn std::fmt::Display| format!("the name server {}: {error}", server.ip());
    tokio::select! {
        answer = request.get_response() => answer.map_err(|error| told(&error)),
        () = transport.run() => Err(told(&"the connection ended")),
    }
}

/// Nothing if it is no answer that one could go by.
fn read(response: &Response, asked: &str, of: Rtype) -> Option<Answer> {
    match response.header().rcode() {
        Rcode::NOERROR => {}
        Rcode::NXDOMAIN => return Some(Answer::Nothing),
        _ => return None,
    }
    // The end of its chain of aliases, which does not end if there is none.
    let owner = response.canonical_name()?;
    let mut records = Vec::new();
    let mut valid = Duration::MAX;
    let mut keep = |ttl: Duration, record: Record| {
        valid = valid.min(ttl);
        records.push(record);
    };
    let section = response.answer().ok()?;
    let is_its = |name: &ParsedName<Bytes>| *name == owner;
    macro_rules! each {
        ($data:ty, $made:expr) => {
            for record in section.limit_to_in::<$data>().flatten() {
                let record: DnsRecord<_, $data> = record;
                if is_its(record.owner()) {
                    keep(record.ttl().into_duration(), $made(record.data()));
                }
            }
        };
    }
    match of {
        Rtype::A => each!(A, |a: &A| Record::Address(IpAddr::V4(a.addr()))),
        Rtype::AAAA => each!(Aaaa, |a: &Aaaa| Record::Address(IpAddr::V6(a.addr()))),
        Rtype::SRV => each!(Srv<ParsedName<Bytes>>, target),
        _ => each!(Naptr<Bytes, ParsedName<Bytes>>, service),
    }
    tracing::debug!(asked, %of, found = records.len(), "the DNS has answered");
    Some(match records.is_empty() {
        true => Answer::Nothing,
        false => Answer::Records(records, valid),
    })
}

fn target(srv: &Srv<ParsedName<Bytes>>) -> Record {
    Record::Target {
        priority: srv.priority(),
        weight: srv.weight(),
        port: srv.port(),
        target: text(srv.target()),
    }
}

fn service(naptr: &Naptr<Bytes, ParsedName<Bytes>>) -> Record {
    let text_of = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Record::Service {
        order: naptr.order(),
        preference: naptr.preference(),
        flags: text_of(naptr.flags().as_slice()),
        service: text_of(naptr.services().as_slice()),
        has_regexp: !naptr.regexp().is_empty(),
        replacement: text(naptr.replacement()),
    }
}

/// Without a dot at its end; nothing is the root.
fn text(name: &ParsedName<Bytes>) -> String {
    match name.is_root() {
        true => String::new(),
        false => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_servers_of_a_file_are_found_among_what_we_do_not_know() {
        let text = "# by hand\nsearch lan\noptions timeout:x trust-ad\nnameserver 192.0.2.53\nnameservers 192.0.2.1\n\
                    sortlist ?\nnameserver nobody\n nameserver\t2001:db8::53 \n";
        let expected: [SocketAddr; 2] =
            ["192.0.2.53:53", "[2001:db8::53]:53"].map(|one| one.parse().unwrap());
        assert_eq!(name_servers(text), expected);
        assert!(name_servers("").is_empty());
    }
}
