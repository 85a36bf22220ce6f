//! Makes the seeds: small inputs of every target out of what the tests already have.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use strongroom::__internals::crypto::{VaultId, key_file};
use strongroom::__internals::model::api::Operation;
use strongroom::__internals::model::api::{
    CreateSecret, GetSecretValue, PutResourcePolicy, PutSecretValue, ReplicaRegion,
    ReplicateSecretToRegions,
};
use strongroom::__internals::model::{Scope, Tag, Tree};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::{Vault, internals};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Writes a seed, unless it is long.
fn put(target: &str, name: &str, bytes: impl AsRef<[u8]>) {
    let folder = root().join("fuzz/corpus").join(target);
    fs::create_dir_all(&folder).unwrap();
    assert!(bytes.as_ref().len() <= 9000, "{target}/{name} is long");
    fs::write(folder.join(format!("seed-{name}")), bytes).unwrap();
}

#[test]
#[ignore = "writes the seeds in fuzz/corpus: \
            `cargo test --test fuzzing write_the_seeds -- --ignored`"]
fn write_the_seeds() {
    for entry in fs::read_dir(root().join("fuzz/corpus")).into_iter().flatten() {
        for file in fs::read_dir(entry.unwrap().path()).unwrap().map(Result::unwrap) {
            if file.file_name().to_string_lossy().starts_with("seed-") {
                fs::remove_file(file.path()).unwrap();
            }
        }
    }
    keys();
    rows();
    logs();
    conformance();
    signatures();
    schedules();
    lists_and_passwords();
}

fn keys() {
    let body =
        &fs::read(root().join("tests/durability/fixtures/v1/vault/keystore.a")).unwrap()[72..];
    put("keystore", "fixture", body);
    for (name, patch) in [
        ("generation", &[28, 0, 1, 9][..]),
        ("master-term", &[36, 0, 1, 2]),
        ("a-slot-less", &[64, 0, 1, 0]),
        ("costs", &[68, 0, 4, 0, 0x4c, 0, 0]),
        ("a-key-fewer", &[40, 0, 1, 6]),
        ("nothing-changed", &[]),
    ] {
        put("keystore", name, patch);
    }
    let env = strongroom_fuzz_bodies::env::sim::Sim::new(1).env();
    let text = key_file::generate(VaultId([7; 16]), env.entropy.as_ref()).unwrap();
    // EXPOSE: the key of no vault.
    let text = text.expose().to_vec();
    put("key_file", "whole", &text);
    put("key_file", "cut", &text[..100]);
    put("key_file", "newer", b"# strongroom key file v12; whatever");
    put("key_file", "generated", [&[255][..], &[1; 48], &[0, 30, 0, 3]].concat());
    for (name, bytes) in [
        ("forged", [&[0][..], &[7; 296]].concat()),
        ("text", b"\x02\x05hello".to_vec()),
        ("not-text", b"\x02\x02\xff\xfe".to_vec()),
        ("binary-changed", b"\x03\x03\x00\x01\xff\x00\x20\x00\x01".to_vec()),
        ("padded", [&[4, 3, 0, 0, 0][..], b"abc", &[0; 249]].concat()),
        ("padding-is-not-zeros", [&[5, 3, 0, 0, 0][..], b"abc", &[0; 248], &[1]].concat()),
        ("length-lies", [&[5, 255, 255, 255, 255][..], &[0; 252]].concat()),
        ("wrap", [&[6][..], &[9; 34]].concat()),
        ("wrap-changed", [&[6][..], &[9; 34], &[0, 1, 0, 1]].concat()),
    ] {
        put("envelope", name, bytes);
    }
}

/// The rows of a vault that has something of everything.
fn rows() {
    let (vault, scope) = (Vault::ephemeral(1).unwrap(), Scope::default());
    let mut request = CreateSecret::new("app/db");
    request.value = Some(SecretValue::text("v"));
    request.description = Some("about".into());
    request.tags = Some(vec![Tag { key: "k".into(), value: "v".into() }]);
    vault.in_scope(&scope).create_secret(request).unwrap();
    let put_value = PutSecretValue::new("app/db", SecretValue::binary(vec![1, 2]));
    vault.in_scope(&scope).put_secret_value(put_value).unwrap();
    vault.in_scope(&scope).get_secret_value(GetSecretValue::new("app/db")).unwrap();
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}}"#;
    let policy = PutResourcePolicy {
        secret_id: "app/db".into(),
        resource_policy: policy.into(),
        policy_name: None,
        block_public_policy: None,
    };
    vault.in_scope(&scope).put_resource_policy(policy).unwrap();
    let replicate = ReplicateSecretToRegions {
        secret_id: "app/db".into(),
        add_replica_regions: vec![ReplicaRegion { region: "eu-west-1".into(), kms_key_id: None }],
        force_overwrite_replica_secret: None,
    };
    vault.in_scope(&scope).replicate_secret_to_regions(replicate).unwrap();
    let keys = internals::keyring(&vault);
    let mut count = 0;
    internals::with_store(&vault, |store| {
        for tree in Tree::ALL {
            let _ = store.scan(tree, &mut |key, value| {
                let Ok(content) = keys.open_row(tree, key, value) else { return };
                for kind in 0..internals::ROW_KINDS {
                    if internals::row_written_again(kind, &content).is_some() {
                        let bytes = [&[kind][..], &content].concat();
                        put("row_decode", &format!("{tree:?}-{count}-as-{kind}"), bytes);
                        count += 1;
                    }
                }
            });
        }
    });
    drop(vault);
    assert!(count > 5, "rows are found");
    // The parts of a secret's record, as `docs/FORMAT.md` has them.
    let text = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let token = text(&"t".repeat(32));
    put("row_decode", "policies", [&[6, 1, 1][..], &text("{}"), &[0; 8]].concat());
    let regions = [&[7, 1, 0][..], &1_u64.to_le_bytes(), &text("eu-west-1"), &[0, 1]].concat();
    put("row_decode", "replicas", regions);
    let replica = [&[7, 1, 1][..], &[3; 16], &text("us-east-1"), &[0; 8]].concat();
    put("row_decode", "replica-of", replica);
    let rules = [&[1, 1][..], &30_u64.to_le_bytes(), &[1], &text("3h"), &[0]].concat();
    let running = [&[1][..], &token, &[0, 2, 1, 0, 0, 0, 0]].concat();
    let rotation =
        [&[8, 1, 1][..], &text("arn:f"), &rules, &[0], &[5; 8], &[1], &token, &running].concat();
    put("row_decode", "rotation", rotation);
    let external = [&[9, 1][..], &text("Partner"), &[0; 8], &[1], &text("arn:r")].concat();
    put("row_decode", "external", external);
    let arn = text("arn:aws:secretsmanager:us-east-1:111122223333:secret:n-AbCdEf");
    put("row_decode", "other-account", [&[10, 1, 1][..], &arn, &[0, 2, 0]].concat());
    put("row_decode", "replica-pending", [&[10, 1, 2][..], &arn, &[0, 1, 0]].concat());
    let secret = [text("111122223333"), text("eu-west-1"), text("n"), b"AbCdEf".to_vec()].concat();
    let event = [&[13, 1][..], &[4; 16], &secret, &text("blue"), &token, &[0; 8]].concat();
    put("row_decode", "event", event);
    put("row_decode", "outbox", [14, 1, 1, 7, 0, 0, 0, 0, 0, 0, 0]);
    put("row_decode", "sealed-and-moved", b"\x1c\x03key\x05plain\x01\x00\x00\x00\x01");
    put("row_decode", "sealed-and-changed", b"\x1d\x03key\x05plain\x00\x00\x10\x00\x01");
    put("row_decode", "forged", [&[16, 1, b'k', 1, 1, 0, 0, 0][..], &[5; 60]].concat());
}

fn logs() {
    let manifest = fs::read(root().join("tests/durability/fixtures/v1/vault/manifest.a")).unwrap();
    let body = &manifest[72..];
    let end = body[..body.len() - 32].iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let len = u16::try_from(end).unwrap().to_le_bytes();
    let head = |choice: u8, generations: [u8; 2]| {
        [&[choice, generations[0], 0, generations[1], 0][..], &len].concat()
    };
    let body = &body[..end];
    put("manifest", "both", [&head(15, [1, 1])[..], body, body].concat());
    put("manifest", "the-first", [&head(7, [3, 1])[..], body].concat());
    put("manifest", "newer-and-older", [&head(15, [1, 2])[..], body, body].concat());
    put("manifest", "one-cut", [&head(15, [4, 4])[..], body, &body[..300]].concat());
    let whole = [&[4, 0, 0, 0, 0][..], &4096_u16.to_le_bytes(), &manifest].concat();
    put("manifest", "of-another-vault", whole);
    let empty = [&[15, 1, 0, 1, 0][..], &len, &vec![0; end]].concat();
    put("manifest", "zeros", empty);

    let frame = b"\x00\x01\x02\x01\x03key\x05value\x0a\x03old\x01\x04\x01k\x00";
    for (name, bytes) in [
        ("one-frame", [&[2][..], frame].concat()),
        ("three-frames", [&[2][..], frame, frame, frame].concat()),
        ("torn", [&[2][..], frame, &[4], &frame[1..], &[50, 0, 9]].concat()),
        ("gap", [&[2][..], frame, &[8], &frame[1..], frame].concat()),
        ("lsn", [&[2][..], frame, &[2], &frame[1..], &[32, 0, 9]].concat()),
        (
            "rows-of-any-bytes",
            b"\x02\x01\x01\x10\x01\x00\x01\x01\x01\x00\x01\x00\x00\x00kv".to_vec(),
        ),
        ("header", b"\x29\x08\x02\x00\x00\x00\x00\x00\x00\x00".to_vec()),
        ("not-a-segment", b"\x00SRSEGMT\n\x01\x00\x00\x00".to_vec()),
    ] {
        put("segment", name, bytes);
    }
    let row = |number: u8, key: &[u8], value: &[u8]| {
        let (key_len, value_len) = (key.len() as u8, value.len() as u8);
        [&[number, key_len][..], key, &[value_len], value].concat()
    };
    let block = [&[0, 2][..], &row(0, b"a", b"1"), &row(1, b"a", b"22")].concat();
    let next = [&[0, 1][..], &row(2, b"b", b"")].concat();
    put("snapshot", "empty", [1, 0]);
    put("snapshot", "one-block", [&[1, 1][..], &block].concat());
    put("snapshot", "two-blocks", [&[1, 2][..], &block, &next].concat());
    put("snapshot", "does-not-rise", [&[1, 2][..], &next, &block].concat());
    put("snapshot", "changed", [&[1, 1][..], &block, &[0, 8, 16, 1]].concat());
    put("snapshot", "rows-of-any-bytes", b"\x01\x01\x01\x01\x0a\x01\x01\x01\x00\x01\x00\x00\x00kv");
    put("snapshot", "not-a-snapshot", b"\x00SRSNAPS\n\x01\x00\x00\x00");

    for image in 0..8_u8 {
        put("recovery", &format!("untouched-{image}"), [image | 8]);
        for kind in 0..8_u8 {
            let bytes = [image | 24, kind, image * 3 + kind, 7, 16, 4, 1, 2, 3, 4];
            put("recovery", &format!("damage-{image}-{kind}"), bytes);
        }
    }
}

/// Requests, names, policies and filters of the conformance vectors.
fn conformance() {
    let mut bodies: BTreeSet<(usize, String)> = BTreeSet::new();
    let (mut ids, mut names, mut policies, mut filters, mut tokens) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for file in fs::read_dir(root().join("tests/conformance")).unwrap().map(Result::unwrap) {
        if file.path().extension().is_none_or(|end| end != "json") {
            continue;
        }
        let text = fs::read_to_string(file.path()).unwrap();
        let vectors: Value = serde_json::from_str(&text).unwrap();
        let steps =
            vectors.as_array().unwrap().iter().flat_map(|vector| vector["steps"].as_array());
        for step in steps.flatten() {
            let (Some(operation), Some(_)) = (step["op"].as_str(), step["in"].as_object()) else {
                continue;
            };
            let Some(number) = Operation::ALL.iter().position(|known| known.name() == operation)
            else {
                continue;
            };
            let request = &step["in"];
            let body = filled(&request.to_string());
            if body.len() < 600 {
                bodies.insert((number, body));
            }
            let note = |member: &str, notes: &mut BTreeSet<String>| {
                if let Some(text) = request[member].as_str().filter(|text| text.len() < 600) {
                    notes.insert(filled(text));
                }
            };
            note("SecretId", &mut ids);
            note("Name", &mut names);
            note("ResourcePolicy", &mut policies);
            note("NextToken", &mut tokens);
            if let Some(all) = request["Filters"].as_array() {
                filters.insert(filter_bytes(all));
            }
        }
    }
    // A few of each operation: the coverage is in the members, not in the number.
    let mut of_operation = [0; 26];
    for (number, body) in &bodies {
        of_operation[*number] += 1;
        if of_operation[*number] <= 8 {
            let name = format!("{}-{}", Operation::ALL[*number].name(), of_operation[*number]);
            put("json_request", &name, [&[*number as u8, 0][..], body.as_bytes()].concat());
        }
    }
    for number in 0..26_u8 {
        let choices: Vec<u8> = (0..80).map(|at: u8| 128 | at.wrapping_mul(37 + number)).collect();
        put("json_request", &format!("composed-{number}"), [&[number, 1][..], &choices].concat());
    }
    for (number, id) in ids.iter().filter(|id| id.len() < 200).take(40).enumerate() {
        put("secret_id", &format!("conformance-{number}"), id);
    }
    for id in [
        "arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-AbCdEf",
        "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:n",
        "arn:aws:s3:::bucket",
        "a",
    ] {
        put("secret_id", &format!("arn-{}", id.len()), id);
    }
    let kinds = [
        ("name", "app/db"),
        ("token", "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"),
        ("stage", "AWSCURRENT"),
        ("region", "us-gov-west-1"),
        ("tags", "env=prod\nteam=data"),
    ];
    for (number, (kind, text)) in kinds.iter().enumerate() {
        let head = [&[number as u8][..], b"app/db\0\0\0\0\0\0\0\0\0\0"].concat();
        put("names", kind, [&head, text.as_bytes()].concat());
    }
    for (number, name) in names.iter().filter(|name| name.len() < 200).take(20).enumerate() {
        put(
            "names",
            &format!("conformance-{number}"),
            [&[0][..], &[65; 16], name.as_bytes()].concat(),
        );
    }
    let own = r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","000000000000"]},"Action":["secretsmanager:Get*"],"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"},"ForAnyValue:StringLike":{"aws:ResourceTag/env":["pro?","*"]}}},{"Effect":"Deny","NotPrincipal":{"Service":"lambda.amazonaws.com"},"NotAction":"secretsmanager:DescribeSecret","NotResource":"arn:aws:secretsmanager:*:*:secret:app/*","Condition":{"Null":{"aws:SourceVpc":"true"},"Bool":{"aws:SecureTransport":false},"NumericLessThanIfExists":{"aws:MultiFactorAuthAge":"3"}}}]}"#;
    let short = |text: &&String| text.len() < 3000;
    for (number, policy) in policies.iter().filter(short).chain([&own.to_owned()]).enumerate() {
        put("policy", &format!("{number}"), [&[number as u8][..], policy.as_bytes()].concat());
    }
    for (number, filter) in filters.iter().enumerate() {
        put("filter", &format!("{number}"), [&[number as u8, number as u8][..], filter].concat());
    }
    for (number, token) in tokens.iter().filter(short).enumerate() {
        put(
            "page_token",
            &format!("conformance-{number}"),
            [&[number as u8, 1][..], token.as_bytes()].concat(),
        );
    }
}

/// The placeholders of the vectors, filled in.
fn filled(text: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        match name.split_once('*') {
            Some((letter, count)) => filled.push_str(&letter.repeat(count.parse().unwrap_or(1))),
            None if name.starts_with('t') => filled.push_str(&format!("{name:-<32}")),
            None => filled.push_str("app/db"),
        }
        rest = after;
    }
    filled + rest
}

fn filter_bytes(filters: &[Value]) -> Vec<u8> {
    const KEYS: [&str; 7] =
        ["name", "description", "tag-key", "tag-value", "primary-region", "owning-service", "all"];
    let mut bytes = Vec::new();
    for filter in filters {
        let key = filter["Key"].as_str().unwrap_or_default();
        let values = filter["Values"].as_array().cloned().unwrap_or_default();
        bytes.push(KEYS.iter().position(|known| *known == key).unwrap_or(7) as u8);
        bytes.push(values.len().saturating_sub(1).min(2) as u8);
        for value in values.iter().take(3) {
            let value = filled(value.as_str().unwrap_or_default());
            let value = &value.as_bytes()[..value.len().min(60)];
            bytes.push(value.len() as u8);
            bytes.extend_from_slice(value);
        }
    }
    bytes
}

/// The requests of AWS's Signature Version 4 suite.
fn signatures() {
    let text = fs::read_to_string(root().join("tests/data/sigv4_vectors.json")).unwrap();
    let suite: Value = serde_json::from_str(&text).unwrap();
    for vector in suite["vectors"].as_array().unwrap() {
        let Some(headers) = vector["headers"].as_array() else { continue };
        let line =
            |pair: &Value| format!("\n{}:{}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let text = format!(
            "{} {}{}\n\n{}",
            vector["method"].as_str().unwrap(),
            vector["uri"].as_str().unwrap(),
            headers.iter().map(line).collect::<String>(),
            vector["body"].as_str().unwrap()
        );
        let name = vector["name"].as_str().unwrap();
        put("sigv4", name, [b"\x00", text.as_bytes()].concat());
        if name.len() % 3 == 0 {
            put("sigv4", &format!("signed-{name}"), [b"\x01", text.as_bytes()].concat());
            put("http_request", name, &text);
        }
    }
    let credential = "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1";
    let rest = "aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=00";
    for (name, text) in [
        ("healthz", "GET /healthz\nhost: localhost:4566\n\n".to_owned()),
        ("readyz", "HEAD /readyz\nhost: [::1]\n\n".to_owned()),
        ("page", "POST /\nhost: localhost\norigin: http://x\nsec-fetch-site: cross-site\n\n".to_owned()),
        ("proxy", "POST /\nhost: 127.0.0.1:4566\nvia: 1.1 x\n\n".to_owned()),
        ("rebound", "POST http://evil.test/\nhost: evil.test\n\n".to_owned()),
        ("sts", "POST /\nhost: localhost\ncontent-type: application/x-www-form-urlencoded\n\nAction=GetCallerIdentity&Version=2011-06-15".to_owned()),
        ("presigned", "GET /b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%2Fus-east-1%2Fs3%2Faws4_request\nhost: localhost\n\n".to_owned()),
        ("signed", format!("POST /\nhost: localhost:4566\nx-amz-date: 20150830T123600Z\nx-amz-target: secretsmanager.GetSecretValue\ncontent-type: application/x-amz-json-1.1\n{credential}/secretsmanager/{rest}\n\n{{}}")),
        ("dated", format!("POST /\nhost: localhost\ndate: Sun, 30 Aug 2015 12:36:00 GMT\nx-amz-target: DynamoDB_20120810.GetItem\n{credential}/dynamodb/{rest}\n\n{{}}")),
    ] {
        put("http_request", name, &text);
    }
}

/// The expressions that the tests of schedules have.
fn schedules() {
    let source = fs::read_to_string(root().join("src/semantics/tests/schedule.rs")).unwrap();
    let strings: BTreeSet<&str> = source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with("cron(") || text.starts_with("rate("))
        .collect();
    assert!(strings.len() > 30, "the expressions were not found");
    for (number, text) in strings.iter().enumerate() {
        let from = 1_704_153_600_000_i64 + 62_167_219_200_000;
        let duration: &[u8] = if number % 3 == 0 { b"\x023h" } else { b"\x00" };
        let choice = if number % 3 == 0 { 2 } else { 0 };
        let head = [&[choice][..], &from.to_le_bytes(), &[30, 0], duration].concat();
        put("schedule", &format!("{number}"), [&head, text.as_bytes()].concat());
    }
    put("schedule", "days", [&[5][..], &[0; 8], &[30, 0, 0]].concat());
    put("schedule", "days-and-hours", [&[7][..], &[0; 8], b"\x01\x00\x033h"].concat());
}

fn lists_and_passwords() {
    for (name, bytes) in [
        ("versions", &b"\x00\x001v0000000000000001"[..]),
        ("all-versions", b"\x40\x001v0000000000000001"),
        ("policies", b"\x01\x001p64656661756c74"),
        ("secrets", b"\x02\x001c0000000000000000000000000000000101"),
        ("by-name", b"\x0e\x001n000000000000000000000000000000016170702f6462"),
        ("never-read", b"\x05\x001a00000000000000000000000000000003"),
    ] {
        put("page_token", name, bytes);
    }
    for (name, bytes) in [
        ("default", &[0; 8][..]),
        ("length", &[1, 0, 9, 9, 9, 9, 20, 0]),
        ("longest", &[1, 0, 1, 0, 0, 0, 0, 16]),
        ("four", &[0x81, 0x80, 1, 0, 0, 0, 4, 0]),
        ("space", &[0x40, 0x40, 1, 0, 0, 0, 0, 0]),
        ("digits", b"\x3a\x38\x01\x00\x00\x00\x00\x0001234567"),
        ("nothing-left", &[0x3c, 0x3c, 1, 0, 0, 0, 0, 0]),
    ] {
        put("password", name, bytes);
    }
}
