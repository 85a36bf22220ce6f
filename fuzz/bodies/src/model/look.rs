//! Functions for harnesses: make the model forget secrets, and read from it without an access mark.

use super::refusals::refuse;
use super::{Ans, Id, Model, Tagged, Value};

impl Model {
    /// Values of several secrets, each as one read gives it.
    pub(super) fn batch(&mut self, region: &str, ids: &[Id]) -> Tagged {
        if !(1..=20).contains(&ids.len()) {
            return refuse("E27 constraint", "Validation", None);
        }
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in ids {
            let text = self.text_of(region, id);
            match self.get(region, id, None, None) {
                Ok((_, value)) => values.push(value),
                Err((_, Ans::Refused { kind, message })) => {
                    errors.push((text, kind, message.unwrap_or_default()));
                }
                Err((_, other)) => values.push(other),
            }
        }
        let tag = if errors.is_empty() { "ok" } else { "ok with errors" };
        (tag, Ans::Batch { values, errors })
    }

    /// Makes the model forget this secret except for the suffix of its ARN.
    pub fn forget(&mut self, region: &str, name: &str) {
        self.secrets.retain(|secret| secret.region != region || secret.name != name);
    }

    /// Records the ARN suffix of a secret that was not created through the model.
    pub fn note_end(&mut self, region: &str, name: &str, end: &str) {
        self.ends.insert((region.into(), name.into()), end.into());
    }

    /// The value of a version, without an access mark.
    pub fn value_of(&self, region: &str, name: &str, version: &str) -> Option<&Value> {
        let secret = self.secrets.iter().find(|s| s.region == region && s.name == name)?;
        secret.version(version).map(|version| &version.value)
    }

    /// Adopts the day on which a secret or one of its versions was last read, because a power cut may lose
    /// access marks (and nothing else). `false` if that day was never shown.
    #[must_use]
    pub fn adopt_accessed(
        &mut self,
        region: &str,
        name: &str,
        version: Option<&str>,
        day: Option<i64>,
    ) -> bool {
        let here = self.secrets.iter_mut().find(|s| s.region == region && s.name == name);
        let Some(secret) = here else { return true };
        let mark = match version {
            None => &mut secret.accessed,
            Some(id) => match secret.versions.iter_mut().find(|version| version.id == id) {
                Some(version) => &mut version.accessed,
                None => return true,
            },
        };
        let is_known = day <= *mark;
        *mark = day;
        is_known
    }

    /// The number of secrets.
    pub fn count(&self) -> usize {
        self.secrets.len()
    }
}
