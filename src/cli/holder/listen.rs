//! The holder's side: a thread that accepts, and one for each connection.
//!
//! A connection has a deadline for each step and cannot hold up another one, a request over HTTP or the end
//! of the server. Whatever a peer sends, only its own connection ends (SOCK-6).

use super::line::Line;
use super::protocol::{self, Hello, Verdict};
use super::{DRAIN_TIME, SOCKET};
use crate::cli::error::{CliError, Exit};
use crate::cli::task::{Answer, Request, Task, run};
use crate::env::Env;
use crate::env::real::unix_socket::{Folder, Named, peer_uid, stop_listening};
use crate::env::real::{effective_uid, open_files_max};
use crate::error::{Error, Result};
use crate::secret::SecretBytes;
use crate::vault::{OnProgress, Progress, Vault};
use std::fmt;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Connections at once.
const CONNECTIONS_MAX: usize = 64;
/// A holder that may open few files has at most one of so many of them for each connection.
const FILES_PER_CONNECTION: usize = 8;
/// So many connections there may be however few files the process may open.
const CONNECTIONS_MIN: usize = 4;
/// Files of the holder beside its connections: the folder, the socket, and a connection that is refused.
#[cfg(feature = "server")]
const OTHER_FILES: usize = 3;
/// From the connection to the end of the hello.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// From the hello to the end of the request.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// How long an answer of up to a megabyte may take; a longer one has as much for each.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// How often a command hears that its request is being worked on.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long it may take to tell a connection that there is no place for it.
const REFUSAL_TIME: Duration = Duration::from_millis(100);
/// Pause after a failed accept, for example without file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections there may be at once.
fn connections_max() -> usize {
    (open_files_max() / FILES_PER_CONNECTION).clamp(CONNECTIONS_MIN, CONNECTIONS_MAX)
}

/// How many files a holder may have open, so that the server leaves room for them.
#[cfg(feature = "server")]
pub(crate) fn files_max() -> usize {
    connections_max() + OTHER_FILES
}

/// Hears of each command that was answered: what it asked, the answer, and how long that took.
pub(crate) type Heard = fn(&Task, &Answer, Duration);

/// Answers the command `strongroom` for a vault that this process holds, until it is dropped.
/// [`Vault::listen`] gives one.
#[must_use = "it listens until it is dropped"]
pub struct Listener {
    room: Arc<Room>,
    socket: Arc<UnixListener>,
    /// The socket's file, so that no other is removed.
    file: (u64, u64),
    acceptor: Option<JoinHandle<()>>,
}

/// What the threads share.
struct Room {
    env: Env,
    vault: Vault,
    folder: Folder,
    hello: Hello,
    heard: Heard,
    open: AtomicUsize,
    connections_max: usize,
    work: Mutex<Work>,
    is_idle: Condvar,
}

/// Requests that run.
#[derive(Default)]
struct Work {
    running: usize,
    is_ending: bool,
}

impl Listener {
    /// Listens in the folder `dir` of the vault, which this process holds. So a socket that is there already
    /// is of a holder that has ended, or of nobody.
    pub(crate) fn listen(env: &Env, dir: &Path, vault: &Vault, heard: Heard) -> Result<Self> {
        let folder = Folder::open(dir).map_err(|error| Error::io("open", dir, error))?;
        Self::take(env, folder, vault, heard)
            .map_err(|error| Error::io("make", dir.join(SOCKET), error))
    }

    fn take(env: &Env, folder: Folder, vault: &Vault, heard: Heard) -> io::Result<Self> {
        let identity = folder.metadata()?.identity;
        if vault.folder_identity() != Some(identity) {
            return Err(io::Error::other("the path leads to another folder by now"));
        }
        if let Some(old) = folder.look(SOCKET)? {
            if !old.is_socket && !old.is_link {
                let message = "it is a file or folder, not a socket";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
            }
            // A link is removed itself, not what it leads to.
            folder.remove(SOCKET)?;
        }
        let hello = Hello { vault: vault.id().0, folder: identity };
        let socket = Arc::new(folder.listen(SOCKET)?);
        let file = folder.look(SOCKET)?.map(|named| named.facts.identity);
        let file = file.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let room = Arc::new(Room {
            env: env.clone(),
            vault: vault.clone(),
            folder,
            hello,
            heard,
            open: AtomicUsize::new(0),
            connections_max: connections_max(),
            work: Mutex::default(),
            is_idle: Condvar::new(),
        });
        let (accepts, to) = (Arc::clone(&socket), Arc::clone(&room));
        let acceptor = thread::Builder::new()
            .name("strongroom-holder".to_owned())
            .spawn(move || accept(&accepts, &to))?;
        Ok(Self { room, socket, file, acceptor: Some(acceptor) })
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("vault", &self.room.vault).finish_non_exhaustive()
    }
}

impl Drop for Listener {
    /// Takes no more requests, removes the socket and waits for the requests that run.
    fn drop(&mut self) {
        self.room.lock().is_ending = true;
        let is_ours = |named: &Named| named.facts.identity == self.file;
        if self.room.folder.look(SOCKET).ok().flatten().as_ref().is_some_and(is_ours) {
            // If it stays, the next holder removes it.
            let _ = self.room.folder.remove(SOCKET);
        }
        if stop_listening(&self.socket).is_ok()
            && let Some(acceptor) = self.acceptor.take()
        {
            let _ended = acceptor.join();
        }
        let work = self.room.lock();
        let busy = |work: &mut Work| work.running > 0;
        drop(self.room.is_idle.wait_timeout_while(work, DRAIN_TIME, busy));
    }
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no request is taken any more. A program may close its vault and listen on.
    fn is_ending(&self, work: &Work) -> bool {
        work.is_ending || self.vault.is_closed()
    }

    /// Counts a request in. `None`: the server ends.
    fn begin(&self) -> Option<Running<'_>> {
        let mut work = self.lock();
        if self.is_ending(&work) {
            return None;
        }
        work.running += 1;
        Some(Running(self))
    }
}

/// A request that runs.
struct Running<'a>(&'a Room);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.is_idle.notify_all();
    }
}

/// A connection that is open.
struct Open(Arc<Room>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

fn accept(listener: &UnixListener, room: &Arc<Room>) {
    loop {
        let accepted = listener.accept();
        if room.lock().is_ending {
            return;
        }
        let Ok((stream, _)) = accepted else {
            thread::sleep(ACCEPT_PAUSE);
            continue;
        };
        let before = room.open.fetch_add(1, Ordering::AcqRel);
        let open = Open(Arc::clone(room));
        if before >= room.connections_max {
            refuse(room, stream);
            continue;
        }
        // It ends by itself. If there is no thread to have, the connection just closes.
        let _ = thread::Builder::new().name("strongroom-holder".to_owned()).spawn(move || {
            // Garbage and silence end the connection. There is nobody to tell.
            let _ = converse(&open.0, stream);
        });
    }
}

/// Tells a connection beyond the limit that there is no place for it, and closes it. It is not listened to,
/// so it keeps no file open. The few bytes find room in its empty buffer.
fn refuse(room: &Room, stream: UnixStream) {
    if check_ours(&stream).is_ok() {
        let mut line = Line::new(stream, &room.env.clock);
        let by = line.within(REFUSAL_TIME);
        let _ = protocol::send_verdict(&mut line, Verdict::Full, by);
    }
}

/// Fails unless the other end is a process of the same user.
fn check_ours(stream: &UnixStream) -> io::Result<()> {
    if peer_uid(stream)? == effective_uid() {
        Ok(())
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

fn converse(room: &Room, stream: UnixStream) -> io::Result<()> {
    check_ours(&stream)?;
    let mut line = Line::new(stream, &room.env.clock);
    let by = line.within(HELLO_TIME);
    let verdict = match protocol::hello(&mut line, by)? {
        None => Verdict::OtherVersion,
        Some(hello) if hello != room.hello => Verdict::Elsewhere,
        // The folder may have another holder by now. Whoever waited for this one would wait in vain.
        Some(_) if room.vault.has_let_go() => Verdict::Elsewhere,
        Some(_) if room.is_ending(&room.lock()) => Verdict::Ending,
        Some(_) => Verdict::GoOn,
    };
    protocol::send_verdict(&mut line, verdict, by)?;
    if verdict != Verdict::GoOn {
        return Ok(());
    }
    let by = line.within(REQUEST_TIME);
    let (request, value) = protocol::request(&mut line, by)?;
    if !fits(&request, value.as_ref()) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let Some(running) = room.begin() else {
        let by = line.within(ANSWER_TIME);
        return protocol::send_ended(&mut line, by);
    };
    let begun = room.env.clock.monotonic();
    let answer = work(room, &mut line, &request, value.as_ref());
    drop(value);
    (room.heard)(&request.task, &answer, room.env.clock.monotonic().saturating_sub(begun));
    let megabytes = u32::try_from(answer.data.len() >> 20).unwrap_or(u32::MAX);
    let by = line.within(ANSWER_TIME.saturating_mul(megabytes.saturating_add(1)));
    let sent = protocol::send_answer(&mut line, answer, by);
    drop(running);
    sent
}

/// The line of a command in the log of the server (SPEAK-1).
#[cfg(feature = "server")]
pub(crate) fn tell(task: &Task, answer: &Answer, time: Duration) {
    let exit = answer.failure.as_ref().map_or(Exit::Ok, |failure| failure.exit).code();
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let operation = tracing::field::display(task.name());
    tracing::info!(target: "strongroom::request", operation, exit, ms, "command");
}

/// Whether a request has a value exactly if it needs one, and one that can be stored.
fn fits(request: &Request, value: Option<&SecretBytes>) -> bool {
    match (&request.task, value) {
        (Task::Put(put), Some(value)) => {
            // EXPOSE: a text value must be UTF-8.
            !value.is_empty() && (put.is_binary || std::str::from_utf8(value.expose()).is_ok())
        }
        (Task::Put(_), None) | (_, Some(_)) => false,
        (_, None) => true,
    }
}

/// Runs a request on a thread of its own, and meanwhile tells the command that it is being worked on.
fn work(room: &Room, line: &mut Line, request: &Request, value: Option<&SecretBytes>) -> Answer {
    let steps = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
    let seen = Arc::clone(&steps);
    let progress: OnProgress = Arc::new(move |progress| {
        let (Progress::Checking { done, total } | Progress::Rebuilding { done, total }) = progress;
        seen.1.store(total, Ordering::Relaxed);
        seen.0.store(done, Ordering::Relaxed);
    });
    thread::scope(|scope| {
        let (report, outcome) = channel();
        let vault = &room.vault;
        let worker = move || {
            // A panic ends this request and nothing else.
            let ran =
                catch_unwind(AssertUnwindSafe(|| run(vault, request, value, Some(&progress))));
            let _ = report.send(ran.unwrap_or_else(|_| Err(broke_off())));
        };
        if thread::Builder::new().spawn_scoped(scope, worker).is_err() {
            return CliError::new(Exit::Other, "the server has no thread left; nothing was done")
                .into();
        }
        loop {
            match outcome.recv_timeout(HEARTBEAT) {
                Ok(Ok(answer)) => return answer,
                Ok(Err(failure)) => return failure.into(),
                Err(RecvTimeoutError::Disconnected) => return broke_off().into(),
                Err(RecvTimeoutError::Timeout) => {
                    let by = line.within(HEARTBEAT);
                    let at = (steps.0.load(Ordering::Relaxed), steps.1.load(Ordering::Relaxed));
                    // If the command has gone, the request goes on all the same.
                    let _ = protocol::send_working(line, at, by);
                }
            }
        }
    })
}

fn broke_off() -> CliError {
    CliError::new(
        Exit::Other,
        "the server failed inside; whether this happened is unknown. Please report it",
    )
}
