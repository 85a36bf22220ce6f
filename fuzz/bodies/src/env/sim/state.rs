//! The shared state of all handles of a simulated disk, and the check that every call passes.

use super::disk::{Disk, Ino};
use super::fault::{CutPoint, Faults, Op, OpKind, PowerCut, Reach};
use crate::env::{FileKind, Metadata, real};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) disk: Disk,
    /// Counts starts of the machine; a handle of another number is stale.
    pub(super) start: u64,
    /// The power is gone.
    pub(super) off: bool,
    pub(super) cut: Option<(u64, CutPoint)>,
    pub(super) ops_done: u64,
    pub(super) reads_done: u64,
    /// The log of counted calls; `None` where nobody asks for it.
    pub(super) ops: Option<Vec<Op>>,
    pub(super) faults: Faults,
    pub(super) capacity: Option<u64>,
    pub(super) sync_delay: Duration,
    /// The holders of each lock by their number, and whether they share it.
    pub(super) locks: BTreeMap<Ino, Vec<(u64, bool)>>,
    pub(super) next_lock: u64,
}

/// What the gate decided about one call.
pub(super) struct Passage {
    /// How much of it happens.
    pub(super) reach: Reach,
    /// What is answered afterwards.
    pub(super) answer: io::Result<()>,
    /// Refused by a fault, not by a power cut.
    pub(super) faulty: bool,
}

impl State {
    pub(super) fn new(disk: Disk, ops: Option<Vec<Op>>) -> Self {
        Self {
            disk,
            start: 0,
            off: false,
            cut: None,
            ops_done: 0,
            reads_done: 0,
            ops,
            faults: Faults::default(),
            capacity: None,
            sync_delay: Duration::ZERO,
            locks: BTreeMap::new(),
            next_lock: 0,
        }
    }

    pub(super) fn powered(&self) -> io::Result<()> {
        if self.off { Err(power_cut()) } else { Ok(()) }
    }

    /// Counts a call and asks whether it may happen. `Err` only after the power cut.
    pub(super) fn pass(&mut self, kind: OpKind, path: &Path) -> io::Result<Passage> {
        self.powered()?;
        if kind == OpKind::Read {
            self.reads_done += 1;
        } else {
            self.ops_done += 1;
            if let Some(ops) = &mut self.ops {
                ops.push(Op { kind, path: path.into() });
            }
            if let Some((at, point)) = self.cut
                && self.ops_done >= at
            {
                self.off = true;
                let reach = match point {
                    CutPoint::Before => Reach::Nothing,
                    CutPoint::After => Reach::All,
                };
                return Ok(Passage { reach, answer: Err(power_cut()), faulty: false });
            }
        }
        Ok(match self.faults.meet(kind, path) {
            Some((error, reach)) => Passage { reach, answer: Err(error), faulty: true },
            None => Passage { reach: Reach::All, answer: Ok(()), faulty: false },
        })
    }

    /// A call that happens whole or not at all.
    pub(super) fn change<T>(
        &mut self,
        kind: OpKind,
        path: &Path,
        effect: impl FnOnce(&mut Disk) -> io::Result<T>,
    ) -> io::Result<T> {
        let passage = self.pass(kind, path)?;
        match (passage.answer, passage.reach) {
            (Ok(()), _) => effect(&mut self.disk),
            (Err(error), reach) => {
                if reach == Reach::All {
                    let _ = effect(&mut self.disk);
                }
                Err(error)
            }
        }
    }

    /// How many of `want` more bytes the disk can take.
    pub(super) fn room(&self, want: u64) -> u64 {
        self.capacity.map_or(want, |bytes| want.min(bytes.saturating_sub(self.disk.used_bytes())))
    }

    pub(super) fn metadata(&self, ino: Ino) -> io::Result<Metadata> {
        let node = self.disk.node(ino)?;
        let dir = self.disk.is_dir(ino);
        Ok(Metadata {
            kind: if dir { FileKind::Dir } else { FileKind::File },
            len: if dir { 0 } else { self.disk.len(ino)? },
            mode: node.mode,
            uid: real::effective_uid(),
            identity: (0, ino),
            links: u64::from(self.disk.has_name(ino)),
        })
    }
}

pub(super) fn power_cut() -> io::Error {
    io::Error::other(PowerCut)
}
