//! The `strongroom` command without its zero-on-free allocator: the control of
//! `tests/canary_memory.rs`. Never shipped.

fn main() -> std::process::ExitCode {
    strongroom::doors::main()
}
