//! From a `SecretId` to a record that the caller may reach (SEM-ARN, SEM-ACCESS).

mod action;
pub(crate) mod alias;
pub(crate) mod resolve;

pub use action::Action;
pub(crate) use action::{check, check_key, denies, not_allowed};
