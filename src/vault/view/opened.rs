//! Rows that were opened lately, for the next reader: metadata and data keys, never values in the clear.
//!
//! A row that is about to change is forgotten before the change is shown. A reader may still hold what it
//! read before that. It says at which operation it reads, and what it wants to keep is refused if a row of
//! the same secret has changed since. So nothing here is older than what the state shows.

use super::found::{FoundValue, FoundValues, Place};
use super::generations::{Generations, Weight};
use super::row_key::{PlainHash, RowKey};
use super::shards::Shards;
use crate::crypto::{RowShare, ValueKey};
use crate::env::faults::{self, Fault};
use crate::env::threads::sync::MutexGuard;
use crate::model::{ChangeSet, Lsn, RecordId, SecretRecord, Seq, Stage, Tree, VersionRecord};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows in each of the two generations of a shard: 32,768 rows in all, and as many data keys.
const GENERATION_ROWS: usize = 256;
/// Secrets of a shard of which values are kept.
const VALUE_SECRETS: usize = 512;
/// Requests that may find values of one secret. Each text that means the secret is one of its own.
const VALUE_REQUESTS: usize = 16;

/// An opened row, or the opened labels of a secret.
#[derive(Clone)]
pub(crate) enum Opened {
    Name(RecordId),
    Secret(Arc<SecretRecord>),
    Version(Arc<VersionRecord>),
    /// All labels of a secret.
    Labels(Arc<[(Stage, Seq)]>),
    /// The version that a token names.
    Token(Seq),
}

/// What is known of a row.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) opened: Opened,
    /// What the row adds to the sum over the rows. Only its writer knows.
    pub(crate) share: Option<RowShare>,
}

/// A row that was written, and what is known of it.
pub(crate) type KnownRow = (Tree, Box<[u8]>, Known);

impl Weight for Known {}

impl Weight for Arc<ValueKey> {}

/// What is kept of the secrets of one shard.
#[derive(Default)]
struct Shard {
    rows: Generations<RowKey, Known, GENERATION_ROWS, PlainHash>,
    /// Data keys, by the keys of the rows that have them. A key is wiped when the last reader lets it go.
    keys: Generations<RowKey, Arc<ValueKey>, GENERATION_ROWS, PlainHash>,
    /// Where the values of a secret stand that were found lately.
    values: HashMap<RecordId, Vec<Place>, PlainHash>,
    /// The last operation that changed a row of this shard.
    changed: Lsn,
}

/// The opened rows of one state.
#[derive(Default)]
pub(crate) struct OpenedRows {
    /// The rows of one secret share a shard.
    shards: Shards<Shard>,
    values: FoundValues,
}

impl OpenedRows {
    /// The values that were found lately.
    pub(crate) fn values(&self) -> &FoundValues {
        &self.values
    }

    /// Whether no change of the secret has begun to be shown since `at`.
    pub(crate) fn is_unchanged(&self, id: RecordId, at: Lsn) -> bool {
        self.shard(Tree::Secrets, &id.0).is_some_and(|shard| at >= shard.changed)
    }

    /// Keeps a value that was found at `at`, unless its secret has changed since.
    pub(crate) fn keep_value(&self, found: FoundValue, at: Lsn) {
        let id = found.id();
        let Some(mut shard) = self.shard(Tree::Secrets, &id.0) else { return };
        if at < shard.changed {
            return;
        }
        if shard.values.len() >= VALUE_SECRETS && !shard.values.contains_key(&id) {
            // Most have gone by themselves.
            shard.values.retain(|id, places| {
                places.retain(|place| self.values.holds(*place, *id));
                !places.is_empty()
            });
            if shard.values.len() >= VALUE_SECRETS {
                for (id, places) in std::mem::take(&mut shard.values) {
                    self.forget_values(id, &places);
                }
            }
        }
        let place = self.values.place_of(&found);
        let places = shard.values.entry(id).or_default();
        if !places.contains(&place) {
            if places.len() >= VALUE_REQUESTS {
                self.forget_values(id, places);
                places.clear();
            }
            places.push(place);
        }
        self.values.insert(place, found);
    }

    fn forget_values(&self, id: RecordId, places: &[Place]) {
        for place in places {
            self.values.remove(*place, id);
        }
    }

    fn shard(&self, tree: Tree, key: &[u8]) -> Option<MutexGuard<'_, Shard>> {
        // An id ends with a number that counts up, and a name's key is a keyed hash: both spread well.
        let id = tree.secret_of(key).unwrap_or(key);
        self.shards.of(id.iter().fold(0, |sum, byte| sum ^ u64::from(*byte)))
    }

    /// What was kept of a row.
    pub(crate) fn get(&self, tree: Tree, key: &[u8]) -> Option<Opened> {
        self.shard(tree, key)?.rows.get(&RowKey::of(tree, key)?).map(|known| known.opened)
    }

    /// What a row adds to the sum over the rows.
    pub(crate) fn share(&self, tree: Tree, key: &[u8]) -> Option<RowShare> {
        self.shard(tree, key)?.rows.look(&RowKey::of(tree, key)?)?.share.clone()
    }

    /// Keeps an opened row that was read at `at`, unless its secret has changed since.
    pub(crate) fn keep(&self, tree: Tree, key: &[u8], known: Known, at: Lsn) {
        let Some(place) = RowKey::of(tree, key) else { return };
        if let Some(mut shard) = self.shard(tree, key).filter(|shard| at >= shard.changed) {
            shard.rows.insert(place, known);
        }
    }

    /// Keeps what rows hold that were written up to `at` and are shown by now.
    pub(crate) fn keep_written(&self, rows: Vec<KnownRow>, at: Lsn) {
        if faults::active(Fault::KeepsStaleRow) {
            return;
        }
        for (tree, key, known) in rows {
            self.keep(tree, &key, known, at);
        }
    }

    /// The data key of the version with this row.
    pub(crate) fn data_key(&self, version: &[u8]) -> Option<Arc<ValueKey>> {
        self.shard(Tree::Versions, version)?.keys.get(&RowKey::of(Tree::Versions, version)?)
    }

    /// Keeps a data key that was read at `at`, unless its secret has changed since.
    pub(crate) fn keep_data_key(&self, version: &[u8], key: Arc<ValueKey>, at: Lsn) {
        let Some(place) = RowKey::of(Tree::Versions, version) else { return };
        if let Some(mut shard) =
            self.shard(Tree::Versions, version).filter(|shard| at >= shard.changed)
        {
            shard.keys.insert(place, key);
        }
    }

    /// Forgets the rows that are about to change. Of a secret that is purged everything is forgotten, its
    /// data keys above all (I10).
    pub(crate) fn forget(&self, sets: &[ChangeSet]) {
        if faults::active(Fault::KeepsStaleRow) {
            return;
        }
        for set in sets {
            let is_purge =
                set.rows.iter().any(|row| row.tree == Tree::Names && row.value.is_none());
            for row in &set.rows {
                if row.tree == Tree::Blobs {
                    continue;
                }
                let Some(mut shard) = self.shard(row.tree, &row.key) else { continue };
                shard.changed = shard.changed.max(set.lsn);
                let id = row.tree.secret_of(&row.key).and_then(|id| id.try_into().ok());
                if let Some((id, places)) =
                    id.and_then(|id| shard.values.remove_entry(&RecordId(id)))
                {
                    self.forget_values(id, &places);
                }
                if is_purge && row.tree == Tree::Secrets {
                    shard.rows.retain(|place| !place.key().starts_with(&row.key));
                    shard.keys.retain(|place| !place.key().starts_with(&row.key));
                    continue;
                }
                let Some(place) = RowKey::of(row.tree, &row.key) else { continue };
                shard.rows.remove(&place);
                if row.tree == Tree::Versions {
                    shard.keys.remove(&place);
                }
            }
        }
    }

    /// Forgets everything: the keys that opened it are about to be erased.
    pub(crate) fn clear(&self) {
        for mut shard in self.shards.each() {
            let changed = shard.changed;
            *shard = Shard { changed, ..Shard::default() };
        }
        self.values.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::crypto::{KdfParams, Keystore, Unlock, VaultId, key_file};
    use crate::env::real::OsEntropy;
    use crate::model::RowChange;
    use crate::secret::SecretValue;

    fn set(lsn: u64, rows: &[(Tree, &[u8], bool)]) -> ChangeSet {
        let row = |(tree, key, is_there): &(Tree, &[u8], bool)| RowChange {
            tree: *tree,
            key: (*key).into(),
            value: is_there.then(|| Box::from(*b"sealed")),
        };
        ChangeSet { lsn: Lsn(lsn), rows: rows.iter().map(row).collect() }
    }

    #[allow(clippy::needless_pass_by_value)]
    fn seq(opened: Option<Opened>) -> Option<u64> {
        match opened {
            Some(Opened::Token(seq)) => Some(seq.0),
            _ => None,
        }
    }

    fn token(seq: u64) -> Known {
        Known { opened: Opened::Token(Seq(seq)), share: None }
    }

    const ID: [u8; 16] = *b"the secret's id.";

    #[test]
    fn what_a_reader_read_before_a_change_is_not_kept_after_it() {
        let rows = OpenedRows::default();
        rows.keep(Tree::Tokens, &ID, token(1), Lsn(4));
        assert_eq!(seq(rows.get(Tree::Tokens, &ID)), Some(1));
        rows.forget(&[set(5, &[(Tree::Tokens, &ID, true)])]);
        assert_eq!(seq(rows.get(Tree::Tokens, &ID)), None);
        rows.keep(Tree::Tokens, &ID, token(1), Lsn(4));
        assert_eq!(seq(rows.get(Tree::Tokens, &ID)), None, "it is older than the change");
        rows.keep(Tree::Tokens, &ID, token(2), Lsn(5));
        assert_eq!(seq(rows.get(Tree::Tokens, &ID)), Some(2));
    }

    #[test]
    fn changed_labels_are_forgotten() {
        let rows = OpenedRows::default();
        let labels = Known { opened: Opened::Labels(Arc::from([])), share: None };
        rows.keep(Tree::Labels, &ID, labels, Lsn(1));
        rows.forget(&[set(2, &[(Tree::Labels, &ID, false)])]);
        assert!(rows.get(Tree::Labels, &ID).is_none());
    }

    fn data_key() -> Arc<ValueKey> {
        let id = VaultId::generate(&OsEntropy).unwrap();
        let unlock = Unlock::KeyFile(key_file::generate(id, &OsEntropy).unwrap());
        let (_, keys) = Keystore::create(id, &unlock, KdfParams::FLOOR, &OsEntropy).unwrap();
        Arc::new(keys.seal_value(&SecretValue::text("a"), &OsEntropy).unwrap().key)
    }

    #[test]
    fn a_purge_forgets_everything_of_its_secret() {
        let rows = OpenedRows::default();
        let version = [ID.as_slice(), &7_u64.to_be_bytes()].concat();
        rows.keep(Tree::Versions, &version, token(1), Lsn(1));
        rows.keep_data_key(&version, data_key(), Lsn(1));
        let changes: [(Tree, &[u8], bool); 2] =
            [(Tree::Names, b"hash of its name", false), (Tree::Secrets, &ID, true)];
        rows.forget(&[set(2, &changes)]);
        assert!(rows.get(Tree::Versions, &version).is_none());
        assert!(rows.data_key(&version).is_none());
    }

    #[test]
    fn a_version_whose_row_changes_loses_its_data_key() {
        for is_there in [true, false] {
            let rows = OpenedRows::default();
            let version = [ID.as_slice(), &7_u64.to_be_bytes()].concat();
            rows.keep_data_key(&version, data_key(), Lsn(1));
            assert!(rows.data_key(&version).is_some());
            rows.forget(&[set(2, &[(Tree::Versions, &version, is_there)])]);
            assert!(rows.data_key(&version).is_none());
        }
    }

    #[test]
    fn rows_that_are_used_stay_and_the_number_of_rows_is_bounded() {
        let rows = OpenedRows::default();
        rows.keep(Tree::Tokens, &ID, token(1), Lsn(1));
        for n in 0..100_000_u64 {
            rows.keep(Tree::Tokens, &n.to_be_bytes(), token(n), Lsn(1));
            assert!(seq(rows.get(Tree::Tokens, &ID)).is_some());
        }
        let kept = rows.shards.each().map(|shard| shard.rows.total());
        assert!(kept.sum::<usize>() <= 2 * rows.shards.each().count() * GENERATION_ROWS);
    }
}
