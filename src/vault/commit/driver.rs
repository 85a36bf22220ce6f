//! Drives the commit pipeline: from a thread of its own behind a bounded channel, or from the caller in a
//! vault without threads.
//!
//! Before a batch, the thread waits briefly for as many requests as the last two batches contained. Without
//! that, two groups of writers alternate and each waits for two syncs. If a wait times out, no more writers
//! are active, so for a number of batches the thread waits for no more than it got. Neither a single writer
//! nor a full queue waits.

use super::job::{Done, Job};
use super::pipeline::{BATCH_OPERATIONS_MAX, Pipeline, Task};
use crate::env::threads::queue::{Queue, Refused};
use crate::env::threads::reply::reply;
use crate::env::threads::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::env::threads::thread::{self, JoinHandle, ThreadId};
use crate::error::{Error, ErrorKind, Result};
use crate::semantics::Answer;
use crate::vault::runtime::status::Status;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Jobs that may wait in the queue. Beyond that, callers block and servers get `Busy`.
const QUEUE_MAX: usize = 1024;
/// Longest linger, and its share of the recent commit time.
const LINGER_MAX: Duration = Duration::from_micros(500);
const LINGER_SHARE: u32 = 7; // about 15 %
/// Batches after which the limit of a linger that ran out is lifted again.
const LINGER_RETRY: u32 = 64;

/// The only way to the pipeline.
pub(crate) enum Driver {
    /// A thread steps it. `queue` is closed once it is stopped: the thread drains what was handed in before
    /// and then ends, so that no job is lost.
    Thread { queue: Arc<Queue<Task>>, id: ThreadId, thread: Mutex<Option<JoinHandle<Pipeline>>> },
    /// The caller steps it. `None` once closed.
    Inline(Mutex<Option<Box<Pipeline>>>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    /// Starts the thread.
    pub(crate) fn spawn(pipeline: Pipeline) -> Result<Self> {
        let queue = Arc::new(Queue::new(QUEUE_MAX));
        let tasks = Tasks(Arc::clone(&queue));
        let thread = thread::Builder::new()
            .name("strongroom-commit".to_owned())
            .spawn(move || run(pipeline, &tasks))
            .map_err(|error| Error::io("start the commit thread", "", error))?;
        let (id, thread) = (thread.thread().id(), Mutex::new(Some(thread)));
        Ok(Self::Thread { queue, id, thread })
    }

    /// Drives it without a thread.
    pub(crate) fn inline(pipeline: Pipeline) -> Self {
        Self::Inline(Mutex::new(Some(Box::new(pipeline))))
    }

    /// Hands a job over and waits for its outcome. Blocks while the queue is full.
    pub(crate) fn call(&self, make: impl FnOnce(Done) -> Job) -> Result<Answer> {
        let (report, outcome) = reply();
        let job = make(Box::new(move |result| report.send(result)));
        match self {
            Self::Thread { queue, .. } => {
                queue.push(Task::Job(job)).map_err(|_| ErrorKind::Closed)?;
            }
            Self::Inline(pipeline) => step_now(pipeline, job)?,
        }
        // Without a report the commit thread died with this job in hand.
        outcome.wait().unwrap_or_else(|| Err(ErrorKind::OutcomeUnknown.into()))
    }

    /// Hands a job over without waiting. A full queue answers `Busy` at once.
    pub(crate) fn submit(&self, job: Job) {
        match self {
            Self::Thread { queue, .. } => match queue.try_push(Task::Job(job)) {
                Ok(()) => {}
                Err(Refused::Full(task)) => refuse(task, ErrorKind::Busy),
                Err(Refused::Closed(task)) => refuse(task, ErrorKind::Closed),
            },
            Self::Inline(pipeline) => {
                // On an error the job has its outcome already.
                let _ = step_now(pipeline, job);
            }
        }
    }

    /// Runs `work` on the pipeline between two batches, and waits for its result.
    pub(crate) fn control<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Pipeline) -> T + Send + 'static,
    ) -> Result<T> {
        match self {
            Self::Thread { queue, .. } => {
                let (report, outcome) = reply();
                let run = move |pipeline: &mut Pipeline| report.send(work(pipeline));
                queue.push(Task::Control(Box::new(run))).map_err(|_| ErrorKind::Closed)?;
                // Without a report the work has panicked.
                outcome.wait().ok_or_else(|| ErrorKind::OutcomeUnknown.into())
            }
            Self::Inline(pipeline) => match lock(pipeline).as_mut() {
                Some(pipeline) => catch_unwind(AssertUnwindSafe(|| work(pipeline))).map_err(|_| {
                    pipeline.shared.status.raise(Status::Poisoned);
                    ErrorKind::OutcomeUnknown.into()
                }),
                None => Err(ErrorKind::Closed.into()),
            },
        }
    }

    /// Drains the queue, stops, and gives the pipeline back. `None`: it was stopped before, or its thread
    /// died.
    pub(crate) fn stop(&self) -> Option<Pipeline> {
        match self {
            Self::Thread { queue, thread, .. } => {
                queue.close();
                let thread = lock(thread).take()?;
                // A callback dropped the last handle. The thread cannot wait for itself.
                if self.is_own_thread() { None } else { thread.join().ok() }
            }
            Self::Inline(pipeline) => lock(pipeline).take().map(|pipeline| *pipeline),
        }
    }

    /// Jobs that wait for the thread.
    pub(crate) fn queued(&self) -> usize {
        match self {
            Self::Thread { queue, .. } => queue.len(),
            Self::Inline(_) => 0,
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

/// The receiving end of the queue. When the thread ends, no task must wait for it.
struct Tasks(Arc<Queue<Task>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.close();
        self.0.take(usize::MAX, drop);
    }
}

fn step_now(pipeline: &Mutex<Option<Box<Pipeline>>>, job: Job) -> Result<()> {
    let mut place = lock(pipeline);
    let Some(pipeline) = place.as_mut() else {
        refuse(Task::Job(job), ErrorKind::Closed);
        return Err(ErrorKind::Closed.into());
    };
    pipeline.submit(Task::Job(job));
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

/// Does one step. A panic poisons the vault, because what the log holds by then is unknown (I4). Callers
/// whose outcome is lost with it see their channel close. `false`: nothing waits.
fn step(pipeline: &mut Pipeline) -> bool {
    catch_unwind(AssertUnwindSafe(|| pipeline.step())).unwrap_or_else(|_| {
        pipeline.shared.status.raise(Status::Poisoned);
        true
    })
}

fn refuse(task: Task, kind: ErrorKind) {
    match task {
        Task::Job(job) => job.into_done()(Err(kind.into())),
        // It is dropped without a report.
        Task::Control(_) => {}
    }
}

fn run(mut pipeline: Pipeline, Tasks(tasks): &Tasks) -> Pipeline {
    let mut pace = Pace::default();
    while tasks.wait() {
        pace.gather(&mut pipeline, tasks);
        let clock = pipeline.clock();
        let started = clock.monotonic();
        let batch = pipeline.queued();
        drive(&mut pipeline);
        pace.note(batch, clock.monotonic().saturating_sub(started));
    }
    pipeline
}

/// Steps until nothing waits, and reports the outcomes.
fn drive(pipeline: &mut Pipeline) {
    while step(pipeline) {
        for (done, result) in pipeline.completed() {
            // A panic in a callback of the embedding program must not take the vault down.
            let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
        }
    }
}

/// How long the thread lingers for more requests.
struct Pace {
    last: usize,
    before: usize,
    commit: Duration,
    /// How many requests the last linger that ran out had gathered: there are no more writers.
    reach: usize,
    /// Batches until more are waited for again.
    retry: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { last: 0, before: 0, commit: Duration::ZERO, reach: usize::MAX, retry: 0 }
    }
}

impl Pace {
    fn gather(&mut self, pipeline: &mut Pipeline, tasks: &Queue<Task>) {
        let clock = pipeline.clock();
        let target = (self.last + self.before).min(self.reach).min(BATCH_OPERATIONS_MAX);
        let deadline = clock.monotonic() + (self.commit / LINGER_SHARE).min(LINGER_MAX);
        let mut has_time = true;
        loop {
            let room = BATCH_OPERATIONS_MAX.saturating_sub(pipeline.queued());
            tasks.take(room, |task| pipeline.submit(task));
            let missing = target.saturating_sub(pipeline.queued());
            if missing == 0 {
                return;
            }
            if !has_time {
                self.reach = pipeline.queued();
                self.retry = LINGER_RETRY;
                return;
            }
            has_time = tasks.wait_for(missing, deadline.saturating_sub(clock.monotonic()));
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
