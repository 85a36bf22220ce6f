//! The arguments of `serve`, `credentials` and `events`.

#[cfg(feature = "server")]
use clap::ValueEnum;
use clap::{Args, Subcommand};
#[cfg(feature = "server")]
use std::net::SocketAddr;
#[cfg(feature = "server")]
use std::path::PathBuf;

/// `serve`
#[cfg(feature = "server")]
#[derive(Debug, Args)]
#[command(after_help = "\
Each start prints the same `export` lines on standard error, then `Ready.`; `strongroom env`
prints them again. The secret access key is printed only to a terminal. A line for each request
follows. SIGTERM, SIGHUP and Ctrl-C shut down gracefully: running requests finish.

Example:
  strongroom serve &
  eval \"$(strongroom env)\"
  aws secretsmanager list-secrets")]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4566", value_parser = listen)]
    pub(crate) listen: SocketAddr,
    /// How requests are authenticated: `sigv4` checks the signature of each request, `none` accepts
    /// every process on this machine (loopback addresses only)
    #[arg(long, value_enum, default_value = "sigv4")]
    pub(crate) auth: AuthMode,
    /// A further name by which requests without a signature may reach the server, such as
    /// `strongroom` or `host.docker.internal:4566`; may be repeated. Signed requests need none
    #[arg(long, value_name = "NAME[:PORT]", value_parser = host)]
    pub(crate) allow_host: Vec<String>,
    /// Serve a new vault in memory, which is gone when the server stops
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Fail if there is no vault, instead of creating one: for folders that are mounted
    #[arg(long, conflicts_with = "ephemeral")]
    pub(crate) no_create: bool,
    #[command(flatten)]
    pub(crate) credentials: ShownCredentials,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// Also serve the read protocol of AWS's local agent at this address, usually 127.0.0.1:2773
    /// (loopback addresses only)
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen)]
    pub(crate) agent_listen: Option<SocketAddr>,
    /// A file with the token that requests to the agent's port must carry [default: a token that is
    /// created once and kept beside client.env]
    #[arg(long, value_name = "F", requires = "agent_listen")]
    pub(crate) agent_token_file: Option<PathBuf>,
    /// Which function rotates the secrets whose `RotationLambdaARN` is ARN:
    /// `ARN=exec:/path/to/command`, `ARN=http://host:port/path`, `ARN=random[:LENGTH]`, or a file of
    /// such lines; may be repeated
    #[arg(long, value_name = "ARN=FUNCTION")]
    pub(crate) rotation: Vec<String>,
    /// Who is told when a staging label moves to a new version: `exec:/path/to/command` gets each
    /// event on its standard input, `http://host:port/path` as a POST, `file:PATH` as a line
    #[arg(long, value_name = "RECEIVER")]
    pub(crate) events: Option<String>,
}

/// What of the key pair is printed.
#[cfg(feature = "server")]
#[derive(Debug, Args)]
pub(crate) struct ShownCredentials {
    /// Print the secret access key even if standard error is no terminal but, for example, the log
    /// of a service
    #[arg(long, conflicts_with = "no_print_credentials")]
    pub(crate) print_credentials: bool,
    /// Do not print the key pair
    #[arg(long)]
    pub(crate) no_print_credentials: bool,
}

/// The log of a server.
#[cfg(feature = "server")]
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// What is logged on standard error: error, warn, info, debug, trace, off, and exceptions such
    /// as `info,strongroom::request=off` [default: `$STRONGROOM_LOG`, else info, a line for each
    /// request]
    #[arg(long, value_name = "LEVEL", conflicts_with = "quiet")]
    pub(crate) log_level: Option<String>,
    /// The same as `--log-level warn`: no line for each request
    #[arg(long)]
    pub(crate) quiet: bool,
    /// How lines of the log are written
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Name the secrets of requests in the log; values are never logged
    #[arg(long)]
    pub(crate) log_names: bool,
}

/// How requests are authenticated.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthMode {
    /// Signed requests.
    #[value(name = "sigv4")]
    SigV4,
    /// Not at all: every process that reaches the port is accepted.
    None,
}

/// How lines of the log are written.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs: a JSON object a line.
    Json,
}

/// `credentials`
#[derive(Debug, Args)]
pub(crate) struct Credentials {
    #[command(subcommand)]
    pub(crate) action: CredentialsAction,
}

/// What to do with key pairs.
#[derive(Debug, Subcommand)]
pub(crate) enum CredentialsAction {
    /// Create a pair; its secret half is printed only now
    New {
        /// The account of its requests, 12 digits
        #[arg(long, value_name = "N", default_value = "000000000000", value_parser = account)]
        account: String,
    },
    /// List access key ids and their accounts, never the secret halves
    Ls,
    /// Revoke a pair
    Revoke {
        /// The access key id
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// `events`
#[derive(Debug, Args)]
pub(crate) struct Events {
    #[command(subcommand)]
    pub(crate) action: EventsAction,
}

/// What to do with events.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsAction {
    /// List the events that wait: time, label, ARN, version id
    Ls,
    /// Write no more events, and forget those that wait; `serve --events` begins anew
    Off,
}

fn account(text: &str) -> Result<String, String> {
    if crate::model::name::is_account(text) {
        Ok(text.to_owned())
    } else {
        Err("an account is 12 digits".to_owned())
    }
}

#[cfg(feature = "server")]
fn host(text: &str) -> Result<String, String> {
    if crate::model::name::is_host(text) {
        Ok(text.to_owned())
    } else {
        Err("expected a name, with or without a port, such as strongroom:4566".to_owned())
    }
}

#[cfg(feature = "server")]
fn listen(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    numeric.as_deref().unwrap_or(text).parse().map_err(|_| {
        "expected an address and a port, such as 127.0.0.1:4566 or [::1]:4566".to_owned()
    })
}
