//! The operations that read. None of them changes anything; `vault` notes the day of a read.
//!
//! - `page`: pages and their tokens
//! - `filter`: `Filters` of a list
//! - `describe`: `DescribeSecret`, and the entries of a list
//! - `versions`: `ListSecretVersionIds`
//! - `list`: `ListSecrets`
//! - `batch`: which secrets `BatchGetSecretValue` means
//! - `policies`: the operations that read resource policies

pub mod batch;
mod describe;
pub(crate) mod filter;
mod list;
pub(crate) mod page;
mod policies;
mod versions;
