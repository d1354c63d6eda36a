use super::{HeaderName, ParseFault};

/// How much of what peers get wrong is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leniency {
    /// Nothing: every header that this crate knows must follow its grammar, and a WebSocket
    /// frame's `Content-Length` must be its body's (RFC 7118 §5).
    Strict,
    /// What real peers send and what can be meant in one way only; each case is a [`Forgiven`].
    Interop,
}

/// A fault of a peer that was let through, with evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgiven {
    /// Lines end with LF alone.
    BareLineFeed,
    /// There is more than one space, or a space at the end, in the start line.
    StartLineSpacing,
    /// The status line ends after the code.
    MissingReason,
    /// A header line has no colon; it was left out.
    LineWithoutColon,
    /// The empty line after the headers is missing, and with it the body.
    MissingEmptyLine,
    /// A header holds octets that are no UTF-8; its value was read as Latin-1.
    NotUtf8,
    /// More octets came than `Content-Length` says; they were cut off. RFC 3261 §18.3 asks for
    /// this in a datagram.
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// The address has an unquoted display name with special characters, white space inside its
    /// brackets, or a character in its URI that should be escaped.
    Address {
        /// In which header.
        header: HeaderName,
    },
    /// The request URI has a character that should be escaped.
    RequestUri,
    /// The sequence number is 2³¹ or more (RFC 3261 §8.1.1.5).
    CSeqAbove31Bits,
}

/// Lets `what` through if that is allowed; otherwise it is a `fault`.
#[cold]
pub(super) fn forgive(
    what: Forgiven,
    fault: ParseFault,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<(), ParseFault> {
    match leniency {
        Leniency::Strict => Err(fault),
        Leniency::Interop => {
            if !forgiven.contains(&what) {
                forgiven.push(what);
            }
            Ok(())
        }
    }
}
