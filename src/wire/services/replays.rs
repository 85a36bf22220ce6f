//! Remembers the signatures of requests that change something, so that a captured one does nothing when it is
//! sent again (rules CONN-12, CONN-13).
//!
//! A signature holds for some minutes. Until it expires, its first answer is kept, and a repeat gets that
//! answer. A client may rightly send two equal requests within one second, which then have one signature
//! (tag, untag, tag). So a repeat counts as one only if the first is over two seconds old.
//!
//! Nothing is kept on disk. What was signed before the server started, and what had to be forgotten because
//! there was too much of it, is refused with an error that clients repeat with a new signature.

use crate::env::UnixMillis;
use crate::wire::reply::Reply;
use crate::wire::sigv4::{self, Stamp};
use hyper::StatusCode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// How old a request must be for an equal one to count as its repeat.
const FRESH: Duration = Duration::from_secs(2);
/// Signatures that are remembered.
const SIGNATURES_MAX: usize = 262_144;
/// Bytes of the answers that are remembered.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An answer that can be given again.
#[derive(Clone)]
pub(crate) struct Kept {
    status: StatusCode,
    content_type: &'static str,
    content: Arc<Zeroizing<Vec<u8>>>,
    error: Option<&'static str>,
}

impl Kept {
    fn of(reply: &Reply) -> Self {
        let content = reply.content.as_ref().map(|content| content.to_vec()).unwrap_or_default();
        Self {
            status: reply.status,
            content_type: reply.content_type,
            content: Arc::new(Zeroizing::new(content)),
            error: reply.error,
        }
    }

    /// The same answer once more.
    pub(crate) fn reply(&self) -> Reply {
        let content = Zeroizing::new(self.content.to_vec());
        Reply { error: self.error, ..Reply::of(self.status, self.content_type, content) }
    }
}

enum State {
    /// It is being carried out.
    Running(watch::Receiver<Option<Kept>>),
    /// The answer, and its number in [`Memory::answered`].
    Answered(Kept, u64),
    /// It was carried out, and its answer is not known any more.
    Spent,
}

struct Entry {
    /// When it was first seen, by the clock that nobody sets.
    came: Duration,
    state: State,
}

/// By the time in the signature, so that the first is the first to expire.
type Key = (UnixMillis, [u8; 32]);

struct Memory {
    entries: BTreeMap<Key, Entry>,
    /// Those with an answer, by the number of the answer: the oldest answer first.
    answered: BTreeMap<u64, Key>,
    answers: u64,
    answer_bytes: usize,
    /// What was signed before may be forgotten.
    known_since: UnixMillis,
}

/// The memory of a server.
pub(crate) struct Replays(Mutex<Memory>);

/// What is to be done with a request.
pub(crate) enum Turn {
    /// It is the first: it is carried out, and its answer noted.
    First(Seat),
    /// It is carried out. An equal one was a moment ago.
    Twin,
    /// It is a repeat, and the first one's answer is this.
    Again(Kept),
    /// It is a repeat, and the first one is still being carried out.
    Wait(watch::Receiver<Option<Kept>>),
    /// It is a repeat, and the first one's answer is not kept.
    Spent,
    /// It may be a repeat.
    Unknown,
}

impl Replays {
    pub(crate) fn new(now: UnixMillis) -> Self {
        Self(Mutex::new(Memory {
            entries: BTreeMap::new(),
            answered: BTreeMap::new(),
            answers: 0,
            answer_bytes: 0,
            known_since: now.whole_seconds(),
        }))
    }

    /// Looks up a request whose signature is good. `now` is the time that signatures are compared with, `uptime`
    /// the time of the clock that nobody sets.
    pub(crate) fn begin(
        self: &Arc<Self>,
        stamp: &Stamp,
        now: UnixMillis,
        uptime: Duration,
    ) -> Turn {
        let key = (stamp.at, stamp.signature);
        let mut memory = self.memory();
        memory.expire(now);
        let age = now.since(stamp.at);
        let is_far = Duration::from_millis(age.unsigned_abs()) > FRESH;
        let Some(entry) = memory.entries.get(&key) else {
            // If the clock was set back, what is forgotten seems to come from the future.
            if stamp.at < memory.known_since && is_far {
                return Turn::Unknown;
            }
            let (told, running) = watch::channel(None);
            let entry = Entry { came: uptime, state: State::Running(running) };
            memory.entries.insert(key, entry);
            memory.make_room();
            return Turn::First(Seat { replays: Arc::clone(self), key, told, is_submitted: false });
        };
        let is_old = age > 0 && is_far;
        if !is_old && uptime.saturating_sub(entry.came) <= FRESH {
            return Turn::Twin;
        }
        match &entry.state {
            State::Running(running) => Turn::Wait(running.clone()),
            State::Answered(kept, _) => Turn::Again(kept.clone()),
            State::Spent => Turn::Spent,
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Forgets what no longer opens anything.
    fn expire(&mut self, now: UnixMillis) {
        while let Some(first) = self.entries.first_entry() {
            if !sigv4::is_expired(first.key().0, now) {
                break;
            }
            let (key, entry) = first.remove_entry();
            self.forget(key.0, &entry.state);
        }
    }

    fn make_room(&mut self) {
        while self.entries.len() > SIGNATURES_MAX {
            let Some(((at, _), entry)) = self.entries.pop_first() else { return };
            self.forget(at, &entry.state);
        }
        while self.answer_bytes > ANSWER_BYTES_MAX {
            let Some((_, key)) = self.answered.pop_first() else { return };
            if let Some(entry) = self.entries.get_mut(&key) {
                let state = std::mem::replace(&mut entry.state, State::Spent);
                self.forget_answer(&state);
            }
        }
    }

    /// Notes that a request signed at `at` is not remembered any more.
    fn forget(&mut self, at: UnixMillis, state: &State) {
        // Others of the same second may go next. The clock may be set back to before it.
        self.known_since = self.known_since.max(at.plus(1000));
        self.forget_answer(state);
    }

    fn forget_answer(&mut self, state: &State) {
        if let State::Answered(kept, number) = state {
            self.answered.remove(number);
            self.answer_bytes = self.answer_bytes.saturating_sub(kept.content.len());
        }
    }
}

/// The duty to note the answer of a request that is carried out.
pub(crate) struct Seat {
    replays: Arc<Replays>,
    key: Key,
    told: watch::Sender<Option<Kept>>,
    is_submitted: bool,
}

impl Seat {
    /// Notes that the request takes effect from now on, whether or not anybody learns its answer.
    pub(crate) fn submitted(&mut self) {
        self.is_submitted = true;
    }

    /// Notes the answer.
    pub(crate) fn answer(self, reply: &Reply) {
        let kept = Kept::of(reply);
        let mut memory = self.replays.memory();
        let number = memory.answers;
        if let Some(entry) = memory.entries.get_mut(&self.key) {
            entry.state = State::Answered(kept.clone(), number);
            memory.answers += 1;
            memory.answer_bytes += kept.content.len();
            memory.answered.insert(number, self.key);
            memory.make_room();
        }
        drop(memory);
        self.told.send_replace(Some(kept));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut memory = self.replays.memory();
        let Some(entry) = memory.entries.get_mut(&self.key) else { return };
        if let State::Running(_) = entry.state {
            if self.is_submitted {
                entry.state = State::Spent;
            } else {
                memory.entries.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_767_323_045_000);

    fn stamp(at: UnixMillis, number: u32) -> Stamp {
        let mut signature = [0; 32];
        signature[..4].copy_from_slice(&number.to_le_bytes());
        Stamp { at, signature }
    }

    /// Begins at a time at which both clocks agree.
    fn begin(replays: &Arc<Replays>, stamp: &Stamp, now: UnixMillis) -> Turn {
        replays.begin(stamp, now, uptime(now))
    }

    fn uptime(now: UnixMillis) -> Duration {
        Duration::from_millis(now.since(NOW).max(0).unsigned_abs())
    }

    fn first(replays: &Arc<Replays>, stamp: &Stamp, now: UnixMillis) -> Seat {
        match begin(replays, stamp, now) {
            Turn::First(seat) => seat,
            _ => panic!("it is no first"),
        }
    }

    fn start() -> Arc<Replays> {
        Arc::new(Replays::new(NOW))
    }

    /// CONN-12
    #[test]
    fn a_repeat_gets_the_first_answer_and_a_twin_does_not() {
        let replays = start();
        let asked = stamp(NOW, 1);
        first(&replays, &asked, NOW).answer(&Reply::plain("one"));
        assert!(matches!(begin(&replays, &asked, NOW.plus(2000)), Turn::Twin));
        let Turn::Again(kept) = begin(&replays, &asked, NOW.plus(2001)) else { panic!() };
        assert_eq!(kept.reply().content.unwrap().as_slice(), b"one");
        // A client whose clock is ahead.
        let ahead = stamp(NOW.plus(60_000), 2);
        first(&replays, &ahead, NOW).answer(&Reply::plain("two"));
        assert!(matches!(begin(&replays, &ahead, NOW.plus(2000)), Turn::Twin));
        assert!(matches!(begin(&replays, &ahead, NOW.plus(2001)), Turn::Again(_)));
        // Forgotten when it opens nothing any more.
        let late = NOW.plus(11 * 60_000);
        first(&replays, &stamp(late, 3), late).answer(&Reply::plain("three"));
        let memory = replays.memory();
        assert_eq!((memory.entries.len(), memory.answered.len(), memory.answer_bytes), (1, 1, 5));
    }

    /// CONN-12
    #[test]
    fn a_repeat_of_what_still_runs_waits_for_it() {
        let replays = start();
        let (asked, later) = (stamp(NOW, 1), NOW.plus(5000));
        let mut seat = first(&replays, &asked, NOW);
        seat.submitted();
        let Turn::Wait(running) = begin(&replays, &asked, later) else { panic!() };
        assert!(running.borrow().is_none());
        seat.answer(&Reply::plain("one"));
        assert!(running.borrow().is_some());
        // Broken off with an effect, and before it had any.
        let mut seat = first(&replays, &stamp(NOW, 2), NOW);
        seat.submitted();
        drop(seat);
        assert!(matches!(begin(&replays, &stamp(NOW, 2), later), Turn::Spent));
        drop(first(&replays, &stamp(NOW, 3), NOW));
        drop(first(&replays, &stamp(NOW, 3), NOW));
    }

    /// CONN-13
    #[test]
    fn what_was_signed_before_the_start_may_be_a_repeat() {
        let replays = start();
        let before = stamp(NOW.plus(-1000), 1);
        drop(first(&replays, &before, NOW));
        drop(first(&replays, &before, NOW.plus(1000)));
        assert!(matches!(begin(&replays, &before, NOW.plus(1001)), Turn::Unknown));
        drop(first(&replays, &stamp(NOW, 2), NOW.plus(100_000)));
    }

    /// CONN-13
    #[test]
    fn the_memory_is_bounded_and_what_it_forgets_is_refused() {
        let replays = start();
        let number = u32::try_from(SIGNATURES_MAX).unwrap();
        for number in 0..=number {
            let at = NOW.plus(i64::from(number / 2000) * 1000);
            first(&replays, &stamp(at, number), at).answer(&Reply::plain("x"));
        }
        let now = NOW.plus(140_000);
        assert_eq!(replays.memory().entries.len(), SIGNATURES_MAX);
        assert!(matches!(begin(&replays, &stamp(NOW, 0), now), Turn::Unknown));
        assert!(matches!(begin(&replays, &stamp(NOW, 1), now), Turn::Again(_)));
        let long = "x".repeat(ANSWER_BYTES_MAX - 1000);
        first(&replays, &stamp(now, number + 1), now).answer(&Reply::plain(&long));
        assert!(replays.memory().answer_bytes <= ANSWER_BYTES_MAX);
        assert!(matches!(begin(&replays, &stamp(NOW, 1), now), Turn::Spent));
    }

    /// CONN-13: what is forgotten stays refused when the clock of the machine is set back.
    #[test]
    fn a_clock_that_is_set_back_lets_no_repeat_through() {
        let replays = start();
        let asked = stamp(NOW, 1);
        first(&replays, &asked, NOW).answer(&Reply::plain("one"));
        // It expires, and then the clock is set back to before it was signed.
        let late = NOW.plus(11 * 60_000);
        first(&replays, &stamp(late, 2), late).answer(&Reply::plain("two"));
        let back = NOW.plus(-60_000);
        assert!(matches!(replays.begin(&asked, back, uptime(late)), Turn::Unknown));
        // Requests of a clock that was set back as well are served.
        let honest = replays.begin(&stamp(back.plus(-1000), 3), back, uptime(late));
        assert!(matches!(honest, Turn::First(_)));
        // What is remembered is a repeat by the time that has passed, whatever the clock says.
        let passed = uptime(late) + FRESH + Duration::from_millis(1);
        let again = replays.begin(&stamp(late, 2), back, passed);
        assert!(matches!(again, Turn::Again(_)));
    }

    /// CONN-13: an answer that expires leaves the order of answers too, whatever stands before it.
    #[test]
    fn expired_answers_leave_nothing_behind() {
        let replays = start();
        // Signed ahead, so that it is the last to expire; and answered first.
        let ahead = stamp(NOW.plus(4 * 60_000), 0);
        first(&replays, &ahead, NOW).answer(&Reply::plain("ahead"));
        for number in 1..=1000 {
            first(&replays, &stamp(NOW, number), NOW).answer(&Reply::plain("x"));
        }
        let late = NOW.plus(6 * 60_000);
        drop(first(&replays, &stamp(late, 1001), late));
        let memory = replays.memory();
        assert_eq!((memory.entries.len(), memory.answered.len(), memory.answer_bytes), (1, 1, 5));
    }
}
