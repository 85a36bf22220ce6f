//! `client.env`: the `export` lines of a server, kept beside the key file so that a client can be
//! pointed at the server while that holds the vault.
//!
//! Several vaults may keep their keys in one folder, so there are two files of the same content:
//! `client.env` is of the server that was started last, `<vault id>.client.env` of each vault.
//! Both start with a comment that names the vault.

use super::args::Global;
use super::exit::{Exit, Failure};
#[cfg(feature = "server")]
use super::files;
use super::input::Input;
use super::unlock::Pointed;
use super::{Context, output, place, unlock};
use crate::crypto::VaultId;
use crate::env::{FileKind, parent, read_file};
use crate::secret::SecretBytes;
use crate::vault::peek_id;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The name that scripts look for.
const NAME: &str = "client.env";

/// Longest file that is read, in bytes.
const BYTES_MAX: u64 = 16 * 1024;

/// `env`: prints the lines. Takes no lock: a server may hold the vault.
pub(crate) fn print(context: &Context, global: &Global) -> Result<(), Failure> {
    let path = place::vault(context, global)?;
    let id = peek_id(&path)?;
    let Some(text) = find(context, global, id) else {
        return Err(Failure::new(
            Exit::NotFound,
            format!("no server was started on this vault. id={id}"),
        )
        .hint(
            "start one with `strongroom serve`; give the --key-file here that it was given there",
        ));
    };
    let mut exports = Zeroizing::new(Vec::with_capacity(text.len()));
    for line in lines(&text).filter(|line| line.starts_with("export ")) {
        exports.extend_from_slice(line.as_bytes());
        exports.push(b'\n');
    }
    output::data(&exports)
}

/// Keeps the lines of a server on the vault `id`; warns if no folder takes them.
#[cfg(feature = "server")]
pub(crate) fn keep(context: &Context, global: &Global, id: VaultId, exports: &str) {
    let mut text = Zeroizing::new(String::with_capacity(exports.len().saturating_add(64)));
    text.push_str("# vault ");
    text.push_str(&id.to_string());
    text.push('\n');
    text.push_str(exports);
    let mut refused = None;
    for folder in folders(context, global) {
        let written = files::make_dirs(&context.env, &folder)
            .and_then(|()| {
                let own = folder.join(format!("{id}.{NAME}"));
                files::write_private(&context.env, &own, text.as_bytes())
            })
            .and_then(|()| files::write_private(&context.env, &folder.join(NAME), text.as_bytes()));
        match written {
            Ok(()) => return,
            // A key on read-only media, or handed over through a pipe: the next folder.
            Err(error) => refused = refused.or(Some((folder, error))),
        }
    }
    output::warn(&match refused {
        Some((folder, error)) => {
            format!("the lines below are kept nowhere: {} takes no file: {error}", folder.display())
        }
        None => "the lines below are kept nowhere: neither HOME nor XDG_CONFIG_HOME is set".into(),
    });
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

fn find(context: &Context, global: &Global, id: VaultId) -> Option<SecretBytes> {
    let mark = format!("# vault {id}");
    for folder in folders(context, global) {
        for name in [format!("{id}.{NAME}"), NAME.to_owned()] {
            let path = folder.join(name);
            let is_file = context
                .env
                .fs
                .metadata(&path)
                .is_ok_and(|found| found.is_some_and(|found| found.kind == FileKind::File));
            if !is_file {
                continue;
            }
            let Ok(bytes) = read_file(context.env.fs.as_ref(), &path, BYTES_MAX) else { continue };
            let text = SecretBytes::new(bytes);
            if lines(&text).next() == Some(mark.as_str()) {
                return Some(text);
            }
        }
    }
    None
}

/// Where the lines are kept: beside the key file, else where key files are by default.
fn folders(context: &Context, global: &Global) -> Vec<PathBuf> {
    let pointed = match unlock::pointed(context, global) {
        Some(Pointed::KeyFile(Input::Path(path))) => Some(parent(&path)),
        _ => None,
    };
    // Nothing can be put beside a pipe.
    let pointed = pointed.filter(|dir| !dir.starts_with("/dev") && !dir.starts_with("/proc"));
    pointed.into_iter().chain(place::keys(context)).collect()
}

fn lines(text: &SecretBytes) -> impl Iterator<Item = &str> {
    // EXPOSE: the file's lines hold the secret access key, which goes where the user asks.
    std::str::from_utf8(text.expose()).unwrap_or_default().lines()
}

#[cfg(all(test, feature = "server"))]
mod tests;
