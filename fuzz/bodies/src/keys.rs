//! Formats that are read without any key.

use super::input::{Input, Stream, mutate};
use std::sync::LazyLock;
use strongroom::__internals::crypto::{
    KdfParams, Keyring, Keystore, Unlock, VaultId, key_file as file,
};
use strongroom::__internals::env::Entropy;
use strongroom::__internals::secret::SecretBytes;

/// The keys of a vault, created once. It has only a key file and needs no Argon2id, so it is fast.
pub(super) struct Keys {
    pub(super) text: Vec<u8>,
    pub(super) keystore: Keystore,
    pub(super) ring: Keyring,
}

pub(super) static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let entropy = Stream::new(1);
    let vault = VaultId(*b"vault of targets");
    let text = file::generate(vault, &entropy).unwrap();
    // EXPOSE: the key file of a vault that holds nothing.
    let copy = text.expose().to_vec();
    let cost = KdfParams::fast_for_tests();
    let unlock = Unlock::KeyFile(text);
    let (keystore, _) = Keystore::create(vault, &unlock, cost, &entropy).unwrap();
    let ring = keystore.unlock(&unlock).unwrap();
    Keys { text: copy, keystore, ring }
});

/// Entropy taken from the input.
struct Given([u8; 32]);

impl Entropy for Given {
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()> {
        buffer.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        Ok(())
    }
}

/// Any bytes are a key file or are refused. After a first byte of 255 follow a vault, a key and mutations:
/// the key file of the two reads back, and every mutation is detected.
pub(super) fn key_file(bytes: &[u8]) {
    let Some((255, rest)) = bytes.split_first() else {
        let text = SecretBytes::copy_from(bytes);
        assert_eq!(file::parse(&text).is_ok(), file::vault_of(&text).is_ok());
        return;
    };
    let mut input = Input::new(rest);
    let (vault, key) = (VaultId(input.array()), input.array());
    let text = file::generate(vault, &Given(key)).unwrap();
    assert_eq!(*file::parse(&text).unwrap(), key);
    assert_eq!(file::vault_of(&text).unwrap(), vault);
    // EXPOSE: a key of the fuzzer's own.
    let mut changed = text.expose().to_vec();
    mutate(&mut input, &mut changed);
    let changed = SecretBytes::copy_from(&changed);
    if let Ok(other) = file::parse(&changed) {
        // A changed file does not have the right checksum of 32 bits by chance.
        // EXPOSE: a key of the fuzzer's own.
        let is_same = as_generated(changed.expose()) == as_generated(text.expose());
        assert!(is_same && *other == key, "a changed key file was accepted");
    }
}

/// A key file without what editors add to it: a byte order mark, carriage returns, empty lines at the end.
fn as_generated(text: &[u8]) -> Vec<u8> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\r').collect();
    while text.last() == Some(&b'\n') {
        text.pop();
    }
    text
}

/// The keystore parser accepts or refuses any input, and accepted input encodes to the same bytes. Input
/// that does not begin like a keystore is read as mutations of a valid one, which then gets the right MAC:
/// it opens or is refused.
pub(super) fn keystore(bytes: &[u8]) {
    let raw = bytes.first() == Some(&b'S');
    let bytes = if raw {
        bytes.to_vec()
    } else {
        let mut good = KEYS.keystore.encode();
        let mut input = Input::new(bytes);
        while !input.is_empty() {
            let (at, new) = (usize::from(input.u16()) % good.len(), input.short());
            let end = (at + new.len()).min(good.len());
            good[at..end].copy_from_slice(&new[..end - at]);
        }
        good
    };
    let Ok(mut keystore) = Keystore::decode(&bytes) else { return };
    assert!(keystore.encode() == bytes, "the encoding is canonical");
    let unlock = Unlock::KeyFile(SecretBytes::copy_from(&KEYS.text));
    if raw {
        // The key file's bits are not hashed at a cost: this is quick whatever the keystore says.
        let _ = keystore.unlock(&unlock);
        return;
    }
    KEYS.ring.forge_mac(&mut keystore);
    if let Ok(ring) = keystore.unlock(&unlock) {
        assert_eq!(ring.generation(), keystore.generation());
        assert_eq!(ring.vault_id(), keystore.vault_id());
        assert!(ring.oldest_epoch() <= ring.epoch());
        let Ok((next, _)) = ring.begin_epoch(&keystore, &Stream::new(2)) else { return };
        assert!(Keystore::decode(&next.encode()).is_ok(), "what is changed can be read");
    }
}
