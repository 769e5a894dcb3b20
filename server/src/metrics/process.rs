//! This process, under the names that all Prometheus clients use, so that ready-made dashboards and rules know them.
//! See <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.

use std::fs;

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Ticks per second of the times in `/proc`: a constant of the kernel's interface on every architecture that Tyr runs on
/// (include/asm-generic/param.h).
const USER_HZ: f64 = 100.0;

/// What `/proc/self/status` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Status {
    virtual_kib: Option<i64>,
    resident_kib: Option<i64>,
    threads: Option<i64>,
}

/// Adds what the kernel tells; what can't be read is left out.
pub(super) fn register(registry: &mut Registry) {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    registry.register(
        "process_cpu_seconds",
        "Total user and system CPU time spent in seconds",
        ConstCounter::new(std::time::Duration::try_from(cpu).unwrap_or_default().as_secs_f64()),
    );
    let status = fs::read_to_string("/proc/self/status").as_deref().map(parse_status).unwrap_or_default();
    let mut gauge = |name: &str, help: &str, value: Option<i64>| {
        if let Some(value) = value {
            registry.register(name, help, ConstGauge::new(value));
        }
    };
    let bytes = |kib: Option<i64>| kib.map(|kib| kib.saturating_mul(1024));
    gauge("process_resident_memory_bytes", "Resident memory size in bytes", bytes(status.resident_kib));
    gauge("process_virtual_memory_bytes", "Virtual memory size in bytes", bytes(status.virtual_kib));
    gauge("process_threads", "Number of OS threads in the process", status.threads);
    // One of them is the folder that is being read.
    let open = fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count().saturating_sub(1));
    gauge("process_open_fds", "Number of open file descriptors", open.and_then(|open| i64::try_from(open).ok()));
    let max = getrlimit(Resource::Nofile).current;
    gauge("process_max_fds", "Maximum number of open file descriptors", max.and_then(|max| i64::try_from(max).ok()));
    let stat = fs::read_to_string("/proc/self/stat").ok();
    if let (Some(ticks), Some(boot)) = (stat.as_deref().and_then(start_ticks), boot_time()) {
        registry.register(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds",
            ConstGauge::new(boot + f64::from(ticks) / USER_HZ),
        );
    }
}

fn parse_status(text: &str) -> Status {
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.split_ascii_whitespace().next()?.parse().ok()
    };
    Status { virtual_kib: field("VmSize"), resident_kib: field("VmRSS"), threads: field("Threads") }
}

/// Field 22 of proc(5)'s `/proc/pid/stat`, counted after the last `)`, as the program's name may hold anything.
fn start_ticks(stat: &str) -> Option<u32> {
    // The first one here is the state, number 3 in the manual.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

/// Seconds since the epoch at which the machine booted.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses_shift_nothing() {
        let stat = "4242 (a) R 1 (b)) S 1 2 3 4 5 6 7 8 9 10 100 23 14 15 16 17 18 19 555 4096 77 18446744073709551615";
        assert_eq!(start_ticks(stat), Some(555));
        assert_eq!(start_ticks("1 (x) S 1"), None);
    }

    #[test]
    fn status_is_read_by_name() {
        let text = "Name:\tVmRSS: 9 kB\nVmSize:\t    4096 kB\nVmRSS:\t      77 kB\nThreads:\t18\n";
        let status = Status { virtual_kib: Some(4096), resident_kib: Some(77), threads: Some(18) };
        assert_eq!(parse_status(text), status);
        assert_eq!(parse_status(""), Status::default());
    }
}
