//! The `export` lines that `serve` and `credentials new` print for a shell.

use super::sigv4::Keys;
use std::collections::BTreeMap;

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

    /// The value of a variable; nothing if it is not exported.
    pub fn value(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// Host and port of the server.
    pub fn host(&self) -> String {
        let url = self.value("AWS_ENDPOINT_URL_SECRETS_MANAGER");
        url.trim_start_matches("http://").trim_end_matches('/').to_owned()
    }

    /// The key pair, and the region that requests are signed for.
    pub fn keys(&self) -> Keys {
        Keys {
            access_key_id: self.value("AWS_ACCESS_KEY_ID"),
            secret_access_key: self.value("AWS_SECRET_ACCESS_KEY"),
            region: self.value("AWS_REGION"),
        }
    }
}
