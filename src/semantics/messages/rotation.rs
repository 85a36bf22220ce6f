//! Refusals about rotation (E10 of `RotateSecret`, E15 to E17).

use super::version::no_token;
use crate::model::VersionId;
use crate::semantics::fault::{Fault, FaultKind};

/// E10 of `RotateSecret`: the same text under another exception.
#[must_use]
pub fn no_rotation_token() -> Fault {
    Fault { kind: FaultKind::InvalidParameter, ..no_token() }
}

/// E15: no rotation function was ever named.
#[must_use]
pub fn no_function() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "No Lambda rotation function ARN is associated with this secret.",
    )
}

/// E16: the rotation function cannot be called.
#[must_use]
pub fn function_not_callable() -> Fault {
    Fault::new(
        FaultKind::AccessDenied,
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function \
         policy grants access to the principal secretsmanager.amazonaws.com.",
    )
}

/// E17: AWSPENDING is on a version that is not current.
#[must_use]
pub fn rotation_not_complete() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "A previous rotation isn't complete. That rotation will be reattempted.",
    )
}

/// The token of a rotation names a version already. `InvalidRequestException`, because the
/// operation declares no `ResourceExistsException` (our own text).
#[must_use]
pub fn rotation_token_is_taken(token: &VersionId) -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        format!(
            "You can't use ClientRequestToken {token} because that value is already in use for a \
             version of this secret."
        ),
    )
}

/// `CancelRotateSecret` on a secret whose rotation was never configured.
#[must_use]
pub fn rotation_never_configured() -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        "You tried to enable rotation on a secret that doesn't already have a Lambda function ARN \
         configured and you didn't include such an ARN as a parameter in this call.",
    )
}

/// The rules have two schedules.
#[must_use]
pub fn two_schedules() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You cannot specify both rotation frequency and schedule expression together.",
    )
}

/// An invalid schedule expression.
#[must_use]
pub fn bad_schedule() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Invalid schedule expression.")
}

/// A rate in hours that is no part of a day, or too short.
#[must_use]
pub fn bad_rate_in_hours() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Rate in hour should be least 4 and less than 24.")
}

/// A rate in days without days, or with too many.
#[must_use]
pub fn bad_rate_in_days() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Rate in day should be greater than 0 and less than 1000.",
    )
}

/// A length of the rotation window that no schedule can have.
#[must_use]
pub fn bad_duration() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Duration must be at least 1 hour, at most 24 hour.")
}

/// A window that would end on another day than it starts.
#[must_use]
pub fn window_leaves_its_day() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Starting hour and duration must be within a day.")
}

/// A window that is longer than the rate.
#[must_use]
pub fn window_exceeds_its_rate() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Duration cannot be greater than Rate in hour.")
}

/// A window of a cron expression that would still be open when the next one opens (our own text).
#[must_use]
pub fn windows_overlap() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "The Duration value is invalid: a rotation window must end before the next one starts.",
    )
}

/// A length of the window without a schedule (our own text).
#[must_use]
pub fn duration_without_schedule() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "You can't specify Duration without AutomaticallyAfterDays or ScheduleExpression.",
    )
}
