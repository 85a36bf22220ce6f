//! The reading operations. They never wait for a sync and never see half an operation (I3).
//!
//! A value that was found lately is opened again without a look at any row (`view/found.rs`).
//!
//! A read of one secret starts over if its record (for a replica, also its primary's) has changed by the
//! end. A list compares the count of published batches instead. After three tries, or when a row does not
//! open, the read moves to the commit thread, where nothing changes meanwhile. If it fails there too the
//! state is damaged, and it is rebuilt from the log.

use crate::env::UnixMillis;
use crate::error::{ErrorKind, Result};
use crate::model::api::{GetSecretValue, GetSecretValueResponse};
use crate::model::{RecordId, Replication, Scope, SecretRecord, VersionRecord};
use crate::semantics::validate::Checked;
use crate::semantics::{self, Found, Look, Refusal, Upkeep, day_of};
use crate::vault::commit::job::{Job, Mutate};
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::error::RowError;
use crate::vault::inner::Inner;
use crate::vault::runtime::shared::Shared;
use crate::vault::view::found::{FoundValue, Parts};
use crate::vault::view::overlay::Latest;
use crate::vault::view::row_view::RowView;
use std::sync::Arc;

/// Tries on the caller's thread.
const TRIES: usize = 3;

type Outcome<T> = std::result::Result<T, Refusal<RowError>>;
type Rows<'a> = RowView<'a, Latest<'a>>;

/// A read, as a function that can be repeated on the commit thread.
type Ask<Q, T> = fn(&Rows<'_>, &Scope, &Q) -> Outcome<T>;

/// What must not have changed for a read to be consistent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Still {
    /// The record that was read first, and its primary's if that is a replica.
    Secret,
    /// Everything.
    All,
}

impl Inner {
    /// Checks a request and answers it.
    pub(crate) fn look<R>(&self, scope: &Scope, request: &R) -> Result<R::Found>
    where
        R: Look<Names: Clone + Send, Found: Send> + Clone + Send + 'static,
    {
        self.look_checked(scope, &Checked::new(request.clone())?)
    }

    /// Answers a request that was checked.
    pub(crate) fn look_checked<R>(&self, scope: &Scope, request: &Checked<R>) -> Result<R::Found>
    where
        R: Look<Names: Clone + Send, Found: Send> + Clone + Send + 'static,
    {
        let still = if R::IS_OF_ONE_SECRET { Still::Secret } else { Still::All };
        self.read(scope, request, still, |view, scope, request| R::look(view, scope, request))
    }

    /// Answers a question by what the rows say.
    fn read<Q: Clone + Send + 'static, T: Send + 'static>(
        &self,
        scope: &Scope,
        question: &Q,
        still: Still,
        ask: Ask<Q, T>,
    ) -> Result<T> {
        for _ in 0..TRIES {
            match try_read(&self.shared, scope, question, still, ask) {
                Ok(Some(answer)) => return Ok(answer),
                // Something has changed meanwhile, or a row of an earlier moment does not open.
                Ok(None) => {}
                Err(error) if *error.kind() == ErrorKind::StateBroken => break,
                Err(error) => return Err(error),
            }
        }
        let (scope, question) = (scope.clone(), question.clone());
        let read =
            self.driver.control(move |pipeline| read_alone(pipeline, &scope, &question, ask));
        self.named(read.and_then(|read| read))
    }

    /// Finds and opens a value, and notes the day of the access.
    pub(crate) fn read_value(
        &self,
        scope: &Scope,
        request: &GetSecretValue,
    ) -> Result<GetSecretValueResponse> {
        let today = day_of(self.shared.env.clock.wall());
        if let Some(known) = self.known_value(scope, request, today) {
            return Ok(known);
        }
        let opened = self.find_value(scope, request, Some(today))?;
        let Opened { record, version, on, .. } = &opened;
        if self.shared.access_marks.note(version, *on, record.last_accessed, today) {
            let touch = Upkeep::Touch { id: version.id, seq: version.seq, on: *on, day: today };
            let (scope, mutation, done) = (scope.clone(), touch.into(), Box::new(|_| {}));
            let job = Mutate { scope, mutation, payload: None, done };
            self.driver.submit(Job::Mutate(Box::new(job)));
        }
        Ok(opened.output)
    }

    /// Finds and opens a value, without an access mark.
    pub(crate) fn open_value(&self, scope: &Scope, request: &GetSecretValue) -> Result<Opened> {
        self.find_value(scope, request, None)
    }

    /// Finds and opens a value. `day`: that of the access mark that it gets.
    fn find_value(
        &self,
        scope: &Scope,
        request: &GetSecretValue,
        day: Option<UnixMillis>,
    ) -> Result<Opened> {
        let question = (Checked::new(request.clone())?, day);
        self.read(scope, &question, Still::Secret, ask_value)
    }

    /// The value that the same request has found on the same day, if nothing has changed since.
    fn known_value(
        &self,
        scope: &Scope,
        request: &GetSecretValue,
        today: UnixMillis,
    ) -> Option<GetSecretValueResponse> {
        let state = self.shared.state().ok()?;
        let found = state.values().get(scope, request).filter(|found| found.day == today)?;
        // If it does not open, the rows tell why.
        found.answer(&self.shared.keys()).ok()
    }
}

fn try_read<Q, T>(
    shared: &Shared,
    scope: &Scope,
    question: &Q,
    still: Still,
    ask: Ask<Q, T>,
) -> Result<Option<T>> {
    let published = shared.published();
    let state = shared.state()?;
    let keys = shared.keys();
    let rows = state.latest().map_err(RowError::from)?;
    let view = RowView::new(&rows, &keys, &shared.access_marks, None);
    match ask(&view, scope, question) {
        Ok(answer) => {
            let unmoved = match still {
                Still::Secret if !view.first().is_empty() => view.is_unmoved(),
                _ => published.is_some() && shared.published() == published,
            };
            Ok(unmoved.then_some(answer))
        }
        Err(Refusal::Fault(fault)) => {
            // A refusal is final only if nothing changed meanwhile.
            if published.is_some() && shared.published() == published {
                Err(fault.into())
            } else {
                Ok(None)
            }
        }
        Err(Refusal::View(RowError::Store(error))) => Err(RowError::Store(error).into()),
        Err(Refusal::View(_)) => Ok(None),
    }
}

/// Reads on the commit thread, where nothing changes meanwhile. A failure here is the fault of the state.
fn read_alone<Q, T>(
    pipeline: &mut Pipeline,
    scope: &Scope,
    question: &Q,
    ask: Ask<Q, T>,
) -> Result<T> {
    let shared = Arc::clone(&pipeline.shared);
    // `pipeline.state` rebuilds a broken state first.
    let mut is_fresh = shared.state.is_broken();
    loop {
        let state = pipeline.state()?;
        let keys = shared.keys();
        let answer = match state.latest() {
            Err(error) => Err(Refusal::View(RowError::from(error))),
            Ok(rows) => {
                let view = RowView::new(&rows, &keys, &shared.access_marks, None);
                ask(&view, scope, question)
            }
        };
        match answer {
            Ok(answer) => return Ok(answer),
            Err(Refusal::Fault(fault)) => return Err(fault.into()),
            Err(Refusal::View(failure)) if is_fresh || !failure.is_of_state() => {
                return Err(failure.into());
            }
            Err(Refusal::View(_)) => is_fresh = true,
        }
        drop(state);
        pipeline.rebuild_state()?;
    }
}

/// A value that was found and opened, with what an access mark needs.
pub(crate) struct Opened {
    pub(crate) output: GetSecretValueResponse,
    record: SecretRecord,
    version: VersionRecord,
    /// The record whose date of the last read it is.
    on: RecordId,
}

fn ask_value(
    view: &Rows<'_>,
    scope: &Scope,
    (request, day): &(Checked<GetSecretValue>, Option<UnixMillis>),
) -> Outcome<Opened> {
    let Found { record, version, stages } = GetSecretValue::look(view, scope, request)?;
    let kind = version.kind.ok_or(Refusal::View(RowError::Row("ROW-9")))?;
    let key = view.value_key(&version)?;
    let sealed = view.sealed_value(&version)?;
    let value = view.keys.open_value(kind, &key, &sealed).map_err(RowError::from)?;
    let output = GetSecretValueResponse {
        arn: record.arn().to_string(),
        name: record.name.as_str().to_owned(),
        version_id: version.version_id.clone(),
        value,
        version_stages: stages.iter().map(|stage| stage.as_str().to_owned()).collect(),
        created_date: version.created,
    };
    // A replica is two secrets.
    let is_simple = semantics::depends_on_record_alone(scope, &record)
        && matches!(view.first().as_slice(), [(id, _)] if *id == record.id);
    if let Some(day) = day.filter(|_| is_simple) {
        let parts = Parts { id: record.id, kind, key, sealed, day };
        if let Some(found) = FoundValue::new(scope, request, &output, parts) {
            view.keep_value(found);
        }
    }
    // A replica in another region has such a date of its own.
    let on = match (&record.replication, view.first().first()) {
        (Some(Replication::ReplicaOf { .. }), Some((replica, _))) => *replica,
        _ => record.id,
    };
    Ok(Opened { output, record, version, on })
}
