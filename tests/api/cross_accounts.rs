//! Replicas in other accounts over the library, on real folders and on a simulated disk: what each
//! account sees, what survives a reopening, and that a power cut leaves each operation whole or
//! undone.

use crate::common::whole::{self, Operation};
use crate::common::world::{self, Setup, World};
use strongroom::__internals::error::Result;
use strongroom::__internals::model::api::{
    AssociateCrossAccountReplica, CreateSecret, DeleteSecret, DescribeSecret,
    DescribeSecretResponse, DisassociateCrossAccountReplica, GetSecretValue, ListSecrets,
    PutSecretValue, RotateSecret, StopReplicationToReplica, TagResource, UpdateSecret,
};
use strongroom::__internals::model::{CrossAccountStatus, ExternalMetadata, Scope, Tag};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

const PRIMARY: &str = "app/db";
const REPLICA: &str = "copy/of/db";

fn home() -> Scope {
    Scope::default()
}

fn other() -> Scope {
    Scope::new("111122223333", Scope::DEFAULT_REGION)
}

/// Several chunks, so that a copy has to put them together and cut them again.
fn long(byte: u8) -> Vec<u8> {
    vec![byte; 20_000]
}

fn create(vault: &Vault, value: Vec<u8>) -> Result<()> {
    let request = CreateSecret {
        value: Some(SecretValue::binary(value)),
        description: Some("prose".into()),
        ..CreateSecret::new(PRIMARY)
    };
    vault.in_scope(home()).create_secret(request).map(drop)
}

fn put(vault: &Vault, scope: &Scope, name: &str, value: Vec<u8>) -> Result<()> {
    let value = SecretValue::binary(value);
    vault.in_scope(scope).put_secret_value(PutSecretValue::new(name, value)).map(drop)
}

fn get(vault: &Vault, scope: &Scope, name: &str, stage: Option<&str>) -> Result<Vec<u8>> {
    let mut request = GetSecretValue::new(name);
    request.version_stage = stage.map(str::to_owned);
    Ok(vault.in_scope(scope).get_secret_value(request.clone())?.value.bytes().expose().to_vec())
}

fn describe(vault: &Vault, scope: &Scope, name: &str) -> Result<DescribeSecretResponse> {
    vault.in_scope(scope).describe_secret(DescribeSecret::new(name))
}

fn make_replica(vault: &Vault) -> Result<()> {
    let request = CreateSecret {
        kms_key_id: Some("alias/theirs".into()),
        cross_account_primary_arn: Some(describe(vault, &home(), PRIMARY)?.arn),
        ..CreateSecret::new(REPLICA)
    };
    vault.in_scope(other()).create_secret(request).map(drop)
}

fn replica_arn(vault: &Vault) -> Result<String> {
    Ok(describe(vault, &other(), REPLICA)?.arn)
}

fn associate(vault: &Vault) -> Result<()> {
    let request = AssociateCrossAccountReplica {
        secret_id: PRIMARY.into(),
        replica_arn: replica_arn(vault)?,
        ..Default::default()
    };
    vault.in_scope(home()).associate_cross_account_replica(request).map(drop)
}

fn disassociate(vault: &Vault) -> Result<()> {
    let (secret_id, replica_arn) = (PRIMARY.into(), replica_arn(vault)?);
    let request = DisassociateCrossAccountReplica { secret_id, replica_arn };
    vault.in_scope(home()).disassociate_cross_account_replica(request).map(drop)
}

fn stop(vault: &Vault) -> Result<()> {
    vault
        .in_scope(other())
        .stop_replication_to_replica(StopReplicationToReplica::new(REPLICA))
        .map(drop)
}

fn purge(vault: &Vault, scope: &Scope, name: &str) -> Result<()> {
    let request = DeleteSecret {
        secret_id: name.into(),
        force_delete_without_recovery: Some(true),
        ..DeleteSecret::default()
    };
    vault.in_scope(scope).delete_secret(request).map(drop)
}

/// SEM-XREPL-2, SEM-XREPL-7, SEM-XREPL-8: the whole life of a replica in one vault on disk.
#[test]
fn a_replica_lives_through_reopenings() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, key_path) = (folder.path().join("vault"), folder.path().join("key"));
    let setup = Setup::usual();
    let vault = world::create_in(&dir, &key_path, &setup).unwrap();
    let key = world::key_of(&key_path);
    let again = |vault: Vault| {
        vault.close().unwrap();
        let report = world::check_in(&dir, &key).unwrap();
        assert_eq!((report.warnings, report.damage), (vec![], vec![]));
        world::open_in(&dir, &key, &setup).unwrap()
    };
    let status = |vault: &Vault| {
        let shown = describe(vault, &other(), REPLICA).unwrap();
        shown.cross_account_primary.map(|primary| primary.status)
    };
    create(&vault, long(1)).unwrap();
    make_replica(&vault).unwrap();
    let vault = again(vault);
    assert_eq!(status(&vault), Some(CrossAccountStatus::Pending));
    assert!(get(&vault, &other(), REPLICA, None).is_err());

    associate(&vault).unwrap();
    put(&vault, &home(), PRIMARY, long(2)).unwrap();
    let vault = again(vault);
    assert_eq!(status(&vault), Some(CrossAccountStatus::InSync));
    assert_eq!(get(&vault, &other(), REPLICA, None).unwrap(), long(2));
    assert_eq!(get(&vault, &other(), REPLICA, Some("AWSPREVIOUS")).unwrap(), long(1));
    // Read through a replica, noted at the primary.
    assert!(describe(&vault, &home(), PRIMARY).unwrap().last_accessed_date.is_some());
    let tag = Tag { key: "k".into(), value: "v".into() };
    let request = TagResource { secret_id: REPLICA.into(), tags: vec![tag.clone()] };
    vault.in_scope(other()).tag_resource(request).unwrap();
    assert!(put(&vault, &other(), REPLICA, long(9)).is_err());
    assert!(purge(&vault, &home(), PRIMARY).is_err(), "it has a replica");

    disassociate(&vault).unwrap();
    put(&vault, &home(), PRIMARY, long(3)).unwrap();
    let vault = again(vault);
    assert_eq!(status(&vault), Some(CrossAccountStatus::Detached));
    assert_eq!(get(&vault, &other(), REPLICA, None).unwrap(), long(2));
    associate(&vault).unwrap();
    let vault = again(vault);
    assert_eq!(get(&vault, &other(), REPLICA, None).unwrap(), long(3));

    stop(&vault).unwrap();
    assert!(purge(&vault, &home(), PRIMARY).is_err(), "it still names the replica");
    disassociate(&vault).unwrap();
    purge(&vault, &home(), PRIMARY).unwrap();
    vault.maintain().unwrap();
    let vault = again(vault);
    assert_eq!(status(&vault), None);
    assert_eq!(get(&vault, &other(), REPLICA, None).unwrap(), long(3), "it needs no primary");
    assert_eq!(get(&vault, &other(), REPLICA, Some("AWSPREVIOUS")).unwrap(), long(2));
    put(&vault, &other(), REPLICA, long(4)).unwrap();
    let own = describe(&vault, &other(), REPLICA).unwrap();
    assert_eq!((own.description.as_deref(), own.tags), (Some("prose"), Some(vec![tag])));
    let listed = vault.in_scope(other()).list_secrets(ListSecrets::default()).unwrap().secrets;
    assert_eq!((listed.len(), &listed[0].arn), (1, &own.arn));
    vault.close().unwrap();
}

/// SEM-XREPL-7: what a detached replica keeps is bound to its own place: after the primary was
/// purged and the epoch was switched, no row of the primary is needed.
#[test]
fn a_detached_replica_outlives_its_primary_and_the_epoch() {
    let world = World::new(41);
    let setup = Setup::default();
    let vault = world.create(&setup).unwrap();
    create(&vault, long(1)).unwrap();
    make_replica(&vault).unwrap();
    associate(&vault).unwrap();
    put(&vault, &home(), PRIMARY, long(2)).unwrap();
    disassociate(&vault).unwrap();
    purge(&vault, &home(), PRIMARY).unwrap();
    world.advance(std::time::Duration::from_secs(25 * 60 * 60));
    vault.maintain().unwrap();
    vault.close().unwrap();
    let report = world.check().unwrap();
    assert_eq!((report.damage, report.values), (vec![], 2));
    let vault = world.open(&setup).unwrap();
    assert_eq!(get(&vault, &other(), REPLICA, None).unwrap(), long(2));
    assert_eq!(get(&vault, &other(), REPLICA, Some("AWSPREVIOUS")).unwrap(), long(1));
    vault.close().unwrap();
}

/// What can be seen of a secret in an account.
fn side(vault: &Vault, scope: &Scope, name: &str) -> String {
    let Ok(shown) = describe(vault, scope, name) else { return "none".to_owned() };
    let value = get(vault, scope, name, None).map_or(0, |value| value[0]);
    format!(
        "{value} of {} versions, {:?} {:?} {:?}",
        shown.versions_to_stages.len(),
        shown.cross_account_primary.map(|primary| primary.status.name()),
        shown.cross_account_replica.map(|replica| replica.status.name()),
        shown.external.map(|external| (external.partner, external.metadata.len())),
    )
}

fn seen(vault: &Vault) -> String {
    [(home(), PRIMARY), (other(), REPLICA)]
        .map(|(scope, name)| side(vault, &scope, name))
        .join("; ")
}

/// The operations of the power cut below, each on what the ones before it left.
fn steps() -> Vec<Operation> {
    vec![
        |vault| create(vault, long(1)),
        make_replica,
        associate,
        |vault| put(vault, &home(), PRIMARY, long(2)),
        disassociate,
        |vault| put(vault, &home(), PRIMARY, long(3)),
        associate,
        stop,
        |vault| put(vault, &other(), REPLICA, long(4)),
        // Of an entry whose replica has stopped by itself.
        disassociate,
        |vault| {
            let mut request = UpdateSecret::new(PRIMARY);
            request.partner = Some("partner".into());
            vault.in_scope(home()).update_secret(request).map(drop)
        },
        |vault| {
            let mut request = RotateSecret::new(PRIMARY);
            let item = ExternalMetadata { key: "k".into(), value: "v".into() };
            request.external_metadata = Some(vec![item]);
            request.rotate_immediately = Some(false);
            vault.in_scope(home()).rotate_secret(request).map(drop)
        },
        |vault| purge(vault, &home(), PRIMARY),
    ]
}

/// SEM-XREPL-2, SEM-XREPL-7, SEM-XREPL-8: every operation on replicas in other accounts is one
/// change of the vault: after a power cut at any call of the disk the next open finds it done or
/// not begun, in both accounts alike.
#[test]
fn a_power_cut_leaves_each_operation_whole_or_undone() {
    whole::cut_everywhere(42, &steps(), seen);
}

/// SEM-XREPL-5: a read through a replica is whole although two records stand behind it:
/// description and labels are of one operation on the primary.
#[test]
fn a_read_through_a_replica_never_sees_half_an_operation() {
    let world = World::new(43);
    let vault = world.create(&Setup { background: true, ..Setup::default() }).unwrap();
    create(&vault, long(0)).unwrap();
    make_replica(&vault).unwrap();
    associate(&vault).unwrap();
    whole::never_half(&vault, PRIMARY, (&other(), REPLICA), 300);
    vault.close().unwrap();
}
