//! Drives the commit pipeline: from a thread of its own behind a bounded channel, or, without any
//! thread, from whoever calls.
//!
//! The thread lingers a little for as many requests as the last two batches held. Without that two
//! cohorts of writers alternate and each waits for two syncs. What a linger that ran out had gathered
//! is as many as there are, for a while, so that neither a single writer nor a full house pays.

use super::pipeline::{BATCH_OPERATIONS_MAX, Pipeline};
use crate::env::threads::channel::{Receiver, Sender, TrySendError, bounded};
use crate::env::threads::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use crate::env::threads::thread::{self, JoinHandle, ThreadId};
use crate::error::{Error, ErrorKind, Result};
use crate::semantics::Answer;
use crate::vault::job::{Done, Job};
use crate::vault::runtime::shared::Status;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Jobs that may wait in the channel: past it callers block, and servers are told `Busy`.
const QUEUE_MAX: usize = 1024;
/// Longest linger, and its share of the recent commit time.
const LINGER_MAX: Duration = Duration::from_micros(500);
const LINGER_SHARE: u32 = 7; // about 15 %
/// Batches after which a linger that found nobody is tried again.
const LINGER_RETRY: u32 = 64;

/// The one door to the pipeline.
pub(crate) enum Driver {
    /// A thread steps it. `queue` is `None` once stopped: the thread ends when it has drained what
    /// was handed in before, so that no job is lost between the last look and the end.
    Thread {
        queue: RwLock<Option<Sender<Job>>>,
        id: ThreadId,
        thread: Mutex<Option<JoinHandle<Pipeline>>>,
    },
    /// Whoever calls steps it. `None` once closed.
    Inline(Mutex<Option<Box<Pipeline>>>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    /// Starts the thread.
    pub(crate) fn spawn(pipeline: Pipeline) -> Result<Self> {
        let (queue, jobs) = bounded(QUEUE_MAX);
        let thread = thread::Builder::new()
            .name("strongroom-commit".to_owned())
            .spawn(move || run(pipeline, &jobs))
            .map_err(|error| Error::io("start the commit thread", error))?;
        let (id, thread) = (thread.thread().id(), Mutex::new(Some(thread)));
        Ok(Self::Thread { queue: RwLock::new(Some(queue)), id, thread })
    }

    /// Drives it without a thread.
    pub(crate) fn inline(pipeline: Pipeline) -> Self {
        Self::Inline(Mutex::new(Some(Box::new(pipeline))))
    }

    /// Hands a job over and waits for its outcome. Blocks while the queue is full.
    pub(crate) fn call(&self, make: impl FnOnce(Done) -> Job) -> Result<Answer> {
        let (told, outcome) = bounded(1);
        let job = make(Box::new(move |result| {
            // The caller waits on the other end; it cannot have left.
            let _ = told.send(result);
        }));
        match self {
            Self::Thread { queue, .. } => {
                sender(queue)?.send(job).map_err(|_| ErrorKind::Closed)?;
            }
            Self::Inline(pipeline) => step_now(pipeline, job)?,
        }
        // A sender that is dropped untold: the commit thread died with this job in hand.
        outcome.recv().unwrap_or_else(|_| Err(ErrorKind::OutcomeUnknown.into()))
    }

    /// Hands a job over without waiting. A full queue answers `Busy` at once.
    pub(crate) fn submit(&self, job: Job) {
        match self {
            Self::Thread { queue, .. } => {
                let Ok(queue) = sender(queue) else { return refuse(job, ErrorKind::Closed) };
                match queue.try_send(job) {
                    Ok(()) => {}
                    Err(TrySendError::Full(job)) => refuse(job, ErrorKind::Busy),
                    Err(TrySendError::Disconnected(job)) => refuse(job, ErrorKind::Closed),
                }
            }
            Self::Inline(pipeline) => {
                // An error here means that the job was told so already.
                let _ = step_now(pipeline, job);
            }
        }
    }

    /// Runs `work` on the pipeline between two batches and waits for what it gives.
    pub(crate) fn control<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Pipeline) -> T + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Thread { queue, .. } => {
                let (told, outcome) = bounded(1);
                let run = move |pipeline: &mut Pipeline| {
                    let _ = told.send(work(pipeline));
                };
                sender(queue)?.send(Job::Control(Box::new(run))).map_err(|_| ErrorKind::Closed)?;
                // A sender that is dropped untold: the work panicked.
                outcome.recv().map_err(|_| ErrorKind::OutcomeUnknown.into())
            }
            Self::Inline(pipeline) => match lock(pipeline).as_mut() {
                Some(pipeline) => catch_unwind(AssertUnwindSafe(|| work(pipeline))).map_err(|_| {
                    pipeline.shared.set_status(Status::Poisoned);
                    ErrorKind::OutcomeUnknown.into()
                }),
                None => Err(ErrorKind::Closed.into()),
            },
        }
    }

    /// Drains what waits, stops, and gives the pipeline back. `None`: it was stopped before, or its
    /// thread died.
    pub(crate) fn stop(&self) -> Option<Pipeline> {
        match self {
            Self::Thread { queue, thread, .. } => {
                drop(queue.write().unwrap_or_else(PoisonError::into_inner).take());
                let thread = lock(thread).take()?;
                // The last handle was dropped by a callback: the thread cannot wait for itself.
                if self.is_own_thread() { None } else { thread.join().ok() }
            }
            Self::Inline(pipeline) => lock(pipeline).take().map(|pipeline| *pipeline),
        }
    }

    /// Whether the caller is the commit thread itself.
    pub(crate) fn is_own_thread(&self) -> bool {
        match self {
            Self::Thread { id, .. } => *id == thread::current().id(),
            Self::Inline(_) => false,
        }
    }
}

/// The way into the queue. A clone, so that nobody holds the lock while a full queue makes it wait.
fn sender(queue: &RwLock<Option<Sender<Job>>>) -> Result<Sender<Job>> {
    let queue = queue.read().unwrap_or_else(PoisonError::into_inner);
    queue.clone().ok_or_else(|| ErrorKind::Closed.into())
}

fn step_now(pipeline: &Mutex<Option<Box<Pipeline>>>, job: Job) -> Result<()> {
    let mut place = lock(pipeline);
    let Some(pipeline) = place.as_mut() else {
        refuse(job, ErrorKind::Closed);
        return Err(ErrorKind::Closed.into());
    };
    pipeline.submit(job);
    let mut completed = Vec::new();
    while step(pipeline) {
        completed.extend(pipeline.completed());
    }
    drop(place);
    for (done, result) in completed {
        done(result);
    }
    Ok(())
}

/// One step, which may end in a panic: that poisons, because what the log holds by then is unknown
/// (I4). Those whose outcome was lost with it see their channel close. `false`: nothing waits.
fn step(pipeline: &mut Pipeline) -> bool {
    catch_unwind(AssertUnwindSafe(|| pipeline.step())).unwrap_or_else(|_| {
        pipeline.shared.set_status(Status::Poisoned);
        true
    })
}

fn refuse(job: Job, kind: ErrorKind) {
    match job {
        Job::Mutate(job) => (job.done)(Err(kind.into())),
        Job::Rewrap(_, done) | Job::ClearPurge(done) => done(Err(kind.into())),
        Job::Control(_) => {}
    }
}

fn run(mut pipeline: Pipeline, jobs: &Receiver<Job>) -> Pipeline {
    let mut pace = Pace::default();
    while let Ok(job) = jobs.recv() {
        pipeline.submit(job);
        pace.gather(&mut pipeline, jobs);
        let clock = pipeline.clock();
        let started = clock.monotonic();
        let batch = pipeline.queued();
        drive(&mut pipeline);
        pace.note(batch, clock.monotonic().saturating_sub(started));
    }
    pipeline
}

/// Steps until nothing waits, and tells the outcomes.
fn drive(pipeline: &mut Pipeline) {
    while step(pipeline) {
        for (done, result) in pipeline.completed() {
            // A callback of the embedding program must not take the vault down.
            let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
        }
    }
}

/// How long to wait for company.
struct Pace {
    last: usize,
    before: usize,
    commit: Duration,
    /// As many as a linger that ran out had gathered: more are not out there.
    reach: usize,
    /// Batches until more are hoped for again.
    retry: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { last: 0, before: 0, commit: Duration::ZERO, reach: usize::MAX, retry: 0 }
    }
}

impl Pace {
    fn gather(&mut self, pipeline: &mut Pipeline, jobs: &Receiver<Job>) {
        let clock = pipeline.clock();
        let target = (self.last + self.before).min(self.reach).min(BATCH_OPERATIONS_MAX);
        let deadline = clock.monotonic() + (self.commit / LINGER_SHARE).min(LINGER_MAX);
        while pipeline.queued() < BATCH_OPERATIONS_MAX {
            if let Ok(job) = jobs.try_recv() {
                pipeline.submit(job);
                continue;
            }
            if pipeline.queued() >= target {
                return;
            }
            let left = deadline.saturating_sub(clock.monotonic());
            let Ok(job) = jobs.recv_timeout(left) else {
                self.reach = pipeline.queued();
                self.retry = LINGER_RETRY;
                return;
            };
            pipeline.submit(job);
        }
    }

    fn note(&mut self, batch: usize, commit: Duration) {
        (self.before, self.last) = (self.last, batch);
        self.commit = (self.commit + commit) / 2;
        self.retry = self.retry.saturating_sub(1);
        if self.retry == 0 || batch > self.reach {
            self.reach = usize::MAX;
        }
    }
}
