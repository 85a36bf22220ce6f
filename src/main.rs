//! The `strongroom` command: parse, run, map to an exit code.

fn main() {}
