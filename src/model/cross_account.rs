//! Replicas in other accounts (rules SEM-XREPL): secrets that their accounts make for a primary of
//! another account, and that show its values once the primary's account has associated them.

use super::name::Arn;
use super::record::RecordId;

/// What a secret has to do with replication between accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrossAccount {
    /// It is, or was, replicated to another account.
    Primary(CrossAccountReplica),
    /// It is a replica: its name, key name, tags and policies are its own.
    Replica(CrossAccountPrimary),
}

/// The replica that a primary has in another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossAccountReplica {
    /// Which secret.
    pub arn: Arn,
    /// `ReplicationRoleARN`, as it was given.
    pub role: Option<Box<str>>,
    /// Whether it is still associated. If not, its own account has stopped the replication.
    pub is_associated: bool,
}

/// The primary that a replica was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossAccountPrimary {
    /// Which secret, as the request that made the replica named it. It need not exist.
    pub arn: Arn,
    /// The state of the association.
    pub link: Link,
}

/// The link from a replica to its primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not associated yet: it has no version.
    Pending,
    /// Associated: it shows the versions of this secret and has none of its own.
    InSync(RecordId),
    /// The primary's account has ended the association. The replica keeps the versions of that moment.
    Detached,
}

/// The status of a replica in another account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossAccountStatus {
    /// The primary has not associated it yet.
    Pending,
    /// It shows what the primary holds.
    InSync,
    /// One side has ended it.
    Detached,
}

impl CrossAccountStatus {
    /// The status in AWS's words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InSync => "InSync",
            Self::Detached => "Detached",
        }
    }
}

impl CrossAccountReplica {
    /// The status that the primary shows.
    #[must_use]
    pub fn status(&self) -> CrossAccountStatus {
        if self.is_associated { CrossAccountStatus::InSync } else { CrossAccountStatus::Detached }
    }
}

impl CrossAccountPrimary {
    /// The status that the replica shows.
    #[must_use]
    pub fn status(&self) -> CrossAccountStatus {
        match self.link {
            Link::Pending => CrossAccountStatus::Pending,
            Link::InSync(_) => CrossAccountStatus::InSync,
            Link::Detached => CrossAccountStatus::Detached,
        }
    }
}
