//! Media that refuse something: read-only mounts, file systems without chmod, locks or folder
//! syncs, little memory, wrong clocks.

use crate::ground::{Ground, has_mounts, has_users, marks};
use crate::table::Row;
use std::sync::Arc;
use std::time::Duration;
use strongroom::__internals::crypto::{KdfParams, Unlock};
use strongroom::__internals::env::real::group_limit;
use strongroom::__internals::env::{Clock, Env, UnixMillis};
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::model::api::DescribeSecret;
use strongroom::__internals::vault::{Options, Vault};

pub const ROWS: &[Row] = &[
    Row {
        number: 9,
        people: "`get`, `ls`, `check` on a read-only mount",
        right: "they work, and nothing is written; writes say what to do",
        test: "media::t09_a_read_only_mount_is_read_and_not_written",
    },
    Row {
        number: 16,
        people: "a container with too little memory for Argon2id",
        right: "refused before any work, or a cheaper passphrase with a word; cgroup v1 and v2",
        test: "media::t16_too_little_memory_is_told_before_any_work",
    },
    Row {
        number: 17,
        people: "a clock before 1970; one put with a clock of 2106, then right again",
        right: "a clear refusal at open; the next put is dated rightly",
        test: "media::t17_a_wrong_clock_is_refused_or_heals",
    },
];

const MIB: u64 = 1 << 20;

/// MEDIA-1, MEDIA-2
#[test]
fn t09_a_read_only_mount_is_read_and_not_written() {
    if !has_users() || !has_mounts() {
        return;
    }
    let ground = Ground::new();
    let before = marks(&ground.vault());
    let read = "
        mount --bind $V /mnt; mount -o remount,bind,ro /mnt; export STRONGROOM_VAULT=/mnt
        $S get a; echo; $S ls; $S describe a >/dev/null; $S versions a >/dev/null; $S credentials ls
        $S check >/dev/null; $S check --deep >/dev/null
        $S put a --file /etc/hostname 2>&1 || echo refused $?
        $S rm a --now 2>&1 || echo refused $?; $S repair 2>&1 || echo refused $?
        $S serve --listen 127.0.0.1:0 2>&1 || echo refused $?";
    let said = ground.in_mounts(read).expect(0);
    assert!(said.text().starts_with("the value\na\n"), "{} {}", said.text(), said.err);
    assert_eq!(said.text().matches("refused 1").count(), 4, "{}", said.text());
    assert_eq!(said.text().matches("mount it writable").count(), 4, "{}", said.text());
    assert_eq!(marks(&ground.vault()), before, "something was written");
    // With others that read, and beside one that writes through another mount.
    let beside = "
        command -v flock >/dev/null || { echo shared; echo refused 6; exit 0; }
        mount --bind $V /mnt; mount -o remount,bind,ro /mnt; export STRONGROOM_VAULT=/mnt
        flock -s /mnt sleep 100 & reader=$!; sleep 1
        $S get a >/dev/null && echo shared; pkill -P $reader; wait $reader || true
        flock -x $V sleep 100 & writer=$!; sleep 1
        $S get a || echo refused $?; pkill -P $writer; wait $writer || true";
    let said = ground.in_mounts(beside).expect(0);
    assert_eq!(said.text(), "shared\nrefused 6\n", "{}", said.err);
    // After a kill, without a state and without LOCK.
    let killed = "
        $S serve --listen 127.0.0.1:0 >/dev/null 2>&1 & sleep 2; kill -9 $!; wait $! || true
        rm -rf $V/state $V/LOCK
        mount --bind $V /mnt; mount -o remount,bind,ro /mnt; export STRONGROOM_VAULT=/mnt
        $S get a; echo; $S check >/dev/null; test ! -e $V/state; test ! -e $V/LOCK";
    let said = ground.in_mounts(killed).expect(0);
    assert!(said.text().starts_with("the value\n"), "{} {}", said.text(), said.err);
}

/// OWN-8, OWN-9. Substitute for a real control group: its files below another root, and a vault that is told
/// the limit.
#[test]
fn t16_too_little_memory_is_told_before_any_work() {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("proc/self/cgroup", "4:memory:/docker/12\n0::/a/b\n");
    write("sys/fs/cgroup/unified/a/memory.max", &(300 * MIB).to_string());
    assert_eq!(group_limit(root.path()), Some(300 * MIB), "version 2, the group above");
    write("sys/fs/cgroup/memory/docker/12/memory.limit_in_bytes", &(200 * MIB).to_string());
    assert_eq!(group_limit(root.path()), Some(200 * MIB), "version 1");

    let dir = root.path().join("vault");
    let mut options = Options::default();
    options.tuning.kdf = Some(KdfParams { memory_kib: 128 * 1024, passes: 2, lanes: 1 });
    let open = |options: &Options| {
        Vault::builder(&dir).options(options.clone()).open(Unlock::passphrase("p"))
    };
    let vault =
        Vault::builder(&dir).options(options.clone()).create(Unlock::passphrase("p")).unwrap();
    vault.close().unwrap();
    options.tuning.memory_bytes = Some(100 * MIB);
    let refused = open(&options).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::TooLittleMemory { .. }), "{refused}");
    for words in ["128 MiB", "100 MiB", "raise the memory limit, or use a key file"] {
        assert!(refused.to_string().contains(words), "{refused}");
    }
    let check = Vault::builder(&dir).options(options.clone());
    assert!(check.check(Unlock::passphrase("p"), false).is_err(), "the same rule for all");
    options.tuning.memory_bytes = Some(200 * MIB);
    open(&options).unwrap().close().unwrap();

    // A new passphrase is made for the memory that there is, and refused where nothing fits.
    options.tuning.kdf = None;
    let small = root.path().join("small");
    options.tuning.memory_bytes = Some(100 * MIB);
    let make = Vault::builder(&small).options(options.clone());
    make.create(Unlock::passphrase("p")).unwrap().close().unwrap();
    options.tuning.memory_bytes = Some(50 * MIB);
    Vault::builder(&small).options(options.clone()).open(Unlock::passphrase("p")).unwrap();
    options.tuning.memory_bytes = Some(16 * MIB);
    let none = root.path().join("none");
    let refused =
        Vault::builder(&none).options(options).create(Unlock::passphrase("p")).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::TooLittleMemory { .. }), "{refused}");
}

/// A wall clock that says what it is told.
struct Wall(std::sync::atomic::AtomicI64);

impl Clock for Wall {
    fn wall(&self) -> UnixMillis {
        UnixMillis(self.0.load(std::sync::atomic::Ordering::Relaxed))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// OWN-10, SEM-DATE-7. Substitute for `date -s`: a vault on real files with a clock of its own.
#[test]
fn t17_a_wrong_clock_is_refused_or_heals() {
    const RIGHT: i64 = 1_800_000_000_000;
    let root = tempfile::tempdir().unwrap();
    let (dir, key) = (root.path().join("vault"), root.path().join("key"));
    let clock = Arc::new(Wall(RIGHT.into()));
    let set = |millis: i64| clock.0.store(millis, std::sync::atomic::Ordering::Relaxed);
    let mut options = Options::default();
    options.tuning.env = Some(Env { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Env::real() });
    let builder = || Vault::builder(&dir).options(options.clone());
    let changed = |vault: &Vault| {
        vault.describe_secret(DescribeSecret::new("a")).unwrap().last_changed_date.0
    };
    set(-86_400_000);
    let refused = builder().create_with_key_file(&key).unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::ClockBefore1970, "{refused}");
    assert!(!dir.exists() && !key.exists(), "something was made");
    set(RIGHT);
    let vault = builder().create_with_key_file(&key).unwrap();
    vault.put("a", "one").unwrap();
    vault.close().unwrap();
    set(-86_400_000);
    let refused = builder().open(Unlock::key_file(&key).unwrap()).unwrap_err();
    assert!(refused.to_string().contains("set it"), "{refused}");
    assert!(builder().check(Unlock::key_file(&key).unwrap(), true).is_err());
    // One put in 2106.
    set(4_294_967_296_000);
    let vault = builder().open(Unlock::key_file(&key).unwrap()).unwrap();
    vault.put("a", "two").unwrap();
    assert_eq!(changed(&vault), 4_294_967_296_000);
    vault.close().unwrap();
    set(RIGHT + 1_000);
    let vault = builder().open(Unlock::key_file(&key).unwrap()).unwrap();
    vault.put("a", "three").unwrap();
    assert_eq!(changed(&vault), RIGHT + 1_000, "new dates stay in 2106");
    // Open, and the clock falls before 1970: nothing panics.
    set(-86_400_000);
    vault.put("a", "four").unwrap();
    assert_eq!(vault.get("a").unwrap().as_str(), Ok("four"));
    set(RIGHT + 2_000);
    vault.close().unwrap();
}
