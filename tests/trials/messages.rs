//! What errors say: the path, the reason in words, and the next step.

use crate::cmd::{Home, chmod, finish};
use crate::common::forward::{forward_file, forward_fs};
use crate::ground::{AMY, Ground, ROOT, has_users};
use crate::table::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use strongroom::__internals::crypto::Unlock;
use strongroom::__internals::env::{
    DirEntry, Env, File, Fs, LockGuard, LockMode, Metadata, OpenMode, memory::MemoryFs,
};
use strongroom::__internals::error::{Error, ErrorKind};
use strongroom::__internals::vault::{Options, Vault};

pub const ROWS: &[Row] = &[Row {
    number: 15,
    people: "every error of the operating system",
    right: "path and next step in each message, three lines at most, no `op=open cause=`",
    test: "messages::t15_every_refusal_of_the_system_names_a_path_and_a_next_step",
}];

/// Every number that a disk, a mount or a limit answers with.
const ERRNOS: [i32; 26] = [
    1, 2, 5, 9, 11, 12, 13, 16, 17, 20, 21, 22, 23, 24, 26, 27, 28, 30, 31, 35, 36, 37, 38, 40, 95,
    122,
];

/// The calls that can be made to fail.
const CALLS: [&str; 14] = [
    "open",
    "create_dir",
    "read_dir",
    "metadata",
    "rename",
    "remove_file",
    "remove_dir_all",
    "sync_dir",
    "set_mode",
    "try_lock",
    "read_at",
    "write_all_at",
    "sync_data",
    "sync_all",
];

/// Files in memory, of which one kind of call fails from its nth time on.
struct Failing {
    files: MemoryFs,
    plan: Arc<Plan>,
}

#[derive(Default)]
struct Plan {
    call: Mutex<&'static str>,
    errno: AtomicI32,
    /// How many of them still succeed.
    left: AtomicU64,
    failed: AtomicU64,
}

impl Plan {
    fn ask(&self, call: &'static str) -> io::Result<()> {
        if *self.call.lock().unwrap() != call {
            return Ok(());
        }
        let left = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() {
            return Ok(());
        }
        self.failed.fetch_add(1, Ordering::Relaxed);
        Err(io::Error::from_raw_os_error(self.errno.load(Ordering::Relaxed)))
    }

    fn set(&self, call: &'static str, errno: i32, left: u64) {
        self.errno.store(errno, Ordering::Relaxed);
        self.left.store(left, Ordering::Relaxed);
        self.failed.store(0, Ordering::Relaxed);
        *self.call.lock().unwrap() = call;
    }
}

struct FailingFile(Arc<dyn File>, Arc<Plan>);

impl File for FailingFile {
    forward_file!(0: len metadata);
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.1.ask("read_at")?;
        self.0.read_at(buffer, offset)
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.1.ask("write_all_at")?;
        self.0.write_all_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.1.ask("sync_data")?;
        self.0.sync_data()
    }
    fn sync_all(&self) -> io::Result<()> {
        self.1.ask("sync_all")?;
        self.0.sync_all()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.1.ask("write_all_at")?;
        self.0.set_len(len)
    }
}

impl Fs for Failing {
    forward_fs!(files: free_bytes bind is_real);
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        self.plan.ask("open")?;
        Ok(Arc::new(FailingFile(self.files.open(path, mode)?, Arc::clone(&self.plan))))
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.plan.ask("create_dir")?;
        self.files.create_dir(path)
    }
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.plan.ask("read_dir")?;
        self.files.read_dir(path)
    }
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        self.plan.ask("metadata")?;
        self.files.metadata(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.plan.ask("rename")?;
        self.files.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.plan.ask("remove_file")?;
        self.files.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.plan.ask("remove_dir_all")?;
        self.files.remove_dir_all(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.plan.ask("sync_dir")?;
        self.files.sync_dir(path)
    }
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.plan.ask("set_mode")?;
        self.files.set_mode(path, mode)
    }
    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.plan.ask("try_lock")?;
        self.files.lock(path, mode)
    }
}

/// A vault in memory on which an act is tried over and over.
struct Stage {
    made: MemoryFs,
    key: Vec<u8>,
}

const DIR: &str = "/srv/vault";
/// What a person does.
const ACTS: [&str; 7] = ["init", "open", "put", "get", "rm --now", "check", "repair"];

impl Stage {
    fn new() -> Self {
        let id_key = |id| {
            strongroom::__internals::crypto::key_file::generate(id, Env::real().entropy.as_ref())
        };
        let mut key = Vec::new();
        let fs = Arc::new(MemoryFs::new());
        let mut plain = Options::default();
        plain.tuning.env = Some(Env { fs: Arc::clone(&fs) as Arc<dyn Fs>, ..Env::in_memory() });
        let made = strongroom::__internals::vault::VaultDir::make(Path::new(DIR), &plain).unwrap();
        let vault = made
            .create(|id| {
                let text = id_key(id).unwrap();
                key = text.expose().to_vec();
                Ok(Unlock::KeyFile(text))
            })
            .unwrap();
        vault.put("a", "one").unwrap();
        vault.close().unwrap();
        Self { made: fs.fork(), key }
    }

    fn options(&self) -> (Options, Arc<Plan>) {
        let plan = Arc::new(Plan::default());
        let fs = Failing { files: self.made.fork(), plan: Arc::clone(&plan) };
        let mut options = Options::default();
        options.tuning.env = Some(Env { fs: Arc::new(fs), ..Env::in_memory() });
        options.tuning.background = false;
        options.tuning.reserve_bytes = 0;
        (options, plan)
    }

    fn unlock(&self) -> Unlock {
        Unlock::KeyFile(self.key.as_slice().into())
    }

    /// Does `act` while the nth call of a kind and all after it fail. `None`: nothing has failed.
    fn run(&self, act: &str, call: &'static str, errno: i32, left: u64) -> Option<Option<Error>> {
        let (options, plan) = self.options();
        let builder = Vault::builder(DIR).options(options.clone());
        let fail = || plan.set(call, errno, left);
        let error = match act {
            "init" => {
                fail();
                Vault::builder("/srv/other").options(options).create_with_key_file("/keys/k").err()
            }
            "open" => {
                fail();
                builder.open(self.unlock()).err()
            }
            "check" => {
                fail();
                builder.check(self.unlock(), true).err()
            }
            "repair" => {
                fail();
                builder.repair(self.unlock(), false).err()
            }
            _ => {
                let vault = builder.open(self.unlock()).unwrap();
                fail();
                let done = match act {
                    "put" => vault.put("a", "two").map(drop),
                    "get" => vault.get("a").map(drop),
                    _ => {
                        let request = strongroom::__internals::model::api::DeleteSecret {
                            secret_id: "a".into(),
                            force_delete_without_recovery: Some(true),
                            ..Default::default()
                        };
                        vault.delete_secret(request).and_then(|_| vault.shred())
                    }
                };
                done.and_then(|()| vault.close()).err()
            }
        };
        (plan.failed.load(Ordering::Relaxed) > 0).then_some(error)
    }
}

/// What is wrong with a message.
fn faults(said: &str) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if !["/srv/vault", "/srv/other", "/keys"].iter().any(|place| said.contains(place)) {
        wrong.push("no path");
    }
    if !["; ", "reopen", "restore", "run "].iter().any(|step| said.contains(step)) {
        wrong.push("no next step");
    }
    if said.contains("op=") || said.contains("cause=") || said.contains("os error") {
        wrong.push("the words of a program");
    }
    if said.lines().count() > 3 {
        wrong.push("more than three lines");
    }
    wrong
}

/// MSG-1 to MSG-4. `cargo test --test trials messages -- --nocapture` prints the table.
#[test]
fn t15_every_refusal_of_the_system_names_a_path_and_a_next_step() {
    let stage = Stage::new();
    let (mut told, mut kept_going) = (0_u32, 0_u32);
    let mut table: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for act in ACTS {
        for call in CALLS {
            for errno in ERRNOS {
                for left in [0, 1, 3] {
                    match stage.run(act, call, errno, left) {
                        None => break,
                        Some(None) => kept_going += 1,
                        Some(Some(error)) => {
                            told += 1;
                            let said = error.to_string();
                            // A request of no vault, and damage, have words of their own.
                            let is_of_system = !matches!(
                                error.kind(),
                                ErrorKind::Damaged { .. }
                                    | ErrorKind::NotFound { .. }
                                    | ErrorKind::Fault(_)
                            );
                            let wrong = if is_of_system { faults(&said) } else { Vec::new() };
                            assert!(
                                wrong.is_empty(),
                                "{act} {call} {errno} {left}: {wrong:?}: {said}"
                            );
                            table.entry((act, call)).or_default().insert(said);
                        }
                    }
                }
            }
        }
    }
    for ((act, call), said) in &table {
        println!("{act:9} {call:14} {} messages, one of them:", said.len());
        println!("    {}", said.iter().next().unwrap());
    }
    println!("{told} errors told, {kept_going} failures that the act could do without");
    assert!(told > 2_000, "{told}");
}

/// MSG-2: what the command says on a real machine.
#[test]
fn what_the_command_says_on_a_real_machine() {
    let home = Home::with_vault();
    home.put("a", "the value");
    let vault = home.vault();
    // A folder that is a file, a loop of links, a name that is too long.
    home.file("file", "x");
    std::os::unix::fs::symlink("loop", home.path("loop")).unwrap();
    for (dir, words) in [
        ("file/v", "a part of the path is not a folder"),
        ("loop/v", "a symbolic link"),
        (&"n".repeat(300), "the path is too long"),
    ] {
        let said = home.run(&["init", "--vault", dir]);
        assert_ne!(said.code, 0);
        assert!(said.err.contains(words), "{}", said.err);
        assert!(said.err.lines().count() <= 3, "{}", said.err);
    }
    // The temporary folder is named, not the state.
    let mut check = home.strongroom(&["check"]);
    check.env("TMPDIR", "/nowhere");
    let said = finish(check.spawn().unwrap()).expect(0);
    assert!(said.err.contains("/nowhere") && said.err.contains("TMPDIR"), "{}", said.err);
    assert!(!said.err.contains("cannot be read; the next open rebuilds"), "{}", said.err);
    // The port and the flag.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = home.run(&["serve", "--listen", &address]).expect(1);
    assert!(said.err.contains(&address) && said.err.contains("--listen"), "{}", said.err);
    let agent = ["serve", "--listen", "127.0.0.1:0", "--agent-listen", &address];
    let said = home.run(&agent).expect(1);
    assert!(said.err.contains(&address) && said.err.contains("--agent-listen"), "{}", said.err);
    // Too few files.
    let mut few = home.command("sh");
    few.args(["-c", "ulimit -n 6; exec \"$@\"", "sh", &crate::cmd::BINARY, "get", "a"]);
    let said = finish(few.spawn().unwrap());
    if said.code != 0 {
        assert!(said.err.contains("ulimit -n"), "{}", said.err);
    }
    for said in
        [home.run(&["get", "a", "--out", "nowhere/x"]), home.run(&["put", "a", "--file", "no"])]
    {
        assert!(!said.err.contains("os error") && !said.err.contains("cause="), "{}", said.err);
    }
    chmod(&vault, 0o755);
    let said = home.run(&["get", "a"]).expect(4);
    assert!(
        said.err.contains(vault.to_str().unwrap()) && said.err.contains("chmod"),
        "{}",
        said.err
    );
}

/// MSG-3: who owns it and who we are.
#[test]
fn a_denied_file_is_told_with_its_owner_and_with_us() {
    if !has_users() {
        return;
    }
    let ground = Ground::new();
    // What an earlier `sudo` may have left.
    for name in ["manifest.a", "log"] {
        std::os::unix::fs::chown(ground.vault().join(name), Some(ROOT), Some(ROOT)).unwrap();
    }
    let said = ground.run(AMY, &["get", "a"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.err.contains("belongs to root") && said.err.contains("user 12345"),
        "{}",
        said.err
    );
    assert!(said.err.contains(ground.vault().to_str().unwrap()), "{}", said.err);
    assert!(said.err.lines().count() <= 3, "{}", said.err);
}
