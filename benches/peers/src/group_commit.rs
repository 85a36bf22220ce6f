//! Group commit: one thread takes what waits, makes it durable with one sync, and answers all. The limit and
//! the stores without a group commit of their own share it.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So many puts share a sync at most.
const BATCH: usize = 256;
/// The longest wait for others; a wait that is longer than a commit gains nothing either.
const LINGER: Duration = Duration::from_millis(1);

enum Done {
    Thread(Sender<()>),
    Task(tokio::sync::oneshot::Sender<()>),
}

pub struct GroupCommit<T> {
    queue: Option<Sender<(T, Done)>>,
    linger: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl<T: Send + 'static> GroupCommit<T> {
    /// `commit` makes a batch durable. With `linger` the thread waits a little for those that it has just
    /// answered, so that they share the next sync.
    pub fn new(linger: bool, commit: impl FnMut(Vec<T>) + Send + 'static) -> Self {
        let (queue, waiting) = bounded(1024);
        let linger = Arc::new(AtomicBool::new(linger));
        let lingers = Arc::clone(&linger);
        let thread = std::thread::spawn(move || run(&lingers, &waiting, commit));
        Self { queue: Some(queue), linger, thread: Some(thread) }
    }

    pub fn set_linger(&self, linger: bool) {
        self.linger.store(linger, Ordering::Relaxed);
    }

    /// Returns when `work` is durable.
    pub fn put(&self, work: T) {
        let (report, done) = bounded(1);
        self.send(work, Done::Thread(report));
        done.recv().expect("the committing thread lives");
    }

    /// For tasks: the receiver hears when `work` is durable.
    pub fn submit(&self, work: T) -> tokio::sync::oneshot::Receiver<()> {
        let (report, done) = tokio::sync::oneshot::channel();
        self.send(work, Done::Task(report));
        done
    }

    fn send(&self, work: T, done: Done) {
        let queue = self.queue.as_ref().expect("the queue lives as long as its owner");
        assert!(queue.send((work, done)).is_ok(), "the committing thread lives");
    }
}

impl<T> Drop for GroupCommit<T> {
    fn drop(&mut self) {
        self.queue.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run<T>(linger: &AtomicBool, waiting: &Receiver<(T, Done)>, mut commit: impl FnMut(Vec<T>)) {
    // Those who were answered last and those who waited meanwhile: as many as can come.
    let mut active = 1;
    let mut usual = Duration::ZERO;
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        let until = Instant::now() + usual.min(LINGER);
        while batch.len() < BATCH {
            let linger = linger.load(Ordering::Relaxed);
            match waiting.try_recv() {
                Ok(next) => batch.push(next),
                Err(_) if !linger || batch.len() >= active => break,
                Err(_) => match waiting.recv_deadline(until) {
                    Ok(next) => batch.push(next),
                    Err(_) => break,
                },
            }
        }
        let started = Instant::now();
        let (work, done): (Vec<T>, Vec<Done>) = batch.into_iter().unzip();
        commit(work);
        usual = (usual + started.elapsed()) / 2;
        active = done.len() + waiting.len();
        for done in done {
            // Who no longer waits needs no answer.
            match done {
                Done::Thread(waits) => drop(waits.send(())),
                Done::Task(waits) => drop(waits.send(())),
            }
        }
    }
}
