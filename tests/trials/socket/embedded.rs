//! A program that embeds a vault and listens for commands.

use super::{new_pair, socket};
use crate::cmd::{Home, mode};
use strongroom::{Unlock, Vault};

fn open(home: &Home) -> Vault {
    Vault::open(home.vault(), Unlock::key_file(home.key_file()).unwrap()).unwrap()
}

/// SOCK-2: the command works beside a program that asked for it, and only then.
#[test]
fn the_command_works_beside_a_program_that_listens() {
    let home = Home::with_vault();
    let vault = open(&home);
    vault.put("of/program", "one").unwrap();
    for args in [&["get", "of/program"][..], &["ls"], &["check"]] {
        assert!(home.run(args).expect(6).err.contains("pid="));
    }

    let listener = vault.listen().unwrap();
    assert_eq!(mode(&socket(&home)), 0o600);
    assert_eq!(home.get("of/program"), b"one");
    home.put("of/command", "two");
    assert_eq!(vault.get("of/command").unwrap().as_str(), Ok("two"));
    assert_eq!(home.run(&["ls"]).expect(0).text().lines().count(), 2);
    home.run(&["check", "--deep"]).expect(0);
    home.run(&["get", "nowhere"]).expect(3);
    let pair = new_pair(&home);
    assert_eq!(vault.credentials().unwrap()[0].access_key_id, pair.access_key_id);
    home.run(&["repair"]).expect(6);

    drop(listener);
    assert!(!socket(&home).exists());
    home.run(&["ls"]).expect(6);
    assert_eq!(vault.get("of/program").unwrap().as_str(), Ok("one"));
    vault.close().unwrap();
    assert_eq!(home.get("of/command"), b"two");
}

/// SOCK-2: a program that closes its vault and listens on is in nobody's way.
#[test]
fn a_listener_whose_vault_is_closed_is_passed_by() {
    let home = Home::with_vault();
    let vault = open(&home);
    let listener = vault.listen().unwrap();
    home.put("n", "v");
    vault.close().unwrap();
    assert_eq!(home.get("n"), b"v");
    // Another program listens in its place, and the first one takes nothing from it.
    let next = open(&home);
    let next_listener = next.listen().unwrap();
    assert!(vault.listen().is_err(), "a closed vault took the socket of its next holder");
    assert_eq!(home.get("n"), b"v");
    drop(listener);
    assert_eq!(home.get("n"), b"v");
    drop(next_listener);
    next.close().unwrap();
}

/// SOCK-3: where nobody can listen, it is told with the place, and the vault works on.
#[test]
fn a_place_without_room_for_a_socket_is_told() {
    let home = Home::with_vault();
    let vault = open(&home);
    std::fs::create_dir(socket(&home)).unwrap();
    let refused = vault.listen().unwrap_err().to_string();
    assert!(refused.contains(home.vault().to_str().unwrap()), "{refused}");
    assert!(refused.contains("holder.sock"), "{refused}");
    std::fs::remove_dir(socket(&home)).unwrap();
    let moved = home.path("moved");
    std::fs::rename(home.vault(), &moved).unwrap();
    vault.listen().unwrap_err();
    std::fs::rename(&moved, home.vault()).unwrap();
    drop(vault.listen().unwrap());
    vault.put("n", "v").unwrap();
    vault.close().unwrap();
    let memory = Vault::in_memory().unwrap();
    assert!(memory.listen().unwrap_err().to_string().contains("memory"));
}
