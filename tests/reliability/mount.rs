//! Private file systems for a harness, unmounted when dropped. Root only.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A mounted file system and the folder that it is mounted on.
pub struct Mount {
    dir: PathBuf,
    /// What is mounted, and with what options.
    source: Vec<String>,
    mounted: bool,
}

/// Whether `command` can be run here.
pub fn has(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(command).exists())
}

/// Whether this is root and may mount; says SKIP if not.
pub fn is_possible() -> bool {
    if !rustix::process::geteuid().is_root() {
        println!("SKIP not root: nothing can be mounted");
        return false;
    }
    let scratch = tempfile::tempdir().unwrap();
    let works = Mount::tmpfs(scratch.path(), "size=64k").is_some();
    if !works {
        println!("SKIP root may not mount here");
    }
    works
}

/// A command's end, its output kept.
pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

impl Mount {
    /// A file system in memory with these options, on a folder below `scratch`.
    pub fn tmpfs(scratch: &Path, options: &str) -> Option<Self> {
        let words = ["-t", "tmpfs", "-o", options, "tmpfs"].map(str::to_owned);
        Self::new(scratch, words.to_vec())
    }

    /// `image`, which has a file system, through a loop device.
    pub fn image(scratch: &Path, kind: &str, image: &Path) -> Option<Self> {
        let image = image.to_str().unwrap();
        let words = ["-t", kind, "-o", "loop", image].map(str::to_owned);
        Self::new(scratch, words.to_vec())
    }

    fn new(scratch: &Path, source: Vec<String>) -> Option<Self> {
        let dir = scratch.join("mount");
        std::fs::create_dir_all(&dir).unwrap();
        let mut mount = Self { dir, source, mounted: false };
        mount.mount().then_some(mount)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn mount(&mut self) -> bool {
        let output = run(Command::new("mount").args(&self.source).arg(&self.dir));
        self.mounted = output.status.success();
        if !self.mounted {
            println!("mount: {}", String::from_utf8_lossy(&output.stderr));
        }
        self.mounted
    }

    /// Again with other options; whether that was possible.
    #[must_use]
    pub fn remount(&self, options: &str) -> bool {
        let options = format!("remount,{options}");
        run(Command::new("mount").args(["-o", &options]).arg(&self.dir)).status.success()
    }

    /// Waits briefly for processes that still have it open.
    pub fn unmount(&mut self) {
        for _ in 0..500 {
            if run(Command::new("umount").arg(&self.dir)).status.success() {
                self.mounted = false;
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{:?} stays busy", self.dir);
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if self.mounted {
            run(Command::new("umount").arg("-l").arg(&self.dir));
        }
    }
}
