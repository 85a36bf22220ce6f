//! Dumps everything that can be read from a vault as text. This is the oracle: dumps are recorded after each
//! frame while the power is on and compared after each crash.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use strongroom::__internals::error::Error;
use strongroom::__internals::model::Scope;
use strongroom::__internals::model::api::{
    DescribeSecret, DescribeSecretResponse, GetResourcePolicy, GetSecretValue,
    ListSecretVersionIds, ListSecrets,
};
use strongroom::__internals::vault::{Vault, internals};

pub const HOME: &str = "us-east-1";
pub const AWAY: &str = "eu-west-1";

pub fn scope(region: &str) -> Scope {
    Scope::new(Scope::DEFAULT_ACCOUNT, region)
}

/// Values, versions, labels, tags, dates, policies, rotation, replicas, credentials. The day of the last
/// access is left out, because it is shown before it is durable and may be lost. These reads record no
/// access marks and thus change nothing. An error other than a refusal by AWS is a failure.
pub fn dump(vault: &Vault) -> Result<String, String> {
    dump_of(vault, &[scope(HOME), scope(AWAY)])
}

/// The same for other accounts and regions.
pub fn dump_of(vault: &Vault, scopes: &[Scope]) -> Result<String, String> {
    let mut out = String::with_capacity(8 << 10);
    for scope in scopes {
        let request = ListSecrets {
            include_planned_deletion: Some(true),
            max_results: Some(100),
            ..ListSecrets::default()
        };
        let listed = vault.in_scope(scope).list_secrets(request).map_err(|error| text(&error))?;
        assert!(listed.next_token.is_none(), "a page holds all that a script makes");
        for mut secret in listed.secrets {
            secret.last_accessed_date = None;
            one(vault, scope, &secret, &mut out)
                .map_err(|error| format!("{} {}: {}", scope.region, secret.name, text(&error)))?;
        }
    }
    for credential in vault.credentials().map_err(|error| text(&error))? {
        // EXPOSE: a harness compares what it put in.
        let secret = credential.secret_access_key.expose();
        let _ = writeln!(out, "credential {} {secret:?}", credential.access_key_id);
    }
    Ok(out)
}

fn one(
    vault: &Vault,
    scope: &Scope,
    secret: &DescribeSecretResponse,
    out: &mut String,
) -> Result<(), Error> {
    legal(secret);
    let name = secret.name.as_str();
    let _ = writeln!(out, "{} {secret:?}", scope.region);
    if secret.primary_region.is_some() {
        let described = vault.in_scope(scope).describe_secret(DescribeSecret::new(name))?;
        let _ = writeln!(out, "  {:?}", described.replication_status);
    }
    let policy = refused(vault.in_scope(scope).get_resource_policy(GetResourcePolicy::new(name)))?;
    let _ = writeln!(out, "  {:?}", policy.map(|policy| policy.policy));
    let mut request = ListSecretVersionIds {
        secret_id: name.to_owned(),
        include_deprecated: Some(true),
        max_results: Some(100),
        next_token: None,
    };
    let mut versions = Vec::new();
    loop {
        let page = vault.in_scope(scope).list_secret_version_ids(request.clone())?;
        versions.extend(page.versions);
        request.next_token = page.next_token;
        if request.next_token.is_none() {
            break;
        }
    }
    for mut version in versions {
        version.last_accessed_date = None;
        let mut request = GetSecretValue::new(name);
        request.version_id = Some(version.version_id.to_string());
        let value = refused(internals::peek_value(vault, scope, &request))?;
        let _ = writeln!(out, "  {version:?}");
        match value {
            Ok(got) => {
                let _ = write!(out, "    {:?} ", got.value.kind());
                // EXPOSE: a harness compares what it put in.
                let bytes = got.value.bytes().expose();
                let _ = writeln!(out, "{} {:016x}", bytes.len(), hash(bytes));
            }
            Err(refusal) => {
                let _ = writeln!(out, "    {refusal}");
            }
        }
    }
    Ok(())
}

/// Checks that a label is on one version at most. The model checks which labels exist, because with the
/// placeholder of a rotation any labels may exist without a current version.
fn legal(secret: &DescribeSecretResponse) {
    let mut on: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, stages) in &secret.versions_to_stages {
        assert!(!stages.is_empty(), "{secret:?}");
        stages.iter().for_each(|stage| *on.entry(stage).or_default() += 1);
    }
    assert!(on.values().all(|count| *count == 1), "{secret:?}");
}

/// A refusal by AWS counts as an answer.
fn refused<T>(answer: Result<T, Error>) -> Result<Result<T, String>, Error> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) => match error.fault() {
            Some(fault) => Ok(Err(fault.message.clone())),
            None => Err(error),
        },
    }
}

pub fn text(error: &Error) -> String {
    format!("{error} ({:?})", error.kind())
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// The first line that differs between two dumps.
pub fn difference(expected: &str, found: &str) -> String {
    let (mut left, mut right) = (expected.lines(), found.lines());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return "none".into(),
            (left, right) if left == right => {}
            (left, right) => return format!("\n  expected {left:?}\n  found    {right:?}"),
        }
    }
}
