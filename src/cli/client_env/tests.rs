#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use super::*;
use crate::cli::testing::context;
use std::os::unix::fs::PermissionsExt;

const A: VaultId = VaultId([0xaa; 16]);
const B: VaultId = VaultId([0xbb; 16]);

fn found(context: &Context, global: &Global, id: VaultId) -> Option<String> {
    find(context, global, id).map(|text| lines(&text).nth(1).unwrap_or_default().to_owned())
}

#[test]
fn two_vaults_in_one_keys_folder_keep_their_lines_apart() {
    let root = tempfile::tempdir().unwrap();
    let context = context(&[("XDG_CONFIG_HOME", root.path().to_str().unwrap())]);
    let global = Global::default();
    keep(&context, &global, A, "export AWS_ACCESS_KEY_ID=A1\n");
    keep(&context, &global, B, "export AWS_ACCESS_KEY_ID=B1\n");
    assert_eq!(found(&context, &global, A).unwrap(), "export AWS_ACCESS_KEY_ID=A1");
    assert_eq!(kept_access_key_id(&context, &global, B).unwrap(), "B1");
    let last = root.path().join("strongroom/keys/client.env");
    assert!(std::fs::read_to_string(&last).unwrap().contains("=B1"));
    for name in ["strongroom/keys/client.env", &format!("strongroom/keys/{A}.client.env")] {
        let mode = std::fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn the_lines_stand_beside_a_key_file_that_was_pointed_at() {
    let root = tempfile::tempdir().unwrap();
    let context = context(&[]);
    let global = Global { key_file: Some(root.path().join("usb/k")), ..Global::default() };
    keep(&context, &global, A, "export AWS_ACCESS_KEY_ID=A1\n");
    assert!(root.path().join("usb/client.env").exists());
    assert_eq!(kept_access_key_id(&context, &global, A).unwrap(), "A1");
    assert_eq!(found(&context, &global, B), None);
}

/// RB-8: a copy has the id of the original, so the folder decides.
#[test]
fn the_lines_of_a_copy_are_not_the_originals() {
    let root = tempfile::tempdir().unwrap();
    let context = context(&[("XDG_CONFIG_HOME", root.path().to_str().unwrap())]);
    let at = |name: &str| {
        let vault = root.path().join(name);
        std::fs::create_dir_all(&vault).unwrap();
        Global { vault: Some(vault), ..Global::default() }
    };
    let (original, copy) = (at("v"), at("copy"));
    keep(&context, &copy, A, "export AWS_ACCESS_KEY_ID=A1\n");
    let text = find(&context, &original, A).unwrap();
    let kept = folder_of(&text).unwrap();
    assert_eq!(Some(kept), folder_identity(&copy.vault.unwrap()).as_deref());
    assert_ne!(Some(kept), folder_identity(&original.vault.unwrap()).as_deref());
}

#[test]
fn what_others_planted_beside_a_key_file_is_not_passed_on() {
    let root = tempfile::tempdir().unwrap();
    let context = context(&[]);
    let global = Global { key_file: Some(root.path().join("k")), ..Global::default() };
    keep(&context, &global, A, "export AWS_ACCESS_KEY_ID=A1\n");
    for name in [NAME.to_owned(), format!("{A}.{NAME}")] {
        let path = root.path().join(name);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o660)).unwrap();
    }
    assert_eq!(found(&context, &global, A), None);
}

#[test]
fn a_line_that_says_more_than_one_thing_to_a_shell_is_none_of_ours() {
    for line in [
        "export AWS_ENDPOINT_URL_SECRETS_MANAGER=http://[::1]:4566",
        "export AWS_ENDPOINT_URL_STS=http://127.0.0.1:4566",
        "export AWS_SECRET_ACCESS_KEY=aB3-_+/=",
        "export AWS_REGION=us-east-1",
    ] {
        assert!(is_export(line), "{line}");
    }
    for line in [
        "export AWS_REGION=$(id)",
        "export AWS_REGION=x;id",
        "export AWS_REGION=x y",
        "export AWS_REGION=`id`",
        "export AWS_REGION='x'",
        "export PATH=/tmp",
        "export LD_PRELOAD=/tmp/x.so",
        "exportAWS_REGION=x",
        "# vault",
        "id",
    ] {
        assert!(!is_export(line), "{line}");
    }
}
