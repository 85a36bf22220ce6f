//! The core of an open vault: what is shared, and the way to the commit pipeline.

use super::commit::driver::Driver;
use super::commit::job::{Done, Job, Mutate};
use super::job::seal;
use super::runtime::shared::Shared;
use crate::env::threads::sync::Arc;
use crate::error::{Error, Result};
use crate::model::Scope;
use crate::model::api::Write;
use crate::secret::SecretBytes;
use crate::semantics::password::Recipe;
use crate::semantics::{Answer, Upkeep};

/// What handles and background threads of an open vault work with. The threads themselves belong to
/// [`Running`](super::running::Running).
pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) driver: Driver,
}

impl Inner {
    /// Checks, seals and commits a write, and waits for its outcome.
    pub(crate) fn write(&self, scope: &Scope, write: Write) -> Result<Answer> {
        let job = self.prepare_write(scope, write);
        self.named(job.and_then(|job| self.driver.call(job)))
    }

    /// The same result. An error gets the vault's folder.
    pub(crate) fn named<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.in_vault(&self.shared.dir))
    }

    /// Checks and seals a write. The job only lacks the callback for its outcome.
    pub(crate) fn prepare_write(
        &self,
        scope: &Scope,
        write: Write,
    ) -> Result<impl FnOnce(Done) -> Job + use<>> {
        if let Some(kind) = self.shared.refuses_writes() {
            return Err(kind.into());
        }
        let (mutation, payload) = seal(&self.shared.keys(), &self.shared.env, write)?;
        let scope = scope.clone();
        Ok(move |done| Job::Mutate(Box::new(Mutate { scope, mutation, payload, done })))
    }

    /// Commits what the vault changes by itself, and waits for its outcome.
    pub(crate) fn commit(&self, upkeep: Upkeep) -> Result<Answer> {
        let (scope, mutation) = (Scope::default(), upkeep.into());
        self.driver
            .call(|done| Job::Mutate(Box::new(Mutate { scope, mutation, payload: None, done })))
    }

    /// A random password.
    pub(crate) fn random_password(&self, recipe: &Recipe) -> Result<SecretBytes> {
        let entropy = &self.shared.env.entropy;
        let drawn = recipe.draw(|buffer| entropy.fill(buffer));
        let mut password = drawn.map_err(Error::no_entropy)?;
        Ok(SecretBytes::new(std::mem::take(&mut *password)))
    }
}
