//! Opens on hostile media: a read-only or full file system, one without locks, without syncs of folders or
//! without modes, a folder of another user or open to others, and links in place of each file.
//!
//! What must hold (rules OWN, MEDIA, MSG and ID): each open ends as the rule for its medium says, every error
//! names the folder and a next step, what was refused is unchanged byte for byte, and on a medium that works
//! all acknowledged secrets are there afterwards.

use crate::common::forward::{forward_file, forward_fs};
use crate::common::rng::Rng;
use crate::figures;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom::__internals::crypto::{Unlock, key_file};
use strongroom::__internals::env::{
    DirEntry, Env, File, FileKind, Fs, LockGuard, LockMode, Metadata, OpenMode, memory::MemoryFs,
    read_file,
};
use strongroom::__internals::error::{Error, ErrorKind};
use strongroom::__internals::vault::{Options, Vault, VaultDir};

const DIR: &str = "/srv/vault";
const EROFS: i32 = 30;
const ENOSPC: i32 = 28;
const EINVAL: i32 = 22;
const ENOLCK: i32 = 37;
const EOPNOTSUPP: i32 = 95;
/// The names that a link can stand in for, from the folder itself on.
const LINKS: [&str; 8] = [
    "LOCK",
    "keystore.a",
    "keystore.b",
    "manifest.a",
    "manifest.b",
    "log",
    "log/0000000000.snap",
    "log/0000000001.wal",
];

/// What is wrong with a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    ReadOnly,
    Full,
    NoLocks(i32),
    NoFolderSync,
    NoModes,
    OtherOwner,
    Lax(u32),
    Link(&'static str),
}

/// Files in memory on such a medium.
struct Hostile {
    files: MemoryFs,
    trouble: Trouble,
}

fn errno(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl Hostile {
    fn change(&self) -> io::Result<()> {
        if self.trouble == Trouble::ReadOnly { Err(errno(EROFS)) } else { Ok(()) }
    }

    fn grow(&self) -> io::Result<()> {
        self.change()?;
        if self.trouble == Trouble::Full { Err(errno(ENOSPC)) } else { Ok(()) }
    }

    fn is_link(&self, path: &Path) -> bool {
        matches!(self.trouble, Trouble::Link(name) if path == Path::new(DIR).join(name))
    }
}

/// A file on a full medium: it does not get longer.
struct FullFile(Arc<dyn File>);

impl File for FullFile {
    forward_file!(0: read_at sync_data sync_all len metadata);
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if offset + bytes.len() as u64 > self.0.len()? {
            return Err(errno(ENOSPC));
        }
        self.0.write_all_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > self.0.len()? { Err(errno(ENOSPC)) } else { self.0.set_len(len) }
    }
}

impl Fs for Hostile {
    forward_fs!(files: bind is_real);
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        if self.is_link(path) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let is_there = self.files.metadata(path)?.is_some();
        match mode {
            OpenMode::Read => {}
            OpenMode::Existing if !is_there => {}
            OpenMode::Existing => self.change()?,
            OpenMode::Create if is_there => self.change()?,
            OpenMode::Create | OpenMode::CreateNew => self.grow()?,
        }
        let file = self.files.open(path, mode)?;
        Ok(if self.trouble == Trouble::Full { Arc::new(FullFile(file)) } else { file })
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.grow()?;
        self.files.create_dir(path)
    }
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = self.files.read_dir(path)?;
        for entry in &mut entries {
            if self.is_link(&path.join(&entry.name)) {
                entry.kind = FileKind::Other;
            }
        }
        Ok(entries)
    }
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let Some(mut found) = self.files.metadata(path)? else { return Ok(None) };
        let is_folder = path == Path::new(DIR) || path == Path::new(DIR).join(".");
        match self.trouble {
            Trouble::NoModes if found.kind == FileKind::Dir => found.mode = 0o777,
            Trouble::NoModes => found.mode = 0o666,
            Trouble::OtherOwner => found.uid += 1,
            Trouble::Lax(mode) if is_folder => found.mode = mode,
            _ if self.is_link(path) => found.kind = FileKind::Other,
            _ => {}
        }
        Ok(Some(found))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        self.files.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        self.files.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        self.files.remove_dir_all(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if self.trouble == Trouble::NoFolderSync {
            return Err(errno(EINVAL));
        }
        self.files.sync_dir(path)
    }
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.change()?;
        if self.trouble == Trouble::NoModes { Ok(()) } else { self.files.set_mode(path, mode) }
    }
    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        if self.trouble == Trouble::Full { Ok(0) } else { self.files.free_bytes(path) }
    }
    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        if let Trouble::NoLocks(number) = self.trouble {
            return Err(errno(number));
        }
        if self.is_link(path) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        if mode != LockMode::Shared && self.files.metadata(path)?.is_none() {
            self.grow()?;
        }
        self.files.lock(path, mode)
    }
}

/// A medium, and how to open the vault on it.
struct Case {
    fs: Arc<Hostile>,
    key: Vec<u8>,
    secrets: BTreeMap<String, String>,
}

fn options(fs: &Arc<Hostile>) -> Options {
    let mut options = Options::default();
    options.tuning.env = Some(Env { fs: Arc::clone(fs) as Arc<dyn Fs>, ..Env::in_memory() });
    options.tuning.background = false;
    options.tuning.segment_bytes_first = 32 * 1024;
    options.tuning.segment_bytes_max = 64 * 1024;
    options.tuning.reserve_bytes = 16 * 1024;
    options
}

impl Case {
    /// A vault with some secrets, closed or left as after a crash, on a medium that works.
    fn make(rng: &mut Rng) -> Self {
        let fs = Arc::new(Hostile { files: MemoryFs::new(), trouble: Trouble::None });
        let mut key = Vec::new();
        let place = VaultDir::make(Path::new(DIR), &options(&fs)).unwrap();
        let vault = place.create(|id| {
            let text = key_file::generate(id, Env::real().entropy.as_ref()).unwrap();
            key = text.expose().to_vec();
            Ok(Unlock::KeyFile(text))
        });
        let (vault, mut secrets) = (vault.unwrap(), BTreeMap::new());
        for number in 0..=rng.below(6) {
            let (name, value) = (format!("s{number}"), rng.next_u64().to_string());
            vault.put(&name, value.as_str()).unwrap();
            secrets.insert(name, value);
        }
        if rng.chance(60) {
            vault.close().unwrap();
        }
        drop(vault);
        Self { fs, key, secrets }
    }

    fn on(&self, trouble: Trouble) -> Self {
        let fs = Arc::new(Hostile { files: self.fs.files.fork(), trouble });
        Self { fs, key: self.key.clone(), secrets: self.secrets.clone() }
    }

    fn unlock(&self) -> Unlock {
        Unlock::KeyFile(self.key.as_slice().into())
    }

    fn open(&self, allow_lax_modes: bool) -> Result<Vault, Error> {
        let builder = Vault::builder(DIR).options(options(&self.fs));
        builder.allow_lax_modes(allow_lax_modes).open(self.unlock())
    }

    fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = &self.fs.files;
        let read = |path: PathBuf| (path.clone(), read_file(files, &path, u64::MAX).unwrap());
        files.paths().into_iter().map(read).collect()
    }

    fn reads(&self, vault: &Vault) -> Result<(), String> {
        for (name, value) in &self.secrets {
            let found = vault.get(name).map_err(|error| format!("{name}: {error}"))?;
            if found.as_str() != Ok(value) {
                return Err(format!("{name} reads wrong"));
            }
        }
        Ok(())
    }

    /// Refused, and nothing has changed.
    fn is_refused(
        &self,
        allow_lax_modes: bool,
        is_right: fn(&ErrorKind) -> bool,
    ) -> Result<(), String> {
        let before = self.bytes();
        let error = match self.open(allow_lax_modes) {
            Ok(_) => return Err("it was opened".into()),
            Err(error) => error,
        };
        let said = error.to_string();
        if !is_right(error.kind()) {
            return Err(format!("refused otherwise: {said}"));
        }
        let is_told = matches!(error.kind(), ErrorKind::Damaged { .. }) || said.contains(DIR);
        if !is_told || said.contains("op=") || said.lines().count() > 3 {
            return Err(format!("told badly: {said}"));
        }
        if self.bytes() != before {
            return Err("something was changed".into());
        }
        Ok(())
    }

    /// One open, and what came of it. Returns what was acknowledged besides.
    fn judge(&mut self, trouble: Trouble) -> Result<(), String> {
        match trouble {
            Trouble::ReadOnly => {
                let before = self.bytes();
                let vault = self.open(false).map_err(|error| format!("not read: {error}"))?;
                self.reads(&vault)?;
                let put = vault.put("new", "value").map_err(|error| error.kind().clone());
                if put != Err(ErrorKind::ReadOnly) {
                    return Err(format!("a put: {put:?}"));
                }
                vault.close().map_err(|error| format!("no close: {error}"))?;
                drop(vault);
                let builder = || Vault::builder(DIR).options(options(&self.fs));
                let report = builder().check(self.unlock(), true).map_err(|e| e.to_string())?;
                if !report.damage.is_empty() {
                    return Err(format!("damage: {:?}", report.damage));
                }
                let repaired = builder().repair(self.unlock(), true).err();
                if repaired.map(|error| error.kind().clone()) != Some(ErrorKind::ReadOnly) {
                    return Err("it was repaired".into());
                }
                if self.bytes() == before { Ok(()) } else { Err("something was changed".into()) }
            }
            Trouble::Full => match self.open(false) {
                Err(error) if error.is_no_space() => Ok(()),
                Err(error) => Err(format!("not opened: {error}")),
                Ok(vault) => {
                    self.reads(&vault)?;
                    match vault.put("new", "value") {
                        Ok(_) => drop(self.secrets.insert("new".into(), "value".into())),
                        Err(error) if error.is_no_space() => {}
                        Err(error) => return Err(format!("a put: {error}")),
                    }
                    let _ = vault.close();
                    Ok(())
                }
            },
            Trouble::NoFolderSync => match self.open(false) {
                // A vault that was closed needs no sync of a folder until it grows.
                Ok(vault) => {
                    self.reads(&vault)?;
                    if vault.put("new", "value").is_ok() {
                        self.secrets.insert("new".into(), "value".into());
                    }
                    let _ = vault.close();
                    Ok(())
                }
                Err(error) if error.to_string().contains("does not support it") => Ok(()),
                Err(error) => Err(format!("not told: {error}")),
            },
            Trouble::NoLocks(_) => self.is_refused(false, |kind| {
                matches!(kind, ErrorKind::Unsuitable { .. } | ErrorKind::Io { .. })
            }),
            Trouble::OtherOwner => {
                let is_right = |kind: &ErrorKind| matches!(kind, ErrorKind::OtherOwner { .. });
                self.is_refused(false, is_right)?;
                self.is_refused(true, is_right)
            }
            Trouble::NoModes | Trouble::Lax(_) => {
                self.is_refused(false, |kind| matches!(kind, ErrorKind::LaxPermissions { .. }))?;
                let vault = self.open(true).map_err(|error| format!("not allowed: {error}"))?;
                self.reads(&vault)?;
                vault.close().map_err(|error| format!("no close: {error}"))
            }
            Trouble::Link(_) => self.is_refused(false, |kind| {
                matches!(
                    kind,
                    ErrorKind::Link { .. } | ErrorKind::Io { .. } | ErrorKind::Damaged { .. }
                )
            }),
            Trouble::None => Ok(()),
        }
    }
}

fn trouble(rng: &mut Rng) -> Trouble {
    match rng.below(8) {
        0 => Trouble::ReadOnly,
        1 => Trouble::Full,
        2 => Trouble::NoLocks([ENOLCK, EOPNOTSUPP, EINVAL][rng.below(3)]),
        3 => Trouble::NoFolderSync,
        4 => Trouble::NoModes,
        5 => Trouble::OtherOwner,
        6 => Trouble::Lax([0o750, 0o705, 0o770, 0o777, 0o2770, 0o701][rng.below(6)]),
        _ => Trouble::Link(LINKS[rng.below(LINKS.len())]),
    }
}

#[test]
fn each_open_on_a_hostile_medium_ends_as_its_rule_says() {
    let seeds = figures::seeds(1_000, 1_000);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for seed in seeds.clone() {
        let mut rng = Rng::new(seed);
        let sound = Case::make(&mut rng);
        let trouble = trouble(&mut rng);
        let mut case = sound.on(trouble);
        let judged = case.judge(trouble);
        judged.unwrap_or_else(|why| panic!("seed {seed}, {trouble:?}: {why}"));
        // On a medium that works, all that was acknowledged is there.
        let after = case.on(Trouble::None);
        let vault = after.open(false).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        after.reads(&vault).unwrap_or_else(|why| panic!("seed {seed}, {trouble:?}: {why}"));
        let name = format!("{trouble:?}");
        *counts.entry(name.split('(').next().unwrap().to_owned()).or_default() += 1;
    }
    let of = |trouble: &str| counts.get(trouble).copied().unwrap_or_default();
    let told = [
        ("opens", seeds.end - seeds.start),
        ("on a read-only medium", of("ReadOnly")),
        ("on a full medium", of("Full")),
        ("without locks", of("NoLocks")),
        ("without syncs of folders", of("NoFolderSync")),
        ("without modes", of("NoModes")),
        ("of another user", of("OtherOwner")),
        ("open to others", of("Lax")),
        ("with a link", of("Link")),
    ];
    assert_eq!(told.iter().skip(1).map(|(_, count)| count).sum::<u64>(), seeds.end - seeds.start);
    figures::tell("hostile media", &seeds, &told);
    assert!(counts.len() == 8 || seeds.end - seeds.start < 200, "{counts:?}");
}

/// The control: a medium that works opens, and a rule for another medium does not hold there.
#[test]
fn a_sound_medium_is_not_refused() {
    let mut rng = Rng::new(1);
    let case = Case::make(&mut rng).on(Trouble::None);
    let refused = case.is_refused(false, |_| true);
    assert_eq!(refused, Err("it was opened".into()));
}
