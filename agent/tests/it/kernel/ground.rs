//! Where a kernel test takes place: a cgroup of its own, the programs loaded for it alone, and what they report.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tyr_agent::decode::{Connect, KernelEvent, Open, TreeId, What};
use tyr_agent::fingerprints::Fingerprints;
use tyr_agent::kernel::{Kernel, Options};

/// Longest wait for an event, on a machine that does a lot besides.
const LIMIT: Duration = Duration::from_secs(30);

/// Gives the ground of a test, or says why there is none and ends the test.
macro_rules! ground {
    ($($fingerprints:expr)?) => {{
        #[allow(unused_mut, unused_assignments, reason = "some tests bring fingerprints")]
        let mut fingerprints = tyr_agent::fingerprints::Fingerprints::default();
        $(fingerprints = $fingerprints;)?
        match $crate::kernel::ground::Ground::new(fingerprints, true) {
            Some(ground) => ground,
            None => return,
        }
    }};
}
pub(crate) use ground;

/// A cgroup, and the kernel programs scoped to it.
pub(crate) struct Ground {
    pub(crate) kernel: Kernel,
    pub(crate) events: mpsc::Receiver<KernelEvent>,
    /// Those that were read and not asked for.
    pub(crate) seen: Vec<KernelEvent>,
    pub(crate) cgroup: Cgroup,
    pub(crate) folder: tempfile::TempDir,
}

impl Ground {
    pub(crate) fn new(fingerprints: Fingerprints, merge_opens: bool) -> Option<Self> {
        Self::with(|options| (options.fingerprints, options.merge_opens) = (fingerprints, merge_opens))
    }

    /// With other settings.
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return refuse("not root");
        }
        let Some(cgroup) = Cgroup::new() else { return refuse("no cgroup2 mount to make a cgroup in") };
        let mut options = Options {
            scope: Some(cgroup.path.clone()),
            fingerprints: Fingerprints::default(),
            merge_opens: true,
            merge_allowed: true,
            pins: None,
            without: Vec::new(),
        };
        change(&mut options);
        let mut kernel = match Kernel::load(options) {
            Ok(kernel) => kernel,
            Err(error) => panic!("the programs don't load: {error}: {:?}", std::error::Error::source(&error)),
        };
        let events = kernel.events();
        let folder = tempfile::tempdir().expect("a temporary folder");
        Some(Self { kernel, events, seen: Vec::new(), cgroup, folder })
    }

    /// Starts a command in the cgroup; it waits for [`Waiting::go`].
    pub(crate) fn start(&self, command: &str, args: &[&str]) -> Waiting {
        start_in(&self.cgroup.path, command, args)
    }

    /// Starts a shell script as a governed tree, and waits for its end.
    pub(crate) fn run_governed(&self, script: &str) -> TreeId {
        let waiting = self.start("/bin/sh", &["-c", script]);
        let tree = self.kernel.mark(waiting.pid(), "test-agent").expect("the process can be marked");
        assert!(waiting.go().wait().expect("the script ends").success(), "the script failed: {script}");
        tree
    }

    /// The first event, read before or to come, that is as asked for.
    pub(crate) async fn find(&mut self, what: &str, mut asked: impl FnMut(&KernelEvent) -> bool) -> KernelEvent {
        if let Some(at) = self.seen.iter().position(&mut asked) {
            return self.seen.remove(at);
        }
        loop {
            match tokio::time::timeout(LIMIT, self.events.recv()).await {
                Ok(Some(event)) if asked(&event) => return event,
                Ok(Some(event)) => self.seen.push(event),
                Ok(None) => panic!("the reader has ended"),
                Err(late) => panic!("no event ({late}): {what}; those seen: {:#?}", self.seen),
            }
        }
    }

    /// All events of a tree, up to its end.
    pub(crate) async fn until_end(&mut self, tree: TreeId) -> Vec<KernelEvent> {
        let end = self.find("end of the tree", |e| e.process.tree == tree && e.what == What::TreeEnded).await;
        let (mut own, others) = std::mem::take(&mut self.seen).into_iter().partition(|e| e.process.tree == tree);
        self.seen = others;
        Vec::push(&mut own, end);
        own
    }
}

pub(crate) fn refuse<T>(why: &str) -> Option<T> {
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    let required = std::env::var("CI").is_ok_and(|v| v == "true")
        || std::env::var("TYR_KERNEL_TESTS").is_ok_and(|v| v == "required");
    assert!(!required, "kernel test {name} can't run: {why}");
    writeln!(std::io::stderr(), "kernel test {name} can't run here: {why}").expect("standard error takes text");
    None
}

/// A cgroup v2 folder that goes with the test.
pub(crate) struct Cgroup {
    pub(crate) path: PathBuf,
}

impl Cgroup {
    fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
        let root = mounts.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (at, kind) = (fields.next()?, fields.next()?);
            (kind == "cgroup2").then(|| at.to_owned())
        })?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(&root).join(format!("tyr-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).ok()?;
        Some(Self { path })
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Ends what the test started and nothing else: nobody else knows the folder.
        let _ = std::fs::write(self.path.join("cgroup.kill"), "1");
        for _ in 0..1000 {
            if std::fs::remove_dir(&self.path).is_ok() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// A process that waits for a line before it becomes what it is to be.
pub(crate) struct Waiting(Child);

impl Waiting {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn go(mut self) -> Child {
        self.0.stdin.take().expect("piped").write_all(b"go\n").expect("the process waits");
        self.0
    }
}

pub(crate) fn start_in(cgroup: &Path, command: &str, args: &[&str]) -> Waiting {
    let mut child = Command::new("/bin/sh")
        .args(["-c", "echo $$ > \"$0/cgroup.procs\" && echo in && read go && exec \"$@\""])
        .arg(cgroup)
        .arg(command)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    // The shell says when it is in the cgroup.
    let mut said = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut said).expect("the shell gets there");
    Waiting(child)
}

/// The opens among events.
pub(crate) fn opens(events: &[KernelEvent]) -> Vec<&Open> {
    events.iter().filter_map(|e| if let What::Open(open) = &e.what { Some(open) } else { None }).collect()
}

/// The connections among events.
pub(crate) fn connects(events: &[KernelEvent]) -> Vec<&Connect> {
    events.iter().filter_map(|e| if let What::Connect(connect) = &e.what { Some(connect) } else { None }).collect()
}
