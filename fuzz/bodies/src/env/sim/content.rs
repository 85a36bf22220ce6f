//! The bytes of files: visible, durable, and kept by a power cut (D2, D4 in `disk.rs`).

use super::Prng;
use super::disk::{Body, Disk, Ino, SECTOR_BYTES};
use super::plan::{CrashPlan, Fate, Pending};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
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

impl Disk {
    pub(super) fn len(&self, ino: Ino) -> io::Result<u64> {
        Ok(self.content(ino)?.seen.len() as u64)
    }

    pub(super) fn read(&self, ino: Ino, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let seen = &self.content(ino)?.seen;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(seen.len());
        let rest = seen.get(start..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        // In one move: a harness reads a whole log at every step.
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    pub(super) fn write(&mut self, ino: Ino, offset: u64, bytes: &[u8]) -> io::Result<()> {
        put(Arc::make_mut(&mut self.content_mut(ino)?.seen), offset, bytes)?;
        self.pend(ino, || Change::Write { offset, bytes: bytes.into() })
    }

    pub(super) fn set_len(&mut self, ino: Ino, len: u64) -> io::Result<()> {
        resize(Arc::make_mut(&mut self.content_mut(ino)?.seen), len)?;
        self.pend(ino, || Change::SetLen(len))
    }

    fn pend(&mut self, ino: Ino, change: impl FnOnce() -> Change) -> io::Result<()> {
        if self.tracked {
            let number = self.next_change;
            self.next_change += 1;
            self.content_mut(ino)?.pending.push((number, change()));
        }
        Ok(())
    }

    /// Every change numbered below this was made before now.
    pub(super) fn mark(&self) -> u64 {
        self.next_change
    }

    /// Makes durable what was changed before `mark`.
    pub(super) fn sync_file(&mut self, ino: Ino, mark: u64) -> io::Result<()> {
        let Content { durable, pending, .. } = self.content_mut(ino)?;
        let due = pending.partition_point(|(number, _)| *number < mark);
        if due > 0 {
            let durable = Arc::make_mut(durable);
            for (_, change) in pending.drain(..due) {
                change.apply(durable)?;
            }
        }
        Ok(())
    }

    /// Applies a failed sync: pending changes stay visible but will never reach the disk (D4).
    pub(super) fn lose(&mut self, ino: Ino, mark: u64) -> io::Result<()> {
        self.content_mut(ino)?.pending.retain(|(number, _)| *number >= mark);
        Ok(())
    }

    /// Changes the disk itself, unnoticed by any handle.
    pub(super) fn tamper(
        &mut self,
        ino: Ino,
        change: impl Fn(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let tracked = self.tracked;
        let content = self.content_mut(ino)?;
        change(Arc::make_mut(&mut content.seen))?;
        if tracked {
            change(Arc::make_mut(&mut content.durable))?;
        }
        Ok(())
    }

    fn content(&self, ino: Ino) -> io::Result<&Content> {
        match &self.node(ino)?.body {
            Body::File(content) => Ok(content),
            Body::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn content_mut(&mut self, ino: Ino) -> io::Result<&mut Content> {
        match &mut self.node_mut(ino)?.body {
            Body::File(content) => Ok(content),
            Body::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }
}

impl Content {
    pub(super) fn is_dirty(&self) -> bool {
        !self.pending.is_empty()
    }

    pub(super) fn pending_changes(&self, path: &Path) -> Vec<Pending> {
        let each = self.pending.iter().map(|(number, change)| Pending {
            number: *number,
            sectors: change.pieces().len() as u64,
            path: path.to_path_buf(),
        });
        each.collect()
    }

    pub(super) fn crash(&mut self, plan: CrashPlan, rng: Option<&mut Prng>) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty() && !plan.drops_content() {
            let len = self.durable.len();
            let durable = Arc::make_mut(&mut self.durable);
            match (plan, rng) {
                (CrashPlan::Random(_), Some(rng)) => match rng.below(4) {
                    0 => {}
                    1 => apply_all(durable, &pending),
                    _ => scatter(durable, &pending, |_, change| random_fate(change, rng)),
                },
                (plan, _) if plan.keeps_content() => apply_all(durable, &pending),
                (plan, _) => scatter(durable, &pending, |number, change| {
                    plan.fate(number, change.pieces().len())
                }),
            }
            if plan == CrashPlan::BytesOnly {
                durable.truncate(len);
            }
        }
        self.seen = Arc::clone(&self.durable);
    }

    /// All of it reaches the disk, but one of the changed bits is flipped.
    pub(super) fn crash_with_rot(&mut self, rng: &mut Option<Prng>) {
        let before = Arc::clone(&self.durable);
        self.crash(CrashPlan::KeepAll, None);
        let Some(rng) = rng else { return };
        let fresh = self.durable.iter().enumerate();
        let fresh: Vec<usize> =
            fresh.filter(|(at, byte)| before.get(*at) != Some(byte)).map(|(at, _)| at).collect();
        let at = usize::try_from(rng.below(fresh.len() as u64)).unwrap_or(0);
        let bit = 1 << rng.below(8);
        if let Some(at) = fresh.get(at)
            && let Some(byte) = Arc::make_mut(&mut self.durable).get_mut(*at)
        {
            *byte ^= bit;
        }
        self.seen = Arc::clone(&self.durable);
    }
}

fn apply_all(content: &mut Vec<u8>, pending: &[(u64, Change)]) {
    for (_, change) in pending {
        // It was applied to what is seen, so it fits.
        let _ = change.apply(content);
    }
}

fn random_fate(change: &Change, rng: &mut Prng) -> Fate {
    let fate = rng.below(3);
    let sectors = change.pieces().iter().map(|_| fate == 1 || fate == 2 && rng.coin()).collect();
    // A torn write may leave the new length all the same, with zeros for what is missing.
    Fate { sectors, len: fate == 1 || fate == 2 && rng.coin() }
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

/// Applies a part of `pending` to `content` (D2).
fn scatter(
    content: &mut Vec<u8>,
    pending: &[(u64, Change)],
    mut fate: impl FnMut(u64, &Change) -> Fate,
) {
    // For each sector, after how many changes it was written out.
    let mut written = BTreeMap::new();
    let mut kept = Vec::with_capacity(pending.len());
    for (index, (number, change)) in pending.iter().enumerate() {
        let Fate { sectors, len } = fate(*number, change);
        for ((sector, ..), reaches) in change.pieces().into_iter().zip(sectors) {
            if reaches {
                written.insert(sector, index + 1);
            }
        }
        kept.push(len);
    }
    for (index, ((_, change), kept)) in pending.iter().zip(kept).enumerate() {
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
