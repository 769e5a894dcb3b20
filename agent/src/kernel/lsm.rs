//! The hooks of LSM: which of them this kernel takes, and what is enforced then.

use aya::programs::Lsm;
use aya::{Btf, Ebpf};

use super::load::{Hooks, refused};
use super::{KernelError, Posture};

const PROBE: &str = "tyr_probe_lsm";
/// The attach point that judges opens.
pub(super) const OPEN: &str = "lsm/file_open";
/// Hooks of LSM: name of the program, of the hook, of the attach point. Without the first three there is no enforcing of files
/// and programs.
const LSM: [(&str, &str, &str); 20] = [
    ("tyr_file_open", "file_open", OPEN),
    ("tyr_bprm_check", "bprm_check_security", "lsm/bprm_check_security"),
    ("tyr_mmap_file", "mmap_file", "lsm/mmap_file"),
    ("tyr_path_mknod", "path_mknod", "lsm/path_mknod"),
    ("tyr_path_unlink", "path_unlink", "lsm/path_unlink"),
    ("tyr_path_rename", "path_rename", "lsm/path_rename"),
    ("tyr_path_link", "path_link", "lsm/path_link"),
    ("tyr_path_symlink", "path_symlink", "lsm/path_symlink"),
    ("tyr_path_mkdir", "path_mkdir", "lsm/path_mkdir"),
    ("tyr_path_rmdir", "path_rmdir", "lsm/path_rmdir"),
    ("tyr_path_truncate", "path_truncate", "lsm/path_truncate"),
    ("tyr_path_chmod", "path_chmod", "lsm/path_chmod"),
    ("tyr_path_chown", "path_chown", "lsm/path_chown"),
    ("tyr_inode_setxattr", "inode_setxattr", "lsm/inode_setxattr"),
    ("tyr_socket_create", "socket_create", "lsm/socket_create"),
    ("tyr_socket_connect", "socket_connect", "lsm/socket_connect"),
    ("tyr_socket_sendmsg", "socket_sendmsg", "lsm/socket_sendmsg"),
    ("tyr_ptrace_access", "ptrace_access_check", "lsm/ptrace_access_check"),
    ("tyr_task_kill", "task_kill", "lsm/task_kill"),
    ("tyr_bpf", "bpf", "lsm/bpf"),
];
const LSM_NEEDED: usize = 3;
/// Why files and programs are only observed where programs of LSM are attached, and a denial that is tried does not happen.
pub(super) const NEVER_CALLED: &str = "the kernel takes BPF LSM programs and never calls them, as `bpf` is missing in `lsm=` on its \
                                       command line, so files and programs are only observed";

/// The programs of LSM that this kernel takes, or why it takes none, or not those that are needed.
///
/// Found out by loading a program of two instructions first, as the list of LSMs can't be believed.
pub(super) fn load(object: &mut Ebpf, btf: &Btf, without: &[String]) -> Result<Vec<usize>, String> {
    if let Err(error) = program(object, PROBE).load("file_open", btf) {
        return Err(format!("the kernel refuses BPF LSM programs ({})", cause(&refused(PROBE, error))));
    }
    // Nothing is attached; a probe that can't be unloaded costs a page until the agent ends.
    let _ = program(object, PROBE).unload();
    let mut loaded = Vec::new();
    for (at, (name, hook, point)) in LSM.iter().enumerate() {
        let done = if without.iter().any(|own| own == point) {
            Err("it is left out".to_owned())
        } else {
            program(object, name).load(hook, btf).map_err(|error| cause(&refused(name, error)))
        };
        match done {
            Ok(()) => loaded.push(at),
            Err(cause) => {
                if at < LSM_NEEDED {
                    return Err(format!("the kernel refuses {point} ({cause})"));
                }
                tracing::error!(
                    hook = point,
                    reason = cause,
                    "the kernel refuses a hook: what comes through it is not denied"
                );
            }
        }
    }
    Ok(loaded)
}

/// Attaches the programs of LSM, and says how much is enforced then.
pub(super) fn attach(hooks: &mut Hooks, loaded: Result<Vec<usize>, String>) -> (Posture, String) {
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(reason) => return (Posture::Partial, format!("{reason}, so files and programs are only observed")),
    };
    for at in loaded {
        let (name, _, point) = LSM[at];
        let program = program(&mut hooks.object, name);
        match program.attach().and_then(|id| program.take_link(id)) {
            Ok(link) => {
                hooks.links.push((name, link.into()));
                hooks.lsm.push(point);
            }
            Err(error) => {
                let cause = cause(&refused(name, error));
                tracing::error!(
                    hook = point,
                    reason = cause,
                    "a hook can't be attached: what comes through it is not denied"
                );
            }
        }
    }
    let missing: Vec<&str> = LSM.iter().map(|hook| hook.2).filter(|point| !hooks.lsm.contains(point)).collect();
    if missing.is_empty() {
        return (Posture::Enforcing, "all rules are enforced in the kernel".to_owned());
    }
    (Posture::Partial, format!("what comes through these hooks is not denied: {}", missing.join(", ")))
}

/// Takes the programs of LSM off; nothing may be kept yet. What they judged is observed from then on, and all ends with the agent, as
/// where the kernel takes none of them.
pub(super) fn detach(hooks: &mut Hooks) {
    hooks.links.retain(|(name, _)| LSM.iter().all(|hook| hook.0 != *name));
    hooks.lsm.clear();
    hooks.keep_none();
    for (name, ..) in LSM {
        // One that can't be unloaded costs its pages until the agent ends.
        let _ = program(&mut hooks.object, name).unload();
    }
}

fn cause(error: &KernelError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default().trim().to_owned()
}

fn program<'a>(object: &'a mut Ebpf, name: &str) -> &'a mut Lsm {
    let program = object.program_mut(name).expect("the object was built with this agent");
    program.try_into().expect("its section says so")
}
