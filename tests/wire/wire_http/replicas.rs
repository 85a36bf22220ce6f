//! Replicas over the wire: a request signed for a region is answered from that region.

use crate::client::{KEY_ID, NOW, Request, Response, Running, SECRET};
use serde_json::{Value, json};
use strongroom::__internals::wire::{Auth, Limits};

const TOKEN: &str = "11111111-1111-1111-1111-111111111111";
const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";

fn call(server: &Running, operation: &str, region: &str, body: &Value) -> Response {
    let mut wire = server.connect();
    let request = Request::new(&wire.host, operation, body.to_string().as_bytes());
    wire.exchange(&request.signed(KEY_ID, SECRET, region, NOW).bytes())
}

fn entry(region: &str, key: &str) -> Value {
    json!({"Region": region, "KmsKeyId": key, "Status": "InSync",
        "StatusMessage": "Replication succeeded"})
}

/// The entries of replicas of which the first was read, without the day of that.
fn first_was_read(mut status: Value) -> Value {
    let day = status[0].as_object_mut().unwrap().remove("LastAccessedDate").unwrap();
    assert_eq!(day.as_f64().unwrap() % (24.0 * 60.0 * 60.0), 0.0);
    status
}

#[test]
fn a_secret_is_replicated_to_another_region() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let body = json!({"Name": "s", "ClientRequestToken": TOKEN, "SecretString": "v",
        "AddReplicaRegions": [{"Region": AWAY}]});
    let created = call(&server, "CreateSecret", HOME, &body).ok();
    let arn = created["ARN"].as_str().unwrap().to_owned();
    let away_arn = arn.replace(HOME, AWAY);
    let status = json!([entry(AWAY, "alias/aws/secretsmanager")]);
    assert_eq!(
        created,
        json!({"ARN": arn, "Name": "s", "VersionId": TOKEN, "ReplicationStatus": status})
    );
    let got = call(&server, "GetSecretValue", AWAY, &json!({"SecretId": "s"})).ok();
    assert_eq!((&got["SecretString"], &got["ARN"]), (&json!("v"), &json!(away_arn)));
    for (region, arn) in [(HOME, &arn), (AWAY, &away_arn)] {
        let described = call(&server, "DescribeSecret", region, &json!({"SecretId": arn})).ok();
        assert_eq!(described["PrimaryRegion"], HOME);
        let shown = described["ReplicationStatus"].clone();
        if region == HOME {
            assert_eq!(first_was_read(shown), status);
        } else {
            assert_eq!(shown, Value::Null);
        }
        let listed = call(&server, "ListSecrets", region, &json!({})).ok();
        assert_eq!(listed["SecretList"][0]["ARN"], **arn);
        assert_eq!(listed["SecretList"][0]["PrimaryRegion"], HOME);
        assert!(listed["SecretList"][0].get("ReplicationStatus").is_none());
    }
    call(&server, "TagResource", AWAY, &json!({"SecretId": "s", "Tags": []})).is(
        400,
        "{\"__type\":\"InvalidParameterException\",\"Message\":\"Operation not permitted on a \
         replica secret. Call must be made in primary secret's region.\"}",
    );
    let body = json!({"SecretId": "s",
        "AddReplicaRegions": [{"Region": "eu-west-2", "KmsKeyId": "k"}]});
    let replicated = call(&server, "ReplicateSecretToRegions", HOME, &body).ok();
    let both = json!([entry(AWAY, "alias/aws/secretsmanager"), entry("eu-west-2", "k")]);
    assert_eq!(replicated["ARN"], arn);
    assert_eq!(first_was_read(replicated["ReplicationStatus"].clone()), both);
    let promoted = call(&server, "StopReplicationToReplica", AWAY, &json!({"SecretId": "s"})).ok();
    assert_eq!(promoted, json!({"ARN": away_arn}));
    let body = json!({"SecretId": "s", "RemoveReplicaRegions": ["eu-west-2"]});
    let removed = call(&server, "RemoveRegionsFromReplication", HOME, &body).ok();
    assert_eq!(removed, json!({"ARN": arn, "ReplicationStatus": []}));
}

#[test]
fn a_failed_replica_says_why() {
    let server = Running::start(Auth::SigV4, Limits::default());
    for region in [AWAY, HOME] {
        let body = json!({"Name": "s", "ClientRequestToken": TOKEN});
        call(&server, "CreateSecret", region, &body).ok();
    }
    let body = json!({"SecretId": "s", "AddReplicaRegions": [{"Region": AWAY}]});
    let replicated = call(&server, "ReplicateSecretToRegions", HOME, &body).ok();
    assert_eq!(
        replicated["ReplicationStatus"],
        json!([{"Region": AWAY, "KmsKeyId": "alias/aws/secretsmanager", "Status": "Failed",
            "StatusMessage": "Secret with this name already exists in this region"}])
    );
    let body = json!({"SecretId": "s", "AddReplicaRegions": [{"Region": AWAY}],
        "ForceOverwriteReplicaSecret": true});
    let replicated = call(&server, "ReplicateSecretToRegions", HOME, &body).ok();
    let expected = json!([entry(AWAY, "alias/aws/secretsmanager")]);
    assert_eq!(replicated["ReplicationStatus"], expected);
}

#[test]
fn a_region_is_checked_by_the_front_end() {
    let server = Running::start(Auth::SigV4, Limits::default());
    let body = json!({"SecretId": "s", "AddReplicaRegions": [{"KmsKeyId": "k"}]});
    let answer = call(&server, "ReplicateSecretToRegions", HOME, &body);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["__type"], "ValidationException");
    let path = "at 'addReplicaRegions.1.member.region'";
    assert!(answer.text().contains(path), "{}", answer.text());
    call(&server, "RemoveRegionsFromReplication", HOME, &json!({"SecretId": "s"})).is(
        400,
        r#"{"__type":"ValidationException","message":"1 validation error detected: Value null at 'removeReplicaRegions' failed to satisfy constraint: Member must not be null"}"#,
    );
}
