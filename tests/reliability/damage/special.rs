//! Two damages at once on real files, through the command.

use super::real::{Bench, SECRETS, Seen};
use crate::common::search::newest_segment;
use crate::common::server::BIN;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn run(dir: &Path, args: &[&str]) -> Output {
    let key = dir.join("key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(BIN);
    command.args(args).arg("--vault").arg(dir.join("vault")).arg("--key-file").arg(key);
    command.output().unwrap()
}

/// Without the state, the newest segment is the only copy of what is in it: its loss is damage, exit
/// 7, and the vault is never opened smaller, unless somebody says so in as many words.
#[test]
fn a_missing_newest_segment_is_damage_and_never_a_smaller_vault() {
    let mut bench = Bench::new();
    bench.must_answer("newest segment deleted", |vault| {
        std::fs::remove_file(newest_segment(vault)).unwrap();
    });
    let seen = bench.after(|vault| {
        std::fs::remove_file(newest_segment(vault)).unwrap();
        std::fs::remove_dir_all(vault.join("state")).unwrap();
    });
    assert!(matches!(&seen, Seen::Reported(what) if what.contains(".wal")), "{seen:?}");
    for args in [&["ls"][..], &["check"], &["check", "--deep"], &["repair"]] {
        let output = run(&bench.copy, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(7), "{args:?}: {said}");
        assert!(said.contains(".wal"), "{args:?}: {said}");
    }
    let output = run(&bench.copy, &["repair", "--accept-loss"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("lost: operations"));
    let output = run(&bench.copy, &["ls"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), SECRETS);
    assert_eq!(run(&bench.copy, &["check", "--deep"]).status.code(), Some(0));
}
