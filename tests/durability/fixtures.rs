//! Vaults of every released format, opened for ever; and a newer format, refused by its number.
//!
//! `tests/durability/fixtures/v1` and `v2` were made by `make_the_fixture` (ignored), each by a program of
//! its time; their state folders were left out, as they are rebuilt from the rest. They are never made again:
//! a new format gets a new folder.

use crate::common::twin;
use std::fs;
use std::path::{Path, PathBuf};
use strongroom::__internals::crypto::{KdfParams, Unlock};
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::model::api::{
    CreateSecret, DeleteSecret, DescribeSecret, GetSecretValue, ListSecretVersionIds, ListSecrets,
    PutSecretValue,
};
use strongroom::__internals::model::{Scope, Tag};
use strongroom::__internals::secret::{SecretBytes, SecretValue};
use strongroom::__internals::vault::{Options, VaultDir};

const PASSPHRASE: &str = "fixture passphrase";

/// The format of the vaults that this program makes.
const NEWEST: u32 = 2;

fn fixture(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/durability/fixtures/v{format}"))
}

fn passphrase() -> Unlock {
    Unlock::Passphrase(SecretBytes::from(PASSPHRASE.to_owned()))
}

/// A private copy of a fixture (a checkout does not keep modes).
fn unpacked(format: u32) -> (tempfile::TempDir, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let vault = dir.path().join("vault");
    crate::common::folder::copy(&fixture(format).join("vault"), &vault);
    fs::set_permissions(&vault, fs::Permissions::from_mode(0o700)).unwrap();
    (dir, vault)
}

fn scopes() -> [Scope; 2] {
    [Scope::default(), Scope::new("123456789012", "eu-central-1")]
}

#[test]
#[ignore = "makes the fixture, for a new format: \
            `cargo test --test durability fixtures::make_the_fixture -- --ignored`"]
fn make_the_fixture() {
    let vault_dir = fixture(NEWEST).join("vault");
    let mut options = Options::default();
    options.tuning.kdf = Some(KdfParams::FLOOR);
    (options.tuning.segment_bytes_first, options.tuning.segment_bytes_max) = (8 << 10, 16 << 10);
    options.tuning.reserve_bytes = 0;
    let vault = options.create(&vault_dir, passphrase()).unwrap();
    let [home, other] = scopes();
    for n in 0..5 {
        let mut request = CreateSecret::new(format!("app/{n}"));
        request.description = Some(format!("number {n}"));
        request.tags = Some(vec![Tag { key: "n".into(), value: n.to_string() }]);
        vault.in_scope(&home).create_secret(request).unwrap();
        for round in 0..3 {
            let value = SecretValue::text(format!("value {n} {round}"));
            vault
                .in_scope(&home)
                .put_secret_value(PutSecretValue::new(format!("app/{n}"), value))
                .unwrap();
        }
    }
    let bytes: Vec<u8> = (0..=255).cycle().take(9000).collect();
    let mut request = CreateSecret::new("binary");
    request.value = Some(SecretValue::binary(bytes));
    vault.in_scope(&other).create_secret(request).unwrap();
    let delete = DeleteSecret { secret_id: "app/4".into(), ..DeleteSecret::default() };
    vault.in_scope(&home).delete_secret(delete).unwrap();
    let force = DeleteSecret {
        secret_id: "app/3".into(),
        force_delete_without_recovery: Some(true),
        ..DeleteSecret::default()
    };
    vault.in_scope(&home).delete_secret(force).unwrap();
    vault.maintain().unwrap();
    vault.shred().unwrap();
    vault.new_credential("123456789012").unwrap();
    vault.close().unwrap();
    fs::remove_dir_all(vault_dir.join("state")).unwrap();
}

fn format_of(vault: &Path) -> [u32; 2] {
    ["manifest.a", "manifest.b"].map(|name| twin::format_of(&fs::read(vault.join(name)).unwrap()))
}

#[test]
fn a_vault_of_format_1_opens_with_all_it_holds_and_becomes_one_of_format_2() {
    let (_dir, path) = unpacked(1);
    let check = || VaultDir::lock(&path, &Options::default()).unwrap().check(&passphrase(), true);
    let report = check().unwrap();
    assert!(report.damage.is_empty() && report.findings.is_empty(), "{report:?}");
    assert_eq!((report.values, format_of(&path)), (14, [1, 1]), "a check changes nothing");
    opens_with_all_it_holds(&path);
    assert_eq!(format_of(&path), [2, 2]);
    let left = fs::read_dir(path.join("log")).unwrap();
    let names: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.contains(&"0000000002.snap".into()), "the old snapshot is left: {names:?}");
}

#[test]
fn a_vault_of_format_2_opens_with_all_it_holds() {
    let (_dir, path) = unpacked(2);
    assert_eq!(format_of(&path), [2, 2]);
    opens_with_all_it_holds(&path);
}

fn opens_with_all_it_holds(path: &Path) {
    let vault = Options::default().open(path, &passphrase()).unwrap();
    let [home, other] = scopes();
    let listed = vault.in_scope(&home).list_secrets(ListSecrets::default()).unwrap();
    let names: Vec<_> = listed.secrets.iter().map(|secret| secret.name.as_str()).collect();
    assert_eq!(names, ["app/0", "app/1", "app/2"]);
    for n in 0..3 {
        let id = format!("app/{n}");
        let found = vault.in_scope(&home).describe_secret(DescribeSecret::new(&id)).unwrap();
        assert_eq!(found.description, Some(format!("number {n}")));
        assert_eq!(found.tags, Some(vec![Tag { key: "n".into(), value: n.to_string() }]));
        let got = vault.in_scope(&home).get_secret_value(GetSecretValue::new(&id)).unwrap();
        assert_eq!(got.value.bytes().expose(), format!("value {n} 2").as_bytes());
        let mut previous = GetSecretValue::new(&id);
        previous.version_stage = Some("AWSPREVIOUS".into());
        let got = vault.in_scope(&home).get_secret_value(previous.clone()).unwrap();
        assert_eq!(got.value.bytes().expose(), format!("value {n} 1").as_bytes());
        let all = ListSecretVersionIds {
            secret_id: id,
            include_deprecated: Some(true),
            ..ListSecretVersionIds::default()
        };
        assert_eq!(vault.in_scope(&home).list_secret_version_ids(all).unwrap().versions.len(), 3);
    }
    let binary = vault.in_scope(&other).get_secret_value(GetSecretValue::new("binary")).unwrap();
    let bytes: Vec<u8> = (0..=255).cycle().take(9000).collect();
    assert_eq!(binary.value.bytes().expose(), bytes);
    let scheduled = vault.in_scope(&home).describe_secret(DescribeSecret::new("app/4")).unwrap();
    assert!(scheduled.deleted_date.is_some());
    assert!(vault.in_scope(&home).describe_secret(DescribeSecret::new("app/3")).is_err());
    assert_eq!(vault.credentials().unwrap().len(), 1);
    vault
        .in_scope(&home)
        .put_secret_value(PutSecretValue::new("app/0", SecretValue::text("new")))
        .unwrap();
    vault.close().unwrap();

    let report =
        VaultDir::lock(path, &Options::default()).unwrap().check(&passphrase(), true).unwrap();
    assert!(report.damage.is_empty() && report.warnings.is_empty(), "{report:?}");
}

#[test]
fn another_passphrase_does_not_open_it() {
    let (_dir, path) = unpacked(1);
    let wrong = Unlock::Passphrase(SecretBytes::from("Fixture passphrase".to_owned()));
    let error = Options::default().open(&path, &wrong).err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::WrongKey);
}

/// Gives both copies of a twin another format number.
fn set_format(vault: &Path, stem: &str, format: u32) {
    for copy in ["a", "b"] {
        let path = vault.join(format!("{stem}.{copy}"));
        let mut bytes = fs::read(&path).unwrap();
        twin::set_format(&mut bytes, format);
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn a_newer_format_is_refused_by_its_number_and_left_alone() {
    for (stem, newest, of) in [("keystore", 1, 1), ("manifest", 2, 1), ("manifest", 2, 2)] {
        let (_dir, path) = unpacked(of);
        set_format(&path, stem, 7);
        let before = fs::read(path.join(format!("{stem}.a"))).unwrap();
        let error = Options::default().open(&path, &passphrase()).err().unwrap();
        match error.kind() {
            ErrorKind::NewerFormat { found: 7, known, file } => {
                assert!(file.starts_with(stem) && *known == newest, "{file} {known}");
            }
            other => panic!("{stem}: {other:?}"),
        }
        assert!(error.to_string().contains("newer strongroom"), "{error}");
        assert_eq!(fs::read(path.join(format!("{stem}.a"))).unwrap(), before);
    }
}
