//! Copies of a primary's labelled versions, for a replica that becomes a secret of its own.

use crate::env::faults;
use crate::model::{SecretRecord, Seq, VersionRecord, limits};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::plan::{Effect, Plan, Refusal, View, rows};
use std::collections::BTreeMap;

/// The effects that give a replica versions of its own.
pub(crate) struct Copies {
    /// Versions, values and labels; not the replica's record.
    pub(crate) effects: Vec<Effect>,
    /// The number that its next version gets.
    pub(crate) next_seq: Seq,
    /// How many versions it has.
    pub(crate) count: u32,
}

/// Copies the labelled versions of a primary to a replica that has none, oldest first.
pub(crate) fn copies<V: View>(
    view: &V,
    primary: &SecretRecord,
    replica: &SecretRecord,
) -> Result<Copies, Refusal<V::Error>> {
    let stages = view.stages(primary.id).map_err(Refusal::View)?;
    let stages: Vec<_> = stages
        .into_iter()
        .filter(|(stage, _)| {
            !faults::active(faults::Fault::PromotionLosesCurrent)
                || *stage != crate::model::Stage::current()
        })
        .collect();
    let mut copies: BTreeMap<Seq, Seq> = BTreeMap::new();
    copies.extend(stages.iter().map(|(_, seq)| (*seq, Seq(0))));
    let mut effects = Vec::new();
    let mut next_seq = replica.next_seq;
    for (from, to) in &mut copies {
        *to = next_seq;
        next_seq = Seq(next_seq.0.saturating_add(1));
        let version = view.version(primary.id, *from).map_err(Refusal::View)?;
        let version = version.ok_or_else(messages::no_secret)?;
        effects.push(Effect::PutVersion(VersionRecord {
            id: replica.id,
            seq: *to,
            payload: None,
            wrapped: None,
            ..version.clone()
        }));
        if version.kind.is_some() {
            effects.push(Effect::CopyPayload { from: version, id: replica.id, to: *to });
        }
    }
    for (stage, from) in stages {
        if let Some(to) = copies.get(&from) {
            effects.push(Effect::SetStage(replica.id, stage, *to));
        }
    }
    let count = u32::try_from(copies.len()).unwrap_or(limits::VERSIONS_MAX);
    Ok(Copies { effects, next_seq, count })
}

/// Refuses a plan with more rows than one operation may touch.
pub(super) fn must_fit(plan: &Plan) -> Result<(), Fault> {
    if plan.effects.iter().map(rows).sum::<usize>() > limits::OPERATION_ROWS_MAX {
        return Err(messages::too_much_to_copy());
    }
    Ok(())
}
