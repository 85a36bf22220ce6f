//! Who may own a vault and its key, with which modes, and how keys are handed in.

use crate::cmd::{Home, chmod};
use crate::common::forward::forward_fs;
use crate::ground::{AMY, Ground, ROOT, has_mounts, has_users, marks, set_mode};
use crate::table::Row;
use std::io;
use std::path::Path;
use std::sync::Arc;
use strongroom::__internals::env::{Env, FileKind, Fs, Metadata, memory::MemoryFs};
use strongroom::__internals::error::ErrorKind;
use strongroom::__internals::vault::{Options, Vault};

pub const ROWS: &[Row] = &[
    Row {
        number: 8,
        people: "`sudo strongroom put` on a user's vault",
        right: "refused with the owner's name before anything is written, whatever the command",
        test: "ownership::t08_root_on_another_users_vault_leaves_no_mark",
    },
    Row {
        number: 10,
        people: "a key from LoadCredential (0440) or /run/secrets (0444); a volume of mode 2770",
        right: "trusted in a mount that nobody else can change; elsewhere --allow-lax-modes, told loudly",
        test: "ownership::t10_keys_of_orchestrators_are_trusted_where_nobody_else_can_write",
    },
    Row {
        number: 11,
        people: "a file system that ignores chmod (WSL's drvfs, CIFS)",
        right: "refused when the vault is made, with the reason, and nothing is kept",
        test: "ownership::t11_a_file_system_without_modes_is_refused_at_creation",
    },
    Row {
        number: 12,
        people: "a key file without its last newline, with one more, with CRLF, with a BOM",
        right: "accepted: the checksum proves the key",
        test: "ownership::t12_key_files_are_taken_as_editors_leave_them",
    },
];

/// OWN-1: substitute for `sudo`: root itself, with Amy's variables and key.
#[test]
fn t08_root_on_another_users_vault_leaves_no_mark() {
    if !has_users() {
        return;
    }
    let ground = Ground::new();
    let before = marks(&ground.home());
    let key = ground.key();
    let commands: [&[&str]; 16] = [
        &["put", "b", "--file", "/etc/hostname", "--create"],
        &["get", "a"],
        &["ls"],
        &["describe", "a"],
        &["versions", "a"],
        &["stage", "a", "X", "--from", "v"],
        &["rm", "a"],
        &["restore", "a"],
        &["check"],
        &["check", "--deep"],
        &["repair"],
        &["credentials", "ls"],
        &["credentials", "new"],
        &["env"],
        &["init"],
        &["serve", "--listen", "127.0.0.1:0"],
    ];
    for args in commands {
        for with_key in [false, true] {
            let mut args = args.to_vec();
            if with_key {
                args.extend(["--key-file", key.to_str().unwrap()]);
            }
            let said = ground.run(ROOT, &args);
            assert_eq!(said.code, 4, "{args:?}: {}", said.err);
            assert!(said.err.contains("user 12345"), "{args:?}: {}", said.err);
            assert!(said.err.contains(ground.vault().to_str().unwrap()), "{args:?}: {}", said.err);
            assert_eq!(marks(&ground.home()), before, "{args:?}");
        }
    }
    // Another user is told the same, although the folder is closed to it.
    let said = ground.run(AMY + 1, &["get", "a"]);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.contains("user 12345"), "{}", said.err);
    assert_eq!(ground.run(AMY, &["get", "a"]).expect(0).out, b"the value");
    let rooted = crate::cmd::tree(&ground.home()).into_iter().filter(|path| {
        std::os::unix::fs::MetadataExt::uid(&std::fs::symlink_metadata(path).unwrap()) != AMY
    });
    assert_eq!(rooted.count(), 0);
}

/// OWN-4, OWN-5, and OWN-2 for the folder.
#[test]
fn t10_keys_of_orchestrators_are_trusted_where_nobody_else_can_write() {
    if !has_users() || !has_mounts() {
        return;
    }
    let ground = Ground::new();
    // As containers get it: a file system of root's in /run/secrets, a key that all may read.
    let run_secrets = "
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir -p /run/secrets; mount -t tmpfs -o mode=755 tmpfs /run/secrets
        cp $K /run/secrets/key; chmod 444 /run/secrets/key; chown 0:0 /run/secrets/key
        $S get a --key-file /run/secrets/key; echo; $S check --key-file /run/secrets/key
        $S put a --file /etc/hostname --key-file /run/secrets/key >/dev/null; $S get a --key-file /run/secrets/key";
    let said = ground.in_mounts(run_secrets).expect(0);
    assert!(said.text().starts_with("the value\n"), "{}", said.text());
    // As systemd hands it in: 0440, in a mount that the variable names.
    let credentials = "
        mount -t tmpfs -o mode=755 tmpfs /mnt; mkdir /mnt/unit; mount -t tmpfs -o mode=750,gid=$AMY tmpfs /mnt/unit
        cp $K /mnt/unit/key; chown 0:$AMY /mnt/unit/key; chmod 440 /mnt/unit/key; mount -o remount,ro /mnt/unit
        export CREDENTIALS_DIRECTORY=/mnt/unit
        $S get a --key-file /mnt/unit/key >/dev/null; $S check --key-file /mnt/unit/key >/dev/null
        unset CREDENTIALS_DIRECTORY
        $S get a --key-file /mnt/unit/key 2>&1 >/dev/null || echo refused $?
        $S check --key-file /mnt/unit/key 2>&1 >/dev/null || echo refused $?";
    let said = ground.in_mounts(credentials).expect(0);
    assert_eq!(said.text().matches("refused 4").count(), 2, "{}", said.text());
    // Where others can write, the place means nothing.
    let writable = "
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir -p /run/secrets; mount -t tmpfs -o mode=777 tmpfs /run/secrets
        cp $K /run/secrets/key; chmod 444 /run/secrets/key
        $S get a --key-file /run/secrets/key || echo refused $?
        umount /run/secrets; cp $K /run/secrets/key; chmod 444 /run/secrets/key
        $S check --key-file /run/secrets/key || echo refused $?";
    let said = ground.in_mounts(writable).expect(0);
    assert_eq!(said.text(), "refused 4\nrefused 4\n", "{}", said.err);
    // Elsewhere the flag takes it, for every command, and says so.
    let key = ground.home().join("key");
    std::fs::copy(ground.key(), &key).unwrap();
    std::os::unix::fs::chown(&key, Some(AMY), Some(AMY)).unwrap();
    set_mode(&key, 0o444);
    set_mode(&ground.vault(), 0o2770);
    let file = key.to_str().unwrap();
    for args in [&["get", "a"][..], &["ls"], &["check"], &["put", "a", "--file", "/etc/hostname"]] {
        let named = [args, &["--key-file", file]].concat();
        let said = ground.run(AMY, &named);
        assert_eq!(said.code, 4, "{args:?}: {}", said.err);
        assert!(said.err.contains("chmod"), "{}", said.err);
        let said = ground.run(AMY, &[&named[..], &["--allow-lax-modes"]].concat()).expect(0);
        assert!(said.err.contains("warning: --allow-lax-modes"), "{}", said.err);
    }
    set_mode(&ground.vault(), 0o700);
    for args in [&["get", "a"][..], &["check"]] {
        let said = ground.run(AMY, &[args, &["--key-file", file]].concat());
        assert_eq!(said.code, 4, "a lax key alone: {}", said.err);
    }
}

/// Files in memory whose modes nobody can change: a substitute for drvfs and CIFS.
struct NoModes(MemoryFs);

impl Fs for NoModes {
    forward_fs!(0: open create_dir read_dir rename remove_file remove_dir_all sync_dir free_bytes lock bind is_real);
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let found = self.0.metadata(path)?;
        Ok(found.map(|found| Metadata {
            mode: if found.kind == FileKind::Dir { 0o777 } else { 0o644 },
            ..found
        }))
    }
    fn set_mode(&self, _: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }
}

/// OWN-3
#[test]
fn t11_a_file_system_without_modes_is_refused_at_creation() {
    let fs = Arc::new(NoModes(MemoryFs::new()));
    let mut options = Options::default();
    options.tuning.env = Some(Env { fs: Arc::clone(&fs) as Arc<dyn Fs>, ..Env::in_memory() });
    let create = |options: &Options| {
        Vault::builder("/vault").options(options.clone()).create_with_key_file("/keys/k")
    };
    let refused = create(&options).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Unsuitable { .. }), "{refused}");
    assert!(refused.to_string().contains("/vault: the file system keeps no modes"), "{refused}");
    assert_eq!(fs.0.paths(), Vec::<std::path::PathBuf>::new(), "something was kept");
    assert!(fs.0.metadata(Path::new("/vault")).unwrap().is_none(), "the folder was kept");
    options.allow_lax_modes = true;
    create(&options).unwrap().close().unwrap();
}

/// OWN-6
#[test]
fn t12_key_files_are_taken_as_editors_leave_them() {
    let home = Home::with_vault();
    home.put("a", "the value");
    let text = std::fs::read(home.key_file()).unwrap();
    let crlf = String::from_utf8(text.clone()).unwrap().replace('\n', "\r\n").into_bytes();
    for (what, edited) in [
        ("no last newline", text[..text.len() - 1].to_vec()),
        ("one more", [&text[..], b"\n"].concat()),
        ("CRLF", crlf.clone()),
        ("CRLF without the last", crlf[..crlf.len() - 2].to_vec()),
        ("BOM", [b"\xef\xbb\xbf", &text[..]].concat()),
        ("BOM and CRLF", [b"\xef\xbb\xbf", &crlf[..]].concat()),
    ] {
        let key = home.file("edited", &edited);
        assert_eq!(
            home.run(&["get", "a", "--key-file", &key]).expect(0).out,
            b"the value",
            "{what}"
        );
    }
    // What is not a key file is called that first, and is not to be made private.
    let said = home.run(&["get", "a", "--key-file", "/etc/passwd"]).expect(4);
    assert!(said.err.contains("/etc/passwd is not a key file"), "{}", said.err);
    assert!(!said.err.contains("chmod"), "{}", said.err);
    let mut typo = text;
    let last = typo.iter().rposition(u8::is_ascii_hexdigit).unwrap();
    typo[last] = if typo[last] == b'0' { b'1' } else { b'0' };
    let typo = home.file("typo", &typo);
    chmod(Path::new(&typo), 0o644);
    let said = home.run(&["get", "a", "--key-file", &typo]).expect(4);
    assert!(said.err.contains("is not a key file, or it is damaged"), "{}", said.err);
}
