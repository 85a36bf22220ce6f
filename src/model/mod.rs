//! Facts that every layer shares: identities, stored records, rows, requests and answers.
//! No behaviour beyond parsing, no serde, no plaintext of values.

pub mod api;
pub mod cross_account;
pub mod external;
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
pub use name::{Arn, Scope, SecretName, SecretRef, Stage, Suffix, VersionId};
pub use policy::Policies;
pub use record::{Deletion, PayloadShape, RecordId, SecretRecord, Seq, Tag, VersionRecord};
pub use replication::{Replica, ReplicaStatus, Replication};
pub use rotation::{Rotation, RotationStep, RunningRotation};
pub use rotation_token::RotationToken;
pub use row::{ChangeSet, Lsn, RowChange, Tree};
