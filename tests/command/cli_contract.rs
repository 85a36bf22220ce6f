//! The command's contract, sentence by sentence, through the real binary: vault, keys, refusals.
//! `cli_secrets.rs` has the operations, `cli_serve.rs` the server, `cli_terminal.rs` the terminal.

use crate::cmd::{BINARY, Home, chmod, finish, mode, signal, tree};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};
use strongroom::__internals::crypto::{Unlock, key_file};
use strongroom::__internals::env::Env;
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::vault::{Options, VaultDir};

/// The vault of `home`, held by this process.
fn hold(home: &Home) -> VaultDir {
    VaultDir::lock(&home.vault(), &Options::default()).unwrap()
}

// --- init ---

#[test]
fn init_says_where_vault_and_key_are_and_prints_no_data() {
    let home = Home::new();
    let said = home.run(&["init"]).expect(0);
    assert_eq!(said.text(), "");
    let key = home.key_file();
    assert!(said.err.contains(home.vault().to_str().unwrap()), "{}", said.err);
    assert!(said.err.contains(key.to_str().unwrap()), "{}", said.err);
    assert!(
        said.err.contains("both are needed") && said.err.contains("separately"),
        "{}",
        said.err
    );
    let id = strongroom::__internals::vault::peek_id(&home.vault()).unwrap();
    assert_eq!(key.file_name().unwrap().to_str().unwrap(), format!("{id}.key"));
}

#[test]
fn the_key_folder_is_below_home_when_no_base_folder_is_set() {
    let home = Home::new();
    let mut command = home.strongroom(&["init"]);
    command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
    finish(command.spawn().unwrap()).expect(0);
    assert!(home.path(".local/share/strongroom/keystore.a").exists());
    let keys = std::fs::read_dir(home.path(".config/strongroom/keys")).unwrap();
    assert_eq!(keys.count(), 2, "the key and its anchor");
}

#[test]
fn a_second_init_is_refused_and_changes_nothing() {
    let home = Home::with_vault();
    home.put("n", "v");
    let said = home.run(&["init"]).expect(5);
    assert!(said.err.contains("already"), "{}", said.err);
    home.key_file();
    assert_eq!(home.get("n"), b"v");
}

#[test]
fn a_folder_with_foreign_files_is_refused_untouched() {
    let home = Home::new();
    std::fs::create_dir(home.path("mine")).unwrap();
    home.file("mine/thesis.txt", "x");
    home.run(&["init", "--vault", "mine"]).expect(5);
    assert_eq!(tree(&home.path("mine")).len(), 1);
    assert!(!home.keys().exists(), "a refused init leaves no key behind");
}

#[test]
fn files_are_0600_and_folders_0700_under_any_umask() {
    for umask in ["000", "022", "077", "777"] {
        let home = Home::new();
        let script = "umask \"$1\"; s=\"$2\"; \"$s\" init && printf v | \"$s\" put n - --create && \
                      printf w | \"$s\" put n - && \"$s\" get n --out out && \"$s\" credentials new";
        let mut command = home.command("sh");
        command.args(["-c", script, "sh", umask, BINARY.as_str()]);
        finish(command.spawn().unwrap()).expect(0);
        let all = tree(&home.path("."));
        assert!(all.len() > 10, "{all:?}");
        for path in all {
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), expected, "umask {umask}: {}", path.display());
        }
    }
}

#[test]
fn a_key_file_of_a_vault_that_was_never_finished_does_no_harm() {
    let home = Home::new();
    // What a process that died between key file and keystore leaves.
    std::fs::create_dir_all(home.keys()).unwrap();
    std::fs::create_dir_all(home.vault()).unwrap();
    home.file("data/strongroom/LOCK", "1\n");
    let id = strongroom::__internals::crypto::VaultId([0xaa; 16]);
    let env = Env::real();
    let leftover = key_file::generate(id, env.entropy.as_ref()).unwrap();
    home.file("config/strongroom/keys/leftover.key", leftover.expose());
    let pointed = home.file("pointed.key", leftover.expose());
    home.run(&["init"]).expect(0);
    home.put("n", "v");
    assert_eq!(home.get("n"), b"v");
    // The same where the user pointed.
    let args = ["--vault", "other", "--key-file", &pointed];
    home.run(&[&["init"], &args[..]].concat()).expect(0);
    assert_eq!(std::fs::read(&pointed).unwrap(), leftover.expose(), "a key is never overwritten");
    home.feed(&[&["put", "n", "-", "--create"], &args[..]].concat(), "v").expect(0);
    home.run(&[&["get", "n"], &args[..]].concat()).expect(0);
}

#[test]
fn a_key_file_is_made_where_it_is_asked_for() {
    let home = Home::new();
    home.run(&["init", "--key-file", "usb/k"]).expect(0);
    assert_eq!((mode(&home.path("usb")), mode(&home.path("usb/k"))), (0o700, 0o600));
    assert!(!home.keys().exists());
    home.run(&["ls", "--key-file", "usb/k"]).expect(0);
    home.run(&["ls"]).expect(4);
}

// --- unlock order ---

#[test]
fn a_flag_comes_before_a_variable_and_a_variable_before_the_own_key_file() {
    let home = Home::with_vault();
    let own = home.key_file();
    let right = own.to_str().unwrap();
    let env = Env::real();
    let id = strongroom::__internals::vault::peek_id(&home.vault()).unwrap();
    let wrong = home.file("wrong", key_file::generate(id, env.entropy.as_ref()).unwrap().expose());
    let ls = |flag: Option<&str>, key: Option<&str>, passphrase: Option<&str>| {
        let mut command = home.strongroom(&["ls"]);
        if let Some(path) = flag {
            command.args(["--key-file", path]);
        }
        command.envs(key.map(|path| ("STRONGROOM_KEY_FILE", path)));
        command.envs(passphrase.map(|path| ("STRONGROOM_PASSPHRASE_FILE", path)));
        finish(command.spawn().unwrap()).code
    };
    assert_eq!(ls(None, None, None), 0);
    assert_eq!(ls(Some(&wrong), None, None), 4);
    assert_eq!(ls(None, Some(&wrong), None), 4);
    assert_eq!(ls(None, None, Some(&wrong)), 4);
    assert_eq!(ls(Some(right), Some(&wrong), Some(&wrong)), 0);
    assert_eq!(ls(None, Some(right), Some(&wrong)), 0);
    assert_eq!(ls(None, Some(""), Some("")), 0, "an empty variable is none");
}

#[test]
fn without_a_key_all_four_places_are_named() {
    let home = Home::with_vault();
    std::fs::remove_file(home.key_file()).unwrap();
    let said = home.run(&["get", "n"]).expect(4);
    for place in [
        "--key-file",
        "--passphrase-file",
        "STRONGROOM_KEY_FILE",
        "STRONGROOM_PASSPHRASE_FILE",
        "config/strongroom/keys/",
        "prompt",
    ] {
        assert!(said.err.contains(place), "{place}: {}", said.err);
    }
}

#[test]
fn a_key_that_is_missing_damaged_or_of_another_vault_is_exit_4() {
    let home = Home::with_vault();
    let other = Home::with_vault();
    let foreign = other.key_file();
    home.run(&["ls", "--key-file", foreign.to_str().unwrap()]).expect(4);
    home.run(&["ls", "--key-file", "nowhere"]).expect(4);
    let garbage = home.file("garbage", "not a key");
    home.run(&["ls", "--key-file", &garbage]).expect(4);
    home.run(&["ls", "--passphrase-file", "nowhere"]).expect(4);
    home.feed(&["ls", "--passphrase-file", "-"], "").expect(4);
    home.feed(&["ls", "--passphrase-file", "-"], "no such slot").expect(4);
    home.run(&["init", "--vault", "v", "--key-file", &garbage]).expect(4);
    assert_eq!(std::fs::read(&garbage).unwrap(), b"not a key");
}

#[test]
fn a_key_file_that_others_can_reach_is_refused_with_the_cure() {
    let home = Home::with_vault();
    let key = home.key_file();
    for lax in [0o640, 0o604, 0o660] {
        chmod(&key, lax);
        let said = home.run(&["ls"]).expect(4);
        assert!(said.err.contains("chmod") && said.err.contains(key.to_str().unwrap()));
    }
    chmod(&key, 0o400);
    home.run(&["ls"]).expect(0);
}

#[test]
fn a_key_comes_through_a_link_and_through_standard_input() {
    let home = Home::with_vault();
    std::os::unix::fs::symlink(home.key_file(), home.path("link")).unwrap();
    home.run(&["ls", "--key-file", "link"]).expect(0);
    let text = std::fs::read(home.key_file()).unwrap();
    home.feed(&["ls", "--key-file", "-"], text).expect(0);
}

#[test]
fn one_newline_at_the_end_of_a_passphrase_file_is_dropped_and_the_rest_is_exact() {
    let home = Home::new();
    home.feed(&["init", "--passphrase-file", "-"], " correct horse \r\n").expect(0);
    assert!(!home.keys().exists(), "a passphrase vault has no key file");
    for (text, code) in [
        (" correct horse ", 0),
        (" correct horse \n", 0),
        ("correct horse", 4),
        (" correct horse \n\n", 4),
    ] {
        home.feed(&["ls", "--passphrase-file", "-"], text).expect(code);
    }
    let file = home.file("p", " correct horse \n");
    let mut command = home.strongroom(&["ls"]);
    command.env("STRONGROOM_PASSPHRASE_FILE", file);
    finish(command.spawn().unwrap()).expect(0);
    home.run(&["ls"]).expect(4);
}

#[test]
fn an_empty_passphrase_is_refused() {
    let home = Home::new();
    home.feed(&["init", "--passphrase-file", "-"], "\n").expect(2);
    home.run(&["ls"]).expect(3);
}

#[test]
fn init_with_a_passphrase_and_no_terminal_makes_nothing() {
    let home = Home::new();
    home.run(&["init", "--passphrase"]).expect(4);
    home.run(&["init", "--passphrase", "--key-file", "k"]).expect(2);
    home.run(&["ls"]).expect(3);
}

// --- usage ---

#[test]
fn flags_stand_before_or_after_the_subcommand() {
    let home = Home::new();
    home.run(&["--vault", "v", "init", "--key-file", "k"]).expect(0);
    let put = ["--key-file", "k", "put", "n", "-", "--create", "--vault", "v"];
    home.feed(&put, "x").expect(0);
    for args in [
        ["--vault", "v", "--key-file", "k", "--region", "us-east-1", "get", "n"],
        ["get", "n", "--vault", "v", "--key-file", "k", "--region", "us-east-1"],
        ["--vault", "v", "get", "--key-file", "k", "n", "--region", "us-east-1"],
    ] {
        assert_eq!(home.run(&args).expect(0).out, b"x");
    }
}

#[test]
fn the_vault_is_the_flags_then_the_variables() {
    let home = Home::with_vault();
    home.put("n", "default");
    home.run(&["init", "--vault", "v"]).expect(0);
    home.feed(&["put", "n", "-", "--create", "--vault", "v"], "flag").expect(0);
    let mut command = home.strongroom(&["get", "n"]);
    command.env("STRONGROOM_VAULT", home.path("v"));
    assert_eq!(finish(command.spawn().unwrap()).out, b"flag");
    let mut command = home.strongroom(&["get", "n", "--vault", "data/strongroom"]);
    command.env("STRONGROOM_VAULT", home.path("v"));
    assert_eq!(finish(command.spawn().unwrap()).out, b"default");
}

#[test]
fn usage_faults_are_exit_2_and_say_nothing_on_standard_output() {
    let home = Home::with_vault();
    for args in [
        &[][..],
        &["frobnicate"],
        &["get"],
        &["get", "a b"],
        &["get", "n", "--version", "short"],
        &["put", "n"],
        &["put", "n", "-", "--file", "f"],
        &["put", "n", "--file", "nowhere"],
        &["rm", "n", "--now", "--window", "7"],
        &["rm", "n", "--window", "x"],
        &["ls", "--output", "yaml"],
        &["ls", "--wait", "x"],
        &["ls", "--region", "not a region"],
        &["ls", "--key-file", "a", "--passphrase-file", "b"],
        &["stage", "n", "L"],
        &["credentials", "new", "--account", "1"],
    ] {
        let said = home.run(args).expect(2);
        assert_eq!(said.text(), "", "{args:?}");
        assert!(said.err.starts_with("strongroom: "), "{args:?}: {}", said.err);
    }
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let home = Home::with_vault();
    for args in [
        &["put", "n", "s3same", "--create"][..],
        &["put", "n", "--value", "s3same"],
        &["put", "n", "--secret-string=s3same"],
        &["get", "n", "s3same"],
        &["init", "--passphrase", "s3same"],
        &["init", "--passphrase=s3same"],
    ] {
        let said = home.run(args).expect(2);
        assert!(!said.err.contains("s3same"), "{args:?}: {}", said.err);
    }
    let said = home.run(&["put", "n", "s3same"]);
    assert!(said.err.contains("command line") && said.err.contains("--file"), "{}", said.err);
    home.run(&["get", "n"]).expect(3);
}

#[test]
fn standard_input_is_not_both_key_and_value() {
    let home = Home::with_vault();
    home.feed(&["put", "n", "-", "--passphrase-file", "-"], "x").expect(2);
    home.feed(&["put", "n", "-", "--key-file", "-"], "x").expect(2);
}

#[test]
fn help_is_data_with_examples_and_exit_codes() {
    let home = Home::new();
    let said = home.run(&["--help"]).expect(0);
    assert!(said.text().contains("Examples:") && said.text().contains("Exit codes:"));
    assert!(home.run(&["put", "--help"]).expect(0).text().contains("Examples:"));
    assert!(home.run(&["--version"]).expect(0).text().starts_with("strongroom "));
}

#[test]
fn reading_where_no_vault_is_leaves_nothing_behind() {
    let home = Home::new();
    std::fs::create_dir(home.path("empty")).unwrap();
    for args in [
        &["get", "n"][..],
        &["ls", "--vault", "empty"],
        &["check", "--vault", "empty"],
        &["env"],
        &["credentials", "ls"],
    ] {
        let said = home.run(args).expect(3);
        assert!(said.err.contains("strongroom init"), "{args:?}: {}", said.err);
    }
    assert_eq!(tree(&home.path(".")).len(), 1);
}

// --- in use ---

#[test]
fn a_second_process_fails_at_once_naming_the_first_before_key_and_port() {
    let home = Home::with_vault();
    let held = hold(&home);
    let pid = format!("pid={}", std::process::id());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for args in [
        &["get", "n"][..],
        &["ls", "--key-file", "nowhere"],
        &["check"],
        &["init"],
        &["credentials", "ls"],
        &["credentials", "new"],
        &["serve", "--listen", &taken, "--key-file", "nowhere"],
    ] {
        let said = home.run(args).expect(6);
        assert!(said.err.contains(&pid), "{args:?}: {}", said.err);
    }
    home.feed(&["put", "n", "-"], "x").expect(6);
    drop(held);
    home.run(&["ls"]).expect(0);
}

#[test]
fn with_wait_a_second_process_waits_that_long() {
    let home = Home::with_vault();
    let held = hold(&home);
    let start = Instant::now();
    home.run(&["ls", "--wait", "0.4"]).expect(6);
    assert!(start.elapsed() >= Duration::from_millis(400));
    let waiting = home.strongroom(&["--wait", "60", "ls"]).spawn().unwrap();
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop(held);
    });
    finish(waiting).expect(0);
    release.join().unwrap();
}

#[test]
fn ctrl_c_while_waiting_is_exit_130() {
    let home = Home::with_vault();
    let _held = hold(&home);
    let child = home.strongroom(&["ls", "--wait", "100"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(500));
    signal(&child, "INT");
    let said = finish(child).expect(130);
    assert_eq!(said.text(), "");
}

/// `get` lets the vault go before it prints, and `put` reads before it takes it.
#[test]
fn one_vault_can_be_on_both_ends_of_a_pipe() {
    let home = Home::with_vault();
    home.put("a", "copied");
    let script = "\"$1\" get a | \"$1\" put b - --create";
    for _ in 0..3 {
        let mut command = home.command("sh");
        command.args(["-c", script, "sh", BINARY.as_str()]);
        finish(command.spawn().unwrap()).expect(0);
    }
    assert_eq!(home.get("b"), b"copied");
}

#[test]
fn a_reader_that_went_away_is_exit_141_without_a_word() {
    let home = Home::with_vault();
    home.put("n", "v");
    for args in [&["get", "n"][..], &["ls"], &["describe", "n"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = home.strongroom(args);
        let said = finish(command.stdout(Stdio::from(writer)).spawn().unwrap()).expect(141);
        assert_eq!(said.err, "", "{args:?}");
    }
}

#[test]
fn a_full_standard_output_is_an_error() {
    let home = Home::with_vault();
    home.put("n", "v");
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("skipped: there is no /dev/full");
        return;
    };
    let mut command = home.strongroom(&["get", "n"]);
    finish(command.stdout(full).spawn().unwrap()).expect(1);
}

// --- check ---

/// Content of every file but the lock's, which names its holder.
fn contents(home: &Home) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    tree(&home.vault())
        .into_iter()
        .filter(|path| path.is_file() && path.file_name().unwrap() != "LOCK")
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn check_never_writes_and_finds_a_good_vault_good() {
    let home = Home::with_vault();
    home.put("n", "v");
    let before = contents(&home);
    let said = home.run(&["check"]).expect(0);
    assert!(said.text().starts_with("no damage"), "{}", said.text());
    assert_eq!(said.err, "");
    assert!(contents(&home) == before, "check wrote");
    let json = home.run(&["check", "--output", "json"]).expect(0).json();
    assert_eq!(json["Damage"], serde_json::json!([]));
    assert!(json["Operations"].as_u64().unwrap() >= 1);
}

#[test]
fn a_state_that_the_next_open_rebuilds_is_a_warning_and_0() {
    let home = Home::with_vault();
    home.put("n", "v");
    std::fs::remove_dir_all(home.vault().join("state")).unwrap();
    let before = contents(&home);
    let said = home.run(&["check"]).expect(0);
    assert!(said.err.contains("warning"), "{}", said.err);
    assert!(contents(&home) == before, "check wrote");
    assert_eq!(home.get("n"), b"v");
    assert_eq!(home.run(&["check"]).expect(0).err, "");
}

/// Log and state both damaged, to the last byte: neither can repair the other.
#[test]
fn damage_is_exit_7_and_check_changes_nothing() {
    let home = Home::with_vault();
    home.put("n", "v");
    std::fs::remove_dir_all(home.vault().join("state")).unwrap();
    for path in tree(&home.vault().join("log")) {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.iter_mut().for_each(|byte| *byte ^= 1);
        std::fs::write(&path, bytes).unwrap();
    }
    let before = contents(&home);
    let said = home.run(&["check"]).expect(7);
    assert!(said.err.contains("damage"), "{}", said.err);
    assert!(contents(&home) == before, "check wrote");
    home.run(&["get", "n"]).expect(7);
}

/// The headers of all files of the log damaged, and no state: each frame proves itself, so that the
/// next open gets all of it together again, and a check says so.
#[test]
fn damage_that_the_next_open_repairs_is_a_warning_and_0() {
    let home = Home::with_vault();
    home.put("n", "v");
    std::fs::remove_dir_all(home.vault().join("state")).unwrap();
    for path in tree(&home.vault().join("log")) {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.iter_mut().take(4096).for_each(|byte| *byte ^= 1);
        std::fs::write(&path, bytes).unwrap();
    }
    let before = contents(&home);
    let said = home.run(&["check"]).expect(0);
    assert!(said.err.contains("damaged"), "{}", said.err);
    assert!(contents(&home) == before, "check wrote");
    assert_eq!(home.get("n"), b"v");
    assert_eq!(home.run(&["check"]).expect(0).err, "");
}

// --- secrets never in arguments, variables, messages ---

#[test]
fn a_value_is_in_no_argument_and_no_variable() {
    let home = Home::with_vault();
    let mut command = home.strongroom(&["put", "n", "-", "--create"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"s3same").unwrap();
    thread::sleep(Duration::from_millis(100));
    for file in ["cmdline", "environ"] {
        // Unreadable is better still: the process is not dumpable.
        let bytes = std::fs::read(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window == b"s3same"), "{file}");
    }
    drop(stdin);
    let said = finish(child).expect(0);
    assert!(!said.err.contains("s3same"));
    assert!(!said.text().contains("s3same"));
}

#[test]
fn a_vault_of_the_library_is_opened_by_the_command() {
    let home = Home::new();
    let env = Env::real();
    let id = strongroom::__internals::crypto::VaultId([7; 16]);
    let text = key_file::generate(id, env.entropy.as_ref()).unwrap();
    let key = home.file("k", text.expose());
    let unlock = Unlock::KeyFile(SecretBytes::copy_from(text.expose()));
    let vault = Options::default().create(&home.path("v"), unlock).unwrap();
    vault.close().unwrap();
    home.run(&["ls", "--vault", "v", "--key-file", &key]).expect(0);
}
