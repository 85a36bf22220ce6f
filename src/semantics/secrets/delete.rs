//! `DeleteSecret` and `RestoreSecret`: a deletion is scheduled, cancelled, or done at once (SEM-DEL). `upkeep`
//! does the rest in the background.
//!
//! ```text
//! active <--RestoreSecret-- scheduled --Purge, window over--> dead --Sweep ...--> no row left
//!   |  \---DeleteSecret--->     |                              ^
//!   \---------- DeleteSecret, forced --------------------------/
//! ```

use crate::env::calendar::DAY_MILLIS;
use crate::env::{UnixMillis, faults};
use crate::model::api::{DeleteSecret, DeleteSecretResponse, RestoreSecret};
use crate::model::{Arn, Deletion, SecretRecord, SecretRef, limits};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels, named, purged, stamp};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Answer, Context, Now, Outcome, View, nothing};
use crate::semantics::replication::cross_account;
use crate::semantics::rotation::turned_off;
use crate::semantics::validate::{AboutSecret, Check, Checked, SecretId, names};

impl Check for DeleteSecret {
    type Names = SecretRef;

    /// The recovery window is no model constraint: E32 comes with the rules of
    /// the operation.
    fn check(&self) -> Result<Self::Names, Fault> {
        names::secret_id(&self.secret_id)
    }
}

impl AboutSecret for DeleteSecret {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for DeleteSecret {
    const NEEDS_SUFFIX: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let (secret, action) = (request.secret(), Action::DeleteSecret);
        let record = resolve::find(view, &context.scope, secret, action)?;
        if request.force_delete_without_recovery == Some(true) {
            // A bad window is told before a window that is not wanted.
            if let Some(days) = request.recovery_window_in_days {
                window_days(days)?;
                return Err(messages::force_with_window().into());
            }
            return Ok(match record {
                Some(record) => {
                    must_be_alone(&record, &request.secret_id)?;
                    let now = stamp(context.now, &record);
                    purged(record, context.now, |record| deleted(record, now))
                }
                None => nothing(never_was(context, secret)),
            });
        }
        let record = record.ok_or_else(messages::no_secret)?;
        must_be_alone(&record, &request.secret_id)?;
        if record.deletion.is_some() {
            return Err(messages::already_scheduled().into());
        }
        let days = request.recovery_window_in_days.unwrap_or(limits::RECOVERY_WINDOW_DAYS_DEFAULT);
        let window_days = window_days(days)?;
        let mut change = Change::of(record, Labels::none(), context.now);
        // A restore does not turn it on again (SEM-ROT-17).
        change.record.rotation = change.record.rotation.take().map(turned_off);
        change.record.deletion =
            Some(Deletion { requested: change.stamp, requested_age: context.now.age, window_days });
        let answer = deleted(&change.record, change.stamp.plus(days * DAY_MILLIS));
        Ok(change.finish(answer)?)
    }
}

impl Check for RestoreSecret {
    type Names = SecretRef;

    fn check(&self) -> Result<Self::Names, Fault> {
        names::secret_id(&self.secret_id)
    }
}

impl AboutSecret for RestoreSecret {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for RestoreSecret {
    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let record = resolve::any(view, &context.scope, request.secret(), Action::RestoreSecret)?;
        let answer = named(&record);
        match &record.deletion {
            None => return Ok(nothing(answer)),
            Some(deletion) if is_over(deletion, context.now) => {
                return Err(messages::no_secret().into());
            }
            Some(_) => {}
        }
        let mut change = Change::of(record, Labels::none(), context.now);
        change.record.deletion = None;
        if faults::active(faults::Fault::RestoreForgetsPolicy) {
            change.record.policies = None;
        }
        Ok(change.finish(answer)?)
    }
}

/// Whether the recovery window has passed, by the age clock: nothing brings the secret back (SEM-DEL-11).
pub(crate) fn is_over(deletion: &Deletion, now: Now) -> bool {
    now.age.since(deletion.requested_age) >= i64::from(deletion.window_days) * DAY_MILLIS
}

/// A legal recovery window (E32).
fn window_days(days: i64) -> Result<u8, Fault> {
    let legal = u8::try_from(days).ok().filter(|_| limits::RECOVERY_WINDOW_DAYS.contains(&days));
    legal.ok_or_else(messages::bad_window)
}

/// Neither a replica (E28) nor replicated (E29), in other accounts too.
fn must_be_alone(record: &SecretRecord, secret_id: &str) -> Result<(), Fault> {
    resolve::must_be_own(record)?;
    cross_account::must_have_no_replica(record, secret_id)?;
    match record.replicas() {
        [] => Ok(()),
        replicas => Err(messages::has_replicas(secret_id, replicas)),
    }
}

fn deleted(record: &SecretRecord, deletion_date: UnixMillis) -> Answer {
    Answer::Deleted(DeleteSecretResponse {
        arn: record.arn().to_string(),
        name: record.name.to_string(),
        deletion_date,
    })
}

/// A forced deletion of a secret that is not there succeeds with an ARN that could be its own
/// (SEM-DEL-7): complete ones are repeated, others get the suffix that a creation would get now.
fn never_was(context: &Context, secret: SecretId<'_>) -> Answer {
    let invent = |scope: &crate::model::Scope, name: &crate::model::SecretName| {
        Arn { scope: scope.clone(), name: name.clone(), suffix: context.suffix }.to_string()
    };
    let (arn, name) = match secret.reference {
        SecretRef::Name(name) => (invent(&context.scope, name), name.to_string()),
        SecretRef::PartialArn(scope, name) => (invent(scope, name), name.to_string()),
        SecretRef::Arn(arn) => (arn.to_string(), arn.name.to_string()),
        SecretRef::Nowhere => (secret.text.to_owned(), secret.text.to_owned()),
    };
    Answer::Deleted(DeleteSecretResponse { arn, name, deletion_date: context.now.wall })
}
