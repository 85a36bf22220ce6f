//! Request and response of `GetRandomPassword`.

use super::request::request;
use crate::secret::SecretBytes;

request! {
    /// `GetRandomPassword`.
    #[derive(Clone, Debug, Default)]
    GetRandomPassword {
        required {}
        optional {
            /// `PasswordLength`, 1 to 4096; absent: 32.
            password_length: i64,
            /// `ExcludeCharacters`, at most 4096: none of these.
            exclude_characters: String,
            /// `ExcludeNumbers`
            exclude_numbers: bool,
            /// `ExcludePunctuation`
            exclude_punctuation: bool,
            /// `ExcludeUppercase`
            exclude_uppercase: bool,
            /// `ExcludeLowercase`
            exclude_lowercase: bool,
            /// `IncludeSpace`
            include_space: bool,
            /// `RequireEachIncludedType`; absent: true.
            require_each_included_type: bool,
        }
    }
}

/// Response of `GetRandomPassword`: the password itself.
pub type GetRandomPasswordResponse = SecretBytes;
