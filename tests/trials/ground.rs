//! A home of another user: what one user does to another's vault.

use crate::cmd::{BINARY, Said, finish};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub const AMY: u32 = 12_345;
pub const ROOT: u32 = 0;

/// Whether other users can be tried here; says SKIP if not.
pub fn has_users() -> bool {
    let possible = rustix::process::geteuid().is_root() && has("setpriv");
    if !possible {
        println!("SKIP not root, or no setpriv: nobody else can be tried");
    }
    possible
}

/// Whether file systems can be mounted in a namespace of our own; says SKIP if not.
pub fn has_mounts() -> bool {
    let script = "mount -t tmpfs tmpfs /mnt";
    let tried = Command::new("unshare").args(["-m", "sh", "-c", script]).output();
    let possible = tried.is_ok_and(|output| output.status.success());
    if !possible {
        println!("SKIP nothing can be mounted here");
    }
    possible
}

fn has(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(command).exists())
}

pub fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Every file and folder with what can be seen of it.
pub fn marks(dir: &Path) -> Vec<String> {
    let mut paths = crate::cmd::tree(dir);
    paths.push(dir.to_owned());
    let mark = |path: &PathBuf| {
        let found = std::fs::symlink_metadata(path).unwrap();
        let (modified, nanos) = (found.mtime(), found.mtime_nsec());
        let (uid, mode, inode) = (found.uid(), found.mode(), found.ino());
        format!("{} {uid} {mode:o} {inode} {modified}.{nanos}", path.display())
    };
    paths.iter().map(mark).collect()
}

/// A home of Amy's with a vault that has a secret, and a copy of the command that anyone may run.
pub struct Ground {
    scratch: tempfile::TempDir,
}

impl Ground {
    pub fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        set_mode(scratch.path(), 0o755);
        let ground = Self { scratch };
        // By another process: what this one writes could not be run while a child holds it open.
        let copied = Command::new("cp").arg(&*BINARY).arg(ground.binary()).status().unwrap();
        assert!(copied.success());
        set_mode(&ground.binary(), 0o755);
        std::fs::create_dir(ground.home()).unwrap();
        chown(ground.home(), Some(AMY), Some(AMY)).unwrap();
        set_mode(&ground.home(), 0o755);
        ground.run(AMY, &["init"]).expect(0);
        let put = ground.command(AMY, &["put", "a", "-", "--create"]);
        crate::cmd::feed(put, "the value").expect(0);
        ground
    }

    pub fn binary(&self) -> PathBuf {
        self.scratch.path().join("strongroom")
    }

    pub fn home(&self) -> PathBuf {
        self.scratch.path().join("home")
    }

    pub fn vault(&self) -> PathBuf {
        self.home().join("vault")
    }

    /// Amy's key file.
    pub fn key(&self) -> PathBuf {
        let keys = self.home().join(".config/strongroom/keys");
        let mut found = std::fs::read_dir(keys).unwrap().map(|entry| entry.unwrap().path());
        found.find(|path| path.extension().is_some_and(|end| end == "key")).unwrap()
    }

    /// A command of `user`, with Amy's variables.
    pub fn as_user(&self, user: u32, program: &Path) -> Command {
        let id = user.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", id.as_str(), "--regid", id.as_str(), "--clear-groups"]);
        command.arg(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home()).env("STRONGROOM_VAULT", self.vault());
        command.current_dir("/").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `strongroom` run by `user` on Amy's vault.
    pub fn command(&self, user: u32, args: &[&str]) -> Command {
        let mut command = self.as_user(user, &self.binary());
        command.args(args);
        command
    }

    #[track_caller]
    pub fn run(&self, user: u32, args: &[&str]) -> Said {
        finish(self.command(user, args).spawn().unwrap())
    }

    /// Runs a shell script as root in a mount namespace of its own. `$S` is the command as Amy.
    #[track_caller]
    pub fn in_mounts(&self, script: &str) -> Said {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-ec", script]);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let id = AMY.to_string();
        let amy = format!("setpriv --reuid {id} --regid {id} --clear-groups");
        command.env("S", format!("{amy} {}", self.binary().display()));
        command.env("V", self.vault()).env("K", self.key()).env("AMY", id);
        command.env("HOME", self.home()).env("STRONGROOM_VAULT", self.vault());
        command.current_dir("/").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(command.spawn().unwrap())
    }
}
