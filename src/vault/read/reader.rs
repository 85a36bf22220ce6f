//! The reading operations. They never wait for a sync and never see half an operation (I3).
//!
//! A read of one secret reads its record (for a replica, also its primary's) first and again last, and
//! starts over if it has changed. A list compares the count of published batches instead. After three
//! tries, or when a row does not open, the read moves to the commit thread, where nothing changes
//! meanwhile. If it fails there too the state is damaged, and it is rebuilt from the log.

use crate::error::{ErrorKind, Result};
use crate::model::Scope;
use crate::model::api::{
    DescribeSecret, DescribeSecretResponse, GetResourcePolicy, GetResourcePolicyResponse,
    GetSecretValue, GetSecretValueResponse, ListResourcePolicies, ListResourcePoliciesResponse,
    ListSecretVersionIds, ListSecretVersionIdsResponse, ListSecrets, ListSecretsResponse,
    ValidateResourcePolicy, ValidateResourcePolicyResponse,
};
use crate::semantics::validate::{Check, Checked};
use crate::semantics::{Command, Refusal, View, day_of, read};
use crate::store::Store;
use crate::vault::commit::job::{Job, Mutate};
use crate::vault::commit::pipeline::Pipeline;
use crate::vault::error::RowError;
use crate::vault::inner::Inner;
use crate::vault::runtime::shared::Shared;
use crate::vault::view::row_view::RowView;
use std::sync::Arc;

/// Tries on the caller's thread.
const TRIES: usize = 3;

type Outcome<T> = std::result::Result<T, Refusal<RowError>>;
type Rows<'a> = RowView<'a, &'a dyn Store>;

/// A read, as a function that can be repeated on the commit thread.
type Ask<Q, T> = fn(&Rows<'_>, &Scope, &Q) -> Outcome<T>;

/// What must not have changed for a read to be consistent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Still {
    /// The record that was read first, and its primary's if that is a replica.
    Secret,
    /// Everything.
    All,
}

impl Inner {
    /// Checks a request and answers it.
    pub(crate) fn read<Q, T>(
        &self,
        scope: &Scope,
        question: &Q,
        still: Still,
        ask: Ask<Checked<Q>, T>,
    ) -> Result<T>
    where
        Q: Check<Names: Clone + Send> + Clone + Send + 'static,
        T: Send + 'static,
    {
        self.read_checked(scope, &Checked::new(question.clone())?, still, ask)
    }

    /// Answers a request that was checked.
    pub(crate) fn read_checked<Q: Clone + Send + 'static, T: Send + 'static>(
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
        self.driver.control(move |pipeline| read_alone(pipeline, &scope, &question, ask))?
    }

    pub(crate) fn get_secret_value(
        &self,
        scope: &Scope,
        request: &GetSecretValue,
    ) -> Result<GetSecretValueResponse> {
        let opened = self.open_value(scope, request)?;
        let today = day_of(self.shared.env.clock.wall());
        if self.shared.access_marks.note(&opened.record, &opened.version, today) {
            let mutation =
                Command::Touch { id: opened.record.id, seq: opened.version.seq, day: today };
            let done = Box::new(|_| {});
            let job = Mutate { scope: scope.clone(), mutation, payload: None, done };
            self.driver.submit(Job::Mutate(Box::new(job)));
        }
        Ok(opened.output)
    }

    /// Finds and opens a value, without an access mark.
    pub(crate) fn open_value(&self, scope: &Scope, request: &GetSecretValue) -> Result<Opened> {
        self.read(scope, request, Still::Secret, ask_value)
    }

    pub(crate) fn describe_secret(
        &self,
        scope: &Scope,
        request: &DescribeSecret,
    ) -> Result<DescribeSecretResponse> {
        self.read(scope, request, Still::Secret, |view, scope, ask| {
            read::describe_secret(view, scope, ask)
        })
    }

    pub(crate) fn list_secret_version_ids(
        &self,
        scope: &Scope,
        request: &ListSecretVersionIds,
    ) -> Result<ListSecretVersionIdsResponse> {
        self.read(scope, request, Still::Secret, |view, scope, ask| {
            read::list_secret_version_ids(view, scope, ask)
        })
    }

    pub(crate) fn get_resource_policy(
        &self,
        scope: &Scope,
        request: &GetResourcePolicy,
    ) -> Result<GetResourcePolicyResponse> {
        self.read(scope, request, Still::Secret, |view, scope, ask| {
            read::get_resource_policy(view, scope, ask)
        })
    }

    pub(crate) fn list_resource_policies(
        &self,
        scope: &Scope,
        request: &ListResourcePolicies,
    ) -> Result<ListResourcePoliciesResponse> {
        self.read(scope, request, Still::Secret, |view, scope, ask| {
            read::list_resource_policies(view, scope, ask)
        })
    }

    pub(crate) fn validate_resource_policy(
        &self,
        scope: &Scope,
        request: &ValidateResourcePolicy,
    ) -> Result<ValidateResourcePolicyResponse> {
        self.read(scope, request, Still::Secret, |view, scope, ask| {
            read::validate_resource_policy(view, scope, ask)
        })
    }

    pub(crate) fn list_secrets(
        &self,
        scope: &Scope,
        request: &ListSecrets,
    ) -> Result<ListSecretsResponse> {
        self.read(scope, request, Still::All, |view, scope, ask| {
            read::list_secrets(view, scope, ask)
        })
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
    let store = state.store();
    let view = RowView::new(&store, &keys, &shared.access_marks, None);
    match ask(&view, scope, question) {
        Ok(answer) => {
            let first = view.first();
            let unmoved = match still {
                Still::Secret if !first.is_empty() => first.iter().all(|(id, lsn)| {
                    view.secret(*id).ok().flatten().is_some_and(|record| record.lsn == *lsn)
                }),
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
        let store = state.store();
        let view = RowView::new(&store, &keys, &shared.access_marks, None);
        match ask(&view, scope, question) {
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
    record: crate::model::SecretRecord,
    version: crate::model::VersionRecord,
}

fn ask_value(view: &Rows<'_>, scope: &Scope, request: &Checked<GetSecretValue>) -> Outcome<Opened> {
    let found = read::get_secret_value(view, scope, request)?;
    let (record, version) = (found.record, found.version);
    let kind = version.kind.ok_or(Refusal::View(RowError::Row("ROW-9")))?;
    let key = view.value_key(&version)?;
    let sealed = view.sealed_value(&version)?;
    let value = view.keys.open_value(kind, &key, &sealed).map_err(RowError::from)?;
    let output = GetSecretValueResponse {
        arn: record.arn().to_string(),
        name: record.name.as_str().to_owned(),
        version_id: version.version_id.clone(),
        value,
        version_stages: found.stages.iter().map(|stage| stage.as_str().to_owned()).collect(),
        created_date: version.created,
    };
    Ok(Opened { output, record, version })
}
