//! `client.env`: the `export` lines of a server, kept beside the key file. A client can read them while the
//! server holds the vault.
//!
//! Several vaults may keep their keys in one folder, so the lines are kept twice: `client.env` belongs to the
//! server that started last, and each vault has its own `<vault id>.client.env`. Both start with comments
//! that name the vault and its folder. A copy of a vault has the same id, so `env` compares the folder too
//! (RB-8).
//!
//! A shell runs what `env` prints. So a file that another user could have written is not read, and `env`
//! prints only lines that a server writes.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::input::{self, Input};
use crate::cli::unlock::Pointed;
use crate::cli::{locations, output, unlock};
use crate::crypto::VaultId;
#[cfg(feature = "server")]
use crate::env::private_file;
use crate::env::real::folder_identity;
use crate::env::{FileKind, parent};
#[cfg(feature = "server")]
use crate::error::Error;
use crate::secret::SecretBytes;
use crate::vault::peek_id;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The name that scripts look for.
const NAME: &str = "client.env";

/// What the second line starts with.
const FOLDER: &str = "# folder ";

/// Longest file that is read, in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// `env`: prints the lines. Takes no lock: a server may hold the vault.
pub(crate) fn print(context: &Context, global: &Global) -> Result<(), CliError> {
    let path = locations::vault(context, global)?;
    let id = peek_id(&path)?;
    let kept = find(context, global, id);
    let folder = folder_identity(&path);
    let Some(text) = kept.as_ref().filter(|text| folder.as_deref() == folder_of(text)) else {
        let of_copy = kept.as_ref().and_then(folder_of).map_or_else(String::new, |folder| {
            let place = folder.split_once(' ').map_or(folder, |(_, place)| place);
            format!("; the last server of vault {id} was started on {place}")
        });
        let message = format!("no server was started on the vault in {}{of_copy}", path.display());
        return Err(CliError::new(Exit::NotFound, message)
            .hint("start one with `strongroom serve`; give `env` the same --key-file"));
    };
    let inherited = inherited(context);
    let mut exports = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(256)));
    if !inherited.is_empty() {
        exports.extend_from_slice(format!("unset {}\n", inherited.join(" ")).as_bytes());
    }
    for line in lines(text).filter(|line| is_export(line)) {
        exports.extend_from_slice(line.as_bytes());
        exports.push(b'\n');
    }
    output::data(&exports)
}

/// The variables in the environment of the command, and so of the shell that runs its lines, that make a
/// client take other credentials than ours or mix them with ours (SPEAK-9).
fn inherited(context: &Context) -> Vec<&'static str> {
    const NAMES: [&str; 6] = [
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    ];
    NAMES.into_iter().filter(|name| (context.vars)(name).is_some()).collect()
}

/// Warns of a session token in the environment. Clients would send it with our pair and be refused, and the
/// message would not name it.
#[cfg(feature = "server")]
pub(crate) fn warn_of_session_token(context: &Context) {
    if context.var("AWS_SESSION_TOKEN").is_some() {
        output::warn(
            "AWS_SESSION_TOKEN is set and does not belong to this pair; unset it in the client's \
             shell",
        );
    }
}

/// Whether `line` is one that a server writes: it sets one variable and does nothing else.
fn is_export(line: &str) -> bool {
    const NAMES: [&str; 6] = [
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ];
    let pair = line.strip_prefix("export ").and_then(|rest| rest.split_once('='));
    pair.is_some_and(|(name, value)| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/=.:%[]".contains(&byte);
        NAMES.contains(&name) && value.bytes().all(is_plain)
    })
}

/// Keeps the lines of a server of the vault `id`, and gives the path. Warns if no folder can be written.
#[cfg(feature = "server")]
pub(crate) fn keep(
    context: &Context,
    global: &Global,
    id: VaultId,
    exports: &str,
) -> Option<PathBuf> {
    let mut text = Zeroizing::new(String::with_capacity(exports.len().saturating_add(8192)));
    text.push_str("# vault ");
    text.push_str(&id.to_string());
    text.push('\n');
    if let Some(folder) =
        locations::vault(context, global).ok().and_then(|path| folder_identity(&path))
    {
        text.push_str(FOLDER);
        text.push_str(&folder);
        text.push('\n');
    }
    text.push_str(exports);
    let kept = keep_file(context, global, id, NAME, text.as_bytes());
    kept.map_err(|why| output::warn(&format!("the lines below could not be saved: {why}"))).ok()
}

/// Keeps a file of a server of the vault `id`, under `name` and under the vault's own name for it. Returns
/// the first path, or why no folder can be written.
#[cfg(feature = "server")]
pub(crate) fn keep_file(
    context: &Context,
    global: &Global,
    id: VaultId,
    name: &str,
    bytes: &[u8],
) -> Result<PathBuf, String> {
    let mut refused = None;
    for folder in folders(context, global) {
        let last = folder.join(name);
        let written = private_file::make_dirs(&context.env, &folder)
            .and_then(|()| private_file::write(&context.env, &own_path(&folder, id, name), bytes))
            .and_then(|()| private_file::write(&context.env, &last, bytes));
        match written {
            Ok(()) => return Ok(last),
            // The key may be on read-only media or come from a pipe: try the next folder.
            Err(error) => refused = refused.or(Some((folder, error))),
        }
    }
    Err(match refused {
        Some((folder, error)) => Error::io("write", folder, error).to_string(),
        None => "neither HOME nor XDG_CONFIG_HOME is set".into(),
    })
}

/// What was kept for the vault `id` under its own name.
#[cfg(feature = "server")]
pub(crate) fn kept(
    context: &Context,
    global: &Global,
    id: VaultId,
    name: &str,
) -> Option<SecretBytes> {
    let folders = folders(context, global);
    folders.iter().find_map(|folder| read_ours(context, own_path(folder, id, name)))
}

fn own_path(folder: &Path, id: VaultId, name: &str) -> PathBuf {
    folder.join(format!("{id}.{name}"))
}

/// The access key id that was last handed out for the vault `id`.
#[cfg(feature = "server")]
pub(crate) fn kept_access_key_id(
    context: &Context,
    global: &Global,
    id: VaultId,
) -> Option<String> {
    let text = find(context, global, id)?;
    lines(&text).find_map(|line| line.strip_prefix("export AWS_ACCESS_KEY_ID=").map(str::to_owned))
}

/// The folder that kept lines name.
fn folder_of(text: &SecretBytes) -> Option<&str> {
    lines(text).nth(1)?.strip_prefix(FOLDER)
}

fn find(context: &Context, global: &Global, id: VaultId) -> Option<SecretBytes> {
    let mark = format!("# vault {id}");
    for folder in folders(context, global) {
        for path in [own_path(&folder, id, NAME), folder.join(NAME)] {
            let Some(text) = read_ours(context, path) else { continue };
            if lines(&text).next() == Some(mark.as_str()) {
                return Some(text);
            }
        }
    }
    None
}

fn read_ours(context: &Context, path: PathBuf) -> Option<SecretBytes> {
    // Checked before it is opened, because opening a pipe would wait.
    let found = context.env.fs.metadata(&path).ok().flatten()?;
    if found.kind != FileKind::File {
        return None;
    }
    let input = Input::Path(path);
    let opened = input.open().ok()?;
    if !opened.is_ours().ok()? {
        output::warn(&format!("not read, because others can access it or own it: {input}"));
        return None;
    }
    input::read(opened, BYTES_MAX).ok().flatten()
}

/// Where the lines are kept: beside the key file, else where key files are by default.
fn folders(context: &Context, global: &Global) -> Vec<PathBuf> {
    let pointed = match unlock::pointed(context, global) {
        Some(Pointed::KeyFile(Input::Path(path))) => Some(parent(&path)),
        _ => None,
    };
    // Nothing can be put beside a pipe.
    let pointed = pointed.filter(|dir| !dir.starts_with("/dev") && !dir.starts_with("/proc"));
    pointed.into_iter().chain(locations::keys(context)).collect()
}

fn lines(text: &SecretBytes) -> impl Iterator<Item = &str> {
    // EXPOSE: the file's lines hold the secret access key, which goes where the user asks.
    std::str::from_utf8(text.expose()).unwrap_or_default().lines()
}

#[cfg(all(test, feature = "server"))]
mod tests;
