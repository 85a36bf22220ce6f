//! What the command needs from an HTTP server. `cli` and `wire` do not know each other: `frontends` joins
//! them.

use crate::env::Env;
use crate::secret::SecretBytes;
use crate::vault::{Credential, RotationError, Vault};
use std::net::SocketAddr;

/// A server that listens.
pub(crate) trait Listening {
    /// Where it listens.
    fn local_addr(&self) -> SocketAddr;
    /// Where it speaks the agent's protocol, if it does.
    fn agent_addr(&self) -> Option<SocketAddr>;
    /// Serves until SIGTERM, SIGINT or SIGHUP, then drains.
    fn run(self: Box<Self>) -> crate::error::Result<()>;
}

/// What a server is asked to be.
pub(crate) struct ListenRequest {
    /// The vault that it serves.
    pub(crate) vault: Vault,
    /// The pairs that may sign.
    pub(crate) pairs: Vec<Credential>,
    /// Whether all of them were made just now.
    pub(crate) pairs_are_new: bool,
    /// The address and port.
    pub(crate) listen: SocketAddr,
    /// Whether requests must be signed.
    pub(crate) signed: bool,
    /// Further names by which unsigned requests may reach it.
    pub(crate) allowed_hosts: Vec<String>,
    /// The region of unsigned requests that name none.
    pub(crate) region: String,
    /// Whether the log may name secrets.
    pub(crate) log_names: bool,
    /// Files that the process keeps for others than the vault and the server's connections.
    pub(crate) other_files: usize,
    /// The agent's port, if it is asked for.
    pub(crate) agent: Option<AgentRequest>,
    /// Time and chance.
    pub(crate) env: Env,
}

/// The agent's port.
pub(crate) struct AgentRequest {
    /// The address and port.
    pub(crate) listen: SocketAddr,
    /// What a request must show.
    pub(crate) token: SecretBytes,
    /// The account whose secrets are read.
    pub(crate) account: String,
}

/// A rotation function behind an HTTP address.
pub(crate) trait Hook: Send + Sync {
    /// Sends an event and waits for what came of it, for as long as `goes_on` says.
    fn invoke(&self, event: Vec<u8>, goes_on: &dyn Fn() -> bool) -> Result<(), RotationError>;
}

/// What speaks HTTP, handed in by `frontends`.
#[derive(Clone, Copy)]
pub(crate) struct Http {
    /// Takes the port.
    pub(crate) listen: fn(ListenRequest) -> crate::error::Result<Box<dyn Listening>>,
    /// The function at an address, if that is one.
    pub(crate) hook: fn(&str) -> Option<Box<dyn Hook>>,
}
