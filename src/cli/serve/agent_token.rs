//! The token of the agent's port. It is read from a file that the user names, or else created at the first
//! start and kept beside `client.env`. Clients read the file, so it contains the token and nothing else.

use crate::cli::args::Global;
use crate::cli::client_env;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::input::{self, Input};
use crate::cli::unlock;
use crate::crypto::VaultId;
use crate::secret::SecretBytes;
use crate::vault::check_private;
use std::path::Path;
use zeroize::Zeroizing;

/// The name that scripts look for.
const NAME: &str = "agent.token";
/// Longest file that is read, in bytes.
const BYTES_MAX: usize = 4096;
/// The shortest token, too long to guess.
const TOKEN_BYTES_MIN: usize = 16;

/// A token and where clients find it.
pub(crate) struct AgentToken {
    pub(crate) token: SecretBytes,
    /// For people to read.
    pub(crate) place: String,
}

/// Reads a token file that the user named. Like a key file, it is refused if others can access it.
pub(crate) fn given(file: &Path, allow_lax_modes: bool) -> Result<AgentToken, CliError> {
    let input = Input::named(file);
    let failure = |error| {
        CliError::refused(
            Exit::Key,
            &format!("the agent's token file {input} cannot be read"),
            &error,
        )
    };
    let opened = input.open().map_err(failure)?;
    check_private(&opened, file, allow_lax_modes)
        .map_err(|error| unlock::with_cure(error, &input))?;
    let text = input::read(opened, BYTES_MAX).map_err(failure)?;
    let token = text.map(unlock::without_newline).filter(is_token).ok_or_else(|| {
        CliError::usage(format!(
            "the agent's token in {input} must have {TOKEN_BYTES_MIN} to {BYTES_MAX} visible ASCII \
             characters"
        ))
    })?;
    Ok(AgentToken { token, place: input.to_string() })
}

/// The vault's own token. A new one is created and kept if there is none.
pub(crate) fn own(context: &Context, global: &Global, id: VaultId) -> Result<AgentToken, CliError> {
    let kept = client_env::kept(context, global, id, NAME);
    let token = match kept.map(unlock::without_newline).filter(is_token) {
        Some(token) => token,
        None => random(context)?,
    };
    let mut line = Zeroizing::new(Vec::with_capacity(token.len() + 1));
    // EXPOSE: clients read the token from this private file.
    line.extend_from_slice(token.expose());
    line.push(b'\n');
    match client_env::keep_file(context, global, id, NAME, &line) {
        Ok(path) => Ok(AgentToken { token, place: path.display().to_string() }),
        Err(why) => {
            Err(CliError::new(Exit::Other, format!("the agent's token could not be saved: {why}"))
                .hint("give one with --agent-token-file"))
        }
    }
}

fn is_token(token: &SecretBytes) -> bool {
    // EXPOSE: only its length and kind of characters are looked at.
    let token = token.expose();
    token.len() >= TOKEN_BYTES_MIN && token.iter().all(u8::is_ascii_graphic)
}

/// 256 random bits as hex digits.
fn random(context: &Context) -> Result<SecretBytes, CliError> {
    let failure = |error| CliError::io("no random bytes", &error);
    let random = Zeroizing::new(context.env.random::<32>().map_err(failure)?);
    let mut digits = Zeroizing::new(vec![0; 64]);
    hex::encode_to_slice(*random, &mut digits)
        .map_err(|_| CliError::new(Exit::Other, "a token could not be created"))?;
    Ok(SecretBytes::copy_from(&digits))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;
    use crate::cli::testing::context;
    use std::os::unix::fs::PermissionsExt;

    const ID: VaultId = VaultId([0xaa; 16]);

    #[test]
    fn a_token_is_made_once_per_vault_and_kept_private() {
        let root = tempfile::tempdir().unwrap();
        let context = context(&[("XDG_CONFIG_HOME", root.path().to_str().unwrap())]);
        let made = own(&context, &Global::default(), ID).unwrap();
        assert_eq!(made.token.len(), 64);
        let file = std::fs::read(&made.place).unwrap();
        assert_eq!(file.strip_suffix(b"\n").unwrap(), made.token.expose());
        let own_file = root.path().join(format!("strongroom/keys/{ID}.{NAME}"));
        for path in [Path::new(&made.place), own_file.as_path()] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let again = own(&context, &Global::default(), ID).unwrap();
        assert_eq!(again.token.expose(), made.token.expose());
        let other = own(&context, &Global::default(), VaultId([0xbb; 16])).unwrap();
        assert_ne!(other.token.expose(), made.token.expose());
        // What somebody else could have put there is not believed.
        std::fs::set_permissions(&own_file, PermissionsExt::from_mode(0o644)).unwrap();
        let fresh = own(&context, &Global::default(), ID).unwrap();
        assert_ne!(fresh.token.expose(), made.token.expose());
    }

    #[test]
    fn a_file_that_was_named_is_private_and_holds_a_token() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("t");
        for (text, mode, exit) in [
            ("0123456789abcdef", 0o600, None),
            ("0123456789abcdef\n", 0o400, None),
            ("0123456789abcdef\n", 0o640, Some(4)),
            ("0123456789abcdef\n", 0o604, Some(4)),
            ("0123456789abcde\n", 0o600, Some(2)),
            ("0123456789 abcdef\n", 0o600, Some(2)),
            ("0123456789abcdef\n\n", 0o600, Some(2)),
            ("", 0o600, Some(2)),
        ] {
            let _none_yet = std::fs::remove_file(&path);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            match given(&path, false) {
                Ok(found) => {
                    assert_eq!(exit, None, "{text:?} {mode:o}");
                    assert_eq!(found.token.expose(), b"0123456789abcdef");
                }
                Err(failure) => assert_eq!(Some(failure.exit.code()), exit, "{text:?} {mode:o}"),
            }
        }
        assert_eq!(given(&root.path().join("no"), false).err().unwrap().exit.code(), 4);
    }
}
