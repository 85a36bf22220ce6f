//! Pairs that sign requests to the server. They are ordinary secrets of an account that no caller has, so
//! they are sealed, logged and deleted like any other.

use super::inner::Inner;
use super::job::fill_token;
use crate::env::Env;
use crate::env::threads::sync::atomic::Ordering;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Scope;
use crate::model::api::{
    CreateSecret, DeleteSecret, DescribeSecret, GetSecretValue, ListSecrets, Write,
};
use crate::secret::{SecretBytes, SecretValue};
use crate::semantics::FaultKind;
use zeroize::Zeroizing;

/// A pair that signs requests to the server.
#[derive(Debug)]
pub struct Credential {
    /// `AKIA` and 16 more characters.
    pub access_key_id: String,
    /// The account of its requests, of 12 digits.
    pub account: String,
    /// The secret half.
    pub secret_access_key: SecretBytes,
}

/// The longest access key id that is looked for.
const ID_CHARS_MAX: usize = 128;

/// The scope of the pairs. No credential can name its account.
fn scope() -> Scope {
    Scope::new("strongroom", "credentials")
}

/// `len` characters of `alphabet`, which has 32 or 64 of them.
fn random_text(env: &Env, alphabet: &[u8], len: usize) -> Result<Zeroizing<String>> {
    let mut random = Zeroizing::new(vec![0; len]);
    env.entropy.fill(&mut random).map_err(Error::no_entropy)?;
    let mut text = Zeroizing::new(String::with_capacity(len));
    for byte in random.iter() {
        let letter =
            alphabet.get(usize::from(*byte) % alphabet.len().max(1)).copied().unwrap_or(b'A');
        text.push(char::from(letter));
    }
    Ok(text)
}

impl Inner {
    pub(super) fn new_credential(&self, account: &str) -> Result<Credential> {
        const UPPER: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        // The alphabet of AWS, without the characters that a shell or a URL needs quoted.
        const MIXED: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        if !crate::model::name::is_account(account) {
            return Err(ErrorKind::Usage { what: "an account is 12 digits" }.into());
        }
        let env = &self.shared.env;
        let access_key_id = format!("AKIA{}", random_text(env, UPPER, 16)?.as_str());
        let secret = random_text(env, MIXED, 40)?;
        let mut request = CreateSecret::new(access_key_id.clone());
        request.description = Some(account.to_owned());
        // EXPOSE: the generated text moves into the fence; its own buffer is wiped on drop.
        request.value = Some(SecretValue::String(SecretBytes::copy_from(secret.as_bytes())));
        fill_token(env, &mut request.client_request_token)?;
        self.write(&scope(), Write::CreateSecret(request))?;
        self.note_credential_change();
        let secret_access_key = SecretBytes::copy_from(secret.as_bytes());
        Ok(Credential { access_key_id, account: account.to_owned(), secret_access_key })
    }

    pub(super) fn credentials(&self) -> Result<Vec<Credential>> {
        let scope = scope();
        let mut found = Vec::new();
        let mut request = ListSecrets::default();
        loop {
            let page = self.look(&scope, &request)?;
            for entry in page.secrets {
                let value = match self.open_value(&scope, &GetSecretValue::new(&entry.name)) {
                    Ok(opened) => opened.output.value,
                    // It was revoked after it was listed.
                    Err(error) if error.is_not_found() => continue,
                    Err(error) => return Err(error),
                };
                let secret_access_key = match value {
                    SecretValue::String(bytes) | SecretValue::Binary(bytes) => bytes,
                };
                let account =
                    entry.description.unwrap_or_else(|| Scope::DEFAULT_ACCOUNT.to_owned());
                found.push(Credential { access_key_id: entry.name, account, secret_access_key });
            }
            match page.next_token {
                Some(next) => request.next_token = Some(next),
                None => return Ok(found),
            }
        }
    }

    pub(super) fn revoke_credential(&self, access_key_id: &str) -> Result<bool> {
        if access_key_id.is_empty() || access_key_id.len() > ID_CHARS_MAX {
            return Ok(false);
        }
        let mut describe = DescribeSecret::default();
        access_key_id.clone_into(&mut describe.secret_id);
        match self.look(&scope(), &describe) {
            Ok(_) => {}
            Err(error) => {
                let kind = error.fault().map(|fault| fault.kind);
                return match kind {
                    Some(FaultKind::ResourceNotFound | FaultKind::Validation) => Ok(false),
                    _ => Err(error),
                };
            }
        }
        let request = DeleteSecret {
            secret_id: access_key_id.to_owned(),
            recovery_window_in_days: None,
            force_delete_without_recovery: Some(true),
        };
        self.write(&scope(), Write::DeleteSecret(request))?;
        self.note_credential_change();
        Ok(true)
    }

    /// A server looks the pairs up again before its next request. So a change holds before it is reported.
    fn note_credential_change(&self) {
        self.shared.credential_changes.fetch_add(1, Ordering::AcqRel);
    }
}
