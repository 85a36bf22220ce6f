//! A log that lost its tail, beside a state that a kill left in the middle of a flush: it may have operations
//! that the log lacks, though it does not say that it has all of them.

use crate::common::world::{self, Setup, World};
use std::sync::Arc;
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue};
use strongroom::__internals::model::{RowChange, Tree};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::store::{OrderedStore, Span, Store};
use strongroom::__internals::vault::{RepairOutcome, Vault};

fn make(vault: &Vault, names: std::ops::Range<u32>) {
    for n in names {
        let mut request = CreateSecret::new(format!("s{n}"));
        request.value = Some(SecretValue::text(format!("value {n}")));
        vault.create_secret(request).unwrap();
    }
}

fn rows_of(store: &OrderedStore) -> Vec<RowChange> {
    let mut rows = Vec::new();
    for tree in Tree::ALL {
        let mut take = |key: &[u8], value: &[u8]| {
            rows.push(RowChange { tree, key: key.into(), value: Some(value.into()) });
        };
        store.scan(tree, &mut take).unwrap();
    }
    rows
}

#[test]
fn a_log_that_ends_amid_a_flush_is_damage_and_can_be_repaired() {
    let world = World::new(31);
    let vault = world.create(&Setup::default()).unwrap();
    make(&vault, 0..3);
    let (disk, first) = (world.sim.fs.fork(), world::state_of(&vault));
    make(&vault, 3..6);
    let last = world::state_of(&vault);
    drop(vault);
    let (applied, reaches) = (first.applied().unwrap(), last.applied().unwrap());
    assert!(applied < reaches);
    let kept = OrderedStore::new();
    kept.apply_part(&rows_of(&last), Span { applied, reaches }).unwrap();
    let world = world.on_image(&disk, world.wall(), 32).with_state(Some(&Arc::new(kept)));
    let error = world.open(&Setup::default()).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Damaged { rule: "I6", .. }), "{error:?}");
    let report = world.check().unwrap();
    assert!(!report.damage.is_empty(), "{report:?}");
    let refused = world.repair(false).unwrap();
    assert!(matches!(refused.outcome, RepairOutcome::WouldLose), "{refused:?}");
    let report = world.repair(true).unwrap();
    assert_eq!(report.outcome, RepairOutcome::Repaired);
    let vault = world.open(&Setup::default()).unwrap();
    for n in 0..3 {
        let got = vault.get_secret_value(GetSecretValue::new(format!("s{n}"))).unwrap();
        assert_eq!(got.value.bytes().expose(), format!("value {n}").as_bytes());
    }
    let now = world::state_of(&vault).applied().unwrap();
    assert!(now > reaches, "a number that was used is never used again");
}
