//! Resource policies as they are stored: texts under names. `semantics` interprets them.

use std::collections::BTreeMap;

/// The policies attached to a secret, each kept byte for byte as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// The one that users attach. AWS calls it `default`; it has no name here, so that none of the
    /// others can have its name.
    pub default: Option<String>,
    /// Those that AWS attaches for features of its own (reserved), by name.
    pub named: BTreeMap<String, String>,
}

impl Policies {
    /// What AWS calls the policy that users attach.
    pub const DEFAULT: &'static str = "default";
    /// What AWS calls the policy of a replica that was made for a primary in another account.
    pub const CROSS_ACCOUNT: &'static str = "cross-account-replication";

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.default.is_none() && self.named.is_empty()
    }

    /// The text of one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        match name {
            Self::DEFAULT => self.default.as_deref(),
            name => self.named.get(name).map(String::as_str),
        }
    }

    /// The names of all, `default` first, the others in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let default = self.default.as_ref().map(|_| Self::DEFAULT);
        default.into_iter().chain(self.named.keys().map(String::as_str))
    }

    /// All texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.default.iter().chain(self.named.values()).map(String::as_str)
    }
}
