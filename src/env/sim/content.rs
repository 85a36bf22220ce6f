//! One file's bytes: what is seen, what is durable, and what a power cut lets through (D2, D4 in
//! `disk.rs`).

use super::disk::{CrashPlan, SECTOR_BYTES};
use super::prng::Prng;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Shared with forks until one side writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) seen: Arc<Vec<u8>>,
    pub(super) durable: Arc<Vec<u8>>,
    /// Changes in their order, numbered across all files.
    pub(super) pending: Vec<(u64, Change)>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: u64, bytes: Arc<[u8]> },
    SetLen(u64),
}

impl Content {
    pub(super) fn crash(&mut self, plan: CrashPlan, rng: Option<&mut Prng>) {
        let pending: Vec<Change> = self.pending.drain(..).map(|(_, change)| change).collect();
        if !pending.is_empty() && plan != CrashPlan::DropAll {
            let durable = Arc::make_mut(&mut self.durable);
            match rng.map(|rng| (rng.below(4), rng)) {
                Some((0, _)) => {}
                Some((2.., rng)) => scatter(durable, &pending, rng),
                None | Some(_) => {
                    for change in pending {
                        // It was applied to what is seen, so it fits.
                        let _ = change.apply(durable);
                    }
                }
            }
        }
        self.seen = Arc::clone(&self.durable);
    }
}

impl Change {
    pub(super) fn apply(&self, content: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Write { offset, bytes } => put(content, *offset, bytes),
            Self::SetLen(len) => resize(content, *len),
        }
    }

    /// The pieces of a write, cut where sectors end: sector, offset, bytes.
    fn pieces(&self) -> Vec<(u64, u64, &[u8])> {
        let Self::Write { offset, bytes } = self else { return Vec::new() };
        let mut pieces = Vec::new();
        let (mut at, mut rest) = (*offset, &**bytes);
        while !rest.is_empty() {
            let room = usize::try_from(SECTOR_BYTES - at % SECTOR_BYTES).unwrap_or(1);
            let (piece, after) = rest.split_at(room.min(rest.len()));
            pieces.push((at / SECTOR_BYTES, at, piece));
            at += piece.len() as u64;
            rest = after;
        }
        pieces
    }
}

/// Lets a random part of `pending` reach `content` (D2).
fn scatter(content: &mut Vec<u8>, pending: &[Change], rng: &mut Prng) {
    // For each sector, after how many changes it was written out.
    let mut written = BTreeMap::new();
    let mut kept = Vec::with_capacity(pending.len());
    for (index, change) in pending.iter().enumerate() {
        let fate = rng.below(3);
        for (sector, ..) in change.pieces() {
            if fate == 1 || fate == 2 && rng.coin() {
                written.insert(sector, index + 1);
            }
        }
        // A torn write may leave the new length all the same, with zeros for what is missing.
        kept.push(fate == 1 || fate == 2 && rng.coin());
    }
    for (index, (change, kept)) in pending.iter().zip(kept).enumerate() {
        match change {
            Change::SetLen(_) if kept => {
                let _ = change.apply(content);
            }
            Change::SetLen(_) => {}
            Change::Write { offset, bytes } => {
                for (sector, at, piece) in change.pieces() {
                    if written.get(&sector).is_some_and(|count| *count > index) {
                        let _ = put(content, at, piece);
                    }
                }
                let end = offset.saturating_add(bytes.len() as u64);
                if kept && end > content.len() as u64 {
                    let _ = resize(content, end);
                }
            }
        }
    }
}

pub(super) fn put(content: &mut Vec<u8>, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let end = offset.checked_add(bytes.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
    if end > content.len() as u64 && !bytes.is_empty() {
        resize(content, end)?;
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    if let Some(place) = start.checked_add(bytes.len()).and_then(|end| content.get_mut(start..end))
    {
        place.copy_from_slice(bytes);
    }
    Ok(())
}

pub(super) fn resize(content: &mut Vec<u8>, len: u64) -> io::Result<()> {
    let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let more = len.saturating_sub(content.len());
    content.try_reserve(more).map_err(|_| io::ErrorKind::OutOfMemory)?;
    content.resize(len, 0);
    Ok(())
}
