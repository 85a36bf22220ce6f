//! The `replication` bytes of a secret's record: a version byte, then the fields (rule ROW-12).

use crate::codec::{self, CodecError};
use crate::model::{RecordId, Replica, ReplicaStatus, Replication};
use serde::{Deserialize, Serialize};

/// Longest content in bytes: the most replicas, the longest regions, all their key names.
const BYTES_MAX: u64 = 32 * 1024;
/// Format of the bytes here.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct ReplicationV1 {
    /// Id and region of the primary. Only a replica has them.
    replica_of: Option<([u8; 16], String)>,
    /// Region, key name and status. Only a primary has any.
    replicas: Vec<(String, Option<String>, u8)>,
}

pub(super) fn encode(replication: &Replication) -> Result<Vec<u8>, CodecError> {
    let content = match replication {
        Replication::Primary { replicas, .. } => ReplicationV1 {
            replica_of: None,
            replicas: replicas
                .iter()
                .map(|r| (r.region.to_string(), r.kms_key_id.clone(), number(r.status)))
                .collect(),
        },
        Replication::ReplicaOf { primary, region } => ReplicationV1 {
            replica_of: Some((primary.0, region.to_string())),
            replicas: Vec::new(),
        },
    };
    codec::encode(&[VERSION], &content, BYTES_MAX)
}

/// `region` is the one that the record itself is in.
pub(super) fn decode(bytes: &[u8], region: &str) -> Result<Replication, CodecError> {
    let content: ReplicationV1 = match bytes.split_first() {
        Some((&VERSION, content)) => codec::decode(content, BYTES_MAX)?,
        _ => return Err(CodecError),
    };
    match content {
        ReplicationV1 { replica_of: Some((primary, region)), replicas } if replicas.is_empty() => {
            Ok(Replication::ReplicaOf { primary: RecordId(primary), region: region.into() })
        }
        ReplicationV1 { replica_of: None, replicas } if !replicas.is_empty() => {
            let replicas = replicas.into_iter().map(|(region, kms_key_id, status)| {
                Ok(Replica { region: region.into(), kms_key_id, status: status_of(status)? })
            });
            let replicas = replicas.collect::<Result<_, CodecError>>()?;
            Ok(Replication::Primary { region: region.into(), replicas })
        }
        // Neither side, or both.
        ReplicationV1 { .. } => Err(CodecError),
    }
}

fn number(status: ReplicaStatus) -> u8 {
    match status {
        ReplicaStatus::InSync => 1,
        ReplicaStatus::Failed => 2,
    }
}

fn status_of(number: u8) -> Result<ReplicaStatus, CodecError> {
    match number {
        1 => Ok(ReplicaStatus::InSync),
        2 => Ok(ReplicaStatus::Failed),
        _ => Err(CodecError),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn primary() -> Replication {
        let replica = |region: &str, kms_key_id: Option<&str>, status| Replica {
            region: region.into(),
            kms_key_id: kms_key_id.map(str::to_owned),
            status,
        };
        Replication::Primary {
            region: "us-east-1".into(),
            replicas: vec![
                replica("eu-west-1", None, ReplicaStatus::InSync),
                replica("eu-west-2", Some("alias/mine"), ReplicaStatus::Failed),
            ],
        }
    }

    #[test]
    fn both_sides_come_back_as_they_were() {
        let replica = Replication::ReplicaOf {
            primary: RecordId(*b"0123456789abcdef"),
            region: "us-east-1".into(),
        };
        for (replication, region) in [(primary(), "us-east-1"), (replica, "eu-west-1")] {
            let bytes = encode(&replication).unwrap();
            assert_eq!(decode(&bytes, region), Ok(replication));
        }
    }

    /// The bytes as `docs/FORMAT.md` has them: vaults hold them for ever.
    #[test]
    fn the_bytes_are_frozen() {
        let replication = Replication::ReplicaOf { primary: RecordId([7; 16]), region: "r".into() };
        let mut expected = vec![1, 1];
        expected.extend([7; 16]);
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, b'r']);
        expected.extend([0; 8]);
        assert_eq!(encode(&replication).unwrap(), expected);
        let replicas = vec![Replica {
            region: "r".into(),
            kms_key_id: Some("k".into()),
            status: ReplicaStatus::InSync,
        }];
        let replication = Replication::Primary { region: "other".into(), replicas };
        let mut expected = vec![1, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, b'r']);
        expected.extend([1, 1, 0, 0, 0, 0, 0, 0, 0, b'k', 1]);
        assert_eq!(encode(&replication).unwrap(), expected);
    }

    #[test]
    fn what_is_neither_side_is_refused() {
        let bytes = encode(&primary()).unwrap();
        for len in 0..bytes.len() {
            assert!(decode(bytes.get(..len).unwrap(), "r").is_err(), "cut at {len}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        let mut newer = bytes.clone();
        *newer.first_mut().unwrap() = 2;
        let mut unknown_status = bytes;
        *unknown_status.last_mut().unwrap() = 3;
        let neither = [&[1, 0][..], &[0; 8]].concat();
        for bad in [longer, newer, unknown_status, neither] {
            assert_eq!(decode(&bad, "r"), Err(CodecError));
        }
    }
}
