//! The `export` lines that `serve`, `env` and `credentials new` print for a shell.

use super::sigv4::Keys;
use std::collections::BTreeMap;

/// What a client signs with.
const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"];

/// What the lines export: variables with their values.
pub struct Exports(pub BTreeMap<String, String>);

impl Exports {
    /// Those among the lines that export something.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let pairs =
            lines.into_iter().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let unquoted = |value: &str| value.trim_matches(['\'', '"']).to_owned();
        Self(pairs.map(|(name, value)| (name.to_owned(), unquoted(value))).collect())
    }

    /// The value of a variable that is exported.
    #[track_caller]
    pub fn must(&self, name: &str) -> &str {
        let names = || self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let found = self.0.get(name);
        found.unwrap_or_else(|| panic!("{name} is not exported, only [{}]", names()))
    }

    /// Host and port of the server.
    #[track_caller]
    pub fn host(&self) -> String {
        let url = self.must("AWS_ENDPOINT_URL_SECRETS_MANAGER");
        url.trim_start_matches("http://").trim_end_matches('/').to_owned()
    }

    /// The key pair, and the region that requests are signed for. All of it is exported.
    #[track_caller]
    pub fn keys(&self) -> Keys {
        for name in KEYS {
            self.must(name);
        }
        self.keys_if_any()
    }

    /// The same as far as it is exported, else empty: a server may print no key pair, and `credentials new`
    /// prints no region.
    pub fn keys_if_any(&self) -> Keys {
        let [access_key_id, secret_access_key, region] =
            KEYS.map(|name| self.0.get(name).cloned().unwrap_or_default());
        Keys { access_key_id, secret_access_key, region }
    }
}
