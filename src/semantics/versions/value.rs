//! A new value of a secret: its version and the labels that it gets (SEM-STAGE).

use super::token::Token;
use crate::model::{Seq, Stage, VersionId};
use crate::secret::PayloadKind;
use crate::semantics::change::{Change, Labels};
use crate::semantics::fault::Fault;
use crate::semantics::plan::{Context, Effect};
use crate::semantics::rotation;
use std::collections::BTreeSet;

/// Makes or fills the version of the token and moves the labels.
pub(crate) fn write(
    change: &mut Change,
    context: &Context,
    found: Token,
    token: VersionId,
    kind: PayloadKind,
    stages: Option<BTreeSet<Stage>>,
) -> Result<Seq, Fault> {
    let first = change.record.version_count == 0;
    let seq = match found {
        Token::Placeholder(mut version) => {
            version.kind = Some(kind);
            let seq = version.seq;
            change.push(Effect::PutVersion(version));
            change.push(Effect::AttachPayload(seq));
            seq
        }
        Token::Free | Token::Replay(_) => add(change, context, token, kind)?,
    };
    let was_current = change.labels.holder(&Stage::current());
    label(&mut change.labels, seq, stages, first);
    if change.labels.holder(&Stage::current()) != was_current {
        rotation::value_changed(change);
    }
    Ok(seq)
}

pub(crate) fn add(
    change: &mut Change,
    context: &Context,
    version_id: VersionId,
    kind: PayloadKind,
) -> Result<Seq, Fault> {
    let seq = change.add_version(context.now, version_id, Some(kind))?;
    change.push(Effect::AttachPayload(seq));
    Ok(seq)
}

/// The labels of a version that was just written (SEM-STAGE-7 to SEM-STAGE-12).
pub(crate) fn label(labels: &mut Labels, seq: Seq, stages: Option<BTreeSet<Stage>>, first: bool) {
    let Some(stages) = stages else {
        labels.promote(seq);
        labels.detach(&Stage::pending());
        return;
    };
    let current = first || stages.contains(&Stage::current());
    for stage in stages {
        if stage != Stage::current() {
            labels.attach(stage, seq);
        }
    }
    if current {
        labels.promote(seq);
    }
}
