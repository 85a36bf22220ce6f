//! Seals the value of a write before it travels to the commit pipeline.

use crate::crypto::{Keyring, SealedValue};
use crate::env::{Entropy, Env};
use crate::error::{Error, ErrorKind, Result};
use crate::model::VersionId;
use crate::model::api::Write;
use crate::secret::{PayloadKind, SecretValue};
use crate::semantics::validate::Value;
use crate::semantics::{CheckedWrite, Command};

/// A write as `semantics` sees it, and its sealed value.
type Sealed = (Command, Option<SealedValue>);

impl Value for SecretValue {
    fn kind(&self) -> PayloadKind {
        self.kind()
    }

    fn shape(&self) -> Option<(PayloadKind, usize)> {
        Some((self.kind(), self.bytes().len()))
    }
}

/// Checks a write and seals its value, on the caller's thread. The plaintext is wiped here.
pub(crate) fn seal(keys: &Keyring, env: &Env, write: Write) -> Result<Sealed> {
    let entropy = env.entropy.as_ref();
    let (write, sealed) = CheckedWrite::seal(write, |value| seal_value(keys, entropy, &value))?;
    Ok((Command::Write(write), sealed))
}

fn seal_value(keys: &Keyring, entropy: &dyn Entropy, value: &SecretValue) -> Result<SealedValue> {
    // EXPOSE: only looked at. A text that is none could be sealed but never opened again.
    let is_text = std::str::from_utf8(value.bytes().expose()).is_ok();
    if matches!(value, SecretValue::String(_)) && !is_text {
        return Err(ErrorKind::Usage { what: "a SecretString is UTF-8; take SecretBinary" }.into());
    }
    keys.seal_value(value, entropy).map_err(|_| ErrorKind::no_entropy().into())
}

/// A `ClientRequestToken` for a caller of the library who gave none, as every AWS SDK makes one.
pub(crate) fn fill_token(env: &Env, token: &mut Option<String>) -> Result<()> {
    if token.is_none() {
        let random = env.random::<16>().map_err(Error::no_entropy)?;
        *token = Some(VersionId::from_random(random).as_str().to_owned());
    }
    Ok(())
}
