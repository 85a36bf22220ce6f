//! How often the operations of the API are named: a new operation is to touch few files.

use crate::sources::{names, sources};
use std::collections::BTreeSet;

/// Files of `src`, without tests, that may name an operation.
const FILES_MAX: usize = 6;

/// The operations by the names that AWS gives them.
const OPERATIONS: [&str; 26] = [
    "AssociateCrossAccountReplica",
    "BatchGetSecretValue",
    "CancelRotateSecret",
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DescribeSecret",
    "DisassociateCrossAccountReplica",
    "GetRandomPassword",
    "GetResourcePolicy",
    "GetSecretValue",
    "ListResourcePolicies",
    "ListSecretVersionIds",
    "ListSecrets",
    "PutResourcePolicy",
    "PutSecretValue",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
    "ValidateResourcePolicy",
];

#[test]
#[ignore = "not yet"]
fn an_operation_is_named_in_few_files() {
    let sources = sources();
    let mut wrong = Vec::new();
    for operation in OPERATIONS {
        let files: BTreeSet<&str> = sources
            .iter()
            .filter(|source| names(&source.code, operation))
            .map(|source| source.path.as_str())
            .collect();
        println!("{:2} {operation}", files.len());
        if files.len() > FILES_MAX {
            wrong.push((operation, files));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
