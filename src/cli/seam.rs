//! Stand-ins for what other layers offer under the same names.

#![allow(clippy::pedantic, dead_code)]

use crate::crypto::VaultId;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::SecretBytes;
use crate::vault::{Credential, Vault};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

pub(crate) fn harden_process() {
    let _ = crate::env::real::harden_process();
}

pub(crate) fn real_env() -> Env {
    Env::real()
}

pub(crate) fn peek_id(dir: &Path) -> Result<VaultId> {
    Err(ErrorKind::NotFound { path: dir.to_path_buf() }.into())
}

pub(crate) fn generate_key_file(_id: VaultId, _env: &Env) -> Result<SecretBytes> {
    Err(ErrorKind::Closed.into())
}

#[derive(Clone, Copy)]
pub(crate) enum Auth {
    SigV4,
    None,
}

pub(crate) struct ServerOptions {
    pub(crate) listen: SocketAddr,
    pub(crate) auth: Auth,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) stop_on_signals: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4566)),
            auth: Auth::SigV4,
            account: String::new(),
            region: String::new(),
            stop_on_signals: true,
        }
    }
}

pub(crate) struct Server(SocketAddr);

impl Server {
    pub(crate) fn bind(
        _vault: Vault,
        _credentials: Vec<Credential>,
        options: ServerOptions,
        _env: Env,
    ) -> Result<Self> {
        let ServerOptions { listen, auth: _, account: _, region: _, stop_on_signals: _ } = options;
        Ok(Self(listen))
    }
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.0
    }
    pub(crate) fn run(self) -> std::result::Result<(), Error> {
        Err(ErrorKind::Closed.into())
    }
}
