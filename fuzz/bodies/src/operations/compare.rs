//! Compares a vault with its reference models and with itself. These reads record no access marks.

use super::call::scope;
use super::draw::{ACCOUNTS, REGIONS};
use super::run::Strange;
use super::step::Who;
use crate::dump::text;
use crate::model::{Ans, Chosen, Id, Model, Req, drive};
use strongroom::__internals::model::api::{
    DescribeSecretResponse, GetSecretValue, ListSecretVersionIds, ListSecrets,
};
use strongroom::__internals::vault::{Vault, internals};

/// All accounts in all regions.
pub(super) fn everyone() -> impl Iterator<Item = Who> {
    let regions = 0..REGIONS.len();
    (0..ACCOUNTS.len())
        .flat_map(move |account| regions.clone().map(move |region| Who { account, region }))
}

/// Lists all secrets that the model knows, scheduled ones too.
fn list() -> Req {
    Req::List {
        planned: Some(true),
        page: None,
        filters: Vec::new(),
        by_name: false,
        descending: false,
    }
}

/// Removes the secrets from an answer that no model knows.
pub(super) fn without_strange(answer: Ans, who: Who, strange: &Strange) -> Ans {
    match answer {
        Ans::Secrets(mut listed) => {
            listed.retain(|secret| {
                !strange.contains(&(who.account, who.region, secret.name.clone()))
            });
            Ans::Secrets(listed)
        }
        other => other,
    }
}

fn ask(
    vault: &Vault,
    model: &mut Model,
    who: Who,
    request: &Req,
    strange: &Strange,
) -> Result<Ans, String> {
    let region = REGIONS[who.region];
    let seen = drive::run(vault, model, region, request).map_err(|error| text(&error))?;
    let seen = without_strange(seen, who, strange);
    let (_, expected) = model.apply(region, request, &Chosen::default());
    if expected.met_by(&seen) { Ok(seen) } else { Err(differs(who, request, &expected, &seen)) }
}

/// Whether a vault agrees with the models: secrets, versions, labels, values, policies.
pub(super) fn compare(
    vault: &Vault,
    models: &mut [Model; 2],
    strange: &Strange,
) -> Result<(), String> {
    for who in everyone() {
        let (region, scope) = (REGIONS[who.region], scope(who));
        let model = &mut models[who.account];
        ask(vault, model, who, &list(), strange)?;
        for name in model.names(region) {
            let id = Id::Name(name.clone());
            let versions = Req::Versions { id: id.clone(), deprecated: Some(true), page: None };
            ask(vault, model, who, &versions, strange)?;
            if model.is_scheduled(region, &name) {
                continue;
            }
            ask(vault, model, who, &Req::Policy { id }, strange)?;
            for version in model.version_ids(region, &name) {
                let mut request = GetSecretValue::new(name.as_str());
                request.version_id = Some(version.clone());
                let got = internals::peek_value(vault, &scope, &request);
                let got = got.map_err(|error| format!("{name} {version}: {}", text(&error)))?;
                if Some(&drive::from_vault(&got.value)) != model.value_of(region, &name, &version) {
                    return Err(format!("{who:?} {name} {version} has another value"));
                }
            }
        }
    }
    Ok(())
}

/// Adopts the days of access. Only these may be lost in a crash.
pub(super) fn adopt_accessed(vault: &Vault, models: &mut [Model; 2]) -> Result<(), String> {
    for who in everyone() {
        let (region, model) = (REGIONS[who.region], &mut models[who.account]);
        let Ans::Secrets(listed) =
            drive::run(vault, model, region, &list()).map_err(|error| text(&error))?
        else {
            continue;
        };
        for secret in listed {
            let id = Id::Name(secret.name.clone());
            let request = Req::Versions { id, deprecated: Some(true), page: None };
            let versions = drive::run(vault, model, region, &request);
            let Ans::Versions { rows, .. } = versions.map_err(|error| text(&error))? else {
                continue;
            };
            let mut known = model.adopt_accessed(region, &secret.name, None, secret.accessed);
            for row in rows {
                known &= model.adopt_accessed(region, &secret.name, Some(&row.id), row.accessed);
            }
            if !known {
                return Err(format!("{}: a day of access that was never shown", secret.name));
            }
        }
    }
    Ok(())
}

/// Checks that a replica equals its primary.
pub(super) fn replicas(vault: &Vault) -> Result<(), String> {
    for who in everyone() {
        let request =
            ListSecrets { include_planned_deletion: Some(true), ..ListSecrets::default() };
        let scope_here = scope(who);
        let listed =
            vault.in_scope(&scope_here).list_secrets(request).map_err(|error| text(&error))?;
        for replica in listed.secrets {
            let is_away = |region: &String| region != REGIONS[who.region];
            if !replica.primary_region.as_ref().is_some_and(is_away) {
                continue;
            }
            let there = Who { region: 1 - who.region, ..who };
            let (here, there) =
                (versions(vault, who, &replica)?, versions(vault, there, &replica)?);
            if here != there {
                return Err(format!(
                    "replica {} of {who:?} differs from its primary\n {here:?}\n {there:?}",
                    replica.name
                ));
            }
        }
    }
    Ok(())
}

type Shown = Vec<(String, Vec<String>, Option<Vec<u8>>)>;

fn versions(vault: &Vault, who: Who, secret: &DescribeSecretResponse) -> Result<Shown, String> {
    let scope = scope(who);
    let request = ListSecretVersionIds {
        secret_id: secret.name.clone(),
        include_deprecated: Some(true),
        ..ListSecretVersionIds::default()
    };
    let page = vault
        .in_scope(&scope)
        .list_secret_version_ids(request.clone())
        .map_err(|error| text(&error))?;
    let shown = page.versions.into_iter().map(|version| {
        let mut request = GetSecretValue::new(secret.name.as_str());
        request.version_id = Some(version.version_id.to_string());
        let value = match internals::peek_value(vault, &scope, &request) {
            // EXPOSE: a harness compares what it put in.
            Ok(got) => Some(got.value.bytes().expose().to_vec()),
            Err(error) if error.fault().is_some() => None,
            Err(error) => return Err(text(&error)),
        };
        Ok((version.version_id.to_string(), version.version_stages, value))
    });
    shown.collect()
}

/// The first difference between an answer and the expected one.
pub(super) fn differs(who: Who, request: &Req, expected: &Ans, seen: &Ans) -> String {
    let (expected, seen) = (format!("{expected:?}"), format!("{seen:?}"));
    let same = expected.bytes().zip(seen.bytes()).take_while(|(a, b)| a == b).count();
    let part = |text: &str| {
        let chars = text.char_indices().filter(|(at, _)| *at + 120 > same);
        chars.map(|(_, c)| c).take(400).collect::<String>()
    };
    format!("{who:?} {request:?}\n expected {}\n      got {}", part(&expected), part(&seen))
}
