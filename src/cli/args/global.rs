//! The flags of every subcommand.

use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

const VAULT_HELP: &str = "\
The vault's folder [default: $STRONGROOM_VAULT, else $XDG_DATA_HOME/strongroom, else
~/.local/share/strongroom]";

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
    /// A file outside the vault that knows how far the vault has come, so that a rollback is noticed
    /// [default: the key file's name with `.anchor`]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) anchor: Option<PathBuf>,
    /// Open a vault that went back in time, and write a new anchor
    #[arg(long, global = true)]
    pub(crate) accept_rollback: bool,
    /// Take a vault and a key file that others can reach, for volumes whose modes cannot be changed
    #[arg(long, global = true)]
    pub(crate) allow_lax_modes: bool,
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

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| *seconds <= 1e9)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, such as 5 or 0.5".to_owned())
}
