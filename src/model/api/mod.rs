//! Requests and responses of the AWS operations, in AWS's words. Members are as they arrive: the
//! checks are `semantics`'. `V` is the value: [`SecretValue`](crate::secret::SecretValue) at the edge,
//! [`PayloadKind`](crate::secret::PayloadKind) once `vault` has sealed it, so that nothing below ever
//! sees plaintext.
//!
//! - `request.rs`: the macro that requests are written with
//! - `responses.rs`: shapes that several operations answer with
//! - `secrets.rs`, `values.rs`, `tags.rs`, `rotation.rs`, `policy.rs`, `replication.rs`,
//!   `cross_account.rs`, `password.rs`: requests and responses by subject
//! - `paged.rs`: requests whose responses come in pages
//! - `operations.rs`: the table of operations, and what comes from it: names, kinds, enums of requests and
//!   responses
//! - `turns.rs`: what the engine that rotates secrets and the commit pipeline tell each other

mod cross_account;
mod operations;
mod paged;
mod password;
mod policy;
mod replication;
mod request;
mod responses;
mod rotation;
mod secrets;
mod tags;
mod turns;
mod values;

pub use super::rotation::RotationRules;
pub use cross_account::*;
pub(crate) use operations::for_each_operation;
pub use operations::{ApiRequest, Operation, Read, Request, Response, Write};
pub use paged::PagedRequest;
pub use password::*;
pub use policy::*;
pub use replication::*;
pub use responses::*;
pub use rotation::*;
pub use secrets::*;
pub use tags::*;
pub use turns::*;
pub use values::*;
