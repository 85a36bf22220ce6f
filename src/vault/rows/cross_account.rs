//! Replication between accounts, inside a secret's row: bytes with their own version byte (rule ROW-14).

use super::versioned;
use crate::codec::CodecError;
use crate::model::{
    Arn, CrossAccount, CrossAccountPrimary, CrossAccountReplica, Link, RecordId, SecretRef,
};
use serde::{Deserialize, Serialize};

/// The record is the primary's.
const OF_PRIMARY: u8 = 1;
/// The record is the replica's.
const OF_REPLICA: u8 = 2;
const PENDING: u8 = 1;
const IN_SYNC: u8 = 2;
const DETACHED: u8 = 3;

#[derive(Serialize, Deserialize)]
struct CrossAccountV1 {
    side: u8,
    /// ARN of the other secret.
    other: String,
    role: Option<String>,
    status: u8,
    /// Id of the primary. Only a replica in sync has it.
    primary: Option<[u8; 16]>,
}

pub(super) fn encode(cross_account: &CrossAccount) -> Result<Vec<u8>, CodecError> {
    let content = match cross_account {
        CrossAccount::Primary(replica) => CrossAccountV1 {
            side: OF_PRIMARY,
            other: replica.arn.to_string(),
            role: replica.role.as_ref().map(ToString::to_string),
            status: if replica.is_associated { IN_SYNC } else { DETACHED },
            primary: None,
        },
        CrossAccount::Replica(primary) => {
            let (status, id) = match primary.link {
                Link::Pending => (PENDING, None),
                Link::InSync(id) => (IN_SYNC, Some(id.0)),
                Link::Detached => (DETACHED, None),
            };
            CrossAccountV1 {
                side: OF_REPLICA,
                other: primary.arn.to_string(),
                role: None,
                status,
                primary: id,
            }
        }
    };
    versioned::encode(&content)
}

pub(super) fn decode(bytes: &[u8]) -> Result<CrossAccount, CodecError> {
    let content: CrossAccountV1 = versioned::decode(bytes)?;
    let arn = arn(&content.other)?;
    Ok(match (content.side, content.status, content.primary, content.role) {
        (OF_PRIMARY, status @ (IN_SYNC | DETACHED), None, role) => {
            let is_associated = status == IN_SYNC;
            let role = role.map(Into::into);
            CrossAccount::Primary(CrossAccountReplica { arn, role, is_associated })
        }
        (OF_REPLICA, status, id, None) => {
            let link = match (status, id) {
                (PENDING, None) => Link::Pending,
                (IN_SYNC, Some(id)) => Link::InSync(RecordId(id)),
                (DETACHED, None) => Link::Detached,
                _ => return Err(CodecError),
            };
            CrossAccount::Replica(CrossAccountPrimary { arn, link })
        }
        _ => return Err(CodecError),
    })
}

fn arn(text: &str) -> Result<Arn, CodecError> {
    match SecretRef::parse(text) {
        Ok(SecretRef::Arn(arn)) => Ok(arn),
        _ => Err(CodecError),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:n-AbCdEf";

    fn sides() -> Vec<CrossAccount> {
        let arn = || arn(ARN).unwrap();
        let primary = |role: Option<&str>, is_associated| {
            let role = role.map(Into::into);
            CrossAccount::Primary(CrossAccountReplica { arn: arn(), role, is_associated })
        };
        let replica = |link| CrossAccount::Replica(CrossAccountPrimary { arn: arn(), link });
        vec![
            primary(Some("r"), true),
            primary(None, false),
            replica(Link::Pending),
            replica(Link::InSync(RecordId([7; 16]))),
            replica(Link::Detached),
        ]
    }

    /// The bytes as `docs/FORMAT.md` has them: vaults hold them for ever.
    #[test]
    fn the_bytes_are_frozen() {
        let len = u8::try_from(ARN.len()).unwrap();
        let arn = [&[len, 0, 0, 0, 0, 0, 0, 0], ARN.as_bytes()].concat();
        let expected: [(u8, Vec<u8>); 5] = [
            (1, [&[1, 1, 0, 0, 0, 0, 0, 0, 0, b'r'][..], &[2, 0]].concat()),
            (1, vec![0, 3, 0]),
            (2, vec![0, 1, 0]),
            (2, [&[0, 2, 1][..], &[7; 16]].concat()),
            (2, vec![0, 3, 0]),
        ];
        for (side, (number, rest)) in sides().into_iter().zip(expected) {
            let bytes = [&[1, number][..], &arn, &rest].concat();
            assert_eq!(encode(&side).unwrap(), bytes, "{side:?}");
            assert_eq!(decode(&bytes), Ok(side));
        }
    }

    #[test]
    fn what_is_neither_side_is_refused() {
        let content = |side, other: &str, role: Option<&str>, status, primary| {
            let (other, role) = (other.to_owned(), role.map(str::to_owned));
            versioned::encode(&CrossAccountV1 { side, other, role, status, primary }).unwrap()
        };
        let id = Some([7; 16]);
        for bad in [
            content(0, ARN, None, IN_SYNC, None),
            content(3, ARN, None, IN_SYNC, None),
            content(OF_PRIMARY, "n", None, IN_SYNC, None),
            content(OF_PRIMARY, &ARN[..ARN.len() - 7], None, IN_SYNC, None),
            content(OF_PRIMARY, ARN, None, PENDING, None),
            content(OF_PRIMARY, ARN, None, IN_SYNC, id),
            content(OF_REPLICA, ARN, Some("r"), PENDING, None),
            content(OF_REPLICA, ARN, None, IN_SYNC, None),
            content(OF_REPLICA, ARN, None, PENDING, id),
            content(OF_REPLICA, ARN, None, 4, None),
        ] {
            assert_eq!(decode(&bad), Err(CodecError), "{bad:?}");
        }
        for side in sides() {
            let bytes = encode(&side).unwrap();
            for len in 0..bytes.len() {
                assert_eq!(decode(bytes.get(..len).unwrap()), Err(CodecError), "cut at {len}");
            }
            assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(CodecError));
            assert_eq!(decode(&[&[2], bytes.get(1..).unwrap()].concat()), Err(CodecError));
        }
    }
}
