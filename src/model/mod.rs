//! Facts that every layer shares: identities, stored records, rows, requests and answers.
//! No behaviour beyond parsing, no serde, no plaintext of values.
//!
//! - `limits.rs`: the limits of the AWS API
//! - `row.rs`: rows, as log and store move them
//! - `name.rs`: names, scopes, ARNs, version ids and labels
//! - `record.rs`: stored secrets and versions
//! - `kms_key.rs`: names of keys
//! - `label_move.rs`: a label that has moved
//! - `replication.rs`, `cross_account.rs`, `policy.rs`, `rotation.rs`, `external.rs`: the parts of a stored secret
//! - `rotation_token.rs`: the token of a rotation function in another account
//! - `api/`: requests and responses of the operations

pub mod api;
pub mod cross_account;
pub mod external;
mod kms_key;
mod label_move;
pub mod limits;
pub mod name;
pub mod policy;
pub mod record;
pub mod replication;
pub mod rotation;
mod rotation_token;
pub mod row;

pub use cross_account::{
    CrossAccount, CrossAccountPrimary, CrossAccountReplica, CrossAccountStatus, Link,
};
pub use external::{External, ExternalMetadata};
pub use kms_key::{OWN_KEY, customer_key};
pub use label_move::LabelMove;
pub use name::{Arn, Scope, SecretName, SecretRef, Stage, Suffix, VersionId};
pub use policy::Policies;
pub use record::{Deletion, PayloadShape, RecordId, SecretRecord, Seq, Tag, VersionRecord};
pub use replication::{Replica, ReplicaStatus, Replication};
pub use rotation::{Rotation, RotationStep, RunningRotation};
pub use rotation_token::RotationToken;
pub use row::{ChangeSet, Lsn, RowChange, Tree};
