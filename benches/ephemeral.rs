//! The kit's vault on one core: creation, ten operations and the drop; forks, snapshots, restores.
//! Prints a figure a line. `STRONGROOM_ROUNDS` makes it longer than its 4000 rounds.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]

use std::hint::black_box;
use std::time::{Duration, Instant};
use strongroom::__internals::model::Tag;
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, DescribeSecret, GetSecretValue, ListSecretVersionIds,
    PutSecretValue, RestoreSecret, TagResource, UpdateSecretVersionStage,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;
use strongroom::testkit::Ephemeral;

/// Creates, puts, reads, looks, moves a label, lists, deletes.
fn ten_operations(vault: &Vault) {
    let mut create = CreateSecret::new("app/db");
    create.value = Some(SecretValue::text("correct horse"));
    let first = vault.create_secret(create).unwrap().version_id.unwrap();
    let put = PutSecretValue::new("app/db", SecretValue::text("battery"));
    let second = vault.put_secret_value(put).unwrap().version_id.unwrap();
    let read = vault.get_secret_value(GetSecretValue::new("app/db")).unwrap();
    assert_eq!(read.value.bytes().expose(), b"battery");
    let described = vault.describe_secret(DescribeSecret::new("app/db")).unwrap();
    assert_eq!(described.versions_to_stages.len(), 2);
    let moved = UpdateSecretVersionStage {
        secret_id: "app/db".to_owned(),
        version_stage: "AWSCURRENT".to_owned(),
        remove_from_version_id: Some(second.as_str().to_owned()),
        move_to_version_id: Some(first.as_str().to_owned()),
    };
    vault.update_secret_version_stage(moved).unwrap();
    let list = ListSecretVersionIds { secret_id: "app/db".to_owned(), ..Default::default() };
    assert_eq!(vault.list_secret_version_ids(list).unwrap().versions.len(), 2);
    let tags = vec![Tag { key: "team".to_owned(), value: "red".to_owned() }];
    vault.tag_resource(TagResource { secret_id: "app/db".to_owned(), tags }).unwrap();
    let previous = GetSecretValue {
        version_stage: Some("AWSPREVIOUS".to_owned()),
        ..GetSecretValue::new("app/db")
    };
    let read = vault.get_secret_value(previous).unwrap();
    assert_eq!(read.value.bytes().expose(), b"battery");
    let delete = DeleteSecret { secret_id: "app/db".to_owned(), ..Default::default() };
    vault.delete_secret(delete).unwrap();
    vault.restore_secret(RestoreSecret::new("app/db")).unwrap();
}

fn each(rounds: u32, mut work: impl FnMut(u64)) -> Duration {
    // The best of five: another program on the machine can only make it slower.
    (0..5)
        .map(|part| {
            let started = Instant::now();
            for round in 0..rounds / 5 {
                work(u64::from(part * rounds + round));
            }
            started.elapsed() / (rounds / 5)
        })
        .min()
        .unwrap()
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

fn main() {
    let rounds = std::env::var("STRONGROOM_ROUNDS").map_or(4000, |text| text.parse().unwrap());
    let all = each(rounds, |seed| ten_operations(&Vault::ephemeral(seed).unwrap()));
    println!("ephemeral, 10 operations, drop: {:.0} a second", 1.0 / all.as_secs_f64());
    let alone = each(rounds, |seed| drop(black_box(Vault::ephemeral(seed).unwrap())));
    println!("ephemeral and drop alone: {:.1} us", micros(alone));

    let mut parent = Vault::ephemeral(1).unwrap();
    for n in 0..100 {
        let mut create = CreateSecret::new(format!("app/secret-{n}"));
        create.value = Some(SecretValue::text("correct horse battery staple"));
        parent.create_secret(create).unwrap();
    }
    let mut kept: Vec<Ephemeral> = Vec::with_capacity(rounds as usize);
    let fork = each(rounds, |_| kept.push(parent.fork().unwrap()));
    println!("fork of a vault with 100 secrets: {:.1} us", micros(fork));
    let fork = each(rounds, |_| drop(black_box(parent.fork().unwrap())));
    println!("fork of a vault with 100 secrets, and its drop: {:.1} us", micros(fork));
    let operations = each(rounds.min(1000), |_| ten_operations(&parent.fork().unwrap()));
    println!("fork, 10 operations, drop: {:.1} us", micros(operations));
    let snapshot = parent.snapshot().unwrap();
    let taken = each(rounds, |_| drop(black_box(parent.snapshot().unwrap())));
    println!("snapshot and its drop: {:.1} us", micros(taken));
    let restored = each(rounds, |_| parent.restore(&snapshot).unwrap());
    println!("restore: {:.1} us", micros(restored));
}
