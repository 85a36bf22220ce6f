//! Replicas: a secret that is shown in more regions than its own (rules SEM-REPL).
//!
//! One vault holds all regions, so a replica is an alias. It has a record of its own, which its
//! region lists and its name leads to, and nothing else: versions, labels and metadata are read at
//! the primary.

use super::record::RecordId;

/// What a secret has to do with replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replication {
    /// It is replicated to other regions.
    Primary {
        /// Its own region. Not stored a second time: decoding takes it from the record's scope.
        region: Box<str>,
        /// Where it is replicated to, in the order in which the regions were added. Never empty.
        replicas: Vec<Replica>,
    },
    /// It is a replica: a record without versions, labels and metadata. The record's key name is
    /// the replica's own.
    ReplicaOf {
        /// Whose versions, labels and metadata it shows.
        primary: RecordId,
        /// The primary's region.
        region: Box<str>,
    },
}

impl Replication {
    /// The region of the primary.
    #[must_use]
    pub fn primary_region(&self) -> &str {
        match self {
            Self::Primary { region, .. } | Self::ReplicaOf { region, .. } => region,
        }
    }

    /// The replicas, if it is a primary.
    #[must_use]
    pub fn replicas(&self) -> &[Replica] {
        match self {
            Self::Primary { replicas, .. } => replicas,
            Self::ReplicaOf { .. } => &[],
        }
    }
}

/// One region that a primary is replicated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Not the primary's.
    pub region: Box<str>,
    /// A customer's key name; `None` for `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// Whether the region shows the secret.
    pub status: ReplicaStatus,
}

/// Whether a region shows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaStatus {
    /// There is a replica, and it shows what the primary holds.
    InSync,
    /// There is none: another secret has the name there.
    Failed,
}

impl ReplicaStatus {
    /// The status in AWS's words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InSync => "InSync",
            Self::Failed => "Failed",
        }
    }
}
