//! The `strongroom` command: parse, run, map to an exit code. All of it is in
//! the library's module `cli`.

use std::alloc::System;
use std::process::ExitCode;
use zeroizing_alloc::ZeroAlloc;

/// Zeroes every block that is freed, so that copies of plaintext which libraries made on the way
/// (HTTP buffers, JSON text, grown strings) do not outlive their use (invariant I8).
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    strongroom::__main()
}
