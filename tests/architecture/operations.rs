//! How often the operations of the API are named: a new operation is to touch few files.

use crate::sources::{names, sources};
use std::collections::BTreeSet;

/// Files of `src`, without tests, that may name an operation.
const FILES_MAX: usize = 6;

/// Files that need not know a new operation, so they do not count.
const OTHERS: [(&str, &str); 14] = [
    ("cli/task/secrets.rs", "the commands that ask for an operation each"),
    ("model/rotation.rs", "a step of a rotation is called createSecret"),
    ("vault/api/pages.rs", "short forms of two lists"),
    ("vault/api/shorthand.rs", "put and get"),
    ("vault/credentials.rs", "pairs of keys are secrets of a scope of their own"),
    ("internals/vault.rs", "tests read values without an access mark"),
    ("vault/read/reader.rs", "opens values"),
    ("vault/view/found.rs", "keeps values by the requests that found them"),
    ("vault/read/readiness.rs", "asks whether reads work"),
    ("vault/read/values.rs", "reads all values of a secret"),
    ("vault/rotation/random.rs", "the built-in function asks as any function does"),
    ("vault/rotation/rotator.rs", "puts and reads the values of a rotation"),
    ("wire/services/lanes.rs", "which reads have a lane of their own"),
    ("wire/services/agent.rs", "asks for the value that a request to the agent names"),
];

/// A step of a rotation that is no operation.
const STEP: &str = "RotationStep::CreateSecret";

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
fn an_operation_is_named_in_few_files() {
    let sources = sources();
    for (path, _) in OTHERS {
        assert!(sources.iter().any(|source| source.path == path), "{path} is not there");
    }
    let mut wrong = Vec::new();
    for operation in OPERATIONS {
        let files: BTreeSet<&str> = sources
            .iter()
            .filter(|source| OTHERS.iter().all(|(path, _)| source.path != *path))
            .filter(|source| names(&source.code.replace(STEP, ""), operation))
            .map(|source| source.path.as_str())
            .collect();
        println!("{:2} {operation}", files.len());
        if files.len() > FILES_MAX {
            wrong.push((operation, files));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
