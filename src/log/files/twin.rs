//! Twin files: a small fixed-size record kept in two files that are written in turn.
//!
//! ```text
//!   0  magic "SRTWIN\r\n"          8
//!   8  stem, zero-padded          16
//!  24  format                  u32 4
//!  28  body length             u32 4
//!  32  generation              u64 8
//!  40  SHA-256 of all the rest    32
//!  72  body                      body_bytes
//! ```
//!
//! Implements TWIN-1 to TWIN-8. The checksum has no key, so that damage and a wrong key can be told
//! apart.
//!
//! - **TW1** The copy with the highest generation and a good checksum wins. The other one is used only
//!   if the winner's checksum is bad, never because a key does not fit.
//! - **TW2** At every moment one copy is whole *on the medium*: a copy is overwritten only while the
//!   other is known to be durable. Copies that an earlier process left may be only in the page cache.
//!   The first write of a handle therefore rewrites the winner, same bytes, same file.

use super::twin_slot::SlotContent;
use super::twin_slot::{MAGIC, sum};
use crate::codec::Reader;
use crate::env::threads::sync::{Arc, Mutex, PoisonError};
use crate::env::{Fs, OpenMode};
use crate::log::error::LogError;
use crate::log::files;
use crate::log::files::{GoodCopy, Slot};
use std::io;
use std::path::{Path, PathBuf};

/// Bytes before the body.
pub const TWIN_HEADER_BYTES: usize = 72;
/// No twin file, of this format or a later one, is longer.
pub(crate) const FILE_BYTES_MAX: usize = 1 << 20;

/// Two files `{stem}.a` and `{stem}.b` of one fixed size.
pub struct Twin {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    stem: &'static str,
    body_bytes: usize,
    /// The newest format that is read, and the one that is written.
    format: u32,
    /// The oldest format that is read. Its bodies are as long.
    oldest: u32,
    /// Where in a body its vault's id stands, and which (TWIN-8).
    owner: Option<(usize, [u8; 16])>,
    /// Whether both copies are known to be durable and equal (TW2).
    confirmed: Mutex<bool>,
}

/// What a twin holds.
#[derive(Clone, PartialEq, Eq)]
pub struct TwinContent {
    /// Rises with every write.
    pub generation: u64,
    /// Exactly `body_bytes` bytes.
    pub body: Vec<u8>,
    /// The format of the body.
    pub format: u32,
    /// One copy is missing, damaged or older, and is rewritten by the next [`Twin::repair`].
    pub needs_repair: bool,
}

/// Both copies, A first: what they are, and their bytes if there is such a file.
type Copies = ([SlotContent; 2], [Option<Vec<u8>>; 2]);

/// The winner of two copies.
struct Winner {
    slot: Slot,
    content: TwinContent,
    /// The copy as it was read.
    bytes: Vec<u8>,
}

impl Twin {
    /// Describes the twin `stem` in `dir`, its bodies being exactly `body_bytes` long. `stem` has
    /// at most 16 bytes. Touches nothing.
    #[must_use]
    pub fn new(
        fs: Arc<dyn Fs>,
        dir: &Path,
        stem: &'static str,
        body_bytes: usize,
        format: u32,
    ) -> Self {
        let (dir, confirmed) = (dir.to_path_buf(), Mutex::new(false));
        Self { fs, dir, stem, body_bytes, format, oldest: format, owner: None, confirmed }
    }

    /// The same twin, where copies of older formats are read too, from `oldest` on.
    #[must_use]
    pub fn since(mut self, oldest: u32) -> Self {
        self.oldest = oldest;
        self
    }

    /// The same twin in a copy of the files.
    #[cfg(feature = "testkit")]
    #[must_use]
    pub fn fork(&self, fs: &Arc<dyn Fs>) -> Self {
        let confirmed = *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            fs: Arc::clone(fs),
            dir: self.dir.clone(),
            stem: self.stem,
            body_bytes: self.body_bytes,
            format: self.format,
            oldest: self.oldest,
            owner: self.owner,
            confirmed: Mutex::new(confirmed),
        }
    }

    /// The same twin of the vault whose id stands at `at` in its bodies: another vault's copy does
    /// not count beside one of ours (TWIN-8).
    #[must_use]
    pub fn of_vault(mut self, at: usize, vault: [u8; 16]) -> Self {
        self.owner = Some((at, vault));
        self
    }

    /// The copies whose checksum is good. Never writes.
    pub fn copies(&self) -> Result<Vec<GoodCopy>, LogError> {
        let mut good = Vec::new();
        let (found, _) = self.read_copies()?;
        for (slot, found) in [Slot::A, Slot::B].into_iter().zip(found) {
            if let SlotContent::Good { generation, format, body } = found {
                good.push(GoodCopy { slot, generation, format, body });
            }
        }
        Ok(good)
    }

    /// The copies that are missing, damaged or older, each with the rule broken. Never writes.
    pub fn faults(&self) -> Result<Vec<(String, &'static str)>, LogError> {
        let ([a, b], _) = self.read_copies()?;
        let [a, b] = self.without_stray(a, b);
        let newest = a.generation().max(b.generation());
        let fault = |found: &SlotContent| match found {
            SlotContent::Bad { rule } => Some(*rule),
            good if good.generation() < newest => Some("TWIN-4"),
            _ => None,
        };
        let faults = [(Slot::A, fault(&a)), (Slot::B, fault(&b))].into_iter();
        Ok(faults.filter_map(|(slot, rule)| Some((self.name(slot), rule?))).collect())
    }

    /// The file of a copy.
    #[must_use]
    pub fn name_of(&self, slot: Slot) -> String {
        self.name(slot)
    }

    /// Writes the chosen copy over the other one, for a caller that has proven which is right.
    /// A crash in between leaves the other one bad, and the chosen one still wins.
    pub fn settle_on(&self, chosen: &GoodCopy) -> Result<(), LogError> {
        let bytes = self.encode(chosen.format, chosen.generation, &chosen.body)?;
        let mut confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        *confirmed = false;
        self.write_copy(chosen.slot, &bytes)?;
        self.write_copy(chosen.slot.other(), &bytes)?;
        files::sync_dir(self.fs.as_ref(), &self.dir, "")?;
        *confirmed = true;
        Ok(())
    }

    /// Whether any of the two files is there.
    pub fn exists(&self) -> io::Result<bool> {
        Ok(self.fs.metadata(&self.path(Slot::A))?.is_some()
            || self.fs.metadata(&self.path(Slot::B))?.is_some())
    }

    /// Creates both files and syncs them, their folder and its parent. Removes first what an
    /// interrupted creation left under these names.
    pub fn create(&self, generation: u64, body: &[u8]) -> Result<(), LogError> {
        self.create_as(self.format, generation, body)
    }

    /// The same in a format that this twin reads.
    pub fn create_as(&self, format: u32, generation: u64, body: &[u8]) -> Result<(), LogError> {
        let bytes = self.encode(format, generation, body)?;
        let mut confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        *confirmed = false;
        for slot in [Slot::A, Slot::B] {
            match self.fs.remove_file(&self.path(slot)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(LogError::io("remove", &self.name(slot), error));
                }
                _ => (),
            }
        }
        files::sync_dir(self.fs.as_ref(), &self.dir, "")?;
        for slot in [Slot::A, Slot::B] {
            self.write_copy(slot, &bytes)?;
        }
        files::sync_dir_and_parent(self.fs.as_ref(), &self.dir)?;
        *confirmed = true;
        Ok(())
    }

    /// From now on both names must lead to the files that they lead to now (I11).
    pub(crate) fn watch(&self) {
        for slot in [Slot::A, Slot::B] {
            let path = self.path(slot);
            // One that is missing is watched once it is written.
            if let Ok(file) = self.fs.open(&path, OpenMode::Read) {
                self.fs.watch(&path, &file);
            }
        }
    }

    /// What the twin holds. Never writes.
    pub fn read(&self) -> Result<TwinContent, LogError> {
        self.winner().map(|winner| winner.content)
    }

    /// Writes both copies, one after the other, each synced. Both are durable when this returns. After
    /// an error either the old or the new content is durable; write again only after
    /// [`LogError::NoSpace`] or after reading the twin again.
    ///
    /// `generation` must be above the one on disk, unless the content is the same.
    pub fn write(&self, generation: u64, body: &[u8]) -> Result<(), LogError> {
        self.write_as(self.format, generation, body)
    }

    /// The same in a format that this twin reads.
    pub fn write_as(&self, format: u32, generation: u64, body: &[u8]) -> Result<(), LogError> {
        let bytes = self.encode(format, generation, body)?;
        let mut confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        if *confirmed {
            *confirmed = false;
            self.write_copy(Slot::A, &bytes)?;
            self.write_copy(Slot::B, &bytes)?;
        } else {
            let Winner { slot, content, bytes: found } = self.winner()?;
            let newer = generation > content.generation;
            let is_same = (generation, format, body)
                == (content.generation, content.format, content.body.as_slice());
            if !newer && !is_same {
                return Err(LogError::Refused { what: "twin generation does not rise" });
            }
            self.write_copy(slot, &found)?;
            self.write_copy(slot.other(), &bytes)?;
            // The name of the other copy may be new. It must be durable before the winner changes.
            files::sync_dir(self.fs.as_ref(), &self.dir, "")?;
            self.write_copy(slot, &bytes)?;
        }
        *confirmed = true;
        Ok(())
    }

    /// Writes what [`Self::read`] returned into both copies, which repairs a bad or older one.
    pub fn repair(&self, content: &TwinContent) -> Result<(), LogError> {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.write_as(content.format, content.generation, &content.body)
    }

    /// The file names relative to the vault, for error reports.
    #[must_use]
    pub fn names(&self) -> [String; 2] {
        [self.name(Slot::A), self.name(Slot::B)]
    }

    /// The copy that lost, if it is whole: what nobody must use.
    #[must_use]
    pub fn read_loser(&self) -> Option<TwinContent> {
        let winner = self.winner().ok()?.slot;
        match self.judge(self.read_bytes(winner.other()).ok()?.as_deref()) {
            SlotContent::Good { generation, format, body } => {
                Some(TwinContent { generation, body, format, needs_repair: false })
            }
            _ => None,
        }
    }

    fn name(&self, slot: Slot) -> String {
        format!("{}.{}", self.stem, if slot == Slot::A { "a" } else { "b" })
    }

    fn path(&self, slot: Slot) -> PathBuf {
        self.dir.join(self.name(slot))
    }

    fn winner(&self) -> Result<Winner, LogError> {
        let ([a, b], [in_a, in_b]) = self.read_copies()?;
        let [a, b] = self.without_stray(a, b);
        let (first, slot, second) = match (a.generation(), b.generation()) {
            (left, right) if left >= right => (a, Slot::A, b),
            _ => (b, Slot::B, a),
        };
        match (first, second) {
            (SlotContent::Newer { format, .. }, _) => Err(LogError::NewerFormat {
                file: self.name(slot),
                found: format,
                known: self.format,
            }),
            (SlotContent::Bad { rule }, _) => Err(LogError::damaged(self.name(slot), 0, rule)),
            (SlotContent::Good { generation, format, body }, second) => {
                let differs = match &second {
                    SlotContent::Good { generation: same, format: of, body: other } => {
                        *same == generation && (*of, other) != (format, &body)
                    }
                    SlotContent::Newer { generation: same, .. } => *same == generation,
                    SlotContent::Bad { .. } => false,
                };
                if differs {
                    return Err(LogError::damaged(self.name(slot.other()), 0, "TWIN-5"));
                }
                let needs_repair = second.generation() != Some(generation);
                let bytes = if slot == Slot::A { in_a } else { in_b };
                let content = TwinContent { generation, body, format, needs_repair };
                Ok(Winner { slot, content, bytes: bytes.unwrap_or_default() })
            }
        }
    }

    /// TWIN-8: beside a good copy of this vault, a copy of another vault counts as bad. If both are of
    /// another vault both stay, and the MAC in the body reports it.
    fn without_stray(&self, a: SlotContent, b: SlotContent) -> [SlotContent; 2] {
        let stray = SlotContent::Bad { rule: "TWIN-8" };
        match (self.is_ours(&a), self.is_ours(&b)) {
            (Some(true), Some(false)) => [a, stray],
            (Some(false), Some(true)) => [stray, b],
            _ => [a, b],
        }
    }

    /// Whether a good copy names this vault; `None` if that is unknown.
    fn is_ours(&self, found: &SlotContent) -> Option<bool> {
        let ((at, vault), SlotContent::Good { body, .. }) = (self.owner?, found) else {
            return None;
        };
        Some(body.get(at..)?.starts_with(&vault))
    }

    /// Both copies, what they are and their bytes. Equal bytes are judged once.
    fn read_copies(&self) -> Result<Copies, LogError> {
        let (a, b) = (self.read_bytes(Slot::A)?, self.read_bytes(Slot::B)?);
        let first = self.judge(a.as_deref());
        let second = if a == b { first.clone() } else { self.judge(b.as_deref()) };
        Ok(([first, second], [a, b]))
    }

    fn judge(&self, bytes: Option<&[u8]>) -> SlotContent {
        let Some(bytes) = bytes else { return SlotContent::Bad { rule: "TWIN-1" } };
        self.decode(bytes).unwrap_or(SlotContent::Bad { rule: "TWIN-2" })
    }

    /// The bytes of a copy; `None`: there is no such file.
    fn read_bytes(&self, slot: Slot) -> Result<Option<Vec<u8>>, LogError> {
        let name = self.name(slot);
        let file = match self.fs.open(&self.path(slot), OpenMode::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LogError::io("open", &name, error)),
        };
        let len = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(FILE_BYTES_MAX + 1);
        files::read_up_to(file.as_ref(), &name, len, 0).map(Some)
    }

    /// `None`: not a copy of this twin.
    fn decode(&self, bytes: &[u8]) -> Option<SlotContent> {
        if bytes.len() > FILE_BYTES_MAX {
            return None;
        }
        let mut reader = Reader::new(bytes);
        let magic: [u8; 8] = reader.array().ok()?;
        let stem: [u8; 16] = reader.array().ok()?;
        let format = reader.u32().ok()?;
        let body_bytes = reader.u32().ok()?;
        let generation = reader.u64().ok()?;
        let checksum: [u8; 32] = reader.array().ok()?;
        let body = reader.rest();
        let whole = magic == MAGIC
            && stem == self.padded_stem()
            && usize::try_from(body_bytes).ok()? == body.len()
            && checksum == sum(format, &stem, generation, body);
        if !whole {
            return None;
        }
        if format > self.format {
            return Some(SlotContent::Newer { generation, format });
        }
        let is_known = (self.oldest..=self.format).contains(&format);
        (is_known && body.len() == self.body_bytes).then(|| SlotContent::Good {
            generation,
            format,
            body: body.to_vec(),
        })
    }

    fn encode(&self, format: u32, generation: u64, body: &[u8]) -> Result<Vec<u8>, LogError> {
        let stem = self.padded_stem();
        let fits = body.len() == self.body_bytes
            && (self.oldest..=self.format).contains(&format)
            && self.stem.len() <= stem.len()
            && body.len() <= FILE_BYTES_MAX - TWIN_HEADER_BYTES;
        let len = u32::try_from(body.len()).ok().filter(|_| fits);
        let Some(len) = len else {
            return Err(LogError::Refused { what: "twin body has the wrong length" });
        };
        let mut bytes = Vec::with_capacity(TWIN_HEADER_BYTES + body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&stem);
        bytes.extend_from_slice(&format.to_le_bytes());
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&generation.to_le_bytes());
        bytes.extend_from_slice(&sum(format, &stem, generation, body));
        bytes.extend_from_slice(body);
        Ok(bytes)
    }

    fn padded_stem(&self) -> [u8; 16] {
        let mut stem = [0; 16];
        for (to, from) in stem.iter_mut().zip(self.stem.bytes()) {
            *to = from;
        }
        stem
    }

    fn write_copy(&self, slot: Slot, bytes: &[u8]) -> Result<(), LogError> {
        let name = self.name(slot);
        let file = self
            .fs
            .open(&self.path(slot), OpenMode::Create)
            .map_err(|error| LogError::open(&name, error))?;
        self.fs.watch(&self.path(slot), &file);
        file.write_all_at(bytes, 0).map_err(|error| LogError::write(&name, error))?;
        let len = file.len().map_err(|error| LogError::io("stat", &name, error))?;
        if len != bytes.len() as u64 {
            file.set_len(bytes.len() as u64).map_err(|error| LogError::write(&name, error))?;
        }
        file.sync_all().map_err(|error| LogError::io("sync", &name, error))
    }
}
