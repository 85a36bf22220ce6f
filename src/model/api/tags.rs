//! Requests about tags. They have no response.

use super::request::request;
use crate::model::record::Tag;

request! {
    /// `TagResource`.
    #[derive(Clone, Debug, Default)]
    TagResource {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        items {
            /// `Tags`: keys of 1 to 128 characters, values of at most 256; a secret has at most 50.
            tags: Tag,
        }
    }
}

request! {
    /// `UntagResource`.
    #[derive(Clone, Debug, Default)]
    UntagResource {
        required {
            /// `SecretId`: name or ARN.
            secret_id: String,
        }
        items {
            /// `TagKeys`, 1 to 128 characters each.
            tag_keys: String,
        }
    }
}
