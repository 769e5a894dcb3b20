//! A process that runs already is to be marked: the hooks are told to look for its mark first.
//!
//! They look into the table of marks for process ids whose bit is set, and for no others. The bits are set and taken away by the kernel
//! programs, each with one atomic instruction, so this one is set by one of them too, run by test-run.

use aya::Ebpf;
use aya::programs::{SchedClassifier, TestRun, TestRunOptions};

use super::KernelError;
use super::load::refused;

const PROGRAM: &str = "tyr_admit";
/// Least frame that a test-run takes; it begins with the process id.
const FRAME_BYTES: usize = 14;

/// Loads the program that sets bits.
pub(super) fn load(object: &mut Ebpf) -> Result<(), KernelError> {
    program(object).load().map_err(|e| refused(PROGRAM, e))
}

/// Has the hooks look for a mark of this process.
pub(super) fn admit(object: &mut Ebpf, pid: u32) -> Result<(), KernelError> {
    let mut frame = [0; FRAME_BYTES];
    frame[..4].copy_from_slice(&pid.to_ne_bytes());
    let options = TestRunOptions { data_in: Some(&frame), ..TestRunOptions::new() };
    let ran = program(object).test_run(options).map_err(|e| refused(PROGRAM, e))?;
    if ran.return_value == 1 {
        return Ok(());
    }
    Err(KernelError::Mark { pid, source: std::io::Error::other("the kernel program did not take its id") })
}

fn program(object: &mut Ebpf) -> &mut SchedClassifier {
    let program = object.program_mut(PROGRAM).expect("the object was built with this agent");
    program.try_into().expect("its section says so")
}
