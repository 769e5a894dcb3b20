//! `tyr-guest-shell [6.1|6.12] [--without-bpf-lsm]`: boots a guest as tests do and gives a shell in it.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tyr_e2e::guest::{Guest, Machine, Release, kernel};

fn main() -> Result<()> {
    let mut machine = Machine { terminal: true, ..Machine::new(Release::V6_12) };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "6.1" => machine.release = Release::V6_1,
            "6.12" => machine.release = Release::V6_12,
            "--without-bpf-lsm" => machine = machine.without_bpf_lsm(),
            other => bail!("`{other}` is neither 6.1 nor 6.12 nor --without-bpf-lsm"),
        }
    }
    kernel::find(machine.release).context("`./dev guest` fetches what is missing")?;
    let begun = Instant::now();
    let guest = Guest::boot(machine)?;
    writeln!(std::io::stdout(), "Linux {} after {:.1?}", machine.release.name(), begun.elapsed())?;
    // In the background, as getty makes a session of its own, which the leader of a group can't.
    let getty = "getty -L -n -l /bin/sh 115200 /dev/ttyS1 & wait";
    let mut shell = guest.start(&["/bin/sh", "-c", getty], &[("TERM", "vt100")], &[])?;
    while !shell.has_ended() {
        std::thread::park_timeout(Duration::from_millis(100));
    }
    Ok(())
}
