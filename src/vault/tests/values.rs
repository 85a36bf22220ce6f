//! A value that was found lately is served from memory, and never when something about it has changed.

use super::*;
use crate::model::api::{
    PutResourcePolicy, ReplicateSecretToRegions, RestoreSecret, UpdateSecretVersionStage,
};
use crate::model::{RecordId, Tree};
use crate::semantics::View;
use crate::vault::rows;
use crate::vault::view::access_marks::AccessMarks;
use crate::vault::view::opened::Opened;
use crate::vault::view::overlay::RowSource;
use crate::vault::view::row_view::RowView;
use std::collections::BTreeMap;

fn is_kept(vault: &Vault, request: &GetSecretValue) -> bool {
    let state = vault.inner.shared.state().unwrap();
    state.values().get(&Scope::default(), request).is_some()
}

/// Reads the value until its access mark is in the log, so that the next read finds it kept.
fn keep(vault: &Vault, request: &GetSecretValue) {
    for _ in 0..3 {
        vault.get_secret_value(request.clone()).unwrap();
    }
    assert!(is_kept(vault, request), "{request:?}");
}

#[test]
fn a_value_is_kept_until_its_secret_changes() {
    let vault = World::on(&Sim::new(1)).create();
    make(&vault, "a", "1");
    make(&vault, "b", "other");
    let current = GetSecretValue::new("a");
    let arn = vault.get_secret_value(current.clone()).unwrap().arn;
    let first = vault.get_secret_value(current.clone()).unwrap().version_id;
    keep(&vault, &current);
    keep(&vault, &GetSecretValue::new(&arn));
    assert_eq!(get(&vault, &arn).unwrap(), "1");

    put(&vault, "b", "another").unwrap();
    assert!(is_kept(&vault, &current), "a change of another secret");
    put(&vault, "a", "2").unwrap();
    assert!(!is_kept(&vault, &current) && !is_kept(&vault, &GetSecretValue::new(&arn)));
    assert_eq!(get(&vault, "a").unwrap(), "2");

    keep(&vault, &current);
    let mut back = UpdateSecretVersionStage::new("a", "AWSCURRENT");
    back.move_to_version_id = Some(first.as_str().to_owned());
    back.remove_from_version_id =
        Some(vault.get_secret_value(current.clone()).unwrap().version_id.as_str().to_owned());
    vault.update_secret_version_stage(back).unwrap();
    assert_eq!(get(&vault, "a").unwrap(), "1");

    keep(&vault, &current);
    let scheduled = DeleteSecret { force_delete_without_recovery: None, ..purge_request("a") };
    vault.delete_secret(scheduled).unwrap();
    assert!(vault.get_secret_value(current.clone()).is_err());
    vault.restore_secret(RestoreSecret::new("a")).unwrap();
    keep(&vault, &current);
    vault.delete_secret(purge_request("a")).unwrap();
    assert!(vault.get_secret_value(current.clone()).unwrap_err().is_not_found());
    make(&vault, "a", "again");
    assert_eq!(get(&vault, "a").unwrap(), "again");
    assert!(vault.get_secret_value(GetSecretValue::new(&arn)).is_err(), "its suffix is another");
}

#[test]
fn a_request_gets_its_own_value() {
    let vault = World::on(&Sim::new(1)).create();
    make(&vault, "a", "1");
    let first = vault.get_secret_value(GetSecretValue::new("a")).unwrap().version_id;
    put(&vault, "a", "2").unwrap();
    let mut previous = GetSecretValue::new("a");
    previous.version_stage = Some("AWSPREVIOUS".to_owned());
    let mut named = GetSecretValue::new("a");
    named.version_id = Some(first.as_str().to_owned());
    for request in [GetSecretValue::new("a"), previous.clone(), named.clone()] {
        keep(&vault, &request);
    }
    let read = |request| vault.get_secret_value(request).unwrap();
    for _ in 0..2 {
        assert_eq!(get(&vault, "a").unwrap(), "2");
        assert_eq!(read(previous.clone()).value.bytes().expose(), b"1");
        assert_eq!(read(named.clone()).version_stages, ["AWSPREVIOUS"]);
    }
    let elsewhere = vault.in_region("eu-west-1");
    assert!(elsewhere.get_secret_value(GetSecretValue::new("a")).unwrap_err().is_not_found());
    let stranger = vault.in_account("111111111111");
    assert!(stranger.get_secret_value(GetSecretValue::new("a")).unwrap_err().is_not_found());
}

#[test]
fn what_depends_on_more_than_one_secret_is_not_kept() {
    let vault = World::on(&Sim::new(1)).create();
    make(&vault, "a", "1");
    let request = ReplicateSecretToRegions::new("a", ["eu-west-1"]);
    vault.replicate_secret_to_regions(request).unwrap();
    let there = vault.in_region("eu-west-1");
    assert_eq!(get(&there, "a").unwrap(), "1");
    let state = vault.inner.shared.state().unwrap();
    let scope = Scope::new(Scope::DEFAULT_ACCOUNT, "eu-west-1");
    assert!(state.values().get(&scope, &GetSecretValue::new("a")).is_none());
    put(&vault, "a", "2").unwrap();
    assert_eq!(get(&there, "a").unwrap(), "2");

    make(&vault, "b", "1");
    keep(&vault, &GetSecretValue::new("b"));
    let denies = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*",
        "Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;
    vault.put_resource_policy(PutResourcePolicy::new("b", denies)).unwrap();
    assert!(get(&vault, "b").is_err());
}

#[test]
fn kept_values_take_a_bounded_amount_of_memory() {
    let vault = World::on(&Sim::new(1)).create();
    make(&vault, "a", &"x".repeat(4000));
    make(&vault, "long", &"x".repeat(20_000));
    let state = vault.inner.shared.state().unwrap();
    get(&vault, "long").unwrap();
    get(&vault, "long").unwrap();
    assert_eq!(state.values().bytes(), 0, "long values are not kept");
    let arn = vault.get_secret_value(GetSecretValue::new("a")).unwrap().arn;
    let version = vault.get_secret_value(GetSecretValue::new("a")).unwrap().version_id;
    let mut by_arn = GetSecretValue::new(&arn);
    by_arn.version_id = Some(version.as_str().to_owned());
    for request in [GetSecretValue::new("a"), GetSecretValue::new(&arn), by_arn] {
        keep(&vault, &request);
    }
    let bytes = state.values().bytes();
    assert!((12_000..20_000).contains(&bytes), "{bytes}");
    vault.shred().unwrap();
    assert_eq!(state.values().bytes(), 0, "the keys of another epoch are forgotten");
}

/// A data key that only a dropped batch has known would be taken for that of the next version in its place.
#[test]
fn nothing_is_kept_of_a_batch_that_was_dropped() {
    let sim = Sim::new(5);
    let vault = World::on(&sim).create();
    make(&vault, "a", "one");
    sim.fs.add_fault(fault(OpKind::Write, 1, io::ErrorKind::StorageFull, Reach::Part(100)));
    // The second one is a retry, which is compared with the value of the first.
    let same = || put_request("a", "never written", 1);
    for outcome in together(&vault, vec![same(), same()]) {
        assert_eq!(kind(outcome), ErrorKind::NoSpace);
    }
    let before = Arc::as_ptr(&vault.inner.shared.state().unwrap());
    let other = || put_request("a", "two", 2);
    for _ in 0..2 {
        assert!(together(&vault, vec![other()]).remove(0).is_ok(), "a retry is compared again");
    }
    assert_eq!(get(&vault, "a").unwrap(), "two");
    let after = Arc::as_ptr(&vault.inner.shared.state().unwrap());
    assert_eq!(after, before, "the state was not doubted");
}

/// What is kept of the rows that were written is what they hold.
#[test]
fn what_was_written_need_not_be_opened() {
    let vault = World::on(&Sim::new(1)).create();
    make(&vault, "a", "1");
    put(&vault, "a", "2").unwrap();
    let stages = Some(vec!["MINE".to_owned(), "YOURS".to_owned()]);
    let request = PutSecretValue::new("a", SecretValue::text("3"));
    vault.put_secret_value(PutSecretValue { version_stages: stages, ..request }).unwrap();
    make(&vault, "b", "other");
    let allows = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Principal":{"AWS":"arn:aws:iam::111122223333:root"},
        "Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#;
    vault.put_resource_policy(PutResourcePolicy::new("b", allows)).unwrap();
    let request = ReplicateSecretToRegions::new("b", ["eu-west-1"]);
    vault.replicate_secret_to_regions(request).unwrap();

    let shared = &vault.inner.shared;
    let (state, keys, marks) = (shared.state().unwrap(), shared.keys(), AccessMarks::default());
    let (kept, store) = (state.latest().unwrap(), state.store());
    let plain = RowView::new(&store, &keys, &marks, None);
    let mut counts: BTreeMap<Tree, usize> = BTreeMap::new();
    for tree in [Tree::Names, Tree::Secrets, Tree::Labels] {
        let mut look = |key: &[u8], row: &[u8]| {
            *counts.entry(tree).or_default() += 1;
            let id = RecordId(*key.first_chunk().unwrap());
            match kept.opened(tree, key).unwrap_or_else(|| panic!("{tree:?}")) {
                Opened::Secret(record) => {
                    assert_eq!(plain.secret(id).unwrap(), Some((*record).clone()));
                }
                Opened::Labels(labels) => assert_eq!(plain.stages(id).unwrap(), labels.to_vec()),
                Opened::Name(id) => {
                    let content = keys.open_row(tree, key, row).unwrap();
                    assert_eq!(rows::decode_id(&content), Ok(id));
                }
                Opened::Version(_) | Opened::Token(_) => panic!("in another tree"),
            }
        };
        store.scan(tree, &mut look).unwrap();
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [3, 3, 2], "names, records, labels");
}
