//! The signals that end a process: last words are said before they do what they did before.
//!
//! ```text
//! SIGTERM ─▶ handler ═pipe═▶ thread: last words ─▶ the handler of before ─▶ SIGTERM again
//! ```
//! **Invariant: who handles a signal is asked first and called last.** A handler that comes after ours replaces
//! it, as Node's does for a listener of the application; then nothing is said, and the application decides.
//! A signal that comes again meanwhile does at once what it did before.
//!
//! There are such signals on Unix; elsewhere nothing is watched.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::Watch;

/// Watches nothing.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Watch;

#[cfg(not(unix))]
impl Watch {
    /// Says nothing, ever.
    ///
    /// # Errors
    /// None.
    pub fn start(_: &[Signal], _: impl Fn() + Send + 'static) -> std::io::Result<Watch> {
        Ok(Watch)
    }
}

/// A signal that ends a process which does not handle it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The terminal was closed.
    Hangup,
    /// Ctrl-C.
    Interrupt,
    /// A supervisor's request to end.
    Terminate,
}

impl Signal {
    /// All of them.
    pub const ALL: [Signal; 3] = [Signal::Hangup, Signal::Interrupt, Signal::Terminate];

    /// Its name in POSIX.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Hangup => "SIGHUP",
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
        }
    }
}
