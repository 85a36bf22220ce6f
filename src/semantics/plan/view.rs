//! What the rules can see of the vault.

use crate::model::{
    Lsn, RecordId, Scope, SecretName, SecretRecord, Seq, Stage, VersionId, VersionRecord,
};

/// The vault as one operation sees it: earlier operations of its batch included (I1).
pub trait View {
    /// Why the view could not be read; passed through untouched.
    type Error;
    /// The live secret of that name (never a dead one).
    fn secret_by_name(
        &self,
        scope: &Scope,
        name: &SecretName,
    ) -> Result<Option<SecretRecord>, Self::Error>;
    /// The secret of that id, dead or alive.
    fn secret(&self, id: RecordId) -> Result<Option<SecretRecord>, Self::Error>;
    /// Live secrets of a scope with an id after `after`, in the order of creation.
    fn secrets(
        &self,
        scope: &Scope,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<SecretRecord>, Self::Error>;
    /// All labels of a secret with the version that each is on, sorted by label.
    fn stages(&self, id: RecordId) -> Result<Vec<(Stage, Seq)>, Self::Error>;
    /// The version that a label is on.
    fn stage(&self, id: RecordId, stage: &Stage) -> Result<Option<Seq>, Self::Error>;
    /// One version.
    fn version(&self, id: RecordId, seq: Seq) -> Result<Option<VersionRecord>, Self::Error>;
    /// The number of the version with that id.
    fn version_seq(&self, id: RecordId, version: &VersionId) -> Result<Option<Seq>, Self::Error>;
    /// Versions with a number after `after`, oldest first.
    fn versions(
        &self,
        id: RecordId,
        after: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<VersionRecord>, Self::Error>;
    /// Whether the value that travels with the request being planned has the same kind and bytes
    /// as that version's. Asked only when a token matched; compared by keyed MAC in constant time.
    fn same_payload(&self, id: RecordId, seq: Seq) -> Result<bool, Self::Error>;
    /// The id that a secret made in `scope` by the operation with this number gets.
    fn fresh_id(&self, scope: &Scope, lsn: Lsn) -> RecordId;
}
