//! The cells, as data: in what state a call is, and what happens to it.

use std::time::Duration;

/// What Alice's call does when something happens to her.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Dialling,
    RingingOut,
    EarlyMedia,
    RingingIn,
    Answering,
    Calling,
    Called,
    Holding,
    OnHold,
    Held,
    Transferring,
    Transferred,
    Conference,
    Ending,
}

impl State {
    pub(super) const ALL: [Self; 14] = [
        Self::Dialling,
        Self::RingingOut,
        Self::EarlyMedia,
        Self::RingingIn,
        Self::Answering,
        Self::Calling,
        Self::Called,
        Self::Holding,
        Self::OnHold,
        Self::Held,
        Self::Transferring,
        Self::Transferred,
        Self::Conference,
        Self::Ending,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Dialling => "dialling",
            Self::RingingOut => "ringing there",
            Self::EarlyMedia => "early media",
            Self::RingingIn => "ringing here",
            Self::Answering => "being answered",
            Self::Calling => "active, placed by us",
            Self::Called => "active, taken by us",
            Self::Holding => "being put on hold",
            Self::OnHold => "on hold",
            Self::Held => "held by the other",
            Self::Transferring => "being transferred away",
            Self::Transferred => "transferred to another",
            Self::Conference => "in a conference",
            Self::Ending => "hanging up",
        }
    }

    /// Whether both parties hear each other, or did before they were on hold, and nobody wants the call to end.
    pub(super) fn is_answered(self) -> bool {
        match self {
            Self::Calling
            | Self::Called
            | Self::Holding
            | Self::OnHold
            | Self::Held
            | Self::Conference => true,
            Self::Dialling
            | Self::RingingOut
            | Self::EarlyMedia
            | Self::RingingIn
            | Self::Answering
            | Self::Transferring
            | Self::Transferred
            | Self::Ending => false,
        }
    }
}

/// What happens to Alice, or to the server that all share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    SocketDrop,
    HalfOpen,
    ServerRestart,
    Freeze,
    Loss,
    Forgotten,
    Reordering,
    Duplication,
    AddressChange,
    TurnDeath,
    ShortSleep,
    LongSleep,
    ClockJump,
    JavaScriptBlocked,
}

impl Trouble {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::SocketDrop => "The socket is reset",
            Self::HalfOpen => "The socket dies without a word",
            Self::ServerRestart => {
                "The server restarts: every connection and registration is gone, and it is back after 3 s"
            }
            Self::Freeze => "The server freezes for 5 s",
            Self::Loss => {
                "30 % of packets are lost for 20 s: TCP repeats them, so that messages come late"
            }
            Self::Forgotten => "The server loses 30 % of the messages for 20 s",
            Self::Reordering => "30 % of the messages are overtaken for 20 s",
            Self::Duplication => "30 % of the messages come twice for 20 s",
            Self::AddressChange => {
                "The address changes: the socket dies without a word, and the media path with it"
            }
            Self::TurnDeath => "The TURN server dies: the media path is gone",
            Self::ShortSleep => "The machine sleeps for 12 s, and its clock with it",
            Self::LongSleep => "The machine sleeps for 15 min, and its clock with it",
            Self::ClockJump => "The machine sleeps for 15 min, and its clock leaps",
            Self::JavaScriptBlocked => "JavaScript is blocked for 10 s",
        }
    }

    /// How long it lasts.
    pub(super) fn lasts(self) -> Duration {
        Duration::from_secs(match self {
            Self::SocketDrop | Self::HalfOpen | Self::TurnDeath | Self::AddressChange => 0,
            Self::ServerRestart => 3,
            Self::Freeze => 5,
            Self::Loss | Self::Forgotten | Self::Reordering | Self::Duplication => 20,
            Self::ShortSleep => 12,
            Self::LongSleep | Self::ClockJump => 900,
            Self::JavaScriptBlocked => 10,
        })
    }

    /// Why a state knows no such trouble, if so.
    pub(super) fn is_void_for(self, state: State) -> Option<&'static str> {
        let silent = matches!(
            state,
            State::Dialling | State::RingingOut | State::RingingIn | State::Ending
        );
        (self == Self::TurnDeath && silent).then_some("no media path")
    }

    /// Whether an answered call has to outlive it.
    pub(super) fn is_survived(self) -> bool {
        match self {
            Self::SocketDrop
            | Self::HalfOpen
            | Self::ServerRestart
            | Self::Freeze
            | Self::Loss
            | Self::Reordering
            | Self::Duplication
            | Self::AddressChange
            | Self::TurnDeath
            | Self::ShortSleep
            | Self::JavaScriptBlocked => true,
            // A message that was taken and lost is nobody's to repeat; after a quarter of an hour the other has hung up.
            Self::Forgotten | Self::LongSleep | Self::ClockJump => false,
        }
    }
}

/// How Alice reaches her server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Ws,
    Wss,
    Tcp,
    Tls,
    Udp,
}

impl Way {
    pub(super) const ALL: [Self; 5] = [Self::Ws, Self::Wss, Self::Tcp, Self::Tls, Self::Udp];

    pub(super) fn url(self) -> &'static str {
        match self {
            Self::Ws => "ws://pbx.example.com/ws",
            Self::Wss => "wss://pbx.example.com/ws",
            Self::Tcp => "sip:pbx.example.com;transport=tcp",
            Self::Tls => "sip:pbx.example.com;transport=tls",
            Self::Udp => "sip:pbx.example.com;transport=udp",
        }
    }
}
