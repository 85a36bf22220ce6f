//! A state as builds before 2026-11-29 wrote it, with a row of sled for each row of the vault. It is rebuilt
//! by the next open, and until then repairs a damaged log like any other.

use crate::common::block;
use crate::common::search::{files_below, with_ending};
use crate::common::world::{self, Setup};
use std::path::Path;
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

const SECRETS: usize = 20;
const VERSIONS: usize = 8;

fn value(secret: usize, version: usize) -> String {
    format!("value {version} of secret {secret}").repeat(40)
}

fn fill(vault: &Vault) {
    for secret in 0..SECRETS {
        vault.create_secret(CreateSecret::new(format!("s{secret}"))).unwrap();
        for version in 0..VERSIONS {
            let text = SecretValue::text(value(secret, version));
            vault.put_secret_value(PutSecretValue::new(format!("s{secret}"), text)).unwrap();
        }
    }
}

fn read(vault: &Vault) {
    for secret in 0..SECRETS {
        let got = vault.get_secret_value(GetSecretValue::new(format!("s{secret}"))).unwrap();
        assert_eq!(got.value.bytes().expose(), value(secret, VERSIONS - 1).as_bytes());
    }
}

/// Writes a closed state as it was written before there were blocks.
fn make_older(state: &Path) {
    let db = sled::Config::new().path(state).segment_size(1 << 20).open().unwrap();
    let mut moved = 0;
    for name in db.tree_names() {
        let name = String::from_utf8(name.to_vec()).unwrap();
        let Some(old_name) = name.strip_suffix(block::TREES_END) else { continue };
        let (blocks, rows) = (db.open_tree(&name).unwrap(), db.open_tree(old_name).unwrap());
        for (_, found) in blocks.iter().map(Result::unwrap) {
            for (key, value) in block::rows_of(&found) {
                rows.insert(key, value).unwrap();
                moved += 1;
            }
        }
        db.drop_tree(&name).unwrap();
    }
    assert!(moved > SECRETS * VERSIONS * 3, "{moved} rows");
    let applied = db.open_tree("applied").unwrap();
    let span = applied.get("lsn").unwrap().unwrap();
    assert_eq!(span.len(), 24);
    applied.insert("lsn", &span[..16]).unwrap();
    db.flush().unwrap();
}

fn made(dir: &Path, setup: &Setup) -> Vec<u8> {
    let vault = world::create_in(&dir.join("vault"), &dir.join("key"), setup).unwrap();
    fill(&vault);
    vault.close().unwrap();
    make_older(&dir.join("vault/state"));
    world::key_of(&dir.join("key"))
}

#[test]
fn an_older_state_is_read_and_then_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup { background: false, ..Setup::usual() };
    let key = made(dir.path(), &setup);
    let (vault_dir, aside) = (dir.path().join("vault"), dir.path().join("vault/state.aside"));
    let report = world::check_in(&vault_dir, &key).unwrap();
    assert!(report.damage.is_empty() && report.findings.is_empty(), "it is read: {report:?}");
    assert!(report.warnings.is_empty(), "it is read: {report:?}");
    let vault = world::open_in(&vault_dir, &key, &setup).unwrap();
    read(&vault);
    vault.put_secret_value(PutSecretValue::new("s0", SecretValue::text("more"))).unwrap();
    let last = SecretValue::text(value(0, VERSIONS - 1));
    vault.put_secret_value(PutSecretValue::new("s0", last)).unwrap();
    vault.close().unwrap();
    drop(vault);
    assert!(aside.exists(), "the older state is replaced");
    std::fs::remove_dir_all(&aside).unwrap();
    let again = world::open_in(&vault_dir, &key, &setup).unwrap();
    assert!(!aside.exists(), "the state of this build is kept");
    read(&again);
    again.close().unwrap();
}

/// Goal: a log that lost a frame in its middle comes back from the state, whichever way that lies. Method:
/// a bit is flipped in the middle of the only segment; without a state the vault does not open.
#[test]
fn an_older_state_repairs_a_damaged_log() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup { background: false, segment_bytes: (8 << 20, 8 << 20), ..Setup::usual() };
    let key = made(dir.path(), &setup);
    let vault_dir = dir.path().join("vault");
    let segment = &with_ending(files_below(&vault_dir.join("log")), "wal")[0];
    let mut bytes = std::fs::read(segment).unwrap();
    bytes[100_000] ^= 1;
    std::fs::write(segment, bytes).unwrap();
    let (state, away) = (vault_dir.join("state"), dir.path().join("away"));
    std::fs::rename(&state, &away).unwrap();
    assert!(world::open_in(&vault_dir, &key, &setup).is_err(), "nothing else repairs it");
    let _ = std::fs::remove_dir_all(&state);
    std::fs::rename(&away, &state).unwrap();
    let vault = world::open_in(&vault_dir, &key, &setup).unwrap();
    read(&vault);
    vault.close().unwrap();
}
