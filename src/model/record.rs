//! Stored facts about secrets and versions. `vault::rows` seals and encodes them.

use super::cross_account::{CrossAccount, CrossAccountPrimary, CrossAccountReplica, Link};
use super::external::External;
use super::name::{Arn, Scope, SecretName, Suffix, VersionId};
use super::policy::Policies;
use super::replication::{Replica, Replication};
use super::rotation::Rotation;
use super::row::Lsn;
use crate::env::UnixMillis;
use crate::secret::PayloadKind;

/// Identity of a secret inside the vault: 8 bytes of keyed hash of its scope, then the LSN of its
/// creation, big-endian. So ids are never reused and a scope's secrets lie together in the order
/// of their creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub [u8; 16]);

/// Number of a version within its secret, from 1, never reused: age order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// A user's tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    /// 1 to 128 characters, case-sensitive.
    pub key: String,
    /// 0 to 256 characters.
    pub value: String,
}

/// A deletion that waits for its recovery window to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When it was asked for (stamp); shown as `DeletedDate`.
    pub requested: UnixMillis,
    /// When it was asked for, on the age clock: what the window is counted from.
    pub requested_age: UnixMillis,
    /// The recovery window.
    pub window_days: u8,
}

/// A secret: everything but its versions and labels. Rewritten by every operation on the secret,
/// with that operation's LSN (I3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRecord {
    /// Who it is.
    pub id: RecordId,
    /// Where its name is unique.
    pub scope: Scope,
    /// Its friendly name.
    pub name: SecretName,
    /// The end of its ARN.
    pub suffix: Suffix,
    /// The last operation that touched it.
    pub lsn: Lsn,
    /// The sequence number that the next version gets.
    pub next_seq: Seq,
    /// Versions that exist, labelled or not, placeholders included.
    pub version_count: u32,
    /// `ClientRequestToken` of its creation (replay of a value-less create).
    pub creation_token: Option<VersionId>,
    /// When it was made.
    pub created: UnixMillis,
    /// When anything of it changed last; also the floor of its next stamp (I9).
    pub last_changed: UnixMillis,
    /// Midnight UTC of the last day on which a value was read.
    pub last_accessed: Option<UnixMillis>,
    /// Empty is stored as `None`.
    pub description: Option<String>,
    /// A customer's key name; `None` for `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// `None`: never tagged. `Some(empty)`: all tags were removed (shown as `[]`).
    pub tags: Option<Vec<Tag>>,
    /// Scheduled for deletion.
    pub deletion: Option<Deletion>,
    /// Purged: unreachable by name or id; the pruner sweeps its rows.
    pub dead: bool,
    /// The AWS service that manages it (reserved).
    pub owning_service: Option<String>,
    /// Replicas, or whose replica it is.
    pub replication: Option<Replication>,
    /// Resource policies; `None`: none is attached.
    pub policies: Option<Policies>,
    /// How it is rotated; `None`: never configured.
    pub rotation: Option<Rotation>,
    /// The partner that holds it; `None`: it is not a managed external secret.
    pub external: Option<External>,
    /// Its replica in another account, or whose replica it is.
    pub cross_account: Option<CrossAccount>,
}

impl SecretRecord {
    /// Its complete ARN.
    #[must_use]
    pub fn arn(&self) -> Arn {
        Arn { scope: self.scope.clone(), name: self.name.clone(), suffix: self.suffix }
    }

    /// Where it is replicated to.
    #[must_use]
    pub fn replicas(&self) -> &[Replica] {
        self.replication.as_ref().map_or(&[], Replication::replicas)
    }

    /// Its replica in another account, if it has or had one.
    #[must_use]
    pub fn cross_account_replica(&self) -> Option<&CrossAccountReplica> {
        match &self.cross_account {
            Some(CrossAccount::Primary(replica)) => Some(replica),
            Some(CrossAccount::Replica(_)) | None => None,
        }
    }

    /// Its primary in another account, if it is a replica of one.
    #[must_use]
    pub fn cross_account_primary(&self) -> Option<&CrossAccountPrimary> {
        match &self.cross_account {
            Some(CrossAccount::Replica(primary)) => Some(primary),
            Some(CrossAccount::Primary(_)) | None => None,
        }
    }

    /// The secret at which its versions are read, if it is a replica that shows another's.
    #[must_use]
    pub fn shows(&self) -> Option<RecordId> {
        if let Some(Replication::ReplicaOf { primary, .. }) = &self.replication {
            return Some(*primary);
        }
        match self.cross_account_primary()?.link {
            Link::InSync(primary) => Some(primary),
            Link::Pending | Link::Detached => None,
        }
    }
}

/// Shape of a sealed value: enough to fetch it whole and to notice a missing chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadShape {
    /// Length of the sealed value: nonce, padded ciphertext, tag.
    pub sealed_bytes: u32,
    /// Rows of `blobs` that hold it.
    pub chunks: u16,
    /// The AEAD tag at its end.
    pub tag: [u8; 16],
}

/// One version of a secret. The labels of its secret are a row of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRecord {
    /// Its secret.
    pub id: RecordId,
    /// Its number within the secret.
    pub seq: Seq,
    /// Its name to the outside.
    pub version_id: VersionId,
    /// Which member of the API carried the value; `None` for a placeholder without one.
    pub kind: Option<PayloadKind>,
    /// When it was made (stamp); shown as `CreatedDate`.
    pub created: UnixMillis,
    /// When it was made on the age clock: what pruning counts from.
    pub created_age: UnixMillis,
    /// Midnight UTC of the last day on which its value was read.
    pub last_accessed: Option<UnixMillis>,
    /// Set by `vault` when the value is attached. The rules copy it without looking at it.
    pub payload: Option<PayloadShape>,
    /// The data key of the value and its payload MAC in a box of the epoch. Set, and copied, like `payload`.
    /// `None` beside a payload: the secret is dead, and an epoch switch has dropped the key (I10).
    pub wrapped: Option<Box<[u8]>>,
}
