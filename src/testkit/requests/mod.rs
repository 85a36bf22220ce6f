//! `arbitrary` implementations for every request of the API. Most requests are valid and refer to the
//! secrets of other requests. Some have unusual members or lengths at the limits.

mod pools;

#[allow(clippy::wildcard_imports, reason = "the table of operations names every request")]
use crate::model::api::*;
use crate::model::{ExternalMetadata, RotationToken, Scope, Tag, limits};
use crate::secret::SecretValue;
use arbitrary::{Arbitrary, Result, Unstructured};
use pools::{around, flag, maybe, some};

/// A structure whose members are generated in order.
macro_rules! requests {
    ($($type:ident { $($member:ident: $make:expr),* $(,)? })*) => {
        $(impl<'a> Arbitrary<'a> for $type {
            fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
                Ok(Self { $($member: ($make)(u)?),* })
            }
        })*
    };
}

/// A list of arbitrary items, see `some`.
fn list<T: for<'a> Arbitrary<'a>>(edge: usize) -> impl Fn(&mut Unstructured<'_>) -> Result<Vec<T>> {
    some(edge, |u| T::arbitrary(u))
}

impl<'a> Arbitrary<'a> for SecretValue {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        pools::value(u)
    }
}

impl<'a> Arbitrary<'a> for RotationToken {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        pools::rotation_token(u)
    }
}

impl<'a> Arbitrary<'a> for Scope {
    /// Usually the default account and region.
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.ratio(7_u8, 8_u8)? {
            return Ok(Self::default());
        }
        let is_account = |text: &String| crate::model::name::is_account(text);
        let account = Some(pools::account(u)?).filter(is_account);
        let region = Some(pools::region(u)?).filter(|text| crate::model::name::is_region(text));
        Ok(Self::new(
            account.as_deref().unwrap_or(Self::DEFAULT_ACCOUNT),
            region.as_deref().unwrap_or(Self::DEFAULT_REGION),
        ))
    }
}

macro_rules! any_request {
    (
        writes { $($write:ident $(<$value:ident>)? => $write_response:ty, $write_method:ident;)* }
        reads { $($read:ident => $read_response:ty, $read_method:ident;)* }
    ) => {
        /// Generates a request of an operation.
        fn request_of(operation: Operation, u: &mut Unstructured<'_>) -> Result<Request> {
            Ok(match operation {
                $(Operation::$write => <$write>::arbitrary(u)?.into(),)*
                $(Operation::$read => <$read>::arbitrary(u)?.into(),)*
            })
        }
    };
}

for_each_operation!(any_request);

impl<'a> Arbitrary<'a> for Request {
    /// Two of three requests are drawn from the operations on versions; the others are of any operation.
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let operation = if u.ratio(1_u8, 3_u8)? {
            *u.choose(Operation::ALL)?
        } else {
            match u.int_in_range(0_u8..=11)? {
                0..=2 => Operation::CreateSecret,
                3..=5 => Operation::PutSecretValue,
                6 => Operation::UpdateSecretVersionStage,
                7 | 8 => Operation::GetSecretValue,
                9 => Operation::UpdateSecret,
                10 => Operation::RestoreSecret,
                _ => Operation::DeleteSecret,
            }
        };
        request_of(operation, u)
    }
}

impl<'a> Arbitrary<'a> for RotationRules {
    /// Days or an expression; rarely both, which is refused.
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (days, both) = (bool::arbitrary(u)?, u.ratio(1_u8, 32_u8)?);
        let mut rules = Self { duration: seldom(pools::window)(u)?, ..Self::default() };
        if days || both {
            rules.automatically_after_days = Some(around(1, 1000)(u)?);
        }
        if !days || both {
            rules.schedule_expression = Some(pools::schedule(u)?);
        }
        Ok(rules)
    }
}

requests! {
    Tag { key: pools::tag_key, value: pools::tag_value }
    ReplicaRegion { region: pools::replica_region, kms_key_id: maybe(pools::key_id) }
    Filter {
        key: maybe(pools::filter_key),
        values: maybe(some(limits::FILTER_VALUES_MAX, pools::filter_value)),
    }
    ExternalMetadata { key: pools::tag_key, value: pools::tag_value }
    CreateSecret {
        name: pools::name,
        client_request_token: often(pools::token),
        description: maybe(pools::description),
        kms_key_id: seldom(pools::key_id),
        value: often(pools::value),
        tags: maybe(list(limits::TAGS_MAX)),
        add_replica_regions: seldom(list(8)),
        force_overwrite_replica_secret: seldom(flag),
        partner: rarely(pools::partner),
        cross_account_primary_arn: rarely(pools::replica_arn),
    }
    PutSecretValue {
        secret_id: pools::secret_id,
        client_request_token: often(pools::token),
        value: often(pools::value),
        version_stages: seldom(some(limits::STAGES_MAX, pools::label)),
        rotation_token: seldom(pools::rotation_token),
    }
    UpdateSecret {
        secret_id: pools::secret_id,
        client_request_token: maybe(pools::token),
        description: maybe(pools::description),
        kms_key_id: seldom(pools::key_id),
        value: maybe(pools::value),
        partner: rarely(pools::partner),
    }
    GetSecretValue {
        secret_id: pools::secret_id,
        version_id: seldom(pools::token),
        version_stage: seldom(pools::label),
    }
    GetRandomPassword {
        password_length: maybe(around(1, 4096)),
        exclude_characters: maybe(pools::characters),
        exclude_numbers: maybe(flag),
        exclude_punctuation: maybe(flag),
        exclude_uppercase: maybe(flag),
        exclude_lowercase: maybe(flag),
        include_space: maybe(flag),
        require_each_included_type: maybe(flag),
    }
    BatchGetSecretValue {
        secret_id_list: maybe(some(20, pools::secret_id)),
        filters: seldom(list(limits::FILTERS_MAX)),
        max_results: seldom(around(1, 20)),
        next_token: seldom(pools::page_token),
    }
    CancelRotateSecret { secret_id: pools::secret_id }
    DescribeSecret { secret_id: pools::secret_id }
    RestoreSecret { secret_id: pools::secret_id }
    StopReplicationToReplica { secret_id: pools::secret_id }
    ListSecretVersionIds {
        secret_id: pools::secret_id,
        max_results: maybe(around(1, 100)),
        next_token: seldom(pools::page_token),
        include_deprecated: maybe(flag),
    }
    ListSecrets {
        include_planned_deletion: maybe(flag),
        max_results: maybe(around(1, 100)),
        next_token: seldom(pools::page_token),
        filters: maybe(list(limits::FILTERS_MAX)),
        sort_order: maybe(pools::sort_order),
        sort_by: maybe(pools::sort_by),
    }
    UpdateSecretVersionStage {
        secret_id: pools::secret_id,
        version_stage: pools::label,
        remove_from_version_id: maybe(pools::token),
        move_to_version_id: maybe(pools::token),
    }
    DeleteSecret {
        secret_id: pools::secret_id,
        recovery_window_in_days: maybe(around(7, 30)),
        force_delete_without_recovery: seldom(flag),
    }
    TagResource { secret_id: pools::secret_id, tags: list(limits::TAGS_MAX) }
    UntagResource {
        secret_id: pools::secret_id,
        tag_keys: some(limits::TAGS_MAX, pools::tag_key),
    }
    RotateSecret {
        secret_id: pools::secret_id,
        client_request_token: maybe(pools::token),
        rotation_lambda_arn: often(pools::function),
        rotation_rules: often(rotation_rules),
        rotate_immediately: maybe(flag),
        external_metadata: rarely(list(limits::EXTERNAL_ITEMS_MAX)),
        external_role_arn: rarely(pools::role),
    }
    PutResourcePolicy {
        secret_id: pools::secret_id,
        resource_policy: pools::policy,
        policy_name: seldom(pools::policy_name),
        block_public_policy: maybe(flag),
    }
    DeleteResourcePolicy { secret_id: pools::secret_id, policy_name: seldom(pools::policy_name) }
    GetResourcePolicy { secret_id: pools::secret_id, policy_name: seldom(pools::policy_name) }
    ValidateResourcePolicy {
        secret_id: maybe(pools::secret_id),
        resource_policy: pools::policy,
    }
    ListResourcePolicies {
        secret_id: pools::secret_id,
        max_results: maybe(around(1, 100)),
        next_token: seldom(pools::page_token),
    }
    ReplicateSecretToRegions {
        secret_id: pools::secret_id,
        add_replica_regions: list(8),
        force_overwrite_replica_secret: maybe(flag),
    }
    RemoveRegionsFromReplication {
        secret_id: pools::secret_id,
        remove_replica_regions: some(8, pools::replica_region),
    }
    AssociateCrossAccountReplica {
        secret_id: pools::secret_id,
        replica_arn: pools::replica_arn,
        replica_restriction: maybe(pools::restriction),
        replication_role_arn: seldom(pools::role),
    }
    DisassociateCrossAccountReplica {
        secret_id: pools::secret_id,
        replica_arn: pools::replica_arn,
    }
}

fn rotation_rules(u: &mut Unstructured<'_>) -> Result<RotationRules> {
    RotationRules::arbitrary(u)
}

/// Present one time in eight.
fn seldom<T>(
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> impl Fn(&mut Unstructured<'_>) -> Result<Option<T>> {
    move |u| if u.ratio(1_u8, 8_u8)? { make(u).map(Some) } else { Ok(None) }
}

/// Present one time in 48, for members that usually cause a refusal.
fn rarely<T>(
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> impl Fn(&mut Unstructured<'_>) -> Result<Option<T>> {
    move |u| if u.ratio(1_u8, 48_u8)? { make(u).map(Some) } else { Ok(None) }
}

/// Absent one time in eight.
fn often<T>(
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> impl Fn(&mut Unstructured<'_>) -> Result<Option<T>> {
    move |u| if u.ratio(7_u8, 8_u8)? { make(u).map(Some) } else { Ok(None) }
}
