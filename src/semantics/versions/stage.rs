//! `UpdateSecretVersionStage`: every combination of its two version ids (SEM-STAGE-13 to
//! SEM-STAGE-22).
//!
//! ```text
//!              MoveToVersionId given             MoveToVersionId absent
//! Remove given   the label must be on Remove:      the label must be on Remove: removed
//!                moved                             (AWSCURRENT: never)
//! Remove absent  the label must be free or         refused
//!                already there: attached
//! ```

use crate::model::api::UpdateSecretVersionStage;
use crate::model::{SecretRecord, Seq, Stage, VersionId};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels, named};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Context, Outcome, Refusal, View, nothing};
use crate::semantics::validate::{
    AboutSecret, Check, Checked, StageNames, Violations, members, names,
};

/// A version that the request names.
struct Version {
    id: VersionId,
    seq: Seq,
}

impl Check for UpdateSecretVersionStage {
    type Names = StageNames;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::stage_length(&mut found, "versionStage", &self.version_stage);
        members::version_length(
            &mut found,
            "removeFromVersionId",
            self.remove_from_version_id.as_deref(),
        );
        members::version_length(&mut found, "moveToVersionId", self.move_to_version_id.as_deref());
        found.into_result()?;
        let secret = names::reference(&self.secret_id)?;
        let stage = names::stage(&self.version_stage)?;
        let from = names::version(self.remove_from_version_id.as_deref())?;
        Ok(StageNames {
            secret,
            stage,
            from,
            to: names::version(self.move_to_version_id.as_deref())?,
        })
    }
}

impl AboutSecret for UpdateSecretVersionStage {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for UpdateSecretVersionStage {
    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let record = resolve::active(
            view,
            &context.scope,
            request.secret(),
            Action::UpdateSecretVersionStage,
        )?;
        let StageNames { stage, from, to, .. } = request.names();
        if from.is_none() && to.is_none() {
            return Err(messages::nowhere_to_move().into());
        }
        if to.is_none() && *stage == Stage::current() {
            return Err(messages::current_stays().into());
        }
        let from = named_version(view, &record, from.as_ref())?;
        let to = named_version(view, &record, to.as_ref())?;
        let answer = named(&record);
        let labels = Labels::load(view, record.id)?;
        let holder = labels.holder(stage);
        match (from, to) {
            (None, None) => Err(messages::nowhere_to_move().into()),
            (Some(from), None) => {
                if holder != Some(from.seq) {
                    return Err(messages::stage_not_on(stage, &from.id).into());
                }
                let mut change = Change::of(record, labels, context.now);
                change.labels.detach(stage);
                Ok(change.finish(answer)?)
            }
            (from, Some(to)) => {
                match (from, holder) {
                    (None, None) => {}
                    (None, Some(holder)) if holder == to.seq => {}
                    (None, Some(holder)) => {
                        let holder = view.version(record.id, holder).map_err(Refusal::View)?;
                        let id = holder.map(|holder| holder.version_id.to_string());
                        return Err(
                            messages::must_name_holder(stage, &id.unwrap_or_default()).into()
                        );
                    }
                    (Some(from), holder) if holder == Some(from.seq) => {}
                    (Some(_), _) => return Err(messages::holder_differs(stage).into()),
                }
                if holder == Some(to.seq) {
                    return Ok(nothing(answer));
                }
                let mut change = Change::of(record, labels, context.now);
                if *stage == Stage::current() {
                    change.labels.promote(to.seq);
                } else {
                    change.labels.attach(stage.clone(), to.seq);
                }
                Ok(change.finish(answer)?)
            }
        }
    }
}

/// The version of an id in the request; E3 if there is none (SEM-STAGE-21).
fn named_version<V: View>(
    view: &V,
    record: &SecretRecord,
    id: Option<&VersionId>,
) -> Result<Option<Version>, Refusal<V::Error>> {
    let Some(id) = id else { return Ok(None) };
    let seq = view.version_seq(record.id, id).map_err(Refusal::View)?;
    let seq = seq.ok_or_else(|| messages::no_version(id.as_str()))?;
    Ok(Some(Version { id: id.clone(), seq }))
}
