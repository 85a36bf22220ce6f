//! The command's side: finds the holder of a vault, makes sure that it is one of the same user, and asks it.

use super::SOCKET;
use super::line::Line;
use super::protocol::{self, Hello, Reply, Verdict};
use crate::cli::error::CliError;
use crate::cli::task::{Answer, Request};
use crate::crypto::VaultId;
use crate::env::Env;
use crate::env::real::effective_uid;
use crate::env::real::unix_socket::{Folder, peer_uid};
use crate::secret::SecretBytes;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// How long the holder may take to accept a connection and to answer a hello.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// How long a request may take to be sent.
const SEND_TIME: Duration = Duration::from_secs(10);
/// How long the holder may be silent. While it works, it says so every second.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long the data of an answer may take.
const DATA_TIME: Duration = Duration::from_secs(600);

/// What came of looking for the holder.
pub(crate) enum Reached {
    /// It takes a request.
    Line(Line),
    /// There is nobody to ask. The text says why, if that is of interest.
    Nobody(Option<&'static str>),
    /// It is about to let the vault go.
    Ending,
    /// It cannot take one more request now.
    Full,
}

/// What came of a request.
pub(crate) enum Outcome {
    /// The answer.
    Answered(Answer),
    /// Nothing was done.
    NotBegun,
    /// The connection broke off after the request was sent. Whether it was done is unknown.
    Cut,
}

/// Looks for the holder of the vault `id` in the folder `dir`.
pub(crate) fn reach(env: &Env, dir: &Path, id: VaultId) -> Reached {
    if !env.fs.is_real() {
        return Reached::Nobody(None);
    }
    match try_reach(env, dir, id) {
        Ok(reached) => reached,
        // A holder that is killed just now.
        Err(error) if is_cut(&error) => Reached::Ending,
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
            Reached::Nobody(Some("the process that holds it does not answer"))
        }
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Reached::Nobody(Some("the process that listens there is not a strongroom"))
        }
        Err(_) => Reached::Nobody(None),
    }
}

fn try_reach(env: &Env, dir: &Path, id: VaultId) -> io::Result<Reached> {
    let folder = Folder::open(dir)?;
    let Some((stream, socket)) = folder.connect(SOCKET, HELLO_TIME)? else {
        return Ok(Reached::Nobody(None));
    };
    // Nothing is sent before this (SOCK-3). The kernel says who listens.
    let ours = effective_uid();
    if socket.uid != ours || peer_uid(&stream)? != ours {
        return Ok(Reached::Nobody(Some("its socket belongs to another user")));
    }
    let mut line = Line::new(stream, &env.clock);
    let by = line.within(HELLO_TIME);
    let hello = Hello { vault: id.0, folder: folder.metadata()?.identity };
    // A full holder answers and closes before it has read the hello. So what it said counts first.
    let sent = protocol::send_hello(&mut line, hello, by);
    let verdict = protocol::verdict(&mut line, by);
    if verdict.is_err() {
        sent?;
    }
    Ok(match verdict? {
        Verdict::GoOn => Reached::Line(line),
        Verdict::Ending => Reached::Ending,
        Verdict::Full => Reached::Full,
        Verdict::Elsewhere => Reached::Nobody(Some(
            "the process that listens there holds another folder, or none any more",
        )),
        Verdict::OtherVersion => Reached::Nobody(Some(
            "the process that holds it is another version of strongroom; use the same one",
        )),
    })
}

/// Sends a request and waits for the answer, however long the work takes. `working` hears of its progress.
pub(crate) fn ask(
    mut line: Line,
    request: &Request,
    value: Option<&SecretBytes>,
    working: &dyn Fn(u64, u64),
) -> Result<Outcome, CliError> {
    let task = protocol::encoded(request)?;
    let by = line.within(SEND_TIME);
    if protocol::send_request(&mut line, &task, value, by).is_err() {
        return Ok(Outcome::NotBegun);
    }
    loop {
        let (by, data_by) = (line.within(SILENCE_MAX), line.within(DATA_TIME));
        match protocol::reply(&mut line, by, data_by) {
            Ok(Reply::Working(done, total)) => working(done, total),
            Ok(Reply::Ended) => return Ok(Outcome::NotBegun),
            Ok(Reply::Answer(answer)) => return Ok(Outcome::Answered(*answer)),
            Err(_) => return Ok(Outcome::Cut),
        }
    }
}

fn is_cut(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    )
}
