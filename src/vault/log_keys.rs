//! The keyed hashing of the log, with the keys of the vault. `log` and `crypto` never use each other.

use crate::crypto::{Keyring, MacKey, SetSum};
use crate::env::age::AgeNote;
use crate::log::{Authenticator, ClockNote, RowSum};
use crate::model::{Lsn, Tree};
use std::sync::Arc;

/// The two keys that the log needs. It holds no other key, so that it keeps no other key in memory.
pub(crate) struct LogKeys {
    log: Arc<MacKey>,
    digest: Arc<MacKey>,
}

impl LogKeys {
    pub(crate) fn of(keys: &Keyring) -> Arc<dyn Authenticator> {
        Arc::new(Self { log: keys.share_log(), digest: keys.share_digest_key() })
    }
}

impl Authenticator for LogKeys {
    fn tag(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        self.log.mac(domain, parts)
    }

    fn new_sum(&self) -> Box<dyn RowSum> {
        Box::new(Sum { sum: SetSum::empty(), key: Arc::clone(&self.digest) })
    }
}

struct Sum {
    sum: SetSum,
    key: Arc<MacKey>,
}

impl RowSum for Sum {
    fn add(&mut self, tree: Tree, key: &[u8], value: &[u8]) {
        self.sum.add(&self.key, tree, key, value);
    }

    fn digest(&self, lsn: Lsn) -> [u8; 32] {
        self.sum.digest(&self.key, lsn)
    }
}

/// The state of the age clock, for the log.
pub(crate) fn clock_note(note: AgeNote) -> ClockNote {
    let AgeNote { wall, age, held_millis, held_since } = note;
    ClockNote { wall, age, held_millis, held_since }
}

/// The state of the age clock, from the log.
pub(crate) fn age_note(note: ClockNote) -> AgeNote {
    let ClockNote { wall, age, held_millis, held_since } = note;
    AgeNote { wall, age, held_millis, held_since }
}
