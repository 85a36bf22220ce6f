//! Hazmat: HMAC-SHA256. With `kdf`, the only user of its crates.
//!
//! ```text
//! message = len(domain): u64 | domain | (len(part): u64 | part)*      little-endian
//! ```
//!
//! Every part is preceded by its length, so different lists of parts give different messages.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A MAC key, kept as the state of HMAC after its two key blocks. Wiped on drop by its crate's
/// `zeroize` feature. No `Debug`, no `Clone`.
pub struct MacKey(Box<Hmac<Sha256>>);

impl MacKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let mut block = zeroize::Zeroizing::new([0; 64]);
        let (head, _) = block.split_at_mut(key.len());
        head.copy_from_slice(key);
        Self(Box::new(Hmac::new((&*block).into())))
    }

    /// The tag of `parts` in the caller's domain. The tag differs for another domain and for other
    /// boundaries between the parts.
    #[must_use]
    pub fn mac(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        let mut state = self.begin();
        absorb(&mut state, domain.as_bytes());
        for part in parts {
            absorb(&mut state, part);
        }
        state.finalize().into_bytes().into()
    }

    /// Whether `tag` is the tag of `parts`, compared in constant time. A wrong length gives `false`.
    #[must_use]
    pub fn verify(&self, domain: &'static str, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.mac(domain, parts).ct_eq(tag).into()
    }

    /// A copy of the keyed state, for a message that the caller frames itself.
    pub(super) fn begin(&self) -> Hmac<Sha256> {
        Hmac::clone(&self.0)
    }
}

fn absorb(state: &mut Hmac<Sha256>, piece: &[u8]) {
    state.update(&(piece.len() as u64).to_le_bytes());
    state.update(piece);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2, needs a message without framing: it shows that the state is HMAC's.
    #[test]
    fn the_state_is_hmac_sha256() {
        let mut key = [0; 32];
        key.iter_mut().zip(b"Jefe").for_each(|(to, from)| *to = *from);
        let mut state = MacKey::new(&key).begin();
        state.update(b"what do ya want for nothing?");
        let tag: [u8; 32] = state.finalize().into_bytes().into();
        assert!(tag.starts_with(&[0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]));
    }

    #[test]
    fn pieces_cannot_be_cut_elsewhere() {
        let key = MacKey::new(&[5; 32]);
        let tags = [
            key.mac("d", &[b"ab", b"c"]),
            key.mac("d", &[b"a", b"bc"]),
            key.mac("d", &[b"abc"]),
            key.mac("d", &[b"abc", b""]),
            key.mac("d", &[]),
            key.mac("da", &[b"bc"]),
            key.mac("", &[b"d", b"abc"]),
        ];
        for (at, tag) in tags.iter().enumerate() {
            assert!(!tags.iter().skip(at + 1).any(|other| other == tag), "tag {at} repeats");
        }
    }

    #[test]
    fn a_tag_is_whole_and_of_its_key() {
        let key = MacKey::new(&[5; 32]);
        let tag = key.mac("d", &[b"x"]);
        assert!(key.verify("d", &[b"x"], &tag));
        assert!(!key.verify("d", &[b"x"], tag.split_at(31).0));
        assert!(!key.verify("d", &[b"x"], &[]));
        assert!(!key.verify("e", &[b"x"], &tag));
        assert!(!MacKey::new(&[6; 32]).verify("d", &[b"x"], &tag));
    }
}
