//! `tyr-server`.

fn main() {}
