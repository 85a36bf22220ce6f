//! The end of a call.

use crate::env::Env;
use std::time::Duration;

/// How long a call may take.
pub(crate) const CALL_TIME: Duration = Duration::from_secs(60);
/// How long a wait sleeps between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The end of a call: its time is up, or the server stops.
pub(crate) struct Deadline<'a> {
    env: &'a Env,
    is_stopping: &'a dyn Fn() -> bool,
    at: Duration,
}

impl<'a> Deadline<'a> {
    pub(crate) fn after(env: &'a Env, is_stopping: &'a dyn Fn() -> bool, span: Duration) -> Self {
        Self { env, is_stopping, at: env.clock.monotonic().saturating_add(span) }
    }

    /// The time that is left, if there is any.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = self.at.saturating_sub(self.env.clock.monotonic());
        (!left.is_zero() && !(self.is_stopping)()).then_some(left)
    }

    /// Sleeps a moment. `None`: there is no time left.
    pub(crate) fn wait(&self) -> Option<()> {
        std::thread::sleep(self.left()?.min(LOOK));
        Some(())
    }
}
