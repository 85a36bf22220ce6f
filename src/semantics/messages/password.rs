//! Refusals about random passwords.

use crate::semantics::fault::{Fault, FaultKind};

/// E24: a password cannot have a character of each required type.
#[must_use]
pub fn password_too_short() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Password length is too short based on the required types.",
    )
}

/// E25: a required type of characters is excluded whole.
#[must_use]
pub fn no_characters_of_type() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "All characters of the desired type have been excluded.",
    )
}

/// E26: no character is left for a password.
#[must_use]
pub fn no_characters_left() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "All characters have been excluded from selection.")
}
