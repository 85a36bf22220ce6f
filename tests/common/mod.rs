//! Shared code of the integration tests. Each test binary uses a part of it.

pub mod block;
pub mod exports;
pub mod figures;
pub mod folder;
pub mod forward;
pub mod http;
pub mod old;
pub mod quiet;
pub mod request;
pub mod rng;
pub mod script;
pub mod search;
pub mod server;
pub mod sigv4;
pub mod table;
pub mod twin;
pub mod whole;
pub mod world;

#[allow(unused_imports)]
pub use strongroom_fuzz_bodies::model::{self as reference, drive};
#[allow(unused_imports)]
pub use strongroom_fuzz_bodies::recorder;

/// A number from an environment variable, to request longer runs.
pub fn env_number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs the test `name` of this test binary in a child process with `STRONGROOM_CHILD` set.
pub fn child(name: &str, task: &str) -> std::process::Command {
    child_of(&std::env::current_exe().unwrap(), name, task)
}

/// The same with a copy of this binary.
pub fn child_of(binary: &std::path::Path, name: &str, task: &str) -> std::process::Command {
    let mut command = std::process::Command::new(binary);
    command.args([name, "--exact", "--nocapture", "--test-threads=1", "--include-ignored"]);
    command.env("STRONGROOM_CHILD", task);
    command
}

/// The task of this process, if it is a child.
pub fn child_task() -> Option<String> {
    std::env::var("STRONGROOM_CHILD").ok()
}
