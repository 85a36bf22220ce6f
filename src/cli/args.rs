//! The command line: its words, its help, its refusals.
//!
//! Flags that say which vault and which key stand before or after the subcommand. A refusal never
//! repeats an argument that could be a secret.

use super::exit::Failure;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
#[cfg(feature = "server")]
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  strongroom init                              make a vault and its key file
  printf %s hunter2 | strongroom put db/password - --create
  strongroom get db/password                   the raw value, nothing added
  strongroom ls db/                            names that start with db/
  strongroom serve                             an AWS Secrets Manager endpoint on 127.0.0.1:4566
  eval \"$(strongroom env)\"                     point any AWS client at that server

Exit codes:
  0 ok, 1 other, 2 usage, 3 not found, 4 key, 5 exists, scheduled for deletion or limit,
  6 vault in use, 7 damage, 130 Ctrl-C, 141 closed pipe";

const VAULT_HELP: &str = "\
The vault's folder [default: $STRONGROOM_VAULT, else $XDG_DATA_HOME/strongroom, else
~/.local/share/strongroom]";

/// An encrypted secret vault with the semantics of AWS Secrets Manager.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every subcommand.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Which vault, which key")]
pub(crate) struct Global {
    #[arg(long, value_name = "DIR", global = true, help = VAULT_HELP)]
    pub(crate) vault: Option<PathBuf>,
    /// The vault's key file; `-` reads it from standard input [default: `$STRONGROOM_KEY_FILE`,
    /// else the vault's own in `$XDG_CONFIG_HOME/strongroom/keys`]
    #[arg(long, value_name = "F", global = true)]
    pub(crate) key_file: Option<PathBuf>,
    /// A file with the vault's passphrase, `-` for standard input; one newline at its end is
    /// dropped [default: `$STRONGROOM_PASSPHRASE_FILE`]
    #[arg(long, value_name = "F", global = true)]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The AWS region that names live in [default: `$AWS_REGION`, `$AWS_DEFAULT_REGION`,
    /// us-east-1]
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,
    /// `json` prints the AWS operation's response with its member names [default: text]
    #[arg(long, value_enum, global = true)]
    pub(crate) output: Option<Output>,
    /// How long to wait while another process holds the vault [default: not at all]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, global = true,
        allow_negative_numbers = true)]
    pub(crate) wait: Option<Duration>,
}

impl Global {
    /// Whether the AWS response is asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.output == Some(Output::Json)
    }
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people and shells.
    Text,
    /// The AWS response.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a vault, and a key file that opens it
    Init(Init),
    /// Serve the AWS Secrets Manager API; makes the vault if there is none
    #[cfg(feature = "server")]
    Serve(Serve),
    /// Print the `export` lines that point an AWS client at the server
    #[command(after_help = "Example:\n  eval \"$(strongroom env)\"")]
    Env,
    /// Make, list and revoke the key pairs that may sign requests to the server
    Credentials(Credentials),
    /// Store a new version of a secret and print its version id
    Put(Put),
    /// Print a secret's value: its bytes, nothing added
    Get(Get),
    /// List the names of secrets, one a line
    Ls(Ls),
    /// Show all about a secret but its values
    Describe(Name),
    /// List a secret's versions: id, staging labels, when made
    Versions(Versions),
    /// Move a staging label to another version
    Stage(Stage),
    /// Delete a secret after a recovery window, or now; prints the deletion date
    Rm(Rm),
    /// Take a scheduled deletion back
    Restore(Name),
    /// Look for damage and change nothing
    Check(Check),
    /// Heal damage from what is proven right; keeps the damaged originals
    Repair(Repair),
}

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Open every value too, and compare every row of the state
    #[arg(long)]
    pub(crate) deep: bool,
}

/// `repair`
#[derive(Debug, Args)]
#[command(after_help = "\
What nothing can replace is listed and left as it is (exit 7). Keep a copy of the folder, look for
a backup, and only then give --accept-loss.")]
pub(crate) struct Repair {
    /// Keep the longest part that is proven right, and drop what is listed as lost
    #[arg(long)]
    pub(crate) accept_loss: bool,
}

/// `init`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --passphrase the key is a random key file of mode 0600 in
$XDG_CONFIG_HOME/strongroom/keys. Key and vault together are the secret; apart they are the
safety: back them up to different places.")]
pub(crate) struct Init {
    /// Lock the vault with a passphrase, asked for twice or read from --passphrase-file, instead
    /// of a key file
    #[arg(long)]
    pub(crate) passphrase: bool,
}

/// `serve`
#[cfg(feature = "server")]
#[derive(Debug, Args)]
#[command(after_help = "\
Each start prints the same `export` lines on standard error, then `Ready.`; `strongroom env`
prints them again. SIGTERM and Ctrl-C stop the server in order: it answers what it has begun.

Example:
  strongroom serve &
  eval \"$(strongroom env)\"
  aws secretsmanager list-secrets")]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4566", value_parser = listen)]
    pub(crate) listen: SocketAddr,
    /// Who may ask: `sigv4` checks the signature of each request, `none` lets every process of
    /// this machine in (loopback addresses only)
    #[arg(long, value_enum, default_value = "sigv4")]
    pub(crate) auth: AuthMode,
    /// A vault in memory with fresh keys, gone at the end
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Leave the key pair out of the printed lines
    #[arg(long)]
    pub(crate) no_print_credentials: bool,
    /// Also speak the read protocol of AWS's local agent there, usually 127.0.0.1:2773 (loopback
    /// addresses only)
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen)]
    pub(crate) agent_listen: Option<SocketAddr>,
    /// The file with the token that requests to the agent's port must show [default: one that is
    /// made and kept beside client.env]
    #[arg(long, value_name = "F", requires = "agent_listen")]
    pub(crate) agent_token_file: Option<PathBuf>,
    /// What rotates secrets whose `RotationLambdaARN` is ARN: `ARN=exec:/path/to/command`,
    /// `ARN=http://host:port/path`, `ARN=random[:LENGTH]`, or a file of such lines; may be repeated
    #[arg(long, value_name = "ARN=FUNCTION")]
    pub(crate) rotation: Vec<String>,
}

/// Who may ask the server.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthMode {
    /// Signed requests.
    #[value(name = "sigv4")]
    SigV4,
    /// Anyone who reaches the port.
    None,
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
    /// Make a pair; its secret half is printed this once
    New {
        /// The account, of 12 digits, that its requests act in
        #[arg(long, value_name = "N", default_value = "000000000000", value_parser = account)]
        account: String,
    },
    /// List access key ids and their accounts, never the secret halves
    Ls,
    /// Take a pair out of use
    Revoke {
        /// The access key id
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// `put`
#[derive(Debug, Args)]
#[command(after_help = "\
The value comes from --file F, from standard input with `-` (byte for byte), or from a prompt
without echo. It never stands on the command line, where every process can read it.

Examples:
  strongroom put db/password --create
  printf %s hunter2 | strongroom put db/password -
  strongroom put tls/key --file key.der --binary
  strongroom put db/password - --stage AWSPENDING < new")]
pub(crate) struct Put {
    /// The secret's name or ARN
    pub(crate) name: String,
    /// `-`: the value is what comes in on standard input
    // Everything else is refused by hand, with the reason and without repeating it.
    #[arg(value_name = "-", hide_possible_values = true)]
    pub(crate) source: Vec<OsString>,
    /// Read the value from this file
    #[arg(long, value_name = "F")]
    pub(crate) file: Option<PathBuf>,
    /// Store it as `SecretBinary`: any bytes; without it the value must be UTF-8
    #[arg(long)]
    pub(crate) binary: bool,
    /// Put this staging label on the version instead of AWSCURRENT; may be repeated
    #[arg(long = "stage", value_name = "S")]
    pub(crate) stages: Vec<String>,
    /// The version's id, of 32 to 64 characters: the same token and value again change nothing
    #[arg(long, value_name = "T")]
    pub(crate) token: Option<String>,
    /// Make the secret if there is none
    #[arg(long)]
    pub(crate) create: bool,
    #[arg(
        long = "value",
        aliases = ["secret-string", "secret-binary", "secret", "string"],
        hide = true,
        num_args = 0..=1,
        default_missing_value = "",
    )]
    pub(crate) value_in_argv: Option<OsString>,
}

/// `get`
#[derive(Debug, Args)]
#[command(after_help = "\
A newline is added only on a terminal. With --out the file is made anew with mode 0600.

Examples:
  strongroom get db/password
  strongroom get db/password --stage AWSPREVIOUS
  strongroom get tls/key --out key.der")]
pub(crate) struct Get {
    /// The secret's name or ARN
    pub(crate) name: String,
    /// The version with this staging label [default: AWSCURRENT]
    #[arg(long, value_name = "S")]
    pub(crate) stage: Option<String>,
    /// The version with this id
    #[arg(long, value_name = "V")]
    pub(crate) version: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "F")]
    pub(crate) out: Option<PathBuf>,
}

/// `ls`
#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// Only names that start with this
    pub(crate) prefix: Option<String>,
}

/// A subcommand that takes a secret and no more.
#[derive(Debug, Args)]
pub(crate) struct Name {
    /// The secret's name or ARN
    pub(crate) name: String,
}

/// `versions`
#[derive(Debug, Args)]
pub(crate) struct Versions {
    /// The secret's name or ARN
    pub(crate) name: String,
    /// Also versions without a staging label
    #[arg(long)]
    pub(crate) all: bool,
}

/// `stage`
#[derive(Debug, Args)]
#[command(after_help = "\
AWSCURRENT moves only away from the version named with --from; AWSPREVIOUS follows by itself.

Example, back to the version before:
  strongroom stage db/password AWSCURRENT --to OLD --from NEW")]
pub(crate) struct Stage {
    /// The secret's name or ARN
    pub(crate) name: String,
    /// The staging label
    pub(crate) label: String,
    /// The version that gets the label; without it the label is taken off
    #[arg(long, value_name = "V", required_unless_present = "from")]
    pub(crate) to: Option<String>,
    /// The version that has the label now
    #[arg(long, value_name = "V")]
    pub(crate) from: Option<String>,
}

/// `rm`
#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// The secret's name or ARN
    pub(crate) name: String,
    /// Days, 7 to 30, in which `restore` can take it back [default: 30]
    #[arg(long, value_name = "DAYS", conflicts_with = "now")]
    pub(crate) window: Option<i64>,
    /// Delete now and erase the keys of its versions: nothing brings it back
    #[arg(long)]
    pub(crate) now: bool,
}

/// What a command line asks for.
pub(crate) enum Parsed {
    /// A command.
    Command(Box<Cli>),
    /// Help or version, for standard output.
    Show(String),
}

/// Reads a command line.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, Failure> {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => check(cli).map(|cli| Parsed::Command(Box::new(cli))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(Parsed::Show(error.render().to_string()))
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Err(Failure::usage("no command was given").hint(error.render().to_string()))
            }
            _ => Err(refusal(&error)),
        },
    }
}

/// clap does not see a conflict between global flags on both sides of the subcommand.
fn check(cli: Cli) -> Result<Cli, Failure> {
    if cli.global.key_file.is_some() && cli.global.passphrase_file.is_some() {
        return Err(Failure::usage("--key-file and --passphrase-file exclude each other"));
    }
    Ok(cli)
}

/// The refusal of a command line. An argument that stands where none belongs may be a secret that
/// someone meant to hand over: it is not repeated.
fn refusal(error: &clap::Error) -> Failure {
    let told = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let invalid = told(ContextKind::InvalidArg).unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UnknownArgument if is_flag(invalid) => {
            format!("there is no flag {invalid} here")
        }
        ErrorKind::UnknownArgument => {
            "an argument too many (not repeated here, in case it is a secret)".to_owned()
        }
        ErrorKind::TooManyValues => {
            "a flag that takes no value was given one (not repeated here, in case it is a secret)"
                .to_owned()
        }
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            let more: Vec<&str> = text
                .lines()
                .skip(1)
                .take_while(|line| !line.trim_start().starts_with("Usage:"))
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
                .collect();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            [&[first], more.as_slice()].concat().join(" ")
        }
    };
    Failure::usage(message).hint("`strongroom --help` and `strongroom COMMAND --help` tell more")
}

/// Whether `text` is a plain long flag: words of small letters. Anything else could be a value.
fn is_flag(text: &str) -> bool {
    text.strip_prefix("--").is_some_and(|word| {
        word.len() <= 24 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| *seconds <= 1e9)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a number of seconds is meant, such as 5 or 0.5".to_owned())
}

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an account is 12 digits".to_owned())
    }
}

#[cfg(feature = "server")]
fn listen(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    numeric.as_deref().unwrap_or(text).parse().map_err(|_| {
        "an address and a port are meant, such as 127.0.0.1:4566 or [::1]:4566".to_owned()
    })
}

#[cfg(test)]
mod tests;
