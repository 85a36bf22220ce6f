//! A naive model of AWS Secrets Manager: the expected answer to every request, read off the
//! published behavior. Plain vectors and maps, no limits of rows or batches, and no code shared with
//! the crate: what both agree on, they agree on for different reasons.
//!
//! Where AWS's wording was never recorded the model gives no message, and only the exception's name
//! is compared.

use std::collections::BTreeMap;

pub const DAY: i64 = 86_400_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(Vec<u8>),
    Binary(Vec<u8>),
}

impl Value {
    fn member(&self) -> &'static str {
        match self {
            Self::Text(_) => "secretString",
            Self::Binary(_) => "secretBinary",
        }
    }
    fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// How a request names a secret; made into text by what the model knows of ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    Name(String),
    /// The complete ARN that the name has now (or had last).
    Arn(String),
    /// The ARN without its random end.
    Partial(String),
    /// The complete ARN with another end.
    WrongEnd(String),
    /// The name with the random end behind it.
    NameWithEnd(String),
    /// The complete ARN of that name in another region.
    Elsewhere(String),
}

impl Id {
    pub fn name(&self) -> &str {
        match self {
            Self::Name(n) | Self::Arn(n) | Self::Partial(n) | Self::WrongEnd(n) => n,
            Self::NameWithEnd(n) | Self::Elsewhere(n) => n,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Filter {
    pub key: &'static str,
    pub values: Vec<String>,
}

#[derive(Clone, Debug)]
pub enum Req {
    Create {
        name: String,
        token: Option<String>,
        value: Option<Value>,
        description: Option<String>,
        kms: Option<String>,
        tags: Option<Vec<(String, String)>>,
    },
    Put {
        id: Id,
        token: Option<String>,
        value: Option<Value>,
        stages: Option<Vec<String>>,
    },
    Update {
        id: Id,
        token: Option<String>,
        value: Option<Value>,
        description: Option<String>,
        kms: Option<String>,
    },
    Stage {
        id: Id,
        stage: String,
        from: Option<String>,
        to: Option<String>,
    },
    Delete {
        id: Id,
        window: Option<i64>,
        force: Option<bool>,
    },
    Restore {
        id: Id,
    },
    Tag {
        id: Id,
        tags: Vec<(String, String)>,
    },
    Untag {
        id: Id,
        keys: Vec<String>,
    },
    Get {
        id: Id,
        version: Option<String>,
        stage: Option<String>,
    },
    Describe {
        id: Id,
    },
    Versions {
        id: Id,
        deprecated: Option<bool>,
        page: Option<i64>,
    },
    List {
        planned: Option<bool>,
        page: Option<i64>,
        filters: Vec<Filter>,
        by_name: bool,
        descending: bool,
    },
    Policy {
        id: Id,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub arn: String,
    pub name: String,
    pub description: Option<String>,
    pub kms: Option<String>,
    pub created: i64,
    pub changed: i64,
    pub accessed: Option<i64>,
    pub deleted: Option<i64>,
    pub tags: Option<Vec<(String, String)>>,
    pub versions: Vec<(String, Vec<String>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    pub id: String,
    pub stages: Vec<String>,
    pub created: i64,
    pub accessed: Option<i64>,
    pub kms: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ans {
    Written {
        arn: String,
        name: String,
        version: Option<String>,
        stages: Vec<String>,
    },
    Named {
        arn: String,
        name: String,
    },
    /// `arn` is `None` where it is invented.
    Deleted {
        arn: Option<String>,
        name: String,
        date: i64,
    },
    Done,
    Value {
        arn: String,
        name: String,
        version: String,
        value: Value,
        stages: Vec<String>,
        created: i64,
    },
    Described(Described),
    Versions {
        arn: String,
        name: String,
        rows: Vec<VersionRow>,
    },
    Secrets(Vec<Described>),
    /// `message` is `None` where AWS's text is not known.
    Refused {
        kind: String,
        message: Option<String>,
    },
}

impl Ans {
    /// Whether `self`, an expectation, is met.
    pub fn met_by(&self, seen: &Self) -> bool {
        match (self, seen) {
            (Self::Refused { kind, message: None }, Self::Refused { kind: other, .. }) => {
                kind == other
            }
            (
                Self::Deleted { arn: None, name, date },
                Self::Deleted { name: other_name, date: other_date, .. },
            ) => name == other_name && date == other_date,
            _ => self == seen,
        }
    }
}

/// What the vault may choose freely, read off its answer: the end of a new ARN, a fresh version id.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    pub suffix: Option<String>,
    pub version: Option<String>,
}

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
    /// Set when it was made without a value.
    creation_token: Option<String>,
    versions: Vec<Version>,
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct Model {
    secrets: Vec<Secret>,
    /// The last end that each region and name had.
    ends: BTreeMap<(String, String), String>,
    pub account: String,
    pub wall: i64,
    pub age: i64,
}

type Tagged = (&'static str, Ans);

fn refuse(tag: &'static str, kind: &str, message: Option<String>) -> Tagged {
    (tag, Ans::Refused { kind: format!("{kind}Exception"), message })
}

fn e1() -> Tagged {
    let text = "Secrets Manager can't find the specified secret.";
    refuse("E1 no secret", "ResourceNotFound", Some(text.into()))
}

fn e3(version: &str) -> Tagged {
    let text =
        format!("Secrets Manager can't find the specified secret value for VersionId: {version}");
    refuse("E3 no version", "ResourceNotFound", Some(text))
}

fn e5() -> Tagged {
    let text = "You can't perform this operation on the secret because it was marked for deletion.";
    refuse("E5 scheduled", "InvalidRequest", Some(text.into()))
}

fn e9(token: &str, arn: &str) -> Tagged {
    let text = format!(
        "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
    );
    refuse("E9 token in use", "ResourceExists", Some(text))
}

fn e12() -> Tagged {
    let text = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    refuse("E12 bad name", "Validation", Some(text.into()))
}

fn too_many_labels() -> Tagged {
    refuse("E38 labels", "LimitExceeded", None)
}

/// All broken constraints of a request in one refusal.
fn constraints(items: impl IntoIterator<Item = Option<String>>) -> Result<(), Tagged> {
    let items: Vec<String> = items.into_iter().flatten().collect();
    if items.is_empty() {
        return Ok(());
    }
    let plural = if items.len() == 1 { "" } else { "s" };
    let text = format!("{} validation error{plural} detected: {}", items.len(), items.join("; "));
    // What the front end says of lists of labels was never recorded.
    let message = (!text.contains(UNRECORDED)).then_some(text);
    Err(refuse("E27 constraint", "Validation", message))
}

const UNRECORDED: &str = "not recorded";

/// A length rule that `text` breaks, if any.
fn length(path: &str, text: &str, min: usize, max: usize) -> Option<String> {
    let chars = text.chars().count();
    let rule = if chars < min {
        format!("greater than or equal to {min}")
    } else if chars > max {
        format!("less than or equal to {max}")
    } else {
        return None;
    };
    Some(format!(
        "Value '{text}' at '{path}' failed to satisfy constraint: Member must have length {rule}"
    ))
}

fn value_length(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let rule = match value.len() {
        0 => "greater than or equal to 1",
        65_537.. => "less than or equal to 65536",
        _ => return None,
    };
    Some(format!(
        "Value at '{}' failed to satisfy constraint: Member must have length {rule}",
        value.member()
    ))
}

fn page_range(page: Option<i64>) -> Option<String> {
    let page = page?;
    let rule = match page {
        ..1 => "greater than or equal to 1",
        101.. => "less than or equal to 100",
        _ => return None,
    };
    Some(format!(
        "Value '{page}' at 'maxResults' failed to satisfy constraint: Member must have value {rule}"
    ))
}

fn stage_list(stages: Option<&[String]>) -> Option<String> {
    let stages = stages?;
    let bad = stages.is_empty()
        || stages.len() > 20
        || stages.iter().any(|stage| !(1..=256).contains(&stage.chars().count()));
    bad.then(|| UNRECORDED.into())
}

fn name_is_legal(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c))
}

impl Secret {
    fn arn(&self, account: &str) -> String {
        arn(&self.region, account, &self.name, &self.suffix)
    }

    fn stages_of(&self, version: &str) -> Vec<String> {
        let on = self.labels.iter().filter(|(_, holder)| *holder == version);
        on.map(|(label, _)| label.clone()).collect()
    }

    fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// AWSCURRENT goes to `to`, AWSPREVIOUS to whoever had it.
    fn promote(&mut self, to: &str) {
        let from = self.labels.insert("AWSCURRENT".into(), to.into());
        if let Some(from) = from.filter(|from| from != to) {
            self.labels.insert("AWSPREVIOUS".into(), from);
        }
        // No version is both.
        if self.labels.get("AWSPREVIOUS").is_some_and(|holder| holder == to) {
            self.labels.remove("AWSPREVIOUS");
        }
    }

    fn described(&self, account: &str) -> Described {
        let labelled = self.versions.iter().map(|v| (v.id.clone(), self.stages_of(&v.id)));
        Described {
            arn: self.arn(account),
            name: self.name.clone(),
            description: self.description.clone(),
            kms: self.kms.clone(),
            created: self.created,
            changed: self.changed,
            accessed: self.accessed,
            deleted: self.deletion.map(|(stamp, _, _)| stamp),
            tags: self.tags.clone(),
            versions: labelled.filter(|(_, stages)| !stages.is_empty()).collect(),
        }
    }
}

fn arn(region: &str, account: &str, name: &str, suffix: &str) -> String {
    format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{suffix}")
}

/// Whether text ends in a hyphen and six letters or digits.
fn has_end(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7
        && bytes[bytes.len() - 7] == b'-'
        && bytes[bytes.len() - 6..].iter().all(u8::is_ascii_alphanumeric)
}

impl Model {
    pub fn new(account: &str, wall: i64) -> Self {
        Self { secrets: Vec::new(), ends: BTreeMap::new(), account: account.into(), wall, age: 0 }
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

    /// The place of the secret that a `SecretId` means, or why there is none.
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

    /// The secret that a writing or reading operation works on: there, and not scheduled.
    fn open(&self, region: &str, id: &Id) -> Result<usize, Tagged> {
        let at = self.find(region, &self.text_of(region, id))?.ok_or_else(e1)?;
        if self.secrets[at].deletion.is_some() { Err(e5()) } else { Ok(at) }
    }

    fn stamp(&self, at: usize) -> i64 {
        self.wall.max(self.secrets[at].changed)
    }

    /// Answers a request and takes its effect: an outcome's name for the table, and the answer.
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
            Req::Policy { id } => self.open(region, id).map(|at| {
                let secret = &self.secrets[at];
                let arn = secret.arn(&self.account);
                ("ok none", Ans::Named { arn, name: secret.name.clone() })
            }),
        };
        result.unwrap_or_else(|refusal| refusal)
    }

    fn new_version(&mut self, at: usize, id: &str, value: &Value, stamp: i64) {
        let (created, created_age) = (stamp, self.age);
        self.secrets[at].versions.push(Version {
            id: id.into(),
            value: value.clone(),
            created,
            created_age,
            accessed: None,
        });
    }

    fn written(&self, at: usize, version: Option<&str>, stages: bool) -> Ans {
        let secret = &self.secrets[at];
        let listed = version.filter(|_| stages).map(|version| secret.stages_of(version));
        Ans::Written {
            arn: secret.arn(&self.account),
            name: secret.name.clone(),
            version: version.map(Into::into),
            stages: listed.unwrap_or_default(),
        }
    }

    fn create(&mut self, region: &str, request: &Req, chosen: &Chosen) -> Result<Tagged, Tagged> {
        let Req::Create { name, token, value, description, kms, tags } = request else {
            unreachable!()
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        constraints([
            length("name", name, 1, 512),
            token.as_ref().and_then(|token| length("clientRequestToken", token, 32, 64)),
            value_length(value.as_ref()),
            length("description", &text(description), 0, 2048),
            length("kmsKeyId", &text(kms), 0, 2048),
        ])?;
        if !name_is_legal(name) {
            return Err(e12());
        }
        let taken = self.secrets.iter().position(|s| s.region == region && s.name == *name);
        if let Some(at) = taken {
            let secret = &self.secrets[at];
            if secret.deletion.is_some() {
                let text = "You can't create this secret because a secret with this name is already scheduled for deletion.";
                return Err(refuse("E7 name scheduled", "InvalidRequest", Some(text.into())));
            }
            let token = token.as_deref().unwrap_or_default();
            if let (Some(version), Some(value)) = (secret.version(token), value) {
                if version.value == *value {
                    return Ok(("ok replay", self.written(at, Some(token), false)));
                }
                return Err(e9(token, &secret.arn(&self.account)));
            }
            if value.is_none() && secret.creation_token.as_deref() == Some(token) {
                return Ok(("ok replay no value", self.written(at, None, false)));
            }
            let text = format!("The operation failed because the secret {name} already exists.");
            return Err(refuse("E8 name taken", "ResourceExists", Some(text)));
        }
        let suffix = chosen.suffix.clone().unwrap_or_default();
        self.ends.insert((region.into(), name.clone()), suffix.clone());
        self.secrets.push(Secret {
            region: region.into(),
            name: name.clone(),
            suffix,
            description: description.clone().filter(|text| !text.is_empty()),
            kms: kms.clone().filter(|text| !text.is_empty()),
            created: self.wall,
            changed: self.wall,
            accessed: None,
            tags: tags.clone(),
            deletion: None,
            creation_token: token.clone().filter(|_| value.is_none()),
            versions: Vec::new(),
            labels: BTreeMap::new(),
        });
        let at = self.secrets.len() - 1;
        let Some(value) = value else { return Ok(("ok no value", self.written(at, None, false))) };
        let id = token.clone().or_else(|| chosen.version.clone()).unwrap_or_default();
        self.new_version(at, &id, value, self.wall);
        self.secrets[at].promote(&id);
        Ok(("ok", self.written(at, Some(&id), false)))
    }

    fn put(&mut self, region: &str, request: &Req, chosen: &Chosen) -> Result<Tagged, Tagged> {
        let Req::Put { id, token, value, stages } = request else { unreachable!() };
        constraints([
            length("secretId", &self.text_of(region, id), 1, 2048),
            token.as_ref().and_then(|token| length("clientRequestToken", token, 32, 64)),
            value_length(value.as_ref()),
            stage_list(stages.as_deref()),
        ])?;
        let at = self.open(region, id)?;
        let Some(value) = value else {
            let text = "You must provide either SecretString or SecretBinary.";
            return Err(refuse("E11 no value", "InvalidRequest", Some(text.into())));
        };
        if let Some(old) = token.as_ref().and_then(|token| self.secrets[at].version(token)) {
            if old.value == *value {
                let id = old.id.clone();
                return Ok(("ok replay", self.written(at, Some(&id), true)));
            }
            return Err(e9(&old.id, &self.secrets[at].arn(&self.account)));
        }
        let new = token.clone().or_else(|| chosen.version.clone()).unwrap_or_default();
        let mut after = self.secrets[at].clone();
        let first = after.versions.is_empty();
        let tag = match stages {
            None => {
                after.promote(&new);
                after.labels.remove("AWSPENDING");
                if first { "ok first" } else { "ok" }
            }
            Some(stages) => {
                let others = stages.iter().filter(|stage| *stage != "AWSCURRENT");
                for stage in others {
                    after.labels.insert(stage.clone(), new.clone());
                }
                let current = stages.iter().any(|stage| stage == "AWSCURRENT");
                if current || first {
                    after.promote(&new);
                }
                match (first, current) {
                    (true, _) => "ok first, stages",
                    (false, true) => "ok stages with AWSCURRENT",
                    (false, false) => "ok stages",
                }
            }
        };
        if after.labels.len() > 20 {
            return Err(too_many_labels());
        }
        after.changed = self.stamp(at);
        let stamp = after.changed;
        self.secrets[at] = after;
        self.new_version(at, &new, value, stamp);
        Ok((tag, self.written(at, Some(&new), true)))
    }

    fn update(&mut self, region: &str, request: &Req, chosen: &Chosen) -> Result<Tagged, Tagged> {
        let Req::Update { id, token, value, description, kms } = request else { unreachable!() };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        constraints([
            length("secretId", &self.text_of(region, id), 1, 2048),
            token.as_ref().and_then(|token| length("clientRequestToken", token, 32, 64)),
            value_length(value.as_ref()),
            length("description", &text(description), 0, 2048),
            length("kmsKeyId", &text(kms), 0, 2048),
        ])?;
        let at = self.open(region, id)?;
        let matched = token.as_ref().and_then(|token| self.secrets[at].version(token));
        if let (Some(value), Some(old)) = (value, matched) {
            if old.value == *value {
                let id = old.id.clone();
                return Ok(("ok replay", self.written(at, Some(&id), false)));
            }
            return Err(e9(&old.id, &self.secrets[at].arn(&self.account)));
        }
        if description.is_none() && kms.is_none() && value.is_none() {
            return Ok(("ok nothing", self.written(at, None, false)));
        }
        let mut after = self.secrets[at].clone();
        if let Some(text) = description {
            after.description = Some(text.clone()).filter(|text| !text.is_empty());
        }
        if let Some(text) = kms {
            after.kms = Some(text.clone()).filter(|text| !text.is_empty());
        }
        let new = token.clone().or_else(|| chosen.version.clone()).unwrap_or_default();
        if value.is_some() {
            after.promote(&new);
            after.labels.remove("AWSPENDING");
            if after.labels.len() > 20 {
                return Err(too_many_labels());
            }
        }
        after.changed = self.stamp(at);
        let stamp = after.changed;
        self.secrets[at] = after;
        let Some(value) = value else {
            return Ok(("ok metadata", self.written(at, None, false)));
        };
        self.new_version(at, &new, value, stamp);
        Ok(("ok value", self.written(at, Some(&new), false)))
    }

    fn stage(
        &mut self,
        region: &str,
        id: &Id,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Tagged, Tagged> {
        constraints([
            length("secretId", &self.text_of(region, id), 1, 2048),
            length("versionStage", label, 1, 256),
            from.and_then(|id| length("removeFromVersionId", id, 32, 64)),
            to.and_then(|id| length("moveToVersionId", id, 32, 64)),
        ])?;
        let at = self.open(region, id)?;
        let stamp = self.stamp(at);
        let secret = &mut self.secrets[at];
        if from.is_none() && to.is_none() {
            return Err(refuse("neither", "InvalidParameter", None));
        }
        let named = Ans::Named { arn: secret.arn(&self.account), name: secret.name.clone() };
        let current = label == "AWSCURRENT";
        if current && to.is_none() {
            let text = "You can only move staging label AWSCURRENT to a different secret version. It can\u{2019}t be completely removed.";
            return Err(refuse("E14 current removed", "InvalidParameter", Some(text.into())));
        }
        if let Some(unknown) =
            [from, to].into_iter().flatten().find(|id| secret.version(id).is_none())
        {
            return Err(e3(unknown));
        }
        let holder = secret.labels.get(label).cloned();
        let tag = match (from, to) {
            (None, Some(to)) => match holder {
                None => {
                    if secret.labels.len() == 20 {
                        return Err(too_many_labels());
                    }
                    secret.labels.insert(label.into(), to.into());
                    "ok attached"
                }
                Some(holder) if holder == to => return Ok(("ok already there", named)),
                Some(holder) => {
                    let text = format!(
                        "The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                    );
                    return Err(refuse("E13 from missing", "InvalidParameter", Some(text)));
                }
            },
            (Some(from), Some(to)) => {
                if holder.as_deref() != Some(from) {
                    return Err(refuse("from is not the holder", "InvalidParameter", None));
                }
                if from == to {
                    return Ok(("ok already there", named));
                }
                if current {
                    let mut after = secret.clone();
                    after.promote(to);
                    if after.labels.len() > 20 {
                        return Err(too_many_labels());
                    }
                    secret.labels = after.labels;
                    "ok moved AWSCURRENT"
                } else {
                    secret.labels.insert(label.into(), to.into());
                    "ok moved"
                }
            }
            (Some(from), None) => {
                if holder.as_deref() != Some(from) {
                    return Err(refuse("from is not the holder", "InvalidParameter", None));
                }
                secret.labels.remove(label);
                "ok removed"
            }
            (None, None) => unreachable!(),
        };
        secret.changed = stamp;
        Ok((tag, named))
    }

    fn delete(
        &mut self,
        region: &str,
        id: &Id,
        window: Option<i64>,
        force: Option<bool>,
    ) -> Result<Tagged, Tagged> {
        let force = force.unwrap_or(false);
        let text = self.text_of(region, id);
        let found = self.find(region, &text)?;
        if force && window.is_some() {
            let text = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.";
            return Err(refuse("E33 both", "InvalidParameter", Some(text.into())));
        }
        let Some(at) = found else {
            if !force {
                return Err(e1());
            }
            // An ARN that is nobody's is answered with the name in it, its end cut off.
            let name = match text.split_once(":secret:") {
                Some((_, name)) if has_end(name) => name[..name.len() - 7].to_owned(),
                Some((_, name)) => name.to_owned(),
                None => text,
            };
            return Ok(("ok forced, unknown", Ans::Deleted { arn: None, name, date: self.wall }));
        };
        let stamp = self.stamp(at);
        let arn = Some(self.secrets[at].arn(&self.account));
        let name = self.secrets[at].name.clone();
        if force {
            let secret = self.secrets.remove(at);
            let tag = if secret.deletion.is_some() { "ok forced, scheduled" } else { "ok forced" };
            return Ok((tag, Ans::Deleted { arn, name, date: stamp }));
        }
        if self.secrets[at].deletion.is_some() {
            let text = "You can't perform this operation on the secret because it was already scheduled for deletion.";
            return Err(refuse("E31 twice", "InvalidRequest", Some(text.into())));
        }
        if window.is_some_and(|days| !(7..=30).contains(&days)) {
            let text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
            return Err(refuse("E32 window", "InvalidParameter", Some(text.into())));
        }
        let days = window.unwrap_or(30);
        self.secrets[at].deletion = Some((stamp, self.age, days));
        self.secrets[at].changed = stamp;
        Ok(("ok scheduled", Ans::Deleted { arn, name, date: stamp + days * DAY }))
    }

    fn restore(&mut self, region: &str, id: &Id) -> Result<Tagged, Tagged> {
        let at = self.find(region, &self.text_of(region, id))?.ok_or_else(e1)?;
        let stamp = self.stamp(at);
        let secret = &mut self.secrets[at];
        let named = Ans::Named { arn: secret.arn(&self.account), name: secret.name.clone() };
        if secret.deletion.take().is_none() {
            return Ok(("ok was active", named));
        }
        secret.changed = stamp;
        Ok(("ok", named))
    }

    fn tag(&mut self, region: &str, id: &Id, new: &[(String, String)]) -> Result<Tagged, Tagged> {
        let at = self.open(region, id)?;
        let stamp = self.stamp(at);
        let mut tags = self.secrets[at].tags.clone().unwrap_or_default();
        for (key, value) in new {
            match tags.iter_mut().find(|(old, _)| old == key) {
                Some(tag) => tag.1.clone_from(value),
                None => tags.push((key.clone(), value.clone())),
            }
        }
        self.secrets[at].tags = Some(tags);
        self.secrets[at].changed = stamp;
        Ok(("ok", Ans::Done))
    }

    fn untag(&mut self, region: &str, id: &Id, keys: &[String]) -> Result<Tagged, Tagged> {
        let at = self.open(region, id)?;
        let stamp = self.stamp(at);
        let Some(tags) = &mut self.secrets[at].tags else {
            return Ok(("ok nothing", Ans::Done));
        };
        let before = tags.len();
        tags.retain(|(key, _)| !keys.contains(key));
        if tags.len() == before {
            return Ok(("ok nothing", Ans::Done));
        }
        self.secrets[at].changed = stamp;
        Ok(("ok", Ans::Done))
    }

    fn get(
        &mut self,
        region: &str,
        id: &Id,
        version: Option<&str>,
        stage: Option<&str>,
    ) -> Result<Tagged, Tagged> {
        constraints([
            length("secretId", &self.text_of(region, id), 1, 2048),
            version.and_then(|id| length("versionId", id, 32, 64)),
            stage.and_then(|label| length("versionStage", label, 1, 256)),
        ])?;
        let at = self.open(region, id)?;
        let today = self.wall.div_euclid(DAY) * DAY;
        let account = self.account.clone();
        let secret = &mut self.secrets[at];
        let (tag, wanted) = if let Some(version) = version {
            if secret.version(version).is_none() {
                return Err(e3(version));
            }
            let stages = secret.stages_of(version);
            if stage.is_some_and(|stage| !stages.iter().any(|label| label == stage)) {
                let text =
                    "You provided a VersionStage that is not associated to the provided VersionId.";
                return Err(refuse("E4 stage elsewhere", "InvalidRequest", Some(text.into())));
            }
            let tag = match (stages.is_empty(), stage) {
                (true, _) => "ok deprecated",
                (false, None) => "ok by version",
                (false, Some(_)) => "ok by both",
            };
            (tag, version.to_owned())
        } else {
            let label = stage.unwrap_or("AWSCURRENT");
            let Some(holder) = secret.labels.get(label) else {
                let text = format!(
                    "Secrets Manager can't find the specified secret value for staging label: {label}"
                );
                return Err(refuse("E2 no label", "ResourceNotFound", Some(text)));
            };
            let tag = if stage.is_some() { "ok by stage" } else { "ok" };
            (tag, holder.clone())
        };
        let stages = secret.stages_of(&wanted);
        let (arn, name) = (secret.arn(&account), secret.name.clone());
        secret.accessed = secret.accessed.max(Some(today));
        let version = secret.versions.iter_mut().find(|version| version.id == wanted).unwrap();
        version.accessed = version.accessed.max(Some(today));
        let (value, created) = (version.value.clone(), version.created);
        Ok((tag, Ans::Value { arn, name, version: wanted, value, stages, created }))
    }

    fn describe(&self, region: &str, id: &Id) -> Result<Tagged, Tagged> {
        let at = self.find(region, &self.text_of(region, id))?.ok_or_else(e1)?;
        let tag = if self.secrets[at].deletion.is_some() { "ok scheduled" } else { "ok" };
        Ok((tag, Ans::Described(self.secrets[at].described(&self.account))))
    }

    fn versions(
        &self,
        region: &str,
        id: &Id,
        deprecated: bool,
        page: Option<i64>,
    ) -> Result<Tagged, Tagged> {
        constraints([length("secretId", &self.text_of(region, id), 1, 2048), page_range(page)])?;
        let at = self.find(region, &self.text_of(region, id))?.ok_or_else(e1)?;
        let secret = &self.secrets[at];
        let kms = secret.kms.clone().unwrap_or_else(|| "DefaultEncryptionKey".into());
        let rows = secret.versions.iter().map(|version| VersionRow {
            id: version.id.clone(),
            stages: secret.stages_of(&version.id),
            created: version.created,
            accessed: version.accessed,
            kms: vec![kms.clone()],
        });
        let rows = rows.filter(|row| deprecated || !row.stages.is_empty()).collect();
        let tag = match (secret.deletion.is_some(), deprecated, page) {
            (true, _, _) => "ok scheduled",
            (false, true, _) => "ok deprecated",
            (false, false, Some(_)) => "ok paged",
            (false, false, None) => "ok",
        };
        Ok((tag, Ans::Versions { arn: secret.arn(&self.account), name: secret.name.clone(), rows }))
    }

    fn list(
        &self,
        region: &str,
        planned: bool,
        page: Option<i64>,
        filters: &[Filter],
        (by_name, descending): (bool, bool),
    ) -> Result<Tagged, Tagged> {
        constraints([page_range(page)])?;
        let mut listed: Vec<&Secret> = self
            .secrets
            .iter()
            .filter(|secret| secret.region == region)
            .filter(|secret| planned || secret.deletion.is_none())
            .filter(|secret| filters.iter().all(|filter| selected(secret, filter)))
            .collect();
        if by_name {
            listed.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if descending {
            listed.reverse();
        }
        let tag = match (filters.is_empty(), page, by_name || descending) {
            (false, _, _) => "ok filtered",
            (true, Some(_), _) => "ok paged",
            (true, None, true) => "ok sorted",
            (true, None, false) => "ok",
        };
        let listed = listed.iter().map(|secret| secret.described(&self.account)).collect();
        Ok((tag, Ans::Secrets(listed)))
    }

    /// One pass of the pruner: what was removed.
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

fn selected(secret: &Secret, filter: &Filter) -> bool {
    let tags = secret.tags.as_deref().unwrap_or_default();
    let selects = |prefix: &str| match filter.key {
        "name" => secret.name.starts_with(prefix),
        "tag-key" => tags.iter().any(|(key, _)| key.starts_with(prefix)),
        "tag-value" => tags.iter().any(|(_, value)| value.starts_with(prefix)),
        other => panic!("the generator makes no filter {other}"),
    };
    filter.values.iter().any(|value| match value.strip_prefix('!') {
        Some(unwanted) => !selects(unwanted),
        None => selects(value),
    })
}
