//! Signing keys, derived once for each pair, day, region and service (rule WIRE-SIG-13).
//!
//! A key is kept when a good signature was made with it, so strangers cannot fill the memory. The keys belong
//! to their pair: they are wiped with it when it is revoked.

use super::scheme::TERMINATOR;
use crate::secret::SecretBytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// Keys that a pair keeps. A client signs for one region and service, and for two days around midnight.
const KEYS_MAX: usize = 8;

/// A key that signs a day's requests for one region and service.
pub(super) type SigningKey = Zeroizing<[u8; 32]>;

/// What a signing key is for.
#[derive(Clone, Copy)]
pub(super) struct Use<'a> {
    /// As it stands in the scope.
    pub(super) day: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'static str,
}

struct Kept {
    day: String,
    region: String,
    service: &'static str,
    key: SigningKey,
}

impl Kept {
    fn is_for(&self, wanted: Use<'_>) -> bool {
        self.day == wanted.day && self.region == wanted.region && self.service == wanted.service
    }
}

/// The signing keys of one pair that were kept last, the latest first.
#[derive(Default)]
pub(super) struct SigningKeys(Mutex<VecDeque<Kept>>);

impl SigningKeys {
    pub(super) fn find(&self, wanted: Use<'_>) -> Option<SigningKey> {
        self.lock().iter().find(|kept| kept.is_for(wanted)).map(|kept| kept.key.clone())
    }

    /// Keeps a key that has made a good signature, in place of the oldest if there are many.
    pub(super) fn keep(&self, used: Use<'_>, key: &SigningKey) {
        let mut keys = self.lock();
        if keys.iter().any(|kept| kept.is_for(used)) {
            return;
        }
        keys.truncate(KEYS_MAX - 1);
        let Use { day, region, service } = used;
        let (day, region) = (day.to_owned(), region.to_owned());
        keys.push_front(Kept { day, region, service, key: key.clone() });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Derives the key from the secret of a pair.
pub(super) fn signing_key(secret: &SecretBytes, wanted: Use<'_>) -> SigningKey {
    let mut start = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    start.extend_from_slice(b"AWS4");
    // EXPOSE: the secret is the first key of the derivation chain.
    start.extend_from_slice(secret.expose());
    let day_key = Zeroizing::new(hmac(&start, wanted.day.as_bytes()));
    let region_key = Zeroizing::new(hmac(&*day_key, wanted.region.as_bytes()));
    let service_key = Zeroizing::new(hmac(&*region_key, wanted.service.as_bytes()));
    Zeroizing::new(hmac(&*service_key, TERMINATOR.as_bytes()))
}

pub(super) fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC accepts keys of any length, so the fallback is never used.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.chain_update(text).finalize().into_bytes().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// WIRE-SIG-13
    #[test]
    fn few_keys_are_kept_and_each_for_its_use_only() {
        let (keys, secret) = (SigningKeys::default(), SecretBytes::copy_from(b"secret"));
        let region = |n: usize| format!("us-east-{n}");
        for n in 0..100 {
            let region = region(n);
            let used = Use { day: "20260102", region: &region, service: "secretsmanager" };
            assert!(keys.find(used).is_none());
            let key = signing_key(&secret, used);
            keys.keep(used, &key);
            keys.keep(used, &key);
            assert_eq!(*keys.find(used).unwrap(), *key);
            assert!(keys.find(Use { day: "20260103", ..used }).is_none());
            assert!(keys.find(Use { service: "sts", ..used }).is_none());
            assert_eq!(keys.len(), KEYS_MAX.min(n + 1));
        }
        for n in 0..100 {
            let region = region(n);
            let used = Use { day: "20260102", region: &region, service: "secretsmanager" };
            assert_eq!(keys.find(used).is_some(), n >= 100 - KEYS_MAX, "the latest stay");
        }
    }
}
