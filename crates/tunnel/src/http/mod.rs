//! HTTP CONNECT (RFC 9110 §9.3.6).

mod answer;
mod head;

use rand::rngs::StdRng;

pub use answer::Strength;
use answer::{Answer, Offers};
use head::{Head, Heads};

use crate::{Login, Output, Target, TunnelFault};

/// Provisional answers before the final one; more say nothing.
const MOST_PROVISIONAL: u8 = 8;
/// A page that explains a 407; for a longer one another connection is the shorter way.
const LONGEST_BODY: usize = 64 * 1024;
/// How often credentials are sent: once, again for a nonce that was too old, and once more.
const MOST_ANSWERS: u8 = 3;

/// The client's side of one CONNECT.
#[derive(Debug)]
pub(crate) struct HttpConnect {
    target: Target,
    login: Option<Login>,
    rng: StdRng,
    /// The strongest way in which the proxy has asked for credentials, now or before: in no weaker one are they given.
    least: Option<Strength>,
    /// What answers the last challenge.
    answer: Option<Answer>,
    answers: u8,
    heads: Heads,
    provisional: u8,
    /// The connection was used for a request before, and the proxy may have closed it meanwhile.
    is_reused: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The request is to be sent.
    Asking,
    /// The head of its answer is awaited.
    Listening,
    /// So many octets of a 407's body are still to come.
    Skipping(usize),
    /// Another connection is needed.
    Leaving,
    /// There is a tunnel, and what came out of it.
    Open(Vec<u8>),
}

impl HttpConnect {
    pub(crate) fn new(
        target: &Target,
        login: Option<Login>,
        least: Option<Strength>,
        rng: StdRng,
    ) -> Self {
        Self {
            target: target.clone(),
            login,
            rng,
            least,
            answer: None,
            answers: 0,
            heads: Heads::default(),
            provisional: 0,
            is_reused: false,
            state: State::Asking,
        }
    }

    pub(crate) fn poll_output(&mut self) -> Output {
        match &mut self.state {
            State::Asking => {
                self.state = State::Listening;
                Output::Transmit(self.request().into_bytes())
            }
            State::Listening | State::Skipping(_) => Output::Wait,
            State::Leaving => Output::Reconnect,
            State::Open(early) => Output::Open(std::mem::take(early)),
        }
    }

    pub(crate) fn handle_octets(&mut self, octets: &[u8]) -> Result<(), TunnelFault> {
        match &mut self.state {
            State::Listening => self.heads.add(octets),
            State::Skipping(left) => {
                *left = left.saturating_sub(octets.len());
                if *left == 0 {
                    // What is more than the body answers nothing.
                    self.state = State::Asking;
                }
                return Ok(());
            }
            State::Open(early) => {
                early.extend_from_slice(octets);
                return Ok(());
            }
            State::Asking | State::Leaving => return Ok(()),
        }
        while let Some(head) = self.heads.next()? {
            self.is_reused = false;
            if !(100..=199).contains(&head.status) || head.status == 101 {
                return self.answered(&head);
            }
            self.provisional += 1;
            if self.provisional > MOST_PROVISIONAL {
                return Err(TunnelFault::Endless);
            }
        }
        Ok(())
    }

    pub(crate) fn handle_end(&mut self) -> Result<(), TunnelFault> {
        let leaves = match self.state {
            State::Skipping(_) => true,
            State::Asking | State::Listening => self.is_reused,
            State::Leaving => true,
            State::Open(_) => false,
        };
        if !leaves {
            return Err(TunnelFault::ClosedEarly);
        }
        self.state = State::Leaving;
        Ok(())
    }

    pub(crate) fn handle_reconnected(&mut self) {
        self.heads = Heads::default();
        self.is_reused = false;
        self.state = State::Asking;
    }

    pub(crate) fn asked(&self) -> Option<Strength> {
        self.least
    }

    fn request(&mut self) -> String {
        let authority = self.target.to_string();
        let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        let credentials = self.answer.as_mut().and_then(|a| a.value(&authority));
        if let Some(credentials) = credentials {
            request.push_str("Proxy-Authorization: ");
            request.push_str(&credentials);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request
    }

    fn answered(&mut self, head: &Head) -> Result<(), TunnelFault> {
        match head.status {
            // RFC 9110 §9.3.6: any 2xx opens it, and what else the head says of a body does not hold.
            200..=299 => {
                self.state = State::Open(self.heads.take_rest());
                Ok(())
            }
            407 => self.challenged(head),
            // So says tinyproxy of a wrong password.
            401 if self.answer.is_some() => Err(TunnelFault::LoginRefused),
            status => Err(TunnelFault::Status {
                status,
                target: self.target.to_string(),
            }),
        }
    }

    fn challenged(&mut self, head: &Head) -> Result<(), TunnelFault> {
        let offers = Offers::read(&head.challenges);
        // Also if this comes to nothing: whoever is in the proxy's place next is shown no more.
        self.least = self.least.max(offers.asked(&mut self.rng));
        let Some(login) = &self.login else {
            return Err(TunnelFault::LoginNeeded {
                schemes: offers.schemes(),
            });
        };
        let answer = offers.strongest(login, self.least, &mut self.rng)?;
        if let Some(before) = &self.answer {
            // What was the right answer to another nonce is no wrong password.
            if self.answers >= MOST_ANSWERS || !answer.asks_anew(before) {
                return Err(TunnelFault::LoginRefused);
            }
        }
        self.answer = Some(answer);
        self.answers += 1;
        self.state = self.after_body(head);
        Ok(())
    }

    /// Goes on over the same connection if it is certain where the next answer begins.
    fn after_body(&mut self, head: &Head) -> State {
        let Some(length) = head.body.filter(|length| *length <= LONGEST_BODY) else {
            return State::Leaving;
        };
        let here = self.heads.take_rest().len();
        self.is_reused = true;
        match length.saturating_sub(here) {
            0 => State::Asking,
            left => State::Skipping(left),
        }
    }
}
