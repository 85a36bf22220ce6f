//! Ctrl-C. An ordinary command ends at once with 130, which the vault survives at any point (I1, I2). A
//! prompt first restores the terminal. A server shuts down by itself.

use crate::cli::error::Exit;
use crate::env::real::Terminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

const WORKING: u8 = 0;
const PROMPTING: u8 = 1;
const SERVING: u8 = 2;

static PHASE: AtomicU8 = AtomicU8::new(WORKING);

/// The terminal as it was before a prompt turned its echo off.
static TERMINAL: Mutex<Option<Terminal>> = Mutex::new(None);

/// Time for a prompt that has read the Ctrl-C itself to clean up and end the process.
const PROMPT_GRACE: Duration = Duration::from_millis(200);

/// Installs the handler, once, at the start of the process.
pub(crate) fn install() {
    // Without a handler the signal still ends the process; only the exit status differs.
    let _unhandled = ctrlc::set_handler(|| match PHASE.load(Ordering::SeqCst) {
        SERVING => (),
        PROMPTING => {
            std::thread::sleep(PROMPT_GRACE);
            restore_terminal();
            end();
        }
        _ => end(),
    });
}

/// Leaves signals to the server from now on.
#[cfg(feature = "server")]
pub(crate) fn leave_to_server() {
    PHASE.store(SERVING, Ordering::SeqCst);
}

/// Runs `ask`, which turns the terminal's echo off.
pub(crate) fn while_prompting<T>(ask: impl FnOnce() -> T) -> T {
    *lock_terminal() = Terminal::current();
    PHASE.store(PROMPTING, Ordering::SeqCst);
    let answer = ask();
    PHASE.store(WORKING, Ordering::SeqCst);
    lock_terminal().take();
    answer
}

fn end() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.code()))
}

fn restore_terminal() {
    if let Some(terminal) = lock_terminal().take() {
        let _gone = terminal.restore();
    }
}

fn lock_terminal() -> std::sync::MutexGuard<'static, Option<Terminal>> {
    TERMINAL.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
