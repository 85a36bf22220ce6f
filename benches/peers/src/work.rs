//! The work that every member does for a put: it seals a value of 1 KiB with XChaCha20-Poly1305 under a fresh
//! data key, wraps that key, and makes four rows: the version (with the sealed value), two label rows and the
//! secret's row. How the rows become durable is the member's part.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

pub const VALUE_BYTES: usize = 1024;
const NONCE: usize = 24;
/// What stands before the box of the value in a version's row: its metadata and the wrapped data key.
const METADATA: usize = 96;
const WRAPPED: usize = NONCE + 32 + 16;

/// One row: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The rows of one put.
pub struct Put(pub Vec<Row>);

impl Put {
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        for (key, value) in &self.0 {
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(value);
        }
    }
}

/// The secrets that a run works on, and the keys that it seals with.
pub struct Book {
    master: XChaCha20Poly1305,
    /// Values are sealed under this one instead of the fresh key, so that a get is one decryption.
    shared: Option<XChaCha20Poly1305>,
    secrets: Vec<([u8; 16], AtomicU64)>,
    value: Vec<u8>,
}

impl Book {
    /// For puts: each value gets a key of its own.
    pub fn for_puts(secrets: usize) -> Self {
        let secret = |n: usize| {
            let hash = Sha256::digest(name(n).as_bytes());
            let mut id = [0; 16];
            id.copy_from_slice(&hash[..16]);
            (id, AtomicU64::new(0))
        };
        Self {
            master: XChaCha20Poly1305::new(&random::<32>().into()),
            shared: None,
            secrets: (0..secrets).map(secret).collect(),
            value: value(),
        }
    }

    /// For gets: the reader has the key of all values, so no data key is unwrapped.
    pub fn for_gets(secrets: usize) -> Self {
        let shared = Some(XChaCha20Poly1305::new(&[7; 32].into()));
        Self { shared, ..Self::for_puts(secrets) }
    }

    /// For a store in which each secret has so many versions already.
    pub fn after(self, versions: usize) -> Self {
        self.secrets.iter().for_each(|(_, seq)| seq.store(versions as u64, Ordering::Relaxed));
        self
    }

    pub fn secrets(&self) -> usize {
        self.secrets.len()
    }

    /// All of a put that comes before its rows are stored.
    pub fn put(&self, secret: usize) -> Put {
        let (id, next) = &self.secrets[secret];
        let seq = next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut row = Vec::with_capacity(METADATA + WRAPPED + NONCE + VALUE_BYTES + 16);
        row.resize(METADATA, b'm');
        let key = random::<32>();
        seal(&self.master, &key, &mut row);
        let fresh = XChaCha20Poly1305::new(&key.into());
        seal(self.shared.as_ref().unwrap_or(&fresh), &self.value, &mut row);
        let mut record = vec![b'r'; 120];
        record[..8].copy_from_slice(&seq.to_be_bytes());
        Put(vec![
            (version_key(id, seq), row),
            (label_key(id, b'c'), seq.to_be_bytes().to_vec()),
            (label_key(id, b'p'), (seq - 1).to_be_bytes().to_vec()),
            ([b"s".as_slice(), id].concat(), record),
        ])
    }

    /// The key of the row that says which version is current.
    pub fn current(&self, secret: usize) -> Vec<u8> {
        label_key(&self.secrets[secret].0, b'c')
    }

    /// The key of the version that this label row names.
    pub fn version(&self, secret: usize, label: &[u8]) -> Vec<u8> {
        let seq = u64::from_be_bytes(label.try_into().expect("a label row has eight bytes"));
        version_key(&self.secrets[secret].0, seq)
    }

    /// Opens the value in a version's row.
    pub fn open(&self, row: &[u8]) -> Vec<u8> {
        let sealed = &row[METADATA + WRAPPED..];
        let (nonce, body) = sealed.split_at(NONCE);
        let nonce: [u8; NONCE] = nonce.try_into().expect("the nonce is whole");
        let mut body = body.to_vec();
        let key = self.shared.as_ref().expect("gets have the key of all values");
        key.decrypt_in_place(&nonce.into(), b"", &mut body).expect("the value opens");
        assert_eq!(body.len(), VALUE_BYTES);
        body
    }
}

pub fn name(secret: usize) -> String {
    format!("app/secret-{secret}")
}

pub fn value() -> Vec<u8> {
    vec![b'v'; VALUE_BYTES]
}

fn version_key(id: &[u8], seq: u64) -> Vec<u8> {
    [b"v".as_slice(), id, &seq.to_be_bytes()].concat()
}

fn label_key(id: &[u8], label: u8) -> Vec<u8> {
    [b"l".as_slice(), id, &[label]].concat()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}

/// Appends `nonce | ciphertext | tag`.
fn seal(key: &XChaCha20Poly1305, plain: &[u8], out: &mut Vec<u8>) {
    let nonce = random::<NONCE>();
    out.extend_from_slice(&nonce);
    let at = out.len();
    out.extend_from_slice(plain);
    let body = out[at..].as_mut().into();
    let tag = key.encrypt_inout_detached(&nonce.into(), b"", body).expect("the value is short");
    out.extend_from_slice(&tag);
}
