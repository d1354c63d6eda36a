//! A stream that gives a bounded number of octets a turn, so that frames without end, however small, keep no task from the
//! rest of its work.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::transport::Stream;

/// Room for a SIP message of the largest size, or for some thousand frames without content.
const A_TURN: usize = 64 * 1024;

/// A stream whose reader says when its turn begins; without a limit before the first.
#[derive(Debug)]
pub(super) struct Paced {
    stream: Stream,
    left: usize,
}

impl Paced {
    pub(super) fn new(stream: Stream) -> Paced {
        Paced {
            stream,
            left: usize::MAX,
        }
    }

    /// Allows as much as one turn may read.
    pub(super) fn begin_turn(&mut self) {
        self.left = A_TURN;
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.left = self.left.saturating_sub(buf.filled().len() - before);
        read
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
