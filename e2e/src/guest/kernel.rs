//! The kernels of guests: Debian's packages, unpacked by `./dev test` into `target/guests`.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::program;

/// Programs that a guest is made with.
const PROGRAMS: [&str; 3] = ["qemu-system-x86_64", "busybox", "cpio"];
/// Modules that a guest loads, dependencies first, by the end of their path; what a kernel has built in is not there.
const MODULES: [&str; 19] = [
    "virtio/virtio_ring",
    "virtio/virtio",
    "virtio/virtio_pci_legacy_dev",
    "virtio/virtio_pci_modern_dev",
    "virtio/virtio_pci",
    "core/failover",
    "net/net_failover",
    "net/virtio_net",
    "overlayfs/overlay",
    // Other ways to name a file and to reach an address.
    "block/brd",
    "lib/libcrc32c",
    "ipv4/udp_tunnel",
    "ipv6/ip6_udp_tunnel",
    "sctp/sctp",
    "dccp/dccp",
    "dccp/dccp_ipv4",
    "vmw_vsock/vsock",
    "vmw_vsock/vmw_vsock_virtio_transport_common",
    "vmw_vsock/vsock_loopback",
];

/// A kernel that Tyr supports and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Debian 12's own.
    V6_1,
    /// Debian 13's, which Debian 12 gets too.
    V6_12,
}

impl Release {
    /// As `uname -r` begins, and the name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
        }
    }

    /// The processor that qemu plays. It needs random numbers of its own, else the guest waits for some at boot.
    pub(super) fn cpu(self) -> &'static str {
        match self {
            Self::V6_1 => "max",
            // 6.12 crashes in qemu 7.2 on the emulated cmpxchg16b.
            Self::V6_12 => "Nehalem,-cx16,+rdrand",
        }
    }
}

/// An unpacked kernel.
#[derive(Debug)]
pub struct Kernel {
    /// What qemu boots.
    pub(super) image: PathBuf,
    /// Modules to load, in order.
    pub(super) modules: Vec<PathBuf>,
}

/// The kernel, if it and all that a guest is made with is there; what is missing is said by name.
///
/// # Panics
///
/// Where something is missing and the run promises guests: `CI=true` or `TYR_KERNEL_TESTS=required`.
pub fn find(release: Release) -> Option<Kernel> {
    let kernel = unpacked(release);
    let mut missing: Vec<String> = PROGRAMS.into_iter().filter(|name| program(name).is_err()).map(Into::into).collect();
    if kernel.is_none() {
        missing.push(format!("target/guests/{}", release.name()));
    }
    if missing.is_empty() {
        return kernel;
    }
    let text =
        format!("no guest with Linux {}: {} missing, `./dev test` fetches it", release.name(), missing.join(", "));
    let promised = |name: &str, word: &str| std::env::var(name).is_ok_and(|value| value == word);
    assert!(!promised("CI", "true") && !promised("TYR_KERNEL_TESTS", "required"), "{text}");
    writeln!(std::io::stderr(), "not run: {text}").ok();
    None
}

fn unpacked(release: Release) -> Option<Kernel> {
    let test = std::env::current_exe().ok()?;
    let folder =
        test.ancestors().map(|folder| folder.join("guests").join(release.name())).find(|path| path.is_dir())?;
    let image = only(&folder.join("boot"), |name| name.starts_with("vmlinuz-"))?;
    let modules = only(&folder.join("lib/modules"), |_| true)?.join("kernel");
    let modules = MODULES.iter().filter_map(|end| module(&modules, end)).collect();
    Some(Kernel { image, modules })
}

/// The one entry of a folder whose name holds.
fn only(folder: &Path, holds: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let names = std::fs::read_dir(folder).ok()?.flatten();
    names.map(|entry| entry.path()).find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(&holds))
}

/// The module whose path ends so, compressed or not.
fn module(root: &Path, end: &str) -> Option<PathBuf> {
    let places = ["drivers", "net", "fs", "."].map(|place| root.join(place).join(end));
    let files = places.iter().flat_map(|place| ["ko", "ko.xz"].map(|kind| place.with_extension(kind)));
    files.into_iter().find(|path| path.is_file())
}
