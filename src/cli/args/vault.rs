//! The arguments of `init`, `check` and `repair`.

use clap::Args;

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Also open every value, and compare every row of the state
    #[arg(long)]
    pub(crate) deep: bool,
}

/// `repair`
#[derive(Debug, Args)]
#[command(after_help = "\
Damage that cannot be repaired is listed and left as it is (exit 7). Copy the folder and look for a
backup before you give --accept-loss.")]
pub(crate) struct Repair {
    /// Keep the longest part that is proven right and drop what is listed as lost
    #[arg(long)]
    pub(crate) accept_loss: bool,
}

/// `init`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --passphrase the key is a random key file of mode 0600 in
$XDG_CONFIG_HOME/strongroom/keys. Both key and vault are needed to read your secrets. Back them up
separately.")]
pub(crate) struct Init {
    /// Use a passphrase instead of a key file; it is read from --passphrase-file or asked for
    /// twice
    #[arg(long)]
    pub(crate) passphrase: bool,
}
