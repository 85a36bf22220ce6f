//! Refusals about secrets: whether they are there, their names, their deletion and their tags.

use crate::model::{SecretName, limits};
use crate::semantics::fault::{Fault, FaultKind};

/// E1: the secret is unknown, in every operation.
#[must_use]
pub fn no_secret() -> Fault {
    Fault::new(FaultKind::ResourceNotFound, "Secrets Manager can't find the specified secret.")
}

/// E5: the secret is scheduled for deletion.
#[must_use]
pub fn is_scheduled() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
}

/// E7: a secret of that name is scheduled for deletion.
#[must_use]
pub fn name_is_scheduled() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't create this secret because a secret with this name is already scheduled for \
         deletion.",
    )
}

/// E8: the name is taken.
#[must_use]
pub fn name_is_taken(name: &SecretName) -> Fault {
    Fault::new(
        FaultKind::ResourceExists,
        format!("The operation failed because the secret {name} already exists."),
    )
}

/// E12: a character that no name may have.
#[must_use]
pub fn bad_name() -> Fault {
    Fault::new(
        FaultKind::Validation,
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
         following: -/_+=.@!",
    )
}

/// E31: already scheduled for deletion.
#[must_use]
pub fn already_scheduled() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You can't perform this operation on the secret because it was already scheduled for \
         deletion.",
    )
}

/// E32: a recovery window outside 7 to 30 days.
#[must_use]
pub fn bad_window() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
    )
}

/// E33: a recovery window together with no recovery.
#[must_use]
pub fn force_with_window() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    )
}

/// More tags than a secret may have. `InvalidParameterException`, because the operation declares
/// no `LimitExceededException` and clients would retry that one (our own text).
#[must_use]
pub fn too_many_tags() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!("A secret can have at most {} tags.", limits::TAGS_MAX),
    )
}

/// A tag key that AWS keeps for itself.
#[must_use]
pub fn reserved_tag(key: &str) -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        format!("You can't modify system tags. Tag key: '{key}'."),
    )
}

/// The same tag key twice in one request (our own text).
#[must_use]
pub fn duplicate_tag(key: &str) -> Fault {
    Fault::new(FaultKind::InvalidParameter, format!("Duplicate tag key: {key}"))
}
