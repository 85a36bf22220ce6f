//! Plans one batch: each job sees what the jobs before it have written (I1).
//!
//! Nothing here touches log or store. The pipeline commits the outcome of a batch, or drops it whole.

use super::copies::Copies;
use super::effects::{PlannedRow, Sealer, drop_row};
use super::job::{Job, Mutate};
use super::outbox::{OutboxChange, OutboxPlan};
use crate::crypto::{Keyring, RowShare, SetSum};
use crate::env::{Entropy, ReadAhead, UnixMillis};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Lsn, RecordId, RowChange, Seq, Suffix, Tree};
use crate::semantics::{self, Answer, Command, Context, Effect, Now, Refusal, Upkeep, View};
use crate::vault::error::RowError;
use crate::vault::rows::{self, Outbox};
use crate::vault::runtime::shared::Shared;
use crate::vault::view::opened::Known;
use crate::vault::view::overlay::{Before, Latest, Layer, RowSource};
use crate::vault::view::row_view::RowView;

/// What a batch starts from.
pub(crate) struct BatchStart<'a> {
    pub(crate) keys: &'a Keyring,
    pub(crate) rows: Latest<'a>,
    pub(crate) now: Now,
    pub(crate) sum: SetSum,
    pub(crate) lsn: Lsn,
    pub(crate) unshredded: Option<UnixMillis>,
    pub(crate) outbox: Outbox,
    /// Whether the disk has space for operations that need more of it.
    pub(crate) may_grow: bool,
    /// How many jobs there are.
    pub(crate) jobs: usize,
    pub(crate) entropy: &'a dyn Entropy,
}

/// What a job usually draws: nonces for four rows and for the box of a data key.
const RANDOM_BYTES: usize = 5 * 24;

/// One batch while it is planned.
pub(crate) struct Batch<'a> {
    pub(crate) keys: &'a Keyring,
    entropy: ReadAhead<'a>,
    pub(crate) layer: Layer<Latest<'a>>,
    pub(crate) now: Now,
    pub(crate) sum: SetSum,
    pub(crate) lsn: Lsn,
    pub(crate) may_grow: bool,
    pub(crate) unshredded: Option<UnixMillis>,
    /// The outbox of events, as the jobs so far leave it.
    pub(crate) outbox: Outbox,
    pub(crate) outcomes: Vec<Outcome>,
    /// Access marks that the records show once the batch is committed.
    pub(crate) settled: Vec<((RecordId, Seq), RecordId, UnixMillis)>,
    /// Secrets for the pending set.
    pub(crate) pending: Vec<RecordId>,
    /// Secrets for the rotation schedule, and when each is due.
    pub(crate) rotations: Vec<(RecordId, Option<UnixMillis>)>,
    /// The state could not be read, or one of its rows does not open.
    pub(crate) is_state_damaged: bool,
}

/// The outcome of one job, if the batch is committed.
pub(crate) struct Outcome {
    pub(crate) result: Result<Answer>,
    /// The job writes nothing: it is a no-op or a refusal.
    pub(crate) is_idle: bool,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    pub(crate) fn new(start: BatchStart<'a>) -> Self {
        let BatchStart { keys, rows, now, sum, lsn, unshredded, outbox, may_grow, jobs, entropy } =
            start;
        Self {
            keys,
            entropy: ReadAhead::of(entropy, jobs.saturating_mul(RANDOM_BYTES)),
            layer: Layer::over(rows),
            now,
            sum,
            lsn,
            may_grow,
            unshredded,
            outbox,
            outcomes: Vec::new(),
            settled: Vec::new(),
            pending: Vec::new(),
            rotations: Vec::new(),
            is_state_damaged: false,
        }
    }
}

impl Batch<'_> {
    /// Plans a job over the jobs before it.
    pub(crate) fn plan(&mut self, job: &Job, shared: &Shared) {
        let before = self.layer.sets();
        let planned = match job {
            Job::Mutate(job) => self.mutate(job, shared),
            Job::Rewrap(versions, _) => self.rewrap(versions, shared),
            Job::ClearPurge(_) => self.clear_purge(),
            Job::Note(key, content, _) => self.note(key, content),
            Job::Outbox(change, _) => self.change_outbox(change),
        };
        let result = planned.map_err(|refusal| {
            self.is_state_damaged |=
                matches!(&refusal, PlanError::Row(error) if error.is_of_state());
            refusal.into()
        });
        self.outcomes.push(Outcome { result, is_idle: self.layer.sets() == before });
    }

    fn view<'v>(
        &'v self,
        shared: &'v Shared,
        payload: Option<&'v crate::crypto::ValueKey>,
    ) -> RowView<'v, Layer<Latest<'v>>> {
        // Without access marks: a `Touch` must see the records as they are.
        RowView::new(&self.layer, self.keys, &shared.no_marks, payload)
    }

    fn mutate(&mut self, job: &Mutate, shared: &Shared) -> std::result::Result<Answer, PlanError> {
        let Mutate { scope, mutation, payload, .. } = job;
        let payload = payload.as_ref();
        if !self.may_grow && mutation.grows() {
            return Err(PlanError::Refused(ErrorKind::NoSpace.into()));
        }
        let lsn = self.lsn.next();
        let context = Context {
            scope: scope.clone(),
            now: self.now,
            lsn,
            suffix: fresh_suffix(shared, mutation).map_err(PlanError::Refused)?,
            functions: shared.rotation_schedule.names(),
        };
        let view = self.view(shared, payload.map(|payload| &payload.key));
        let plan = semantics::plan(&view, &context, mutation)?;
        let copies = Copies::seal(&plan.effects, &view, shared.env.entropy.as_ref())?;
        let free = view.free_tokens();
        if let Command::Upkeep(Upkeep::Touch { id, seq, on, day }) = mutation {
            self.settled.push(((*id, *seq), *on, *day));
        }
        if plan.effects.is_empty() {
            return Ok(plan.answer);
        }
        let mut effects = plan.effects;
        self.note_purge(&mut effects)?;
        for effect in &effects {
            let Effect::PutSecret(record) = effect else { continue };
            if semantics::may_be_due(record) {
                self.pending.push(record.id);
            }
            if record.rotation.is_some() {
                self.rotations.push((record.id, semantics::rotation_due(record, self.now)));
            }
        }
        let sealed_under = shared.sealed_under.get();
        let keys = sealed_under.as_deref().unwrap_or(self.keys);
        let view = self.view(shared, None);
        let told = self.outbox.is_on.then(|| semantics::label_moves(&view, &effects));
        let moves = told.transpose()?.unwrap_or_default();
        let labels = |id| View::stages(&view, id);
        let (copies, free, labels, entropy) = (&copies, &free[..], &labels, &self.entropy);
        let sealer = Sealer { keys, entropy, lsn, payload, copies, free, labels };
        let mut changes = sealer.rows(effects)?;
        let mut outbox = self.outbox;
        if !moves.is_empty() {
            let mut planned = self.plan_outbox();
            planned.add((lsn, shared.tuning.events_max), moves, &mut changes)?;
            outbox = planned.outbox;
        }
        self.write(changes)?;
        self.outbox = outbox;
        Ok(plan.answer)
    }

    fn plan_outbox(&self) -> OutboxPlan<'_, Layer<Latest<'_>>> {
        let Self { keys, entropy, layer, outbox, .. } = self;
        OutboxPlan { keys, entropy, rows: layer, outbox: *outbox }
    }

    /// Turns events on or off, or removes some that wait.
    fn change_outbox(&mut self, change: &OutboxChange) -> std::result::Result<Answer, PlanError> {
        let mut planned = self.plan_outbox();
        let (changes, outbox) = (planned.change(change)?, planned.outbox);
        if !changes.is_empty() {
            self.write(changes)?;
            self.outbox = outbox;
        }
        Ok(Answer::Done)
    }

    /// The note keeps the time of the *oldest* purge that no switch has covered, so a later purge leaves it.
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

    /// An epoch switch has made every purge before it final. A purge during the switch, when data keys
    /// already lay under the new epoch, takes over the note and waits for the next switch.
    fn clear_purge(&mut self) -> std::result::Result<Answer, PlanError> {
        let changes = match self.unshredded {
            None => vec![drop_row(Tree::Meta, rows::META_PURGE).into()],
            Some(age) => {
                let (entropy, lsn) = (&self.entropy, self.lsn.next());
                let (copies, labels) = (&Copies::default(), &|_| Ok(Vec::new()));
                let (keys, payload, free) = (self.keys, None, &[][..]);
                let sealer = Sealer { keys, entropy, lsn, payload, copies, free, labels };
                sealer.rows(vec![Effect::NotePurge(age)])?
            }
        };
        self.write(changes)?;
        Ok(Answer::Done)
    }

    /// Writes a row of the vault's own. That of the anchors can wait for space; that of the keystore cannot.
    fn note(
        &mut self,
        key: &'static [u8],
        content: &[u8],
    ) -> std::result::Result<Answer, PlanError> {
        if !self.may_grow && key == rows::META_ANCHORS {
            return Err(PlanError::Refused(ErrorKind::NoSpace.into()));
        }
        let sealed = self
            .keys
            .seal_row(Tree::Meta, key, content.to_vec(), &self.entropy)
            .map_err(RowError::from)?;
        let value = Some(sealed.into());
        self.write(vec![RowChange { tree: Tree::Meta, key: key.into(), value }.into()])?;
        Ok(Answer::Done)
    }

    /// Moves wrapped data keys to the current epoch, in one bounded operation (I10). The values stay as they
    /// are. Keys of a dead secret are dropped instead, because the new epoch must not open them.
    fn rewrap(
        &mut self,
        versions: &[(RecordId, Seq)],
        shared: &Shared,
    ) -> std::result::Result<Answer, PlanError> {
        let mut changes = Vec::new();
        let (keys, entropy) = (self.keys, &self.entropy);
        let view = self.view(shared, None);
        for (id, seq) in versions {
            let Some(mut version) = View::version(&view, *id, *seq)? else { continue };
            let Some(wrapped) = &version.wrapped else { continue };
            if Keyring::wrap_term(wrapped) == Some(keys.epoch()) {
                continue;
            }
            let lives = View::secret(&view, *id)?.is_some_and(|record| !record.dead);
            let again = || {
                let value_key = keys.unwrap_value_key(*id, *seq, &version.version_id, wrapped)?;
                keys.wrap_value_key(*id, *seq, &version.version_id, &value_key, entropy)
            };
            let again = lives.then(again).transpose().map_err(RowError::from)?;
            version.wrapped = again.map(Into::into);
            let content = rows::encode_version(&version).map_err(RowError::from)?;
            let key = rows::version_key(*id, *seq);
            let sealed =
                keys.seal_row(Tree::Versions, &key, content, entropy).map_err(RowError::from)?;
            let value = Some(sealed.into());
            changes.push(RowChange { tree: Tree::Versions, key: key.into(), value }.into());
        }
        if !changes.is_empty() {
            self.write(changes)?;
        }
        Ok(Answer::Done)
    }

    /// Makes `rows` the next change set, and advances the sum.
    fn write(&mut self, rows: Vec<PlannedRow>) -> std::result::Result<(), RowError> {
        let mut sum = self.sum.clone();
        let mut written = Vec::with_capacity(rows.len());
        for PlannedRow { change, opened, is_new } in rows {
            self.take_out(&mut sum, &change, is_new)?;
            let key = self.keys.digest_key();
            let share = change
                .value
                .as_deref()
                .and_then(|value| RowShare::of(key, change.tree, &change.key, value));
            if let Some(share) = &share {
                sum.add_share(share);
            }
            written.push((change, opened.map(|opened| Known { opened, share })));
        }
        self.sum = sum;
        self.lsn = self.lsn.next();
        self.layer.write(self.lsn, written);
        Ok(())
    }

    /// Takes the row that is replaced out of the sum.
    fn take_out(
        &self,
        sum: &mut SetSum,
        RowChange { tree, key, .. }: &RowChange,
        is_new: bool,
    ) -> std::result::Result<(), RowError> {
        if !tree.is_digested() {
            return Ok(());
        }
        if is_new {
            assert!(!cfg!(test) || self.layer.get(*tree, key)?.is_none(), "a new row was there");
            return Ok(());
        }
        match self.layer.before(*tree, key) {
            Before::Absent => {}
            Before::Share(share) => sum.remove_share(&share),
            Before::Unknown => {
                if let Some(old) = self.layer.get(*tree, key)? {
                    sum.remove(self.keys.digest_key(), *tree, key, &old);
                }
            }
        }
        Ok(())
    }
}

/// Why a job could not be planned.
enum PlanError {
    /// A row could not be read or written.
    Row(RowError),
    /// The job is refused.
    Refused(Error),
}

impl From<RowError> for PlanError {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

impl From<Refusal<RowError>> for PlanError {
    fn from(refusal: Refusal<RowError>) -> Self {
        match refusal {
            Refusal::Fault(fault) => Self::Refused(fault.into()),
            Refusal::View(error) => Self::Row(error),
        }
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Row(error) => error.into(),
            PlanError::Refused(error) => error,
        }
    }
}

/// A random ARN suffix. Only operations that make a secret, or answer with an ARN for one that is not there,
/// need it.
fn fresh_suffix(shared: &Shared, mutation: &Command) -> Result<Suffix> {
    if !mutation.needs_suffix() {
        return Ok(Suffix(*b"000000"));
    }
    loop {
        let random = shared.env.random::<16>().map_err(Error::no_entropy)?;
        if let Some(suffix) = Suffix::from_random(&random) {
            return Ok(suffix);
        }
    }
}
