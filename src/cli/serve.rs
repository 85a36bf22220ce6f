//! `serve`: a vault behind the AWS API, and the lines that point a client at it.
//!
//! ```text
//! usage -> lock -> key -> open or make -> key pair durable -> port -> client.env -> lines -> Ready.
//! ```

use super::agent_token::{self, AgentToken};
use super::args::{AuthMode, Global, Serve};
use super::client_env;
use super::credentials::exports;
use super::exit::Failure;
use super::rotation::{self, Caller, CallerCell};
use super::{Context, init, output, place, session, signal, unlock};
use crate::env::Env;
use crate::model::Scope;
use crate::secret::SecretBytes;
use crate::vault::{Credential, Options, RotationError, RotationFunctions, Vault, VaultDir};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use zeroize::Zeroizing;

/// A server that listens. `cli` and `wire` do not know each other.
pub trait Listening {
    /// Where it listens.
    fn local_addr(&self) -> SocketAddr;
    /// Where it speaks the agent's protocol, if it does.
    fn agent_addr(&self) -> Option<SocketAddr>;
    /// Serves until SIGTERM or SIGINT, then drains.
    fn run(self: Box<Self>) -> crate::error::Result<()>;
}

/// What a server is asked to be.
pub struct ListenRequest {
    /// The vault that it serves.
    pub vault: Vault,
    /// The pairs that may sign.
    pub pairs: Vec<Credential>,
    /// The address and port.
    pub listen: SocketAddr,
    /// Whether requests must be signed.
    pub signed: bool,
    /// The region of unsigned requests that name none.
    pub region: String,
    /// The agent's port, if it is asked for.
    pub agent: Option<AgentRequest>,
    /// Time and chance.
    pub env: Env,
}

/// The agent's port.
pub struct AgentRequest {
    /// The address and port.
    pub listen: SocketAddr,
    /// What a request must show.
    pub token: SecretBytes,
    /// The account whose secrets are read.
    pub account: String,
}

/// A rotation function behind an HTTP address.
pub trait Hook: Send + Sync {
    /// Sends an event and waits for what came of it, for as long as `goes_on` says.
    fn invoke(&self, event: Vec<u8>, goes_on: &dyn Fn() -> bool) -> Result<(), RotationError>;
}

/// What speaks HTTP, as whoever joins the doors hands it in.
#[derive(Clone, Copy)]
pub struct Http {
    /// Takes the port.
    pub listen: fn(ListenRequest) -> crate::error::Result<Box<dyn Listening>>,
    /// The function at an address, if that is one.
    pub hook: fn(&str) -> Option<Box<dyn Hook>>,
}

/// `serve`
pub(crate) fn serve(context: &Context, global: &Global, args: &Serve) -> Result<(), Failure> {
    if args.auth == AuthMode::None && !args.listen.ip().is_loopback() {
        return Err(Failure::usage("--auth none is for loopback addresses only")
            .hint("listen on 127.0.0.1 or [::1], or leave signatures on"));
    }
    check_agent(context, global, args)?;
    let region = place::region(context, global)?;
    let caller = CallerCell::default();
    let rotation = rotation::functions(context, &args.rotation, &caller)?;
    let vault = if args.ephemeral {
        Vault::in_memory_with_rotation(rotation)?
    } else {
        open(context, global, rotation)?
    };
    let served = run(context, global, args, &region, (&vault, &caller));
    session::close(&vault);
    served
}

/// What can be known about the agent's port before the vault is opened.
fn check_agent(context: &Context, global: &Global, args: &Serve) -> Result<(), Failure> {
    let Some(listen) = args.agent_listen else { return Ok(()) };
    if !listen.ip().is_loopback() {
        return Err(Failure::usage("--agent-listen is for loopback addresses only")
            .hint("listen on 127.0.0.1:2773 or [::1]:2773"));
    }
    let from_stdin = args.agent_token_file.as_ref().is_some_and(|file| file.as_os_str() == "-");
    unlock::check_stdin(context, global, from_stdin)?;
    if args.ephemeral && args.agent_token_file.is_none() {
        return Err(Failure::usage(
            "--ephemeral writes no file, so the agent's port needs a token",
        )
        .hint("give one with --agent-token-file"));
    }
    Ok(())
}

fn open(context: &Context, global: &Global, rotation: RotationFunctions) -> Result<Vault, Failure> {
    let path = place::vault(context, global)?;
    let options = Options { rotation, ..session::options(context, global) };
    let dir = VaultDir::make(&path, &options)?;
    if dir.has_vault() {
        let key = unlock::unlock(context, global, &dir)?;
        return Ok(dir.open(&key)?);
    }
    let key = init::new_key(context, global, false)?;
    init::create(context, &path, dir, key)
}

fn run(
    context: &Context,
    global: &Global,
    args: &Serve,
    region: &str,
    (vault, caller): (&Vault, &CallerCell),
) -> Result<(), Failure> {
    let kept =
        (!args.ephemeral).then(|| client_env::kept_access_key_id(context, global, vault.id()));
    let (pair, all) = key_pairs(vault, kept.flatten().as_deref())?;
    // Copies that live as long as the server: only for functions that need them.
    let pairs =
        if args.rotation.is_empty() { Vec::new() } else { all.iter().map(copied).collect() };
    let (agent, token_place) = agent(context, global, args, vault, &pair.account)?.unzip();
    let server = bind(context, args, region, vault.clone(), all, agent)?;
    let endpoint = format!("http://{}", reachable(server.local_addr()));
    // Empty until now. Rotation functions that wait may call back: the port is taken.
    let _ = caller.set(Caller { endpoint, pairs });
    // The server has taken the signals over; until now they ended the process.
    signal::leave_to_server();
    let lines = Lines::new(server.local_addr(), &pair, region);
    if !args.ephemeral {
        client_env::keep(context, global, vault.id(), &lines.with_pair());
    }
    if args.auth == AuthMode::None {
        output::warn(
            "SIGNATURES ARE NOT CHECKED: every process on this machine can read and change every \
             secret of this vault",
        );
    }
    if !args.listen.ip().is_loopback() {
        output::warn(
            "others on the network reach this server, and what it sends is not encrypted: whoever \
             sees the traffic reads the secrets",
        );
    }
    client_env::warn_of_session_token(context);
    let printed = if args.no_print_credentials { lines.without_pair() } else { lines.with_pair() };
    output::raw_note(&printed);
    if let (Some(address), Some(place)) = (server.agent_addr(), token_place) {
        output::note(&format!("agent protocol on http://{address}, token in {place}"));
    }
    output::raw_note("Ready.\n");
    // The server keeps what it needs: these copies of the secret key would live as long as it runs.
    drop((printed, lines, pair));
    Ok(server.run()?)
}

/// The pair that is handed out, and all that may sign. The pair that `client.env` already names is
/// taken if it is still valid, else the first of the default account, else a new one: durable
/// before anyone sees it.
fn key_pairs(vault: &Vault, kept: Option<&str>) -> Result<(Credential, Vec<Credential>), Failure> {
    let mut all = vault.credentials()?;
    let is_kept = |pair: &&Credential| Some(pair.access_key_id.as_str()) == kept;
    let is_default = |pair: &&Credential| pair.account == Scope::DEFAULT_ACCOUNT;
    if let Some(pair) = all.iter().find(is_kept).or_else(|| all.iter().find(is_default)) {
        return Ok((copied(pair), all));
    }
    let pair = vault.new_credential(Scope::DEFAULT_ACCOUNT)?;
    all.push(copied(&pair));
    Ok((pair, all))
}

fn copied(pair: &Credential) -> Credential {
    Credential {
        access_key_id: pair.access_key_id.clone(),
        account: pair.account.clone(),
        // EXPOSE: the server takes the list and the lines need the pair; both stay in the fence.
        secret_access_key: SecretBytes::copy_from(pair.secret_access_key.expose()),
    }
}

/// The agent's port as it is asked for, and where its token lies.
fn agent(
    context: &Context,
    global: &Global,
    args: &Serve,
    vault: &Vault,
    account: &str,
) -> Result<Option<(AgentRequest, String)>, Failure> {
    let Some(listen) = args.agent_listen else { return Ok(None) };
    let AgentToken { token, place } = match &args.agent_token_file {
        Some(file) => agent_token::given(file)?,
        None => agent_token::own(context, global, vault.id())?,
    };
    Ok(Some((AgentRequest { listen, token, account: account.to_owned() }, place)))
}

fn bind(
    context: &Context,
    args: &Serve,
    region: &str,
    vault: Vault,
    pairs: Vec<Credential>,
    agent: Option<AgentRequest>,
) -> Result<Box<dyn Listening>, Failure> {
    let request = ListenRequest {
        vault,
        pairs,
        listen: args.listen,
        signed: args.auth == AuthMode::SigV4,
        region: region.to_owned(),
        agent,
        env: context.env.clone(),
    };
    Ok((context.http.listen)(request)?)
}

/// The lines of every start, always in the same order.
struct Lines {
    endpoint: String,
    pair: Zeroizing<String>,
    region: String,
}

impl Lines {
    fn new(listening: SocketAddr, pair: &Credential, region: &str) -> Self {
        Self {
            endpoint: format!(
                "export AWS_ENDPOINT_URL_SECRETS_MANAGER=http://{}\n",
                reachable(listening)
            ),
            pair: exports(pair),
            region: format!("export AWS_REGION={region}\nexport AWS_DEFAULT_REGION={region}\n"),
        }
    }

    fn with_pair(&self) -> Zeroizing<String> {
        self.joined(&self.pair)
    }

    fn without_pair(&self) -> Zeroizing<String> {
        self.joined("")
    }

    fn joined(&self, pair: &str) -> Zeroizing<String> {
        Zeroizing::new([&self.endpoint, pair, &self.region].concat())
    }
}

/// Where a client on this machine reaches a server that listens on every address.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lines(listening: &str) -> Lines {
        let pair = Credential {
            access_key_id: "AKIAEXAMPLE".into(),
            account: "000000000000".into(),
            secret_access_key: SecretBytes::copy_from(b"sec/ret+key"),
        };
        Lines::new(listening.parse().unwrap(), &pair, "eu-west-1")
    }

    #[test]
    fn the_lines_are_those_of_the_contract_in_its_order() {
        assert_eq!(
            *lines("127.0.0.1:4566").with_pair(),
            "export AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:4566\n\
             export AWS_ACCESS_KEY_ID=AKIAEXAMPLE\n\
             export AWS_SECRET_ACCESS_KEY=sec/ret+key\n\
             export AWS_REGION=eu-west-1\n\
             export AWS_DEFAULT_REGION=eu-west-1\n"
        );
    }

    #[test]
    fn the_pair_can_be_left_out() {
        let text = lines("127.0.0.1:4566").without_pair();
        assert!(!text.contains("KEY") && text.lines().count() == 3, "{}", *text);
    }

    #[test]
    fn a_server_on_every_address_is_reached_on_loopback() {
        assert!(lines("0.0.0.0:80").endpoint.ends_with("=http://127.0.0.1:80\n"));
        assert!(lines("[::]:80").endpoint.ends_with("=http://[::1]:80\n"));
        assert!(lines("[::1]:80").endpoint.ends_with("=http://[::1]:80\n"));
    }
}
