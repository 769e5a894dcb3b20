//! Ways to act through a process that nobody governs, and to take the guard away: denied whatever the policy says.

use super::{Attempt, Expected};

/// `victim` is a process that nobody governs, with the address of its room; `tyrd` the guard, `pin` one of the hooks that it keeps.
pub(crate) fn attempts(victim: &str, tyrd: i32, pin: &str) -> Vec<Attempt> {
    let denied = |line: String| Attempt { line, expected: Expected::Denied };
    let of_victim = ["ptrace_attach", "ptrace_seize", "pidfd_getfd", "process_vm_writev", "process_vm_readv"];
    let mut all: Vec<Attempt> = of_victim.iter().map(|class| denied(format!("{class} {victim}"))).collect();
    all.push(Attempt { line: format!("proc_mem {victim}"), expected: Expected::Refused("EACCES") });
    let passes = |class: &str, words| Attempt { line: format!("{class} {victim}"), expected: Expected::Passes(words) };
    all.push(passes("proc_environ", "What an AI process reads of others"));
    all.push(passes("signal", "Signals to processes that nobody governs"));
    let of_tyrd = ["ptrace_attach", "signal", "signal_by_descriptor"];
    all.extend(of_tyrd.iter().map(|class| denied(format!("{class} {tyrd}"))));
    let of_bpf = ["bpf_map_by_id", "bpf_program_by_id", "bpf_link_by_id", "bpf_program"];
    all.extend(of_bpf.iter().map(|class| denied((*class).to_owned())));
    all.extend([format!("bpf_pin {pin}"), "bpf_folder tried".to_owned()].map(denied));
    all
}

/// What a governed process may do: debug its own tree, see whether another lives, and what containers need.
pub(crate) fn allowed(tyrd: i32) -> String {
    format!("debug_child\nsignal_nothing {tyrd}\nbpf_own_map\nbpf_device_filter\n")
}
