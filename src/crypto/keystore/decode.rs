//! Decodes a keystore. It accepts or refuses any input, and a hostile file cannot cause expensive work.

use super::{
    FORMAT, HEADER_BYTES, KEYS, Keystore, MAC_AT, MAC_BYTES, MAGIC, SLOT_BYTES, SLOTS,
    WRAPPED_BYTES, WrappedKey,
};
use crate::codec::{CodecError, Reader};
use crate::crypto::keys::KeyKind;
use crate::crypto::slot::{Method, Slot};
use crate::crypto::{CryptoError, KdfParams, VaultId};

const fn damaged(rule: &'static str) -> CryptoError {
    CryptoError::Damaged { rule }
}

/// The input is too short.
fn short(_: CodecError) -> CryptoError {
    damaged("KEY-1")
}

fn zeros(bytes: &[u8]) -> Result<(), CryptoError> {
    if bytes.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(damaged("KEY-3")) }
}

impl Keystore {
    /// Decodes a body. Everything that needs no key is checked here, including the cost of Argon2id.
    /// Any input gives a canonical keystore or an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CryptoError> {
        let mut reader = Reader::new(bytes);
        if reader.array().map_err(short)? != *MAGIC {
            return Err(damaged("KEY-1"));
        }
        match reader.u32().map_err(short)? {
            FORMAT => {}
            found if found > FORMAT => {
                return Err(CryptoError::NewerFormat { found, known: FORMAT });
            }
            _ => return Err(damaged("KEY-2")),
        }
        if bytes.len() != Self::BYTES {
            return Err(damaged("KEY-1"));
        }
        let vault = VaultId(reader.array().map_err(short)?);
        let generation = reader.u64().map_err(short)?;
        let master_term = reader.u32().map_err(short)?;
        if generation == 0 || master_term == 0 {
            return Err(damaged("KEY-4"));
        }
        let count = usize::from(reader.u16().map_err(short)?);
        zeros(reader.take(HEADER_BYTES - 42).map_err(short)?)?;
        let slots = decode_slots(reader.take(SLOTS * SLOT_BYTES).map_err(short)?)?;
        let keys = decode_keys(count, reader.take(KEYS * WRAPPED_BYTES).map_err(short)?)?;
        let unused = MAC_AT - HEADER_BYTES - SLOTS * SLOT_BYTES - KEYS * WRAPPED_BYTES;
        zeros(reader.take(unused).map_err(short)?)?;
        let mac = reader.array::<MAC_BYTES>().map_err(short)?;
        reader.finish().map_err(short)?;
        Ok(Self { vault, generation, master_term, slots, keys, mac })
    }
}

fn decode_slots(bytes: &[u8]) -> Result<[Option<Slot>; SLOTS], CryptoError> {
    let mut slots = [const { None }; SLOTS];
    for (slot, bytes) in slots.iter_mut().zip(bytes.chunks_exact(SLOT_BYTES)) {
        *slot = decode_slot(bytes)?;
    }
    if slots.iter().all(Option::is_none) {
        return Err(damaged("KEY-5"));
    }
    Ok(slots)
}

fn decode_slot(bytes: &[u8]) -> Result<Option<Slot>, CryptoError> {
    let mut reader = Reader::new(bytes);
    let kind = reader.u8().map_err(short)?;
    if kind == 0 {
        return zeros(bytes).map(|()| None);
    }
    zeros(reader.take(3).map_err(short)?)?;
    let cost = KdfParams {
        memory_kib: reader.u32().map_err(short)?,
        passes: reader.u32().map_err(short)?,
        lanes: reader.u32().map_err(short)?,
    };
    let method = match (kind, cost) {
        (1, KdfParams { memory_kib: 0, passes: 0, lanes: 0 }) => Method::KeyFile,
        (1, _) => return Err(damaged("KEY-6")),
        (2, cost) => {
            cost.check()?;
            Method::Passphrase(cost)
        }
        _ => return Err(damaged("KEY-5")),
    };
    let slot = Slot {
        method,
        salt: reader.array().map_err(short)?,
        commitment: reader.array().map_err(short)?,
        boxed: reader.array().map_err(short)?,
    };
    zeros(reader.rest())?;
    Ok(Some(slot))
}

fn decode_keys(count: usize, bytes: &[u8]) -> Result<Vec<WrappedKey>, CryptoError> {
    let (used, unused) = bytes.split_at_checked(count * WRAPPED_BYTES).ok_or(damaged("KEY-7"))?;
    zeros(unused)?;
    let mut keys: Vec<WrappedKey> = Vec::with_capacity(count);
    for bytes in used.chunks_exact(WRAPPED_BYTES) {
        let mut reader = Reader::new(bytes);
        let kind = KeyKind::from_number(reader.u8().map_err(short)?).ok_or(damaged("KEY-7"))?;
        zeros(reader.take(3).map_err(short)?)?;
        let term = reader.u32().map_err(short)?;
        let boxed = reader.array().map_err(short)?;
        let rises = keys.last().is_none_or(|last| (last.kind, last.term) < (kind, term));
        if term == 0 || !rises {
            return Err(damaged("KEY-7"));
        }
        keys.push(WrappedKey { kind, term, boxed });
    }
    if KeyKind::ALL.iter().any(|kind| !keys.iter().any(|wrapped| wrapped.kind == *kind)) {
        return Err(damaged("KEY-7"));
    }
    Ok(keys)
}
