//! Limits of the AWS API, each with its source (`docs/SEMANTICS.md`, section on limits).

/// Longest `Name` (API model).
pub const NAME_CHARS_MAX: usize = 512;
/// Longest `SecretId` (API model).
pub const SECRET_ID_CHARS_MAX: usize = 2048;
/// Shortest `ClientRequestToken` and `VersionId` (API model).
pub const VERSION_ID_CHARS_MIN: usize = 32;
/// Longest `ClientRequestToken` and `VersionId` (API model).
pub const VERSION_ID_CHARS_MAX: usize = 64;
/// Longest value, in bytes of UTF-8 or of binary (quota page).
pub const VALUE_BYTES_MAX: usize = 65_536;
/// Longest staging label (API model).
pub const STAGE_CHARS_MAX: usize = 256;
/// Most staging labels in one request (API model) and on all versions of a secret (quota page).
pub const STAGES_MAX: usize = 20;
/// Longest `ResourcePolicy` (API model).
pub const POLICY_CHARS_MAX: usize = 20_480;
/// Longest `PolicyName` (API model).
pub const POLICY_NAME_CHARS_MAX: usize = 64;
/// Longest `Description` (API model).
pub const DESCRIPTION_CHARS_MAX: usize = 2048;
/// Longest `KmsKeyId` (API model).
pub const KMS_KEY_ID_CHARS_MAX: usize = 2048;
/// Longest tag key (API model).
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// Longest tag value (API model).
pub const TAG_VALUE_CHARS_MAX: usize = 256;
/// Most tags on a secret (quota page).
pub const TAGS_MAX: usize = 50;
/// Longest `RotationLambdaARN` (API model).
pub const FUNCTION_ARN_CHARS_MAX: usize = 2048;
/// Largest `AutomaticallyAfterDays` (API model).
pub const ROTATION_DAYS_MAX: usize = 1000;
/// Longest `ScheduleExpression` (API model).
pub const SCHEDULE_CHARS_MAX: usize = 256;
/// Longest `Type` (API model).
pub const PARTNER_CHARS_MAX: usize = 256;
/// Longest `Key` of `ExternalSecretRotationMetadata` (API model).
pub const EXTERNAL_KEY_CHARS_MAX: usize = 256;
/// Longest `Value` of `ExternalSecretRotationMetadata` (API model).
pub const EXTERNAL_VALUE_CHARS_MAX: usize = 2048;
/// Most items of `ExternalSecretRotationMetadata`. AWS publishes no number; ours keeps the record
/// within its row.
pub const EXTERNAL_ITEMS_MAX: usize = 50;
/// Most bytes that these items have together: the longest item fits.
pub const EXTERNAL_BYTES_MAX: usize = 12 * 1024;
/// Shortest and longest ARN of a secret or role (API model).
pub const ARN_CHARS: std::ops::RangeInclusive<usize> = 20..=2048;
/// Longest region (API model).
pub const REGION_CHARS_MAX: usize = 128;
/// Most replicas of a secret. AWS publishes no number (it has fewer regions); ours keeps one
/// operation within its rows.
pub const REPLICAS_MAX: usize = 64;
/// Most bytes of key names that the replicas of a secret have together, so that its record stays
/// within its row.
pub const REPLICA_KEYS_BYTES_MAX: usize = 8192;
/// A page of `ListSecrets` that asks for no length (SEM-LIST-3).
pub const LIST_PAGE_DEFAULT: usize = 10;
/// Largest page of `ListSecrets` and `ListSecretVersionIds` (API model).
pub const PAGE_MAX: usize = 100;
/// Most secrets of one `BatchGetSecretValue`, by id or by page (API model).
pub const BATCH_MAX: usize = 20;
/// Longest `NextToken` (API model).
pub const NEXT_TOKEN_CHARS_MAX: usize = 4096;
/// Most `Filters` (API model).
pub const FILTERS_MAX: usize = 10;
/// Most values of one filter (API model).
pub const FILTER_VALUES_MAX: usize = 10;
/// Longest filter value (API model).
pub const FILTER_VALUE_CHARS_MAX: usize = 512;
/// Shortest and longest `RotationToken` (API model).
pub const ROTATION_TOKEN_CHARS: std::ops::RangeInclusive<usize> = 36..=256;
/// Longest password (API model).
pub const PASSWORD_CHARS_MAX: usize = 4096;
/// Length of a password when none is given (API model).
pub const PASSWORD_CHARS_DEFAULT: usize = 32;
/// Longest `ExcludeCharacters` (API model).
pub const EXCLUDE_CHARACTERS_MAX: usize = 4096;
/// Shortest and longest recovery window, and the one used when none is given, in days.
pub const RECOVERY_WINDOW_DAYS: std::ops::RangeInclusive<i64> = 7..=30;
/// The recovery window when none is given (user guide).
pub const RECOVERY_WINDOW_DAYS_DEFAULT: i64 = 30;
/// Versions kept at least (user guide: "outdated versions when there are more than 100").
pub const VERSIONS_KEPT: u32 = 100;
/// A version younger than this is never pruned (user guide: 24 hours), in milliseconds.
pub const VERSION_AGE_MIN_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Hard cap on versions of one secret when none may be pruned yet. AWS publishes no number
/// (a guess); ours protects the disk.
pub const VERSIONS_MAX: u32 = 1_000_000;
/// Most rows that one operation may touch (invariant I2).
pub const OPERATION_ROWS_MAX: usize = 256;
/// Bytes of a sealed value in one row of `blobs`: sled pages over 128 KiB would leave its log.
pub const CHUNK_BYTES: usize = 4096;
