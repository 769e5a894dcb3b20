//! The process that evaluates an expression, and what is said between it and us.
//!
//! Lines both ways. To it: the limit in milliseconds, the expression as a JSON string, then one input per line. From it, for each
//! input: `=` and a result, any number of times; then `!` and a message as a JSON string, or `.` when that was all.

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

use super::{Expression, failed};
use crate::error::{Failure, Kind};
use crate::output::table::shorten;

/// The only argument of the process.
const ARGUMENT: &str = "__jq";
/// Its stack, in bytes: a hundred thousand steps down and more.
const STACK_BYTES: usize = 256 << 20;
/// Its memory, stack included, in bytes, before what the input itself needs.
const MEMORY_BYTES: u64 = 2 << 30;
/// Memory that one byte of input may need besides.
const MEMORY_BYTES_PER_BYTE: u64 = 32;
/// Places of a message that are shown: some quote the whole input.
const MESSAGE_WIDTH: usize = 200;

/// The process, seen from here.
pub(super) struct Worker {
    child: Child,
    to: BufWriter<ChildStdin>,
    from: BufReader<ChildStdout>,
    limit: Duration,
}

impl Worker {
    /// Starts it.
    pub(super) fn start(code: &str, limit: Duration) -> Result<Self, Failure> {
        let failure = |error: &(dyn std::error::Error + 'static)| {
            Failure::failed("the jq expression could not be evaluated").because(error)
        };
        // The very program that runs, even where another was installed in its place meanwhile.
        let mut child = Command::new("/proc/self/exe")
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What the runtime says when a stack ends is told better by us.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failure(&error))?;
        let (to, from) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut worker = Self { child, to: BufWriter::new(to), from: BufReader::new(from), limit };
        let code = serde_json::to_string(code).map_err(|error| failure(&error))?;
        writeln!(worker.to, "{}\n{code}", limit.as_millis()).map_err(|_| worker.ended())?;
        Ok(worker)
    }

    /// All results for one input.
    pub(super) fn run(
        &mut self,
        input: &Value,
        mut take: impl FnMut(Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Written in one piece: from it the process takes its limit of memory.
        let mut line = serde_json::to_string(input).map_err(|error| failed(error.to_string()))?;
        line.push('\n');
        let sent = self.to.write_all(line.as_bytes()).and_then(|()| self.to.flush());
        if sent.is_err() {
            return Err(self.ended());
        }
        let mut said = String::new();
        loop {
            said.clear();
            if !self.from.read_line(&mut said).is_ok_and(|read| read > 0 && said.ends_with('\n')) {
                return Err(self.ended());
            }
            match said.split_at(1) {
                (".", _) => return Ok(()),
                ("=", result) => take(serde_json::from_str(result).map_err(|error| failed(error.to_string()))?)?,
                ("!", message) => {
                    let message: String = serde_json::from_str(message).unwrap_or_default();
                    return Err(failed(shorten(&message, MESSAGE_WIDTH)));
                }
                _ => return Err(failed("it said nothing that makes sense")),
            }
        }
    }

    /// Why it is gone.
    fn ended(&mut self) -> Failure {
        let signal = self.child.wait().ok().and_then(|status| status.signal());
        let is = |wanted: Signal| signal == Some(wanted.as_raw());
        if is(Signal::XCPU) || is(Signal::KILL) {
            return failed(format!("it was not done after {:?} of computing", self.limit)).hint(
                "is there an end to it? `limit(10; …)` takes the first 10 results; `--timeout` gives it more time",
            );
        }
        if is(Signal::INT) {
            return Failure::new(Kind::Failed, "interrupted");
        }
        failed("it went down too deep, or needed too much memory")
            .hint("is there an end to it, e.g. to a `def` that calls itself? `limit(10; …)` takes the first 10 results")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Evaluates expressions, if this is the process for it.
pub fn answer() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT || arguments.next().is_some() {
        return None;
    }
    let evaluate = || serve(&mut io::stdin().lock(), &mut BufWriter::new(io::stdout().lock()));
    let served = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(evaluate)
        .is_ok_and(|thread| thread.join().is_ok_and(|served| served.is_ok()));
    Some(if served { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    // Going down too deep ends with a signal; nobody wants the memory of that on disk.
    bound(Resource::Core, 0)?;
    let mut line = String::new();
    from.read_line(&mut line)?;
    let limit = Duration::from_millis(line.trim_end().parse().map_err(io::Error::other)?);
    line.clear();
    from.read_line(&mut line)?;
    let expression = Expression::new(&serde_json::from_str::<String>(&line)?).map_err(io::Error::other)?;
    let mut input = Vec::new();
    loop {
        input.clear();
        // Without a bound: the input is what the program itself held as a whole.
        if from.read_until(b'\n', &mut input)? == 0 {
            return Ok(());
        }
        bound(Resource::As, MEMORY_BYTES + MEMORY_BYTES_PER_BYTE * input.len() as u64)?;
        bound(Resource::Cpu, seconds_until(limit))?;
        let done = expression.run(&input, |result| {
            to.write_all(b"=")?;
            serde_json::to_writer(&mut *to, &result)?;
            to.write_all(b"\n")
        })?;
        match done {
            Ok(()) => to.write_all(b".\n")?,
            Err(message) => {
                to.write_all(b"!")?;
                serde_json::to_writer(&mut *to, &message)?;
                to.write_all(b"\n")?;
            }
        }
        to.flush()?;
    }
}

/// When the processor time of this process has grown by that limit, in whole seconds: less can't be asked for.
fn seconds_until(limit: Duration) -> u64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let used = Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec.try_into().unwrap_or(0));
    let end = used + limit;
    end.as_secs() + u64::from(end.subsec_nanos() > 0)
}

/// Sets what the kernel refuses more than; raised again with the next input, so the hard limit stays.
fn bound(what: Resource, most: u64) -> io::Result<()> {
    let maximum = rustix::process::getrlimit(what).maximum;
    let most = maximum.map_or(most, |maximum| maximum.min(most));
    Ok(setrlimit(what, Rlimit { current: Some(most), maximum })?)
}
