//! Resource policies, except for those that affect the secret's own account.

use super::refusals::refuse;
use super::{Ans, Id, Model, PolicyText, Tagged};

impl Model {
    fn named(&self, at: usize) -> Ans {
        let secret = &self.secrets[at];
        Ans::Named { arn: secret.arn(&self.account), name: secret.name.clone() }
    }

    pub(super) fn policy(&self, region: &str, id: &Id) -> Result<Tagged, Tagged> {
        let at = self.open(region, id)?;
        let secret = &self.secrets[at];
        let (arn, name) = (secret.arn(&self.account), secret.name.clone());
        let tag = if secret.policy.is_some() { "ok" } else { "ok none" };
        Ok((tag, Ans::Policy { arn, name, policy: secret.policy.clone() }))
    }

    pub(super) fn put_policy(
        &mut self,
        region: &str,
        id: &Id,
        policy: PolicyText,
        block: bool,
    ) -> Result<Tagged, Tagged> {
        let at = self.open(region, id)?;
        match policy {
            PolicyText::Broken => {
                let text = "This resource policy contains a syntax error.";
                return Err(refuse("E20 syntax", "MalformedPolicyDocument", Some(text.into())));
            }
            PolicyText::Open if block => {
                let text = "You can't attach a resource-based policy that allows broad access to the secret.";
                return Err(refuse("E22 public", "PublicPolicy", Some(text.into())));
            }
            PolicyText::Open | PolicyText::Fine(_) => {}
        }
        let text = policy.text();
        if self.secrets[at].policy.as_ref() == Some(&text) {
            return Ok(("ok the same", self.named(at)));
        }
        self.secrets[at].changed = self.stamp(at);
        self.secrets[at].policy = Some(text);
        Ok(("ok", self.named(at)))
    }

    pub(super) fn delete_policy(&mut self, region: &str, id: &Id) -> Result<Tagged, Tagged> {
        let at = self.open(region, id)?;
        if self.secrets[at].policy.is_none() {
            return Ok(("ok none", self.named(at)));
        }
        self.secrets[at].changed = self.stamp(at);
        self.secrets[at].policy = None;
        Ok(("ok", self.named(at)))
    }
}
