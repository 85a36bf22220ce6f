#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strongroom::fuzzing::run("operations", bytes));
