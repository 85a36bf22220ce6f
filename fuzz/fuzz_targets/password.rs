#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strongroom::__internals::fuzzing::run("password", bytes));
