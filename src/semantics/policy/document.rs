//! The grammar of a resource policy: from text to statements (SEM-POLICY-4 to SEM-POLICY-8).
//!
//! ```text
//! policy     = { Version?, Id?, Statement: statement | [statement, ...] }
//! statement  = { Sid?, Effect, Principal | NotPrincipal, Action | NotAction,
//!                Resource | NotResource, Condition? }
//! Principal  = "*" | { AWS | Service | Federated | CanonicalUser: text | [text, ...] }
//! Condition  = { operator: { key: value | [value, ...] } }
//! ```
//!
//! Nothing else is accepted: an element that this reader passed over could be the one that was
//! meant to deny.

use super::condition::{self, Condition};
use super::json::{self, Json};
use crate::model::name::is_account;
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use std::collections::{BTreeMap, BTreeSet};

/// A policy that was read.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(super) statements: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

#[derive(Debug)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    pub(super) principals: Listed<Principal>,
    pub(super) actions: Listed<String>,
    pub(super) resources: Listed<String>,
    pub(super) conditions: Vec<Condition>,
}

/// What an element lists, or everything but that: `Action` and `NotAction`.
#[derive(Debug)]
pub(super) struct Listed<T> {
    pub(super) items: Vec<T>,
    pub(super) all_but: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// `*`
    Everyone,
    /// An account, by its number or by the ARN of its root: all of the account.
    Account(String),
    /// Who never calls this vault: an IAM user or role, an AWS service, a federated identity.
    Stranger,
}

type Members = BTreeMap<String, Json>;

/// Reads a policy: E20, E19 or E21 if it is none.
pub(crate) fn parse(text: &str) -> Result<Policy, Fault> {
    let Ok(Json::Object(mut members)) = json::parse(text) else { return Err(syntax()) };
    match members.remove("Version") {
        None => {}
        Some(Json::Text(version)) if version == "2012-10-17" || version == "2008-10-17" => {}
        Some(_) => return Err(syntax()),
    }
    optional_text(members.remove("Id"))?;
    let statements = match members.remove("Statement") {
        Some(Json::List(items)) if !items.is_empty() => items,
        Some(one @ Json::Object(_)) => vec![one],
        _ => return Err(syntax()),
    };
    nothing_left(&members)?;
    let mut ids = BTreeSet::new();
    let read = |item| statement(item, &mut ids);
    Ok(Policy { statements: statements.into_iter().map(read).collect::<Result<_, _>>()? })
}

fn syntax() -> Fault {
    messages::policy_syntax()
}

fn optional_text(json: Option<Json>) -> Result<Option<String>, Fault> {
    match json {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(syntax()),
    }
}

fn nothing_left(members: &Members) -> Result<(), Fault> {
    if members.is_empty() { Ok(()) } else { Err(syntax()) }
}

fn statement(json: Json, ids: &mut BTreeSet<String>) -> Result<Statement, Fault> {
    let Json::Object(mut members) = json else { return Err(syntax()) };
    let id = optional_text(members.remove("Sid"))?.unwrap_or_default();
    if !id.is_empty() && !ids.insert(id) {
        return Err(syntax());
    }
    let effect = match members.remove("Effect") {
        Some(Json::Text(text)) if text == "Allow" => Effect::Allow,
        Some(Json::Text(text)) if text == "Deny" => Effect::Deny,
        _ => return Err(syntax()),
    };
    let (principal, all_but) = either(&mut members, "Principal", "NotPrincipal")?;
    let principals = Listed { items: principals(principal)?, all_but };
    let (action, all_but) = either(&mut members, "Action", "NotAction")?;
    let actions = Listed { items: texts_of(action, is_action)?, all_but };
    let (resource, all_but) = either(&mut members, "Resource", "NotResource")?;
    let resources = Listed { items: texts_of(resource, is_resource)?, all_but };
    let conditions = match members.remove("Condition") {
        None => Vec::new(),
        Some(Json::Object(operators)) => condition::read(operators)?,
        Some(_) => return Err(syntax()),
    };
    nothing_left(&members)?;
    Ok(Statement { effect, principals, actions, resources, conditions })
}

/// The one of two elements that is there, and whether it is the negated one.
fn either(members: &mut Members, plain: &str, negated: &str) -> Result<(Json, bool), Fault> {
    match (members.remove(plain), members.remove(negated)) {
        (Some(json), None) => Ok((json, false)),
        (None, Some(json)) => Ok((json, true)),
        _ => Err(syntax()),
    }
}

/// One text or a list of them, none of them empty or otherwise than `is_legal`.
fn texts_of(json: Json, is_legal: impl Fn(&str) -> bool) -> Result<Vec<String>, Fault> {
    let items = match json {
        Json::List(items) if !items.is_empty() => items,
        one @ Json::Text(_) => vec![one],
        _ => return Err(syntax()),
    };
    let text = |json| match json {
        Json::Text(text) if is_legal(&text) => Ok(text),
        _ => Err(syntax()),
    };
    items.into_iter().map(text).collect()
}

/// `service:Operation`, with patterns, or everything.
fn is_action(text: &str) -> bool {
    let legal = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-*?".contains(c))
    };
    text == "*" || text.split_once(':').is_some_and(|(vendor, name)| legal(vendor) && legal(name))
}

/// An ARN, with patterns, or everything.
fn is_resource(text: &str) -> bool {
    text == "*" || (text.starts_with("arn:") && text.matches(':').count() >= 5)
}

fn principals(json: Json) -> Result<Vec<Principal>, Fault> {
    let kinds = match json {
        Json::Text(text) if text == "*" => return Ok(vec![Principal::Everyone]),
        Json::Object(kinds) if !kinds.is_empty() => kinds,
        _ => return Err(syntax()),
    };
    let mut principals = Vec::new();
    for (kind, json) in kinds {
        let names = texts_of(json, |text| !text.is_empty())?;
        for name in names {
            principals.push(match kind.as_str() {
                "AWS" => aws_principal(&name).ok_or_else(messages::unsupported_principal)?,
                "Service" if is_service(&name) => Principal::Stranger,
                "Service" => return Err(messages::unsupported_service()),
                "Federated" | "CanonicalUser" => Principal::Stranger,
                _ => return Err(syntax()),
            });
        }
    }
    Ok(principals)
}

/// `None`: no principal has that name. Whether one exists is not asked: there is no IAM here.
fn aws_principal(name: &str) -> Option<Principal> {
    if name == "*" {
        return Some(Principal::Everyone);
    }
    if is_account(name) {
        return Some(Principal::Account(name.to_owned()));
    }
    if let Some(rest) = name.strip_prefix("arn:") {
        let mut parts = rest.splitn(5, ':');
        let (partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (account, what) = (parts.next()?, parts.next()?);
        let is_legal = !partition.is_empty()
            && (service == "iam" || service == "sts")
            && region.is_empty()
            && (is_account(account) || account == "aws")
            && !what.is_empty()
            && !what.contains(['*', '?', '$']);
        return match (service, what) {
            _ if !is_legal => None,
            ("iam", "root") => Some(Principal::Account(account.to_owned())),
            _ => Some(Principal::Stranger),
        };
    }
    // AWS shows a deleted user or role by its unique id, such as AROAEXAMPLEID.
    let is_unique_id = (16..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_unique_id.then_some(Principal::Stranger)
}

fn is_service(name: &str) -> bool {
    let host = name.strip_suffix(".cn").unwrap_or(name);
    host.strip_suffix(".amazonaws.com").is_some_and(|service| {
        !service.is_empty()
            && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    })
}
