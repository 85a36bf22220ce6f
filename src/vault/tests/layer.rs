//! The rows of a batch over the store, against the plain way.

use super::*;
use crate::crypto::{KdfParams, Keyring, Keystore};
use crate::env::UnixMillis;
use crate::model::limits::OPERATION_ROWS_MAX;
use crate::model::{ChangeSet, Lsn, RowChange, Tree};
use crate::semantics::Effect;
use crate::store::{OrderedStore, Range, Store};
use crate::vault::commit::copies::Copies;
use crate::vault::commit::effects::Sealer;
use crate::vault::error::RowError;
use crate::vault::view::overlay::{Layer, RowSource};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Change = (u8, Vec<u8>, Option<u8>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let key = proptest::collection::vec(0_u8..3, 1..4);
    proptest::collection::vec((0_u8..2, key, proptest::option::of(any::<u8>())), 0..40)
}

fn row((tree, key, value): &Change) -> RowChange {
    let tree = if *tree == 0 { Tree::Versions } else { Tree::Labels };
    RowChange { tree, key: key.as_slice().into(), value: value.map(|byte| [byte].into()) }
}

proptest! {
    #[test]
    fn a_layer_reads_like_the_store_after_it(
        below in changes(),
        above in changes(),
        prefix in proptest::collection::vec(0_u8..3, 0..3),
        after in proptest::option::of(proptest::collection::vec(0_u8..3, 0..4)),
        limit in 0_usize..12,
    ) {
        let store = OrderedStore::new();
        store.apply(&[ChangeSet { lsn: Lsn(1), rows: below.iter().map(row).collect() }]).unwrap();
        let mut layer = Layer::over(&store as &dyn Store);
        let mut model: BTreeMap<Vec<u8>, u8> = BTreeMap::new();
        for (tree, key, value) in below.iter().chain(&above) {
            if *tree == 0 {
                match value {
                    Some(value) => model.insert(key.clone(), *value),
                    None => model.remove(key),
                };
            }
        }
        for change in &above {
            layer.write(Lsn(2), vec![(row(change), None)]);
        }
        let expected: Vec<(Vec<u8>, u8)> = model
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
            .take(limit)
            .map(|(key, value)| (key.clone(), *value))
            .collect();
        let found: Vec<(Vec<u8>, u8)> = layer
            .range(Tree::Versions, Range { prefix: &prefix, after: after.as_deref(), limit })
            .unwrap()
            .into_iter()
            .map(|(key, value)| (key.into_vec(), value[0]))
            .collect();
        prop_assert_eq!(found, expected);
        for (_, key, _) in below.iter().chain(&above) {
            let found = layer.get(Tree::Versions, key).unwrap().map(|value| value[0]);
            prop_assert_eq!(found, model.get(key).copied());
        }
    }
}

fn keyring(sim: &Sim) -> Keyring {
    let id = crate::crypto::VaultId([7; 16]);
    let unlock = Unlock::KeyFile(key_file::generate(id, sim.entropy.as_ref()).unwrap());
    let params = KdfParams::standard(1 << 30);
    Keystore::create(id, &unlock, params, sim.entropy.as_ref()).unwrap().1
}

#[test]
fn an_operation_of_more_than_256_rows_is_refused_whole() {
    let sim = Sim::new(1);
    let keys = keyring(&sim);
    let entropy = sim.entropy.as_ref();
    let (lsn, payload, free, labels) = (Lsn(1), None, &[][..], &|_| Ok(Vec::new()));
    let (keys, copies) = (&keys, &Copies::default());
    let sealer = Sealer { keys, entropy, lsn, payload, copies, free, labels };
    let notes = |count| vec![Effect::NotePurge(UnixMillis(0)); count];
    assert_eq!(sealer.rows(notes(OPERATION_ROWS_MAX)).unwrap().len(), OPERATION_ROWS_MAX);
    let refused = sealer.rows(notes(OPERATION_ROWS_MAX + 1));
    assert!(matches!(refused, Err(RowError::Plan("I2"))));
}
