use std::net::SocketAddr;
use std::sync::Arc;

use rtc_crypto::{HashAlgorithm, RTCCryptoProvider};

use crate::stun::{StunReply, StunTransaction, StunWriter, attribute, kind};

/// RFC 8656 §18.7: 17 is UDP.
const UDP: [u8; 4] = [17, 0, 0, 0];
/// A server may replace its nonce meanwhile, but not for ever.
const MOST_CHALLENGES: u8 = 3;

/// A client of TURN (RFC 8656) that asks for one allocation, and says what the server answers.
///
/// **One request at a time: [`TurnClient::handle`] what comes, send what it gives, and repeat a request that is not answered.**
pub struct TurnClient {
    username: String,
    password: String,
    crypto: Arc<dyn RTCCryptoProvider>,
    challenge: Option<TurnChallenge>,
    challenges: u8,
    transaction: StunTransaction,
    request: TurnRequest,
}

/// What proves who we are.
struct TurnChallenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TurnRequest {
    Allocate,
    Permit(SocketAddr),
    Release,
}

/// What an allocation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnAllocation {
    /// Where others send to.
    pub relayed: SocketAddr,
    /// From where the server sees us.
    pub mapped: Option<SocketAddr>,
    /// Seconds that it lives.
    pub lifetime: Option<u32>,
    /// What the server calls itself.
    pub software: Option<String>,
}

/// What a message from the server means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnAnswer {
    /// Send this in the place of the request.
    Again(Vec<u8>),
    /// It was asked for an allocation, and this is it.
    Allocated(TurnAllocation),
    /// It was asked for a permission, or for the end of the allocation.
    Done,
    /// It refuses.
    Refused {
        /// RFC 8489 §14.8.
        code: u16,
        /// In the server's words.
        reason: String,
    },
    /// Somebody has sent this to our relayed address.
    Data(SocketAddr, Vec<u8>),
}

impl std::fmt::Debug for TurnClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TurnClient")
    }
}

impl TurnClient {
    /// A client with these credentials; nothing if the system has no cryptography.
    pub fn new(username: &str, password: &str) -> Option<TurnClient> {
        Some(TurnClient {
            username: username.to_owned(),
            password: password.to_owned(),
            crypto: rtc_crypto::default_provider().ok()?,
            challenge: None,
            challenges: 0,
            transaction: [0; 12],
            request: TurnRequest::Allocate,
        })
    }

    /// Asks for an allocation.
    pub fn allocate(&mut self, transaction: StunTransaction) -> Vec<u8> {
        self.ask(TurnRequest::Allocate, transaction)
    }

    /// Lets this address send to us.
    pub fn permit(&mut self, peer: SocketAddr, transaction: StunTransaction) -> Vec<u8> {
        self.ask(TurnRequest::Permit(peer), transaction)
    }

    /// Gives the allocation back.
    pub fn release(&mut self, transaction: StunTransaction) -> Vec<u8> {
        self.ask(TurnRequest::Release, transaction)
    }

    /// Sends to an address that was permitted; nobody confirms it.
    pub fn send(peer: SocketAddr, data: &[u8], transaction: &StunTransaction) -> Vec<u8> {
        StunWriter::new(kind::SEND, transaction)
            .address(attribute::XOR_PEER_ADDRESS, peer)
            .attribute(attribute::DATA, data)
            .done()
    }

    /// What somebody has sent to our relayed address, if a message brings that.
    pub fn data(octets: &[u8]) -> Option<Vec<u8>> {
        let reply = StunReply::read(octets).filter(|reply| reply.kind == kind::DATA)?;
        reply.attribute(attribute::DATA).map(<[u8]>::to_vec)
    }

    fn ask(&mut self, request: TurnRequest, transaction: StunTransaction) -> Vec<u8> {
        self.request = request;
        self.transaction = transaction;
        self.challenges = 0;
        self.write()
    }

    fn write(&self) -> Vec<u8> {
        let writer = |kind| StunWriter::new(kind, &self.transaction);
        let writer = match self.request {
            TurnRequest::Allocate => {
                writer(kind::ALLOCATE).attribute(attribute::REQUESTED_TRANSPORT, &UDP)
            }
            TurnRequest::Permit(peer) => {
                writer(kind::CREATE_PERMISSION).address(attribute::XOR_PEER_ADDRESS, peer)
            }
            TurnRequest::Release => writer(kind::REFRESH).attribute(attribute::LIFETIME, &[0; 4]),
        };
        let Some(challenge) = &self.challenge else {
            return writer.done();
        };
        writer
            .attribute(attribute::USERNAME, self.username.as_bytes())
            .attribute(attribute::REALM, &challenge.realm)
            .attribute(attribute::NONCE, &challenge.nonce)
            .sealed(&challenge.key, self.crypto.crypto())
            .unwrap_or_default()
    }

    /// Takes one message; `transaction` is that of the request if it is to be made again. Nothing if it is none of ours.
    pub fn handle(&mut self, octets: &[u8], transaction: StunTransaction) -> Option<TurnAnswer> {
        let reply = StunReply::read(octets)?;
        if reply.kind == kind::DATA {
            let data = reply.attribute(attribute::DATA)?.to_vec();
            let from = reply.address(attribute::XOR_PEER_ADDRESS)?;
            return Some(TurnAnswer::Data(from, data));
        }
        if !reply.answers(&self.transaction) {
            return None;
        }
        let asked = match self.request {
            TurnRequest::Allocate => kind::ALLOCATE,
            TurnRequest::Permit(_) => kind::CREATE_PERMISSION,
            TurnRequest::Release => kind::REFRESH,
        };
        if reply.kind == asked | kind::SUCCESS {
            return self.succeeded(&reply);
        }
        if reply.kind != asked | kind::ERROR {
            return None;
        }
        let (code, reason) = reply.error()?;
        let is_new = match code {
            401 => self.challenge.is_none(),
            438 => self.challenges < MOST_CHALLENGES,
            _ => false,
        };
        if is_new && self.challenged(&reply) {
            self.transaction = transaction;
            return Some(TurnAnswer::Again(self.write()));
        }
        Some(TurnAnswer::Refused { code, reason })
    }

    fn succeeded(&self, reply: &StunReply) -> Option<TurnAnswer> {
        if self.request != TurnRequest::Allocate {
            return Some(TurnAnswer::Done);
        }
        Some(TurnAnswer::Allocated(TurnAllocation {
            relayed: reply.address(attribute::XOR_RELAYED_ADDRESS)?,
            mapped: reply.address(attribute::XOR_MAPPED_ADDRESS),
            lifetime: reply.number(attribute::LIFETIME),
            software: reply.text(attribute::SOFTWARE),
        }))
    }

    /// Whether it can be answered.
    fn challenged(&mut self, reply: &StunReply) -> bool {
        let (Some(realm), Some(nonce)) = (
            reply.attribute(attribute::REALM),
            reply.attribute(attribute::NONCE),
        ) else {
            return false;
        };
        // RFC 8489 §9.2.2.
        let mut text = format!("{}:", self.username).into_bytes();
        text.extend_from_slice(realm);
        text.extend_from_slice(format!(":{}", self.password).as_bytes());
        let Ok(key) = self.crypto.crypto().hash(HashAlgorithm::Md5, &text) else {
            return false;
        };
        self.challenges += 1;
        self.challenge = Some(TurnChallenge {
            realm: realm.to_vec(),
            nonce: nonce.to_vec(),
            key: key.to_vec(),
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: StunTransaction = *b"abcdefghijkl";
    const SECOND: StunTransaction = *b"mnopqrstuvwx";

    fn refusal(code: u8, transaction: &StunTransaction, nonce: &[u8]) -> Vec<u8> {
        StunWriter::new(kind::ALLOCATE | kind::ERROR, transaction)
            .attribute(attribute::ERROR_CODE, &[0, 0, 4, code, b'n', b'o'])
            .attribute(attribute::REALM, b"example.org")
            .attribute(attribute::NONCE, nonce)
            .done()
    }

    fn client() -> TurnClient {
        let mut client = TurnClient::new("u", "p").unwrap();
        client.allocate(FIRST);
        client
    }

    fn again(client: &mut TurnClient, code: u8, nonce: &[u8], from: &StunTransaction) -> StunReply {
        let answer = client.handle(&refusal(code, from, nonce), SECOND);
        let Some(TurnAnswer::Again(request)) = answer else {
            panic!("{answer:?}");
        };
        StunReply::read(&request).unwrap()
    }

    #[test]
    fn a_challenge_is_answered_once_and_a_second_one_is_the_password() {
        let mut client = client();
        let request = again(&mut client, 1, b"n1", &FIRST);
        assert_eq!(request.attribute(attribute::USERNAME), Some(&b"u"[..]));
        assert_eq!(request.attribute(attribute::NONCE), Some(&b"n1"[..]));
        assert!(request.attribute(0x0008).is_some());
        let refused = client.handle(&refusal(1, &SECOND, b"n2"), FIRST);
        let expected = TurnAnswer::Refused {
            code: 401,
            reason: "no".to_owned(),
        };
        assert_eq!(refused, Some(expected));
    }

    #[test]
    fn a_stale_nonce_is_replaced_a_few_times() {
        let mut client = client();
        again(&mut client, 1, b"n1", &FIRST);
        for _ in 0..2 {
            again(&mut client, 38, b"n2", &SECOND);
        }
        let refused = client.handle(&refusal(38, &SECOND, b"n3"), SECOND);
        assert!(matches!(
            refused,
            Some(TurnAnswer::Refused { code: 438, .. })
        ));
    }

    #[test]
    fn what_answers_another_request_is_not_ours() {
        let mut client = client();
        assert_eq!(client.handle(&refusal(86, &SECOND, b""), SECOND), None);
        let permitted = StunWriter::new(kind::CREATE_PERMISSION | kind::SUCCESS, &FIRST).done();
        assert_eq!(client.handle(&permitted, SECOND), None);
    }

    #[test]
    fn the_key_of_the_rfcs_test_vector_is_made() {
        // RFC 8489 §9.2.2: user, realm and pass.
        let mut client = TurnClient::new("user", "pass").unwrap();
        client.allocate(FIRST);
        let challenge = StunWriter::new(kind::ALLOCATE | kind::ERROR, &FIRST)
            .attribute(attribute::ERROR_CODE, &[0, 0, 4, 1])
            .attribute(attribute::REALM, b"realm")
            .attribute(attribute::NONCE, b"n")
            .done();
        client.handle(&challenge, SECOND);
        let key = client.challenge.unwrap().key;
        let hex: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(hex, "8493fbc53ba582fb4c044c456bdc40eb");
    }
}
