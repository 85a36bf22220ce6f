#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use clap::CommandFactory;
use std::ffi::OsString;
use std::time::Duration;

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn ok(line: &str) -> Cli {
    match parse(words(line)) {
        Ok(Parsed::Command(cli)) => *cli,
        Ok(Parsed::Show(text)) => panic!("{line}: shows {text}"),
        Err(failure) => panic!("{line}: {}", failure.message),
    }
}

fn refused(line: &str) -> String {
    match parse(words(line)) {
        Err(failure) => {
            assert_eq!(failure.exit.code(), 2, "{line}");
            format!("{}\n{}", failure.message, failure.hint.unwrap_or_default())
        }
        Ok(_) => panic!("{line}: was taken"),
    }
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn global_flags_stand_before_or_after_the_subcommand() {
    for line in [
        "strongroom --vault v --key-file k --region eu-west-1 --output json --wait 2.5 get n",
        "strongroom get n --vault v --key-file k --region eu-west-1 --output json --wait 2.5",
        "strongroom --vault v --output json get --key-file k n --wait 2.5 --region eu-west-1",
        "strongroom --vault v --output json credentials --key-file k ls --wait 2.5 --region eu-west-1",
    ] {
        let global = ok(line).global;
        assert_eq!(global.vault, Some("v".into()), "{line}");
        assert_eq!(global.key_file, Some("k".into()), "{line}");
        assert_eq!(global.region.as_deref(), Some("eu-west-1"), "{line}");
        assert!(global.is_json(), "{line}");
        assert_eq!(global.wait, Some(Duration::from_millis(2500)), "{line}");
    }
}

#[test]
fn a_key_file_and_a_passphrase_file_exclude_each_other_on_both_sides() {
    for line in [
        "strongroom --key-file k --passphrase-file p ls",
        "strongroom --key-file k ls --passphrase-file p",
        "strongroom ls --key-file k --passphrase-file p",
    ] {
        refused(line);
    }
}

#[test]
fn usage_faults_are_refused() {
    for line in [
        "strongroom",
        "strongroom frobnicate",
        "strongroom get",
        "strongroom put",
        "strongroom stage n l",
        "strongroom rm n --now --window 7",
        "strongroom rm n --window soon",
        "strongroom ls --wait never",
        "strongroom ls --wait -1",
        "strongroom ls --wait inf",
        "strongroom ls --output yaml",
        "strongroom serve --auth basic",
        "strongroom serve --listen 4566",
        "strongroom credentials",
        "strongroom credentials new --account 12",
        "strongroom events",
    ] {
        refused(line);
    }
}

#[test]
fn a_refusal_does_not_repeat_what_may_be_a_secret() {
    for line in [
        "strongroom get n s3same",
        "strongroom init s3same",
        "strongroom init --passphrase s3same",
        "strongroom init --passphrase=s3same",
        "strongroom put n --s3same=s3same",
        "strongroom put n -s3same",
        "strongroom put n --create=s3same",
        "strongroom env s3same",
    ] {
        if let Ok(Parsed::Show(text)) = parse(words(line)) {
            assert!(!text.contains("s3same"), "{line}: {text}"); // `-h` asks for help
            continue;
        }
        let said = refused(line);
        assert!(!said.contains("s3same"), "{line}: {said}");
    }
}

#[test]
fn values_on_the_command_line_reach_the_refusal_that_explains() {
    for line in [
        "strongroom put n s3same",
        "strongroom put n - s3same",
        "strongroom put n --value s3same",
        "strongroom put n --secret-string=s3same",
    ] {
        let Command::Put(put) = ok(line).command else { panic!("{line}") };
        assert!(put.value_in_argv.is_some() || put.source.iter().any(|word| word != "-"), "{line}");
    }
}

#[test]
fn help_and_version_are_data() {
    for line in ["strongroom --help", "strongroom put --help", "strongroom --version"] {
        assert!(matches!(parse(words(line)), Ok(Parsed::Show(_))), "{line}");
    }
}

#[test]
fn a_misspelled_flag_is_named() {
    assert!(refused("strongroom get n --stages x").contains("--stages"));
}

#[cfg(feature = "server")]
#[test]
fn the_server_listens_on_loopback_by_default_and_takes_localhost() {
    let listen = |line: &str| match ok(line).command {
        Command::Serve(serve) => serve.listen.to_string(),
        _ => panic!("{line}"),
    };
    assert_eq!(listen("strongroom serve"), "127.0.0.1:4566");
    assert_eq!(listen("strongroom serve --listen localhost:80"), "127.0.0.1:80");
    assert_eq!(listen("strongroom serve --listen [::1]:80"), "[::1]:80");
}
