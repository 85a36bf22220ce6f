//! The arguments of the subcommands on secrets.

use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

/// `put`
#[derive(Debug, Args)]
#[command(after_help = "\
The value comes from --file F, from standard input with `-` (byte for byte), or from a prompt
without echo. It is never taken from the command line, which every process can read.

Examples:
  strongroom put db/password --create
  printf %s hunter2 | strongroom put db/password -
  strongroom put tls/key --file key.der --binary
  strongroom put db/password - --stage AWSPENDING < new")]
pub(crate) struct Put {
    /// The secret's name or ARN
    pub(crate) name: String,
    /// `-`: read the value from standard input
    // Everything else is refused by hand, with the reason and without repeating it.
    #[arg(value_name = "-", hide_possible_values = true)]
    pub(crate) source: Vec<OsString>,
    /// Read the value from this file
    #[arg(long, value_name = "F")]
    pub(crate) file: Option<PathBuf>,
    /// Store the value as `SecretBinary`, which may be any bytes; otherwise it must be UTF-8
    #[arg(long)]
    pub(crate) binary: bool,
    /// Attach this staging label instead of AWSCURRENT; may be repeated
    #[arg(long = "stage", value_name = "S")]
    pub(crate) stages: Vec<String>,
    /// The version's id, 32 to 64 characters; repeating it with the same value changes nothing
    #[arg(long, value_name = "T")]
    pub(crate) token: Option<String>,
    /// Create the secret if it does not exist
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
A newline is added only on a terminal. --out writes a new file of mode 0600.

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
To move AWSCURRENT, name the version that has it now with --from. That version then gets AWSPREVIOUS.

Example: go back to the version before
  strongroom stage db/password AWSCURRENT --to OLD --from NEW")]
pub(crate) struct Stage {
    /// The secret's name or ARN
    pub(crate) name: String,
    /// The staging label
    pub(crate) label: String,
    /// The version that gets the label; without it the label is removed
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
    /// Days, 7 to 30, in which `restore` can cancel the deletion [default: 30]
    #[arg(long, value_name = "DAYS", conflicts_with = "now")]
    pub(crate) window: Option<i64>,
    /// Delete now and erase the keys of its versions; nothing can restore them
    #[arg(long)]
    pub(crate) now: bool,
}
