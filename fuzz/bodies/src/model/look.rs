//! What a harness does with a model besides asking: it forgets secrets, and it looks at what the
//! model would answer without leaving a mark.

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

    /// From here on the model knows nothing of this secret but the end of its ARN.
    pub fn forget(&mut self, region: &str, name: &str) {
        self.secrets.retain(|secret| secret.region != region || secret.name != name);
    }

    /// Notes the end of an ARN that the model did not see made.
    pub fn note_end(&mut self, region: &str, name: &str, end: &str) {
        self.ends.insert((region.into(), name.into()), end.into());
    }

    /// The value of a version, without a mark.
    pub fn value_of(&self, region: &str, name: &str, version: &str) -> Option<&Value> {
        let secret = self.secrets.iter().find(|s| s.region == region && s.name == name)?;
        secret.version(version).map(|version| &version.value)
    }

    /// Takes over which day a secret or one of its versions was last read on: the mark of a read may
    /// be lost with the power, and nothing else. `false`: it is a day that was never shown.
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

    /// How many secrets there are.
    pub fn count(&self) -> usize {
        self.secrets.len()
    }
}
