//! Encodes a keystore.

use super::{
    FORMAT, HEADER_BYTES, KEYS, Keystore, MAC_AT, MAGIC, SLOT_BYTES, SLOT_ZEROS, SLOTS,
    WRAPPED_BYTES,
};

impl Keystore {
    /// The body of the file: exactly [`Keystore::BYTES`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.encode_body();
        bytes.extend_from_slice(&self.mac);
        bytes
    }

    /// Everything that the MAC covers: all bytes before it.
    pub(super) fn encode_body(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.vault.0);
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&self.master_term.to_le_bytes());
        let count = u16::try_from(self.keys.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.resize(HEADER_BYTES, 0);
        for slot in &self.slots {
            let end = bytes.len() + SLOT_BYTES;
            if let Some(slot) = slot {
                bytes.extend_from_slice(&slot.method.encode());
                bytes.extend_from_slice(&slot.salt);
                bytes.extend_from_slice(&slot.commitment);
                bytes.extend_from_slice(&slot.boxed);
                bytes.extend_from_slice(&[0; SLOT_ZEROS]);
            }
            bytes.resize(end, 0);
        }
        for wrapped in &self.keys {
            bytes.extend_from_slice(&[wrapped.kind as u8, 0, 0, 0]);
            bytes.extend_from_slice(&wrapped.term.to_le_bytes());
            bytes.extend_from_slice(&wrapped.boxed);
        }
        debug_assert!(bytes.len() <= HEADER_BYTES + SLOTS * SLOT_BYTES + KEYS * WRAPPED_BYTES);
        bytes.resize(MAC_AT, 0);
        bytes
    }
}
