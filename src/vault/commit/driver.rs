//! Drives the commit pipeline: from a thread of its own behind a bounded queue, or from the caller in a vault
//! without threads.
//!
//! A caller that waits for its outcome and is the only writer steps the pipeline itself. That saves two
//! switches between threads.

use super::job::{Done, Job};
use super::pace::Pace;
use super::pipeline::{Pipeline, Task};
use crate::env::threads::queue::{Queue, Refused};
use crate::env::threads::reply::reply;
use crate::env::threads::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::env::threads::thread::{self, JoinHandle, ThreadId};
use crate::error::{Error, ErrorKind, Result};
use crate::semantics::Answer;
use crate::vault::runtime::status::Status;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Jobs that may wait in the queue. Beyond that, callers block and servers get `Busy`.
const QUEUE_MAX: usize = 1024;

/// The only way to the pipeline.
pub(crate) enum Driver {
    /// A thread steps it, or a caller that is alone.
    Thread { seat: Arc<Seat>, id: ThreadId, thread: Mutex<Option<JoinHandle<()>>> },
    /// The caller steps it. `None` once closed.
    Inline(Mutex<Option<Box<Pipeline>>>),
}

/// Where the pipeline of a vault with threads is stepped, by one thread at a time.
pub(crate) struct Seat {
    /// What waits for the commit thread. It is closed once that is stopped: the thread drains what was handed
    /// in before and then ends, so that no job is lost.
    queue: Queue<Task>,
    turn: Mutex<Turn>,
}

struct Turn {
    /// `None` once stopped.
    pipeline: Option<Box<Pipeline>>,
    pace: Pace,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    /// Starts the thread.
    pub(crate) fn spawn(pipeline: Pipeline) -> Result<Self> {
        let turn = Turn { pipeline: Some(Box::new(pipeline)), pace: Pace::default() };
        let seat = Arc::new(Seat { queue: Queue::new(QUEUE_MAX), turn: Mutex::new(turn) });
        let tasks = Tasks(Arc::clone(&seat));
        let thread = thread::Builder::new()
            .name("strongroom-commit".to_owned())
            .spawn(move || run(&tasks))
            .map_err(|error| Error::io("start the commit thread", "", error))?;
        let (id, thread) = (thread.thread().id(), Mutex::new(Some(thread)));
        Ok(Self::Thread { seat, id, thread })
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
            Self::Thread { seat, .. } => {
                if let Some(job) = seat.do_alone(job) {
                    seat.queue.push(Task::Job(job)).map_err(|_| ErrorKind::Closed)?;
                }
            }
            Self::Inline(pipeline) => step_now(pipeline, job)?,
        }
        // Without a report the commit thread died with this job in hand.
        outcome.wait().unwrap_or_else(|| Err(ErrorKind::OutcomeUnknown.into()))
    }

    /// Hands a job over without waiting. A full queue answers `Busy` at once.
    pub(crate) fn submit(&self, job: Job) {
        match self {
            Self::Thread { seat, .. } => match seat.queue.try_push(Task::Job(job)) {
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
            Self::Thread { seat, .. } => {
                let (report, outcome) = reply();
                let run = move |pipeline: &mut Pipeline| report.send(work(pipeline));
                seat.queue.push(Task::Control(Box::new(run))).map_err(|_| ErrorKind::Closed)?;
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
            Self::Thread { seat, thread, .. } => {
                seat.queue.close();
                let thread = lock(thread).take()?;
                // A callback dropped the last handle. The thread cannot wait for itself.
                if self.is_own_thread() {
                    return None;
                }
                thread.join().ok()?;
                lock(&seat.turn).pipeline.take().map(|pipeline| *pipeline)
            }
            Self::Inline(pipeline) => lock(pipeline).take().map(|pipeline| *pipeline),
        }
    }

    /// Jobs that wait for the thread.
    pub(crate) fn queued(&self) -> usize {
        match self {
            Self::Thread { seat, .. } => seat.queue.len(),
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

impl Seat {
    /// Does the job on the thread of its caller. Gives it back if other writers are about, because then the
    /// commit thread puts several into one batch, or if the vault is closed.
    fn do_alone(&self, job: Job) -> Option<Job> {
        let Ok(mut turn) = self.turn.try_lock() else { return Some(job) };
        let Turn { pipeline: Some(pipeline), pace } = &mut *turn else { return Some(job) };
        if !pace.is_alone() || !self.queue.is_at_rest() {
            return Some(job);
        }
        pipeline.submit(Task::Job(job));
        drive(pipeline, pace);
        None
    }
}

/// The seat of the commit thread. When the thread ends, no task must wait for it.
struct Tasks(Arc<Seat>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.queue.close();
        self.0.queue.take(usize::MAX, drop);
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

fn run(Tasks(seat): &Tasks) {
    while seat.queue.wait() {
        let mut turn = lock(&seat.turn);
        let Turn { pipeline: Some(pipeline), pace } = &mut *turn else { return };
        pace.gather(pipeline, &seat.queue);
        drive(pipeline, pace);
    }
}

/// Steps until nothing waits, and reports the outcomes.
fn drive(pipeline: &mut Pipeline, pace: &mut Pace) {
    let clock = pipeline.clock();
    let (started, batch) = (clock.monotonic(), pipeline.queued());
    while step(pipeline) {
        for (done, result) in pipeline.completed() {
            // A panic in a callback of the embedding program must not take the vault down.
            let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
        }
    }
    pace.note(batch, clock.monotonic().saturating_sub(started));
}
