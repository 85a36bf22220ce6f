//! From a `SecretId` to a record that the caller may reach (SEM-ARN, SEM-ACCESS).
//!
//! - `action`: the operations, as access rules tell them apart
//! - `permission`: whether a caller may do an action to a secret
//! - `alias`: what a replica shows
//! - `resolve`: the one way from a request to a record

mod action;
pub(crate) mod alias;
mod permission;
pub(crate) mod resolve;

pub use action::Action;
pub use permission::depends_on_record_alone;
pub(crate) use permission::{check, check_key, denies, not_allowed};
