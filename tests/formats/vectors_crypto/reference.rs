//! The format a second time, from its description: what a writer with the right keys could do,
//! wrong things included.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const SLOTS_AT: usize = 64;
pub(crate) const SLOT_BYTES: usize = 160;
pub(crate) const KEYS_AT: usize = 1344;
pub(crate) const KEY_BYTES: usize = 80;
pub(crate) const MAC_AT: usize = 8160;

/// Entropy for the crate that repeats from run to run.
pub(crate) struct Stream(pub(crate) AtomicU64);

impl strongroom::__internals::env::Entropy for Stream {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        for chunk in buffer.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            let block = Sha256::digest([&b"vectors"[..], &count.to_le_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

fn hmac_of(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut state = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    state.update(message);
    state.finalize().into_bytes().into()
}

/// RFC 5869, section 2.3.
fn expand(key: &[u8], info: &[u8], len: usize) -> Vec<u8> {
    let (mut output, mut block, mut count) = (Vec::new(), Vec::new(), 0_u8);
    while output.len() < len {
        count += 1;
        block = hmac_of(key, &[&block, info, &[count]].concat()).to_vec();
        output.extend_from_slice(&block);
    }
    output.truncate(len);
    output
}

pub(crate) fn mac(key: &[u8], domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut message = Vec::new();
    for piece in [domain.as_bytes()].iter().chain(parts) {
        message.extend_from_slice(&(piece.len() as u64).to_le_bytes());
        message.extend_from_slice(piece);
    }
    hmac_of(key, &message)
}

fn cipher(key: &[u8]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new_from_slice(key).unwrap()
}

fn open_box(key: &[u8], aad: &[u8], boxed: &[u8]) -> Vec<u8> {
    let (nonce, rest) = boxed.split_first_chunk::<24>().unwrap();
    let (body, tag) = rest.split_last_chunk::<16>().unwrap();
    let mut plain = body.to_vec();
    let buffer = plain.as_mut_slice().into();
    cipher(key).decrypt_inout_detached(nonce.into(), aad, buffer, tag.into()).unwrap();
    plain
}

/// A key file's two lines, taken apart.
fn key_of(key_file: &[u8]) -> Vec<u8> {
    let line = key_file.split(|byte| *byte == b'\n').nth(1).unwrap();
    hex::decode(&line[..64]).unwrap()
}

/// An unlocked vault with its raw keys.
pub(crate) struct Vault {
    pub(crate) id: [u8; 16],
    master: Vec<u8>,
    keys: Vec<(u8, u32, Vec<u8>)>,
    nonces: Cell<u64>,
}

impl Vault {
    /// Opens a keystore by its key-file slot, wherever that stands.
    pub(crate) fn unlock(keystore: &[u8], key_file: &[u8]) -> Self {
        let id: [u8; 16] = keystore[12..28].try_into().unwrap();
        let master_term = &keystore[36..40];
        let slots = keystore[SLOTS_AT..KEYS_AT].chunks(SLOT_BYTES);
        let (number, slot) = slots.enumerate().find(|(_, slot)| slot[0] == 1).unwrap();
        let salt = &slot[16..48];
        let info = [b"strongroom/v1/slot", &id[..], &[1], salt].concat();
        let derived = expand(&key_of(key_file), &info, 64);
        assert_eq!(derived[32..], slot[48..80], "commitment");
        let number = [u8::try_from(number).unwrap()];
        let aad = [b"strongroom/v1/slot", &id[..], master_term, &number, &slot[..48]].concat();
        let master = open_box(&derived[..32], &aad, &slot[80..152]);
        let mut vault = Self { id, master, keys: Vec::new(), nonces: Cell::new(0) };
        let wrap_key = vault.wrap_key();
        for wrapped in keystore[KEYS_AT..6464].chunks(KEY_BYTES).filter(|key| key[0] != 0) {
            let aad = vault.key_aad(master_term, wrapped[0], &wrapped[4..8]);
            let key = open_box(&wrap_key, &aad, &wrapped[8..]);
            let term = u32::from_le_bytes(wrapped[4..8].try_into().unwrap());
            vault.keys.push((wrapped[0], term, key));
        }
        assert_eq!(vault.keystore_mac(keystore), keystore[MAC_AT..]);
        vault
    }

    pub(crate) fn key(&self, kind: u8, term: u32) -> Vec<u8> {
        let found = self.keys.iter().find(|(have, of, _)| (*have, *of) == (kind, term));
        found.unwrap().2.clone()
    }

    fn wrap_key(&self) -> Vec<u8> {
        expand(&self.master, &[b"strongroom/v1/master wrap", &self.id[..]].concat(), 32)
    }

    fn key_aad(&self, master_term: &[u8], kind: u8, term: &[u8]) -> Vec<u8> {
        [b"strongroom/v1/key", &self.id[..], master_term, &[kind], term].concat()
    }

    pub(crate) fn keystore_mac(&self, keystore: &[u8]) -> [u8; 32] {
        let info = [b"strongroom/v1/master mac", &self.id[..]].concat();
        mac(&expand(&self.master, &info, 32), "keystore", &[&keystore[..MAC_AT]])
    }

    /// Makes the MAC right again after a change.
    pub(crate) fn authenticate(&self, keystore: &mut [u8]) {
        let tag = self.keystore_mac(keystore);
        keystore[MAC_AT..].copy_from_slice(&tag);
    }

    /// `nonce | ciphertext | tag` under a fresh nonce.
    pub(crate) fn seal(&self, key: &[u8], aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.nonces.set(self.nonces.get() + 1);
        let hash = Sha256::digest([&b"nonce"[..], &self.nonces.get().to_le_bytes()].concat());
        let nonce: [u8; 24] = hash[..24].try_into().unwrap();
        let mut body = plain.to_vec();
        let buffer = body.as_mut_slice().into();
        let tag = cipher(key).encrypt_inout_detached((&nonce).into(), aad, buffer).unwrap();
        [&nonce[..], &body, tag.as_slice()].concat()
    }

    /// Adds a wrapped key as the last of its kind.
    pub(crate) fn add_key(&mut self, keystore: &mut [u8], kind: u8, term: u32, key: &[u8]) {
        let count = u16::from_le_bytes(keystore[40..42].try_into().unwrap());
        let end = KEYS_AT + usize::from(count) * KEY_BYTES;
        let mut at = KEYS_AT;
        while at < end && keystore[at] <= kind {
            at += KEY_BYTES;
        }
        keystore.copy_within(at..end, at + KEY_BYTES);
        let aad = self.key_aad(&keystore[36..40], kind, &term.to_le_bytes());
        let boxed = self.seal(&self.wrap_key(), &aad, key);
        let entry = [&[kind, 0, 0, 0][..], &term.to_le_bytes(), &boxed].concat();
        keystore[at..at + KEY_BYTES].copy_from_slice(&entry);
        keystore[40..42].copy_from_slice(&(count + 1).to_le_bytes());
        self.keys.push((kind, term, key.to_vec()));
        self.authenticate(keystore);
    }

    pub(crate) fn row(&self, term: u32, tree: u8, row_key: &[u8], plain: &[u8]) -> Vec<u8> {
        let term_bytes = term.to_le_bytes();
        let aad = [b"strongroom/v1/row", &self.id[..], &[tree], &term_bytes, row_key].concat();
        [&[1][..], &term_bytes, &self.seal(&self.key(2, term), &aad, plain)].concat()
    }

    /// Wraps 32 bytes of data key and 32 of payload MAC.
    pub(crate) fn wrap(&self, term: u32, place: &Place, secret: &[u8]) -> Vec<u8> {
        let (seq, term_bytes) = (place.seq.to_le_bytes(), term.to_le_bytes());
        let aad =
            [b"strongroom/v1/wrap", &self.id[..], &place.id, &seq, &term_bytes, place.version]
                .concat();
        [&[1][..], &term_bytes, &self.seal(&self.key(7, term), &aad, secret)].concat()
    }

    pub(crate) fn value(&self, data_key: &[u8], kind: u8, padded: &[u8]) -> Vec<u8> {
        let len = u32::try_from(padded.len()).unwrap().to_le_bytes();
        let aad = [b"strongroom/v1/value", &self.id[..], &[kind], &len].concat();
        self.seal(data_key, &aad, padded)
    }

    pub(crate) fn payload_mac(&self, kind: u8, value: &[u8]) -> [u8; 32] {
        mac(&self.key(5, 1), "payload", &[&[kind], value])
    }
}

/// Which version a wrap is for.
pub(crate) struct Place {
    pub(crate) id: [u8; 16],
    pub(crate) seq: u64,
    pub(crate) version: &'static [u8],
}
