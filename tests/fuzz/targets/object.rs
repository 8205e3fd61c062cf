#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| joch_fuzz::object(bytes));
