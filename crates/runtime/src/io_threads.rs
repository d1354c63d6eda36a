//! The two threads that carry every phone's task; they end with the last phone.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use std::{fmt, io};

use tokio::runtime::{Builder, Runtime};

/// Signalling is light: a second thread only keeps one slow name lookup or TLS handshake from
/// delaying the other phones.
const THREADS: usize = 2;

static THREADS_IN_USE: Mutex<Weak<IoThreads>> = Mutex::new(Weak::new());

/// The process's I/O threads, started by the first phone.
pub(crate) struct IoThreads {
    /// `None` only while being dropped.
    runtime: Option<Runtime>,
}

impl IoThreads {
    /// The threads, started if they do not run.
    pub(crate) fn shared() -> io::Result<Arc<IoThreads>> {
        let mut shared = THREADS_IN_USE
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(threads) = shared.upgrade() {
            return Ok(threads);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(8)
            .thread_keep_alive(Duration::from_secs(1))
            .thread_name("offhook-io")
            .enable_io()
            .enable_time()
            .build()?;
        let threads = Arc::new(IoThreads {
            runtime: Some(runtime),
        });
        *shared = Arc::downgrade(&threads);
        Ok(threads)
    }

    /// Runs a task that keeps the threads alive until it ends.
    pub(crate) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let alive = Arc::clone(self);
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move {
                task.await;
                drop(alive);
            });
        }
    }
}

impl Drop for IoThreads {
    fn drop(&mut self) {
        // The last owner may be a task on these very threads, where waiting for them is impossible.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for IoThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IoThreads")
    }
}
