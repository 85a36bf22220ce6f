//! Opens a vault, stores a secret and reads it back. The README shows this program.
#![allow(clippy::print_stdout)] // a program that shows what it reads

use strongroom::{Unlock, Vault};

fn main() -> strongroom::Result<()> {
    let vault = Vault::builder("vault").open_or_create(Unlock::passphrase("correct horse"))?;
    vault.put("app/db", "hunter2")?;
    println!("{}", vault.get("app/db")?.as_str()?);
    vault.close()
}
