//! Values, batches of values, random passwords.

use super::json::{COMMON_BYTES, Members, Structure};
use crate::model::api::{
    ApiErrorType, BatchGetSecretValueResponse, GetRandomPasswordResponse, GetSecretValueResponse,
};
use crate::secret::SecretValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap;
use zeroize::Zeroizing;

impl Structure for GetSecretValueResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("ARN", &self.arn);
        out.add("Name", &self.name);
        out.add("VersionId", self.version_id.as_str());
        // EXPOSE: the caller asked for the value. It goes into the wiped buffer of the response.
        let bytes = self.value.bytes().expose();
        match self.value {
            SecretValue::String(_) => out.text("SecretString", bytes),
            SecretValue::Binary(_) => out.text("SecretBinary", &base64(bytes)),
        }
        if !self.version_stages.is_empty() {
            out.add("VersionStages", &self.version_stages);
        }
        out.date("CreatedDate", self.created_date);
    }

    fn room(&self) -> usize {
        let bytes = self.value.bytes().len();
        COMMON_BYTES
            + match self.value {
                SecretValue::String(_) => bytes,
                SecretValue::Binary(_) => base64_len(bytes),
            }
    }
}

/// Standard alphabet, padded.
fn base64(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(vec![0; base64_len(bytes.len())]);
    let written = STANDARD.encode_slice(bytes, &mut text);
    debug_assert_eq!(written, Ok(text.len()), "the length of padded base64 is known");
    text
}

fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

impl Structure for BatchGetSecretValueResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.structures("SecretValues", &self.values);
        out.add_optional("NextToken", self.next_token.as_ref());
        out.structures("Errors", &self.errors);
    }

    fn room(&self) -> usize {
        let values: usize = self.values.iter().map(Structure::room).sum();
        values + COMMON_BYTES * (self.errors.len() + 1)
    }
}

impl Structure for ApiErrorType {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        out.add("SecretId", &self.secret_id);
        out.add("ErrorCode", &self.error_code);
        out.add("Message", &self.message);
    }
}

impl Structure for GetRandomPasswordResponse {
    fn add_members<M: SerializeMap>(&self, out: &mut Members<M>) {
        // EXPOSE: the caller asked for the password. It goes into the wiped buffer of the response.
        out.text("RandomPassword", self.expose());
    }
}
