//! The arguments of `init`, `check` and `repair`.

use clap::Args;

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
