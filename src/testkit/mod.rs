//! For programs that use the API of AWS Secrets Manager and want to be tested and fuzzed against a
//! faithful store in their own process (`docs/TESTKIT.md`).
