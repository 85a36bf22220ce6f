//! The frames between a command and the holder. All numbers are little-endian.
//!
//! ```text
//! command  mark 7, version 1, vault id 16, device 8, inode 8
//! holder   mark 7, version 1, verdict 1
//! command  task length 4, value length 4 (ffffffff: none), task (JSON), value
//! holder   'W', done 8, total 8                              while it works, at least every second
//!          'E'                                               the vault is being closed: nothing was done
//!          'A', head length 4, data length 8, head (JSON), data
//! ```
//!
//! A connection carries one request. Every length is compared with its bound before anything is allocated.

use super::line::{Deadline, Line};
use crate::cli::error::{CliError, Exit};
use crate::cli::task::{Answer, Request};
use crate::model::limits::VALUE_BYTES_MAX;
use crate::secret::SecretBytes;
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};

const MARK: [u8; 7] = *b"strghld";
/// A holder and a command of different versions do not understand each other.
const VERSION: u8 = 1;
/// The longest task, in bytes: far more than a command line holds.
pub(super) const TASK_BYTES_MAX: usize = 1024 * 1024;
/// The longest head of an answer: messages, hints and warnings.
const HEAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The longest data of an answer: a list of some million secrets.
const DATA_BYTES_MAX: u64 = 1024 * 1024 * 1024;
const NO_VALUE: u32 = u32::MAX;

/// Which vault a command means, and in which folder it found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub(super) vault: [u8; 16],
    pub(super) folder: (u64, u64),
}

/// What the holder thinks of a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request may follow.
    GoOn,
    /// It holds another vault or another folder.
    Elsewhere,
    /// There are too many connections.
    Full,
    /// It is about to let the vault go.
    Ending,
    /// It speaks another version of this protocol.
    OtherVersion,
}

/// What the holder sends after a request.
pub(super) enum Reply {
    /// It works on the request: this much of that much, if that is known.
    Working(u64, u64),
    /// The vault is being closed, and nothing was done.
    Ended,
    /// The answer.
    Answer(Box<Answer>),
}

/// Everything of an answer but its data.
#[derive(Serialize, Deserialize)]
struct Head {
    exit: u8,
    message: String,
    hint: Option<String>,
    notes: Vec<String>,
    is_open_line: bool,
}

fn garbage() -> io::Error {
    ErrorKind::InvalidData.into()
}

pub(super) fn send_hello(line: &mut Line, hello: Hello, by: Deadline) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(40);
    bytes.extend_from_slice(&MARK);
    bytes.push(VERSION);
    bytes.extend_from_slice(&hello.vault);
    bytes.extend_from_slice(&hello.folder.0.to_le_bytes());
    bytes.extend_from_slice(&hello.folder.1.to_le_bytes());
    line.write(&bytes, by)
}

/// The hello of a command. `None`: it speaks another version.
pub(super) fn hello(line: &mut Line, by: Deadline) -> io::Result<Option<Hello>> {
    if line.array::<7>(by)? != MARK {
        return Err(garbage());
    }
    if line.array::<1>(by)? != [VERSION] {
        return Ok(None);
    }
    let vault = line.array(by)?;
    let folder = (u64::from_le_bytes(line.array(by)?), u64::from_le_bytes(line.array(by)?));
    Ok(Some(Hello { vault, folder }))
}

pub(super) fn send_verdict(line: &mut Line, verdict: Verdict, by: Deadline) -> io::Result<()> {
    let verdict = match verdict {
        Verdict::GoOn => 0,
        Verdict::Elsewhere => 1,
        Verdict::Full => 2,
        Verdict::Ending => 3,
        Verdict::OtherVersion => 4,
    };
    let mut bytes = MARK.to_vec();
    bytes.extend_from_slice(&[VERSION, verdict]);
    line.write(&bytes, by)
}

pub(super) fn verdict(line: &mut Line, by: Deadline) -> io::Result<Verdict> {
    if line.array::<7>(by)? != MARK {
        return Err(garbage());
    }
    let [version, verdict] = line.array(by)?;
    match (version, verdict) {
        (VERSION, 0) => Ok(Verdict::GoOn),
        (VERSION, 1) => Ok(Verdict::Elsewhere),
        (VERSION, 2) => Ok(Verdict::Full),
        (VERSION, 3) => Ok(Verdict::Ending),
        (VERSION, _) => Err(garbage()),
        _ => Ok(Verdict::OtherVersion),
    }
}

/// The text of a request, if it is not longer than the holder reads.
pub(super) fn encoded(request: &Request) -> Result<Vec<u8>, CliError> {
    let task = serde_json::to_vec(request)
        .map_err(|_| CliError::new(Exit::Other, "the request cannot be written down"))?;
    if task.len() > TASK_BYTES_MAX {
        return Err(CliError::usage("the arguments are too long"));
    }
    Ok(task)
}

/// Sends a request. If this fails, the holder has not got all of it and does nothing.
pub(super) fn send_request(
    line: &mut Line,
    task: &[u8],
    value: Option<&SecretBytes>,
    by: Deadline,
) -> io::Result<()> {
    let len = |len: usize| u32::try_from(len).map_err(|_| garbage());
    let mut head = Vec::with_capacity(8);
    head.extend_from_slice(&len(task.len())?.to_le_bytes());
    let value_len = value.map_or(Ok(NO_VALUE), |value| len(value.len()))?;
    head.extend_from_slice(&value_len.to_le_bytes());
    line.write(&head, by)?;
    line.write(task, by)?;
    match value {
        // EXPOSE: the value goes to the process that stores it, which is the same user's.
        Some(value) => line.write(value.expose(), by),
        None => Ok(()),
    }
}

/// A request and its value.
pub(super) fn request(line: &mut Line, by: Deadline) -> io::Result<(Request, Option<SecretBytes>)> {
    let task_len = u32::from_le_bytes(line.array(by)?);
    let value_len = u32::from_le_bytes(line.array(by)?);
    let task_len = usize::try_from(task_len).map_err(|_| garbage())?;
    let value_len = match value_len {
        NO_VALUE => None,
        len => Some(usize::try_from(len).map_err(|_| garbage())?),
    };
    if task_len > TASK_BYTES_MAX || value_len.is_some_and(|len| len > VALUE_BYTES_MAX) {
        return Err(garbage());
    }
    let task = line.bytes(task_len, by)?;
    let request = serde_json::from_slice(&task).map_err(|_| garbage())?;
    let value = value_len.map(|len| line.secret(len, by)).transpose()?;
    Ok((request, value))
}

pub(super) fn send_working(
    line: &mut Line,
    (done, total): (u64, u64),
    by: Deadline,
) -> io::Result<()> {
    let mut bytes = vec![b'W'];
    bytes.extend_from_slice(&done.to_le_bytes());
    bytes.extend_from_slice(&total.to_le_bytes());
    line.write(&bytes, by)
}

pub(super) fn send_ended(line: &mut Line, by: Deadline) -> io::Result<()> {
    line.write(b"E", by)
}

pub(super) fn send_answer(line: &mut Line, answer: Answer, by: Deadline) -> io::Result<()> {
    let Answer { data, notes, is_open_line, failure } = answer;
    let (exit, message, hint) = match failure {
        None => (Exit::Ok, String::new(), None),
        Some(CliError { exit, message, hint, .. }) => (exit, message, hint),
    };
    let head = Head { exit: exit.code(), message, hint, notes, is_open_line };
    let head = serde_json::to_vec(&head).map_err(|_| garbage())?;
    let mut start = vec![b'A'];
    start.extend_from_slice(&u32::try_from(head.len()).map_err(|_| garbage())?.to_le_bytes());
    start.extend_from_slice(&(data.len() as u64).to_le_bytes());
    line.write(&start, by)?;
    line.write(&head, by)?;
    // EXPOSE: the answer goes to the command that asked, which is the same user's.
    line.write(data.expose(), by)
}

/// What the holder sends next. `by` says when silence has lasted too long, `data_by` when the answer has to
/// be complete once it has begun.
pub(super) fn reply(line: &mut Line, by: Deadline, data_by: Deadline) -> io::Result<Reply> {
    match line.array(by)? {
        [b'W'] => {
            let (done, total) = (line.array(by)?, line.array(by)?);
            Ok(Reply::Working(u64::from_le_bytes(done), u64::from_le_bytes(total)))
        }
        [b'E'] => Ok(Reply::Ended),
        [b'A'] => {
            let head_len = u32::from_le_bytes(line.array(by)?);
            let data_len = u64::from_le_bytes(line.array(by)?);
            let head_len = usize::try_from(head_len).map_err(|_| garbage())?;
            if head_len > HEAD_BYTES_MAX || data_len > DATA_BYTES_MAX {
                return Err(garbage());
            }
            let head = line.bytes(head_len, data_by)?;
            let head: Head = serde_json::from_slice(&head).map_err(|_| garbage())?;
            let data_len = usize::try_from(data_len).map_err(|_| garbage())?;
            let data = line.secret(data_len, data_by)?;
            Ok(Reply::Answer(Box::new(answer(head, data)?)))
        }
        _ => Err(garbage()),
    }
}

fn answer(head: Head, data: SecretBytes) -> io::Result<Answer> {
    let Head { exit, message, hint, notes, is_open_line } = head;
    let exit = Exit::of(exit).ok_or_else(garbage)?;
    let failure = match (exit, hint) {
        (Exit::Ok, _) => None,
        (exit, None) => Some(CliError::new(exit, message)),
        (exit, Some(hint)) => Some(CliError::new(exit, message).hint(hint)),
    };
    Ok(Answer { data, notes, is_open_line, failure })
}
