//! Operations on a single secret of the model.

use super::words::Described;
use super::{Secret, Version};

impl Secret {
    pub(super) fn arn(&self, account: &str) -> String {
        arn(&self.region, account, &self.name, &self.suffix)
    }

    pub(super) fn stages_of(&self, version: &str) -> Vec<String> {
        let on = self.labels.iter().filter(|(_, holder)| *holder == version);
        on.map(|(label, _)| label.clone()).collect()
    }

    pub(super) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// Moves AWSCURRENT to `to`, and AWSPREVIOUS to the version that had AWSCURRENT.
    pub(super) fn promote(&mut self, to: &str) {
        let from = self.labels.insert("AWSCURRENT".into(), to.into());
        if let Some(from) = from.filter(|from| from != to) {
            self.labels.insert("AWSPREVIOUS".into(), from);
        }
        // No version has both labels.
        if self.labels.get("AWSPREVIOUS").is_some_and(|holder| holder == to) {
            self.labels.remove("AWSPREVIOUS");
        }
    }

    pub(super) fn described(&self, account: &str) -> Described {
        let labelled = self.versions.iter().map(|v| (v.id.clone(), self.stages_of(&v.id)));
        let mut versions: Vec<_> = labelled.filter(|(_, stages)| !stages.is_empty()).collect();
        versions.sort();
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
            versions,
        }
    }
}

pub(super) fn arn(region: &str, account: &str, name: &str, suffix: &str) -> String {
    format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{suffix}")
}

/// Whether text ends in a hyphen and six letters or digits.
pub(super) fn has_end(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7
        && bytes[bytes.len() - 7] == b'-'
        && bytes[bytes.len() - 6..].iter().all(u8::is_ascii_alphanumeric)
}
