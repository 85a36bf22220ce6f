//! Requests that change only the dates of access.

use super::refusals::{constraints, e1, e3, length, page_range, refuse};
use super::{Ans, DAY, Filter, Id, Model, Secret, Tagged, VersionRow};

impl Model {
    pub(super) fn get(
        &mut self,
        region: &str,
        id: &Id,
        version: Option<&str>,
        stage: Option<&str>,
    ) -> Result<Tagged, Tagged> {
        constraints([
            length("secretId", &self.text_of(region, id), 1, 2048),
            version.and_then(|id| length("versionId", id, 32, 64)),
            stage.and_then(|label| length("versionStage", label, 1, 256)),
        ])?;
        let at = self.open(region, id)?;
        let today = self.wall.div_euclid(DAY) * DAY;
        let account = self.account.clone();
        let secret = &mut self.secrets[at];
        let (tag, wanted) = if let Some(version) = version {
            if secret.version(version).is_none() {
                return Err(e3(version));
            }
            let stages = secret.stages_of(version);
            if stage.is_some_and(|stage| !stages.iter().any(|label| label == stage)) {
                let text =
                    "You provided a VersionStage that is not associated to the provided VersionId.";
                return Err(refuse("E4 stage elsewhere", "InvalidRequest", Some(text.into())));
            }
            let tag = match (stages.is_empty(), stage) {
                (true, _) => "ok deprecated",
                (false, None) => "ok by version",
                (false, Some(_)) => "ok by both",
            };
            (tag, version.to_owned())
        } else {
            let label = stage.unwrap_or("AWSCURRENT");
            let Some(holder) = secret.labels.get(label) else {
                let text = format!(
                    "Secrets Manager can't find the specified secret value for staging label: {label}"
                );
                return Err(refuse("E2 no label", "ResourceNotFound", Some(text)));
            };
            let tag = if stage.is_some() { "ok by stage" } else { "ok" };
            (tag, holder.clone())
        };
        let stages = secret.stages_of(&wanted);
        let (arn, name) = (secret.arn(&account), secret.name.clone());
        secret.accessed = secret.accessed.max(Some(today));
        let version = secret.versions.iter_mut().find(|version| version.id == wanted).unwrap();
        version.accessed = version.accessed.max(Some(today));
        let (value, created) = (version.value.clone(), version.created);
        Ok((tag, Ans::Value { arn, name, version: wanted, value, stages, created }))
    }

    pub(super) fn describe(&self, region: &str, id: &Id) -> Result<Tagged, Tagged> {
        let at = self.find(region, &self.text_of(region, id))?.ok_or_else(e1)?;
        let tag = if self.secrets[at].deletion.is_some() { "ok scheduled" } else { "ok" };
        Ok((tag, Ans::Described(self.secrets[at].described(&self.account))))
    }

    pub(super) fn versions(
        &self,
        region: &str,
        id: &Id,
        deprecated: bool,
        page: Option<i64>,
    ) -> Result<Tagged, Tagged> {
        constraints([length("secretId", &self.text_of(region, id), 1, 2048), page_range(page)])?;
        let at = self.find(region, &self.text_of(region, id))?.ok_or_else(e1)?;
        let secret = &self.secrets[at];
        let kms = secret.kms.clone().unwrap_or_else(|| "DefaultEncryptionKey".into());
        let rows = secret.versions.iter().map(|version| VersionRow {
            id: version.id.clone(),
            stages: secret.stages_of(&version.id),
            created: version.created,
            accessed: version.accessed,
            kms: vec![kms.clone()],
        });
        let rows = rows.filter(|row| deprecated || !row.stages.is_empty()).collect();
        let tag = match (secret.deletion.is_some(), deprecated, page) {
            (true, _, _) => "ok scheduled",
            (false, true, _) => "ok deprecated",
            (false, false, Some(_)) => "ok paged",
            (false, false, None) => "ok",
        };
        Ok((tag, Ans::Versions { arn: secret.arn(&self.account), name: secret.name.clone(), rows }))
    }

    pub(super) fn list(
        &self,
        region: &str,
        planned: bool,
        page: Option<i64>,
        filters: &[Filter],
        (by_name, descending): (bool, bool),
    ) -> Result<Tagged, Tagged> {
        constraints([page_range(page)])?;
        let mut listed: Vec<&Secret> = self
            .secrets
            .iter()
            .filter(|secret| secret.region == region)
            .filter(|secret| planned || secret.deletion.is_none())
            .filter(|secret| filters.iter().all(|filter| selected(secret, filter)))
            .collect();
        if by_name {
            listed.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if descending {
            listed.reverse();
        }
        let tag = match (filters.is_empty(), page, by_name || descending) {
            (false, _, _) => "ok filtered",
            (true, Some(_), _) => "ok paged",
            (true, None, true) => "ok sorted",
            (true, None, false) => "ok",
        };
        let listed = listed.iter().map(|secret| secret.described(&self.account)).collect();
        Ok((tag, Ans::Secrets(listed)))
    }
}

fn selected(secret: &Secret, filter: &Filter) -> bool {
    let tags = secret.tags.as_deref().unwrap_or_default();
    let selects = |prefix: &str| match filter.key {
        "name" => secret.name.starts_with(prefix),
        "tag-key" => tags.iter().any(|(key, _)| key.starts_with(prefix)),
        "tag-value" => tags.iter().any(|(_, value)| value.starts_with(prefix)),
        other => panic!("the generator makes no filter {other}"),
    };
    filter.values.iter().any(|value| match value.strip_prefix('!') {
        Some(unwanted) => !selects(unwanted),
        None => selects(value),
    })
}
