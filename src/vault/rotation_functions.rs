//! The functions that rotate secrets, given by the program that opens the vault.

use crate::model::{RotationStep, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One call of a rotation function: one step for one version of one secret.
#[derive(Clone, Debug)]
pub struct RotationEvent {
    /// The step.
    pub step: RotationStep,
    /// The secret's full ARN.
    pub secret_id: String,
    /// The version, which is also the token to write it with.
    pub client_request_token: String,
    /// A fresh random id of this call.
    pub rotation_token: String,
    /// The account and region of the secret.
    pub scope: Scope,
    pub(super) stopping: Arc<AtomicBool>,
}

impl RotationEvent {
    /// Whether the vault is being closed. A function that waits should give up then.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// A call that failed. It has no text, because the message of a function may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationError;

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rotation function failed")
    }
}

impl std::error::Error for RotationError {}

/// Does the steps of a rotation. It is called on a thread for rotations. It may block and may use the
/// vault, but should return soon once [`RotationEvent::is_stopping`].
///
/// The contract is that of AWS for Lambda functions: a step may be called more than once for the same
/// token, and each time must end with the same outcome.
pub trait RotationFunction: Send + Sync {
    /// Does one step.
    fn invoke(&self, event: &RotationEvent) -> Result<(), RotationError>;
}

/// One function.
#[derive(Clone)]
pub(crate) enum Function {
    /// The program that opened the vault gave it.
    Given(Arc<dyn RotationFunction>),
    /// A random value of so many characters.
    Random(usize),
}

/// The rotation functions of a vault, by the `RotationLambdaARN` that names them.
#[derive(Clone, Default)]
pub struct RotationFunctions {
    pub(crate) functions: BTreeMap<String, Function>,
}

impl RotationFunctions {
    /// Characters of a random value by default.
    pub const RANDOM_CHARS: usize = 32;
    /// The lengths that a random value can have.
    pub const RANDOM_CHARS_RANGE: std::ops::RangeInclusive<usize> = 1..=4096;

    /// Adds a function.
    #[must_use]
    pub fn with(mut self, arn: impl Into<String>, function: Arc<dyn RotationFunction>) -> Self {
        self.functions.insert(arn.into(), Function::Given(function));
        self
    }

    /// Adds the function that is built in. The new value is `chars` random letters and digits, drawn inside
    /// the vault.
    #[must_use]
    pub fn with_random(mut self, arn: impl Into<String>, chars: usize) -> Self {
        let (min, max) = (*Self::RANDOM_CHARS_RANGE.start(), *Self::RANDOM_CHARS_RANGE.end());
        self.functions.insert(arn.into(), Function::Random(chars.clamp(min, max)));
        self
    }

    /// Whether there is no function.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    pub(super) fn names(&self) -> BTreeSet<String> {
        self.functions.keys().cloned().collect()
    }
}

impl fmt::Debug for RotationFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.functions.keys()).finish()
    }
}
