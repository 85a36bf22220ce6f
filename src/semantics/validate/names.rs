//! What a request calls things by: read once its constraints hold.

use super::constraint::Violations;
use super::members::{secret_id_length, stage_length, token_length};
use crate::model::name::NameError;
use crate::model::{SecretName, SecretRef, Stage, VersionId, limits};
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use std::collections::BTreeSet;

/// A required member is absent: `Value null at 'secretId' ... Member must not be null`. For
/// whoever reads the wire, where members can be missing. `paths` are lowerCamel.
#[must_use]
pub fn missing(paths: &[&str]) -> Option<Fault> {
    let mut found = Violations::default();
    for path in paths {
        found.missing(path);
    }
    found.into_result().err()
}

/// Reads a `Name`: E12 for a character that none may have.
pub(crate) fn name(text: &str) -> Result<SecretName, Fault> {
    SecretName::parse(text).map_err(|error| match error {
        NameError::Character(_) => messages::bad_name(),
        NameError::Empty | NameError::TooLong => {
            let mut found = Violations::default();
            found.text("name", text, 1, limits::NAME_CHARS_MAX);
            found.into_result().err().unwrap_or_else(messages::bad_name)
        }
    })
}

/// Reads a `SecretId`: E12 for a character that no name may have. A friendly name longer than any
/// name can be is legal to ask for and found nowhere.
pub(crate) fn reference(text: &str) -> Result<SecretRef, Fault> {
    match SecretRef::parse(text) {
        Ok(reference) => Ok(reference),
        Err(NameError::TooLong) => Ok(SecretRef::Nowhere),
        Err(NameError::Character(_)) => Err(messages::bad_name()),
        Err(NameError::Empty) => secret_id_length_of(text).and(Ok(SecretRef::Nowhere)),
    }
}

/// Reads a `ClientRequestToken`: E10 if there is none.
pub(crate) fn token(text: Option<&str>) -> Result<VersionId, Fault> {
    let text = text.ok_or_else(messages::no_token)?;
    VersionId::parse(text).ok_or_else(|| {
        let mut found = Violations::default();
        token_length(&mut found, Some(text));
        found.into_result().err().unwrap_or_else(messages::no_token)
    })
}

/// Reads a `VersionStage`.
pub(crate) fn stage(text: &str) -> Result<Stage, Fault> {
    let mut found = Violations::default();
    stage_length(&mut found, "versionStage", text);
    found.into_result()?;
    Stage::parse(text).ok_or_else(|| messages::no_value_at_stage(text))
}

pub(crate) fn secret_id(text: &str) -> Result<SecretRef, Fault> {
    secret_id_length_of(text)?;
    reference(text)
}

fn secret_id_length_of(text: &str) -> Result<(), Fault> {
    let mut found = Violations::default();
    secret_id_length(&mut found, text);
    found.into_result()
}

/// Reads a version's id whose length was checked.
pub(crate) fn version(text: Option<&str>) -> Result<Option<VersionId>, Fault> {
    text.map(|text| VersionId::parse(text).ok_or_else(|| messages::no_version(text))).transpose()
}

/// What a request about one secret names.
pub trait Names {
    /// `SecretId`
    fn secret(&self) -> &SecretRef;
}

impl Names for SecretRef {
    fn secret(&self) -> &SecretRef {
        self
    }
}

macro_rules! names {
    ($($names:ident),*) => {$(
        impl Names for $names {
            fn secret(&self) -> &SecretRef {
                &self.secret
            }
        }
    )*};
}

names!(PutNames, VersionNames, StageNames, ValueNames);

/// What `CreateSecret` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNames {
    /// `Name`
    pub name: SecretName,
    /// `ClientRequestToken`
    pub token: VersionId,
}

/// What `PutSecretValue` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutNames {
    /// `SecretId`
    pub secret: SecretRef,
    /// `ClientRequestToken`
    pub token: VersionId,
    /// `VersionStages`
    pub stages: Option<BTreeSet<Stage>>,
}

/// What `UpdateSecret` and `RotateSecret` name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionNames {
    /// `SecretId`
    pub secret: SecretRef,
    /// `ClientRequestToken`
    pub token: VersionId,
}

/// What `UpdateSecretVersionStage` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageNames {
    /// `SecretId`
    pub secret: SecretRef,
    /// `VersionStage`
    pub stage: Stage,
    /// `RemoveFromVersionId`
    pub from: Option<VersionId>,
    /// `MoveToVersionId`
    pub to: Option<VersionId>,
}

/// What `GetSecretValue` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueNames {
    /// `SecretId`
    pub secret: SecretRef,
    /// `VersionId`
    pub version: Option<VersionId>,
    /// `VersionStage`
    pub stage: Option<Stage>,
}
