//! How a secret is rotated: its configuration and the rotation that is under way.

use super::name::VersionId;
use crate::env::UnixMillis;

/// One of the four calls that a rotation makes of its function, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RotationStep {
    /// Makes the new value and stores it as `AWSPENDING`.
    CreateSecret,
    /// Sets the new value in what the secret is for.
    SetSecret,
    /// Tries the new value.
    TestSecret,
    /// Moves `AWSCURRENT` to the new version.
    FinishSecret,
}

impl RotationStep {
    /// The step's name in the event.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateSecret => "createSecret",
            Self::SetSecret => "setSecret",
            Self::TestSecret => "testSecret",
            Self::FinishSecret => "finishSecret",
        }
    }

    /// The step after this one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::CreateSecret => Some(Self::SetSecret),
            Self::SetSecret => Some(Self::TestSecret),
            Self::TestSecret => Some(Self::FinishSecret),
            Self::FinishSecret => None,
        }
    }
}

/// A rotation that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningRotation {
    /// Its version, and the `ClientRequestToken` of its events.
    pub token: VersionId,
    /// Only `testSecret` is called, with a copy of the current value (`RotateImmediately` false).
    pub only_test: bool,
    /// The step to call next: those before it have succeeded.
    pub step: RotationStep,
    /// Attempts that have failed.
    pub failures: u32,
    /// The next call is not before this moment of the wall clock; `None`: it waits for the next
    /// window of the schedule.
    pub not_before: Option<UnixMillis>,
}

/// How a secret is rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// `RotationEnabled`: cancelled rotations keep the rest.
    pub enabled: bool,
    /// `RotationLambdaARN`; empty: the partner of a managed external secret rotates it.
    pub function: String,
    /// `RotationRules`, as they were given.
    pub rules: Option<RotationRules>,
    /// `LastRotatedDate`
    pub last_rotated: Option<UnixMillis>,
    /// What the schedule counts from: the last rotation, manual change of the current value or
    /// configuration.
    pub counted_from: UnixMillis,
    /// The token of the last rotation that was asked for or begun, over or not.
    pub last_token: Option<VersionId>,
    /// The rotation under way.
    pub running: Option<RunningRotation>,
}

/// `RotationRules`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RotationRules {
    /// `AutomaticallyAfterDays`, 1 to 1000.
    pub automatically_after_days: Option<i64>,
    /// `Duration`: the length of the window, as `3h`.
    pub duration: Option<String>,
    /// `ScheduleExpression`: `rate(...)` or `cron(...)`.
    pub schedule_expression: Option<String>,
}

impl Rotation {
    /// Whether a partner, not a function, would rotate it.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.function.is_empty()
    }
}
