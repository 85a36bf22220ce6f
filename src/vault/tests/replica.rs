//! Replicas in a damaged state, and promotions side by side.

use super::*;
use crate::model::api::{
    AssociateCrossAccountReplica, RemoveRegionsFromReplication, ReplicaRegion,
    StopReplicationToReplica,
};
use crate::model::{ChangeSet, Tree};
use crate::store::Range;
use crate::vault::commit::effects::drop_row;
use crate::vault::view::access_marks::AccessMarks;
use crate::vault::view::row_view::RowView;

fn away() -> Scope {
    Scope::new(Scope::DEFAULT_ACCOUNT, "eu-west-1")
}

/// A secret with one replica.
fn replicate(vault: &Vault, name: &str, text: &str) {
    let request = CreateSecret {
        add_replica_regions: Some(vec![ReplicaRegion::new("eu-west-1")]),
        ..create_request(name, text)
    };
    vault.create_secret(request).unwrap();
}

fn get_away(vault: &Vault, name: &str) -> Result<String> {
    let output = vault.in_scope(away()).get_secret_value(GetSecretValue::new(name))?;
    Ok(String::from_utf8(output.value.bytes().expose().to_vec()).unwrap())
}

/// How many rows of `secrets` a check would complain about.
fn misfits(vault: &Vault) -> usize {
    let shared = &vault.inner.shared;
    let (state, keys, marks) = (shared.state().unwrap(), shared.keys(), AccessMarks::default());
    let store = state.store();
    let view = RowView::new(&store, &keys, &marks, None);
    let mut count = 0;
    let mut look = |key: &[u8], row: &[u8]| count += usize::from(!view.secret_opens(key, row));
    store.scan(Tree::Secrets, &mut look).unwrap();
    count
}

/// Drops the record of the only secret of a scope behind the log's back.
fn lose(vault: &Vault, scope: &Scope) {
    let shared = &vault.inner.shared;
    let state = shared.state().unwrap();
    let store = state.store();
    let prefix = shared.keys().scope_index(scope);
    let rows =
        store.range(Tree::Secrets, Range { prefix: &prefix, after: None, limit: 2 }).unwrap();
    let [(key, _)] = rows.as_slice() else { panic!("{} secrets", rows.len()) };
    let lsn = store.applied().unwrap().next();
    store.apply(&[ChangeSet { lsn, rows: vec![drop_row(Tree::Secrets, key)] }]).unwrap();
    state.forget_opened();
}

/// A replica or a primary that has lost the other is never "not found": the state is damaged, a check
/// says so, and what is asked for is answered from a state that was made anew.
#[test]
fn a_lost_side_is_noticed_and_repaired() {
    for lost in [Scope::default(), away()] {
        let world = World::on(&Sim::new(61));
        let vault = world.create();
        replicate(&vault, "s", "value");
        assert_eq!(misfits(&vault), 0);
        lose(&vault, &lost);
        assert_eq!(misfits(&vault), 1);
        assert_eq!(get_away(&vault, "s").unwrap(), "value");
        assert_eq!(misfits(&vault), 0);
        vault.close().unwrap();
    }
}

/// The same between accounts, where each side is found by its ARN.
#[test]
fn a_lost_side_in_another_account_is_noticed_and_repaired() {
    let other = Scope::new("111122223333", Scope::DEFAULT_REGION);
    for lost in [Scope::default(), other.clone()] {
        let world = World::on(&Sim::new(65));
        let vault = world.create();
        let primary = vault.create_secret(create_request("s", "value")).unwrap();
        let request = CreateSecret {
            kms_key_id: Some("alias/theirs".into()),
            cross_account_primary_arn: Some(primary.arn),
            ..CreateSecret::new("r")
        };
        let replica_arn = vault.in_scope(&other).create_secret(request).unwrap().arn;
        let secret_id = "s".to_owned();
        let request = AssociateCrossAccountReplica { secret_id, replica_arn, ..Default::default() };
        vault.associate_cross_account_replica(request).unwrap();
        assert_eq!(misfits(&vault), 0);
        lose(&vault, &lost);
        assert_eq!(misfits(&vault), 1);
        let read = vault.in_scope(&other).get_secret_value(GetSecretValue::new("r")).unwrap();
        assert_eq!(read.value.bytes().expose(), b"value");
        assert_eq!(misfits(&vault), 0);
        vault.close().unwrap();
    }
}

/// What a promotion copies is read where it is planned: in a damaged state nothing of it is
/// logged, and it is planned anew.
#[test]
fn a_promotion_does_not_copy_from_a_damaged_state() {
    let world = World::on(&Sim::new(62));
    let vault = world.create();
    replicate(&vault, "s", "value");
    let state = vault.inner.shared.state().unwrap();
    let store = state.store();
    let rows = store.range(Tree::Blobs, Range { prefix: &[], after: None, limit: 10 }).unwrap();
    let lsn = store.applied().unwrap().next();
    let rows = rows.iter().map(|(key, _)| drop_row(Tree::Blobs, key)).collect();
    store.apply(&[ChangeSet { lsn, rows }]).unwrap();
    state.forget_opened();
    drop(state);
    vault.in_scope(away()).stop_replication_to_replica(StopReplicationToReplica::new("s")).unwrap();
    for text in [get_away(&vault, "s"), get(&vault, "s")] {
        assert_eq!(text.unwrap(), "value");
    }
    assert_eq!(misfits(&vault), 0);
    vault.close().unwrap();
}

/// Promotions are large, and many may be asked for at once: each gets a frame of its own.
#[test]
fn promotions_side_by_side_do_not_share_a_frame() {
    let world = World::on(&Sim::new(63));
    let vault = world.create();
    let names = ["a", "b", "c", "d"];
    for name in names {
        replicate(&vault, name, &name.repeat(60_000));
    }
    let before = crate::vault::internals::frames(&vault);
    let shared = &vault.inner.shared;
    let done_count: Arc<Mutex<usize>> = Arc::default();
    let mut jobs = Vec::new();
    for name in names {
        let write = Write::StopReplicationToReplica(StopReplicationToReplica::new(name));
        let (mutation, payload) = seal(&shared.keys(), &shared.env, write).unwrap();
        let done_count = Arc::clone(&done_count);
        let done = Box::new(move |result: Result<Answer>| {
            assert!(matches!(result, Ok(Answer::Promoted(_))));
            *done_count.lock().unwrap() += 1;
        });
        jobs.push(Job::Mutate(Box::new(Mutate { scope: away(), mutation, payload, done })));
    }
    let completed = vault.inner.driver.control(|pipeline| {
        for job in jobs {
            pipeline.submit(Task::Job(job));
        }
        while pipeline.step() {}
        pipeline.completed()
    });
    for (done, result) in completed.unwrap() {
        done(result);
    }
    assert_eq!(*done_count.lock().unwrap(), names.len());
    assert_eq!(crate::vault::internals::frames(&vault) - before, names.len() as u64);
    for name in names {
        assert_eq!(get_away(&vault, name).unwrap(), name.repeat(60_000));
    }
    vault.close().unwrap();
}

/// On a full disk what frees space goes on, and what takes it is refused.
#[test]
fn replicas_can_be_removed_on_a_full_disk() {
    let sim = Sim::new(64);
    let world = World::on(&sim);
    let vault = world.create();
    replicate(&vault, "s", "value");
    vault.maintain().unwrap();
    let used: u64 =
        sim.fs.paths().iter().map(|path| sim.fs.read_all(path).unwrap().len() as u64).sum();
    sim.fs.set_capacity(Some(used));
    let promoted =
        vault.in_scope(away()).stop_replication_to_replica(StopReplicationToReplica::new("s"));
    assert_eq!(kind(promoted), ErrorKind::NoSpace);
    let request = RemoveRegionsFromReplication {
        secret_id: "s".into(),
        remove_replica_regions: vec!["eu-west-1".into()],
    };
    vault.remove_regions_from_replication(request).unwrap();
    vault.close().unwrap();
}
