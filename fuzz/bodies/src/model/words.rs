//! The requests and answers of the model.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(Vec<u8>),
    Binary(Vec<u8>),
}

impl Value {
    pub(super) fn member(&self) -> &'static str {
        match self {
            Self::Text(_) => "secretString",
            Self::Binary(_) => "secretBinary",
        }
    }
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// How a request names a secret. The model turns it into text, because it knows the ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    Name(String),
    /// The current (or last) complete ARN of the name.
    Arn(String),
    /// The ARN without its random suffix.
    Partial(String),
    /// The complete ARN with another suffix.
    WrongEnd(String),
    /// The name followed by the random suffix.
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
    PutPolicy {
        id: Id,
        policy: PolicyText,
        /// `BlockPublicPolicy`
        block: bool,
    },
    DeletePolicy {
        id: Id,
    },
    /// `BatchGetSecretValue` by ids.
    Batch {
        ids: Vec<Id>,
    },
}

/// A policy whose outcome the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyText {
    /// Lets another account read. The number changes its text.
    Fine(u8),
    /// Lets everyone read.
    Open,
    /// Not JSON.
    Broken,
}

impl PolicyText {
    /// In the layout in which a policy is read back (SEM-POLICY-1).
    pub fn text(self) -> String {
        let (sid, who) = match self {
            Self::Fine(number) => (
                format!("\n    \"Sid\" : \"s{number}\","),
                "{\n      \"AWS\" : \"arn:aws:iam::999988887777:root\"\n    }",
            ),
            Self::Open => (String::new(), "\"*\""),
            Self::Broken => return "{\"Statement\":".into(),
        };
        format!(
            "{{\n  \"Version\" : \"2012-10-17\",\n  \"Statement\" : [ {{{sid}\n    \"Effect\" : \"Allow\",\n    \
             \"Principal\" : {who},\n    \"Action\" : \"secretsmanager:GetSecretValue\",\n    \
             \"Resource\" : \"*\"\n  }} ]\n}}"
        )
    }
}

impl Req {
    /// The name of the secret, if the request is about one.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Create { name, .. } => Some(name),
            Self::Put { id, .. }
            | Self::Update { id, .. }
            | Self::Stage { id, .. }
            | Self::Delete { id, .. }
            | Self::Restore { id }
            | Self::Tag { id, .. }
            | Self::Untag { id, .. }
            | Self::Get { id, .. }
            | Self::Describe { id }
            | Self::Versions { id, .. }
            | Self::Policy { id }
            | Self::PutPolicy { id, .. }
            | Self::DeletePolicy { id } => Some(id.name()),
            Self::List { .. } | Self::Batch { .. } => None,
        }
    }
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
    Policy {
        arn: String,
        name: String,
        policy: Option<String>,
    },
    /// The values read, and the exception and text for each refused id.
    Batch {
        values: Vec<Ans>,
        errors: Vec<(String, String, String)>,
    },
    /// `message` is `None` where AWS's text is not known.
    Refused {
        kind: String,
        message: Option<String>,
    },
}

impl Ans {
    /// Whether an answer meets `self`, the expected one.
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

/// The free choices of the vault, taken from its answer: the suffix of a new ARN, a new version id.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    pub suffix: Option<String>,
    pub version: Option<String>,
}
