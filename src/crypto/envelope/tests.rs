#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::crypto::testing::{self, NoEntropy, Stream};
use crate::model::{RecordId, Seq, VersionId};

const ID: RecordId = RecordId([1; 16]);
const SEQ: Seq = Seq(1);

fn version() -> VersionId {
    VersionId::parse("0123456789abcdef0123456789abcdef").unwrap()
}

fn rule(error: Option<CryptoError>) -> &'static str {
    match error {
        Some(CryptoError::Damaged { rule }) => rule,
        other => panic!("not damaged: {other:?}"),
    }
}

fn roundtrip(keyring: &Keyring, value: &SecretValue, entropy: &Stream) -> usize {
    let sealed = keyring.seal_value(value, entropy).unwrap();
    let opened = keyring.open_value(value.kind(), &sealed.key, &sealed.sealed).unwrap();
    assert!(opened.bytes() == value.bytes());
    assert_eq!(opened.kind(), value.kind());
    assert_eq!(SealedValue::shape_of(&sealed.sealed), Some(sealed.shape));
    assert_eq!(sealed.shape.sealed_bytes as usize, sealed.sealed.len());
    assert!(sealed.sealed.ends_with(&sealed.shape.tag));
    assert_eq!(usize::from(sealed.shape.chunks), sealed.sealed.chunks(CHUNK_BYTES).count());
    sealed.sealed.len()
}

#[test]
fn values_of_every_size_class_read_back() {
    let (_, keyring, _, entropy) = testing::vault(1);
    for len in [0, 1, 251, 252, 253, 4000, 65_535, VALUE_BYTES_MAX] {
        let value = SecretValue::binary(vec![0xa5; len]);
        let sealed = roundtrip(&keyring, &value, &entropy);
        assert_eq!(sealed, padded_len(len) + OVERHEAD_BYTES);
    }
    roundtrip(&keyring, &SecretValue::text("p\u{e4}ssword"), &entropy);
    let long = keyring.seal_value(&SecretValue::binary(vec![0; VALUE_BYTES_MAX + 1]), &entropy);
    assert_eq!(long.err(), Some(CryptoError::TooLong));
}

/// Goal: padding hides the length and adds little. Method: every length that a value may have.
#[test]
fn padding_hides_lengths_at_a_bounded_cost() {
    let mut classes = Vec::new();
    for len in 0..=VALUE_BYTES_MAX {
        let padded = padded_len(len);
        assert!(padded >= len + LENGTH_BYTES && padded >= PADDED_BYTES_MIN);
        if len + LENGTH_BYTES > PADDED_BYTES_MIN {
            assert!(padded * 100 <= (len + LENGTH_BYTES) * 112, "{len} grows to {padded}");
        }
        assert!(classes.last().is_none_or(|last| *last <= padded), "padding is monotone");
        if classes.last() != Some(&padded) {
            classes.push(padded);
        }
    }
    assert!(classes.len() < 250, "{} lengths can be told apart", classes.len());
    assert_eq!(classes.first(), Some(&256));
    assert_eq!(classes.last(), Some(&67_584));
}

#[test]
fn a_value_is_bound_to_kind_vault_key_and_length() {
    let (_, keyring, _, entropy) = testing::vault(1);
    let one = keyring.seal_value(&SecretValue::text("one"), &entropy).unwrap();
    let two = keyring.seal_value(&SecretValue::text("two"), &entropy).unwrap();
    let open = |kind, key, sealed: &[u8]| rule(keyring.open_value(kind, key, sealed).err());
    assert_eq!(open(PayloadKind::Binary, &one.key, &one.sealed), "ENV-2");
    assert_eq!(open(PayloadKind::String, &two.key, &one.sealed), "ENV-2");
    assert_eq!(open(PayloadKind::String, &one.key, &one.sealed[..295]), "ENV-1");
    assert_eq!(open(PayloadKind::String, &one.key, &[&one.sealed[..], &[0]].concat()), "ENV-2");
    assert_eq!(open(PayloadKind::String, &one.key, &vec![0; 67_584 + 41]), "ENV-1");
    assert_eq!(open(PayloadKind::String, &one.key, &[]), "ENV-1");

    let entropy = Stream::new(9);
    let vault = crate::crypto::VaultId([9; 16]);
    let unlock = testing::key_file_of(vault, &entropy);
    let cost = crate::crypto::KdfParams::fast_for_tests();
    let (_, other) = crate::crypto::Keystore::create(vault, &unlock, cost, &entropy).unwrap();
    let moved = other.open_value(PayloadKind::String, &one.key, &one.sealed);
    assert_eq!(rule(moved.err()), "ENV-2");
}

#[test]
fn every_flipped_bit_of_a_value_is_refused() {
    let (_, keyring, _, entropy) = testing::vault(1);
    let sealed = keyring.seal_value(&SecretValue::text("one"), &entropy).unwrap();
    for bit in 0..sealed.sealed.len() * 8 {
        let mut flipped = sealed.sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let opened = keyring.open_value(PayloadKind::String, &sealed.key, &flipped);
        assert_eq!(rule(opened.err()), "ENV-2", "bit {bit}");
    }
}

/// Seals padded plaintext that no writer produces. Everything else is valid.
fn open_padded(keyring: &Keyring, kind: PayloadKind, padded: &[u8]) -> &'static str {
    let entropy = Stream::new(5);
    let key = ValueKey::generate(&[0; 32], &entropy).unwrap();
    let aad = keyring.value_aad(kind, padded.len()).unwrap();
    let sealed = SealKey::new(key.data_key())
        .seal(&[], &aad, padded.len(), &entropy, |body| body.copy_from_slice(padded))
        .unwrap();
    rule(keyring.open_value(kind, &key, &sealed).err())
}

#[test]
fn only_canonical_padding_opens() {
    let (_, keyring, ..) = testing::vault(1);
    let padded = |len: usize, length: u32| {
        let mut bytes = vec![0; len];
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    let check = |kind, padded: &[u8]| open_padded(&keyring, kind, padded);
    assert_eq!(check(PayloadKind::Binary, &padded(256, 253)), "ENV-3", "needs the next class");
    assert_eq!(check(PayloadKind::Binary, &padded(272, 252)), "ENV-3", "fits the class below");
    assert_eq!(check(PayloadKind::Binary, &padded(257, 252)), "ENV-3", "is no class at all");
    assert_eq!(check(PayloadKind::Binary, &padded(256, u32::MAX)), "ENV-3");
    assert_eq!(check(PayloadKind::Binary, &padded(67_584, 65_537)), "ENV-3");
    let mut dirty = padded(256, 3);
    dirty[255] = 1;
    assert_eq!(check(PayloadKind::Binary, &dirty), "ENV-4");
    let mut latin1 = padded(256, 3);
    latin1[4] = 0xe4;
    assert_eq!(check(PayloadKind::String, &latin1), "ENV-5");
}

#[test]
fn equal_payloads_are_recognized_and_others_are_not() {
    let (keystore, keyring, unlock, entropy) = testing::vault(1);
    let key = |keyring: &Keyring, value| keyring.seal_value(&value, &entropy).unwrap().key;
    let one = key(&keyring, SecretValue::text("one"));
    let reopened = keystore.unlock(&unlock).unwrap();
    assert!(Keyring::same_payload(&one, &key(&reopened, SecretValue::text("one"))));
    assert!(!Keyring::same_payload(&one, &key(&keyring, SecretValue::text("two"))));
    assert!(!Keyring::same_payload(&one, &key(&keyring, SecretValue::binary("one"))));
    let (_, other, ..) = testing::vault(2);
    assert!(!Keyring::same_payload(&one, &key(&other, SecretValue::text("one"))));
}

#[test]
fn a_wrap_opens_for_its_version_only() {
    let (_, keyring, _, entropy) = testing::vault(1);
    let key = keyring.seal_value(&SecretValue::text("one"), &entropy).unwrap().key;
    let row = keyring.wrap_value_key(ID, SEQ, &version(), &key, &entropy).unwrap();
    assert_eq!(row.len(), 109);
    assert_eq!(Keyring::wrap_term(&row), Some(1));
    let back = keyring.unwrap_value_key(ID, SEQ, &version(), &row).unwrap();
    assert!(Keyring::same_payload(&key, &back));
    assert_eq!(back.data_key(), key.data_key());

    let other = VersionId::parse("0123456789abcdef0123456789abcdeX").unwrap();
    let unwrap = |id, seq, version: &VersionId, row: &[u8]| {
        rule(keyring.unwrap_value_key(id, seq, version, row).err())
    };
    assert_eq!(unwrap(RecordId([2; 16]), SEQ, &version(), &row), "ENV-8");
    assert_eq!(unwrap(ID, Seq(2), &version(), &row), "ENV-8");
    assert_eq!(unwrap(ID, SEQ, &other, &row), "ENV-8");
    assert_eq!(unwrap(ID, SEQ, &version(), &row[..108]), "ENV-6");
    assert_eq!(unwrap(ID, SEQ, &version(), &[&row[..], &[0]].concat()), "ENV-6");
    assert_eq!(unwrap(ID, SEQ, &version(), &[]), "ENV-6");
    for at in 5..row.len() {
        let mut flipped = row.clone();
        flipped[at] ^= 0x10;
        assert_eq!(unwrap(ID, SEQ, &version(), &flipped), "ENV-8", "byte {at}");
    }
    assert_eq!(Keyring::wrap_term(&row[..108]), None);
    let wrapped = keyring.wrap_value_key(ID, SEQ, &version(), &key, &NoEntropy);
    assert_eq!(wrapped.err(), Some(CryptoError::Entropy));
}

/// I10: old wraps open during the rotation, and never after it.
#[test]
fn a_dropped_epoch_takes_its_wraps_with_it() {
    let (keystore, keyring, unlock, entropy) = testing::vault(1);
    let sealed = keyring.seal_value(&SecretValue::text("one"), &entropy).unwrap();
    let old = keyring.wrap_value_key(ID, SEQ, &version(), &sealed.key, &entropy).unwrap();

    let (keystore, keyring) = keyring.begin_epoch(&keystore, &entropy).unwrap();
    assert_eq!((keyring.oldest_epoch(), keyring.epoch()), (1, 2));
    let key = keyring.unwrap_value_key(ID, SEQ, &version(), &old).unwrap();
    let new = keyring.wrap_value_key(ID, SEQ, &version(), &key, &entropy).unwrap();
    assert_eq!((Keyring::wrap_term(&old), Keyring::wrap_term(&new)), (Some(1), Some(2)));

    let mut relabelled = old.clone();
    relabelled[1..5].copy_from_slice(&2_u32.to_le_bytes());
    let moved = keyring.unwrap_value_key(ID, SEQ, &version(), &relabelled);
    assert_eq!(rule(moved.err()), "ENV-8", "a wrap moved to another term");

    let (keystore, keyring) = keyring.drop_old_epochs(&keystore, &entropy).unwrap();
    for keyring in [keyring, keystore.unlock(&unlock).unwrap()] {
        assert_eq!((keyring.oldest_epoch(), keyring.epoch()), (2, 2));
        let gone = keyring.unwrap_value_key(ID, SEQ, &version(), &old);
        assert_eq!(rule(gone.err()), "ENV-7");
        let key = keyring.unwrap_value_key(ID, SEQ, &version(), &new).unwrap();
        let value = keyring.open_value(PayloadKind::String, &key, &sealed.sealed).unwrap();
        assert!(value.bytes().expose() == b"one");
    }
}
