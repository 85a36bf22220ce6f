//! A naive model of AWS Secrets Manager: the expected answer to every request, taken from the published
//! behavior. It uses plain vectors and maps, has no limits of rows or batches, and shares no code with
//! `semantics`, so the two are independent. Only `drive` knows the vault; it sends the model's requests.
//!
//! Where AWS's wording was never recorded, the model gives no message, and only the exception's name is
//! compared.

// Its requests and answers are described where AWS describes them, and a refusal is an answer.
#![allow(missing_docs, clippy::result_large_err)]

mod change;
pub mod drive;
mod look;
mod policy;
mod read;
mod refusals;
mod secret;
mod words;
mod write;

pub use words::{Ans, Chosen, Described, Filter, Id, PolicyText, Req, Value, VersionRow};

use refusals::{constraints, e1, e5, e12, length, name_is_legal};
use secret::{arn, has_end};
use std::collections::BTreeMap;

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;

#[derive(Clone, Debug)]
struct Version {
    id: String,
    value: Value,
    created: i64,
    created_age: i64,
    accessed: Option<i64>,
}

#[derive(Clone, Debug)]
struct Secret {
    region: String,
    name: String,
    suffix: String,
    description: Option<String>,
    kms: Option<String>,
    created: i64,
    changed: i64,
    accessed: Option<i64>,
    tags: Option<Vec<(String, String)>>,
    /// Stamp, age and window.
    deletion: Option<(i64, i64, i64)>,
    /// Set if it was created without a value.
    creation_token: Option<String>,
    versions: Vec<Version>,
    labels: BTreeMap<String, String>,
    policy: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Model {
    secrets: Vec<Secret>,
    /// The last ARN suffix of each region and name.
    ends: BTreeMap<(String, String), String>,
    pub account: String,
    pub wall: i64,
    pub age: i64,
}

/// An outcome's name for a table, and the answer.
type Tagged = (&'static str, Ans);

impl Model {
    pub fn new(account: &str, wall: i64) -> Self {
        Self {
            secrets: Vec::new(),
            ends: BTreeMap::new(),
            account: account.into(),
            wall,
            age: wall,
        }
    }

    /// The `SecretId` that a request in `region` carries.
    pub fn text_of(&self, region: &str, id: &Id) -> String {
        let end_in = |region: &str, name: &str| {
            let end = self.ends.get(&(region.to_owned(), name.to_owned()));
            end.cloned().unwrap_or_else(|| "zzzzzz".into())
        };
        let full =
            |region: &str, name: &str| arn(region, &self.account, name, &end_in(region, name));
        match id {
            Id::Name(name) => name.clone(),
            Id::Arn(name) => full(region, name),
            Id::Partial(name) => {
                let full = full(region, name);
                full[..full.len() - 7].to_owned()
            }
            Id::WrongEnd(name) => {
                let other = if end_in(region, name) == "QQQQQQ" { "PPPPPP" } else { "QQQQQQ" };
                arn(region, &self.account, name, other)
            }
            Id::NameWithEnd(name) => format!("{name}-{}", end_in(region, name)),
            Id::Elsewhere(name) => full("ap-south-1", name),
        }
    }

    /// The index of the secret that a `SecretId` names, or why there is none.
    fn find(&self, region: &str, text: &str) -> Result<Option<usize>, Tagged> {
        constraints([length("secretId", text, 1, 2048)])?;
        let by_name = |name: &str| {
            self.secrets.iter().position(|secret| secret.region == region && secret.name == name)
        };
        let Some(_) = text.strip_prefix("arn:") else {
            return if name_is_legal(text) { Ok(by_name(text)) } else { Err(e12()) };
        };
        if has_end(text) {
            return Ok(self
                .secrets
                .iter()
                .position(|secret| secret.region == region && secret.arn(&self.account) == text));
        }
        let front = format!("arn:aws:secretsmanager:{region}:{}:secret:", self.account);
        Ok(text.strip_prefix(front.as_str()).and_then(by_name))
    }

    /// The secret of a writing or reading operation: it exists and is not scheduled for deletion.
    fn open(&self, region: &str, id: &Id) -> Result<usize, Tagged> {
        let at = self.find(region, &self.text_of(region, id))?.ok_or_else(e1)?;
        if self.secrets[at].deletion.is_some() { Err(e5()) } else { Ok(at) }
    }

    fn stamp(&self, at: usize) -> i64 {
        let not_before = |earlier: i64| {
            let present = self.wall.max(self.age);
            // A wrong clock recorded it (SEM-DATE-7).
            if earlier > present + DAY { present } else { self.wall.max(earlier) }
        };
        let secret = &self.secrets[at];
        not_before(secret.changed).max(not_before(secret.created))
    }

    /// Executes a request. Returns the outcome's name for the table, and the answer.
    pub fn apply(&mut self, region: &str, request: &Req, chosen: &Chosen) -> Tagged {
        let result = match request {
            Req::Create { .. } => self.create(region, request, chosen),
            Req::Put { .. } => self.put(region, request, chosen),
            Req::Update { .. } => self.update(region, request, chosen),
            Req::Stage { id, stage, from, to } => {
                self.stage(region, id, stage, from.as_deref(), to.as_deref())
            }
            Req::Delete { id, window, force } => self.delete(region, id, *window, *force),
            Req::Restore { id } => self.restore(region, id),
            Req::Tag { id, tags } => self.tag(region, id, tags),
            Req::Untag { id, keys } => self.untag(region, id, keys),
            Req::Get { id, version, stage } => {
                self.get(region, id, version.as_deref(), stage.as_deref())
            }
            Req::Describe { id } => self.describe(region, id),
            Req::Versions { id, deprecated, page } => {
                self.versions(region, id, deprecated.unwrap_or(false), *page)
            }
            Req::List { planned, page, filters, by_name, descending } => {
                let planned = planned.unwrap_or(false);
                self.list(region, planned, *page, filters, (*by_name, *descending))
            }
            Req::Policy { id } => self.policy(region, id),
            Req::PutPolicy { id, policy, block } => self.put_policy(region, id, *policy, *block),
            Req::DeletePolicy { id } => self.delete_policy(region, id),
            Req::Batch { ids } => Ok(self.batch(region, ids)),
        };
        result.unwrap_or_else(|refusal| refusal)
    }

    /// One pass of the pruner. Returns what was removed.
    pub fn maintain(&mut self) -> (usize, usize) {
        let (age, mut pruned, before) = (self.age, 0, self.secrets.len());
        self.secrets.retain(|secret| {
            secret.deletion.is_none_or(|(_, since, days)| age - since < days * DAY)
        });
        for secret in &mut self.secrets {
            while secret.versions.len() > 100 {
                let oldest = secret.versions.iter().position(|version| {
                    age - version.created_age >= DAY && secret.stages_of(&version.id).is_empty()
                });
                let Some(oldest) = oldest else { break };
                secret.versions.remove(oldest);
                pruned += 1;
            }
        }
        (pruned, before - self.secrets.len())
    }

    /// Names of the secrets of a region, in order of creation.
    pub fn names(&self, region: &str) -> Vec<String> {
        let here = self.secrets.iter().filter(|secret| secret.region == region);
        here.map(|secret| secret.name.clone()).collect()
    }

    /// All version ids of a secret.
    pub fn version_ids(&self, region: &str, name: &str) -> Vec<String> {
        let here = self.secrets.iter().filter(|s| s.region == region && s.name == name);
        here.flat_map(|secret| secret.versions.iter().map(|version| version.id.clone())).collect()
    }

    pub fn is_scheduled(&self, region: &str, name: &str) -> bool {
        let mut here = self.secrets.iter().filter(|s| s.region == region && s.name == name);
        here.any(|secret| secret.deletion.is_some())
    }
}
