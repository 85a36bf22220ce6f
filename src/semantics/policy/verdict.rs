//! What a policy says about a request. What cannot be decided is decided against the caller.

use super::asked::Asked;
use super::condition::Condition;
use super::document::{Effect, Listed, Policy, Principal, Statement};
use super::pattern::{fits, fits_any_case, has_variable};
use super::truth::Truth;

/// What a policy says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A Deny matches, whatever allows.
    Denied,
    /// An Allow matches, and no Deny.
    Allowed,
    /// Nothing matches.
    Silent,
}

impl Policy {
    /// What it says about a request (SEM-ACCESS-4 to SEM-ACCESS-9).
    pub(crate) fn verdict(&self, asked: &Asked<'_>) -> Verdict {
        let mut allowed = false;
        for statement in &self.statements {
            match (statement.effect, statement.matches(asked)) {
                (Effect::Deny, Truth::Yes | Truth::Undecided) => return Verdict::Denied,
                (Effect::Allow, Truth::Yes) => allowed = true,
                (Effect::Allow, _) | (Effect::Deny, Truth::No) => {}
            }
        }
        if allowed { Verdict::Allowed } else { Verdict::Silent }
    }

    /// Whether it allows something to everyone, with no condition that says whom (SEM-POLICY-10).
    pub(crate) fn is_broad(&self) -> bool {
        self.statements.iter().any(|statement| {
            let principals = &statement.principals;
            statement.effect == Effect::Allow
                && (principals.all_but || principals.items.contains(&Principal::Everyone))
                && !statement.conditions.iter().any(Condition::narrows)
        })
    }
}

impl Statement {
    fn matches(&self, asked: &Asked<'_>) -> Truth {
        let action = format!("secretsmanager:{}", asked.action);
        let arn = asked.record.arn().to_string();
        let who = self.principals.has(|principal| {
            Truth::of(match principal {
                Principal::Everyone => true,
                Principal::Account(account) => **account == *asked.caller.account,
                Principal::Stranger => false,
            })
        });
        let what = self.actions.has(|pattern| Truth::of(fits_any_case(pattern, &action)));
        let which = self.resources.has(|pattern| {
            // A variable is not filled in, so what it would say is not known.
            if has_variable(pattern) { Truth::Undecided } else { Truth::of(fits(pattern, &arn)) }
        });
        let conditions = self.conditions.iter().map(|condition| condition.holds(asked));
        conditions.fold(who.and(what).and(which), Truth::and)
    }
}

impl<T> Listed<T> {
    fn has(&self, matches: impl Fn(&T) -> Truth) -> Truth {
        Truth::any(self.items.iter().map(matches)).negated_if(self.all_but)
    }
}
