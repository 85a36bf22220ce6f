//! `serve`: opens or creates the vault, takes the port, prints the lines, serves.
//!
//! ```text
//! usage -> lock -> key -> open or make -> key pair durable -> port -> client.env -> lines -> Ready.
//! ```

use super::agent_token::{self, AgentToken};
use super::lines::{Lines, reachable};
use super::logging;
use crate::cli::args::{AuthMode, Global, Serve};
use crate::cli::client_env;
use crate::cli::commands::init;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::holder::{self, Listener};
use crate::cli::input::{Input, signal};
use crate::cli::receivers::receiver;
use crate::cli::rotation::{self, Caller, CallerCell};
use crate::cli::transport::{AgentRequest, ListenRequest, Listening};
use crate::cli::{locations, output, session, unlock};
use crate::env::real::raise_open_files_max;
use crate::error::ErrorKind;
use crate::model::Scope;
use crate::secret::SecretBytes;
use crate::vault::{Credential, Options, Vault, VaultDir};
use std::path::Path;

/// `serve`
pub(crate) fn serve(context: &Context, global: &Global, args: &Serve) -> Result<(), CliError> {
    if args.auth == AuthMode::None && !args.listen.ip().is_loopback() {
        return Err(CliError::usage("--auth none is only allowed on loopback addresses")
            .hint("listen on 127.0.0.1 or [::1], or drop --auth none"));
    }
    check_agent(context, global, args)?;
    let region = locations::region(context, global)?;
    let _log = logging::start(context, &args.log)?;
    let caller = CallerCell::default();
    let rotation = rotation::functions(context, &args.rotation, &caller)?;
    let events = args.events.as_deref().map(|text| receiver(context, text, &caller));
    let on_label_updated = events.transpose()?;
    let vault = if args.ephemeral {
        Vault::in_memory_for(Options { rotation, on_label_updated, ..Options::default() })?
    } else {
        let options = session::options(context, global);
        open(context, global, args, &Options { rotation, on_label_updated, ..options })?
    };
    let served = run(context, global, args, &region, (&vault, &caller));
    session::close(&vault);
    served
}

/// Checks the agent's port before the vault is opened.
fn check_agent(context: &Context, global: &Global, args: &Serve) -> Result<(), CliError> {
    let Some(listen) = args.agent_listen else { return Ok(()) };
    if !listen.ip().is_loopback() {
        return Err(CliError::usage("--agent-listen only allows loopback addresses")
            .hint("listen on 127.0.0.1:2773 or [::1]:2773"));
    }
    let from_stdin = args.agent_token_file.as_ref().is_some_and(|file| file.as_os_str() == "-");
    unlock::check_stdin(context, global, from_stdin)?;
    if args.ephemeral && args.agent_token_file.is_none() {
        return Err(CliError::usage(
            "--ephemeral writes no file, so the agent's port needs a token",
        )
        .hint("give one with --agent-token-file"));
    }
    Ok(())
}

fn open(
    context: &Context,
    global: &Global,
    args: &Serve,
    options: &Options,
) -> Result<Vault, CliError> {
    let path = locations::vault(context, global)?;
    if args.no_create {
        let dir = VaultDir::lock(&path, options).map_err(|error| match error.kind() {
            ErrorKind::NotFound { .. } => CliError::from(error).hint(
                "is the right folder mounted there? `strongroom init` makes a vault, and so does \
                 `serve` without --no-create",
            ),
            _ => error.into(),
        })?;
        return open_existing(context, global, dir);
    }
    let dir = VaultDir::make(&path, options)?;
    if dir.has_vault() {
        return open_existing(context, global, dir);
    }
    let key = init::new_key(context, global, false)?;
    init::create(context, global, &path, dir, key)
}

fn open_existing(context: &Context, global: &Global, mut dir: VaultDir) -> Result<Vault, CliError> {
    dir.check_writable()?;
    let key = unlock::unlock(context, global, &dir)?;
    unlock::find_anchor(context, global, &mut dir);
    let vault = dir.open(&key)?;
    session::warn_of_lost_state(&vault);
    if let Some(note) = vault.anchor_note() {
        output::note(&note);
    }
    Ok(vault)
}

fn run(
    context: &Context,
    global: &Global,
    args: &Serve,
    region: &str,
    (vault, caller): (&Vault, &CallerCell),
) -> Result<(), CliError> {
    let kept =
        (!args.ephemeral).then(|| client_env::kept_access_key_id(context, global, vault.id()));
    let pairs_are_new = vault.credentials()?.is_empty();
    let (pair, all) = key_pairs(vault, kept.flatten().as_deref())?;
    let (agent, token_place) = agent(context, global, args, vault, &pair.account)?.unzip();
    let server = bind(context, args, region, vault.clone(), (all, pairs_are_new), agent)?;
    let endpoint = format!("http://{}", reachable(server.local_addr()));
    // Rotation functions that have waited for the port may call back from now on.
    let tells_names = args.log.log_names;
    let filled = caller.fill(Caller { endpoint, vault: Some(vault.clone()), tells_names });
    // From now on the server handles signals. Until now they ended the process.
    signal::leave_to_server();
    let lines = Lines::new(server.local_addr(), &pair, region);
    let kept = if args.ephemeral {
        None
    } else {
        client_env::keep(context, global, vault.id(), &lines.with_pair())
    };
    if args.auth == AuthMode::None {
        output::warn(
            "SIGNATURES ARE NOT CHECKED: every process on this machine can read and change every \
             secret of this vault",
        );
    }
    if !args.listen.ip().is_loopback() {
        output::warn(
            "this server can be reached from the network and does not encrypt its traffic: whoever \
             sees the traffic can read the secrets",
        );
    }
    client_env::warn_of_session_token(context);
    let tells_secret = tells_secret(args);
    let printed = match (args.credentials.no_print_credentials, tells_secret) {
        (true, _) => lines.without_pair(),
        (false, true) => lines.with_pair(),
        (false, false) => lines.without_secret(),
    };
    output::raw_note(&printed);
    if !args.credentials.no_print_credentials && !tells_secret {
        output::note(&where_the_secret_is(context, global, kept.as_deref()));
    }
    if let (Some(address), Some(place)) = (server.agent_addr(), token_place) {
        output::note(&format!("agent protocol on http://{address}, token in {place}"));
    }
    let holder = if args.ephemeral { None } else { hold(context, global, vault)? };
    output::raw_note("Ready.\n");
    // The server has its own copies. These copies of the secret key would live as long as it runs.
    drop((printed, lines, pair));
    let outcome = server.run();
    // Commands that are under way get their answers before the vault is closed.
    drop((holder, filled));
    Ok(outcome?)
}

/// Listens for commands. Where that is not possible, the server does without.
fn hold(context: &Context, global: &Global, vault: &Vault) -> Result<Option<Listener>, CliError> {
    let path = locations::vault(context, global)?;
    Ok(Listener::listen(&context.env, &path, vault, holder::tell)
        .map_err(CliError::from)
        .inspect_err(|failure| {
            // One line, because what `serve` prints may be read by a shell.
            let step = failure.hint.as_deref().map_or_else(String::new, |step| format!("; {step}"));
            output::warn(&format!(
                "other commands cannot go through this server: {}{step}",
                failure.message
            ));
        })
        .ok())
}

/// Whether the secret half of the pair may be printed (SPEAK-7). What is written to no terminal is likely to
/// be kept: the log of a service, of a container, of a build. The pair of a vault in memory ends with it and
/// is nowhere else.
fn tells_secret(args: &Serve) -> bool {
    args.credentials.print_credentials || args.ephemeral || output::notes_are_seen()
}

/// Where the secret half of the pair is, if it is not printed.
fn where_the_secret_is(context: &Context, global: &Global, kept: Option<&Path>) -> String {
    let Some(kept) = kept else {
        return "the secret access key is not printed here; --print-credentials prints it"
            .to_owned();
    };
    let quoted = |path: &Path| unlock::quoted(&Input::Path(path.to_path_buf()));
    let vault = locations::vault(context, global).map(|path| quoted(&path)).unwrap_or_default();
    let key = match &global.key_file {
        Some(file) if file.as_os_str() != "-" => format!(" --key-file {}", quoted(file)),
        _ => String::new(),
    };
    format!(
        "the secret access key is not printed here: `strongroom env --vault {vault}{key}` prints it, \
         and it is in {}",
        kept.display()
    )
}

/// The pair that is printed, and all pairs that may sign. Printed is the pair in `client.env` if it is still
/// valid, else the first of the default account, else a new one, which is durable before anyone sees it.
fn key_pairs(vault: &Vault, kept: Option<&str>) -> Result<(Credential, Vec<Credential>), CliError> {
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
        // EXPOSE: copied for the server and for the printed lines.
        secret_access_key: SecretBytes::copy_from(pair.secret_access_key.expose()),
    }
}

/// What the agent's port is asked to be, and where its token is.
fn agent(
    context: &Context,
    global: &Global,
    args: &Serve,
    vault: &Vault,
    account: &str,
) -> Result<Option<(AgentRequest, String)>, CliError> {
    let Some(listen) = args.agent_listen else { return Ok(None) };
    let AgentToken { token, place } = match &args.agent_token_file {
        Some(file) => agent_token::given(file, global.allow_lax_modes)?,
        None => agent_token::own(context, global, vault.id())?,
    };
    Ok(Some((AgentRequest { listen, token, account: account.to_owned() }, place)))
}

fn bind(
    context: &Context,
    args: &Serve,
    region: &str,
    vault: Vault,
    (pairs, pairs_are_new): (Vec<Credential>, bool),
    agent: Option<AgentRequest>,
) -> Result<Box<dyn Listening>, CliError> {
    // A server needs a file for each connection. What the system refuses stays as it is.
    let _ = raise_open_files_max();
    let request = ListenRequest {
        vault,
        pairs,
        pairs_are_new,
        listen: args.listen,
        signed: args.auth == AuthMode::SigV4,
        allowed_hosts: args.allow_host.clone(),
        region: region.to_owned(),
        log_names: args.log.log_names,
        other_files: if args.ephemeral { 0 } else { holder::files_max() },
        agent,
        env: context.env.clone(),
    };
    Ok((context.http.listen)(request)?)
}
