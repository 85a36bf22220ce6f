//! The operations on secrets through the real binary: what they take, print and answer.

use crate::cmd::{Home, finish, mode, tree};
use crate::common::exports::Exports;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use strongroom::__internals::crypto::Unlock;
use strongroom::__internals::model::api::{CreateSecret, PutSecretValue};
use strongroom::__internals::secret::{SecretBytes, SecretValue};
use strongroom::__internals::vault::Options;

const TOKEN: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "66666666-7777-8888-9999-000000000000";

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

fn is_date(text: &str) -> bool {
    text.len() == 24 && text.starts_with("20") && text.ends_with('Z') && text.contains('T')
}

// --- put and get ---

#[test]
fn put_prints_the_version_id_alone_and_get_the_bytes_alone() {
    let home = Home::with_vault();
    let said = home.feed(&["put", "n", "-", "--create"], "line\n\n").expect(0);
    let id = said.text().strip_suffix('\n').unwrap();
    assert!(is_uuid(id), "{id:?}");
    assert_eq!(said.err, "");
    let said = home.run(&["get", "n"]).expect(0);
    assert_eq!(said.out, b"line\n\n", "standard input is taken byte for byte");
    assert_eq!(said.err, "");
    home.put("n", "no newline");
    assert_eq!(home.get("n"), b"no newline", "and no newline is added off a terminal");
}

#[test]
fn every_byte_value_comes_back_from_a_file() {
    let home = Home::with_vault();
    let bytes: Vec<u8> = (0..=255).chain([0, 0, 10, 13]).collect();
    let file = home.file("value", &bytes);
    home.run(&["put", "n", "--file", &file, "--create"]).expect(2);
    home.run(&["get", "n"]).expect(3);
    home.run(&["put", "n", "--file", &file, "--create", "--binary"]).expect(0);
    assert_eq!(home.get("n"), bytes);
    home.feed(&["put", "n", "--file", "-"], "text \u{0}\u{1f600}").expect(0);
    assert_eq!(home.get("n"), "text \u{0}\u{1f600}".as_bytes());
}

#[test]
fn values_of_1_and_65536_bytes_are_taken_and_0_and_65537_refused() {
    let home = Home::with_vault();
    for len in [1, 65_536] {
        let value = vec![b'x'; len];
        home.feed(&["put", "n", "-", "--create"], &value).expect(0);
        assert_eq!(home.get("n"), value);
        home.feed(&["put", "n", "-", "--binary"], vec![0xff; len]).expect(0);
    }
    for len in [0, 65_537, 1 << 20] {
        let said = home.feed(&["put", "n", "-"], vec![b'x'; len]).expect(2);
        assert!(said.err.contains("Member must have length"), "{}", said.err);
    }
    assert_eq!(home.get("n"), vec![0xff; 65_536]);
}

#[test]
fn a_missing_secret_is_exit_3_unless_create_makes_it() {
    let home = Home::with_vault();
    let said = home.feed(&["put", "n", "-"], "v").expect(3);
    assert!(said.err.contains("--create"), "{}", said.err);
    home.feed(&["put", "n", "-", "--create"], "v").expect(0);
    home.feed(&["put", "n", "-", "--create"], "w").expect(0);
    assert_eq!(home.get("n"), b"w");
    assert_eq!(home.run(&["get", "n", "--stage", "AWSPREVIOUS"]).expect(0).out, b"v");
    let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:gone-AbCdEf";
    home.feed(&["put", arn, "-", "--create"], "v").expect(3);
    assert_eq!(home.run(&["ls"]).expect(0).text(), "n\n");
}

#[test]
fn a_token_names_the_version_and_makes_a_replay_harmless() {
    let home = Home::with_vault();
    let put = |value: &str| home.feed(&["put", "n", "-", "--create", "--token", TOKEN], value);
    assert_eq!(put("v").expect(0).text(), format!("{TOKEN}\n"));
    assert_eq!(put("v").expect(0).text(), format!("{TOKEN}\n"));
    put("other").expect(5);
    assert_eq!(home.run(&["get", "n", "--version", TOKEN]).expect(0).out, b"v");
    home.feed(&["put", "n", "-", "--token", "short"], "v").expect(2);
}

#[test]
fn stages_can_be_repeated_and_leave_the_current_version_alone() {
    let home = Home::with_vault();
    home.put("n", "now");
    home.feed(&["put", "n", "-", "--stage", "A", "--stage", "B"], "next").expect(0);
    assert_eq!(home.get("n"), b"now");
    for stage in ["A", "B"] {
        assert_eq!(home.run(&["get", "n", "--stage", stage]).expect(0).out, b"next");
    }
    home.run(&["get", "n", "--stage", "C"]).expect(3);
    home.feed(&["put", "m", "-", "--create", "--stage", "A"], "first").expect(0);
    assert_eq!(home.run(&["get", "m", "--stage", "A"]).expect(0).out, b"first");
}

#[test]
fn get_refuses_a_label_that_is_on_another_version() {
    let home = Home::with_vault();
    let old = home.put("n", "old");
    let new = home.put("n", "new");
    assert_eq!(home.run(&["get", "n", "--version", &old]).expect(0).out, b"old");
    let both = ["get", "n", "--version", &new, "--stage", "AWSPREVIOUS"];
    home.run(&both).expect(2);
    home.run(&["get", "n", "--version", OTHER]).expect(3);
    home.run(&["get", "other"]).expect(3);
}

#[test]
fn out_is_written_private_whole_and_not_through_a_link() {
    let home = Home::with_vault();
    home.put("n", "v");
    home.file("old", "old content that is longer");
    crate::cmd::chmod(&home.path("old"), 0o644);
    let said = home.run(&["get", "n", "--out", "old"]).expect(0);
    assert_eq!(said.text(), "");
    assert_eq!(std::fs::read(home.path("old")).unwrap(), b"v");
    assert_eq!(mode(&home.path("old")), 0o600);
    home.run(&["get", "n", "--out", "new"]).expect(0);
    assert_eq!(mode(&home.path("new")), 0o600);
    let target = home.file("target", "mine");
    std::os::unix::fs::symlink(&target, home.path("link")).unwrap();
    home.run(&["get", "n", "--out", "link"]).expect(2);
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    home.run(&["get", "n", "--out", "no/such/folder"]).expect(1);
    let strays: Vec<_> = tree(&home.path("."))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "tmp"))
        .collect();
    assert!(strays.is_empty(), "{strays:?}");
}

// --- ls, describe, versions ---

#[test]
fn ls_prints_a_name_a_line_and_nothing_for_nothing() {
    let home = Home::with_vault();
    assert_eq!(home.run(&["ls"]).expect(0).text(), "");
    for name in ["db/b", "db/a", "Db/c", "x"] {
        home.put(name, "v");
    }
    assert_eq!(home.run(&["ls"]).expect(0).text(), "Db/c\ndb/a\ndb/b\nx\n");
    assert_eq!(home.run(&["ls", "db/"]).expect(0).text(), "db/a\ndb/b\n");
    assert_eq!(home.run(&["ls", "b"]).expect(0).text(), "");
    let listed = home.run(&["ls", "x", "--output", "json"]).expect(0).json();
    assert_eq!(listed["SecretList"][0]["Name"], "x");
    assert_eq!(listed["SecretList"].as_array().unwrap().len(), 1);
}

/// More secrets and versions than one page of the AWS API holds.
#[test]
fn lists_are_whole_however_many_pages_they_have() {
    let home = Home::with_vault();
    let key = SecretBytes::new(std::fs::read(home.key_file()).unwrap());
    let unlock = Unlock::KeyFile(key);
    let vault = Options::default().open(&home.vault(), &unlock).unwrap();
    for number in 0..250 {
        vault.create_secret(CreateSecret::new(format!("s{number:03}"))).unwrap();
    }
    for number in 0..120 {
        let value = SecretValue::text(number.to_string());
        vault.put_secret_value(PutSecretValue::new("s000", value)).unwrap();
    }
    vault.close().unwrap();
    let names = home.run(&["ls"]).expect(0);
    assert_eq!(names.text().lines().count(), 250);
    let listed = home.run(&["ls", "--output", "json"]).expect(0).json();
    assert_eq!(listed["SecretList"].as_array().unwrap().len(), 250);
    assert!(listed.get("NextToken").is_none());
    assert_eq!(home.run(&["versions", "s000", "--all"]).expect(0).text().lines().count(), 120);
    assert_eq!(home.run(&["versions", "s000"]).expect(0).text().lines().count(), 2);
}

#[test]
fn describe_shows_all_but_the_value() {
    let home = Home::with_vault();
    let id = home.put("n", "s3same");
    let said = home.run(&["describe", "n"]).expect(0);
    assert!(said.text().contains("arn:aws:secretsmanager:us-east-1:000000000000:secret:n-"));
    assert!(said.text().contains(&id) && said.text().contains("AWSCURRENT"));
    assert!(!said.text().contains("s3same"));
    let found = home.run(&["--output", "json", "describe", "n"]).expect(0).json();
    assert_eq!(found["VersionIdsToStages"], json!({&id: ["AWSCURRENT"]}));
    assert!(found["CreatedDate"].is_f64() && found["LastChangedDate"].is_f64());
    home.run(&["describe", "m"]).expect(3);
}

#[test]
fn versions_shows_labelled_ones_and_with_all_the_others_too() {
    let home = Home::with_vault();
    let ids = ["1", "2", "3"].map(|value| home.put("n", value));
    let said = home.run(&["versions", "n"]).expect(0);
    let lines: Vec<Vec<&str>> =
        said.text().lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        let &[id, stage, created] = line.as_slice() else { panic!("{line:?}") };
        let expected = if id == ids[2] { "AWSCURRENT" } else { "AWSPREVIOUS" };
        assert_eq!(stage, expected);
        assert!(ids.iter().any(|known| known == id) && is_date(created), "{line:?}");
    }
    let said = home.run(&["versions", "n", "--all"]).expect(0);
    assert_eq!(said.text().lines().count(), 3);
    assert!(said.text().contains(&format!("{}\t-\t", ids[0])), "{}", said.text());
    let page = home.run(&["versions", "n", "--all", "--output", "json"]).expect(0).json();
    assert_eq!(page["Versions"].as_array().unwrap().len(), 3);
    assert_eq!(page["Versions"][0]["KmsKeyIds"], json!(["DefaultEncryptionKey"]));
}

// --- stage, rm, restore ---

#[test]
fn stage_moves_a_label_and_wants_to_hear_from_where_it_goes() {
    let home = Home::with_vault();
    let old = home.put("n", "old");
    let new = home.put("n", "new");
    home.run(&["stage", "n", "AWSCURRENT", "--to", &old]).expect(2);
    let said = home.run(&["stage", "n", "AWSCURRENT", "--to", &old, "--from", &new]).expect(0);
    assert_eq!(said.text(), "");
    assert_eq!(home.get("n"), b"old");
    assert_eq!(home.run(&["get", "n", "--stage", "AWSPREVIOUS"]).expect(0).out, b"new");
    let answer = home.run(&["stage", "n", "L", "--to", &old, "--output", "json"]).expect(0).json();
    assert_eq!(answer["Name"], "n");
    home.run(&["stage", "n", "L", "--from", &old]).expect(0);
    home.run(&["get", "n", "--stage", "L"]).expect(3);
    home.run(&["stage", "m", "L", "--to", &old]).expect(3);
}

#[test]
fn rm_prints_the_deletion_date_and_restore_takes_it_back() {
    let home = Home::with_vault();
    home.put("n", "v");
    for days in ["6", "31"] {
        home.run(&["rm", "n", "--window", days]).expect(2);
    }
    let said = home.run(&["rm", "n", "--window", "7"]).expect(0);
    assert!(is_date(said.text().trim_end()), "{}", said.text());
    let said = home.run(&["get", "n"]).expect(5);
    assert!(said.err.contains("restore"), "{}", said.err);
    home.run(&["rm", "n"]).expect(5);
    home.feed(&["put", "n", "-", "--create"], "w").expect(5);
    assert_eq!(home.run(&["ls"]).expect(0).text(), "");
    assert!(home.run(&["describe", "n"]).expect(0).text().contains("Deleted:"));
    home.run(&["restore", "n"]).expect(0);
    assert_eq!(home.get("n"), b"v");
    let answer = home.run(&["rm", "n", "--output", "json"]).expect(0).json();
    assert!(answer["DeletionDate"].is_f64() && answer["ARN"].is_string());
    let answer = home.run(&["restore", "n", "--output", "json"]).expect(0).json();
    assert_eq!(answer["Name"], "n");
    home.run(&["restore", "m"]).expect(3);
}

#[test]
fn rm_now_is_final_and_frees_the_name() {
    let home = Home::with_vault();
    home.put("n", "v");
    home.put("kept", "k");
    let said = home.run(&["rm", "n", "--now"]).expect(0);
    assert!(is_date(said.text().trim_end()), "{}", said.text());
    home.run(&["get", "n"]).expect(3);
    home.run(&["restore", "n"]).expect(3);
    assert_eq!(home.get("kept"), b"k");
    home.put("n", "again");
    assert_eq!(home.get("n"), b"again");
    home.run(&["rm", "n"]).expect(0);
    home.run(&["rm", "n", "--now"]).expect(0);
    home.run(&["rm", "m"]).expect(3);
    let said = home.run(&["rm", "m", "--now"]).expect(0);
    assert!(said.err.contains("no such secret"), "as AWS, but said: {}", said.err);
}

// --- JSON, ARNs, regions ---

#[test]
fn json_is_the_aws_response() {
    let home = Home::with_vault();
    let made = home.feed(&["put", "n", "-", "--create", "--output", "json"], "v").expect(0).json();
    assert!(made["ARN"].as_str().unwrap().starts_with("arn:aws:secretsmanager:us-east-1:"));
    assert!(made["VersionId"].is_string() && made.get("VersionStages").is_none());
    let put = home.feed(&["put", "n", "-", "--output", "json"], "a\"\u{0}b").expect(0).json();
    assert_eq!(put["VersionStages"], json!(["AWSCURRENT"]));
    let got = home.run(&["get", "n", "--output", "json"]).expect(0).json();
    assert_eq!(got["SecretString"], "a\"\u{0}b");
    assert_eq!((&got["VersionId"], &got["Name"]), (&put["VersionId"], &json!("n")));
    assert!(got["CreatedDate"].is_f64() && got.get("SecretBinary").is_none());
    home.feed(&["put", "n", "-", "--binary"], [0, 255, 128]).expect(0);
    let got = home.run(&["get", "n", "--output", "json"]).expect(0).json();
    assert_eq!(got["SecretBinary"], STANDARD.encode([0, 255, 128]));
    home.run(&["get", "n", "--output", "json", "--out", "f"]).expect(0);
    let file = std::fs::read(home.path("f")).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(file["SecretBinary"], got["SecretBinary"]);
}

#[test]
fn a_name_may_be_a_whole_or_partial_arn() {
    let home = Home::with_vault();
    home.put("app/db", "v");
    let found = home.run(&["describe", "app/db", "--output", "json"]).expect(0).json();
    let arn = found["ARN"].as_str().unwrap();
    let partial = arn.get(..arn.len() - 7).unwrap();
    for name in [arn, partial] {
        assert_eq!(home.get(name), b"v", "{name}");
        home.feed(&["put", name, "-"], "v").expect(0);
        home.run(&["describe", name]).expect(0);
        home.run(&["versions", name]).expect(0);
    }
    home.run(&["rm", arn]).expect(0);
    home.run(&["restore", partial]).expect(0);
}

#[test]
fn a_name_lives_in_a_region() {
    let home = Home::with_vault();
    home.put("n", "default");
    home.feed(&["put", "n", "-", "--create", "--region", "eu-west-1"], "europe").expect(0);
    assert_eq!(home.get("n"), b"default");
    assert_eq!(home.run(&["--region", "eu-west-1", "get", "n"]).expect(0).out, b"europe");
    for (variables, value) in [
        (&[("AWS_REGION", "eu-west-1")][..], "europe"),
        (&[("AWS_DEFAULT_REGION", "eu-west-1")], "europe"),
        (&[("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "eu-west-1")], "default"),
    ] {
        let mut command = home.strongroom(&["get", "n"]);
        command.envs(variables.iter().copied());
        assert_eq!(finish(command.spawn().unwrap()).out, value.as_bytes(), "{variables:?}");
    }
    home.run(&["get", "n", "--region", "eu-west-2"]).expect(3);
}

// --- credentials ---

#[test]
fn credentials_are_made_listed_and_revoked() {
    let home = Home::with_vault();
    assert_eq!(home.run(&["credentials", "ls"]).expect(0).text(), "");
    let said = home.run(&["credentials", "new", "--account", "111122223333"]).expect(0);
    assert_eq!(said.text().lines().count(), 2, "{}", said.text());
    let exports = Exports::of(said.text().lines());
    let (id, secret) = (exports.must("AWS_ACCESS_KEY_ID"), exports.must("AWS_SECRET_ACCESS_KEY"));
    assert!(id.starts_with("AKIA") && secret.len() >= 30);
    let listed = home.run(&["credentials", "ls"]).expect(0);
    assert_eq!(listed.text(), format!("{id}\t111122223333\n"));
    let json = home.run(&["credentials", "ls", "--output", "json"]).expect(0);
    assert!(!json.text().contains(secret));
    home.run(&["credentials", "revoke", "AKIANOBODY"]).expect(3);
    home.run(&["credentials", "revoke", id]).expect(0);
    home.run(&["credentials", "revoke", id]).expect(3);
    assert_eq!(home.run(&["credentials", "ls"]).expect(0).text(), "");
    assert_eq!(home.run(&["ls"]).expect(0).text(), "", "pairs are not secrets of a caller");
}
