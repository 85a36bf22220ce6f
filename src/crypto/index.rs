//! Keyed hashes that replace names in row keys (ROW-5). Without the key nobody can read or guess
//! which name, version id or label a row belongs to.

use super::Keyring;
use crate::model::{RecordId, Scope, SecretName, Stage, VersionId};

impl Keyring {
    /// The key of a name's row in tree `names`.
    #[must_use]
    pub fn name_index(&self, scope: &Scope, name: &SecretName) -> [u8; 32] {
        let parts = [scope.account.as_bytes(), scope.region.as_bytes(), name.as_str().as_bytes()];
        self.index("name", &parts)
    }

    /// The first half of the ids of a scope's secrets.
    #[must_use]
    pub fn scope_index(&self, scope: &Scope) -> [u8; 8] {
        let hash = self.index("scope", &[scope.account.as_bytes(), scope.region.as_bytes()]);
        hash.first_chunk().copied().unwrap_or_default()
    }

    /// Replaces a version id in tree `tokens`. It is bound to the secret, so that equal tokens of two
    /// secrets cannot be recognized.
    #[must_use]
    pub fn token_index(&self, id: RecordId, version: &VersionId) -> [u8; 32] {
        self.index("token", &[&id.0, version.as_str().as_bytes()])
    }

    /// Replaces a staging label in a row of format 1, which had a row for each. It is bound to the secret.
    #[must_use]
    pub fn label_index(&self, id: RecordId, stage: &Stage) -> [u8; 32] {
        self.index("label", &[&id.0, stage.as_str().as_bytes()])
    }

    fn index(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        self.names().mac(domain, parts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crypto::testing;

    #[test]
    fn an_index_depends_on_the_vaults_key_and_on_every_part() {
        let (_, keyring, ..) = testing::vault(1);
        let (_, other, ..) = testing::vault(2);
        let (one, two) = (RecordId([2; 16]), RecordId([1; 16]));
        let (a, b) = (SecretName::parse("a").unwrap(), SecretName::parse("b").unwrap());
        let (home, away) = (Scope::default(), Scope::new(Scope::DEFAULT_ACCOUNT, "eu-west-1"));
        let all = [
            keyring.name_index(&home, &a),
            keyring.name_index(&home, &b),
            keyring.name_index(&away, &a),
            other.name_index(&home, &a),
            keyring.label_index(one, &Stage::current()),
            keyring.label_index(one, &Stage::previous()),
            keyring.label_index(two, &Stage::current()),
        ];
        for (at, hash) in all.iter().enumerate() {
            assert!(!all.iter().skip(at + 1).any(|later| later == hash), "hash {at} repeats");
        }
        assert_eq!(all[0], keyring.name_index(&home, &a));
        assert_ne!(keyring.scope_index(&home), keyring.scope_index(&away));
    }

    /// A label may look like a version id: the two trees still get different hashes.
    #[test]
    fn a_label_and_a_version_id_of_the_same_text_differ() {
        let (_, keyring, ..) = testing::vault(1);
        let text = "0123456789abcdef0123456789abcdef";
        let (id, version) = (RecordId([1; 16]), VersionId::parse(text).unwrap());
        let label = Stage::parse(text).unwrap();
        assert_ne!(keyring.token_index(id, &version), keyring.label_index(id, &label));
    }
}
