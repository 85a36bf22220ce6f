//! Short reads on the threads that serve connections (rule CONN-15).
//!
//! A read of one secret is over sooner than another thread would have woken up for it. But in rare cases it
//! waits: for the commit thread, if the secret changes all the time, or for a page on the disk. So only as
//! many run here as there are processors, and there is one more thread than that. All other reads, and those
//! that find no place, go to the threads for reads.
//!
//! A read that waits keeps its thread from looking for events, and the others may be asleep and not know. So
//! while reads run, a watch wakes one of them every few milliseconds.

use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread, available_parallelism};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// How often the watch looks while reads run.
const LOOK: Duration = Duration::from_millis(5);
/// After so many looks that saw no read it sleeps until the next one.
const LOOKS_IDLE: u32 = 20;

/// Threads that serve connections: one more than short reads can block.
pub(crate) fn serving_threads() -> usize {
    places() + 1
}

fn places() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

/// A defect broke the read off.
#[derive(Debug)]
pub(crate) struct BrokenOff;

/// Where reads run.
pub(crate) struct ShortReads {
    here: Arc<Here>,
    watch: Thread,
}

/// The reads that run on threads that serve connections.
struct Here {
    places: usize,
    running: AtomicUsize,
    is_watched: AtomicBool,
    has_ended: AtomicBool,
}

impl ShortReads {
    /// Reads on the threads of this runtime, of which there are [`serving_threads`].
    pub(crate) fn new(runtime: Handle) -> io::Result<Self> {
        Self::with_places(runtime, places())
    }

    fn with_places(runtime: Handle, places: usize) -> io::Result<Self> {
        let here = Arc::new(Here {
            places,
            running: AtomicUsize::new(0),
            is_watched: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
        });
        let watched = Arc::clone(&here);
        let thread = thread::Builder::new().name("strongroom-watch".to_owned());
        let watch = thread.spawn(move || watched.watch(&runtime))?.thread().clone();
        Ok(Self { here, watch })
    }

    /// Performs a read. `is_short`: it is of one secret.
    pub(crate) async fn perform<T: Send + 'static>(
        &self,
        is_short: bool,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BrokenOff> {
        if is_short && let Some(place) = self.take_place() {
            // A defect ends the request and not its connection, as on the threads for reads.
            let found = catch_unwind(AssertUnwindSafe(read));
            drop(place);
            return found.map_err(|_| BrokenOff);
        }
        spawn_blocking(read).await.map_err(|_| BrokenOff)
    }

    fn take_place(&self) -> Option<Place<'_>> {
        let place = Place(&self.here);
        if self.here.running.fetch_add(1, Ordering::SeqCst) >= self.here.places {
            return None; // Which gives back what was counted.
        }
        let is_watched = &self.here.is_watched;
        if !is_watched.load(Ordering::SeqCst) && !is_watched.swap(true, Ordering::SeqCst) {
            self.watch.unpark();
        }
        Some(place)
    }
}

impl Drop for ShortReads {
    fn drop(&mut self) {
        self.here.has_ended.store(true, Ordering::SeqCst);
        self.watch.unpark();
    }
}

/// One that runs, or asks to.
struct Place<'a>(&'a Here);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Here {
    fn watch(&self, runtime: &Handle) {
        let mut idle = 0;
        while !self.has_ended.load(Ordering::SeqCst) {
            if !self.is_watched.load(Ordering::SeqCst) {
                thread::park();
                continue;
            }
            thread::park_timeout(LOOK);
            if self.running.load(Ordering::SeqCst) > 0 {
                idle = 0;
                // A task of no work wakes a thread, which then looks for events and takes over what waits.
                runtime.spawn(async {});
                continue;
            }
            idle += 1;
            if idle > LOOKS_IDLE {
                idle = 0;
                self.is_watched.store(false, Ordering::SeqCst);
                // One that began before it could see that has woken nobody.
                if self.running.load(Ordering::SeqCst) > 0 {
                    self.is_watched.store(true, Ordering::SeqCst);
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream as Client;
    use std::sync::mpsc;
    use tokio::net::TcpStream;
    use tokio::runtime::{Builder, Runtime};

    fn runtime() -> Runtime {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).max_blocking_threads(1).enable_all().build().unwrap()
    }

    async fn next_byte(stream: &TcpStream) -> Option<u8> {
        let mut byte = [0];
        loop {
            stream.readable().await.ok()?;
            match stream.try_read(&mut byte) {
                Ok(count) => return (count == 1).then_some(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
                Err(_) => return None,
            }
        }
    }

    /// CONN-15: while a short read hangs, connections are served, later ones go to the threads for reads, and
    /// times are kept.
    #[test]
    fn a_read_that_hangs_stops_nobody_else() {
        let runtime = runtime();
        let reads = Arc::new(ShortReads::with_places(runtime.handle().clone(), 1).unwrap());
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(std::sync::Mutex::new(held));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let served = Arc::clone(&reads);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (reads, held) = (Arc::clone(&served), Arc::clone(&held));
                tokio::spawn(async move {
                    while let Some(asked) = next_byte(&stream).await {
                        let held = Arc::clone(&held);
                        let hangs = move || {
                            if asked == b'h' {
                                let _ = held.lock().unwrap().recv();
                            }
                            asked
                        };
                        let answer = reads.perform(true, hangs).await.unwrap();
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        stream.try_write(&[answer]).unwrap();
                    }
                });
            }
        });
        let client = || {
            let client = Client::connect(address).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            client
        };
        let ask = |client: &mut Client, what: u8| {
            client.write_all(&[what]).unwrap();
            let mut answer = [0];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(answer, [what]);
        };
        let (mut first, mut second) = (client(), client());
        ask(&mut first, b'a');
        ask(&mut second, b'b');
        for _ in 0..5 {
            first.write_all(b"h").unwrap();
            while reads.here.running.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            for _ in 0..20 {
                ask(&mut second, b'b');
            }
            ask(&mut client(), b'c');
            release.send(()).unwrap();
            let mut answer = [0];
            first.read_exact(&mut answer).unwrap();
        }
    }

    #[test]
    fn short_reads_stay_on_the_thread_while_there_is_a_place() {
        let runtime = runtime();
        let reads = ShortReads::with_places(runtime.handle().clone(), 1).unwrap();
        runtime.block_on(async {
            let own = thread::current().id();
            let at = |is_short| reads.perform(is_short, || thread::current().id());
            assert_eq!(at(true).await.unwrap(), own);
            assert_ne!(at(false).await.unwrap(), own);
            let place = reads.take_place().unwrap();
            assert!(reads.take_place().is_none());
            assert_ne!(at(true).await.unwrap(), own);
            drop(place);
            assert_eq!(at(true).await.unwrap(), own);
            assert!(reads.perform::<()>(true, || panic!("a defect")).await.is_err());
            assert_eq!(at(true).await.unwrap(), own, "the place is free again");
        });
    }
}
