//! A vault that went back in time.

use crate::cmd::{Home, Said, finish, signal};
use crate::common::exports::Exports;
use crate::common::http::Client;
use crate::common::search::newest_segment;
use crate::table::Row;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use strongroom::__internals::crypto::{KdfParams, Unlock};
use strongroom::__internals::vault::{Options, Vault};

pub const ROWS: &[Row] = &[
    Row {
        number: 4,
        people: "two copies of one vault: one is served, `env` asks about the other",
        right: "the kept lines belong to a folder as well as to an id",
        test: "rollback::t04_the_lines_of_a_copy_are_not_the_originals",
    },
    Row {
        number: 5,
        people: "an older copy of the whole folder is put back, or the log is cut back",
        right: "told with both operations and dates, exit 7; served only with --accept-rollback",
        test: "rollback::t05_an_older_copy_of_the_whole_folder_is_noticed",
    },
    Row {
        number: 6,
        people: "the passphrase is changed, the process killed, the old keystore put back",
        right: "the old passphrase opens nothing: the change was in the log before it was reported",
        test: "rollback::t06_an_old_keystore_opens_nothing_after_a_change_and_a_kill",
    },
];

/// A copy of a folder as `cp -a` makes it.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// A server that is ready.
fn serve(home: &Home, args: &[&str]) -> Child {
    let all = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
    let mut child = home.strongroom(&all).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while lines.next().expect("the server ended").unwrap() != "Ready." {}
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn stop(child: Child) {
    signal(&child, "TERM");
    assert_eq!(finish(child).code, 0);
}

/// RB-8
#[test]
fn t04_the_lines_of_a_copy_are_not_the_originals() {
    let home = Home::with_vault();
    home.put("a", "one");
    copy(&home.vault(), &home.path("copy"));
    // With a copy of the key file beside it. So the copy of the vault has an anchor of its own.
    let key = home.keys().join("of-the-copy");
    std::fs::copy(home.key_file(), &key).unwrap();
    let of_copy = ["--vault", "copy", "--key-file", key.to_str().unwrap()];
    let server = serve(&home, &of_copy);
    let of_copy = home.run(&[&["env"][..], &of_copy].concat()).expect(0);
    assert!(of_copy.text().contains("AWS_ENDPOINT_URL_SECRETS_MANAGER"));
    let Said { err, .. } = home.run(&["env"]).expect(3);
    assert!(err.contains("no server was started") && err.contains("copy"), "{err}");
    stop(server);
    let server = serve(&home, &[]);
    home.run(&["env"]).expect(0);
    stop(server);
}

/// Puts a copy in the place of the vault.
fn put_back(home: &Home, from: &Path) {
    std::fs::remove_dir_all(home.vault()).unwrap();
    copy(from, &home.vault());
}

fn anchor_of(home: &Home) -> PathBuf {
    let mut name = home.key_file().into_os_string();
    name.push(".anchor");
    name.into()
}

/// RB-1, RB-3: 50 earlier copies, and copies that went on without the anchor.
#[test]
fn t05_an_older_copy_of_the_whole_folder_is_noticed() {
    let home = Home::with_vault();
    let copies = home.path("copies");
    std::fs::create_dir(&copies).unwrap();
    for number in 0..50 {
        home.put("a", &number.to_string());
        copy(&home.vault(), &copies.join(number.to_string()));
    }
    home.put("a", "last");
    let (now, mut noticed) = (home.path("now"), 0);
    copy(&home.vault(), &now);
    for number in 0..50 {
        put_back(&home, &copies.join(number.to_string()));
        let before = crate::ground::marks(&home.vault().join("log"));
        let said = home.run(&["get", "a"]);
        assert_eq!(said.code, 7, "copy {number}: {}", said.err);
        assert!(said.err.contains("went back in time") && said.out.is_empty(), "{}", said.err);
        assert!(said.err.contains("--accept-rollback"), "{}", said.err);
        assert_eq!(said.err.matches("UTC").count(), 2, "{}", said.err);
        assert_eq!(crate::ground::marks(&home.vault().join("log")), before, "it was changed");
        noticed += 1;
    }
    println!("{noticed} of 50 earlier copies noticed");
    home.run(&["check"]).expect(7);
    home.run(&["serve", "--listen", "127.0.0.1:0"]).expect(7);
    // The right folder is served as before.
    put_back(&home, &now);
    assert_eq!(home.get("a"), b"last");
    // A fork that went on elsewhere is longer, and lacks the anchor.
    let fork = copies.join("25");
    let (fork, key) = (fork.to_str().unwrap(), home.key_file());
    let elsewhere = home.file("elsewhere", std::fs::read(&key).unwrap());
    for number in 0..60 {
        let value = home.file("value", format!("fork {number}"));
        let args = ["put", "a", "--file", &value, "--vault", fork, "--key-file", &elsewhere];
        home.run(&args).expect(0);
    }
    put_back(&home, &copies.join("25"));
    home.run(&["get", "a"]).expect(7);
    // Accepted, it is written down, and the newer folder is the one that is refused.
    let said = home.run(&["get", "a", "--accept-rollback"]).expect(0);
    assert_eq!(said.out, b"fork 59");
    assert_eq!(home.get("a"), b"fork 59");
    put_back(&home, &now);
    home.run(&["get", "a"]).expect(7);
}

/// RB-1: nothing in an older copy is changed, even if it is damaged and could be repaired without a loss.
#[test]
fn a_damaged_older_copy_is_refused_as_it_is() {
    let home = Home::with_vault();
    home.put("a", "old");
    let older = home.path("older");
    copy(&home.vault(), &older);
    let segment = newest_segment(&older);
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[4096 + 200] ^= 4;
    std::fs::write(&segment, bytes).unwrap();
    home.put("a", "new");
    put_back(&home, &older);
    for command in [["get", "a"].as_slice(), &["repair"]] {
        let before = crate::ground::marks(&home.vault().join("log"));
        let said = home.run(command).expect(7);
        assert!(said.err.contains("went back in time"), "{}", said.err);
        assert_eq!(crate::ground::marks(&home.vault().join("log")), before, "it was changed");
        assert!(!home.vault().join("damaged").exists());
    }
    // The damage alone is repaired at the next open.
    let said = home.run(&["check", "--accept-rollback"]).expect(0);
    assert!(said.err.contains("damaged, the next open repairs it"), "{}", said.err);
    let said = home.run(&["get", "a", "--accept-rollback"]).expect(0);
    assert_eq!(said.out, b"old");
    let said = home.run(&["check"]).expect(0);
    assert!(said.err.contains("was accepted") && said.err.contains("times=1"), "{}", said.err);
}

/// RB-3: an anchor that was put back is told as one. RB-7: what was accepted is counted.
#[test]
fn an_older_anchor_is_not_called_a_rollback_alone() {
    let home = Home::with_vault();
    home.put("a", "0");
    let anchor = anchor_of(&home);
    let older = std::fs::read(&anchor).unwrap();
    for number in 1..4 {
        home.put("a", &number.to_string());
    }
    std::fs::write(&anchor, older).unwrap();
    let said = home.run(&["get", "a"]).expect(7);
    assert!(said.err.contains("or that is an older copy itself"), "{}", said.err);
    assert!(said.err.contains("the newer anchor") && !said.err.contains("ends without it"));
    assert_eq!(said.err.matches("UTC").count(), 2, "{}", said.err);
    assert_eq!(home.run(&["get", "a", "--accept-rollback"]).expect(0).out, b"3");
    assert_eq!(home.get("a"), b"3");
    let server = serve(&home, &[]);
    let said = home.run(&["check"]).expect(0);
    assert_eq!(said.err.matches("times=1").count(), 1, "{}", said.err);
    stop(server);
}

/// RB-9
#[test]
fn an_anchor_in_the_folder_is_refused_and_a_key_there_has_none() {
    let home = Home::new();
    let said = home.run(&["init", "--anchor", "vault/anchor", "--vault", "vault"]).expect(2);
    assert!(said.err.contains("inside the vault's folder"), "{}", said.err);
    let home = Home::with_vault();
    home.put("a", "one");
    let inside = home.vault().join("own.key");
    std::fs::copy(home.key_file(), &inside).unwrap();
    let said = home.run(&["check", "--key-file", inside.to_str().unwrap()]).expect(0);
    assert_eq!(said.err.matches("there is no anchor file").count(), 1, "{}", said.err);
    home.run(&["get", "a", "--key-file", inside.to_str().unwrap()]).expect(0);
    assert!(!home.vault().join("own.key.anchor").exists());
}

/// RB-1: T5's own way, with a server that is killed: the anchor follows within a second.
#[test]
fn a_log_that_was_cut_back_is_noticed() {
    let home = Home::with_vault();
    let server = serve(&home, &[]);
    let exports = Exports::of(home.run(&["env"]).expect(0).text().lines());
    let anchor = anchor_of(&home);
    let before = std::fs::read_to_string(&anchor).unwrap();
    let copy_of = home.path("copy");
    copy(&home.vault(), &copy_of);
    let mut client = Client::connect(&exports.host(), &exports.keys()).unwrap();
    for number in 0..5 {
        let body = serde_json::json!({
            "Name": format!("s{number}"),
            "SecretString": "v",
            "ClientRequestToken": format!("{number:0>40}"),
        });
        client.ok("CreateSecret", &body);
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::read_to_string(&anchor).unwrap() == before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    // The anchor may have been refreshed between two of the five.
    std::thread::sleep(Duration::from_secs(2));
    signal(&server, "KILL");
    assert_ne!(finish(server).code, 0);
    home.run(&["get", "s4"]).expect(0);
    put_back(&home, &copy_of);
    std::fs::remove_dir_all(home.vault().join("state")).unwrap();
    let said = home.run(&["ls"]).expect(7);
    assert!(said.err.contains("went back in time"), "{}", said.err);
}

/// RB-5: told once where there is none; a state that is gone after a kill is told.
#[test]
fn a_vault_without_an_anchor_is_told_so() {
    let home = Home::new();
    let word = home.file("word", "correct horse");
    home.run(&["init", "--passphrase-file", &word]).expect(0);
    let said = home.run(&["check", "--passphrase-file", &word]).expect(0);
    assert_eq!(said.err.matches("there is no anchor file").count(), 1, "{}", said.err);
    let named = ["check", "--passphrase-file", &word, "--anchor", "anchors/a"];
    home.run(&named).expect(0);
    home.run(&["ls", "--passphrase-file", &word, "--anchor", "anchors/a"]).expect(0);
    assert!(home.path("anchors/a").exists());
    let said = home.run(&named).expect(0);
    assert!(!said.err.contains("anchor"), "{}", said.err);

    let home = Home::with_vault();
    home.put("a", "one");
    let server = serve(&home, &[]);
    signal(&server, "KILL");
    finish(server);
    std::fs::remove_dir_all(home.vault().join("state")).unwrap();
    let said = home.run(&["get", "a"]).expect(0);
    assert!(said.err.contains("its folder `state` is gone"), "{}", said.err);
}

/// Two vaults with one key file do not take each other's anchor, and a changed anchor is noticed (RB-2).
#[test]
fn an_anchor_belongs_to_one_vault_and_is_not_forged() {
    let home = Home::new();
    let key = home.path("k");
    let key = key.to_str().unwrap();
    for vault in ["one", "two"] {
        home.run(&["init", "--vault", vault, "--key-file", key]).expect(0);
    }
    for vault in ["one", "two", "one", "two"] {
        let value = home.file("value", vault);
        let args = ["put", "a", "--create", "--file", &value, "--vault", vault, "--key-file", key];
        home.run(&args).expect(0);
    }
    let anchor = home.path("k.anchor");
    let text = std::fs::read_to_string(&anchor).unwrap();
    let (intro, rest) = text.split_once('\n').unwrap();
    let lsn: u64 = rest.split(' ').next().unwrap().parse().unwrap();
    let forged = rest.replacen(&lsn.to_string(), &(lsn - 1).to_string(), 1);
    std::fs::write(&anchor, format!("{intro}\n{forged}")).unwrap();
    let said = home.run(&["ls", "--vault", "one", "--key-file", key]).expect(7);
    assert!(
        said.err.contains("k.anchor") && said.err.contains("--accept-rollback"),
        "{}",
        said.err
    );
    home.run(&["ls", "--vault", "one", "--key-file", key, "--accept-rollback"]).expect(0);
    home.run(&["ls", "--vault", "one", "--key-file", key]).expect(0);
}

/// RB-6: the kill is a handle that is forgotten, and with it the clean end.
#[test]
fn t06_an_old_keystore_opens_nothing_after_a_change_and_a_kill() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("vault");
    let mut options = Options::default();
    options.tuning.kdf = Some(KdfParams::fast_for_tests());
    let builder = || Vault::builder(&dir).options(options.clone());
    let vault = builder().create(Unlock::passphrase("old")).unwrap();
    vault.put("a", "one").unwrap();
    vault.close().unwrap();
    let old: Vec<_> = ["keystore.a", "keystore.b"]
        .map(|name| (dir.join(name), std::fs::read(dir.join(name)).unwrap()))
        .into();
    let vault = builder().open(Unlock::passphrase("old")).unwrap();
    vault.change_unlock(&Unlock::passphrase("new")).unwrap();
    // Nothing is written after the change, and nothing is closed.
    drop(vault);
    for (path, bytes) in &old {
        std::fs::write(path, bytes).unwrap();
    }
    for word in ["old", "new"] {
        let refused = builder().open(Unlock::passphrase(word)).unwrap_err();
        let is_told = refused.is_damaged() || refused.is_wrong_key();
        assert!(is_told, "{word}: {refused}");
    }
    assert!(builder().open(Unlock::passphrase("old")).unwrap_err().is_damaged());
}
