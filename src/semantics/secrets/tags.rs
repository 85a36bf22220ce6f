//! Tags: `TagResource`, `UntagResource`, and those that a secret is made with (SEM-TAG).

use crate::model::api::{TagResource, UntagResource};
use crate::model::{SecretRef, Tag, limits};
use crate::semantics::access::{Action, resolve};
use crate::semantics::change::{Change, Labels};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Decide;
use crate::semantics::plan::{Answer, Context, Outcome, View, nothing};
use crate::semantics::validate::{
    AboutSecret, Check, Checked, Violations, constraint, members, names,
};
use std::collections::BTreeSet;

/// The tags of a new secret. None at all is "never tagged", not an empty list (SEM-TAG-4).
pub(crate) fn first(tags: &[Tag]) -> Result<Option<Vec<Tag>>, Fault> {
    check(tags)?;
    let merged = merge(Vec::new(), tags)?;
    Ok(if merged.is_empty() { None } else { Some(merged) })
}

impl Check for TagResource {
    type Names = SecretRef;
    const IS_ABOUT_A_REPLICAS_OWN: bool = true;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        members::tags(&mut found, &self.tags);
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for TagResource {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for TagResource {
    const GROWS: bool = true;

    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let record = resolve::active(view, &context.scope, request.secret(), Action::TagResource)?;
        check(&request.tags)?;
        if request.tags.is_empty() {
            return Ok(nothing(Answer::Done));
        }
        let mut change = Change::of(record, Labels::none(), context.now);
        let before = change.record.tags.take().unwrap_or_default();
        change.record.tags = Some(merge(before, &request.tags)?);
        Ok(change.finish(Answer::Done)?)
    }
}

impl Check for UntagResource {
    type Names = SecretRef;
    const IS_ABOUT_A_REPLICAS_OWN: bool = true;

    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::secret_id_length(&mut found, &self.secret_id);
        for (path, key) in constraint::members("tagKeys", &self.tag_keys) {
            found.text(&path, key, 1, limits::TAG_KEY_CHARS_MAX);
        }
        found.into_result()?;
        names::reference(&self.secret_id)
    }
}

impl AboutSecret for UntagResource {
    fn secret_id(&self) -> &str {
        &self.secret_id
    }
}

impl Decide for UntagResource {
    fn decide<V: View>(view: &V, context: &Context, request: &Checked<Self>) -> Outcome<V> {
        let record =
            resolve::active(view, &context.scope, request.secret(), Action::UntagResource)?;
        let goes = |tag: &Tag| request.tag_keys.contains(&tag.key);
        if !record.tags.as_deref().unwrap_or_default().iter().any(goes) {
            return Ok(nothing(Answer::Done));
        }
        let mut change = Change::of(record, Labels::none(), context.now);
        if let Some(tags) = &mut change.record.tags {
            tags.retain(|tag| !goes(tag));
        }
        Ok(change.finish(Answer::Done)?)
    }
}

/// What a user may not ask for: a reserved key, a key twice (SEM-TAG-5, SEM-TAG-6).
fn check(tags: &[Tag]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for tag in tags {
        if tag.key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(messages::reserved_tag(&tag.key));
        }
        if !seen.insert(tag.key.as_str()) {
            return Err(messages::duplicate_tag(&tag.key));
        }
    }
    Ok(())
}

/// Adds `new` to `tags`: a known key keeps its place and gets the new value (SEM-TAG-1).
fn merge(mut tags: Vec<Tag>, new: &[Tag]) -> Result<Vec<Tag>, Fault> {
    for tag in new {
        match tags.iter_mut().find(|known| known.key == tag.key) {
            Some(known) => known.value.clone_from(&tag.value),
            None => tags.push(tag.clone()),
        }
        if tags.len() > limits::TAGS_MAX {
            return Err(messages::too_many_tags());
        }
    }
    Ok(tags)
}
