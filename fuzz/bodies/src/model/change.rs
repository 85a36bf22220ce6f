//! Requests that change a secret and no version of it: deletion, restoring, tags.

use super::refusals::{e1, refuse};
use super::secret::has_end;
use super::{Ans, DAY, Id, Model, Tagged};

impl Model {
    pub(super) fn delete(
        &mut self,
        region: &str,
        id: &Id,
        window: Option<i64>,
        force: Option<bool>,
    ) -> Result<Tagged, Tagged> {
        let force = force.unwrap_or(false);
        let text = self.text_of(region, id);
        let found = self.find(region, &text)?;
        let bad_window = || {
            let text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
            refuse("E32 window", "InvalidParameter", Some(text.into()))
        };
        let is_bad = window.is_some_and(|days| !(7..=30).contains(&days));
        if force && window.is_some() {
            if is_bad {
                return Err(bad_window());
            }
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
        if is_bad {
            return Err(bad_window());
        }
        let days = window.unwrap_or(30);
        self.secrets[at].deletion = Some((stamp, self.age, days));
        self.secrets[at].changed = stamp;
        Ok(("ok scheduled", Ans::Deleted { arn, name, date: stamp + days * DAY }))
    }

    pub(super) fn restore(&mut self, region: &str, id: &Id) -> Result<Tagged, Tagged> {
        let at = self.find(region, &self.text_of(region, id))?.ok_or_else(e1)?;
        let (stamp, age) = (self.stamp(at), self.age);
        let secret = &mut self.secrets[at];
        // Once its window has passed it is gone, purged or not (SEM-DEL-11).
        if secret.deletion.is_some_and(|(_, since, days)| age - since >= days * DAY) {
            return Err(e1());
        }
        let named = Ans::Named { arn: secret.arn(&self.account), name: secret.name.clone() };
        if secret.deletion.take().is_none() {
            return Ok(("ok was active", named));
        }
        secret.changed = stamp;
        Ok(("ok", named))
    }

    pub(super) fn tag(
        &mut self,
        region: &str,
        id: &Id,
        new: &[(String, String)],
    ) -> Result<Tagged, Tagged> {
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

    pub(super) fn untag(
        &mut self,
        region: &str,
        id: &Id,
        keys: &[String],
    ) -> Result<Tagged, Tagged> {
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
}
