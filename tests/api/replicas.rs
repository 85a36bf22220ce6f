//! Replicas over the library, on real folders and on a simulated disk: what a region shows, what
//! survives a reopening, and that a power cut leaves each operation whole or undone.

use crate::common::whole::{self, Operation};
use crate::common::world::{self, Setup, World};
use strongroom::__internals::error::Result;
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, DescribeSecret, DescribeSecretResponse, GetSecretValue,
    ListSecrets, PutSecretValue, RemoveRegionsFromReplication, ReplicaRegion,
    ReplicateSecretToRegions, StopReplicationToReplica,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

const NAME: &str = "app/db";

fn home() -> Scope {
    Scope::default()
}

fn region(name: &str) -> Scope {
    Scope::new(Scope::DEFAULT_ACCOUNT, name)
}

fn away() -> Scope {
    region("eu-west-1")
}

fn create(vault: &Vault, value: SecretValue, regions: &[&str]) -> Result<()> {
    let regions: Vec<_> = regions.iter().map(|region| ReplicaRegion::new(*region)).collect();
    let request = CreateSecret {
        value: Some(value),
        description: Some("prose".into()),
        add_replica_regions: (!regions.is_empty()).then_some(regions),
        ..CreateSecret::new(NAME)
    };
    vault.in_scope(home()).create_secret(request).map(drop)
}

fn put(vault: &Vault, scope: &Scope, value: SecretValue) -> Result<()> {
    vault.in_scope(scope).put_secret_value(PutSecretValue::new(NAME, value)).map(drop)
}

fn get(vault: &Vault, scope: &Scope, stage: Option<&str>) -> Result<Vec<u8>> {
    let mut request = GetSecretValue::new(NAME);
    request.version_stage = stage.map(str::to_owned);
    Ok(vault.in_scope(scope).get_secret_value(request.clone())?.value.bytes().expose().to_vec())
}

fn describe(vault: &Vault, scope: &Scope) -> DescribeSecretResponse {
    vault.in_scope(scope).describe_secret(DescribeSecret::new(NAME)).unwrap()
}

fn replicate(vault: &Vault, regions: &[&str], force: bool) -> Result<()> {
    let request = ReplicateSecretToRegions {
        secret_id: NAME.into(),
        add_replica_regions: regions.iter().map(|region| ReplicaRegion::new(*region)).collect(),
        force_overwrite_replica_secret: Some(force),
    };
    vault.in_scope(home()).replicate_secret_to_regions(request).map(drop)
}

fn remove(vault: &Vault, regions: &[&str]) -> Result<()> {
    let request = RemoveRegionsFromReplication {
        secret_id: NAME.into(),
        remove_replica_regions: regions.iter().map(ToString::to_string).collect(),
    };
    vault.in_scope(home()).remove_regions_from_replication(request).map(drop)
}

fn promote(vault: &Vault, scope: &Scope) -> Result<()> {
    vault.in_scope(scope).stop_replication_to_replica(StopReplicationToReplica::new(NAME)).map(drop)
}

fn purge(vault: &Vault, scope: &Scope) -> Result<()> {
    let request = DeleteSecret {
        secret_id: NAME.into(),
        force_delete_without_recovery: Some(true),
        ..DeleteSecret::default()
    };
    vault.in_scope(scope).delete_secret(request).map(drop)
}

/// Several chunks, so that a copy has to put them together and cut them again.
fn long(byte: u8) -> Vec<u8> {
    vec![byte; 20_000]
}

/// SEM-REPL-1, SEM-REPL-2, SEM-REPL-12: the whole life of replicas in one vault on disk.
#[test]
fn replicas_live_through_reopenings() {
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
    create(&vault, SecretValue::binary(long(1)), &["eu-west-1", "eu-west-2"]).unwrap();
    put(&vault, &home(), SecretValue::text("two")).unwrap();
    let vault = again(vault);

    assert_eq!(get(&vault, &away(), None).unwrap(), b"two");
    assert_eq!(get(&vault, &away(), Some("AWSPREVIOUS")).unwrap(), long(1));
    let shown = describe(&vault, &away());
    assert!(shown.arn.contains(":eu-west-1:"), "{}", shown.arn);
    assert_eq!(shown.primary_region.as_deref(), Some("us-east-1"));
    // Read through a replica: its own date, and that of its entry at the primary.
    assert!(shown.last_accessed_date.is_some());
    let primary = describe(&vault, &home());
    assert_eq!((primary.last_accessed_date, shown.replication_status), (None, None));
    let read: Vec<_> =
        primary.replication_status.unwrap().iter().map(|entry| entry.last_accessed_date).collect();
    assert_eq!(read, [shown.last_accessed_date, None]);
    let list = vault.in_scope(away()).list_secrets(ListSecrets::default()).unwrap().secrets;
    assert_eq!(list[0].description.as_deref(), Some("prose"));

    let refused = put(&vault, &away(), SecretValue::text("no")).unwrap_err();
    assert!(refused.fault().unwrap().message.contains("replica"), "{refused}");
    assert!(purge(&vault, &home()).is_err(), "it has replicas");

    promote(&vault, &away()).unwrap();
    let vault = again(vault);
    put(&vault, &home(), SecretValue::text("three")).unwrap();
    remove(&vault, &["eu-west-2"]).unwrap();
    purge(&vault, &home()).unwrap();
    vault.maintain().unwrap();
    let vault = again(vault);
    let own = describe(&vault, &away());
    assert_eq!((&own.arn, &own.replication_status), (&shown.arn, &None));
    assert_eq!(own.versions_to_stages, shown.versions_to_stages);
    assert_eq!(get(&vault, &away(), None).unwrap(), b"two", "nothing of it hangs on the primary");
    assert_eq!(get(&vault, &away(), Some("AWSPREVIOUS")).unwrap(), long(1));
    assert!(get(&vault, &region("eu-west-2"), None).is_err());
    put(&vault, &away(), SecretValue::text("its own")).unwrap();
    let vault = again(vault);
    assert_eq!(get(&vault, &away(), None).unwrap(), b"its own");
    vault.close().unwrap();
}

/// SEM-REPL-12: a promoted secret is bound to its own place: after the primary was purged and the
/// epoch was switched, no row of the primary is needed.
#[test]
fn a_promoted_secret_outlives_its_primary_and_the_epoch() {
    let world = World::new(31);
    let setup = Setup::default();
    let vault = world.create(&setup).unwrap();
    create(&vault, SecretValue::binary(long(1)), &["eu-west-1"]).unwrap();
    put(&vault, &home(), SecretValue::binary(long(2))).unwrap();
    promote(&vault, &away()).unwrap();
    purge(&vault, &home()).unwrap();
    world.advance(std::time::Duration::from_secs(25 * 60 * 60));
    vault.maintain().unwrap();
    vault.close().unwrap();
    let report = world.check().unwrap();
    assert_eq!((report.damage, report.values), (vec![], 2));
    let vault = world.open(&setup).unwrap();
    assert_eq!(get(&vault, &away(), None).unwrap(), long(2));
    assert_eq!(get(&vault, &away(), Some("AWSPREVIOUS")).unwrap(), long(1));
    vault.close().unwrap();
}

/// What can be seen of the secret in every region.
fn seen(vault: &Vault) -> String {
    ["us-east-1", "eu-west-1", "eu-west-2"]
        .map(|name| {
            let scope = region(name);
            let Ok(value) = get(vault, &scope, None) else { return format!("{name}: none") };
            let shown = describe(vault, &scope);
            let replicas = shown.replication_status.iter().flatten();
            let replicas: Vec<String> =
                replicas.map(|entry| format!("{} {}", entry.region, entry.status.name())).collect();
            let primary = shown.primary_region;
            format!("{name}: {} bytes of {}, {primary:?} {replicas:?}", value.len(), value[0])
        })
        .join("; ")
}

/// The operations of the power cut below, each on what the ones before it left.
fn steps() -> Vec<Operation> {
    vec![
        |vault| create(vault, SecretValue::binary(long(1)), &["eu-west-1"]),
        |vault| put(vault, &home(), SecretValue::binary(long(2))),
        |vault| {
            let mut request = CreateSecret::new(NAME);
            request.value = Some(SecretValue::binary(long(3)));
            vault.in_scope(region("eu-west-2")).create_secret(request).map(drop)
        },
        |vault| replicate(vault, &["eu-west-2"], false),
        |vault| replicate(vault, &["eu-west-2"], true),
        |vault| promote(vault, &away()),
        |vault| put(vault, &away(), SecretValue::binary(long(4))),
        |vault| remove(vault, &["eu-west-2"]),
        |vault| purge(vault, &home()),
    ]
}

/// SEM-REPL-12: every operation on replicas is one change of the vault: after a power cut at any
/// call of the disk the next open finds it done or not begun, in all regions alike.
#[test]
fn a_power_cut_leaves_each_operation_whole_or_undone() {
    whole::cut_everywhere(32, &steps(), seen);
}

/// A read through a replica is whole although two records stand behind it: description and labels
/// are of one operation on the primary.
#[test]
fn a_read_through_a_replica_never_sees_half_an_operation() {
    let world = World::new(34);
    let vault = world.create(&Setup { background: true, ..Setup::default() }).unwrap();
    create(&vault, SecretValue::text("0"), &["eu-west-1"]).unwrap();
    whole::never_half(&vault, NAME, (&away(), NAME), 600);
    vault.close().unwrap();
}
