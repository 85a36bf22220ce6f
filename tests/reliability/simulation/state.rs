//! The same images with the real store beside the log. After the crash sled's state is lost, stale, damaged
//! or intact, and the result must be the same.

use super::dump::{difference, dump, text};
use super::machine::{Machine, options_of, unlock};
use super::runner::{Image, Run};
use crate::common::folder;
use crate::common::rng::Rng;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use strongroom::__internals::env::faults::Faults;
use strongroom::__internals::env::{Env, real::RealFs};
use strongroom::__internals::vault::{StoreChoice, Vault, VaultDir};
use strongroom_fuzz_bodies::env::sim::{CrashPlan, SimFs};

/// A folder for real vaults, and the last state that was whole.
pub struct States<'a> {
    run: &'a Run,
    pub faults: Faults,
    base: tempfile::TempDir,
    has_kept: bool,
    pub opened: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Lost,
    Stale,
    Damaged,
    Whole,
}

impl<'a> States<'a> {
    pub fn new(run: &'a Run) -> Self {
        let faults = Faults::none();
        let base = tempfile::tempdir().unwrap();
        Self { run, faults, base, has_kept: false, opened: 0 }
    }

    fn vault_dir(&self) -> PathBuf {
        self.base.path().join("vault")
    }

    fn kept(&self) -> PathBuf {
        self.base.path().join("kept")
    }

    fn machine(&self, image: &Image, seed: u64) -> Machine {
        Machine::with_disk(SimFs::new(), image.wall, seed)
    }

    fn options(&self, machine: &Machine) -> strongroom::__internals::vault::Options {
        let env = Env { fs: std::sync::Arc::new(RealFs), ..machine.sim.reboot() };
        let mut options = options_of(env, self.faults);
        options.tuning.store = StoreChoice::Auto;
        options.tuning.memtable = machine.memtable;
        options
    }

    fn open(&self, machine: &Machine, key: &[u8]) -> Result<Vault, String> {
        let opened = self.options(machine).open(&self.vault_dir(), &unlock(key));
        opened.map_err(|error| format!("does not open: {}", text(&error)))
    }

    /// A power cut on `image`, with something for a state.
    pub fn crash(&mut self, image: &Image, rng: &mut Rng) -> Result<(), String> {
        if !image.made || image.changes_key {
            return Ok(());
        }
        let disk = image.fs.fork();
        // Nothing unsynced is kept: so a state of an earlier image is never ahead of the log.
        disk.crash(CrashPlan::DropAll);
        let key = &self.run.keys[image.key];
        let left = match rng.below(8) {
            0 => Left::Lost,
            1 => Left::Whole,
            2..5 if self.has_kept => Left::Stale,
            5.. if self.has_kept => Left::Damaged,
            _ => Left::Lost,
        };
        self.lay(&disk);
        if matches!(left, Left::Stale | Left::Damaged) {
            folder::copy(&self.kept(), &self.vault_dir().join("state"));
        }
        if left == Left::Damaged {
            damage(&self.vault_dir().join("state"), rng);
        }
        let machine = self.machine(image, rng.next_u64());
        let why = |error: String| format!("state {left:?}: {error}");
        if left == Left::Whole {
            let vault = self.open(&machine, key).map_err(why)?;
            vault.close().map_err(|error| text(&error))?;
            self.keep();
            self.lay(&disk);
            folder::copy(&self.kept(), &self.vault_dir().join("state"));
        }
        let vault = self.open(&machine, key).map_err(why)?;
        self.opened += 1;
        let found = dump(&vault).map_err(why)?;
        let promised = &self.run.prefixes[image.shown];
        let next = self.run.prefixes.get(image.shown + 1);
        if found != *promised && next != Some(&found) {
            return Err(why(difference(promised, &found)));
        }
        super::crash::write(&vault, "after-the-crash").map_err(why)?;
        let written = dump(&vault).map_err(why)?;
        vault.close().map_err(|error| why(text(&error)))?;
        let dir = VaultDir::lock(&self.vault_dir(), &self.options(&machine));
        let report = dir.and_then(|dir| dir.check(&unlock(key), true));
        let report = report.map_err(|error| why(text(&error)))?;
        if !report.damage.is_empty() || !report.warnings.is_empty() {
            return Err(why(format!("check: {report:?}")));
        }
        let vault = self.open(&machine, key).map_err(why)?;
        if dump(&vault).map_err(why)? != written {
            return Err(why("differs when it is opened again".into()));
        }
        drop(vault);
        // The state of this very image, for later ones.
        self.lay(&disk);
        let vault = self.open(&machine, key).map_err(why)?;
        vault.close().map_err(|error| why(text(&error)))?;
        self.keep();
        Ok(())
    }

    fn keep(&mut self) {
        let _ = fs::remove_dir_all(self.kept());
        folder::copy(&self.vault_dir().join("state"), &self.kept());
        self.has_kept = true;
    }

    /// Writes the simulated disk's vault into the real folder.
    fn lay(&self, disk: &SimFs) {
        let dir = self.vault_dir();
        let _ = fs::remove_dir_all(&dir);
        private(&dir);
        private(&dir.join("log"));
        for path in disk.paths() {
            let to = dir.join(path.strip_prefix(super::machine::DIR).unwrap());
            fs::write(&to, disk.read_all(&path).unwrap()).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

fn private(dir: &Path) {
    fs::create_dir(dir).unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
}

/// A few bits flipped in one file, or its end cut off.
fn damage(state: &Path, rng: &mut Rng) {
    let mut files: Vec<PathBuf> =
        fs::read_dir(state).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    let path = rng.pick(&files);
    let mut bytes = fs::read(path).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |at| at + 1);
    if rng.chance(30) {
        bytes.truncate(rng.below(used));
    } else {
        for _ in 0..1 + rng.below(3) {
            let at = rng.below(used.min(bytes.len()).max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
    }
    fs::write(path, bytes).unwrap();
}
