//! `put` and `get`: what most programs need.

use crate::error::Result;
use crate::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use crate::secret::SecretValue;
use crate::vault::handle::Vault;

/// How often `put` starts again when others create and delete the same secret meanwhile.
const TRIES: usize = 4;

impl Vault {
    /// Stores `value` as the current version of `name`. The secret is created if it does not exist. The value
    /// is durable when this returns.
    ///
    /// ```
    /// # use strongroom::Vault;
    /// # fn main() -> strongroom::Result<()> {
    /// # let vault = Vault::in_memory()?;
    /// vault.put("app/db", "hunter2")?;
    /// vault.put("app/db", "correct horse")?; // "hunter2" is AWSPREVIOUS now
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails as `PutSecretValue` and `CreateSecret` do: for a name or value that is too long, say, or a
    /// secret that is scheduled for deletion.
    pub fn put(&self, name: impl AsRef<str>, value: impl Into<SecretValue>) -> Result<()> {
        let (name, value) = (name.as_ref(), value.into());
        let mut tries = 1;
        loop {
            let put = PutSecretValue::new(name, value.duplicate());
            match self.put_secret_value(put) {
                Err(error) if error.is_not_found() => {}
                outcome => return outcome.map(drop),
            }
            let create = CreateSecret::new(name).value(value.duplicate());
            match self.create_secret(create) {
                Err(error) if error.is_exists() && tries < TRIES => tries += 1,
                outcome => return outcome.map(drop),
            }
        }
    }

    /// Reads the current value of `name`.
    ///
    /// ```
    /// # use strongroom::Vault;
    /// # fn main() -> strongroom::Result<()> {
    /// # let vault = Vault::in_memory()?;
    /// # vault.put("app/db", "hunter2")?;
    /// let value = vault.get("app/db")?;
    /// assert_eq!(value.as_str()?, "hunter2");
    /// assert!(vault.get("app/none").unwrap_err().is_not_found());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if there is no such secret, or if it has no current value ([`Error::is_not_found`]), and if
    /// it is scheduled for deletion.
    ///
    /// [`Error::is_not_found`]: crate::Error::is_not_found
    pub fn get(&self, name: impl AsRef<str>) -> Result<SecretValue> {
        Ok(self.get_secret_value(GetSecretValue::new(name.as_ref()))?.value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_put_creates_and_the_next_one_adds_a_version() {
        let vault = Vault::in_memory().unwrap();
        assert!(vault.get("app/db").unwrap_err().is_not_found());
        vault.put("app/db", "one").unwrap();
        vault.put("app/db", vec![0xff, 0]).unwrap();
        let value = vault.get("app/db").unwrap();
        assert_eq!(value.as_bytes(), [0xff, 0]);
        assert!(value.as_str().is_err());
        let previous = GetSecretValue::new("app/db").version_stage("AWSPREVIOUS");
        let previous = vault.get_secret_value(previous).unwrap();
        assert_eq!(previous.value.as_str(), Ok("one"));
    }

    #[test]
    fn puts_of_one_name_from_many_threads_all_succeed() {
        let vault = Vault::in_memory().unwrap();
        std::thread::scope(|threads| {
            for n in 0..8 {
                let vault = vault.clone();
                threads.spawn(move || vault.put("new", format!("value {n}")).unwrap());
            }
        });
        assert!(vault.get("new").unwrap().as_str().unwrap().starts_with("value "));
    }
}
