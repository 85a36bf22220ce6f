//! Compares a store with the end of a log.

use super::sums::sum_rows;
use crate::crypto::Keyring;
use crate::log::{End, LogError, RowVisitor};
use crate::model::Tree;
use crate::store::Store;
use crate::vault::rows::v1;
use crate::vault::view::access_marks::AccessMarks;
use crate::vault::view::row_view::RowView;

/// Whether a store holds exactly the rows that the log ends with, by recomputed sum.
pub(crate) fn equals(store: &dyn Store, keys: &Keyring, end: &End) -> bool {
    store.applied().is_ok_and(|lsn| lsn == end.lsn)
        && sum_rows(store, keys)
            .is_ok_and(|sum| sum.digest(keys.digest_key(), end.lsn) == end.digest)
        && has_all_values(store, keys)
}

/// Whether every value opens. The digest leaves chunks out, so this is checked before a log is rebuilt from
/// the store.
pub(crate) fn has_all_values(store: &dyn Store, keys: &Keyring) -> bool {
    let marks = AccessMarks::default();
    let view = RowView::new(&store, keys, &marks, None);
    let mut is_whole = true;
    let scanned = store.scan(Tree::Versions, &mut |key, row| {
        let opens_as_old = || {
            let version = v1::version(store, keys, key, row);
            version.is_ok_and(|version| view.value_opens(&version))
        };
        is_whole = is_whole && (view.version_opens(key, row) || opens_as_old());
    });
    is_whole && scanned.is_ok()
}

/// Hands every row of a store to `visit`.
pub(crate) fn visit_rows(
    store: &dyn Store,
    visit: &mut RowVisitor<'_>,
) -> std::result::Result<(), LogError> {
    for tree in Tree::ALL {
        let mut outcome = Ok(());
        let scanned = store.scan(tree, &mut |key, value| {
            if outcome.is_ok() {
                outcome = visit(tree, key, value);
            }
        });
        outcome?;
        scanned.map_err(|_| LogError::Stopped)?;
    }
    Ok(())
}
