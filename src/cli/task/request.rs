//! Requests: the arguments of a subcommand, without the value of a `put`.

use crate::model::Scope;
use crate::model::name::{is_account, is_region};
use serde::{Deserialize, Serialize};

/// The account and region that names are looked up in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    account: String,
    region: String,
}

impl Place {
    /// The scope. An account or region that cannot be one finds nothing: whoever sends it gets the default
    /// scope, where no ARN of another place is known.
    pub(crate) fn scope(&self) -> Scope {
        if is_account(&self.account) && is_region(&self.region) {
            Scope::new(&self.account, &self.region)
        } else {
            Scope::default()
        }
    }
}

impl From<Scope> for Place {
    fn from(scope: Scope) -> Self {
        Self { account: scope.account.to_string(), region: scope.region.to_string() }
    }
}

/// What a command asks for, and in which form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// What to do.
    pub(crate) task: Task,
    /// Whether the answer is the AWS response.
    pub(crate) json: bool,
}

/// `put`, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Put {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) stages: Vec<String>,
    /// Always there, so that the same request can be made twice without making two versions.
    pub(crate) token: String,
    pub(crate) create: bool,
    pub(crate) is_binary: bool,
}

/// `get`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Get {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) stage: Option<String>,
}

/// `stage`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) to: Option<String>,
    pub(crate) from: Option<String>,
}

/// `rm`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rm {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) window: Option<i64>,
    pub(crate) now: bool,
}

/// One operation of the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Task {
    /// `put`; the value travels beside the request.
    Put(Put),
    /// Whether a `put` of this name can succeed, before its value is asked for.
    Find { place: Place, name: String, create: bool },
    /// `get`
    Get(Get),
    /// `ls`
    Ls { place: Place, prefix: String },
    /// `describe`
    Describe { place: Place, name: String },
    /// `versions`
    Versions { place: Place, name: String, all: bool },
    /// `stage`
    Stage(Stage),
    /// `rm`
    Rm(Rm),
    /// `restore`
    Restore { place: Place, name: String },
    /// `credentials new`
    NewCredential { account: String },
    /// `credentials ls`
    Credentials,
    /// `credentials revoke`
    Revoke { id: String },
    /// `events ls`
    Events,
    /// `events off`
    ForgetEvents,
    /// `check`
    Check { deep: bool },
}

impl Task {
    /// What it is called in a log.
    #[cfg(feature = "server")]
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::Find { .. } => "find",
            Self::Get(_) => "get",
            Self::Ls { .. } => "ls",
            Self::Describe { .. } => "describe",
            Self::Versions { .. } => "versions",
            Self::Stage(_) => "stage",
            Self::Rm(_) => "rm",
            Self::Restore { .. } => "restore",
            Self::NewCredential { .. } => "credentials-new",
            Self::Credentials => "credentials-ls",
            Self::Revoke { .. } => "credentials-revoke",
            Self::Events => "events-ls",
            Self::ForgetEvents => "events-off",
            Self::Check { .. } => "check",
        }
    }

    /// Whether it reads secrets and changes nothing but when they were read last.
    pub(crate) fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::Find { .. }
                | Self::Get(_)
                | Self::Ls { .. }
                | Self::Describe { .. }
                | Self::Versions { .. }
        )
    }

    /// Whether doing it twice is the same as doing it once (rule SOCK-8): it only reads, or its token names
    /// what it makes.
    pub(crate) fn can_be_repeated(&self) -> bool {
        match self {
            Self::Put(_)
            | Self::Find { .. }
            | Self::Get(_)
            | Self::Ls { .. }
            | Self::Describe { .. }
            | Self::Versions { .. }
            | Self::Credentials
            | Self::Events
            | Self::ForgetEvents
            | Self::Check { .. } => true,
            Self::Stage(_)
            | Self::Rm(_)
            | Self::Restore { .. }
            | Self::NewCredential { .. }
            | Self::Revoke { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The account of the key pairs is one that no request can name.
    #[test]
    fn a_place_that_cannot_be_is_the_default_one() {
        let place = |account: &str, region: &str| Place::from(Scope::new(account, region)).scope();
        assert_eq!(place("111122223333", "eu-west-1"), Scope::new("111122223333", "eu-west-1"));
        assert_eq!(place("strongroom", "credentials"), Scope::default());
        assert_eq!(place("111122223333", "credentials"), Scope::default());
    }
}
