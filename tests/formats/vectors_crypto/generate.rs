//! Makes the committed vectors: a right one first, then each with one thing wrong.

use super::file::Vector;
use super::reference::{KEYS_AT, MAC_AT, Place, SLOT_BYTES, SLOTS_AT, Stream, Vault, mac};
use std::sync::atomic::AtomicU64;
use strongroom::__internals::crypto::{KdfParams, Keystore, Unlock, VaultId, key_file};
use strongroom::__internals::secret::SecretBytes;

const VAULT: VaultId =
    VaultId(*b"\x8b\x0c\x0f\x6e\x52\xa7\x4d\x3c\x9a\x55\x0d\x6f\x4f\x9f\x8f\x11");
const STRANGER: [u8; 16] = [0x99; 16];
const COST: KdfParams = KdfParams::fast_for_tests();
const PASSPHRASE: &[u8] = b"correct horse battery staple";
const PLACE: Place = Place { id: [0x11; 16], seq: 7, version: VERSION };
const VERSION: &[u8] = b"a2f6b3c1-0d4e-4f5a-8b6c-7d8e9f0a1b2c";

fn set(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

fn flip(bytes: &[u8], at: usize) -> Vec<u8> {
    set(bytes, at, &[bytes[at] ^ 0x01])
}

fn swap(bytes: &[u8], a: usize, b: usize, len: usize) -> Vec<u8> {
    let mut swapped = bytes.to_vec();
    swapped[a..a + len].copy_from_slice(&bytes[b..b + len]);
    swapped[b..b + len].copy_from_slice(&bytes[a..a + len]);
    swapped
}

struct Base {
    /// A key-file slot (number 0) and a passphrase slot (number 1); one key of each kind.
    keystore: Vec<u8>,
    /// The same before its passphrase was changed.
    older: Vec<u8>,
    /// The same in the middle of an epoch rotation, and after it.
    rotating: Vec<u8>,
    rotated: Vec<u8>,
    key_file: Vec<u8>,
    other_key_file: Vec<u8>,
}

fn base() -> Base {
    let entropy = Stream(AtomicU64::new(0));
    let key_file = key_file::generate(VAULT, &entropy).unwrap();
    let key_text = key_file.expose().to_vec();
    let other = key_file::generate(VAULT, &entropy).unwrap().expose().to_vec();
    let passphrase = |text: &[u8]| Unlock::Passphrase(SecretBytes::copy_from(text));
    let (keystore, keyring) =
        Keystore::create(VAULT, &Unlock::KeyFile(key_file), COST, &entropy).unwrap();
    let old = passphrase(b"an older passphrase");
    let (older, keyring) = keyring.change_slot(&keystore, &old, COST, &entropy).unwrap();
    let (keystore, keyring) =
        keyring.change_slot(&older, &passphrase(PASSPHRASE), COST, &entropy).unwrap();
    let (rotating, keyring) = keyring.begin_epoch(&keystore, &entropy).unwrap();
    let (rotated, _) = keyring.drop_old_epochs(&rotating, &entropy).unwrap();
    Base {
        keystore: keystore.encode(),
        older: older.encode(),
        rotating: rotating.encode(),
        rotated: rotated.encode(),
        key_file: key_text,
        other_key_file: other,
    }
}

fn with_keystore(vector: Vector, keystore: &[u8]) -> Vector {
    let slots = (0..8).map(|slot| SLOTS_AT + slot * SLOT_BYTES);
    let keys = (0..10).map(|key| KEYS_AT + key * 80);
    let cuts: Vec<usize> = slots.chain(keys).chain([MAC_AT]).collect();
    vector.with_bytes("keystore", keystore, &cuts)
}

pub(crate) fn write_all() {
    let base = base();
    write_keystores(&base);
    write_unlocks(&base);
    write_crafted_keystores(&base);
    write_envelopes(&base);
}

fn write_keystores(base: &Base) {
    let write = |name: &str, expect: &str, rule: &str, comment: &str, keystore: &[u8]| {
        let vector = Vector::new(name, expect, rule, comment);
        with_keystore(vector.with_bytes("key_file", &base.key_file, &[]), keystore)
            .write("keystore");
    };
    let right = &base.keystore;
    let damaged = |name: &str, rule: &str, comment: &str, keystore: &[u8]| {
        write(name, "failure damaged", rule, comment, keystore);
    };
    damaged("length_one_short", "KEY-1", "the last byte is missing", &right[..8191]);
    damaged("length_one_more", "KEY-1", "a zero follows", &[right, &[0][..]].concat());
    damaged("length_none", "KEY-1", "nothing at all", &[]);
    damaged("magic", "KEY-1", "one letter of the magic", &set(right, 3, b"K"));
    damaged("format_zero", "KEY-2", "format 0 never was", &set(right, 8, &[0]));
    let newer = set(right, 8, &[2]);
    write("format_newer", "failure newer_format 2", "KEY-2", "format 2", &newer);
    let newer = [&newer[..], &[1; 100]].concat();
    let comment = "format 2, which may have another length";
    write("format_newer_longer", "failure newer_format 2", "KEY-2", comment, &newer);
    damaged("zeros_header", "KEY-3", "in the header", &set(right, 63, &[1]));
    damaged("zeros_slot_kind", "KEY-3", "after a slot's kind", &set(right, 65, &[1]));
    damaged("zeros_slot_end", "KEY-3", "at a slot's end", &set(right, 64 + 159, &[1]));
    damaged(
        "zeros_slot_unused",
        "KEY-3",
        "in an unused slot",
        &set(right, 64 + 2 * 160 + 80, &[1]),
    );
    damaged("zeros_key", "KEY-3", "after a key's kind", &set(right, KEYS_AT + 2, &[1]));
    damaged("zeros_key_unused", "KEY-3", "in an unused key", &set(right, KEYS_AT + 7 * 80, &[7]));
    damaged("zeros_before_mac", "KEY-3", "right before the MAC", &set(right, MAC_AT - 1, &[1]));
    damaged("generation_zero", "KEY-4", "generations count from 1", &set(right, 28, &[0; 8]));
    damaged("master_term_zero", "KEY-4", "terms count from 1", &set(right, 36, &[0; 4]));
    damaged("slot_kind", "KEY-5", "kind 3 is not known", &set(right, 64, &[3]));
    damaged("slots_none", "KEY-5", "no slot: nothing opens it", &set(right, 64, &[0; 320]));
    damaged("key_file_cost", "KEY-6", "a key-file slot with passes", &set(right, 64 + 8, &[1]));
    let cost = |at: usize, value: u32| set(right, 64 + 160 + at, &value.to_le_bytes());
    for (name, at, value) in [("memory", 4, 19 * 1024 - 1), ("passes", 8, 1), ("lanes", 12, 0)] {
        let name = format!("kdf_below_floor_{name}");
        write(&name, "failure weak_kdf", "KEY-6", "one below the floor", &cost(at, value));
    }
    for (name, at, value) in
        [("memory", 4, 2 * 1024 * 1024 + 1), ("passes", 8, 17), ("lanes", 12, 9)]
    {
        let name = format!("kdf_above_ceiling_{name}");
        let comment = "one above the ceiling";
        write(&name, "failure kdf_out_of_range", "KEY-6", comment, &cost(at, value));
    }
    damaged("keys_too_many", "KEY-7", "65 keys", &set(right, 40, &[65]));
    damaged("keys_counted_less", "KEY-3", "6 keys and bytes after them", &set(right, 40, &[6]));
    damaged("keys_counted_more", "KEY-7", "8 keys, the last one zeros", &set(right, 40, &[8]));
    damaged("key_kind", "KEY-7", "kind 8 is not known", &set(right, KEYS_AT + 6 * 80, &[8]));
    damaged("key_term_zero", "KEY-7", "term 0", &set(right, KEYS_AT + 4, &[0; 4]));
    let swapped = swap(right, KEYS_AT, KEYS_AT + 80, 80);
    damaged("keys_out_of_order", "KEY-7", "kinds 2, 1", &swapped);
    damaged("key_twice", "KEY-7", "kind 1 of term 1 twice", &set(right, KEYS_AT + 80, &[1]));
    let comment = "kind 2 of terms 1 and 2, no kind 3";
    damaged("key_missing", "KEY-7", comment, &set(right, KEYS_AT + 160, &[2, 0, 0, 0, 2]));

    let wrong = |name: &str, rule: &str, comment: &str, keystore: &[u8]| {
        write(name, "failure wrong_key", rule, comment, keystore);
    };
    wrong("flip_generation", "KEY-9", "a bit of the generation", &flip(right, 29));
    wrong("flip_master_term", "KEY-8", "a bit of the master term", &flip(right, 37));
    wrong("flip_slot_salt", "KEY-8", "a bit of the salt", &flip(right, 64 + 16));
    wrong("flip_slot_commitment", "KEY-8", "a bit of the commitment", &flip(right, 64 + 48));
    wrong("flip_slot_nonce", "KEY-8", "a bit of the slot's nonce", &flip(right, 64 + 80));
    wrong("flip_slot_box", "KEY-8", "a bit of the master's ciphertext", &flip(right, 64 + 104));
    wrong("flip_slot_tag", "KEY-8", "a bit of the slot's tag", &flip(right, 64 + 136));
    wrong("flip_other_slot", "KEY-9", "a bit of another slot's salt", &flip(right, 64 + 160 + 16));
    let comment = "another slot's cost, still legal";
    wrong("flip_other_slot_cost", "KEY-9", comment, &set(right, 64 + 160 + 8, &[3]));
    wrong("flip_key_term", "KEY-9", "epoch 1 says that it is 2", &set(right, KEYS_AT + 484, &[2]));
    wrong("flip_key_nonce", "KEY-9", "a bit of a key's nonce", &flip(right, KEYS_AT + 8));
    wrong("flip_key_box", "KEY-9", "a bit of a key's ciphertext", &flip(right, KEYS_AT + 32));
    wrong("flip_key_tag", "KEY-9", "a bit of a key's tag", &flip(right, KEYS_AT + 64));
    wrong("flip_mac", "KEY-9", "a bit of the MAC", &flip(right, MAC_AT));
    wrong("slots_swapped", "KEY-8", "slots 0 and 1 swapped", &swap(right, 64, 224, 160));
    wrong("slot_moved", "KEY-8", "slot 0 stands at 2", &swap(right, 64, 64 + 320, 160));
    wrong("slot_removed", "KEY-9", "slot 1 removed", &set(right, 224, &[0; 160]));
    let comment = "the whole slot of an older passphrase, in its place";
    wrong("slot_of_before", "KEY-9", comment, &set(right, 224, &base.older[224..384]));
    let comment = "the key of a dropped epoch put back";
    let mut returned = base.rotated.clone();
    returned[40] = 8;
    returned.copy_within(KEYS_AT + 480..KEYS_AT + 560, KEYS_AT + 560);
    returned[KEYS_AT + 480..KEYS_AT + 560].copy_from_slice(&right[KEYS_AT + 480..KEYS_AT + 560]);
    wrong("epoch_of_before", "KEY-9", comment, &returned);
}

fn write_unlocks(base: &Base) {
    let vector = |name: &str, expect: &str, rule: &str, comment: &str| {
        Vector::new(name, expect, rule, comment)
    };
    let right = &base.keystore;
    let vault = Vault::unlock(right, &base.key_file);
    let names = mac(&vault.key(1, 1), "vector", &[]);
    let success = |name: &str, comment: &str, keystore: &[u8], epoch: &str| {
        let vector = vector(name, "success", "KEY-8", comment)
            .with_text("generation", &keystore[28].to_string())
            .with_text("epoch", epoch)
            .with_bytes("vault", &VAULT.0, &[])
            .with_bytes("names_mac", &names, &[]);
        with_keystore(vector, keystore)
    };
    let file = &base.key_file;
    success("ok_key_file", "slot 0", right, "1")
        .with_bytes("key_file", file, &[])
        .write("keystore");
    success("ok_passphrase", "slot 1", right, "1")
        .with_bytes("passphrase", PASSPHRASE, &[])
        .write("keystore");
    success("ok_rotating", "epochs 1 and 2", &base.rotating, "2")
        .with_bytes("key_file", file, &[])
        .write("keystore");
    success("ok_rotated", "epoch 2 alone", &base.rotated, "2")
        .with_bytes("key_file", file, &[])
        .write("keystore");

    let file_case = |name: &str, expect: &str, rule: &str, comment: &str, text: &[u8]| {
        let vector = vector(name, expect, rule, comment).with_bytes("key_file", text, &[]);
        with_keystore(vector, right).write("keystore");
    };
    let other = &base.other_key_file;
    file_case("key_file_wrong", "failure wrong_key", "KEY-8", "another key of this vault", other);
    let damaged = |name: &str, comment: &str, text: &[u8]| {
        file_case(name, "failure damaged_key_file", "KEY-11", comment, text);
    };
    damaged("key_file_cut", "the last digit is missing", &file[..file.len() - 2]);
    damaged("key_file_longer", "a third line follows", &[&file[..], b"#"].concat());
    let digit = if file[80] == b'a' { b"b" } else { b"a" };
    damaged("key_file_typo", "one digit of the key", &set(file, 80, digit));
    damaged("key_file_raw", "32 bytes without text", &[0x42; 32]);
    let at = 69 + file[69..].iter().position(u8::is_ascii_lowercase).unwrap();
    damaged("key_file_upper_case", "one digit in upper case", &set(file, at, &[file[at] - 32]));
    let newer = set(file, 23, b"2");
    file_case("key_file_newer", "failure newer_format 2", "KEY-11", "key file v2", &newer);
    let entropy = Stream(AtomicU64::new(1 << 32));
    let stranger = key_file::generate(VaultId(STRANGER), &entropy).unwrap();
    let comment = "a key file of another vault";
    let stranger = stranger.expose();
    file_case("key_file_other_vault", "failure wrong_key", "KEY-11", comment, stranger);

    let word_case = |name: &str, expect: &str, comment: &str, keystore: &[u8], word: &[u8]| {
        let vector = vector(name, expect, "KEY-8", comment).with_bytes("passphrase", word, &[]);
        with_keystore(vector, keystore).write("keystore");
    };
    let newline = [PASSPHRASE, b"\n"].concat();
    word_case("passphrase_wrong", "failure wrong_key", "a newline more", right, &newline);
    word_case(
        "passphrase_old",
        "failure wrong_key",
        "before the change",
        right,
        b"an older passphrase",
    );
    word_case("passphrase_empty", "failure empty_passphrase", "no byte at all", right, b"");
    let moved = flip(right, 12);
    word_case("flip_vault", "failure wrong_key", "a bit of the vault id", &moved, PASSPHRASE);
    let cost = set(right, 224 + 8, &[3]);
    word_case("flip_slot_cost", "failure wrong_key", "three passes for two", &cost, PASSPHRASE);
}

/// Everything here carries a right MAC: only the box in question is out of its place.
fn write_crafted_keystores(base: &Base) {
    let vault = Vault::unlock(&base.keystore, &base.key_file);
    let write = |name: &str, rule: &str, comment: &str, mut keystore: Vec<u8>| {
        vault.authenticate(&mut keystore);
        let vector = Vector::new(name, "failure wrong_key", rule, comment);
        with_keystore(vector.with_bytes("key_file", &base.key_file, &[]), &keystore)
            .write("keystore");
    };
    let right = &base.keystore;
    write("maced_slots_swapped", "KEY-8", "right MAC, slots swapped", swap(right, 64, 224, 160));
    write("maced_master_term", "KEY-8", "right MAC, master term 2", set(right, 36, &[2]));
    let boxes = swap(right, KEYS_AT + 8, KEYS_AT + 88, 72);
    write("maced_boxes_swapped", "KEY-10", "right MAC, boxes of kinds 1 and 2 swapped", boxes);
    let term = set(right, KEYS_AT + 484, &[2]);
    write("maced_key_term", "KEY-10", "right MAC, epoch 1 says that it is 2", term);
    let tag = flip(right, KEYS_AT + 79);
    write("maced_key_tag", "KEY-10", "right MAC, a bit of a key's tag", tag);
}

fn pad(value: &[u8], padded_bytes: usize) -> Vec<u8> {
    let mut padded = u32::try_from(value.len()).unwrap().to_le_bytes().to_vec();
    padded.extend_from_slice(value);
    padded.resize(padded_bytes, 0);
    padded
}

fn write_envelopes(base: &Base) {
    let mut keystore = base.keystore.clone();
    let mut vault = Vault::unlock(&keystore, &base.key_file);
    vault.add_key(&mut keystore, 2, 2, &[0x22; 32]);
    vault.add_key(&mut keystore, 7, 2, &[0x77; 32]);
    let start = |name: &str, expect: &str, rule: &str, comment: &str| {
        let vector = Vector::new(name, expect, rule, comment);
        let vector = vector.with_bytes("key_file", &base.key_file, &[]);
        with_keystore(vector, &keystore)
    };
    write_rows(&vault, &start);
    write_wraps(&vault, &start);
    write_values(&vault, &start);
}

type Start<'a> = &'a dyn Fn(&str, &str, &str, &str) -> Vector;

fn write_rows(vault: &Vault, start: Start<'_>) {
    let write = |name: &str, expect: &str, rule: &str, comment: &str, tree: u8, row: &[u8]| {
        start(name, expect, rule, comment)
            .with_text("op", "row")
            .with_text("tree", &tree.to_string())
            .with_bytes("row_key", b"row key", &[])
            .with_bytes("row", row, &[])
            .with_bytes("plain", b"a row", &[])
            .write("envelope");
    };
    let row = vault.row(2, 2, b"row key", b"a row");
    write("row_ok", "success", "ROW-4", "under the current term", 2, &row);
    let old = vault.row(1, 2, b"row key", b"a row");
    write("row_ok_older_term", "success", "ROW-4", "under the term before", 2, &old);
    let damaged = |name: &str, rule: &str, comment: &str, tree: u8, row: &[u8]| {
        write(name, "failure damaged", rule, comment, tree, row);
    };
    damaged("row_empty", "ROW-1", "no byte at all", 2, &[]);
    damaged("row_version_zero", "ROW-1", "version 0 never was", 2, &set(&row, 0, &[0]));
    write("row_newer", "failure newer_format 2", "ROW-1", "version 2", 2, &set(&row, 0, &[2]));
    damaged("row_short", "ROW-2", "too short for nonce and tag", 2, &row[..44]);
    damaged("row_term", "ROW-3", "a term that is not in the keystore", 2, &set(&row, 1, &[9]));
    let moved = vault.row(2, 2, b"row kez", b"a row");
    damaged("row_other_key", "ROW-4", "sealed for another row key", 2, &moved);
    let moved = vault.row(2, 2, b"row key\0", b"a row");
    damaged("row_longer_key", "ROW-4", "sealed for a row key one zero longer", 2, &moved);
    damaged("row_other_tree", "ROW-4", "sealed for tree 2, read from tree 3", 3, &row);
    let comment = "sealed under term 1, says 2";
    damaged("row_relabelled_term", "ROW-4", comment, 2, &set(&old, 1, &[2]));
    damaged("row_flip_nonce", "ROW-4", "a bit of the nonce", 2, &flip(&row, 5));
    damaged("row_flip_box", "ROW-4", "a bit of the ciphertext", 2, &flip(&row, 29));
    damaged("row_flip_tag", "ROW-4", "a bit of the tag", 2, &flip(&row, row.len() - 1));
    damaged("row_cut", "ROW-4", "the last byte is missing", 2, &row[..row.len() - 1]);
    damaged("row_longer", "ROW-4", "a zero follows", 2, &[&row[..], &[0]].concat());
    let aad = [b"strongroom/v1/row", &STRANGER[..], &[2, 2, 0, 0, 0], b"row key"];
    let sealed = vault.seal(&vault.key(2, 2), &aad.concat(), b"a row");
    let other = [&[1, 2, 0, 0, 0][..], &sealed].concat();
    damaged("row_other_vault", "ROW-4", "sealed for another vault under the same key", 2, &other);
}

fn version_fields(vector: Vector, place: &Place) -> Vector {
    vector
        .with_text("op", "value")
        .with_bytes("id", &place.id, &[])
        .with_text("seq", &place.seq.to_string())
        .with_text("version", std::str::from_utf8(place.version).unwrap())
}

fn write_wraps(vault: &Vault, start: Start<'_>) {
    let data_key = [0x5a; 32];
    let secret = [data_key, vault.payload_mac(1, b"a value")].concat();
    let sealed = vault.value(&data_key, 1, &pad(b"a value", 256));
    let write = |name: &str, expect: &str, rule: &str, comment: &str, wrap: &[u8]| {
        version_fields(start(name, expect, rule, comment), &PLACE)
            .with_bytes("wrap", wrap, &[])
            .with_text("kind", "string")
            .with_bytes("sealed", &sealed, &[])
            .with_bytes("plain", b"a value", &[])
            .write("envelope");
    };
    let wrap = vault.wrap(2, &PLACE, &secret);
    write("wrap_ok", "success", "ENV-8", "under the current epoch", &wrap);
    let old = vault.wrap(1, &PLACE, &secret);
    write("wrap_ok_older_epoch", "success", "ENV-8", "under the epoch before", &old);
    let damaged = |name: &str, rule: &str, comment: &str, wrap: &[u8]| {
        write(name, "failure damaged", rule, comment, wrap);
    };
    damaged("wrap_empty", "ENV-6", "no byte at all", &[]);
    damaged("wrap_version_zero", "ENV-6", "version 0 never was", &set(&wrap, 0, &[0]));
    write("wrap_newer", "failure newer_format 3", "ENV-6", "version 3", &set(&wrap, 0, &[3]));
    damaged("wrap_short", "ENV-6", "108 bytes", &wrap[..108]);
    damaged("wrap_longer", "ENV-6", "110 bytes", &[&wrap[..], &[0]].concat());
    damaged("wrap_dropped_epoch", "ENV-7", "epoch 3 is not there", &set(&wrap, 1, &[3]));
    let relabelled = set(&old, 1, &[2]);
    damaged("wrap_relabelled_term", "ENV-8", "wrapped under epoch 1, says 2", &relabelled);
    let moved = |place: Place| vault.wrap(2, &place, &secret);
    let other = moved(Place { id: [0x12; 16], ..PLACE });
    damaged("wrap_other_secret", "ENV-8", "wrapped for another secret", &other);
    damaged("wrap_other_seq", "ENV-8", "wrapped for seq 8", &moved(Place { seq: 8, ..PLACE }));
    let version = b"a2f6b3c1-0d4e-4f5a-8b6c-7d8e9f0a1b2d";
    let other = moved(Place { version, ..PLACE });
    damaged("wrap_other_version", "ENV-8", "wrapped for another version id", &other);
    let id = STRANGER;
    let aad =
        [b"strongroom/v1/wrap", &id[..], &PLACE.id, &7_u64.to_le_bytes(), &[2, 0, 0, 0], VERSION];
    let boxed = vault.seal(&vault.key(7, 2), &aad.concat(), &secret);
    let other = [&[1, 2, 0, 0, 0][..], &boxed].concat();
    damaged("wrap_other_vault", "ENV-8", "wrapped for another vault", &other);
    damaged("wrap_flip_nonce", "ENV-8", "a bit of the nonce", &flip(&wrap, 5));
    damaged("wrap_flip_box", "ENV-8", "a bit of the data key's ciphertext", &flip(&wrap, 29));
    damaged("wrap_flip_mac", "ENV-8", "a bit of the payload MAC's ciphertext", &flip(&wrap, 61));
    damaged("wrap_flip_tag", "ENV-8", "a bit of the tag", &flip(&wrap, 108));
    let comment = "a data key of its own: the wrap opens, the value does not";
    let other = [[0x5b; 32], vault.payload_mac(1, b"a value")].concat();
    damaged("value_other_key", "ENV-2", comment, &vault.wrap(2, &PLACE, &other));
}

fn write_values(vault: &Vault, start: Start<'_>) {
    let key = [0x5a; 32];
    let wrap = vault.wrap(2, &PLACE, &[key, [0; 32]].concat());
    let write = |name: &str,
                 expect: &str,
                 rule: &str,
                 comment: &str,
                 kind: &str,
                 sealed: &[u8],
                 plain: &[u8]| {
        version_fields(start(name, expect, rule, comment), &PLACE)
            .with_bytes("wrap", &wrap, &[])
            .with_text("kind", kind)
            .with_bytes("sealed", sealed, &[])
            .with_bytes("plain", plain, &[])
            .write("envelope");
    };
    let text = "p\u{e4}ssword".as_bytes();
    let sealed = vault.value(&key, 1, &pad(text, 256));
    write("value_ok_text", "success", "ENV-2", "UTF-8 text", "string", &sealed, text);
    let empty = vault.value(&key, 2, &pad(b"", 256));
    write("value_ok_empty", "success", "ENV-3", "no byte at all", "binary", &empty, b"");
    let full = vault.value(&key, 2, &pad(&[0xff; 252], 256));
    write("value_ok_256", "success", "ENV-3", "fills 256 bytes", "binary", &full, &[0xff; 252]);
    let more = vault.value(&key, 2, &pad(&[0xff; 253], 272));
    write("value_ok_272", "success", "ENV-3", "one byte more", "binary", &more, &[0xff; 253]);
    let damaged = |name: &str, rule: &str, comment: &str, kind: &str, sealed: &[u8]| {
        write(name, "failure damaged", rule, comment, kind, sealed, b"");
    };
    damaged("value_empty", "ENV-1", "nothing at all", "string", &[]);
    damaged("value_short", "ENV-1", "shorter than any", "string", &sealed[..295]);
    damaged("value_longer", "ENV-2", "a zero follows", "string", &[&sealed[..], &[0]].concat());
    let moved = vault.value(&key, 2, &pad(text, 256));
    damaged("value_other_kind", "ENV-2", "sealed as binary, read as text", "string", &moved);
    let len = 256_u32.to_le_bytes();
    let aad = [b"strongroom/v1/value", &STRANGER[..], &[1], &len].concat();
    let moved = vault.seal(&key, &aad, &pad(text, 256));
    damaged("value_other_vault", "ENV-2", "sealed for another vault", "string", &moved);
    let aad = [b"strongroom/v1/value", &vault.id[..], &[1], &272_u32.to_le_bytes()].concat();
    let moved = vault.seal(&key, &aad, &pad(text, 256));
    damaged("value_other_length", "ENV-2", "another length in the AAD", "string", &moved);
    damaged("value_flip_nonce", "ENV-2", "a bit of the nonce", "string", &flip(&sealed, 0));
    damaged("value_flip_box", "ENV-2", "a bit of the ciphertext", "string", &flip(&sealed, 24));
    damaged("value_flip_tag", "ENV-2", "a bit of the tag", "string", &flip(&sealed, 295));
    let case = |name: &str, rule: &str, comment: &str, kind: &str, padded: &[u8]| {
        let number = if kind == "string" { 1 } else { 2 };
        damaged(name, rule, comment, kind, &vault.value(&key, number, padded));
    };
    case("value_padded_more", "ENV-3", "272 bytes where 256 do", "binary", &pad(b"a", 272));
    case("value_padded_odd", "ENV-3", "257 bytes is no padded length", "binary", &pad(b"a", 257));
    let lies = set(&pad(b"a", 256), 0, &253_u32.to_le_bytes());
    case("value_length_lies", "ENV-3", "says 253 bytes, holds 252", "binary", &lies);
    let lies = set(&pad(b"a", 256), 0, &[0xff; 4]);
    case("value_length_huge", "ENV-3", "says 4 GiB", "binary", &lies);
    let dirty = set(&pad(b"a", 256), 255, &[1]);
    case("value_padding_end", "ENV-4", "the last byte is 1", "binary", &dirty);
    let dirty = set(&pad(b"a", 256), 5, &[1]);
    case("value_padding_start", "ENV-4", "the first byte after the value is 1", "binary", &dirty);
    case("value_not_utf8", "ENV-5", "Latin-1 in a text", "string", &pad(b"p\xe4ssword", 256));
}
