//! Versions: how they are made and read, and how their staging labels move.
//!
//! - `token`: which version a `ClientRequestToken` names
//! - `value`: a new value, its version and its labels
//! - `put`: `PutSecretValue`
//! - `get`: `GetSecretValue`
//! - `stage`: `UpdateSecretVersionStage`

pub(crate) mod get;
pub(crate) mod put;
pub(crate) mod stage;
pub(crate) mod token;
pub(crate) mod value;
