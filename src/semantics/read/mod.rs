//! The operations that read. None of them changes anything; `vault` notes the day of a read.
//!
//! - `page`: pages and their tokens
//! - `filter`: `Filters` of a list
//! - `value`: `GetSecretValue`
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
mod value;
mod versions;

pub use describe::describe_secret;
pub use list::list_secrets;
pub use policies::{get_resource_policy, list_resource_policies, validate_resource_policy};
pub use value::{Found, get_secret_value};
pub use versions::list_secret_version_ids;
