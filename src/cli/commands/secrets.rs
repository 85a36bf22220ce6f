//! The subcommands on secrets, one function each.

use crate::cli::args::{Get, Global, Ls, Name, Put, Rm, Stage, Versions};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::input::Input;
use crate::cli::input::value::{self, Source};
use crate::cli::session::{Session, perform, show};
use crate::cli::task::{Answer, Place, Request, Task};
use crate::cli::{locations, task, unlock};
use crate::env::private_file;
use crate::model::{Scope, VersionId};
use crate::secret::{PayloadKind, SecretBytes, SecretValue};
use std::path::Path;

/// `put`
pub(crate) fn put(context: &Context, global: &Global, args: Put) -> Result<(), CliError> {
    let source = value::source(&args)?;
    let is_stdin = source == Source::Input(Input::Stdin);
    unlock::check_stdin(context, global, is_stdin)?;
    let place = place(context, global, &args.name)?;
    let json = global.is_json();
    let mut session = Session::new(context, global)?;
    let value = match &source {
        // Read to the end before the vault is locked: the process that writes to us may need the vault.
        Source::Input(input) => value::read(input, args.binary)?,
        // Nobody types a value in vain, and the vault is not held meanwhile.
        Source::Prompt => {
            let (name, create) = (args.name.clone(), args.create);
            let find = Task::Find { place: place.clone(), name, create };
            show(session.run(&Request { task: find, json }, None)?)?;
            value::ask(&args.name, args.binary)?
        }
    };
    let is_binary = value.kind() == PayloadKind::Binary;
    let (SecretValue::String(value) | SecretValue::Binary(value)) = value;
    let Put { name, stages, token, create, .. } = args;
    let token = token.map_or_else(|| new_token(context), Ok)?;
    let put = task::Put { place, name, stages, token, create, is_binary };
    show(session.run(&Request { task: Task::Put(put), json }, Some(&value))?)
}

/// The id of the new version, made here so that the same request can be made again.
fn new_token(context: &Context) -> Result<String, CliError> {
    let random = context.env.random::<16>();
    let random = random.map_err(|error| CliError::io("no random bytes", &error))?;
    Ok(VersionId::from_random(random).as_str().to_owned())
}

fn place(context: &Context, global: &Global, name: &str) -> Result<Place, CliError> {
    locations::scope_of(context, global, name).map(Place::from)
}

/// `get`
pub(crate) fn get(context: &Context, global: &Global, args: Get) -> Result<(), CliError> {
    let place = place(context, global, &args.name)?;
    let Get { name, stage, version, out } = args;
    let task = Task::Get(task::Get { place, name, version, stage });
    let Some(path) = out else { return perform(context, global, task) };
    let request = Request { task, json: global.is_json() };
    let answer = Session::new(context, global)?.run(&request, None)?;
    if answer.failure.is_none() {
        write_out(context, &path, &answer.data)?;
    }
    show(Answer { data: SecretBytes::new(Vec::new()), is_open_line: false, ..answer })
}

fn write_out(context: &Context, path: &Path, bytes: &SecretBytes) -> Result<(), CliError> {
    // EXPOSE: the value was asked to go to this file.
    private_file::write(&context.env, path, bytes.expose()).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::InvalidInput => Exit::Usage,
            _ => Exit::Other,
        };
        CliError::refused(exit, &format!("{} cannot be written", path.display()), &error)
    })
}

/// `ls`
pub(crate) fn ls(context: &Context, global: &Global, args: Ls) -> Result<(), CliError> {
    let region = locations::region(context, global)?;
    let place = Place::from(Scope::new(Scope::DEFAULT_ACCOUNT, &region));
    perform(context, global, Task::Ls { place, prefix: args.prefix.unwrap_or_default() })
}

/// `describe`
pub(crate) fn describe(context: &Context, global: &Global, args: Name) -> Result<(), CliError> {
    let place = place(context, global, &args.name)?;
    perform(context, global, Task::Describe { place, name: args.name })
}

/// `versions`
pub(crate) fn versions(context: &Context, global: &Global, args: Versions) -> Result<(), CliError> {
    let place = place(context, global, &args.name)?;
    let Versions { name, all } = args;
    perform(context, global, Task::Versions { place, name, all })
}

/// `stage`
pub(crate) fn stage(context: &Context, global: &Global, args: Stage) -> Result<(), CliError> {
    let place = place(context, global, &args.name)?;
    let Stage { name, label, to, from } = args;
    perform(context, global, Task::Stage(task::Stage { place, name, label, to, from }))
}

/// `rm`
pub(crate) fn rm(context: &Context, global: &Global, args: Rm) -> Result<(), CliError> {
    let place = place(context, global, &args.name)?;
    let Rm { name, window, now } = args;
    perform(context, global, Task::Rm(task::Rm { place, name, window, now }))
}

/// `restore`
pub(crate) fn restore(context: &Context, global: &Global, args: Name) -> Result<(), CliError> {
    let place = place(context, global, &args.name)?;
    perform(context, global, Task::Restore { place, name: args.name })
}
