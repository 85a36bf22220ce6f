//! The `strongroom` command without its zero-on-free allocator: the control of
//! `tests/canary_memory/main.rs`. Never shipped.

use std::process::ExitCode;

fn main() -> ExitCode {
    strongroom::__main()
}
