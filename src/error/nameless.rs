//! The same error for those who must not learn where the vault is (MSG-4).

use super::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// What stands for the folder of the vault.
const FOLDER: &str = "the vault's folder";

impl Error {
    /// The same error with names that begin in the vault's folder `dir`. Of a path elsewhere only the last name
    /// stays.
    pub(crate) fn nameless(mut self, dir: &Path) -> Self {
        let whole = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
        let short = |path: &Path| {
            let below = path.strip_prefix(dir).or_else(|_| path.strip_prefix(&whole));
            let last = path.file_name().map(Path::new);
            let name = below.ok().or(last).filter(|name| !name.as_os_str().is_empty());
            name.unwrap_or(Path::new(FOLDER)).to_path_buf()
        };
        match &mut self.kind {
            ErrorKind::Damaged { file, .. } | ErrorKind::NewerFormat { file, .. } => {
                if Path::new(file.as_str()).is_absolute() {
                    *file = short(Path::new(file.as_str())).display().to_string();
                }
            }
            kind => {
                if let Some(path) = path_of(kind).filter(|path| !path.as_os_str().is_empty()) {
                    *path = short(path);
                }
            }
        }
        // An own text of ours may name a path, the words of the system do not.
        self.source = self.source.take().filter(|source| !source.to_string().contains('/'));
        Self { place: None, denied: None, ..self }
    }
}

/// The path in an error, if it has one.
fn path_of(kind: &mut ErrorKind) -> Option<&mut PathBuf> {
    match kind {
        ErrorKind::Displaced { path, .. }
        | ErrorKind::Link { path }
        | ErrorKind::NotFound { path }
        | ErrorKind::Exists { path }
        | ErrorKind::LaxPermissions { path, .. }
        | ErrorKind::OtherOwner { path, .. }
        | ErrorKind::NotAKeyFile { path }
        | ErrorKind::Unsuitable { path, .. }
        | ErrorKind::RolledBack { anchor: path, .. }
        | ErrorKind::Io { path, .. } => Some(path),
        ErrorKind::Fault(_)
        | ErrorKind::WrongKey
        | ErrorKind::Damaged { .. }
        | ErrorKind::NewerFormat { .. }
        | ErrorKind::InUse { .. }
        | ErrorKind::ReadOnly
        | ErrorKind::OldFormat
        | ErrorKind::ClockBefore1970
        | ErrorKind::TooLittleMemory { .. }
        | ErrorKind::NoSpace
        | ErrorKind::Busy
        | ErrorKind::OutcomeUnknown
        | ErrorKind::Poisoned
        | ErrorKind::Closed
        | ErrorKind::StateBroken
        | ErrorKind::Usage { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn shown(error: Error) -> String {
        error.nameless(Path::new("/srv/hidden/vault")).to_string()
    }

    /// MSG-4
    #[test]
    fn no_kind_tells_where_the_vault_is() {
        let path = || PathBuf::from("/srv/hidden/vault/state/db");
        let (known_lsn, known_millis, found_lsn, found_millis) = (2, 0, 1, 0);
        let anchor = PathBuf::from("/srv/hidden/keys/anchor");
        let kinds = [
            ErrorKind::Displaced { path: "/srv/hidden/vault".into(), is_replaced: true },
            ErrorKind::Link { path: path() },
            ErrorKind::NotFound { path: path() },
            ErrorKind::Exists { path: path() },
            ErrorKind::LaxPermissions { path: path(), mode: 0o644 },
            ErrorKind::OtherOwner { path: path(), owner: "amy".to_owned() },
            ErrorKind::NotAKeyFile { path: path() },
            ErrorKind::Unsuitable { path: path(), what: "no locks" },
            ErrorKind::RolledBack { anchor, known_lsn, known_millis, found_lsn, found_millis },
            ErrorKind::Damaged { file: "/srv/hidden/a".to_owned(), offset: 0, rule: "RB-2" },
            ErrorKind::Poisoned,
        ];
        for kind in kinds {
            let error = Error::from(kind).in_vault(Path::new("/srv/hidden/vault"));
            let shown = shown(error);
            assert!(!shown.contains("hidden"), "{shown}");
        }
        for path in ["/srv/hidden/vault/state/db", "/srv/hidden/vault", "/srv/hidden/scratch"] {
            for source in [
                io::Error::from(io::ErrorKind::PermissionDenied),
                io::Error::other("/srv/hidden is odd"),
            ] {
                let shown = shown(Error::io("open", path, source));
                assert!(!shown.contains("hidden") && shown.contains("opened"), "{shown}");
            }
        }
    }

    #[test]
    fn names_begin_in_the_folder() {
        let error = Error::io("read", "/srv/hidden/vault/state/db", io::ErrorKind::NotFound.into());
        assert!(shown(error).starts_with("state/db cannot be read: "));
        let error = Error::io("read", "/srv/hidden/vault", io::ErrorKind::NotFound.into());
        assert!(shown(error).starts_with("the vault's folder cannot be read: "));
    }
}
