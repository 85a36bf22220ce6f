//! The log of a server: lines on standard error, as text or JSON, filtered by level (rules SPEAK-1, 2, 6).
//!
//! `tracing-subscriber` makes the lines. A thread writes them, so that a reader of standard error that stands
//! still never makes a request wait: lines that find no room are dropped and counted.

use crate::cli::args::{LogArgs, LogFormat};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::{self, text};
use crate::env::{Env, UnixMillis};
use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::set_global_default;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;

/// The variable that stands for `--log-level`.
const VARIABLE: &str = "STRONGROOM_LOG";
/// All targets of ours begin so. Nothing else is ever logged.
const OURS: &str = "strongroom";
/// Lines that wait to be written.
const LINES_MAX: usize = 4096;
/// So many bytes are written in one piece, and a line more.
const BLOCK_BYTES: usize = 64 * 1024;
/// From one piece to the next.
const PAUSE: Duration = Duration::from_millis(5);
/// How long the end waits for the last lines to be written.
const END: Duration = Duration::from_secs(1);

/// The log of this process. The lines that wait are written when it is dropped.
pub(super) struct Log(SyncSender<Message>);

/// Starts the log that `args` ask for.
pub(super) fn start(context: &Context, args: &LogArgs) -> Result<Log, CliError> {
    let targets = targets(context, args)?;
    let (lines, written) = sync_channel(LINES_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    let writer = Lines { lines: lines.clone(), lost: Arc::clone(&lost) };
    thread::Builder::new()
        .name("strongroom-log".to_owned())
        .spawn(move || {
            write_lines(&written, &lost, output::raw_lines, |lost| {
                tracing::warn!(target: "strongroom::log", lost, "lines of the log were lost");
            });
        })
        .map_err(|error| CliError::io("the thread of the log cannot be started", &error))?;
    let builder = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_timer(Clock::new(context.env.clone()))
        .with_writer(writer);
    // One process serves once, so nothing stands there already.
    let _ = match args.log_format {
        LogFormat::Text => {
            set_global_default(builder.with_target(false).with_ansi(false).finish().with(targets))
        }
        LogFormat::Json => {
            let json = builder.json().flatten_event(true);
            let json = json.with_current_span(false).with_span_list(false);
            set_global_default(json.finish().with(targets))
        }
    };
    Ok(Log(lines))
}

impl Drop for Log {
    fn drop(&mut self) {
        let (done, is_done) = sync_channel(1);
        // A full channel is one that nobody reads: there is nothing to wait for.
        if self.0.try_send(Message::End(done)).is_ok() {
            let _ = is_done.recv_timeout(END);
        }
    }
}

/// What may be logged: the flag, else the variable, else the default.
fn targets(context: &Context, args: &LogArgs) -> Result<Targets, CliError> {
    let variable = context.var(VARIABLE).map(|text| text.to_string_lossy().into_owned());
    let (text, from) = match (&args.log_level, variable) {
        (Some(text), _) => (text.clone(), "--log-level"),
        (None, _) if args.quiet => ("warn".to_owned(), "--quiet"),
        (None, Some(text)) => (text, VARIABLE),
        (None, None) => ("info".to_owned(), "default"),
    };
    parse(&text).ok_or_else(|| {
        CliError::usage(format!("{from}: this is no level of the log"))
            .hint("error, warn, info, debug, trace or off; or info,strongroom::request=off")
    })
}

/// Reads `LEVEL` and `TARGET=LEVEL`, separated by commas.
fn parse(text: &str) -> Option<Targets> {
    let mut targets = Targets::new().with_target(OURS, LevelFilter::INFO);
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (target, level) = part.split_once('=').unwrap_or((OURS, part));
        let is_ours = target.strip_prefix(OURS).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix("::").is_some_and(|rest| !rest.is_empty())
        });
        let level = Some(level).filter(|level| !level.bytes().any(|byte| byte.is_ascii_digit()));
        let level = level.and_then(|level| LevelFilter::from_str(level).ok())?;
        if !is_ours {
            return None;
        }
        targets = targets.with_target(target, level);
    }
    Some(targets)
}

/// The time of a line.
struct Clock {
    env: Env,
    /// The last one as text. Many lines of a busy server have the same.
    last: Mutex<(UnixMillis, String)>,
}

impl Clock {
    fn new(env: Env) -> Self {
        let now = env.clock.wall();
        Self { env, last: Mutex::new((now, text::date_time(now))) }
    }
}

impl FormatTime for Clock {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        let now = self.env.clock.wall();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != now {
            *last = (now, text::date_time(now));
        }
        to.write_str(&last.1)
    }
}

enum Message {
    Line(Vec<u8>),
    /// Everything before it is written.
    End(SyncSender<()>),
}

/// Hands lines to the thread that writes them.
struct Lines {
    lines: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// One line, which comes in one piece.
struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.lines.try_send(Message::Line(bytes.to_vec())).is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what waits in one piece, then pauses, so that it need not be woken for each line of many. Once
/// lines can be written again, `tell` hears how many were lost before.
fn write_lines(
    lines: &Receiver<Message>,
    lost: &AtomicU64,
    write: impl Fn(&[u8]) -> io::Result<()>,
    tell: impl Fn(u64),
) {
    let mut is_line_open = false;
    while let Ok(first) = lines.recv() {
        let mut next = Some(first);
        while next.is_some() {
            let (mut block, mut asked) = (Vec::new(), None);
            let mut count = 0;
            if is_line_open {
                // The last block broke off, maybe in the middle of a line.
                block.push(b'\n');
            }
            while let Some(message) = next.take() {
                match message {
                    Message::Line(line) => {
                        block.extend_from_slice(&line);
                        count += 1;
                    }
                    Message::End(done) => {
                        asked = Some(done);
                        break;
                    }
                }
                if block.len() < BLOCK_BYTES {
                    next = lines.try_recv().ok();
                }
            }
            if count > 0 {
                is_line_open = write(&block).is_err();
                if is_line_open {
                    lost.fetch_add(count, Ordering::Relaxed);
                } else {
                    let lost = lost.swap(0, Ordering::Relaxed);
                    if lost > 0 {
                        tell(lost);
                    }
                }
            }
            if let Some(done) = asked {
                // Who waited may have left.
                let _ = done.try_send(());
            } else if block.len() < BLOCK_BYTES {
                thread::sleep(PAUSE);
            }
            next = lines.try_recv().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::cell::RefCell;
    use tracing::Level;

    #[test]
    fn lost_lines_are_told_once_lines_can_be_written_again() {
        let (send, lines) = sync_channel(8);
        let (lost, told) = (AtomicU64::new(2), RefCell::new(Vec::new()));
        let line = |text: &str| send.send(Message::Line(text.as_bytes().to_vec())).unwrap();
        let (done, _is_done) = sync_channel(1);
        line("first\n");
        send.send(Message::End(done.clone())).unwrap();
        line("second\n");
        send.send(Message::End(done)).unwrap();
        drop(send);
        let blocks = RefCell::new(Vec::new());
        let write = |block: &[u8]| {
            blocks.borrow_mut().push(String::from_utf8_lossy(block).into_owned());
            let is_first = blocks.borrow().len() == 1;
            if is_first { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        write_lines(&lines, &lost, write, |count| {
            told.borrow_mut().push((blocks.borrow().len(), count));
        });
        // The second block begins a line of its own, as the first may have ended within one.
        assert_eq!(*blocks.borrow(), ["first\n", "\nsecond\n"]);
        assert_eq!(*told.borrow(), [(2, 3)], "not while nothing can be written");
    }

    #[test]
    fn levels_are_read_as_rust_log_has_them() {
        let enabled = |text: &str, target: &str, level: Level| {
            parse(text).is_some_and(|targets| targets.would_enable(target, &level))
        };
        assert!(enabled("", "strongroom::request", Level::INFO));
        assert!(!enabled("", "strongroom::request", Level::DEBUG));
        assert!(!enabled("WARN", "strongroom::request", Level::INFO));
        assert!(enabled("warn", "strongroom::health", Level::ERROR));
        assert!(!enabled("off", "strongroom::health", Level::ERROR));
        let mixed = "debug, strongroom::request=off";
        assert!(!enabled(mixed, "strongroom::request", Level::ERROR));
        assert!(enabled(mixed, "strongroom::refusal", Level::DEBUG));
        assert!(!enabled("trace", "hyper::proto", Level::ERROR), "libraries are never logged");
    }

    #[test]
    fn a_mistyped_level_is_refused() {
        for odd in
            ["loud", "info,loud", "hyper=trace", "strongroom:=info", "strongroom::=info", "="]
        {
            assert!(parse(odd).is_none(), "{odd}");
        }
    }
}
