//! What a person sees: prompts without echo, Ctrl-C at a prompt, the newline after a value. A
//! pseudo-terminal comes from `script` (util-linux); without it these tests say that they skip.

use crate::cmd::{BINARY, Home, code, wait};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A command on a pseudo-terminal of its own.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: ChildStdout,
    seen: String,
}

impl Terminal {
    /// `None`: there is no `script` that gives the exit code on.
    fn start(home: &Home, line: &str) -> Option<Self> {
        let works = Command::new("script")
            .args(["-qec", "exit 3", "/dev/null"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.code() == Some(3));
        if !works {
            eprintln!("skipped: no `script -qec` of util-linux on this machine");
            return None;
        }
        let mut command = home.command("script");
        command.args(["-qec", &format!("'{}' {line}", *BINARY), "/dev/null"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let keyboard = child.stdin.take().unwrap();
        let screen = child.stdout.take().unwrap();
        Some(Self { child, keyboard, screen, seen: String::new() })
    }

    /// Waits until the screen shows `text` (after what was awaited before), then types `keys`.
    #[track_caller]
    fn answer(&mut self, text: &str, keys: &str) {
        let mut shown = String::new();
        while !shown.contains(text) {
            let mut byte = [0];
            let read = self.screen.read(&mut byte).unwrap();
            assert!(read > 0, "the screen ended with {shown:?}");
            shown.push(char::from(byte[0]));
        }
        self.seen.push_str(&shown);
        // The prompt is shown just before the echo goes off.
        std::thread::sleep(std::time::Duration::from_millis(200));
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// The exit code and all that was seen.
    fn end(mut self) -> (i32, String) {
        // The keyboard stays open: an end of input is a key too.
        let _shown = self.screen.read_to_string(&mut self.seen);
        (code(wait(&mut self.child)), self.seen)
    }
}

#[test]
fn a_value_on_a_terminal_ends_its_line() {
    let home = Home::with_vault();
    for (value, screen) in [("v", "v\r\n"), ("v\n", "v\r\n")] {
        home.put("n", value);
        let Some(terminal) = Terminal::start(&home, "get n") else { return };
        assert_eq!(terminal.end(), (0, screen.to_owned()));
    }
}

#[test]
fn a_value_is_asked_for_without_echo() {
    let home = Home::with_vault();
    let Some(mut terminal) = Terminal::start(&home, "put n --create") else { return };
    terminal.answer("Value of n", "s3same\n");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains("s3same"), "{seen}");
    assert_eq!(home.get("n"), b"s3same");
}

#[test]
fn ctrl_c_at_a_prompt_is_exit_130_and_stores_nothing() {
    let home = Home::with_vault();
    let Some(mut terminal) = Terminal::start(&home, "put n --create") else { return };
    terminal.answer("Value of n", "s3s\u{3}");
    let (code, seen) = terminal.end();
    assert_eq!(code, 130, "{seen}");
    home.run(&["get", "n"]).expect(3);
}

#[test]
fn a_passphrase_is_asked_for_twice_at_init_and_once_later() {
    let home = Home::new();
    let Some(mut terminal) = Terminal::start(&home, "init --passphrase") else { return };
    terminal.answer("New passphrase", "correct horse\n");
    terminal.answer("again", "correct horse\n");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains("horse"), "{seen}");
    for (typed, expected) in [("correct horse\n", 0), ("wrong\n", 4)] {
        let mut terminal = Terminal::start(&home, "ls").unwrap();
        terminal.answer("Passphrase", typed);
        let (code, seen) = terminal.end();
        assert_eq!(code, expected, "{seen}");
    }
    home.feed(&["ls", "--passphrase-file", "-"], "correct horse").expect(0);
}

#[test]
fn two_different_passphrases_make_no_vault() {
    let home = Home::new();
    let Some(mut terminal) = Terminal::start(&home, "init --passphrase") else { return };
    terminal.answer("New passphrase", "one\n");
    terminal.answer("again", "two\n");
    let (code, seen) = terminal.end();
    assert_eq!(code, 2, "{seen}");
    home.run(&["ls"]).expect(3);
}

/// The vault opens with a key file only: there is nothing to ask for.
#[test]
fn a_terminal_is_not_asked_for_a_passphrase_that_opens_nothing() {
    let home = Home::with_vault();
    std::fs::remove_file(home.key_file()).unwrap();
    let Some(terminal) = Terminal::start(&home, "ls") else { return };
    let (code, seen) = terminal.end();
    assert_eq!(code, 4, "{seen}");
}
