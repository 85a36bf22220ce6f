//! What an anchor file says, and its MAC (RB-2).

use crate::crypto::{Keyring, VaultId};
use crate::env::UnixMillis;
use crate::model::Lsn;

pub(super) const INTRO: &str = "# strongroom anchor v1; vault ";
const DOMAIN: &str = "strongroom/v1/anchor";
/// No anchor file is longer.
pub(super) const BYTES_MAX: usize = 4096;
/// No words are longer: intro, id, two numbers of 20 digits, and 120 bytes in hexadecimal.
pub(super) const WORDS_MAX: usize = 384;

/// What an anchor file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) vault: VaultId,
    pub(super) lsn: Lsn,
    pub(super) wall: UnixMillis,
    pub(super) digest: [u8; 32],
    pub(super) place: [u8; 8],
    pub(super) mark: [u8; 16],
}

impl Words {
    /// Hands the parts under the MAC to `with`.
    fn authenticated<T>(&self, with: impl FnOnce(&[&[u8]]) -> T) -> T {
        let (lsn, wall) = (self.lsn.0.to_le_bytes(), self.wall.0.to_le_bytes());
        with(&[&self.vault.0[..], &lsn, &wall, &self.digest, &self.place, &self.mark])
    }

    pub(super) fn encode(&self, keys: &Keyring) -> String {
        let (digest, place, mark) =
            (hex::encode(self.digest), hex::encode(self.place), hex::encode(self.mark));
        let mac = self.authenticated(|parts| keys.log().mac(DOMAIN, parts));
        let (lsn, wall, mac) = (self.lsn.0, self.wall.0, hex::encode(mac));
        format!("{INTRO}{}\n{lsn} {wall} {digest} {place} {mark} {mac}\n", self.vault)
    }

    /// `None`: these are not the words of this vault, or they were changed.
    pub(super) fn parse(text: &str, keys: &Keyring) -> Option<Self> {
        let (intro, rest) = text.split_once('\n')?;
        if intro.strip_prefix(INTRO)? != keys.vault_id().to_string() {
            return None;
        }
        let mut fields = rest.trim_end().split(' ');
        let words = Self {
            vault: keys.vault_id(),
            lsn: Lsn(fields.next()?.parse().ok()?),
            wall: UnixMillis(fields.next()?.parse().ok()?),
            digest: bytes(fields.next()?)?,
            place: bytes(fields.next()?)?,
            mark: bytes(fields.next()?)?,
        };
        let mac: [u8; 32] = bytes(fields.next()?)?;
        let is_right = words.authenticated(|parts| keys.log().verify(DOMAIN, parts, &mac));
        (is_right && fields.next().is_none()).then_some(words)
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::vault::Vault;
    use crate::vault::internals::keyring;

    /// RB-2
    #[test]
    fn any_change_of_the_file_is_noticed() {
        let vault = Vault::in_memory().unwrap();
        let keys = keyring(&vault);
        let words = Words {
            vault: vault.id(),
            lsn: Lsn(7),
            wall: UnixMillis(1),
            digest: [3; 32],
            place: [4; 8],
            mark: [5; 16],
        };
        let text = words.encode(&keys);
        assert_eq!(Words::parse(&text, &keys), Some(words));
        for at in 0..text.len() - 1 {
            let mut changed = text.clone().into_bytes();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(Words::parse(&changed, &keys), None, "{changed}");
        }
        let other = keyring(&Vault::in_memory().unwrap());
        assert_eq!(Words::parse(&text, &other), None);
    }
}
