#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::crypto::testing::{self, NoEntropy, Stream, VAULT, key_file_of, passphrase};
use crate::model::Tree;
use crate::secret::SecretBytes;

const COST: KdfParams = KdfParams::fast_for_tests();
const WRONG: Option<CryptoError> = Some(CryptoError::WrongKey);

fn same_keys(one: &Keyring, two: &Keyring) -> bool {
    one.vault_id() == two.vault_id()
        && one.generation() == two.generation()
        && one.names().mac("d", &[]) == two.names().mac("d", &[])
        && one.log().mac("d", &[]) == two.log().mac("d", &[])
        && one.digest_key().mac("d", &[]) == two.digest_key().mac("d", &[])
        && one
            .seal_row(Tree::Meta, b"k", b"row".to_vec(), &Stream::new(1))
            .and_then(|row| two.open_row(Tree::Meta, b"k", &row))
            .is_ok()
}

#[test]
fn what_creation_returns_is_what_unlocking_gives() {
    let (keystore, keyring, unlock, _) = testing::vault(1);
    let bytes = keystore.encode();
    assert_eq!(bytes.len(), Keystore::BYTES);
    let read = Keystore::decode(&bytes).unwrap();
    assert!(read == keystore);
    assert_eq!((read.vault_id(), read.generation()), (VAULT, 1));
    assert_eq!(read.slots(), [SlotKind::KeyFile]);
    assert!(same_keys(&read.unlock(&unlock).unwrap(), &keyring));
}

#[test]
fn a_passphrase_slot_opens_with_its_exact_bytes() {
    let entropy = Stream::new(1);
    let right = passphrase("correct horse");
    let (keystore, keyring) = Keystore::create(VAULT, &right, COST, &entropy).unwrap();
    let keystore = Keystore::decode(&keystore.encode()).unwrap();
    assert_eq!(keystore.slots(), [SlotKind::Passphrase]);
    assert!(same_keys(&keystore.unlock(&right).unwrap(), &keyring));
    assert_eq!(keystore.unlock(&passphrase("correct horse ")).err(), WRONG);
    assert_eq!(keystore.unlock(&passphrase("")).err(), Some(CryptoError::EmptyPassphrase));
    assert_eq!(keystore.unlock(&key_file_of(VAULT, &entropy)).err(), WRONG);
}

#[test]
fn nothing_is_created_from_an_unusable_key() {
    let entropy = Stream::new(1);
    let create = |unlock: &Unlock, cost| Keystore::create(VAULT, unlock, cost, &entropy).err();
    let weak = KdfParams { passes: 1, ..COST };
    let huge = KdfParams { memory_kib: u32::MAX, ..COST };
    assert_eq!(create(&passphrase(""), COST), Some(CryptoError::EmptyPassphrase));
    assert_eq!(create(&passphrase("p"), weak), Some(CryptoError::WeakKdf));
    assert_eq!(create(&passphrase("p"), huge), Some(CryptoError::KdfOutOfRange));
    let text = Unlock::KeyFile(SecretBytes::copy_from(b"not a key file"));
    assert_eq!(create(&text, COST), Some(CryptoError::DamagedKeyFile));
    let left_over = key_file_of(VaultId([0; 16]), &entropy);
    assert_eq!(create(&left_over, COST), None);
    let (_, _, unlock, _) = testing::vault(1);
    let dry = Keystore::create(VAULT, &unlock, COST, &NoEntropy);
    assert_eq!(dry.err(), Some(CryptoError::Entropy));
}

#[test]
fn another_key_file_of_the_same_vault_is_the_wrong_key() {
    let (keystore, _, _, entropy) = testing::vault(1);
    assert_eq!(keystore.unlock(&key_file_of(VAULT, &entropy)).err(), WRONG);
}

/// Goal: every byte of the body is authenticated. Method: flip one bit in each; nothing may unlock.
#[test]
fn every_byte_of_the_keystore_counts() {
    let (keystore, _, unlock, _) = testing::vault(1);
    let bytes = keystore.encode();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let opened = Keystore::decode(&flipped).and_then(|keystore| keystore.unlock(&unlock));
        assert!(opened.is_err(), "byte {at}");
    }
}

#[test]
fn every_other_length_is_damaged() {
    let bytes = testing::vault(1).0.encode();
    for len in (0..bytes.len()).step_by(61).chain([8, 12, 64, 8191]) {
        let error = Keystore::decode(&bytes[..len]).err();
        assert_eq!(error, Some(CryptoError::Damaged { rule: "KEY-1" }), "length {len}");
    }
    let longer = Keystore::decode(&[&bytes[..], &[0]].concat()).err();
    assert_eq!(longer, Some(CryptoError::Damaged { rule: "KEY-1" }));
}

#[test]
fn changing_the_passphrase_leaves_the_other_slot_and_all_keys() {
    let (keystore, keyring, file, entropy) = testing::vault(1);
    let (old, new) = (passphrase("old"), passphrase("new"));
    let (keystore, keyring) = keyring.change_slot(&keystore, &old, COST, &entropy).unwrap();
    let before = keystore.clone();
    let (keystore, keyring) = keyring.change_slot(&keystore, &new, COST, &entropy).unwrap();
    assert_eq!(keystore.generation(), 3);
    assert_eq!(keystore.slots(), [SlotKind::KeyFile, SlotKind::Passphrase]);
    let keystore = Keystore::decode(&keystore.encode()).unwrap();
    assert!(same_keys(&keystore.unlock(&file).unwrap(), &keyring));
    assert!(same_keys(&keystore.unlock(&new).unwrap(), &keyring));
    assert_eq!(keystore.unlock(&old).err(), WRONG);
    assert!(keystore.keys == before.keys, "a change of passphrase rewrites one slot");

    let stale = keyring.begin_epoch(&before, &entropy);
    assert_eq!(stale.err(), WRONG, "a keyring changes the keystore that it came from");
}

#[test]
fn slots_cannot_trade_places_and_old_ones_cannot_return() {
    let (keystore, keyring, file, entropy) = testing::vault(1);
    let word = passphrase("word");
    let (first, keyring) = keyring.change_slot(&keystore, &word, COST, &entropy).unwrap();
    let mut swapped = first.clone();
    swapped.slots.swap(0, 1);
    assert_eq!(swapped.unlock(&file).err(), WRONG);
    assert_eq!(swapped.unlock(&word).err(), WRONG);

    let new = passphrase("new word");
    let (second, _) = keyring.change_slot(&first, &new, COST, &entropy).unwrap();
    let mut returned = second.clone();
    returned.slots[1].clone_from(&first.slots[1]);
    assert_eq!(returned.unlock(&word).err(), WRONG, "the slot opens, the MAC does not fit");
    let mut added = second;
    added.slots[2].clone_from(&first.slots[1]);
    assert_eq!(added.unlock(&word).err(), WRONG);
}

/// Goal: the MAC is not the only protection against a moved box. Method: move boxes and compute the MAC
/// again with the right master key, as a faulty writer would.
#[test]
fn boxes_are_bound_to_their_place_even_under_a_right_mac() {
    let (keystore, keyring, file, entropy) = testing::vault(1);
    let word = passphrase("word");
    let (keystore, _) = keyring.change_slot(&keystore, &word, COST, &entropy).unwrap();
    let place = keystore.position(0);
    let slot = keystore.slots[0].clone().unwrap();
    let master = Master::new(VAULT, slot.unwrap(place, &file).unwrap().unwrap());
    let check = |change: &dyn Fn(&mut Keystore)| {
        let mut changed = keystore.clone();
        change(&mut changed);
        changed.authenticate(&master);
        assert!(changed.is_authentic(&master));
        changed.unlock(&file).err()
    };
    assert_eq!(check(&|_| ()), None);
    assert_eq!(check(&|keystore| keystore.slots.swap(0, 2)), WRONG, "slot number");
    assert_eq!(check(&|keystore| keystore.master_term = 2), WRONG, "master term");
    assert_eq!(check(&|keystore| keystore.keys[6].term = 2), WRONG, "key term");
    assert_eq!(check(&|keystore| keystore.keys[0].kind = KeyKind::Row), WRONG, "key kind");
    let swap_boxes = |keystore: &mut Keystore| {
        let first = keystore.keys[0].boxed;
        keystore.keys[0].boxed = keystore.keys[1].boxed;
        keystore.keys[1].boxed = first;
    };
    assert_eq!(check(&swap_boxes), WRONG, "boxes of two kinds");
}

#[test]
fn a_box_without_its_commitment_is_not_looked_at() {
    let (keystore, _, file, _) = testing::vault(1);
    let mut slot = keystore.slots[0].clone().unwrap();
    slot.commitment[31] ^= 1;
    assert!(slot.unwrap(keystore.position(0), &file).unwrap().is_none());
}

#[test]
fn several_slots_of_a_kind_are_all_tried_and_none_is_guessed() {
    let (keystore, keyring, file, entropy) = testing::vault(1);
    let second = key_file_of(VAULT, &entropy);
    let master = {
        let slot = keystore.slots[0].clone().unwrap();
        Master::new(VAULT, slot.unwrap(keystore.position(0), &file).unwrap().unwrap())
    };
    let mut two = keystore.clone();
    let slot = Slot::wrap(two.position(5), &second, COST, master.key(), &entropy).unwrap();
    two.slots[5] = Some(slot);
    two.authenticate(&master);
    let two = Keystore::decode(&two.encode()).unwrap();
    assert!(same_keys(&two.unlock(&second).unwrap(), &keyring));
    assert!(same_keys(&two.unlock(&file).unwrap(), &keyring));
    let change = keyring.change_slot(&two, &second, COST, &entropy);
    assert_eq!(change.err(), Some(CryptoError::TooManySlots));
}

#[test]
fn epochs_fill_the_keystore_and_dropping_them_makes_room() {
    let (mut keystore, mut keyring, unlock, entropy) = testing::vault(1);
    for epoch in 2..=58 {
        (keystore, keyring) = keyring.begin_epoch(&keystore, &entropy).unwrap();
        assert_eq!((keyring.oldest_epoch(), keyring.epoch()), (1, epoch));
    }
    assert_eq!(keystore.keys.len(), KEYS);
    let full = keyring.begin_epoch(&keystore, &entropy);
    assert_eq!(full.err(), Some(CryptoError::TooManyKeys));
    let old = keystore.encode();
    let read = Keystore::decode(&old).unwrap();
    assert!(same_keys(&read.unlock(&unlock).unwrap(), &keyring));

    (keystore, keyring) = keyring.drop_old_epochs(&keystore, &entropy).unwrap();
    assert_eq!((keyring.oldest_epoch(), keyring.epoch()), (58, 58));
    let bytes = keystore.encode();
    assert!(bytes[1344 + 7 * 80..8160].iter().all(|byte| *byte == 0), "old boxes are gone");
    let (_, next) = keyring.begin_epoch(&keystore, &entropy).unwrap();
    assert_eq!(next.epoch(), 59, "terms are never reused");
}
