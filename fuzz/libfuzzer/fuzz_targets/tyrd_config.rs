#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tyr_fuzz::tyrd_config(bytes));
