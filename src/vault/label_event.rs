//! Events of label moves, and who receives them: a function of the program that opens the vault.

use crate::env::UnixMillis;
use crate::model::{LabelMove, Scope, VersionId};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most events that wait to be delivered. If one more is written the oldest is dropped.
pub(crate) const EVENTS_MAX: u64 = 10_000;

/// A staging label has moved to a new version of a secret: what AWS sends to `EventBridge` as
/// `Secret Label Updated`. No value is in it.
#[derive(Clone, Debug)]
pub struct LabelEvent {
    /// The event's own id, a UUID. An event that is delivered again has the same one.
    pub id: String,
    /// When the label moved.
    pub time: UnixMillis,
    /// The account and region of the secret.
    pub scope: Scope,
    /// The secret's full ARN.
    pub arn: String,
    /// The secret's friendly name.
    pub name: String,
    /// The label, such as `AWSCURRENT`.
    pub label: String,
    /// The version that the label is on now.
    pub version_id: String,
    stopping: Arc<AtomicBool>,
}

impl LabelEvent {
    pub(crate) fn new(id: [u8; 16], moved: &LabelMove, stopping: Arc<AtomicBool>) -> Self {
        Self {
            id: VersionId::from_random(id).as_str().to_owned(),
            time: moved.at,
            scope: moved.arn.scope.clone(),
            arn: moved.arn.to_string(),
            name: moved.arn.name.as_str().to_owned(),
            label: moved.stage.as_str().to_owned(),
            version_id: moved.version_id.as_str().to_owned(),
            stopping,
        }
    }

    /// Whether the vault is being closed. A receiver that waits should give up then.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// An event that was not received. It has no text: the receiver tells by itself what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventError;

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event was not received")
    }
}

impl std::error::Error for EventError {}

/// Receives events, one after the other.
pub type OnLabelUpdated = Arc<dyn Fn(&LabelEvent) -> Result<(), EventError> + Send + Sync>;
