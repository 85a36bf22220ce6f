//! What no vector shows, and why. The sentences are those of `coverage`; a `*` stands for anything.
//! An entry that is not needed any more fails the check.

/// A sentence, and the reason.
pub const EXCUSED: &[(&str, &str)] = &[
    // Exceptions that are declared and cannot be met here.
    ("* is refused with InternalServiceError", FAULT),
    ("* is refused with DecryptionFailure", KEYS),
    ("* is refused with EncryptionFailure", KEYS),
    ("BatchGetSecretValue is refused with ResourceNotFoundException", EACH),
    ("BatchGetSecretValue is refused with InvalidRequestException", EACH),
    ("CreateSecret is refused with LimitExceededException", "there is no limit of secrets"),
    ("CreateSecret is refused with ResourceNotFoundException", "it refers to nothing that is"),
    ("* is refused with MalformedPolicyDocumentException", "these requests carry no policy"),
    ("* is refused with PreconditionNotMetException", "AWS says nowhere when it is meant"),
    ("RestoreSecret is refused with InvalidRequestException", "any state is good (SEM-DEL-14)"),
    ("DescribeSecret is refused with InvalidParameterException", ONE_ID),
    ("GetResourcePolicy is refused with InvalidParameterException", ONE_ID),
    ("GetSecretValue is refused with InvalidParameterException", ONE_ID),
    ("ListResourcePolicies is refused with InvalidParameterException", ONE_ID),
    ("ListSecretVersionIds is refused with InvalidParameterException", ONE_ID),
    ("ValidateResourcePolicy is refused with InvalidParameterException", ONE_ID),
    ("ValidateResourcePolicy is refused with InvalidRequestException", "scheduled ones are good"),
    ("GetRandomPassword is refused with InvalidRequestException", "it asks for no state"),
    ("ListSecrets is refused with InvalidRequestException", "it asks for no state"),
    // One policy is all that a secret has, so there is no second page of them.
    ("ListResourcePolicies answers NextToken", "users attach `default` alone (SEM-POLICY-11)"),
    ("ListResourcePolicies.NextToken is taken", "no page of theirs has a next one"),
    // Members of answers that always have a value.
    ("* leaves out ARN", ALWAYS),
    ("* leaves out Name", ALWAYS),
    ("* leaves out CreatedDate", ALWAYS),
    ("* leaves out LastChangedDate", ALWAYS),
    ("* leaves out DeletionDate", ALWAYS),
    ("* leaves out RandomPassword", ALWAYS),
    ("GetSecretValue leaves out VersionId", ALWAYS),
    ("PutSecretValue leaves out VersionId", ALWAYS),
    ("RotateSecret leaves out VersionId", ALWAYS),
    ("PutSecretValue leaves out VersionStages", "a label at least came with it"),
    ("* leaves out SecretList", "an empty list is one"),
    ("* leaves out Versions", "an empty list is one"),
    ("* leaves out ResourcePolicies", "an empty list is one"),
    ("* leaves out SecretValues", "an empty list is one"),
    ("* leaves out Errors", "an empty list is one"),
    ("ValidateResourcePolicy leaves out PolicyValidationPassed", ALWAYS),
    ("ValidateResourcePolicy leaves out ValidationErrors", "an empty list is one"),
    ("RemoveRegionsFromReplication leaves out ReplicationStatus", "an empty list is one"),
    ("ReplicateSecretToRegions leaves out ReplicationStatus", "one at least was asked for"),
    // Members of items of answers that always have a value.
    ("* leaves out ReplicationStatus[].KmsKeyId", ALWAYS),
    ("* leaves out ReplicationStatus[].Region", ALWAYS),
    ("* leaves out ReplicationStatus[].Status", ALWAYS),
    ("* leaves out RotationRules.AutomaticallyAfterDays", "computed if not given (SEM-SCHED-8)"),
    ("* leaves out SecretList[].RotationRules.AutomaticallyAfterDays", "computed if not given"),
    ("* leaves out Tags[].*", "a tag has both"),
    ("* leaves out SecretList[].Tags[].*", "a tag has both"),
    ("* leaves out SecretList[].ARN", ALWAYS),
    ("* leaves out SecretList[].Name", ALWAYS),
    ("* leaves out SecretList[].CreatedDate", ALWAYS),
    ("* leaves out SecretList[].LastChangedDate", ALWAYS),
    ("* leaves out Versions[].CreatedDate", ALWAYS),
    ("* leaves out Versions[].KmsKeyIds", ALWAYS),
    ("* leaves out Versions[].VersionId", ALWAYS),
    ("* leaves out ResourcePolicies[].PolicyName", ALWAYS),
    ("* leaves out ValidationErrors[].*", ALWAYS),
    ("* leaves out Errors[].*", ALWAYS),
    ("* leaves out SecretValues[].ARN", ALWAYS),
    ("* leaves out SecretValues[].Name", ALWAYS),
    ("* leaves out SecretValues[].CreatedDate", ALWAYS),
    ("* leaves out SecretValues[].VersionId", ALWAYS),
    ("* leaves out SecretValues[].VersionStages", "the value read is AWSCURRENT's"),
    // Members of answers that never have a value.
    ("* answers ReplicationStatus[].LastAccessedDate", "reads are the primary's (SEM-REPL-2)"),
    ("DescribeSecret answers OwningService", "no other service makes secrets here"),
    ("ListSecrets answers SecretList[].OwningService", "no other service makes secrets here"),
    // Members that are not built.
    ("DescribeSecret answers CrossAccountPrimary*", NOT_BUILT),
    ("DescribeSecret leaves out CrossAccountPrimary.*", NOT_BUILT),
    ("DescribeSecret answers CrossAccountReplicas*", NOT_BUILT),
    ("DescribeSecret leaves out CrossAccountReplicas[].*", NOT_BUILT),
    ("DescribeSecret answers ExternalSecretRotation*", NOT_BUILT),
    ("DescribeSecret leaves out ExternalSecretRotationMetadata[].*", NOT_BUILT),
    ("DescribeSecret answers Type", NOT_BUILT),
    ("ListSecrets answers SecretList[].ExternalSecretRotation*", NOT_BUILT),
    ("ListSecrets leaves out SecretList[].ExternalSecretRotationMetadata[].*", NOT_BUILT),
    ("ListSecrets answers SecretList[].Type", NOT_BUILT),
];

const FAULT: &str = "only a disk or a vault that fails makes it (WIRE-REPLY-5)";
const KEYS: &str = "keys are the vault's own: a record that does not open is a fault of the vault";
const EACH: &str = "what one secret refuses has an entry in Errors (SEM-BATCH-3)";
const ONE_ID: &str = "what its members could have wrong breaks a limit or finds nothing";
const ALWAYS: &str = "it always has a value";
const NOT_BUILT: &str = "not built";
