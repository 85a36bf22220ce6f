//! Small pools of names, tokens, labels and the like, so that requests refer to the same secrets.
//! Occasionally they give unusual text or a length at a limit.

use crate::model::{Scope, limits};
use crate::secret::{SecretBytes, SecretValue};
use arbitrary::{Arbitrary, Result, Unstructured};

/// Names. Some are prefixes of others, and one looks like the end of an ARN.
const NAMES: [&str; 8] =
    ["a", "b", "app/db", "app/db/x", "app/api", "app/db-AbCdEf", "Prod_x+=.@-", "zz/9"];
const LABELS: [&str; 6] =
    ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "blue", "green", "awscurrent"];
const REGIONS: [&str; 5] = ["us-east-1", "eu-west-1", "ap-south-1", "cn-north-1", "us-gov-west-1"];
const REPLICA_REGIONS: [&str; 4] = ["eu-west-1", "ap-south-1", "eu-central-1", "us-east-1"];
const ACCOUNTS: [&str; 2] = ["000000000000", "111122223333"];
const TEXTS: [&str; 7] = [
    "",
    "a",
    "b",
    "{\"username\":\"u\",\"password\":\"p\"}",
    "correct horse",
    "\u{e9}\u{1f600}",
    " ",
];
const VALUES: [&str; 4] = ["a", "b", "{\"username\":\"u\",\"password\":\"p\"}", "\u{e9}"];
const TAG_KEYS: [&str; 6] = ["team", "env", "Team", "k:/=+-@ _.", "aws:owner", ""];
const FUNCTIONS: [&str; 4] = [ROTATE, ROTATE, "arn:aws:lambda:us-east-1:0:function:b", ROTATE];
const ROTATE: &str = "arn:aws:lambda:us-east-1:000000000000:function:rotate";
const ROLES: [&str; 2] = ["arn:aws:iam::000000000000:role/replication", "arn:aws:iam::1:role"];
const KEYS: [&str; 5] =
    ["alias/aws/secretsmanager", "alias/mine", "1234abcd-12ab-34cd-56ef-1234567890ab", "key", ""];
const SCHEDULES: [&str; 8] = [
    "rate(4 hours)",
    "rate(10 days)",
    "cron(0 8 1 * ? *)",
    "rate(0 days)",
    "cron(0/4 * ? * MON-FRI *)",
    "cron(0 8 31 2 ? *)",
    "rate()",
    "at(noon)",
];
const DURATIONS: [&str; 5] = ["1h", "3h", "24h", "0h", "3"];
const POLICIES: [&str; 6] = [
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"secretsmanager:*","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"secretsmanager:DeleteSecret","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}}]}"#,
    r#"{"Version":"2012-10-17","Statement":[]}"#,
    "{}",
    "",
];
const FILTER_KEYS: [&str; 8] = [
    "description",
    "name",
    "tag-key",
    "tag-value",
    "primary-region",
    "owning-service",
    "all",
    "colour",
];
const FILTER_VALUES: [&str; 7] = ["a", "app", "!app", "team", "us-east-1", "", "~"];

/// Draws from a pool, its first three entries more often than the rest. One in 64 results is arbitrary
/// text; one in 64 has the length `edge` or one more.
fn drawn(u: &mut Unstructured<'_>, pool: &[&str], edge: usize) -> Result<String> {
    Ok(match u.int_in_range(0_u8..=63)? {
        63 => String::arbitrary(u)?,
        62 => "x".repeat(edge + usize::from(bool::arbitrary(u)?)),
        48..=61 => (*u.choose(pool)?).to_owned(),
        _ => (*u.choose(pool.get(..3).unwrap_or(pool))?).to_owned(),
    })
}

macro_rules! pools {
    ($($(#[$doc:meta])* $name:ident: $pool:expr, $edge:expr;)*) => {
        $($(#[$doc])*
        pub(crate) fn $name(u: &mut Unstructured<'_>) -> Result<String> {
            drawn(u, &$pool, $edge)
        })*
    };
}

pools! {
    name: NAMES, limits::NAME_CHARS_MAX;
    label: LABELS, limits::STAGE_CHARS_MAX;
    region: REGIONS, limits::REGION_CHARS_MAX;
    replica_region: REPLICA_REGIONS, limits::REGION_CHARS_MAX;
    account: ACCOUNTS, 12;
    description: TEXTS, limits::DESCRIPTION_CHARS_MAX;
    key_id: KEYS, limits::KMS_KEY_ID_CHARS_MAX;
    tag_key: TAG_KEYS, limits::TAG_KEY_CHARS_MAX;
    tag_value: TEXTS, limits::TAG_VALUE_CHARS_MAX;
    function: FUNCTIONS, limits::FUNCTION_ARN_CHARS_MAX;
    role: ROLES, *limits::ARN_CHARS.end();
    schedule: SCHEDULES, limits::SCHEDULE_CHARS_MAX;
    window: DURATIONS, 3;
    policy: POLICIES, limits::POLICY_CHARS_MAX;
    policy_name: ["default", "other"], limits::POLICY_NAME_CHARS_MAX;
    filter_key: FILTER_KEYS, 64;
    filter_value: FILTER_VALUES, limits::FILTER_VALUE_CHARS_MAX;
    partner: ["Salesforce", "partner", ""], limits::PARTNER_CHARS_MAX;
    page_token: ["0", "AAAA", ""], 4096;
    sort_order: ["asc", "desc"], 4;
    sort_by: ["created-date", "last-accessed-date", "last-changed-date", "name"], 18;
    restriction: ["SameOrg", "NoRestriction"], 13;
    characters: ["abc", "\"'\\", "0123456789", ""], 4096;
}

/// One of 16 tokens. One in 64 has a length at a limit instead.
pub(crate) fn token(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1_u8, 64_u8)? {
        let (min, max) = (limits::VERSION_ID_CHARS_MIN, limits::VERSION_ID_CHARS_MAX);
        return Ok("t".repeat(*u.choose(&[0, min - 1, min, max, max + 1])?));
    }
    let number = u.int_in_range(0_u8..=15)?;
    Ok(format!("{number:08}-0000-4000-8000-{number:012}"))
}

/// A name or its ARN, either with a guessed suffix or without a suffix.
pub(crate) fn secret_id(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0_u8..=15)? {
        14 | 15 => arn(u)?,
        13 => replica_arn(u)?,
        _ => name(u)?,
    })
}

/// An ARN without its suffix, which AWS accepts unless it is ambiguous.
pub(crate) fn arn(u: &mut Unstructured<'_>) -> Result<String> {
    let near = u.ratio(3_u8, 4_u8)?;
    let region = if near { Scope::DEFAULT_REGION } else { *u.choose(&REGIONS)? };
    let account = if near { Scope::DEFAULT_ACCOUNT } else { *u.choose(&ACCOUNTS)? };
    Ok(format!("arn:aws:secretsmanager:{region}:{account}:secret:{}", u.choose(&NAMES)?))
}

/// The ARN of a secret in another account, as requests about replicas name it.
pub(crate) fn replica_arn(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(format!("{}-AbCdEf", arn(u)?))
}

/// A value. One in 64 has the length of the limit or one more.
pub(crate) fn value(u: &mut Unstructured<'_>) -> Result<SecretValue> {
    if u.ratio(1_u8, 64_u8)? {
        let len = limits::VALUE_BYTES_MAX + usize::from(bool::arbitrary(u)?);
        return Ok(SecretValue::binary(vec![7; len]));
    }
    Ok(match u.int_in_range(0_u8..=31)? {
        30 | 31 => SecretValue::binary(Vec::<u8>::arbitrary(u)?),
        28 | 29 => SecretValue::text(String::arbitrary(u)?),
        27 => SecretValue::text(""),
        20..=26 => SecretValue::binary(*u.choose(&[b"\0\xff", b"ab"])?),
        _ => SecretValue::text(*u.choose(&VALUES)?),
    })
}

/// A rotation token.
pub(crate) fn rotation_token(u: &mut Unstructured<'_>) -> Result<crate::model::RotationToken> {
    Ok(SecretBytes::from(token(u)?).into())
}

/// A number around `low` and `high`.
pub(crate) fn around(low: i64, high: i64) -> impl Fn(&mut Unstructured<'_>) -> Result<i64> {
    move |u| {
        Ok(match u.int_in_range(0_u8..=31)? {
            31 => low - 1,
            30 => low,
            29 => high,
            28 => high + 1,
            27 => i64::arbitrary(u)?,
            _ => u.int_in_range(low..=high)?,
        })
    }
}

/// A flag.
pub(crate) fn flag(u: &mut Unstructured<'_>) -> Result<bool> {
    bool::arbitrary(u)
}

/// Absent in half of all cases.
pub(crate) fn maybe<T>(
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> impl Fn(&mut Unstructured<'_>) -> Result<Option<T>> {
    move |u| if bool::arbitrary(u)? { make(u).map(Some) } else { Ok(None) }
}

/// One to three of them. Rarely none, or `edge`, or one more than `edge`.
pub(crate) fn some<T>(
    edge: usize,
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> impl Fn(&mut Unstructured<'_>) -> Result<Vec<T>> {
    move |u| {
        let count = match u.int_in_range(0_u8..=63)? {
            63 => edge + usize::from(bool::arbitrary(u)?),
            62 => 0,
            count => 1 + usize::from(count % 3),
        };
        (0..count).map(|_| make(u)).collect()
    }
}
