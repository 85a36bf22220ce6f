//! Conditions of a statement (SEM-ACCESS-8, SEM-ACCESS-9).
//!
//! This vault knows little about a request: the caller, the secret, and that the connection is not
//! encrypted. A condition on anything else is undecided, and so is one with an unsupported operator. An
//! Allow with such a condition grants nothing; a Deny with it forbids.

use super::asked::Asked;
use super::json::Json;
use super::pattern::{fits, has_variable};
use super::truth::Truth;
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use std::collections::BTreeMap;

/// Operators of IAM without `IfExists` and without `ForAnyValue:` or `ForAllValues:`.
const OPERATORS: &[(&str, Operator)] = &[
    ("StringEquals", Operator::Text { negated: false, how: How::Equal }),
    ("StringNotEquals", Operator::Text { negated: true, how: How::Equal }),
    ("StringEqualsIgnoreCase", Operator::Text { negated: false, how: How::EqualAnyCase }),
    ("StringNotEqualsIgnoreCase", Operator::Text { negated: true, how: How::EqualAnyCase }),
    ("StringLike", Operator::Text { negated: false, how: How::Pattern }),
    ("StringNotLike", Operator::Text { negated: true, how: How::Pattern }),
    ("ArnEquals", Operator::Text { negated: false, how: How::Arn }),
    ("ArnNotEquals", Operator::Text { negated: true, how: How::Arn }),
    ("ArnLike", Operator::Text { negated: false, how: How::Arn }),
    ("ArnNotLike", Operator::Text { negated: true, how: How::Arn }),
    ("Bool", Operator::Text { negated: false, how: How::EqualAnyCase }),
    ("Null", Operator::Null),
    ("NumericEquals", Operator::Other),
    ("NumericNotEquals", Operator::Other),
    ("NumericLessThan", Operator::Other),
    ("NumericLessThanEquals", Operator::Other),
    ("NumericGreaterThan", Operator::Other),
    ("NumericGreaterThanEquals", Operator::Other),
    ("DateEquals", Operator::Other),
    ("DateNotEquals", Operator::Other),
    ("DateLessThan", Operator::Other),
    ("DateLessThanEquals", Operator::Other),
    ("DateGreaterThan", Operator::Other),
    ("DateGreaterThanEquals", Operator::Other),
    ("BinaryEquals", Operator::Other),
    ("IpAddress", Operator::Other),
    ("NotIpAddress", Operator::Other),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Text {
        negated: bool,
        how: How,
    },
    Null,
    /// Valid, but never decided here.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Equal,
    EqualAnyCase,
    Pattern,
    /// Compares the parts between the colons; each is a pattern.
    Arn,
}

/// One key under one operator.
#[derive(Debug)]
pub(super) struct Condition {
    operator: Operator,
    if_exists: bool,
    /// Whether the operator starts with `ForAnyValue:` or `ForAllValues:`.
    of_set: bool,
    /// Lower case, because condition keys are case-insensitive.
    key: String,
    values: Vec<String>,
}

/// Reads the `Condition` element.
pub(super) fn read(operators: BTreeMap<String, Json>) -> Result<Vec<Condition>, Fault> {
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let bare = ["ForAnyValue:", "ForAllValues:"].iter().find_map(|set| name.strip_prefix(set));
        let of_set = bare.is_some();
        let bare = bare.unwrap_or(&name);
        let (bare, if_exists) = match bare.strip_suffix("IfExists") {
            Some(bare) => (bare, true),
            None => (bare, false),
        };
        let known = OPERATORS.iter().find(|(known, _)| *known == bare);
        let operator = known.map(|(_, operator)| *operator).ok_or_else(messages::policy_syntax)?;
        if operator == Operator::Null && if_exists {
            return Err(messages::policy_syntax());
        }
        let Json::Object(keys) = keys else { return Err(messages::policy_syntax()) };
        for (key, values) in keys {
            let is_legal = key
                .split_once(':')
                .is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty());
            if !is_legal {
                return Err(messages::policy_syntax());
            }
            let values = values_of(values)?;
            let key = key.to_ascii_lowercase();
            conditions.push(Condition { operator, if_exists, of_set, key, values });
        }
    }
    Ok(conditions)
}

fn values_of(json: Json) -> Result<Vec<String>, Fault> {
    let items = match json {
        Json::List(items) => items,
        one => vec![one],
    };
    let value = |json| match json {
        Json::Text(text) | Json::Number(text) => Ok(text),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Null | Json::List(_) | Json::Object(_) => Err(messages::policy_syntax()),
    };
    items.into_iter().map(value).collect()
}

impl Condition {
    /// Whether the request meets it.
    pub(super) fn holds(&self, asked: &Asked<'_>) -> Truth {
        let known = known(&self.key, asked);
        if self.of_set || known == Known::Never || self.values.iter().any(|v| has_variable(v)) {
            return Truth::Undecided;
        }
        match (self.operator, known) {
            (Operator::Other, _) | (_, Known::Never) => Truth::Undecided,
            (Operator::Null, known) => {
                let wanted = if known == Known::Absent { "true" } else { "false" };
                Truth::of(self.values.iter().any(|value| value.eq_ignore_ascii_case(wanted)))
            }
            (Operator::Text { .. }, Known::Absent) if self.if_exists => Truth::Yes,
            (Operator::Text { negated, .. }, Known::Absent) => Truth::of(negated),
            (Operator::Text { negated, how }, Known::Is(found)) => {
                let fits = self.values.iter().any(|wanted| how.compares(wanted, &found));
                Truth::of(fits != negated)
            }
        }
    }

    /// Whether it restricts the callers to named ones. A policy for everyone with such a condition is not
    /// public (SEM-POLICY-10).
    pub(super) fn narrows(&self) -> bool {
        const KEYS: [&str; 8] = [
            "aws:sourcearn",
            "aws:sourceaccount",
            "aws:sourcevpc",
            "aws:sourcevpce",
            "aws:principalaccount",
            "aws:principalarn",
            "aws:principalorgid",
            "aws:userid",
        ];
        matches!(self.operator, Operator::Text { negated: false, .. })
            && !self.if_exists
            && !self.of_set
            && KEYS.contains(&self.key.as_str())
            && !self.values.is_empty()
            && !self.values.iter().any(|value| super::pattern::is_open(value))
    }
}

impl How {
    fn compares(self, wanted: &str, found: &str) -> bool {
        match self {
            Self::Equal => wanted == found,
            Self::EqualAnyCase => wanted.eq_ignore_ascii_case(found),
            Self::Pattern => fits(wanted, found),
            Self::Arn => {
                let (wanted, found) = (wanted.splitn(6, ':'), found.splitn(6, ':'));
                let parts: (Vec<&str>, Vec<&str>) = (wanted.collect(), found.collect());
                parts.0.len() == 6
                    && parts.1.len() == 6
                    && parts.0.iter().zip(&parts.1).all(|(wanted, found)| fits(wanted, found))
            }
        }
    }
}

/// What is known about a condition key of the request.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    Is(String),
    /// Known to be absent.
    Absent,
    /// Never known.
    Never,
}

fn known(key: &str, asked: &Asked<'_>) -> Known {
    let is = |text: &str| Known::Is(text.to_owned());
    for start in ["aws:resourcetag/", "secretsmanager:resourcetag/"] {
        if let Some(tag_key) = key.strip_prefix(start) {
            let tags = asked.record.tags.as_deref().unwrap_or_default();
            let tag = tags.iter().find(|tag| tag.key.to_ascii_lowercase() == tag_key);
            return tag.map_or(Known::Absent, |tag| is(&tag.value));
        }
    }
    match key {
        "aws:principalaccount" => is(&asked.caller.account),
        "aws:principalarn" => Known::Is(asked.caller_arn()),
        "aws:principaltype" => is("Account"),
        "aws:resourceaccount" => is(&asked.record.scope.account),
        "aws:requestedregion" => is(&asked.record.scope.region),
        // There is no TLS, and no AWS service calls on behalf of others.
        "aws:securetransport" | "aws:viaawsservice" | "aws:principalisawsservice" => is("false"),
        "aws:sourcevpc" | "aws:sourcevpce" | "aws:principalorgid" => Known::Absent,
        _ => Known::Never,
    }
}
