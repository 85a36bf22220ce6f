//! Reads every file under `tests/vectors/{keystore,envelope}` and does what it says.
//!
//! One file shows one success or one failure; everything else in it is right. The files are frozen:
//! a change of code that needs a change of a file is a new format. `write_all_vectors` made them,
//! with a second implementation of the format (`reference`) that shares no code with the crate.
//!
//! ```text
//! expect: success | failure KIND [NUMBER]
//! rule: the rule of docs/FORMAT.md that holds or is broken
//! comment: what is unusual
//! name: hex, in groups; 00*512 is a byte 512 times; deeper lines go on
//! ```

mod file;
mod generate;
mod reference;

use file::Vector;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::__internals::crypto::{CryptoError, Keyring, Keystore, SetSum, Unlock};
use strongroom::__internals::model::{
    Lsn, RecordId, Scope, SecretName, Seq, Stage, Tree, VersionId,
};
use strongroom::__internals::secret::{PayloadKind, SecretBytes};

#[test]
fn every_keystore_vector_does_what_it_says() {
    let vectors = Vector::read_all("keystore");
    assert!(vectors.len() >= 60, "only {} vectors were found", vectors.len());
    for vector in &vectors {
        let outcome = open(vector).map(|keyring| {
            assert_eq!(keyring.generation(), u64::from(vector.number("generation")));
            assert_eq!(keyring.epoch(), vector.number("epoch"));
            assert_eq!(keyring.vault_id().0.to_vec(), vector.bytes("vault"));
            keyring.names().mac("vector", &[]).to_vec()
        });
        vector.judge(outcome, "names_mac");
    }
}

#[test]
fn every_envelope_vector_does_what_it_says() {
    let vectors = Vector::read_all("envelope");
    assert!(vectors.len() >= 40, "only {} vectors were found", vectors.len());
    for vector in &vectors {
        let keyring = open(vector).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        let outcome = match vector.text("op") {
            "row" => open_row(&keyring, vector),
            "value" => open_value(&keyring, vector),
            other => panic!("{}: no such op: {other}", vector.name),
        };
        vector.judge(outcome, "plain");
    }
}

/// A keystore that decodes has one encoding: its own bytes.
#[test]
fn every_keystore_that_decodes_is_canonical() {
    let mut decoded = 0;
    for vector in Vector::read_all("keystore").iter().chain(&Vector::read_all("envelope")) {
        let bytes = vector.bytes("keystore");
        if let Ok(keystore) = Keystore::decode(&bytes) {
            assert_eq!(keystore.encode(), bytes, "{}", vector.name);
            decoded += 1;
        }
    }
    assert!(decoded > 60);
}

#[test]
fn every_rule_has_a_vector_that_breaks_it() {
    let vectors = [Vector::read_all("keystore"), Vector::read_all("envelope")].concat();
    let failing = vectors.iter().filter(|vector| vector.text("expect") != "success");
    let broken: BTreeSet<&str> = failing.map(|vector| vector.text("rule")).collect();
    let rules = (1..=11).map(|n| format!("KEY-{n}")).chain((1..=8).map(|n| format!("ENV-{n}")));
    for rule in rules.chain((1..=4).map(|n| format!("ROW-{n}"))) {
        assert!(broken.contains(rule.as_str()), "no vector breaks {rule}");
    }
}

/// ROW-5, ROW-6: what has no bytes of its own to be wrong in is computed twice instead.
#[test]
fn hashes_and_digests_are_as_described() {
    let vector = &Vector::read_all("envelope")[0];
    let keyring = open(vector).unwrap();
    let vault = reference::Vault::unlock(&vector.bytes("keystore"), &vector.bytes("key_file"));
    let names = vault.key(1, 1);
    let expected = |domain, parts: &[&[u8]]| reference::mac(&names, domain, parts);

    let scope = Scope::new("123456789012", "eu-west-1");
    let name = keyring.name_index(&scope, &SecretName::parse("a/b").unwrap());
    assert_eq!(name, expected("name", &[b"123456789012", b"eu-west-1", b"a/b"]));
    let scope_hash = expected("scope", &[b"123456789012", b"eu-west-1"]);
    assert_eq!(keyring.scope_index(&scope), scope_hash[..8]);
    let (id, token) = ([0x11; 16], "0123456789abcdef0123456789abcdef");
    let version = VersionId::parse(token).unwrap();
    let token_hash = expected("token", &[&id, token.as_bytes()]);
    assert_eq!(keyring.token_index(RecordId(id), &version), token_hash);
    let label = keyring.label_index(RecordId(id), &Stage::current());
    assert_eq!(label, expected("label", &[&id, b"AWSCURRENT"]));

    let mut sum = SetSum::empty();
    sum.add(keyring.digest_key(), Tree::Labels, b"key", b"sealed");
    let digest_key = vault.key(4, 1);
    let share = reference::mac(&digest_key, "row", &[&[7], b"key", b"sealed"]);
    let parts: [&[u8]; 3] = [&share, &1_u64.to_le_bytes(), &9_u64.to_le_bytes()];
    let digest = reference::mac(&digest_key, "rows", &parts);
    assert_eq!(sum.digest(keyring.digest_key(), Lsn(9)), digest);
}

#[test]
#[ignore = "writes the committed files, for a new format: \
            `cargo test --test formats write_all_vectors -- --ignored`"]
fn write_all_vectors() {
    generate::write_all();
}

fn open(vector: &Vector) -> Result<Arc<Keyring>, CryptoError> {
    let keystore = Keystore::decode(&vector.bytes("keystore"))?;
    let unlock = if vector.has("passphrase") {
        Unlock::Passphrase(SecretBytes::new(vector.bytes("passphrase")))
    } else {
        Unlock::KeyFile(SecretBytes::new(vector.bytes("key_file")))
    };
    keystore.unlock(&unlock).map(Arc::new)
}

fn open_row(keyring: &Keyring, vector: &Vector) -> Result<Vec<u8>, CryptoError> {
    let tree = Tree::from_number(u8::try_from(vector.number("tree")).unwrap()).unwrap();
    keyring
        .open_row(tree, &vector.bytes("row_key"), &vector.bytes("row"))
        .map(|plain| plain.to_vec())
}

/// Unwraps the data key, then opens the value: a wrap that fails fails the vector.
fn open_value(keyring: &Keyring, vector: &Vector) -> Result<Vec<u8>, CryptoError> {
    let id = RecordId(vector.bytes("id").try_into().unwrap());
    let seq = Seq(vector.number("seq").into());
    let version = VersionId::parse(vector.text("version")).unwrap();
    let key = keyring.unwrap_value_key(id, seq, &version, &vector.bytes("wrap"))?;
    let kind = match vector.text("kind") {
        "string" => PayloadKind::String,
        _ => PayloadKind::Binary,
    };
    let value = keyring.open_value(kind, &key, &vector.bytes("sealed"))?;
    assert!(value.kind() == kind);
    Ok(value.bytes().expose().to_vec())
}
