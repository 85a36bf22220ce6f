//! Small pools that names, tokens, labels and the like are drawn from, so that requests meet each
//! other; now and then something odd, or a length at a limit's edge.

use crate::model::limits;
use crate::secret::{SecretBytes, SecretValue};
use arbitrary::{Arbitrary, Result, Unstructured};

/// Names of which some are beginnings of others, and one that looks like the end of an ARN.
const NAMES: [&str; 8] =
    ["a", "b", "app/db", "app/db/x", "app/api", "app/db-AbCdEf", "Prod_x+=.@-", "zz/9"];
const TOKENS: [&str; 6] = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
    "44444444-4444-4444-8444-444444444444",
    "55555555555555555555555555555555",
    "6666666666666666666666666666666666666666666666666666666666666666",
];
const LABELS: [&str; 6] =
    ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "blue", "green", "awscurrent"];
const REGIONS: [&str; 5] = ["us-east-1", "eu-west-1", "ap-south-1", "cn-north-1", "us-gov-west-1"];
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
const TAG_KEYS: [&str; 6] = ["team", "env", "Team", "aws:owner", "", "k:/=+-@ _."];
const FUNCTIONS: [&str; 3] = [
    "arn:aws:lambda:us-east-1:000000000000:function:rotate",
    "arn:aws:lambda:us-east-1:000000000000:function:other",
    "no function",
];
const ROLES: [&str; 2] = ["arn:aws:iam::000000000000:role/replication", "arn:aws:iam::1:role"];
const KEYS: [&str; 5] =
    ["alias/aws/secretsmanager", "alias/mine", "", "1234abcd-12ab-34cd-56ef-1234567890ab", "key"];
const SCHEDULES: [&str; 8] = [
    "rate(4 hours)",
    "rate(10 days)",
    "rate(0 days)",
    "cron(0 8 1 * ? *)",
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

/// What a pool gives. One in 16 is arbitrary text, one in 16 as long as `edge` or one more.
fn drawn(u: &mut Unstructured<'_>, pool: &[&str], edge: usize) -> Result<String> {
    Ok(match u.int_in_range(0_u8..=15)? {
        15 => String::arbitrary(u)?,
        14 => "x".repeat(edge + usize::from(bool::arbitrary(u)?)),
        _ => (*u.choose(pool)?).to_owned(),
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
    token: TOKENS, limits::VERSION_ID_CHARS_MAX;
    label: LABELS, limits::STAGE_CHARS_MAX;
    region: REGIONS, limits::REGION_CHARS_MAX;
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

/// A name, or an ARN of one: whole with a guessed suffix, or without its suffix.
pub(crate) fn secret_id(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0_u8..=9)? {
        9 => arn(u)?,
        8 => format!("{}-AbCdEf", arn(u)?),
        _ => name(u)?,
    })
}

/// An ARN without its suffix, which AWS takes where it is not ambiguous.
pub(crate) fn arn(u: &mut Unstructured<'_>) -> Result<String> {
    let (region, account) = (*u.choose(&REGIONS)?, *u.choose(&ACCOUNTS)?);
    Ok(format!("arn:aws:secretsmanager:{region}:{account}:secret:{}", u.choose(&NAMES)?))
}

/// The ARN of a secret in another account, as a replica's is asked for.
pub(crate) fn replica_arn(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(format!("{}-AbCdEf", arn(u)?))
}

/// A value; one in 64 as long as the limit or one more.
pub(crate) fn value(u: &mut Unstructured<'_>) -> Result<SecretValue> {
    if u.ratio(1_u8, 64_u8)? {
        let len = limits::VALUE_BYTES_MAX + usize::from(bool::arbitrary(u)?);
        return Ok(SecretValue::binary(vec![7; len]));
    }
    Ok(match u.int_in_range(0_u8..=3)? {
        3 => SecretValue::binary(Vec::<u8>::arbitrary(u)?),
        2 => SecretValue::text(String::arbitrary(u)?),
        _ => SecretValue::text(*u.choose(&TEXTS)?),
    })
}

/// A rotation token.
pub(crate) fn rotation_token(u: &mut Unstructured<'_>) -> Result<crate::model::RotationToken> {
    let text = drawn(u, &TOKENS, limits::SECRET_ID_CHARS_MAX)?;
    Ok(SecretBytes::from(text).into())
}

/// A number around `low` and `high`.
pub(crate) fn around(low: i64, high: i64) -> impl Fn(&mut Unstructured<'_>) -> Result<i64> {
    move |u| {
        Ok(match u.int_in_range(0_u8..=7)? {
            0 => low - 1,
            1 => low,
            2 => high,
            3 => high + 1,
            4 => i64::arbitrary(u)?,
            _ => u.int_in_range(low..=high)?,
        })
    }
}

/// A flag.
pub(crate) fn flag(u: &mut Unstructured<'_>) -> Result<bool> {
    bool::arbitrary(u)
}

/// Absent half of the time.
pub(crate) fn maybe<T>(
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> impl Fn(&mut Unstructured<'_>) -> Result<Option<T>> {
    move |u| if bool::arbitrary(u)? { make(u).map(Some) } else { Ok(None) }
}

/// Some of them, seldom more than `edge`.
pub(crate) fn some<T>(
    edge: usize,
    make: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> impl Fn(&mut Unstructured<'_>) -> Result<Vec<T>> {
    move |u| {
        let count = match u.int_in_range(0_u8..=31)? {
            31 => edge + usize::from(bool::arbitrary(u)?),
            count => usize::from(count % 4),
        };
        (0..count).map(|_| make(u)).collect()
    }
}
