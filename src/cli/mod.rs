//! The `strongroom` command: the only module that prints.
//!
//! ```text
//! args -> request -> lock -> key -> open -> run -> close -> answer -> print -> exit code
//!                      \-> held: the holder's socket -> run /
//! ```
//!
//! - Only data goes to standard output. Messages, warnings and progress go to standard error.
//! - The vault is closed before anything is printed. A slow reader does not hold the vault, and
//!   `strongroom get a | strongroom put b -` works.
//! - No secret is taken from an argument, and no error message repeats an argument that could be one.
//! - The vault is locked before a key is looked for and before a port is taken.
//!
//! `docs/CLI.md` is the reference. The rooms, from the bottom to the top:
//!
//! - `error.rs`: exit codes, and what a command fails with
//! - `transport.rs`: what the command needs from an HTTP server
//! - `calls/`: how commands and hooks are called
//! - `output/`: standard output, standard error, texts, JSON, progress
//! - `args/`: the command line
//! - `context.rs`: environment variables, time, files
//! - `input/`: files, standard input, prompts, Ctrl-C
//! - `locations.rs`: where the vault and its key file are, and the region
//! - `unlock.rs`: which key opens the vault
//! - `task/`: what a subcommand asks of a vault, and the answer
//! - `holder/`: the process that holds the vault answers for others
//! - `session.rs`: lock, unlock, open, close; or the way to the holder
//! - `client_env.rs`: the kept lines that point a client at the server; `env`
//! - `commands/`: the other subcommands
//! - `rotation/`: `serve --rotation`
//! - `receivers/`: `serve --events`
//! - `serve/`: `serve`

mod args;
#[cfg(feature = "server")]
mod calls;
mod client_env;
mod commands;
mod context;
mod error;
pub(crate) mod holder;
mod input;
mod locations;
mod output;
#[cfg(feature = "server")]
mod receivers;
#[cfg(feature = "server")]
mod rotation;
#[cfg(feature = "server")]
mod serve;
mod session;
mod task;
#[cfg(test)]
mod testing;
#[cfg(feature = "server")]
pub(crate) mod transport;
mod unlock;

use crate::env::Env;
use crate::env::real::harden_process;
use args::{Command, Parsed};
use commands::{credentials, events, health, init, secrets};
use context::{Context, Vars};
use error::{CliError, Exit};
use input::signal;
use std::ffi::OsString;
use std::panic;
use std::process::ExitCode;

/// The whole process: hardens it, runs the command line, returns the exit code.
#[must_use]
pub(crate) fn main(#[cfg(feature = "server")] http: transport::Http) -> ExitCode {
    panic::set_hook(Box::new(|info| {
        // The payload is left out, because a message may contain a value.
        let place = info.location().map_or_else(String::new, |at| {
            format!(" at {}:{}:{}", at.file(), at.line(), at.column())
        });
        output::note(&format!("internal error{place}; please report it"));
    }));
    let code = panic::catch_unwind(move || {
        if let Err(error) = harden_process() {
            // The command still runs. File modes do not depend on it, but core dumps may.
            output::warn(&format!("the process could not be hardened: {error}"));
        }
        signal::install();
        let vars: Vars = Box::new(|name| std::env::var_os(name));
        let context = Context {
            env: Env::real(),
            vars,
            #[cfg(feature = "server")]
            http,
        };
        run(std::env::args_os(), &context)
    });
    ExitCode::from(code.unwrap_or(Exit::Other.code()))
}

/// Runs one command line and returns its exit code.
fn run(arguments: impl IntoIterator<Item = OsString>, context: &Context) -> u8 {
    let outcome = match args::parse(arguments) {
        Ok(Parsed::Command(parsed)) => dispatch(context, *parsed),
        Ok(Parsed::Show(text)) => output::data(text.as_bytes()),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => Exit::Ok.code(),
        Err(failure) => {
            output::failure(&failure);
            failure.exit.code()
        }
    }
}

fn dispatch(context: &Context, parsed: args::Cli) -> Result<(), CliError> {
    let args::Cli { global, command } = parsed;
    if global.allow_lax_modes {
        output::warn(
            "--allow-lax-modes: NOBODY CHECKS WHO ELSE REACHES THE VAULT AND ITS KEY; whoever does can \
             read, change or destroy every secret",
        );
    }
    match command {
        Command::Init(args) => init::init(context, &global, &args),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::serve(context, &global, &args),
        Command::Env => client_env::print(context, &global),
        Command::Credentials(args) => credentials::credentials(context, &global, args),
        Command::Events(args) => events::events(context, &global, &args),
        Command::Put(args) => secrets::put(context, &global, args),
        Command::Get(args) => secrets::get(context, &global, args),
        Command::Ls(args) => secrets::ls(context, &global, args),
        Command::Describe(args) => secrets::describe(context, &global, args),
        Command::Versions(args) => secrets::versions(context, &global, args),
        Command::Stage(args) => secrets::stage(context, &global, args),
        Command::Rm(args) => secrets::rm(context, &global, args),
        Command::Restore(args) => secrets::restore(context, &global, args),
        Command::Check(args) => health::check(context, &global, &args),
        Command::Repair(args) => health::repair(context, &global, &args),
    }
}
