//! `BatchGetSecretValue` (SEM-BATCH-1 to SEM-BATCH-8): which secrets it means. `vault` reads each of
//! them as `GetSecretValue` does.

use super::filter::Filters;
use super::{list, page};
use crate::model::api::{ApiErrorType, BatchGetSecretValue};
use crate::model::{Scope, limits};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Look;
use crate::semantics::plan::{Refusal, View};
use crate::semantics::validate::{Check, Checked, Violations, constraint, filters, members};

/// How a batch says which secrets it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// These, in this order.
    Ids(&'a [String]),
    /// A page of those that its filters select.
    Filters,
}

/// Some of the selected secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Their ARNs, in the order of creation.
    pub arns: Vec<String>,
    /// Where the next page goes on, if more may follow.
    pub next_token: Option<String>,
}

impl Check for BatchGetSecretValue {
    type Names = ();

    /// Constraints, then whether ids or filters are given (E36, E35), and
    /// the presence of key and values in each filter (E37) last. An id with a character that no name
    /// may have is a matter of its own secret (SEM-BATCH-3).
    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        if let Some(ids) = &self.secret_id_list {
            found.list("secretIdList", &ids.join(", "), ids.len(), 1, limits::BATCH_MAX);
            for (path, id) in constraint::members("secretIdList", ids) {
                found.text(&path, id, 1, limits::SECRET_ID_CHARS_MAX);
            }
        }
        let filters = self.filters.as_deref().unwrap_or_default();
        filters::filter_constraints(&mut found, filters);
        members::page(&mut found, self.max_results, self.next_token.as_deref(), limits::BATCH_MAX);
        found.into_result()?;
        match (&self.secret_id_list, filters) {
            (_, []) if self.max_results.is_some() => return Err(messages::page_without_filters()),
            (Some(_), [_, ..]) | (None, []) => return Err(messages::ids_or_filters()),
            (Some(_), []) | (None, [_, ..]) => (),
        }
        filters::whole_filters(filters)
    }
}

/// How a batch says which secrets it means.
#[must_use]
pub fn selection(request: &Checked<BatchGetSecretValue>) -> Selection<'_> {
    match &request.secret_id_list {
        Some(ids) => Selection::Ids(ids),
        None => Selection::Filters,
    }
}

/// A page of the secrets that the filters of a batch select; scheduled ones are not among them.
impl Look for BatchGetSecretValue {
    type Found = Selected;
    const IS_OF_ONE_SECRET: bool = false;

    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>> {
        let filters = Filters::new(request.filters.as_deref().unwrap_or_default());
        let limit = page::size_to(request.max_results, limits::BATCH_MAX);
        let token = request.next_token.as_deref();
        let (records, next_token) =
            list::active_in_creation_order(view, scope, &filters, token, limit)?;
        let arns = records.iter().map(|record| record.arn().to_string()).collect();
        Ok(Selected { arns, next_token })
    }
}

/// The entry of a secret that has no value for the answer.
#[must_use]
pub fn error(secret_id: &str, fault: &Fault) -> ApiErrorType {
    ApiErrorType {
        secret_id: secret_id.to_owned(),
        error_code: fault.kind.name().to_owned(),
        message: fault.message.clone(),
    }
}

/// Whether a refusal says that a secret which filters selected a moment ago would not be selected
/// any more: it was deleted, or scheduled for it (SEM-BATCH-7).
#[must_use]
pub fn is_no_longer_selected(fault: &Fault) -> bool {
    *fault == messages::no_secret() || *fault == messages::is_scheduled()
}
