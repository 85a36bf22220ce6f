//! From a command line to an open vault: lock, then key, then open; or to the process that holds the vault.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::cli::holder::{self, Outcome, Reached};
use crate::cli::output::progress;
use crate::cli::task::{self, Answer, Put, Request, Task};
use crate::cli::{locations, output, unlock};
use crate::crypto::Unlock;
use crate::error::{Error, ErrorKind};
use crate::secret::SecretBytes;
use crate::vault::{Options, Progress, StoreChoice, Vault, VaultDir, peek_id, peek_unlock};
use std::path::PathBuf;
use std::time::Duration;

/// How long to wait between two tries to get at the vault.
const PAUSE: Duration = Duration::from_millis(20);
/// How often the same request is asked again after its answer broke off.
const REPEATS_MAX: u32 = 1;

/// The options that the command opens vaults with.
pub(crate) fn options(context: &Context, global: &Global) -> Options {
    Options {
        wait: global.wait.unwrap_or_default(),
        progress: Some(progress::reporter(&context.env)),
        anchor: global.anchor.clone(),
        accept_rollback: global.accept_rollback,
        allow_lax_modes: global.allow_lax_modes,
        ..Options::default()
    }
}

/// Locks an existing vault.
pub(crate) fn lock(context: &Context, global: &Global) -> Result<VaultDir, CliError> {
    let path = locations::vault(context, global)?;
    Ok(VaultDir::lock(&path, &options(context, global))?)
}

/// The requests of one command. They run on the vault, or in the process that holds it (rules SOCK).
pub(crate) struct Session<'a> {
    context: &'a Context,
    global: &'a Global,
    path: PathBuf,
    /// The key, once it was needed. Nobody is asked for it twice.
    key: Option<Unlock>,
    /// Whether the user heard of the flags that have no effect through a holder.
    has_warned: bool,
}

/// Why a request waits for the vault although `--wait` is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delay {
    /// The process that holds the vault has no place for one more request.
    Full,
    /// It ends.
    Ending,
    /// It broke the answer off, so it is likely to end.
    Cut,
}

/// How long a request waits for the vault, and what came of it so far.
struct Patience {
    until: Duration,
    /// The delays that were allowed for. Each is once.
    allowed: Vec<Delay>,
    broken_off: u32,
}

impl Patience {
    fn new(until: Duration) -> Self {
        Self { until, allowed: Vec::new(), broken_off: 0 }
    }

    /// Allows for a delay, once.
    fn allow(&mut self, delay: Delay, now: Duration) {
        if self.allowed.contains(&delay) {
            return;
        }
        self.allowed.push(delay);
        let time = match delay {
            Delay::Full => holder::FULL_TIME,
            Delay::Ending | Delay::Cut => holder::ENDING_TIME,
        };
        self.until = self.until.max(now.saturating_add(time));
    }
}

impl<'a> Session<'a> {
    /// A session with the vault that the command line names.
    pub(crate) fn new(context: &'a Context, global: &'a Global) -> Result<Self, CliError> {
        let path = locations::vault(context, global)?;
        Ok(Self { context, global, path, key: None, has_warned: false })
    }

    /// Runs a request. Whoever runs it, the answer is the same. On the own vault, the vault is closed before
    /// the answer is printed, so a slow reader does not hold it, and another command can read from this one.
    pub(crate) fn run(
        &mut self,
        request: &Request,
        value: Option<&SecretBytes>,
    ) -> Result<Answer, CliError> {
        let wait = self.global.wait.unwrap_or_default();
        let mut patience = Patience::new(self.now().saturating_add(wait));
        let outcome = self.run_in_time(request, value, &mut patience);
        match &request.task {
            // Whatever comes after the first answer broke off says nothing about the first time.
            Task::Put(put) if patience.broken_off > 0 => {
                let Answer { failure, .. } = match outcome {
                    Ok(Answer { failure: None, .. }) => return outcome,
                    Ok(answer) => answer,
                    Err(error) => error.into(),
                };
                Err(put_unknown(put, failure))
            }
            _ => outcome,
        }
    }

    fn run_in_time(
        &mut self,
        request: &Request,
        value: Option<&SecretBytes>,
        patience: &mut Patience,
    ) -> Result<Answer, CliError> {
        let options = options(self.context, self.global);
        let mut options = Options { wait: Duration::ZERO, ..options };
        if request.task.only_reads() {
            options.tuning.store = StoreChoice::OneRead;
        }
        loop {
            let in_use = match VaultDir::lock(&self.path, &options) {
                Ok(dir) => return self.run_here(dir, request, value),
                Err(error) if error.is_in_use() => error,
                Err(error) => return Err(error.into()),
            };
            let reason = match self.ask_holder(request, value, patience)? {
                Asked::Answered(answer) => return Ok(answer),
                Asked::NotYet(reason) => reason,
            };
            if self.now() >= patience.until {
                return Err(held(in_use, reason));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn now(&self) -> Duration {
        self.context.env.clock.monotonic()
    }

    fn run_here(
        &mut self,
        mut dir: VaultDir,
        request: &Request,
        value: Option<&SecretBytes>,
    ) -> Result<Answer, CliError> {
        if self.key.is_none() {
            self.key = Some(unlock::unlock(self.context, self.global, &dir)?);
        }
        unlock::find_anchor(self.context, self.global, &mut dir);
        // It is there since the lines above.
        let Some(key) = &self.key else { return Err(CliError::key("there is no key")) };
        if let Task::Check { deep } = request.task {
            return task::check_answer(&dir.check(key, deep)?, request.json);
        }
        let vault = dir.open(key)?;
        warn_of_lost_state(&vault);
        let outcome = task::run(&vault, request, value, None);
        close(&vault);
        outcome
    }

    /// Asks the process that holds the vault, if it listens.
    fn ask_holder(
        &mut self,
        request: &Request,
        value: Option<&SecretBytes>,
        patience: &mut Patience,
    ) -> Result<Asked, CliError> {
        let Ok(id) = peek_id(&self.path) else { return Ok(Asked::NotYet(None)) };
        let (env, path) = (&self.context.env, self.path.clone());
        let reach = || holder::reach(env, &path, id);
        let mut reached = reach();
        if matches!(reached, Reached::Line(_)) && self.check_key()? {
            // That may have taken long.
            reached = reach();
        }
        let line = match reached {
            Reached::Line(line) => line,
            Reached::Nobody(reason) => return Ok(Asked::NotYet(reason)),
            Reached::Ending => {
                patience.allow(Delay::Ending, self.now());
                return Ok(Asked::NotYet(None));
            }
            Reached::Full => {
                patience.allow(Delay::Full, self.now());
                return Ok(Asked::NotYet(Some("too many go through it at once")));
            }
        };
        let progress = progress::reporter(&self.context.env);
        let working = |done, total| {
            if total > 0 {
                progress(Progress::Checking { done, total });
            }
        };
        match holder::ask(line, request, value, &working)? {
            Outcome::Answered(answer) => {
                self.warn_of_flags();
                return Ok(Asked::Answered(answer));
            }
            Outcome::NotBegun => patience.allow(Delay::Ending, self.now()),
            Outcome::Cut if !request.task.can_be_repeated() => return Err(outcome_unknown()),
            Outcome::Cut => {
                patience.broken_off += 1;
                if patience.broken_off > REPEATS_MAX {
                    return Err(CliError::new(
                        Exit::Other,
                        "the process that holds the vault broke its answer off twice",
                    ));
                }
                patience.allow(Delay::Cut, self.now());
            }
        }
        Ok(Asked::NotYet(None))
    }

    /// Warns, once, of flags that are about the opening of the vault, which the holder has opened already.
    fn warn_of_flags(&mut self) {
        if std::mem::replace(&mut self.has_warned, true) {
            return;
        }
        let Global { anchor, accept_rollback, .. } = self.global;
        for (flag, is_given) in
            [("--anchor", anchor.is_some()), ("--accept-rollback", *accept_rollback)]
        {
            if is_given {
                output::warn(&format!(
                    "{flag} has no effect on a vault that a server holds; give it to `serve`"
                ));
            }
        }
    }

    /// Compares a key that the user named with the keystore, before the holder is asked (SOCK-4). Says
    /// whether there was something to do.
    fn check_key(&mut self) -> Result<bool, CliError> {
        if self.key.is_some() {
            return Ok(false);
        }
        let Some(key) = unlock::named(self.context, self.global)? else { return Ok(false) };
        peek_unlock(&self.path, &key)?;
        self.key = Some(key);
        Ok(true)
    }
}

/// What came of asking the holder.
enum Asked {
    /// The answer.
    Answered(Answer),
    /// Nothing was done. The text says why, if that is of interest.
    NotYet(Option<&'static str>),
}

fn held(in_use: Error, reason: Option<&'static str>) -> CliError {
    let failure = CliError::from(in_use);
    match reason {
        Some(reason) => {
            let message =
                format!("{}; no command goes through it, because {reason}", failure.message);
            CliError { message, ..failure }
        }
        None => failure,
    }
}

/// The failure of a `put` whose answer broke off before. Its token makes it safe to repeat.
fn put_unknown(put: &Put, then: Option<CliError>) -> CliError {
    let then = then.map(|failure| failure.message).filter(|message| !message.is_empty());
    let then = then.map_or_else(String::new, |message| format!(". Then: {message}"));
    let message = format!(
        "the answer to this put broke off, and whether the value is stored is unknown{then}. token={}",
        put.token
    );
    CliError::new(Exit::Other, message).hint(
        "repeat it with this token as --token and with the same value: then it is stored once",
    )
}

fn outcome_unknown() -> CliError {
    CliError::new(
        Exit::Other,
        "the process that holds the vault broke off before it answered; whether this happened is unknown",
    )
    .hint(
        "look before you try again: `strongroom describe NAME` shows a secret with its labels, and \
         `strongroom credentials ls` the key pairs",
    )
}

/// Prints an answer. Standard output gets its data, and standard error what else there is to say.
pub(crate) fn show(answer: Answer) -> Result<(), CliError> {
    let Answer { data, notes, is_open_line, failure } = answer;
    for note in &notes {
        output::note(note);
    }
    if !data.is_empty() {
        output::secret(&data)?;
    }
    // A raw value gets a newline, so that the prompt starts on its own line.
    if is_open_line && output::data_is_seen() {
        output::data(b"\n")?;
    }
    failure.map_or(Ok(()), Err)
}

/// Runs one request and prints the answer.
pub(crate) fn perform(context: &Context, global: &Global, task: Task) -> Result<(), CliError> {
    let request = Request { task, json: global.is_json() };
    show(Session::new(context, global)?.run(&request, None)?)
}

/// A state that is gone after an unclean end may have been removed together with the end of the log.
pub(crate) fn warn_of_lost_state(vault: &Vault) {
    if vault.has_lost_its_state() {
        output::warn(
            "the vault was not closed and its folder `state` is gone: if nobody removed it, the disk or a \
             restore may have lost more than that; compare with a backup",
        );
    }
}

/// Closes the vault. The message claims no more than what was seen (HEALTH-4): the next open reads the log
/// and finds out what is there.
pub(crate) fn close(vault: &Vault) {
    let stopped = vault.takes_writes();
    let closed = vault.close();
    let outcome = match stopped {
        // A vault that is only read has nothing to close.
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::Closed | ErrorKind::ReadOnly | ErrorKind::OldFormat
            ) =>
        {
            Err(error)
        }
        _ => closed,
    };
    match outcome {
        // What became of the files is not known, so nothing is claimed about them.
        Err(error) if error.is_displaced() => {
            output::warn(&format!("the vault was not closed cleanly: {error}"));
        }
        Err(error) if *error.kind() != ErrorKind::Closed => {
            output::warn(&format!(
                "the vault was not closed cleanly: {error}. What is stored was not checked; the next \
                 open reads the log, and `strongroom check` says what it finds"
            ));
        }
        _ => (),
    }
}
