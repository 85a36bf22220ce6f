//! Drives the commit pipeline: from a thread of its own behind a bounded channel, or, without any
//! thread, from whoever calls.
//!
//! The thread lingers a little for as many requests as the last two batches held. Without that two
//! cohorts of writers alternate and each waits for two syncs. It stops as soon as requests stop
//! coming, so that a single writer hardly pays.

use super::commit::{BATCH_OPERATIONS_MAX, Pipeline};
use super::job::{Done, Job};
use super::shared::Status;
use crate::error::{Error, ErrorKind, Result};
use crate::semantics::Answer;
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Jobs that may wait in the channel: past it callers block, and servers are told `Busy`.
const QUEUE_MAX: usize = 1024;
/// Longest linger, and its share of the recent commit time.
const LINGER_MAX: Duration = Duration::from_micros(500);
const LINGER_SHARE: u32 = 7; // about 15 %
/// Requests that come further apart than this are not waited for.
const LINGER_GAP: Duration = Duration::from_micros(60);

/// The one door to the pipeline.
pub(super) enum Driver {
    /// A thread steps it.
    Thread { queue: Sender<Job>, thread: Mutex<Option<JoinHandle<Pipeline>>> },
    /// Whoever calls steps it. `None` once closed.
    Inline(Mutex<Option<Box<Pipeline>>>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    /// Starts the thread.
    pub(super) fn spawn(pipeline: Pipeline) -> Result<Self> {
        let (queue, jobs) = bounded(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("strongroom-commit".to_owned())
            .spawn(move || run(pipeline, &jobs))
            .map_err(|error| Error::io("start the commit thread", error))?;
        Ok(Self::Thread { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Drives it without a thread.
    pub(super) fn inline(pipeline: Pipeline) -> Self {
        Self::Inline(Mutex::new(Some(Box::new(pipeline))))
    }

    /// Hands a job over and waits for its outcome. Blocks while the queue is full.
    pub(super) fn call(&self, make: impl FnOnce(Done) -> Job) -> Result<Answer> {
        let (told, outcome) = bounded(1);
        let job = make(Box::new(move |result| {
            // The caller waits on the other end; it cannot have left.
            let _ = told.send(result);
        }));
        match self {
            Self::Thread { queue, .. } => queue.send(job).map_err(|_| ErrorKind::Closed)?,
            Self::Inline(pipeline) => step_now(pipeline, job)?,
        }
        // A sender that is dropped untold: the commit thread died with this job in hand.
        outcome.recv().unwrap_or_else(|_| Err(ErrorKind::OutcomeUnknown.into()))
    }

    /// Hands a job over without waiting. A full queue answers `Busy` at once.
    pub(super) fn submit(&self, job: Job) {
        match self {
            Self::Thread { queue, .. } => match queue.try_send(job) {
                Ok(()) => {}
                Err(TrySendError::Full(job)) => refuse(job, ErrorKind::Busy),
                Err(TrySendError::Disconnected(job)) => refuse(job, ErrorKind::Closed),
            },
            Self::Inline(pipeline) => {
                // An error here means that the job was told so already.
                let _ = step_now(pipeline, job);
            }
        }
    }

    /// Runs `work` on the pipeline between two batches and waits for what it gives.
    pub(super) fn control<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Pipeline) -> T + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Thread { queue, .. } => {
                let (told, outcome) = bounded(1);
                let run = move |pipeline: &mut Pipeline| {
                    let _ = told.send(work(pipeline));
                };
                queue.send(Job::Control(Box::new(run))).map_err(|_| ErrorKind::Closed)?;
                outcome.recv().map_err(|_| ErrorKind::Closed.into())
            }
            Self::Inline(pipeline) => match lock(pipeline).as_mut() {
                Some(pipeline) => Ok(work(pipeline)),
                None => Err(ErrorKind::Closed.into()),
            },
        }
    }

    /// Drains what waits, stops, and gives the pipeline back. `None`: it was stopped before, or its
    /// thread died.
    pub(super) fn stop(&self) -> Option<Pipeline> {
        match self {
            Self::Thread { queue, thread } => {
                let thread = lock(thread).take()?;
                let stop = Job::Control(Box::new(Pipeline::stop));
                if thread.thread().id() == std::thread::current().id() {
                    // The last handle was dropped by a callback: the thread cannot wait for itself.
                    let _ = queue.try_send(stop);
                    return None;
                }
                let _ = queue.send(stop);
                thread.join().ok()
            }
            Self::Inline(pipeline) => lock(pipeline).take().map(|pipeline| *pipeline),
        }
    }
}

fn step_now(pipeline: &Mutex<Option<Box<Pipeline>>>, job: Job) -> Result<()> {
    let mut place = lock(pipeline);
    let Some(pipeline) = place.as_mut() else {
        refuse(job, ErrorKind::Closed);
        return Err(ErrorKind::Closed.into());
    };
    pipeline.submit(job);
    while pipeline.step() {}
    let completed = pipeline.completed();
    drop(place);
    for (done, result) in completed {
        done(result);
    }
    Ok(())
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
    while !pipeline.is_stopping() {
        let Ok(job) = jobs.recv() else { break };
        pipeline.submit(job);
        pace.gather(&mut pipeline, jobs);
        let clock = pipeline.clock();
        let started = clock.monotonic();
        let batch = pipeline.queued();
        drive(&mut pipeline);
        pace.note(batch, clock.monotonic().saturating_sub(started));
    }
    // Whoever was still in the channel learns that it came too late.
    for job in jobs.try_iter() {
        refuse(job, ErrorKind::Closed);
    }
    pipeline
}

/// Steps until nothing waits, and tells the outcomes. A panic poisons: what the log holds by then
/// is unknown (I4). Those whose outcome was lost with it see their channel close.
fn drive(pipeline: &mut Pipeline) {
    loop {
        let stepped = catch_unwind(AssertUnwindSafe(|| pipeline.step()));
        for (done, result) in pipeline.completed() {
            // A callback of the embedding program must not take the vault down.
            let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
        }
        match stepped {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => pipeline.shared.set_status(Status::Poisoned),
        }
    }
}

/// How long to wait for company.
#[derive(Default)]
struct Pace {
    last: usize,
    before: usize,
    commit: Duration,
}

impl Pace {
    fn gather(&self, pipeline: &mut Pipeline, jobs: &Receiver<Job>) {
        let clock = pipeline.clock();
        let target = (self.last + self.before).min(BATCH_OPERATIONS_MAX);
        let deadline = clock.monotonic() + (self.commit / LINGER_SHARE).min(LINGER_MAX);
        while pipeline.queued() < BATCH_OPERATIONS_MAX {
            if let Ok(job) = jobs.try_recv() {
                pipeline.submit(job);
                continue;
            }
            let left = deadline.saturating_sub(clock.monotonic());
            if pipeline.queued() >= target || left.is_zero() {
                break;
            }
            match jobs.recv_timeout(left.min(LINGER_GAP)) {
                Ok(job) => pipeline.submit(job),
                Err(_) => break,
            }
        }
    }

    fn note(&mut self, batch: usize, commit: Duration) {
        (self.before, self.last) = (self.last, batch);
        self.commit = (self.commit + commit) / 2;
    }
}
