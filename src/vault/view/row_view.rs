//! Opens and decodes rows, and gives them to `semantics` as facts.

use super::access_marks::AccessMarks;
use super::found::FoundValue;
use super::free_token::FreeToken;
use super::opened::Opened;
use super::overlay::{Latest, RowSource};
use crate::crypto::{Keyring, ValueKey};
use crate::model::{
    CrossAccountPrimary, Link, Lsn, RecordId, Replica, ReplicaStatus, Replication, Scope,
    SecretName, SecretRecord, Seq, Stage, Tree, VersionId, VersionRecord,
};
use crate::semantics::View;
use crate::store::Range;
use crate::vault::error::RowError;
use crate::vault::rows;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most records that a read of one secret depends on: a replica's and its primary's.
const MET_MAX: usize = 2;

/// A [`View`] over sealed rows.
pub(crate) struct RowView<'a, S> {
    source: &'a S,
    pub(crate) keys: &'a Keyring,
    marks: &'a AccessMarks,
    payload: Option<&'a ValueKey>,
    met: RefCell<Vec<(RecordId, Lsn)>>,
    /// Primaries that a replica has named. Each must exist.
    primaries: RefCell<BTreeSet<RecordId>>,
    /// Versions that a label or a token has named. Each must exist.
    named: RefCell<Vec<(RecordId, Seq)>>,
    /// Tokens that were looked for and name no version.
    free: RefCell<Vec<FreeToken>>,
}

impl<'a, S> RowView<'a, S> {
    /// A view over `source`. `marks` are reads that the records do not show yet. `payload` is the value of
    /// the request that is being planned.
    pub(crate) fn new(
        source: &'a S,
        keys: &'a Keyring,
        marks: &'a AccessMarks,
        payload: Option<&'a ValueKey>,
    ) -> Self {
        Self {
            source,
            keys,
            marks,
            payload,
            met: RefCell::default(),
            primaries: RefCell::default(),
            named: RefCell::default(),
            free: RefCell::default(),
        }
    }

    /// The tokens that were looked for and name no version.
    pub(crate) fn free_tokens(self) -> Vec<FreeToken> {
        self.free.into_inner()
    }

    /// The records that were read first, a replica's with its primary's, and the operation that wrote each.
    /// A read of one secret is consistent if none of them has changed when it ends (I3).
    pub(crate) fn first(&self) -> Vec<(RecordId, Lsn)> {
        self.met.borrow().clone()
    }
}

impl RowView<'_, Latest<'_>> {
    /// Keeps a value that was found here for the next reader, unless its secret has changed meanwhile.
    pub(crate) fn keep_value(&self, found: FoundValue) {
        self.source.opened.keep_value(found, self.source.at);
    }

    /// Whether no record that was met here has changed meanwhile (I3).
    pub(crate) fn is_unmoved(&self) -> bool {
        let Latest { opened, at, .. } = self.source;
        self.first().iter().all(|(id, lsn)| {
            let is_same = |record: SecretRecord| record.lsn == *lsn;
            opened.is_unchanged(*id, *at) || self.secret(*id).ok().flatten().is_some_and(is_same)
        })
    }
}

impl<S: RowSource> RowView<'_, S> {
    fn open<T>(
        &self,
        tree: Tree,
        key: &[u8],
        sealed: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<T, crate::codec::CodecError>,
    ) -> Result<T, RowError> {
        Ok(decode(&self.keys.open_row(tree, key, sealed)?)?)
    }

    fn secret_row(&self, key: &[u8], sealed: &[u8]) -> Result<SecretRecord, RowError> {
        let record = self.open(Tree::Secrets, key, sealed, rows::decode_secret)?;
        if record.id.0 != key {
            return Err(RowError::Row("ROW-8"));
        }
        Ok(record)
    }

    /// Notes a record that was read, and returns it with what the marks know.
    fn met(&self, mut record: SecretRecord) -> SecretRecord {
        let mut met = self.met.borrow_mut();
        if met.len() < MET_MAX && met.iter().all(|(id, _)| *id != record.id) {
            met.push((record.id, record.lsn));
        }
        if let Some(primary) = record.shows() {
            self.primaries.borrow_mut().insert(primary);
        }
        drop(met);
        self.marks.show_on_secret(&mut record);
        record
    }

    fn version_row(&self, key: &[u8], sealed: &[u8]) -> Result<VersionRecord, RowError> {
        let version = self.open(Tree::Versions, key, sealed, rows::decode_version)?;
        if rows::version_key(version.id, version.seq) != key {
            return Err(RowError::Row("ROW-8"));
        }
        Ok(version)
    }

    /// The version with what the marks know.
    fn marked(&self, mut version: VersionRecord) -> VersionRecord {
        self.marks.show_on_version(&mut version);
        version
    }

    /// Whether a row of `secrets` opens, and replica and primary refer to each other (ROW-12).
    pub(crate) fn secret_opens(&self, key: &[u8], row: &[u8]) -> bool {
        let Ok(record) = self.secret_row(key, row) else { return false };
        let record = self.met(record);
        if !self.accounts_agree(&record) {
            return false;
        }
        match &record.replication {
            None => true,
            Some(Replication::ReplicaOf { primary, .. }) => {
                let primary = self.secret(*primary).ok().flatten().filter(|primary| !primary.dead);
                primary.is_some_and(|primary| {
                    let mut replicas = in_sync(&primary);
                    record.version_count == 0 && replicas.any(|r| *r.region == *record.scope.region)
                })
            }
            Some(Replication::Primary { .. }) => in_sync(&record).all(|replica| {
                let scope = Scope::new(&record.scope.account, &replica.region);
                let there = self.secret_by_name(&scope, &record.name).ok().flatten();
                matches!(there.and_then(|there| there.replication),
                    Some(Replication::ReplicaOf { primary, .. }) if primary == record.id)
            }),
        }
    }

    /// Whether a replica in another account and its primary refer to each other (ROW-14).
    fn accounts_agree(&self, record: &SecretRecord) -> bool {
        if record.cross_account.is_some() && record.dead {
            return false;
        }
        if let Some(CrossAccountPrimary { arn, link: Link::InSync(id) }) =
            record.cross_account_primary()
        {
            let primary = self.secret(*id).ok().flatten().filter(|primary| !primary.dead);
            return record.version_count == 0
                && record.replication.is_none()
                && primary.is_some_and(|primary| {
                    let replica = primary.cross_account_replica();
                    let replica = replica.filter(|replica| replica.is_associated);
                    primary.arn() == *arn
                        && replica.is_some_and(|replica| replica.arn == record.arn())
                });
        }
        let Some(replica) = record.cross_account_replica().filter(|r| r.is_associated) else {
            return true;
        };
        let there = self.secret_by_name(&replica.arn.scope, &replica.arn.name).ok().flatten();
        there.is_some_and(|there| there.arn() == replica.arn && there.shows() == Some(record.id))
    }

    /// Whether a row of `versions` opens, with its value if it has one.
    pub(crate) fn version_opens(&self, key: &[u8], row: &[u8]) -> bool {
        self.version_row(key, row).is_ok_and(|version| self.value_opens(&version))
    }

    /// Whether the value of a version opens, if it has one.
    pub(crate) fn value_opens(&self, version: &VersionRecord) -> bool {
        let Some(kind) = version.kind else { return true };
        let opened = self.value_key(version).and_then(|value_key| {
            let sealed = self.sealed_value(version)?;
            Ok(self.keys.open_value(kind, &value_key, &sealed)?)
        });
        // An epoch switch takes the keys of a dead secret before its versions are swept (I10).
        let is_dead = || {
            let record = View::secret(self, version.id).ok().flatten();
            record.is_some_and(|record| record.dead)
        };
        opened.is_ok() || is_dead()
    }

    /// The data key of a version with a value.
    pub(crate) fn value_key(&self, version: &VersionRecord) -> Result<Arc<ValueKey>, RowError> {
        let key = rows::version_key(version.id, version.seq);
        if let Some(known) = self.source.data_key(&key) {
            return Ok(known);
        }
        let VersionRecord { id, seq, version_id, wrapped, .. } = version;
        let wrapped = wrapped.as_ref().ok_or(RowError::Row("ROW-9"))?;
        let opened = Arc::new(self.keys.unwrap_value_key(*id, *seq, version_id, wrapped)?);
        self.source.keep_data_key(&key, Arc::clone(&opened));
        Ok(opened)
    }

    /// The sealed value of a version, its chunks put together.
    pub(crate) fn sealed_value(&self, version: &VersionRecord) -> Result<Vec<u8>, RowError> {
        let shape = version.payload.ok_or(RowError::Row("ROW-9"))?;
        let mut sealed = Vec::with_capacity(shape.sealed_bytes as usize);
        for chunk in 0..shape.chunks {
            let key = rows::blob_key(version.id, version.seq, chunk);
            let row = self.source.get(Tree::Blobs, &key)?.ok_or(RowError::Row("ROW-10"))?;
            match row.split_first() {
                Some((&rows::BLOB_FORMAT, part)) => sealed.extend_from_slice(part),
                _ => return Err(RowError::Row("ROW-10")),
            }
        }
        if sealed.len() != shape.sealed_bytes as usize || !sealed.ends_with(&shape.tag) {
            return Err(RowError::Row("ROW-10"));
        }
        Ok(sealed)
    }
}

impl<S: RowSource> View for RowView<'_, S> {
    type Error = RowError;

    fn secret_by_name(
        &self,
        scope: &Scope,
        name: &SecretName,
    ) -> Result<Option<SecretRecord>, RowError> {
        let key = self.keys.name_index(scope, name);
        let id = if let Some(Opened::Name(id)) = self.source.opened(Tree::Names, &key) {
            id
        } else {
            let Some(row) = self.source.get(Tree::Names, &key)? else { return Ok(None) };
            let id = self.open(Tree::Names, &key, &row, rows::decode_id)?;
            self.source.keep(Tree::Names, &key, Opened::Name(id));
            id
        };
        match self.secret(id)? {
            Some(record) if !record.dead && record.name == *name && record.scope == *scope => {
                Ok(Some(record))
            }
            // The secret was purged between the reads of its name and its record.
            Some(record) if record.dead => Ok(None),
            // A name is removed before its record, so this name cannot be left over.
            Some(_) | None => Err(RowError::Row("ROW-8")),
        }
    }

    fn secret(&self, id: RecordId) -> Result<Option<SecretRecord>, RowError> {
        if let Some(Opened::Secret(record)) = self.source.opened(Tree::Secrets, &id.0) {
            return Ok(Some(self.met((*record).clone())));
        }
        let row = self.source.get(Tree::Secrets, &id.0)?;
        if row.is_none() && self.primaries.borrow().contains(&id) {
            // A replica has named it, so this is damage and not "not found".
            return Err(RowError::Row("ROW-8"));
        }
        let Some(row) = row else { return Ok(None) };
        let record = self.secret_row(&id.0, &row)?;
        self.source.keep(Tree::Secrets, &id.0, Opened::Secret(Arc::new(record.clone())));
        Ok(Some(self.met(record)))
    }

    fn secrets(
        &self,
        scope: &Scope,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<SecretRecord>, RowError> {
        let prefix = self.keys.scope_index(scope);
        let mut found = Vec::new();
        let mut after = after.map(|id| id.0.to_vec());
        while found.len() < limit {
            let wanted = limit - found.len();
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: wanted };
            let page = self.source.range(Tree::Secrets, range)?;
            let ended = page.len() < wanted;
            for (key, row) in page {
                let record = self.met(self.secret_row(&key, &row)?);
                after = Some(key.into_vec());
                if !record.dead && record.scope == *scope {
                    found.push(record);
                }
            }
            if ended {
                break;
            }
        }
        Ok(found)
    }

    fn stages(&self, id: RecordId) -> Result<Vec<(Stage, Seq)>, RowError> {
        if let Some(Opened::Labels(stages)) = self.source.opened(Tree::Labels, &id.0) {
            self.named.borrow_mut().extend(stages.iter().map(|(_, seq)| (id, *seq)));
            return Ok(stages.to_vec());
        }
        let stages = match self.source.get(Tree::Labels, &id.0)? {
            Some(row) => self.open(Tree::Labels, &id.0, &row, rows::decode_labels)?,
            None => Vec::new(),
        };
        self.named.borrow_mut().extend(stages.iter().map(|(_, seq)| (id, *seq)));
        self.source.keep(Tree::Labels, &id.0, Opened::Labels(stages.clone().into()));
        Ok(stages)
    }

    fn stage(&self, id: RecordId, stage: &Stage) -> Result<Option<Seq>, RowError> {
        let stages = self.stages(id)?;
        Ok(stages.into_iter().find(|(other, _)| other == stage).map(|(_, seq)| seq))
    }

    fn version(&self, id: RecordId, seq: Seq) -> Result<Option<VersionRecord>, RowError> {
        let key = rows::version_key(id, seq);
        if let Some(Opened::Version(version)) = self.source.opened(Tree::Versions, &key) {
            return Ok(Some(self.marked((*version).clone())));
        }
        let row = self.source.get(Tree::Versions, &key)?;
        if row.is_none() && self.named.borrow().contains(&(id, seq)) {
            // A label or a token has named it, so this is damage and not "not found".
            return Err(RowError::Row("ROW-8"));
        }
        let Some(row) = row else { return Ok(None) };
        let version = self.version_row(&key, &row)?;
        self.source.keep(Tree::Versions, &key, Opened::Version(Arc::new(version.clone())));
        Ok(Some(self.marked(version)))
    }

    fn version_seq(&self, id: RecordId, version: &VersionId) -> Result<Option<Seq>, RowError> {
        let key = rows::token_key(self.keys, id, version);
        let seq = if let Some(Opened::Token(seq)) = self.source.opened(Tree::Tokens, &key) {
            seq
        } else {
            let Some(row) = self.source.get(Tree::Tokens, &key)? else {
                self.free.borrow_mut().push(FreeToken { id, version_id: version.clone(), key });
                return Ok(None);
            };
            let seq = self.open(Tree::Tokens, &key, &row, rows::decode_seq)?;
            self.source.keep(Tree::Tokens, &key, Opened::Token(seq));
            seq
        };
        self.named.borrow_mut().push((id, seq));
        Ok(Some(seq))
    }

    fn versions(
        &self,
        id: RecordId,
        after: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<VersionRecord>, RowError> {
        let after = after.map(|seq| rows::version_key(id, seq));
        let after = after.as_ref().map(<[u8; 24]>::as_slice);
        let page = self.source.range(Tree::Versions, Range { prefix: &id.0, after, limit })?;
        page.iter().map(|(key, row)| Ok(self.marked(self.version_row(key, row)?))).collect()
    }

    fn same_payload(&self, id: RecordId, seq: Seq) -> Result<bool, RowError> {
        let Some(payload) = self.payload else { return Ok(false) };
        let Some(version) = self.version(id, seq)? else { return Ok(false) };
        if version.kind.is_none() {
            return Ok(false);
        }
        let stored = self.value_key(&version)?;
        Ok(Keyring::same_payload(payload, &stored))
    }

    fn fresh_id(&self, scope: &Scope, lsn: Lsn) -> RecordId {
        rows::fresh_id(self.keys, scope, lsn)
    }
}

fn in_sync(primary: &SecretRecord) -> impl Iterator<Item = &Replica> {
    primary.replicas().iter().filter(|replica| replica.status == ReplicaStatus::InSync)
}
