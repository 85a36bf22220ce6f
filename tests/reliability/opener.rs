//! A process that opens vaults on command: a test of this binary that reads orders, a line each, and answers
//! each with a line that begins with `@`.

use crate::common;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

pub struct Opener {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Opener {
    /// Starts the test `name` with `task`, and waits until it says that it is ready.
    pub fn start(name: &str, task: &str) -> Self {
        let mut command = common::child(name, task);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut opener = Self { child, orders, answers };
        assert_eq!(opener.answer(), "ready");
        opener
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn order(&mut self, order: &str) {
        self.orders.write_all(format!("{order}\n").as_bytes()).unwrap();
    }

    pub fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "an opener ended");
            if let Some(answer) = line.strip_prefix('@') {
                return answer.trim_end().to_owned();
            }
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
