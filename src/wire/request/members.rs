//! The members of every request, in the order of the API model of 2017-10-17.

#[allow(clippy::wildcard_imports, reason = "the table of operations names every request")]
use crate::model::api::*;
use crate::model::{ExternalMetadata, Tag};
use crate::wire::schema::{Kind, Member, structure};

// Secrets.

structure! {
    CreateSecret {
        name: required_text "Name",
        client_request_token: text "ClientRequestToken",
        description: text "Description",
        kms_key_id: text "KmsKeyId",
        value: value "SecretBinary" "SecretString",
        tags: structures<Tag> "Tags",
        add_replica_regions: structures<ReplicaRegion> "AddReplicaRegions",
        force_overwrite_replica_secret: boolean "ForceOverwriteReplicaSecret",
        partner: text "Type",
        cross_account_primary_arn: text "CrossAccountPrimaryARN",
    }
}

structure! {
    UpdateSecret {
        secret_id: required_text "SecretId",
        client_request_token: text "ClientRequestToken",
        description: text "Description",
        kms_key_id: text "KmsKeyId",
        value: value "SecretBinary" "SecretString",
        partner: text "Type",
    }
}

structure! {
    DeleteSecret {
        secret_id: required_text "SecretId",
        recovery_window_in_days: long "RecoveryWindowInDays",
        force_delete_without_recovery: boolean "ForceDeleteWithoutRecovery",
    }
}

structure! {
    RestoreSecret {
        secret_id: required_text "SecretId",
    }
}

structure! {
    DescribeSecret {
        secret_id: required_text "SecretId",
    }
}

structure! {
    ListSecrets {
        include_planned_deletion: boolean "IncludePlannedDeletion",
        max_results: integer "MaxResults",
        next_token: text "NextToken",
        filters: structures<Filter> "Filters",
        sort_order: text "SortOrder",
        sort_by: text "SortBy",
    }
}

structure! {
    Filter {
        key: text "Key",
        values: texts "Values",
    }
}

// Values and their versions.

structure! {
    PutSecretValue {
        secret_id: required_text "SecretId",
        client_request_token: text "ClientRequestToken",
        value: value "SecretBinary" "SecretString",
        version_stages: texts "VersionStages",
        rotation_token: secret_text "RotationToken",
    }
}

structure! {
    GetSecretValue {
        secret_id: required_text "SecretId",
        version_id: text "VersionId",
        version_stage: text "VersionStage",
    }
}

structure! {
    BatchGetSecretValue {
        secret_id_list: texts "SecretIdList",
        filters: structures<Filter> "Filters",
        max_results: integer "MaxResults",
        next_token: text "NextToken",
    }
}

structure! {
    ListSecretVersionIds {
        secret_id: required_text "SecretId",
        max_results: integer "MaxResults",
        next_token: text "NextToken",
        include_deprecated: boolean "IncludeDeprecated",
    }
}

structure! {
    UpdateSecretVersionStage {
        secret_id: required_text "SecretId",
        version_stage: required_text "VersionStage",
        remove_from_version_id: text "RemoveFromVersionId",
        move_to_version_id: text "MoveToVersionId",
    }
}

structure! {
    GetRandomPassword {
        password_length: long "PasswordLength",
        exclude_characters: text "ExcludeCharacters",
        exclude_numbers: boolean "ExcludeNumbers",
        exclude_punctuation: boolean "ExcludePunctuation",
        exclude_uppercase: boolean "ExcludeUppercase",
        exclude_lowercase: boolean "ExcludeLowercase",
        include_space: boolean "IncludeSpace",
        require_each_included_type: boolean "RequireEachIncludedType",
    }
}

// Tags.

structure! {
    TagResource {
        secret_id: required_text "SecretId",
        tags: required_structures<Tag> "Tags",
    }
}

structure! {
    UntagResource {
        secret_id: required_text "SecretId",
        tag_keys: required_texts "TagKeys",
    }
}

structure! {
    Tag {
        key: text_or_empty "Key",
        value: text_or_empty "Value",
    }
}

// Rotation.

structure! {
    RotateSecret {
        secret_id: required_text "SecretId",
        client_request_token: text "ClientRequestToken",
        rotation_lambda_arn: text "RotationLambdaARN",
        rotation_rules: structure<RotationRules> "RotationRules",
        external_metadata: structures<ExternalMetadata> "ExternalSecretRotationMetadata",
        external_role_arn: text "ExternalSecretRotationRoleArn",
        rotate_immediately: boolean "RotateImmediately",
    }
}

structure! {
    RotationRules {
        automatically_after_days: long "AutomaticallyAfterDays",
        duration: text "Duration",
        schedule_expression: text "ScheduleExpression",
    }
}

structure! {
    ExternalMetadata {
        key: text_or_empty "Key",
        value: text_or_empty "Value",
    }
}

structure! {
    CancelRotateSecret {
        secret_id: required_text "SecretId",
    }
}

// Resource policies.

structure! {
    PutResourcePolicy {
        secret_id: required_text "SecretId",
        resource_policy: required_text "ResourcePolicy",
        policy_name: text "PolicyName",
        block_public_policy: boolean "BlockPublicPolicy",
    }
}

structure! {
    GetResourcePolicy {
        secret_id: required_text "SecretId",
        policy_name: text "PolicyName",
    }
}

structure! {
    DeleteResourcePolicy {
        secret_id: required_text "SecretId",
        policy_name: text "PolicyName",
    }
}

structure! {
    ListResourcePolicies {
        secret_id: required_text "SecretId",
        max_results: integer "MaxResults",
        next_token: text "NextToken",
    }
}

structure! {
    ValidateResourcePolicy {
        secret_id: text "SecretId",
        resource_policy: required_text "ResourcePolicy",
    }
}

// Replicas in other regions and accounts.

structure! {
    ReplicateSecretToRegions {
        secret_id: required_text "SecretId",
        add_replica_regions: required_structures<ReplicaRegion> "AddReplicaRegions",
        force_overwrite_replica_secret: boolean "ForceOverwriteReplicaSecret",
    }
}

structure! {
    ReplicaRegion {
        region: text_or_empty "Region",
        kms_key_id: text "KmsKeyId",
    }
}

structure! {
    RemoveRegionsFromReplication {
        secret_id: required_text "SecretId",
        remove_replica_regions: required_texts "RemoveReplicaRegions",
    }
}

structure! {
    StopReplicationToReplica {
        secret_id: required_text "SecretId",
    }
}

structure! {
    AssociateCrossAccountReplica {
        secret_id: required_text "SecretId",
        replica_arn: required_text "CrossAccountReplicaARN",
        replica_restriction: text "ReplicaRestriction",
        replication_role_arn: text "ReplicationRoleARN",
    }
}

structure! {
    DisassociateCrossAccountReplica {
        secret_id: required_text "SecretId",
        replica_arn: required_text "CrossAccountReplicaARN",
    }
}
