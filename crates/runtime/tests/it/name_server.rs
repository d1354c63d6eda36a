//! A DNS server of our own, which answers as a test wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{CharStr, Message, MessageBuilder, Name, Rtype};
use domain::rdata::{A, Aaaa, Cname, Naptr, Srv};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::sleep;

/// A record of an answer, whose owner is what was asked unless it says otherwise.
#[derive(Clone, Debug)]
pub(crate) enum Rr {
    Naptr(u16, &'static str, &'static str),
    /// Priority, port and target.
    Srv(u16, u16, &'static str),
    Address(&'static str),
    /// Of whom, and for whom.
    Alias(String, String),
    /// An address of somebody who was not asked for.
    Stray(&'static str, &'static str),
}

/// What is said to a question.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Records(Vec<Rr>),
    /// The same after a while.
    Late(Duration, Vec<Rr>),
    /// Over UDP only that it is too much; over TCP these.
    TooLarge(Vec<Rr>),
    /// First an answer with another number and one to another question, then these.
    AfterLies(Vec<Rr>),
    /// Only if it is asked without extensions (EDNS).
    WithoutExtensions(Vec<Rr>),
    Code(Rcode),
    Garbage,
    Nothing,
}

type Wisdom = dyn Fn(&str, Rtype) -> Said + Send + Sync;

/// Starts one, for as long as the test's runtime lives.
pub(crate) async fn start(
    said: impl Fn(&str, Rtype) -> Said + Send + Sync + 'static,
) -> SocketAddr {
    let said: Arc<Wisdom> = Arc::new(said);
    // UDP and TCP have to have the same port.
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = udp.local_addr().unwrap();
        if let Ok(tcp) = TcpListener::bind(at).await {
            break (Arc::new(udp), tcp);
        }
    };
    let at = udp.local_addr().unwrap();
    tokio::spawn(over_tcp(tcp, Arc::clone(&said)));
    tokio::spawn(async move {
        let mut octets = vec![0; 4096];
        loop {
            // Windows tells here that somebody asks no more.
            let Ok((length, from)) = udp.recv_from(&mut octets).await else {
                continue;
            };
            let query = Message::from_octets(octets[..length].to_vec()).unwrap();
            let (udp, said) = (Arc::clone(&udp), Arc::clone(&said));
            tokio::spawn(async move {
                for answer in answers(&query, &said, false).await {
                    let _ = udp.send_to(&answer, from).await;
                }
            });
        }
    });
    at
}

async fn over_tcp(listener: TcpListener, said: Arc<Wisdom>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let said = Arc::clone(&said);
        tokio::spawn(async move {
            while let Ok(length) = stream.read_u16().await {
                let mut octets = vec![0; length.into()];
                if stream.read_exact(&mut octets).await.is_err() {
                    return;
                }
                let query = Message::from_octets(octets).unwrap();
                for answer in answers(&query, &said, true).await {
                    let length = u16::try_from(answer.len()).unwrap();
                    let _ = stream.write_u16(length).await;
                    let _ = stream.write_all(&answer).await;
                }
            }
        });
    }
}

async fn answers(query: &Message<Vec<u8>>, said: &Arc<Wisdom>, by_stream: bool) -> Vec<Vec<u8>> {
    let question = query.first_question().unwrap();
    let name = question.qname().to_string();
    match said(&name, question.qtype()) {
        Said::Records(records) => vec![answer(query, &name, &records, Rcode::NOERROR)],
        Said::Late(after, records) => {
            sleep(after).await;
            vec![answer(query, &name, &records, Rcode::NOERROR)]
        }
        Said::TooLarge(records) if by_stream => {
            vec![answer(query, &name, &records, Rcode::NOERROR)]
        }
        Said::TooLarge(_) => {
            let mut empty = answer(query, &name, &[], Rcode::NOERROR);
            empty[2] |= 0x02;
            vec![empty]
        }
        Said::AfterLies(records) => {
            let lie = [Rr::Stray("a.test", "203.0.113.66")];
            let mut of_another_number = answer(query, &name, &lie, Rcode::NOERROR);
            of_another_number[0] ^= 0xff;
            let mut to_another_question = answer(query, &name, &lie, Rcode::NOERROR);
            // The first letter of the name that was asked for.
            to_another_question[13] ^= 0x01;
            let truth = answer(query, &name, &records, Rcode::NOERROR);
            vec![of_another_number, to_another_question, truth]
        }
        Said::WithoutExtensions(_) if query.opt().is_some() => {
            vec![answer(query, &name, &[], Rcode::FORMERR)]
        }
        Said::WithoutExtensions(records) => vec![answer(query, &name, &records, Rcode::NOERROR)],
        Said::Code(code) => vec![answer(query, &name, &[], code)],
        Said::Garbage => vec![vec![0xff; 100]],
        Said::Nothing => Vec::new(),
    }
}

fn name(text: &str) -> Name<Vec<u8>> {
    text.parse().unwrap()
}

fn answer(query: &Message<Vec<u8>>, asked: &str, records: &[Rr], code: Rcode) -> Vec<u8> {
    let mut answer = MessageBuilder::new_vec().start_answer(query, code).unwrap();
    let ttl = 300;
    let asked = name(asked);
    for record in records {
        match record {
            Rr::Naptr(order, service, replacement) => {
                let text = |text: &str| CharStr::from_octets(text.as_bytes().to_vec()).unwrap();
                let to = name(replacement);
                let data = Naptr::new(*order, 0, text("s"), text(service), text(""), to);
                answer.push((&asked, ttl, data)).unwrap();
            }
            Rr::Srv(priority, port, target) => {
                let data = Srv::new(*priority, 0, *port, name(target));
                answer.push((&asked, ttl, data)).unwrap();
            }
            Rr::Address(text) => push_address(&mut answer, &asked, text),
            Rr::Stray(of, text) => push_address(&mut answer, &name(of), text),
            Rr::Alias(of, to) => {
                answer.push((&name(of), ttl, Cname::new(name(to)))).unwrap();
            }
        }
    }
    answer.finish()
}

fn push_address(
    answer: &mut domain::base::message_builder::AnswerBuilder<Vec<u8>>,
    of: &Name<Vec<u8>>,
    text: &str,
) {
    match text.parse().unwrap() {
        std::net::IpAddr::V4(v4) => answer.push((of, 300, A::new(v4))).unwrap(),
        std::net::IpAddr::V6(v6) => answer.push((of, 300, Aaaa::new(v6))).unwrap(),
    }
}
