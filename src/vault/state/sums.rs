//! The sum over the digested rows of a store: recomputed from all rows, or advanced frame by frame.

use crate::crypto::{Keyring, SetSum};
use crate::env::threads::thread;
use crate::log::Frame;
use crate::model::Tree;
use crate::store::{Store, StoreError};
use crate::vault::error::RowError;
use crate::vault::view::overlay::{Layer, RowSource};

/// Advances the sum over a store's rows by a frame that is about to be applied.
pub(crate) fn advance(
    store: &dyn Store,
    keys: &Keyring,
    sum: &mut SetSum,
    frame: &Frame,
) -> std::result::Result<(), RowError> {
    let applied = store.applied()?;
    let mut layer = Layer::over(store);
    let key = keys.digest_key();
    for set in frame.sets.iter().filter(|set| set.lsn > applied) {
        for row in set.rows.iter().filter(|row| row.tree.is_digested()) {
            if let Some(old) = layer.get(row.tree, &row.key)? {
                sum.remove(key, row.tree, &row.key, &old);
            }
            if let Some(new) = &row.value {
                sum.add(key, row.tree, &row.key, new);
            }
        }
        layer.write(set.lsn, set.rows.iter().map(|row| (row.clone(), None)).collect());
    }
    Ok(())
}

/// The sum over all digested rows of a store, by two threads: it takes half of the time of an open.
pub(crate) fn sum_rows(
    store: &dyn Store,
    keys: &Keyring,
) -> std::result::Result<SetSum, StoreError> {
    let half = |trees: &[Tree]| {
        let mut sum = SetSum::empty();
        for tree in trees {
            store.scan(*tree, &mut |key, value| sum.add(keys.digest_key(), *tree, key, value))?;
        }
        Ok(sum)
    };
    // `versions` and `tokens` hold a row per version, the others less; a state of format 1 has `keys`.
    let (one, two) = ([Tree::Versions, Tree::Names], [Tree::Keys, Tree::Secrets, Tree::Tokens]);
    let three = [Tree::Labels, Tree::Meta, Tree::Events];
    let (first, second) = thread::scope(|scope| {
        let other = scope.spawn(|| half(&two));
        let first = half(&one).and_then(|mut sum| {
            sum.merge(&half(&three)?);
            Ok(sum)
        });
        let died = |_| Err(StoreError::Broken { what: "a scan died" });
        (first, other.join().unwrap_or_else(died))
    });
    let mut sum = first?;
    sum.merge(&second?);
    Ok(sum)
}
