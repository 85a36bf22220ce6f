//! One batch while it is planned: each job over what the jobs before it have written (I1).
//!
//! Nothing here touches log or store. The pipeline commits what a batch comes to, or drops it whole.

use super::copies::Copies;
use super::effects::{Sealer, drop_row};
use super::pipeline::Pipeline;
use crate::crypto::{Keyring, SetSum};
use crate::env::UnixMillis;
use crate::error::{Error, ErrorKind, Result};
use crate::model::api::Mutation;
use crate::model::{ChangeSet, Lsn, RecordId, RowChange, Seq, Suffix, Tree};
use crate::semantics::{self, Answer, Context, Effect, Now, Refusal};
use crate::store::Store;
use crate::vault::error::RowError;
use crate::vault::job::{Job, Mutate};
use crate::vault::rows;
use crate::vault::runtime::shared::Shared;
use crate::vault::view::overlay::{Layer, RowSource};
use crate::vault::view::row_view::RowView;

/// One batch while it is planned.
pub(crate) struct Batch<'a> {
    pub(crate) keys: &'a Keyring,
    pub(crate) layer: Layer<'a>,
    pub(crate) now: Now,
    pub(crate) sum: SetSum,
    pub(crate) lsn: Lsn,
    pub(crate) sets: Vec<ChangeSet>,
    pub(crate) may_grow: bool,
    pub(crate) unshredded: Option<UnixMillis>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) settled: Vec<(RecordId, Seq, UnixMillis)>,
    pub(crate) nudges: Vec<RecordId>,
    /// Secrets whose rotation wants to be looked at, and when.
    pub(crate) rotations: Vec<(RecordId, Option<UnixMillis>)>,
    /// The state could not be read, or holds what does not open.
    pub(crate) state_lies: bool,
}

/// What one job of a batch comes to, if the batch is committed.
pub(crate) struct Outcome {
    pub(crate) result: Result<Answer>,
    /// Nothing was written for it: a no-op or a refusal.
    pub(crate) is_idle: bool,
}

impl<'a> Batch<'a> {
    /// Nothing planned yet, over `store`.
    pub(crate) fn new(
        pipeline: &Pipeline,
        keys: &'a Keyring,
        store: &'a dyn Store,
        now: Now,
    ) -> Self {
        Self {
            keys,
            layer: Layer::over(store),
            now,
            sum: pipeline.sum.clone(),
            lsn: pipeline.lsn,
            sets: Vec::new(),
            may_grow: true,
            unshredded: pipeline.unshredded,
            outcomes: Vec::new(),
            settled: Vec::new(),
            nudges: Vec::new(),
            rotations: Vec::new(),
            state_lies: false,
        }
    }
}

impl Batch<'_> {
    pub(crate) fn plan(&mut self, job: &Job, shared: &Shared) {
        let before = self.sets.len();
        let planned = match job {
            Job::Mutate(job) => self.mutate(job, shared),
            Job::Rewrap(versions, _) => self.rewrap(versions, shared),
            Job::ClearPurge(_) => self.clear_purge(shared),
            Job::Control(_) => return,
        };
        let result = planned.map_err(|refusal| {
            self.state_lies |=
                matches!(&refusal, Unplanned::View(failure) if failure.is_of_state());
            refusal.into()
        });
        self.outcomes.push(Outcome { result, is_idle: self.sets.len() == before });
    }

    fn view<'v>(
        &'v self,
        shared: &'v Shared,
        payload: Option<&'v crate::crypto::ValueKey>,
    ) -> RowView<'v, Layer<'v>> {
        // Marks are left out: a `Touch` must see what the records themselves say.
        RowView::new(&self.layer, self.keys, &shared.no_marks, payload)
    }

    fn mutate(&mut self, job: &Mutate, shared: &Shared) -> std::result::Result<Answer, Unplanned> {
        let Mutate { scope, mutation, payload, .. } = job;
        let payload = payload.as_ref();
        if !self.may_grow && grows(mutation) {
            return Err(Unplanned::Told(ErrorKind::NoSpace.into()));
        }
        let lsn = self.lsn.next();
        let context = Context {
            scope: scope.clone(),
            now: self.now,
            lsn,
            fresh_id: rows::fresh_id(self.keys, scope, lsn),
            suffix: fresh_suffix(shared, mutation).map_err(Unplanned::Told)?,
            functions: shared.agenda.names(),
        };
        let view = self.view(shared, payload.map(|payload| &payload.key));
        let plan = semantics::plan(&view, &context, mutation)?;
        let entropy = shared.env.entropy.as_ref();
        let copies = Copies::seal(&plan.effects, &view, entropy)?;
        if let Mutation::Touch { id, seq, day } = mutation {
            self.settled.push((*id, *seq, *day));
        }
        if plan.effects.is_empty() {
            return Ok(plan.answer);
        }
        let mut effects = plan.effects;
        self.note_purge(&mut effects)?;
        for effect in &effects {
            let Effect::PutSecret(record) = effect else { continue };
            if semantics::may_be_due(record) {
                self.nudges.push(record.id);
            }
            if record.rotation.is_some() {
                self.rotations.push((record.id, semantics::rotation_due(record)));
            }
        }
        let sealed_under = shared.sealed_under.get();
        let keys = sealed_under.as_deref().unwrap_or(self.keys);
        let sealer = Sealer { keys, entropy, lsn, payload, copies: &copies };
        let changes = sealer.rows(effects)?;
        self.write(changes)?;
        Ok(plan.answer)
    }

    /// The note says when the *oldest* unshredded purge was, so a later one leaves it.
    fn note_purge(&mut self, effects: &mut Vec<Effect>) -> std::result::Result<(), RowError> {
        let noted = effects.iter().find_map(|effect| match effect {
            Effect::NotePurge(age) => Some(*age),
            _ => None,
        });
        let Some(age) = noted else { return Ok(()) };
        self.unshredded.get_or_insert(age);
        if self.layer.get(Tree::Meta, rows::META_PURGE)?.is_some() {
            effects.retain(|effect| !matches!(effect, Effect::NotePurge(_)));
        }
        Ok(())
    }

    /// An epoch switch has made real every purge before it. One that came while it ran, when data
    /// keys lay under the new epoch already, takes over the note and waits for the next.
    fn clear_purge(&mut self, shared: &Shared) -> std::result::Result<Answer, Unplanned> {
        let changes = match self.unshredded {
            None => vec![drop_row(Tree::Meta, rows::META_PURGE)],
            Some(age) => {
                let (entropy, lsn) = (shared.env.entropy.as_ref(), self.lsn.next());
                let copies = Copies::default();
                let sealer =
                    Sealer { keys: self.keys, entropy, lsn, payload: None, copies: &copies };
                sealer.rows(vec![Effect::NotePurge(age)])?
            }
        };
        self.write(changes)?;
        Ok(Answer::Done)
    }

    /// Moves wrapped data keys to the current epoch (I10): one bounded operation. Those of a dead
    /// secret, or of no version at all, are removed instead: the new epoch must not open them.
    fn rewrap(
        &mut self,
        versions: &[(RecordId, Seq)],
        shared: &Shared,
    ) -> std::result::Result<Answer, Unplanned> {
        let mut changes = Vec::new();
        let view = self.view(shared, None);
        for (id, seq) in versions {
            let key = rows::version_key(*id, *seq);
            let Some(row) = self.layer.get(Tree::Keys, &key)? else { continue };
            if Keyring::wrap_term(&row) == Some(self.keys.epoch()) {
                continue;
            }
            let lives = semantics::View::secret(&view, *id)?.is_some_and(|record| !record.dead);
            let version = semantics::View::version(&view, *id, *seq)?;
            let Some(version) = version.filter(|_| lives) else {
                changes.push(drop_row(Tree::Keys, &key));
                continue;
            };
            let value_key = self
                .keys
                .unwrap_value_key(*id, *seq, &version.version_id, &row)
                .map_err(RowError::from)?;
            let entropy = shared.env.entropy.as_ref();
            let wrapped = self
                .keys
                .wrap_value_key(*id, *seq, &version.version_id, &value_key, entropy)
                .map_err(RowError::from)?;
            changes.push(RowChange {
                tree: Tree::Keys,
                key: key.into(),
                value: Some(wrapped.into()),
            });
        }
        if !changes.is_empty() {
            self.write(changes)?;
        }
        Ok(Answer::Done)
    }

    /// Makes `changes` the next change set, and keeps the set digest in step.
    fn write(&mut self, changes: Vec<RowChange>) -> std::result::Result<(), RowError> {
        let mut sum = self.sum.clone();
        let key = self.keys.digest_key();
        for change in changes.iter().filter(|change| change.tree.is_digested()) {
            if let Some(old) = self.layer.get(change.tree, &change.key)? {
                sum.remove(key, change.tree, &change.key, &old);
            }
            if let Some(new) = &change.value {
                sum.add(key, change.tree, &change.key, new);
            }
        }
        self.sum = sum;
        self.lsn = self.lsn.next();
        self.layer.write(&changes);
        self.sets.push(ChangeSet { lsn: self.lsn, rows: changes });
        Ok(())
    }
}

/// Why a job comes to nothing.
enum Unplanned {
    /// What it reads could not be read.
    View(RowError),
    /// A refusal, for the caller.
    Told(Error),
}

impl From<RowError> for Unplanned {
    fn from(failure: RowError) -> Self {
        Self::View(failure)
    }
}

impl From<Refusal<RowError>> for Unplanned {
    fn from(refusal: Refusal<RowError>) -> Self {
        match refusal {
            Refusal::Fault(fault) => Self::Told(fault.into()),
            Refusal::View(failure) => Self::View(failure),
        }
    }
}

impl From<Unplanned> for Error {
    fn from(unplanned: Unplanned) -> Self {
        match unplanned {
            Unplanned::View(failure) => failure.into(),
            Unplanned::Told(error) => error,
        }
    }
}

/// Whether an operation needs room that nothing gives back: refused first when the disk runs out.
fn grows(mutation: &Mutation) -> bool {
    match mutation {
        Mutation::CreateSecret(_)
        | Mutation::PutSecretValue(_)
        | Mutation::UpdateSecret(_)
        | Mutation::RotateSecret(_)
        | Mutation::TagResource(_)
        | Mutation::PutResourcePolicy(_)
        | Mutation::ReplicateSecretToRegions(_)
        | Mutation::StopReplicationToReplica(_)
        | Mutation::AssociateCrossAccountReplica(_)
        | Mutation::DisassociateCrossAccountReplica(_)
        | Mutation::Touch { .. } => true,
        Mutation::UpdateSecretVersionStage(_)
        | Mutation::DeleteSecret(_)
        | Mutation::RestoreSecret(_)
        | Mutation::UntagResource(_)
        | Mutation::CancelRotateSecret(_)
        | Mutation::AdvanceRotation(_)
        | Mutation::DeleteResourcePolicy(_)
        | Mutation::RemoveRegionsFromReplication(_)
        | Mutation::Prune(_)
        | Mutation::Purge(_)
        | Mutation::Sweep(_) => false,
    }
}

/// Only what may make or invent a secret needs one.
fn fresh_suffix(shared: &Shared, mutation: &Mutation) -> Result<Suffix> {
    if !matches!(mutation, Mutation::CreateSecret(_) | Mutation::DeleteSecret(_)) {
        return Ok(Suffix(*b"000000"));
    }
    loop {
        let random = shared.env.random::<16>().map_err(|error| Error::io("random bytes", error))?;
        if let Some(suffix) = Suffix::from_random(&random) {
            return Ok(suffix);
        }
    }
}
