//! The two formats of a secret, and the largest record that the rules let anybody make.

use super::*;
use crate::model::api::RotationRules;
use crate::model::{
    Arn, CrossAccount, CrossAccountPrimary, CrossAccountReplica, External, ExternalMetadata, Link,
    Policies, Replica, ReplicaStatus, Replication, Rotation, RotationStep, RunningRotation, limits,
};

fn wide(count: usize) -> String {
    "\u{10FFFF}".repeat(count)
}

fn token() -> VersionId {
    VersionId::parse(&wide(limits::VERSION_ID_CHARS_MAX)).unwrap()
}

fn bare() -> SecretRecord {
    SecretRecord {
        id: RecordId([7; 16]),
        scope: Scope::default(),
        name: SecretName::parse("n").unwrap(),
        suffix: Suffix(*b"AbCdEf"),
        lsn: Lsn(1),
        next_seq: Seq(2),
        version_count: 1,
        creation_token: None,
        created: UnixMillis(3),
        last_changed: UnixMillis(4),
        last_accessed: None,
        description: None,
        kms_key_id: None,
        tags: None,
        deletion: None,
        dead: false,
        owning_service: None,
        replication: None,
        policies: None,
        rotation: None,
        external: None,
        cross_account: None,
    }
}

fn other() -> Arn {
    let scope = Scope::new("111122223333", "us-east-1");
    Arn { scope, name: SecretName::parse("n").unwrap(), suffix: Suffix(*b"AbCdEf") }
}

/// ROW-7: a record without what came later has the bytes that it always had.
#[test]
fn an_old_record_keeps_its_bytes() {
    let bytes = encode_secret(&bare()).unwrap();
    let text = |text: &[u8]| {
        let len = u8::try_from(text.len()).unwrap();
        [&[len, 0, 0, 0, 0, 0, 0, 0], text].concat()
    };
    let number = |number: u8, len: usize| {
        let mut bytes = vec![0; len];
        *bytes.first_mut().unwrap() = number;
        bytes
    };
    let expected = [
        vec![1],
        vec![7; 16],
        text(b"000000000000"),
        text(b"us-east-1"),
        text(b"n"),
        b"AbCdEf".to_vec(),
        number(1, 8),
        number(2, 8),
        number(1, 4),
        vec![0],
        number(3, 8),
        number(4, 8),
        vec![0; 10],
    ];
    assert_eq!(bytes, expected.concat());
    assert_eq!(decode_secret(&bytes).unwrap(), bare());
}

/// ROW-7: what came later stands behind the same fields, under the next version.
#[test]
fn what_came_later_stands_behind_the_rest() {
    let old = encode_secret(&bare()).unwrap();
    let external = Some(External::of("p"));
    let arn = other();
    let link = Link::Pending;
    let cross_account = Some(CrossAccount::Replica(CrossAccountPrimary { arn, link }));
    let external_bytes = external::encode(external.as_ref().unwrap()).unwrap();
    let cross_bytes = cross_account::encode(cross_account.as_ref().unwrap()).unwrap();
    let option = |bytes: &[u8]| {
        let len = u8::try_from(bytes.len()).unwrap();
        [&[1, len, 0, 0, 0, 0, 0, 0, 0], bytes].concat()
    };
    let only = |external: &Option<External>, cross: &Option<CrossAccount>| SecretRecord {
        external: external.clone(),
        cross_account: cross.clone(),
        ..bare()
    };
    for (record, tail) in [
        (only(&external, &None), [option(&external_bytes), vec![0]].concat()),
        (only(&None, &cross_account), [vec![0], option(&cross_bytes)].concat()),
        (only(&external, &cross_account), [option(&external_bytes), option(&cross_bytes)].concat()),
    ] {
        let bytes = encode_secret(&record).unwrap();
        assert_eq!(bytes, [&[2], old.get(1..).unwrap(), &tail].concat());
        assert_eq!(decode_secret(&bytes).unwrap(), record);
        for len in 0..bytes.len() {
            assert!(decode_secret(bytes.get(..len).unwrap()).is_err(), "cut at {len}");
        }
    }
    // One encoding only; and a version that nobody knows.
    assert!(decode_secret(&[&[2], old.get(1..).unwrap(), &[0, 0]].concat()).is_err());
    assert!(decode_secret(&[&[3], old.get(1..).unwrap()].concat()).is_err());
    assert!(decode_secret(&[&old[..], &[0, 0]].concat()).is_err());
}

/// ROW-7: every field as long as the rules let it be, all at once.
#[test]
fn the_largest_record_fits() {
    let region = format!("{}-1", "a".repeat(limits::REGION_CHARS_MAX - 2));
    let name = SecretName::parse(&"n".repeat(limits::NAME_CHARS_MAX)).unwrap();
    let role = "r".repeat(*limits::ARN_CHARS.end());
    let key_bytes = limits::REPLICA_KEYS_BYTES_MAX / limits::REPLICAS_MAX;
    let replica = Replica {
        region: region.as_str().into(),
        kms_key_id: Some("k".repeat(key_bytes)),
        status: ReplicaStatus::InSync,
    };
    let item_bytes = limits::EXTERNAL_BYTES_MAX / limits::EXTERNAL_ITEMS_MAX;
    let item = ExternalMetadata { key: "k".into(), value: "v".repeat(item_bytes) };
    let tag =
        Tag { key: wide(limits::TAG_KEY_CHARS_MAX), value: wide(limits::TAG_VALUE_CHARS_MAX) };
    let arn = Arn {
        scope: Scope::new("111122223333", &region),
        name: name.clone(),
        suffix: Suffix(*b"AbCdEf"),
    };
    let record = SecretRecord {
        scope: Scope::new(Scope::DEFAULT_ACCOUNT, &region),
        name,
        creation_token: Some(token()),
        last_accessed: Some(UnixMillis(1)),
        description: Some(wide(limits::DESCRIPTION_CHARS_MAX)),
        kms_key_id: Some(wide(limits::KMS_KEY_ID_CHARS_MAX)),
        tags: Some(vec![tag; limits::TAGS_MAX]),
        deletion: Some(Deletion {
            requested: UnixMillis(1),
            requested_age: UnixMillis(1),
            window_days: 7,
        }),
        replication: Some(Replication::Primary {
            region: region.as_str().into(),
            replicas: vec![replica; limits::REPLICAS_MAX],
        }),
        policies: Some(Policies {
            default: Some(wide(limits::POLICY_CHARS_MAX)),
            ..Policies::default()
        }),
        rotation: Some(Rotation {
            enabled: true,
            function: wide(limits::FUNCTION_ARN_CHARS_MAX),
            rules: Some(RotationRules {
                automatically_after_days: Some(1000),
                duration: Some("24h".into()),
                schedule_expression: Some("e".repeat(limits::SCHEDULE_CHARS_MAX)),
            }),
            last_rotated: Some(UnixMillis(1)),
            counted_from: UnixMillis(1),
            last_token: Some(token()),
            running: Some(RunningRotation {
                token: token(),
                only_test: false,
                step: RotationStep::CreateSecret,
                failures: 1,
                not_before: Some(UnixMillis(1)),
            }),
        }),
        external: Some(External {
            partner: wide(limits::PARTNER_CHARS_MAX).into(),
            metadata: vec![item; limits::EXTERNAL_ITEMS_MAX],
            role: Some(role.as_str().into()),
        }),
        cross_account: Some(CrossAccount::Primary(CrossAccountReplica {
            arn,
            role: Some(role.as_str().into()),
            is_associated: true,
        })),
        ..bare()
    };
    let first = SecretRecord { external: None, cross_account: None, ..record.clone() };
    let lengths = [first, record].map(|record| {
        let bytes = encode_secret(&record).unwrap();
        assert_eq!(decode_secret(&bytes).unwrap(), record);
        bytes.len() as u64
    });
    assert!(
        lengths.iter().all(|len| *len <= crate::vault::rows::versioned::CONTENT_BYTES_MAX),
        "{lengths:?}"
    );
}

fn version(payload: bool, wrapped: Option<&[u8]>) -> VersionRecord {
    VersionRecord {
        id: RecordId([7; 16]),
        seq: Seq(3),
        version_id: token(),
        kind: payload.then_some(PayloadKind::String),
        created: UnixMillis(1),
        created_age: UnixMillis(2),
        last_accessed: None,
        payload: payload.then_some(PayloadShape { sealed_bytes: 9, chunks: 1, tag: [1; 16] }),
        wrapped: wrapped.map(Into::into),
    }
}

/// ROW-7, ROW-9: a version has its wrap, if it has a value, and the version byte 2.
#[test]
fn a_version_has_the_wrap_of_its_data_key() {
    for version in [version(true, Some(&[5; 109])), version(true, None), version(false, None)] {
        let bytes = encode_version(&version).unwrap();
        assert_eq!(bytes.first(), Some(&2));
        assert_eq!(decode_version(&bytes).unwrap(), version);
        for len in 0..bytes.len() {
            assert!(decode_version(bytes.get(..len).unwrap()).is_err(), "cut at {len}");
        }
    }
    let without_value = encode_version(&version(false, Some(&[5; 109]))).unwrap();
    assert!(decode_version(&without_value).is_err());
}

/// ROW-8: labels are sorted and differ, and there is at least one.
#[test]
fn labels_are_written_in_one_way() {
    let label = |text: &str, seq| (Stage::parse(text).unwrap(), Seq(seq));
    let (one, two, three) = (label("AWSCURRENT", 2), label("AWSPREVIOUS", 1), label("a", 2));
    let reads = |labels: &[Label]| {
        let bytes = encode_labels(labels).unwrap();
        assert_eq!(bytes.first(), Some(&2));
        decode_labels(&bytes).is_ok_and(|found| found == labels)
    };
    assert!(reads(std::slice::from_ref(&one)));
    assert!(reads(&[one.clone(), two.clone(), three.clone()]));
    assert!(!reads(&[one.clone(), three, two]));
    assert!(!reads(&[one, label("AWSCURRENT", 3)]));
    assert!(!reads(&[]));
}

/// Content of format 1 is not that of format 2, so that no row is taken for one of the other.
#[test]
fn the_formats_do_not_read_each_other() {
    use crate::vault::rows::v1;
    let new = encode_version(&version(true, Some(&[5; 109]))).unwrap();
    assert!(v1::decode_version(&new).is_err());
    let old = super::super::versioned::encode(&VersionV1::of(&version(true, None))).unwrap();
    assert!(decode_version(&old).is_err());
    assert_eq!(v1::decode_version(&old).unwrap(), version(true, None));
    let labels = encode_labels(&[(Stage::current(), Seq(1))]).unwrap();
    assert!(v1::decode_label(&labels).is_err());
}
