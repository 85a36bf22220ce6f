//! Which key opens the vault: a flag, a variable, the vault's own key file, or a prompt, in this order.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::input::{self, Input};
use crate::cli::{locations, output};
use crate::crypto::{SlotKind, Unlock, VaultId};
use crate::env::real::real_path;
use crate::error::{Error, ErrorKind};
use crate::secret::SecretBytes;
use crate::vault::{VaultDir, check_private, read_key};
use std::path::{Path, PathBuf};

/// Longest key file and passphrase file, in bytes: far more than either needs.
const KEY_BYTES_MAX: usize = 65_536;

/// A key that the user named with a flag or variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pointed {
    /// `--key-file`, `STRONGROOM_KEY_FILE`
    KeyFile(Input),
    /// `--passphrase-file`, `STRONGROOM_PASSPHRASE_FILE`
    PassphraseFile(Input),
}

impl Pointed {
    /// Whether the key is read from standard input, so that nothing else can be.
    pub(crate) fn is_stdin(&self) -> bool {
        matches!(self, Self::KeyFile(Input::Stdin) | Self::PassphraseFile(Input::Stdin))
    }
}

/// The key that the user named. Flags go before variables, and key files before passphrase files.
pub(crate) fn pointed(context: &Context, global: &Global) -> Option<Pointed> {
    let var = |name: &str| context.var(name).map(|value| Input::named(Path::new(&value)));
    let key_flag = || global.key_file.as_deref().map(Input::named).map(Pointed::KeyFile);
    let passphrase_flag =
        || global.passphrase_file.as_deref().map(Input::named).map(Pointed::PassphraseFile);
    key_flag()
        .or_else(passphrase_flag)
        .or_else(|| var("STRONGROOM_KEY_FILE").map(Pointed::KeyFile))
        .or_else(|| var("STRONGROOM_PASSPHRASE_FILE").map(Pointed::PassphraseFile))
}

/// Refuses to read two things from standard input, before either is read.
pub(crate) fn check_stdin(context: &Context, global: &Global, value: bool) -> Result<(), CliError> {
    if value && pointed(context, global).is_some_and(|pointed| pointed.is_stdin()) {
        return Err(CliError::usage(
            "standard input cannot be both the key and the value; give one of them as a file",
        ));
    }
    Ok(())
}

/// The key that the user named, read.
pub(crate) fn named(context: &Context, global: &Global) -> Result<Option<Unlock>, CliError> {
    match pointed(context, global) {
        Some(Pointed::KeyFile(input)) => key_file(&input, global).map(Unlock::KeyFile).map(Some),
        Some(Pointed::PassphraseFile(input)) => {
            passphrase_file(&input).and_then(as_passphrase).map(Some)
        }
        None => Ok(None),
    }
}

/// Says where the anchor is, unless `--anchor` did: beside the key file, if there is one.
pub(crate) fn find_anchor(context: &Context, global: &Global, dir: &mut VaultDir) {
    let is_device = |path: &Path| path.starts_with("/dev") || path.starts_with("/proc");
    let key = match pointed(context, global) {
        Some(Pointed::KeyFile(Input::Path(path))) => Some(path).filter(|path| !is_device(path)),
        Some(_) => None,
        None => dir.vault_id().ok().and_then(|id| locations::own_key_file(context, id)),
    };
    let key = key.filter(|path| matches!(context.env.fs.metadata(path), Ok(Some(_))));
    if let Some(path) = key {
        dir.anchor_if_none(anchor_beside(&path));
    }
}

/// The anchor of a vault whose key file is at `path`.
pub(crate) fn anchor_beside(path: &Path) -> PathBuf {
    // A link to the key and the key itself have one anchor.
    let mut name = real_path(path).unwrap_or_else(|| path.to_path_buf()).into_os_string();
    name.push(".anchor");
    name.into()
}

/// The key of the locked vault.
pub(crate) fn unlock(
    context: &Context,
    global: &Global,
    dir: &VaultDir,
) -> Result<Unlock, CliError> {
    if let Some(named) = named(context, global)? {
        return Ok(named);
    }
    let id = dir.vault_id()?;
    let own = locations::own_key_file(context, id);
    if let Some(path) = &own {
        let found = context.env.fs.metadata(path);
        let unseen = |error| Error::io("open", path, error);
        let found = found.map_err(|error| CliError { exit: Exit::Key, ..unseen(error).into() })?;
        if found.is_some() {
            return key_file(&Input::Path(path.clone()), global).map(Unlock::KeyFile);
        }
    }
    if dir.slots()?.contains(&SlotKind::Passphrase) && input::has_person() {
        return input::prompt("Passphrase: ").and_then(as_passphrase);
    }
    Err(no_key(id, own.as_deref()))
}

/// No vault has an empty passphrase, so an empty one cannot be right.
fn as_passphrase(passphrase: SecretBytes) -> Result<Unlock, CliError> {
    if passphrase.is_empty() {
        return Err(CliError::key("the passphrase is empty"));
    }
    Ok(Unlock::Passphrase(passphrase))
}

/// Reads a key file, refusing one that others can reach.
pub(crate) fn key_file(input: &Input, global: &Global) -> Result<SecretBytes, CliError> {
    let opened = input.open().map_err(|error| {
        CliError::refused(Exit::Key, &format!("the key file {input} cannot be opened"), &error)
    })?;
    read_key(opened, path_of(input), global.allow_lax_modes)
        .map_err(|error| CliError { exit: Exit::Key, ..with_cure(error, input) })
}

/// What messages call it.
fn path_of(input: &Input) -> &Path {
    match input {
        Input::Stdin => Path::new("standard input"),
        Input::Path(path) => path,
    }
}

/// The failure, with the command that makes a file private, if that is what it lacks.
pub(crate) fn with_cure(error: Error, input: &Input) -> CliError {
    let is_lax = matches!(error.kind(), ErrorKind::LaxPermissions { .. });
    let failure = CliError::from(error);
    if is_lax {
        let cure = format!(
            "run: chmod 600 {}; where that is not possible, --allow-lax-modes takes it as it is",
            quoted(input)
        );
        return failure.hint(cure);
    }
    failure
}

/// Reads a passphrase file, without one newline at its end.
pub(crate) fn passphrase_file(input: &Input) -> Result<SecretBytes, CliError> {
    let failure = |error| {
        CliError::refused(Exit::Key, &format!("the passphrase file {input} cannot be read"), &error)
    };
    let opened = input.open().map_err(failure)?;
    if check_private(&opened, path_of(input), false).is_err() {
        output::warn(&format!("others can access the passphrase file {input}"));
    }
    let bytes = input::read(opened, KEY_BYTES_MAX).map_err(failure)?.ok_or_else(|| {
        CliError::usage(format!("a passphrase has at most {KEY_BYTES_MAX} bytes; {input} has more"))
    })?;
    Ok(without_newline(bytes))
}

/// Drops one `\n` or `\r\n` at the end: editors and `echo` add it.
pub(crate) fn without_newline(bytes: SecretBytes) -> SecretBytes {
    // EXPOSE: to cut the text; the copy is wiped like the original.
    let text = bytes.expose();
    match text.strip_suffix(b"\r\n").or_else(|| text.strip_suffix(b"\n")) {
        Some(cut) => SecretBytes::copy_from(cut),
        None => bytes,
    }
}

/// The error that names all four places of a key.
fn no_key(id: VaultId, own: Option<&Path>) -> CliError {
    let own = own.map_or_else(
        || format!("$XDG_CONFIG_HOME/strongroom/keys/{id}.key (neither it nor HOME is set)"),
        |path| path.display().to_string(),
    );
    CliError::key(format!("there is no key for this vault. id={id}")).hint(format!(
        "a key is looked for in this order:\n  \
         1. --key-file F or --passphrase-file F (`-` is standard input)\n  \
         2. STRONGROOM_KEY_FILE or STRONGROOM_PASSPHRASE_FILE\n  \
         3. the vault's own key file, {own}\n  \
         4. a prompt for the passphrase, if the vault has one and there is a terminal"
    ))
}

/// A path, quoted for a shell.
pub(crate) fn quoted(input: &Input) -> String {
    format!("'{}'", input.to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::*;
    use crate::cli::testing::context;
    use crate::crypto::key_file as key_text;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn flags_come_before_variables_and_key_files_before_passphrase_files() {
        let vars = [("STRONGROOM_KEY_FILE", "vk"), ("STRONGROOM_PASSPHRASE_FILE", "vp")];
        let key = |path: &str| Some(Pointed::KeyFile(Input::named(Path::new(path))));
        let passphrase = |path: &str| Some(Pointed::PassphraseFile(Input::named(Path::new(path))));
        let none = Global::default();
        let key_flag = Global { key_file: Some("k".into()), ..Global::default() };
        let passphrase_flag = Global { passphrase_file: Some("p".into()), ..Global::default() };
        assert_eq!(pointed(&context(&vars), &key_flag), key("k"));
        assert_eq!(pointed(&context(&vars), &passphrase_flag), passphrase("p"));
        assert_eq!(pointed(&context(&vars), &none), key("vk"));
        assert_eq!(pointed(&context(vars.get(1..).unwrap()), &none), passphrase("vp"));
        assert_eq!(pointed(&context(&[("STRONGROOM_KEY_FILE", "")]), &none), None);
    }

    #[test]
    fn standard_input_serves_one_purpose() {
        let stdin = context(&[("STRONGROOM_PASSPHRASE_FILE", "-")]);
        let flag = Global { key_file: Some("k".into()), ..Global::default() };
        assert_eq!(check_stdin(&stdin, &Global::default(), true).unwrap_err().exit.code(), 2);
        assert!(check_stdin(&stdin, &Global::default(), false).is_ok());
        assert!(check_stdin(&stdin, &flag, true).is_ok());
    }

    #[test]
    fn exactly_one_newline_is_dropped() {
        for (given, kept) in [
            ("p", "p"),
            ("p\n", "p"),
            ("p\r\n", "p"),
            ("p\n\n", "p\n"),
            ("p\r\n\r\n", "p\r\n"),
            (" p \n", " p "),
            ("p\r", "p\r"),
            ("\n", ""),
        ] {
            let bytes = without_newline(SecretBytes::copy_from(given.as_bytes()));
            assert_eq!(bytes.expose(), kept.as_bytes(), "{given:?}");
        }
    }

    #[test]
    fn a_key_file_that_others_can_reach_is_refused_with_the_cure() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it's.key");
        let text = key_text::generate(VaultId([1; 16]), context(&[]).env.entropy.as_ref()).unwrap();
        std::fs::write(&path, text.expose()).unwrap();
        for (mode, is_taken) in
            [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)]
        {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            match key_file(&Input::named(&path), &Global::default()) {
                Ok(_) => assert!(is_taken, "{mode:o}"),
                Err(failure) => {
                    assert!(!is_taken, "{mode:o}: {}", failure.message);
                    assert_eq!(failure.exit.code(), 4);
                    assert!(failure.hint.unwrap().contains("chmod 600"));
                }
            }
        }
        let missing = key_file(&Input::named(&dir.path().join("no")), &Global::default());
        assert_eq!(missing.err().unwrap().exit.code(), 4);
        // What it is comes before who can reach it (OWN-7).
        std::fs::write(&path, "root:x:0:0").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let other = key_file(&Input::named(&path), &Global::default()).err().unwrap();
        assert!(other.message.contains("is not a key file") && other.hint.is_none());
        // Its name says nothing about its mode.
        let path = dir.path().join("chmod");
        std::fs::write(&path, "root:x:0:0").unwrap();
        let other = key_file(&Input::named(&path), &Global::default()).err().unwrap();
        assert!(other.message.contains("chmod") && other.hint.is_none());
    }

    #[test]
    fn a_missing_key_names_all_four_places() {
        let hint = no_key(VaultId([0; 16]), Some(Path::new("/c/k"))).hint.unwrap();
        for words in [
            "--key-file",
            "--passphrase-file",
            "STRONGROOM_KEY_FILE",
            "STRONGROOM_PASSPHRASE_FILE",
            "/c/k",
            "prompt",
        ] {
            assert!(hint.contains(words), "{words}");
        }
    }
}
