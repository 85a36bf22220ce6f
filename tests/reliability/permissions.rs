//! Who can read and write the files of a vault: every file and folder that the command creates, for root,
//! the owner and another user, under each umask, also in existing folders that are open to everyone. Also
//! objects in place of a file that are not regular files.

use crate::common::search::files_below;
use crate::common::server::{BIN, Server};
use crate::figures;
use crate::mount::{self, Mount};
use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const OWNER: u32 = 12_345;
const NOBODY: u32 = 65_534;
const UMASKS: [&str; 3] = ["000", "022", "077"];

fn is_possible() -> bool {
    let possible = rustix::process::geteuid().is_root() && mount::has("setpriv");
    if !possible {
        println!("SKIP not root, or no setpriv: nobody else can be tried");
    }
    possible
}

/// A home of the owner's, and a copy of the command that anyone may run.
struct Ground {
    scratch: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        set_mode(scratch.path(), 0o755);
        let ground = Self { scratch };
        // By another process: while this one writes it, children that other tests start would hold
        // it open, and what is open for writing cannot be run.
        let copied = Command::new("cp").arg(BIN).arg(ground.binary()).status().unwrap();
        assert!(copied.success());
        set_mode(&ground.binary(), 0o755);
        std::fs::create_dir(ground.home()).unwrap();
        set_mode(&ground.home(), 0o755);
        chown(ground.home(), Some(OWNER), Some(OWNER)).unwrap();
        ground
    }

    fn binary(&self) -> PathBuf {
        self.scratch.path().join("strongroom")
    }

    fn home(&self) -> PathBuf {
        self.scratch.path().join("home")
    }

    fn vault(&self) -> PathBuf {
        self.home().join("vault")
    }

    /// The command as `user` under a umask.
    fn command(&self, user: u32, umask: &str, args: &[&str]) -> Command {
        let mut command = become_user(user);
        let script = format!("umask {umask}; exec \"$@\"");
        command.args(["sh", "-c", script.as_str(), "sh"]).arg(self.binary()).args(args);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home()).env("STRONGROOM_VAULT", self.vault());
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// To its end, or for so long that it hangs.
    fn run(&self, user: u32, args: &[&str], context: &str) -> Output {
        let mut command = self.command(user, "077", args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("{context}: {args:?} hangs");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        child.wait_with_output().unwrap()
    }

    /// A vault with a secret, and what a server keeps.
    fn fill(&self, umask: &str) {
        drop(Server::start(self.command(
            OWNER,
            umask,
            &["serve", "--listen", "127.0.0.1:0", "--print-credentials"],
        )));
        let value = self.home().join("value");
        std::fs::write(&value, "the value").unwrap();
        set_mode(&value, 0o644);
        let file = value.to_str().unwrap();
        let put = self.command(OWNER, umask, &["put", "a", "--create", "--file", file]);
        let output = mount::run(&mut { put });
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::remove_file(value).unwrap();
    }

    fn roots(&self) -> [PathBuf; 2] {
        [self.vault(), self.home().join(".config/strongroom")]
    }

    /// All that the command made.
    fn made(&self) -> Vec<PathBuf> {
        let mut paths = BTreeSet::new();
        for root in self.roots() {
            for file in files_below(&root) {
                let folders = file.ancestors().skip(1).take_while(|path| path.starts_with(&root));
                paths.extend(folders.map(Path::to_owned));
                paths.insert(file);
            }
        }
        paths.into_iter().collect()
    }
}

fn become_user(user: u32) -> Command {
    let mut command = Command::new("setpriv");
    let id = user.to_string();
    command.args(["--reuid", id.as_str(), "--regid", id.as_str(), "--clear-groups"]);
    command
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// What `user` can read and write of `paths`.
fn reach(user: u32, paths: &[PathBuf]) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let script = r#"for p; do
        if [ -d "$p" ]; then ls "$p" >/dev/null 2>&1 && echo "r $p"
        else cat "$p" >/dev/null 2>&1 && echo "r $p"; fi
        if [ -d "$p" ]; then (: > "$p/intruder") 2>/dev/null && { rm -f "$p/intruder"; echo "w $p"; }
        else (: >> "$p") 2>/dev/null && echo "w $p"; fi
    done; true"#;
    let mut command = become_user(user);
    let output = mount::run(command.args(["sh", "-c", script, "sh"]).args(paths));
    let said = String::from_utf8(output.stdout).unwrap();
    let of = |kind: &str| {
        said.lines().filter_map(|line| line.strip_prefix(kind)).map(PathBuf::from).collect()
    };
    (of("r "), of("w "))
}

#[test]
fn nobody_else_reads_or_writes_anything() {
    if !is_possible() {
        return;
    }
    let (mut cells, mut loosened) = (0, 0);
    for umask in UMASKS {
        // Folders that are made, and ones that somebody had made open to all.
        for before in [None, Some(0o777), Some(0o755)] {
            let ground = Ground::new();
            if let Some(mode) = before {
                for root in ground.roots() {
                    std::fs::create_dir_all(&root).unwrap();
                    set_mode(&root, mode);
                    for path in root.ancestors().take_while(|path| **path != ground.home()) {
                        chown(path, Some(OWNER), Some(OWNER)).unwrap();
                    }
                }
            }
            ground.fill(umask);
            let paths = ground.made();
            // Twins of keystore and manifest, LOCK, log, state, reserve, key, what the server keeps.
            assert!(paths.len() >= 14, "only {paths:?}");
            for user in [0, OWNER, NOBODY] {
                let (read, written) = reach(user, &paths);
                let context = format!("umask {umask}, folders {before:?}, user {user}");
                for path in &paths {
                    let open = user != NOBODY;
                    // A folder that was open to all before stays the owner's business; what is in
                    // it does not.
                    let theirs = before.is_some() && ground.roots().contains(path);
                    if theirs && user == NOBODY && *path != ground.vault() {
                        continue;
                    }
                    cells += 2;
                    assert_eq!(read.contains(path), open, "{context}: reading {path:?}");
                    assert_eq!(written.contains(path), open, "{context}: writing {path:?}");
                }
            }
            // The control: what is really open is found.
            for path in ground.made() {
                set_mode(&path, 0o777);
            }
            loosened += reach(NOBODY, &paths).0.len();
            assert!(loosened > 0, "the control finds nothing");
            // And it is refused as it is.
            let output = ground.run(OWNER, &["get", "a"], "open to all");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(4), "{said}");
            assert!(said.contains("chmod"), "{said}");
            cells += 1;
        }
    }
    figures::tell(
        "permissions",
        &(1..2),
        &[("cells", cells), ("open to all in the control", loosened as u64)],
    );
}

/// Everything in a vault that is a file, and the key, with something else in its place.
#[test]
fn what_is_no_file_of_its_own_is_never_followed_and_never_hangs() {
    if !is_possible() {
        return;
    }
    let ground = Ground::new();
    ground.fill("077");
    let key = files_below(&ground.roots()[1]);
    let key = key.iter().find(|path| path.extension().is_some_and(|end| end == "key")).unwrap();
    let outside = ground.scratch.path().join("outside");
    let copy = ground.scratch.path().join("copy");
    copy_all(&ground.home(), &copy);
    let files: Vec<PathBuf> =
        files_below(&ground.vault()).into_iter().chain([key.clone()]).collect();
    let (mut refused, mut mended) = (0, 0);
    for file in &files {
        for kind in ["link", "dangling", "fifo", "folder"] {
            if file == key && kind == "fifo" {
                // Keys may be handed over through pipes, which are waited for.
                continue;
            }
            let bytes = std::fs::read(file).unwrap();
            std::fs::rename(file, &outside).unwrap();
            match kind {
                "link" => symlink(&outside, file).unwrap(),
                "dangling" => symlink(ground.scratch.path().join("nothing"), file).unwrap(),
                "fifo" => assert!(mount::run(Command::new("mkfifo").arg(file)).status.success()),
                _ => std::fs::create_dir(file).unwrap(),
            }
            let _ = rustix::fs::chownat(
                rustix::fs::CWD,
                file,
                Some(rustix::fs::Uid::from_raw(OWNER)),
                Some(rustix::fs::Gid::from_raw(OWNER)),
                rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
            );
            let context = format!("{kind} in place of {file:?}");
            for args in [["check"].as_slice(), ["get", "a"].as_slice()] {
                let output = ground.run(OWNER, args, &context);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                match output.status.code() {
                    Some(0) => mended += 1,
                    Some(1..=7) => refused += 1,
                    code => panic!("{context}: {args:?} ended with {code:?}: {said}"),
                }
                if args[0] == "get" && output.status.success() {
                    assert_eq!(output.stdout, b"the value", "{context}");
                }
                assert!(!said.contains("panicked"), "{context}: {said}");
            }
            let now = std::fs::read(&outside).unwrap();
            assert!(now == bytes, "{context}: what it led to was written");
            assert!(!ground.scratch.path().join("nothing").exists(), "{context}: it was followed");
            let _ = std::fs::remove_file(&outside);
            std::fs::remove_dir_all(ground.home()).unwrap();
            copy_all(&copy, &ground.home());
        }
    }
    assert!(refused > 0);
    figures::tell(
        "no files in the place of files",
        &(1..2),
        &[("runs refused", refused), ("runs that mended it or did not need it", mended)],
    );
}

fn copy_all(from: &Path, to: &Path) {
    let output = mount::run(Command::new("cp").arg("-a").arg(from).arg(to));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_read_only_disk_is_read_and_a_write_is_a_clear_error() {
    if !is_possible() || !mount::is_possible() {
        return;
    }
    let ground = Ground::new();
    ground.fill("077");
    let scratch = tempfile::tempdir_in(ground.home()).unwrap();
    chown(scratch.path(), Some(OWNER), Some(OWNER)).unwrap();
    let mount = Mount::tmpfs(scratch.path(), "size=64m,mode=755").unwrap();
    copy_all(&ground.vault(), mount.dir());
    let vault = mount.dir().join("vault");
    assert!(mount.remount("ro"));
    for args in [["get", "a"].as_slice(), ["check"].as_slice(), ["ls"].as_slice()] {
        let mut command = ground.command(OWNER, "077", args);
        let output = mount::run(command.env("STRONGROOM_VAULT", &vault));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
    }
    let mut command = ground.command(OWNER, "077", &["put", "a", "--file", "/etc/hostname"]);
    let output = mount::run(command.env("STRONGROOM_VAULT", &vault));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("read-only") && said.contains("mount it writable"), "{said}");
    assert!(mount.remount("rw"));
    let mut command = ground.command(OWNER, "077", &["get", "a"]);
    let output = mount::run(command.env("STRONGROOM_VAULT", &vault));
    assert_eq!(output.stdout, b"the value", "{}", String::from_utf8_lossy(&output.stderr));
}
