use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use libc::{SIG_IGN, c_int, sigaction, sighandler_t};

use super::Signal;

/// Opened once and never closed: a handler that is under way must not write to what another file has become.
static PIPE: OnceLock<(File, File)> = OnceLock::new();
/// The end of it that the handler writes a signal's number to.
static WRITER: AtomicI32 = AtomicI32::new(-1);
/// What each watched signal did before.
static BEFORE: Mutex<Vec<(c_int, sigaction)>> = Mutex::new(Vec::new());
/// What ends the thread.
const STOP: u8 = 0;

/// Watches until it is dropped; there is one at a time.
#[derive(Debug)]
pub struct Watch {
    writer: &'static File,
}

impl Watch {
    /// Says `last_words`, on a thread of its own, before one of these signals ends the process. A signal that is
    /// ignored stays ignored.
    ///
    /// # Errors
    /// The system has no pipe or no thread to give.
    pub fn start(signals: &[Signal], last_words: impl Fn() + Send + 'static) -> io::Result<Watch> {
        let (reader, writer) = match PIPE.get() {
            Some(pipe) => pipe,
            None => {
                let opened = pipe()?;
                PIPE.get_or_init(|| opened)
            }
        };
        // Not joined: it ends when the watch is dropped, or with the process.
        thread::Builder::new()
            .name("offhook-signals".to_owned())
            .spawn(move || listen(reader, &last_words))?;
        WRITER.store(writer.as_raw_fd(), Ordering::SeqCst);
        for signal in signals {
            take(number(*signal));
        }
        Ok(Watch { writer })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for (signal, before) in std::mem::take(&mut *before()) {
            give_back(signal, &before);
        }
        let _ = self.writer.write_all(&[STOP]);
    }
}

/// Runs on any thread, in the middle of anything: only what POSIX calls async-signal-safe.
extern "C" fn handle(signal: c_int) {
    let pipe = WRITER.load(Ordering::SeqCst);
    let number = signal as u8;
    // SAFETY: `write` is async-signal-safe, and reads one byte of a live local. errno is that of the interrupted thread, and put back.
    unsafe {
        let errno = errno();
        let kept = *errno;
        libc::write(pipe, (&raw const number).cast(), 1);
        *errno = kept;
    }
}

fn listen(mut pipe: &File, last_words: &dyn Fn()) {
    let mut number = [STOP];
    while pipe.read_exact(&mut number).is_ok() && number != [STOP] {
        let signal = c_int::from(number[0]);
        let known = before().iter().position(|(known, _)| *known == signal);
        let Some(known) = known else { continue };
        let (_, action) = before().remove(known);
        give_back(signal, &action);
        last_words();
        // SAFETY: sends a signal to this process, which has no memory to do with it.
        unsafe { libc::kill(libc::getpid(), signal) };
    }
}

fn take(signal: c_int) {
    let Some(current) = action_of(signal) else {
        return;
    };
    if current.sa_sigaction == SIG_IGN || is_ours(&current) {
        return;
    }
    before().push((signal, current));
    // SAFETY: all zeros is a valid `sigaction` (no handler, no flags, an empty mask on every Unix we build for),
    // and the handler that is put in has the signature for no SA_SIGINFO.
    let mut ours: sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    ours.sa_sigaction = handle as extern "C" fn(c_int) as sighandler_t;
    ours.sa_flags = libc::SA_RESTART;
    // SAFETY: the mask is a live field.
    unsafe { libc::sigemptyset(&raw mut ours.sa_mask) };
    set(signal, &ours);
}

/// Puts a handler back where ours still stands.
fn give_back(signal: c_int, before: &sigaction) {
    if action_of(signal).is_some_and(|current| is_ours(&current)) {
        set(signal, before);
    }
}

fn is_ours(action: &sigaction) -> bool {
    action.sa_sigaction == handle as extern "C" fn(c_int) as sighandler_t
}

fn action_of(signal: c_int) -> Option<sigaction> {
    let mut current = MaybeUninit::zeroed();
    // SAFETY: a null new action only asks; the old one is written to live memory.
    let outcome = unsafe { libc::sigaction(signal, std::ptr::null(), current.as_mut_ptr()) };
    // SAFETY: it was zeroed, which is valid, and written where the call succeeded.
    (outcome == 0).then(|| unsafe { current.assume_init() })
}

fn set(signal: c_int, action: &sigaction) {
    // SAFETY: both come from the system or are made in `take`; the old action is not asked for.
    unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
}

fn pipe() -> io::Result<(File, File)> {
    let mut ends = [-1; 2];
    // SAFETY: writes two descriptors to live memory.
    if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    for end in ends {
        // A child process has no use for it.
        // SAFETY: sets a flag of a descriptor that was just opened.
        unsafe { libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: both were just opened, and nobody else owns them.
    Ok(unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn errno() -> *mut c_int {
    // SAFETY: always valid for the calling thread.
    unsafe { libc::__errno_location() }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
unsafe fn errno() -> *mut c_int {
    // SAFETY: always valid for the calling thread.
    unsafe { libc::__error() }
}

fn number(signal: Signal) -> c_int {
    match signal {
        Signal::Hangup => libc::SIGHUP,
        Signal::Interrupt => libc::SIGINT,
        Signal::Terminate => libc::SIGTERM,
    }
}

fn before() -> std::sync::MutexGuard<'static, Vec<(c_int, sigaction)>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitStatus};

    use super::*;

    const ROLE: &str = "OFFHOOK_SIGNALS_TEST";

    /// Runs the body of the test that calls it in a process of its own, where it may die.
    fn apart(name: &str, body: impl FnOnce()) -> Option<(ExitStatus, String)> {
        if std::env::var(ROLE).is_ok() {
            body();
            std::process::exit(77);
        }
        let test = format!("unix::tests::{name}");
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &test, "--nocapture", "--test-threads=1"])
            .env(ROLE, "1")
            .output()
            .unwrap();
        Some((
            output.status,
            String::from_utf8_lossy(&output.stdout).into_owned(),
        ))
    }

    fn say(text: &str) {
        let _ = io::stdout().write_all(text.as_bytes());
        let _ = io::stdout().flush();
    }

    fn raise(signal: c_int) {
        // SAFETY: sends a signal to this process.
        unsafe { libc::kill(libc::getpid(), signal) };
    }

    fn forever() -> ! {
        loop {
            thread::park();
        }
    }

    #[test]
    fn last_words_are_said_and_then_the_process_ends_by_the_signal() {
        let (status, said) = apart(
            "last_words_are_said_and_then_the_process_ends_by_the_signal",
            || {
                let _watch = Watch::start(&Signal::ALL, || say("goodbye")).unwrap();
                raise(libc::SIGTERM);
                forever();
            },
        )
        .unwrap();
        assert_eq!(status.signal(), Some(libc::SIGTERM));
        assert!(said.contains("goodbye"), "{said}");
    }

    #[test]
    fn a_second_signal_does_not_wait_for_the_last_words_of_the_first() {
        let (status, _) = apart(
            "a_second_signal_does_not_wait_for_the_last_words_of_the_first",
            || {
                let _watch = Watch::start(&Signal::ALL, || {
                    raise(libc::SIGINT);
                    forever();
                })
                .unwrap();
                raise(libc::SIGINT);
                forever();
            },
        )
        .unwrap();
        assert_eq!(status.signal(), Some(libc::SIGINT));
    }

    #[test]
    fn what_is_ignored_stays_ignored_and_a_later_handler_decides() {
        let (status, said) = apart(
            "what_is_ignored_stays_ignored_and_a_later_handler_decides",
            || {
                let ignore = |signal| {
                    let mut action = action_of(signal).unwrap();
                    action.sa_sigaction = SIG_IGN;
                    set(signal, &action);
                };
                ignore(libc::SIGHUP);
                let watch = Watch::start(&Signal::ALL, || say("goodbye")).unwrap();
                ignore(libc::SIGTERM);
                raise(libc::SIGHUP);
                raise(libc::SIGTERM);
                drop(watch);
                for signal in [libc::SIGHUP, libc::SIGTERM] {
                    assert_eq!(action_of(signal).unwrap().sa_sigaction, SIG_IGN);
                }
                assert!(!is_ours(&action_of(libc::SIGINT).unwrap()), "given back");
            },
        )
        .unwrap();
        assert_eq!(status.code(), Some(77), "{said}");
        assert!(!said.contains("goodbye"), "{said}");
    }
}
