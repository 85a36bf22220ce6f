//! Resource policies over the library and over the wire: kept across restarts byte for byte, the
//! largest records in the largest batch, and two accounts that meet at one secret.

use crate::common::http::Client;
use crate::common::rng::Rng;
use crate::common::server::Home;
use crate::common::world::{self, Setup, World};
use serde_json::json;
use std::sync::mpsc;
use strongroom::__internals::model::api::{
    AssociateCrossAccountReplica, CreateSecret, DeleteResourcePolicy, DescribeSecret,
    GetResourcePolicy, GetSecretValue, ListResourcePolicies, PutResourcePolicy, RotateSecret,
    RotationRules,
};
use strongroom::__internals::model::{ExternalMetadata, Scope, Tag, Tree};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::semantics::FaultKind;
use strongroom::__internals::vault::{Vault, Write};

const OTHER: &str = "111122223333";

/// An Allow for an account, with room for `fill` in a condition that every request meets.
fn allow(account: &str, fill: &str) -> String {
    format!(
        "{{ \"Version\": \"2012-10-17\",\n  \"Statement\": [{{\"Effect\":\"Allow\",\"Principal\":\
         {{\"AWS\":\"{account}\"}},\"Action\":\"secretsmanager:*\",\"Resource\":\"*\",\"Condition\":\
         {{\"StringNotEquals\":{{\"aws:PrincipalAccount\":\"{fill}\"}}}}}}]}}\n"
    )
}

fn put(secret_id: &str, policy: &str) -> PutResourcePolicy {
    PutResourcePolicy {
        secret_id: secret_id.into(),
        resource_policy: policy.into(),
        ..Default::default()
    }
}

fn policy(vault: &Vault, id: &str) -> Option<String> {
    vault.get_resource_policy(GetResourcePolicy::new(id)).unwrap().policy
}

/// A role with the longest ARN.
fn role() -> String {
    format!("{:r<2048}", "arn:aws:iam::000000000000:role/")
}

/// A secret whose record is as long as one can be made: 173 KiB. With a policy, the settings of its
/// partner and a replica in another account it grows by 80 and 20 KiB.
fn largest(number: usize) -> CreateSecret {
    let wide = |count: usize| "\u{10FFFF}".repeat(count);
    let mut request = CreateSecret::new(format!("{number:0>512}"));
    request.client_request_token = Some(format!("{number:0>64}"));
    request.description = Some(wide(2048));
    request.kms_key_id = Some(wide(2048));
    let tag = |at: usize| Tag { key: format!("{}{at:0>2}", wide(126)), value: wide(256) };
    request.tags = Some((0..50).map(tag).collect());
    request.value = Some(SecretValue::text("value"));
    request.partner = Some(wide(256));
    request
}

/// The longest settings of a partner.
fn settings(number: usize) -> RotateSecret {
    let wide = |count: usize| "\u{10FFFF}".repeat(count);
    let mut metadata = vec![ExternalMetadata { key: wide(256), value: wide(2048) }];
    metadata.resize(50, ExternalMetadata { key: "k".repeat(31), value: "v".repeat(31) });
    RotateSecret {
        rotation_rules: Some(RotationRules {
            schedule_expression: Some(format!("rate({:0>243} days)", 7)),
            ..RotationRules::default()
        }),
        rotate_immediately: Some(false),
        external_metadata: Some(metadata),
        external_role_arn: Some(role()),
        ..RotateSecret::new(format!("{number:0>512}"))
    }
}

/// Makes a replica in another account and associates it.
fn replicate(vault: &Vault, number: usize) {
    let owner = Scope::default();
    let other = Scope::new(OTHER, Scope::DEFAULT_REGION);
    let name = format!("{number:0>512}");
    let primary = vault.in_scope(&owner).describe_secret(DescribeSecret::new(&name)).unwrap().arn;
    let request = CreateSecret {
        cross_account_primary_arn: Some(primary),
        partner: None,
        description: None,
        value: None,
        ..largest(number)
    };
    let replica_arn = vault.in_scope(&other).create_secret(request).unwrap().arn;
    let request = AssociateCrossAccountReplica {
        secret_id: name,
        replica_arn,
        replica_restriction: None,
        replication_role_arn: Some(role()),
    };
    vault.in_scope(&owner).associate_cross_account_replica(request).unwrap();
}

/// What is shown says what was put; its layout is AWS's (SEM-POLICY-1).
fn says(shown: Option<String>, put: &str) {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(read(&shown.unwrap()), read(put));
}

fn longest_policy() -> String {
    let room = 20_480 - allow(OTHER, "").chars().count();
    allow(OTHER, &"\u{10FFFF}".repeat(room))
}

/// Goal: a policy survives a restart, the loss of the state, and stays with a scheduled secret.
#[test]
fn a_policy_outlives_a_restart() {
    let world = World::new(11);
    let setup = Setup::default();
    let vault = world.create(&setup).unwrap();
    let scope = Scope::default();
    let mut request = CreateSecret::new("s");
    request.value = Some(SecretValue::text("value"));
    vault.in_scope(&scope).create_secret(request).unwrap();
    let text = allow(OTHER, "\u{e9}\u{1f600}\\u0041");
    vault.in_scope(&scope).put_resource_policy(put("s", &text)).unwrap();
    vault.close().unwrap();
    let vault = world.open(&setup).unwrap();
    says(policy(&vault, "s"), &text);
    let list = ListResourcePolicies { secret_id: "s".into(), ..Default::default() };
    assert_eq!(
        vault.in_scope(&scope).list_resource_policies(list).unwrap().policy_names,
        ["default"]
    );
    vault.in_scope(&scope).delete_resource_policy(DeleteResourcePolicy::new("s")).unwrap();
    vault.close().unwrap();
    assert_eq!(policy(&world.open(&setup).unwrap(), "s"), None);
}

/// Goal: the largest record fits row, frame, snapshot and state, also when a batch is full of them.
/// Method: a real folder with sled; 256 of the largest writes handed in at once, then a restart, a
/// state rebuilt from the log, and a pass of maintenance.
#[test]
fn the_largest_records_fit_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, key_path) = (dir.path().join("vault"), dir.path().join("key"));
    let setup = Setup { background: true, ..Setup::usual() };
    let vault = world::create_in(&folder, &key_path, &setup).unwrap();
    let key = world::key_of(&key_path);
    let scope = Scope::default();
    const SECRETS: usize = 40;
    for number in 0..SECRETS {
        vault.in_scope(&scope).create_secret(largest(number)).unwrap();
        vault.in_scope(&scope).rotate_secret(settings(number)).unwrap();
        replicate(&vault, number);
    }
    let longest = longest_policy();
    let (done, outcomes) = mpsc::channel();
    for at in 0..256 {
        let done = done.clone();
        let text =
            if (at / SECRETS).is_multiple_of(2) { longest.clone() } else { allow(OTHER, "") };
        let request = put(&format!("{:0>512}", at % SECRETS), &text);
        let told = Box::new(move |result: strongroom::__internals::error::Result<_>| {
            done.send(result.map(drop)).unwrap();
        });
        vault.in_scope(&scope).submit_write(Write::PutResourcePolicy(request), told);
    }
    for _ in 0..256 {
        outcomes.recv().unwrap().unwrap();
    }
    let check = |vault: &Vault| {
        for number in 0..SECRETS {
            let name = format!("{number:0>512}");
            says(policy(vault, &name), &longest);
            let shown = vault.in_scope(&scope).describe_secret(DescribeSecret::new(&name)).unwrap();
            assert_eq!(Some(shown.tags.unwrap()), largest(number).tags);
            assert_eq!(Some(shown.external.unwrap().metadata), settings(number).external_metadata);
            assert_eq!(shown.cross_account_replica.unwrap().role, Some(role()));
            vault.in_scope(&scope).get_secret_value(GetSecretValue::new(name)).unwrap();
        }
    };
    for number in 0..SECRETS {
        vault
            .in_scope(&scope)
            .put_resource_policy(put(&format!("{number:0>512}"), &longest))
            .unwrap();
    }
    check(&vault);
    let rows = world::sealed_rows(&vault);
    let lengths = rows.iter().filter(|row| row.tree == Tree::Secrets).map(|row| row.value.len());
    let longest_row = lengths.max().unwrap();
    println!("longest row: {longest_row} bytes");
    assert!((190 << 10..191 << 10).contains(&longest_row), "docs/FORMAT.md, ROW-7");
    vault.maintain().unwrap();
    vault.close().unwrap();
    let vault = world::open_in(&folder, &key, &setup).unwrap();
    check(&vault);
    vault.close().unwrap();
    std::fs::remove_dir_all(folder.join("state")).unwrap();
    let vault = world::open_in(&folder, &key, &setup).unwrap();
    check(&vault);
    vault.shred().unwrap();
    check(&vault);
    vault.close().unwrap();
    world::check_in(&folder, &key).unwrap();
}

/// Goal: SEM-ACCESS-1, SEM-ACCESS-2 and SEM-ACCESS-10 through the library, a read's mark included.
#[test]
fn two_accounts_meet_at_one_secret() {
    let vault = Vault::in_memory().unwrap();
    let (owner, other) = (Scope::default(), Scope::new(OTHER, "us-east-1"));
    let mut request = CreateSecret::new("shared");
    request.value = Some(SecretValue::text("value"));
    request.kms_key_id = Some("alias/shared".into());
    let arn = vault.in_scope(&owner).create_secret(request).unwrap().arn;
    let get = GetSecretValue::new(arn.clone());
    let denied = |scope: &Scope| {
        let error = vault.in_scope(scope).get_secret_value(get.clone()).err().unwrap();
        assert_eq!(error.fault().unwrap().kind, FaultKind::AccessDenied);
    };
    denied(&other);
    vault.in_scope(&owner).put_resource_policy(put("shared", &allow(OTHER, ""))).unwrap();
    let got = vault.in_scope(&other).get_secret_value(get.clone()).unwrap();
    assert_eq!((got.value.bytes().expose(), got.arn.as_str()), (&b"value"[..], arn.as_str()));
    let shown = vault.in_scope(&owner).describe_secret(DescribeSecret::new("shared")).unwrap();
    assert!(shown.last_accessed_date.is_some(), "a read by another account is noted");
    denied(&Scope::new("999999999999", "us-east-1"));
    vault.in_scope(&other).delete_resource_policy(DeleteResourcePolicy::new(arn.clone())).unwrap();
    denied(&other);
    vault.in_scope(&owner).get_secret_value(get.clone()).unwrap();
}

/// Goal: two access keys of two accounts, over the wire: the account comes from the key, and the
/// JSON of every operation on policies is AWS's.
#[test]
fn accounts_come_from_access_keys() {
    let home = Home::new();
    assert_eq!(home.serve().stop(), Some(0));
    let mut keys = home.another_account(OTHER);
    let server = home.serve();
    keys.region.clone_from(&server.keys.region);
    let mut owner = server.client();
    let mut other = Client::connect(&server.host, &keys).unwrap();
    let mut rng = Rng::new(7);

    let create = json!({"Name": "shared", "SecretString": "v", "ClientRequestToken": rng.uuid(),
        "KmsKeyId": "alias/shared"});
    let arn = owner.ok("CreateSecret", &create)["ARN"].as_str().unwrap().to_owned();
    let id = json!({"SecretId": arn});
    let named = json!({"ARN": arn, "Name": "shared", "PolicyName": "default"});
    assert_eq!(owner.ok("GetResourcePolicy", &id), named);
    assert_eq!(owner.ok("ListResourcePolicies", &id), json!({"ResourcePolicies": []}));

    let refused = other.call("GetSecretValue", &id).unwrap();
    assert_eq!(refused.status, 400);
    let text = format!(
        "User: arn:aws:iam::{OTHER}:root is not authorized to perform: \
         secretsmanager:GetSecretValue on resource: {arn} because no resource-based policy allows \
         the secretsmanager:GetSecretValue action"
    );
    assert_eq!(refused.json(), json!({"__type": "AccessDeniedException", "Message": text}));

    let text = allow(OTHER, "\u{1f600}");
    let put = json!({"SecretId": arn, "ResourcePolicy": text, "BlockPublicPolicy": true});
    assert_eq!(owner.ok("PutResourcePolicy", &put), named);
    let shown = owner.ok("GetResourcePolicy", &id);
    says(shown["ResourcePolicy"].as_str().map(str::to_owned), &text);
    let by_name = owner.ok("GetResourcePolicy", &json!({"SecretId": arn, "PolicyName": "default"}));
    assert_eq!(by_name["PolicyName"], "default");
    let listed = json!({"ResourcePolicies": [{"PolicyName": "default"}]});
    assert_eq!(other.ok("ListResourcePolicies", &id), listed);
    assert_eq!(other.ok("GetSecretValue", &id)["SecretString"], "v");
    assert_eq!(other.ok("ListSecrets", &json!({}))["SecretList"], json!([]));

    let validate = json!({"ResourcePolicy": text});
    let passed = json!({"PolicyValidationPassed": true, "ValidationErrors": []});
    assert_eq!(owner.ok("ValidateResourcePolicy", &validate), passed);
    let public = allow("*", "");
    let public = json!({"SecretId": arn, "ResourcePolicy": public, "BlockPublicPolicy": true});
    let found = owner.ok("ValidateResourcePolicy", &public);
    assert_eq!(found["PolicyValidationPassed"], false);
    assert_eq!(found["ValidationErrors"].as_array().unwrap().len(), 1);
    let broad = "You can't attach a resource-based policy that allows broad access to the secret.";
    assert_eq!(
        owner.call("PutResourcePolicy", &public).unwrap().json(),
        json!({"__type": "PublicPolicyException", "Message": broad})
    );
    let malformed = json!({"SecretId": arn, "ResourcePolicy": "{"});
    let syntax = "This resource policy contains a syntax error.";
    for operation in ["PutResourcePolicy", "ValidateResourcePolicy"] {
        assert_eq!(
            owner.call(operation, &malformed).unwrap().json(),
            json!({"__type": "MalformedPolicyDocumentException", "Message": syntax})
        );
        let missing = owner.call(operation, &id).unwrap().json();
        assert_eq!(missing["__type"], "ValidationException", "{missing}");
        assert!(missing["message"].as_str().unwrap().contains("'resourcePolicy'"), "{missing}");
    }
    let other_name = json!({"SecretId": arn, "PolicyName": "x"});
    let error = |client: &mut Client, operation: &str| {
        client.call(operation, &other_name).unwrap().json()["__type"].clone()
    };
    assert_eq!(error(&mut owner, "GetResourcePolicy"), "ResourceNotFoundException");
    assert_eq!(error(&mut owner, "DeleteResourcePolicy"), "InvalidParameterException");
    assert_eq!(owner.ok("DeleteResourcePolicy", &id), named);
    assert_eq!(
        other.call("DescribeSecret", &id).unwrap().json()["__type"],
        "AccessDeniedException"
    );
    assert_eq!(server.stop(), Some(0));
}
