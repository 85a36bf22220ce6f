//! `init`: creates a vault and its key. The key is durable before the vault is finished, so no vault exists
//! without its key.

use crate::cli::args::{Global, Init};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::input::{self, Input};
use crate::cli::unlock::Pointed;
use crate::cli::{locations, output, session, unlock};
use crate::crypto::{KdfParams, Unlock, VaultId};
use crate::env::memory_bytes;
use crate::error::{Error, ErrorKind};
use crate::secret::SecretBytes;
use crate::vault::{Vault, VaultDir, make_key_file};
use std::path::{Path, PathBuf};

/// `init`
pub(crate) fn init(context: &Context, global: &Global, args: &Init) -> Result<(), CliError> {
    let path = locations::vault(context, global)?;
    let dir = VaultDir::make(&path, &session::options(context, global))?;
    if dir.has_vault() {
        return Err(Error::from(ErrorKind::Exists { path }).into());
    }
    let vault = create(context, global, &path, dir, new_key(context, global, args.passphrase)?)?;
    session::close(&vault);
    Ok(())
}

/// The key of a vault that is about to be created.
pub(crate) enum NewKey {
    /// A passphrase.
    Passphrase(SecretBytes),
    /// The content of a key file, read from standard input.
    Given(SecretBytes),
    /// A key file at this path, or else the vault's own.
    KeyFile(Option<PathBuf>),
}

/// Decides how a new vault opens. A passphrase is read or asked for here.
pub(crate) fn new_key(
    context: &Context,
    global: &Global,
    wants_passphrase: bool,
) -> Result<NewKey, CliError> {
    if wants_passphrase && global.key_file.is_some() {
        return Err(CliError::usage("give either --passphrase or --key-file, not both"));
    }
    let passphrase = match unlock::pointed(context, global) {
        Some(Pointed::PassphraseFile(input)) => unlock::passphrase_file(&input)?,
        // The flag goes before a variable that names a key file.
        _ if wants_passphrase => match context.var("STRONGROOM_PASSPHRASE_FILE") {
            Some(path) => unlock::passphrase_file(&Input::named(Path::new(&path)))?,
            None => ask_twice()?,
        },
        Some(Pointed::KeyFile(Input::Stdin)) => {
            return unlock::key_file(&Input::Stdin, global).map(NewKey::Given);
        }
        Some(Pointed::KeyFile(Input::Path(path))) => return Ok(NewKey::KeyFile(Some(path))),
        None => return Ok(NewKey::KeyFile(None)),
    };
    if passphrase.is_empty() {
        return Err(CliError::usage("the passphrase is empty"));
    }
    Ok(NewKey::Passphrase(passphrase))
}

fn ask_twice() -> Result<SecretBytes, CliError> {
    if !input::has_person() {
        return Err(CliError::key("there is no terminal to ask for the passphrase on")
            .hint("give --passphrase-file F, or `-` to read it from standard input"));
    }
    let first = input::prompt("New passphrase: ")?;
    if first != input::prompt("The same again: ")? {
        return Err(CliError::usage("the two passphrases differ; nothing was created"));
    }
    Ok(first)
}

/// Creates the vault in `dir` and prints on standard error where it and its key are.
pub(crate) fn create(
    context: &Context,
    global: &Global,
    path: &Path,
    dir: VaultDir,
    key: NewKey,
) -> Result<Vault, CliError> {
    let is_passphrase = matches!(key, NewKey::Passphrase(_));
    let mut key_path = None;
    let vault = dir.create_with(|id, anchor| match key {
        NewKey::Passphrase(passphrase) => Ok(Unlock::Passphrase(passphrase)),
        NewKey::Given(key) => Ok(Unlock::KeyFile(key)),
        NewKey::KeyFile(wanted) => {
            let (path, key) = key_file(context, global, id, wanted)?;
            anchor.get_or_insert_with(|| unlock::anchor_beside(&path));
            key_path = Some(path);
            Ok(key)
        }
    })?;
    output::note(&format!("created a vault in {}", path.display()));
    if let Some(path) = key_path {
        output::note(&format!("its key is {}", path.display()));
        output::note(
            "both are needed to read your secrets: back them up separately; without the key the vault \
             cannot be read",
        );
    } else {
        if is_passphrase {
            note_low_cost();
        }
        output::note("back up its key separately; without the key the vault cannot be read");
    }
    Ok(vault)
}

/// Says so if little memory has made a passphrase cheaper to try.
fn note_low_cost() {
    let memory = memory_bytes();
    let (cost, full) = (KdfParams::standard(memory), KdfParams::standard(u64::MAX));
    if cost.memory_kib < full.memory_kib {
        output::warn(&format!(
            "this process may have {} MiB of memory, so each try of a passphrase costs {} MiB instead of {}",
            memory >> 20,
            cost.memory_kib / 1024,
            full.memory_kib / 1024
        ));
    }
}

/// Makes the key file durable before the vault is finished. An existing key file is used as it is: replacing
/// it could lock another vault for ever.
fn key_file(
    context: &Context,
    global: &Global,
    id: VaultId,
    wanted: Option<PathBuf>,
) -> Result<(PathBuf, Unlock), Error> {
    let path = wanted.or_else(|| locations::own_key_file(context, id)).ok_or(ErrorKind::Usage {
        what: "no folder for the key file: give --key-file, or set HOME or XDG_CONFIG_HOME",
    })?;
    let (key, is_made) = make_key_file(&context.env, &path, id, global.allow_lax_modes).map_err(
        |error| match error.kind() {
            // The key is at fault: nothing has been created yet.
            ErrorKind::NewerFormat { .. } => ErrorKind::WrongKey.into(),
            _ => error,
        },
    )?;
    if !is_made {
        output::note("the key file exists already and opens this vault too");
    }
    Ok((path, key))
}
