//! 1,000 swaps of sealed records (with another version, secret, vault or kind, or an older self):
//! none opens in the other's place, and a state with an older self in it is noticed at the next open.

use crate::common::block;
use crate::common::rng::Rng;
use crate::common::world::{self, SealedRow, Setup, World};
use std::collections::BTreeMap;
use strongroom::__internals::model::Tree;
use strongroom::__internals::model::api::{
    CreateSecret, GetSecretValue, ListSecrets, PutSecretValue,
};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

const SECRETS: usize = 10;
const VERSIONS: usize = 4;

fn token(secret: usize, version: usize) -> String {
    format!("s{secret}v{version:0>36}")
}

fn value(secret: usize, version: usize) -> String {
    format!("value {version} of secret {secret}").repeat(20)
}

fn fill(vault: &Vault) {
    for secret in 0..SECRETS {
        let mut request = CreateSecret::new(format!("s{secret}"));
        request.client_request_token = Some(format!("c{secret:0>36}"));
        vault.create_secret(request).unwrap();
        for version in 0..VERSIONS {
            put(vault, secret, version);
        }
    }
}

fn put(vault: &Vault, secret: usize, version: usize) {
    let text = SecretValue::text(value(secret, version));
    let mut request = PutSecretValue::new(format!("s{secret}"), text);
    request.client_request_token = Some(token(secret, version));
    vault.put_secret_value(request).unwrap();
}

/// Rows that are sealed by themselves; chunks of values are covered by their data key's wrap.
fn rows(vault: &Vault) -> Vec<SealedRow> {
    let rows = world::sealed_rows(vault).into_iter();
    rows.filter(|row| row.tree != Tree::Blobs && row.value.len() >= 40).collect()
}

#[test]
fn no_sealed_record_opens_in_anothers_place() {
    let mut rng = Rng::new(31);
    let (here, there) = (World::new(1), World::new(2));
    let setup = Setup::default();
    let (vault, other) = (here.create(&setup).unwrap(), there.create(&setup).unwrap());
    fill(&vault);
    fill(&other);
    let (mine, foreign) = (rows(&vault), rows(&other));
    let opening = mine.iter().filter(|row| world::opens(&vault, row)).count();
    assert_eq!(opening, mine.len(), "the control: each opens in its own place");
    let mut swaps: BTreeMap<&str, u64> = BTreeMap::new();
    let kinds = ["version", "secret", "vault", "kind"];
    let mut total = 0;
    while total < 1_000 {
        let place = rng.pick(&mine);
        let what = kinds[total % kinds.len()];
        let source = rng.pick(if what == "vault" { &foreign } else { &mine });
        let (tree, secret) =
            (source.tree == place.tree, source.key.get(..16) == place.key.get(..16));
        let fits = match what {
            "version" => tree && secret,
            "secret" => tree && !secret,
            "vault" => tree,
            _ => !tree,
        };
        if !fits || source == place {
            continue;
        }
        let moved = SealedRow { value: source.value.clone(), ..place.clone() };
        assert!(!world::opens(&vault, &moved), "{what}: {:?} into {:?}", source.tree, place.tree);
        *swaps.entry(what).or_default() += 1;
        total += 1;
    }
    println!("refused: {swaps:?}");
    assert_eq!(swaps.values().sum::<u64>(), 1_000);
}

/// The key of a place and the seal fit an older self; the digest of all rows does not. Here the
/// state is changed through sled itself, while the vault is closed.
#[test]
fn an_older_self_is_noticed_at_the_next_open() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup { background: false, ..Setup::usual() };
    let vault_dir = dir.path().join("vault");
    let vault = world::create_in(&vault_dir, &dir.path().join("key"), &setup).unwrap();
    let key = world::key_of(&dir.path().join("key"));
    fill(&vault);
    let old: BTreeMap<(Tree, Vec<u8>), Vec<u8>> =
        rows(&vault).into_iter().map(|row| ((row.tree, row.key), row.value)).collect();
    for secret in 0..SECRETS {
        put(&vault, secret, VERSIONS);
    }
    let changed: Vec<SealedRow> = rows(&vault)
        .into_iter()
        .filter(|row| old.get(&(row.tree, row.key.clone())).is_some_and(|was| *was != row.value))
        .collect();
    vault.close().unwrap();
    assert!(changed.len() >= SECRETS, "{} rows have an older self", changed.len());
    for place in changed.iter().take(24) {
        let was = &old[&(place.tree, place.key.clone())];
        // As it is now: reading leaves marks.
        let vault = world::open_in(&vault_dir, &key, &setup).unwrap();
        let mut now = rows(&vault).into_iter();
        let row = now.find(|row| (row.tree, &row.key) == (place.tree, &place.key)).unwrap();
        vault.close().unwrap();
        drop(vault);
        // Found by its content: which row is in which tree is the state's own affair.
        let replaced = {
            let config = sled::Config::new().path(vault_dir.join("state"));
            // What the state was made with; sled insists.
            let db = config.segment_size(1 << 20).open().unwrap();
            let mut replaced = 0;
            let has_blocks = |name: &sled::IVec| name.ends_with(block::TREES_END.as_bytes());
            for name in db.tree_names().into_iter().filter(has_blocks) {
                let tree = db.open_tree(name).unwrap();
                for (fence, old) in tree.iter().map(Result::unwrap).collect::<Vec<_>>() {
                    if let Some(new) = block::replace(&old, (&row.key, &row.value), was) {
                        tree.insert(fence, new).unwrap();
                        replaced += 1;
                    }
                }
            }
            db.flush().unwrap();
            replaced
        };
        assert_eq!(replaced, 1, "the row is where it was looked for");
        let vault = world::open_in(&vault_dir, &key, &setup).unwrap();
        let listed = vault.list_secrets(ListSecrets::default()).unwrap();
        assert_eq!(listed.secrets.len(), SECRETS);
        for secret in 0..SECRETS {
            let request = GetSecretValue::new(format!("s{secret}"));
            let got = vault.get_secret_value(request).unwrap();
            assert_eq!(got.version_id.as_str(), token(secret, VERSIONS), "an older current");
            assert_eq!(got.value.bytes().expose(), value(secret, VERSIONS).as_bytes());
        }
        vault.close().unwrap();
    }
}
