//! `tyrd serve`: puts the parts together, and takes them apart in order.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use tyr_policy::Unregistered;
use tyr_proto::v1::{self, CapabilityReport, EventKind};

use crate::clock::unix_us_now;
use crate::config::{AllowEvents, Config};
use crate::control::{Control, Host, SOCKET};
use crate::data_dir::DataDir;
use crate::enrich::AiProcess;
use crate::fanotify::{Fanotify, FanotifyError};
use crate::fault::{Fault, chain};
use crate::fingerprints::Fingerprints;
use crate::identity::Identity;
use crate::kernel::{Kernel, KernelError, LossKind, Options, Posture, Tables};
use crate::memory;
use crate::pipeline::{self, Flow, Pipeline};
use crate::policies::{Enforcer, Lowered, Policies};
use crate::ship::{Connection, Shipper};
use crate::spool::Spool;
use crate::status::{KernelTables, Loss, PolicyVersion, Proof, Status};
use crate::supervision::{self, Pulse};

mod proof;
mod scope_cgroup;

/// Where enforcement is kept beyond the end of `tyrd`.
pub const PINS: &str = "/sys/fs/bpf/tyr";
/// Exit status after a second signal, as shells give it for SIGTERM.
const KILLED: i32 = 143;
/// Most rounds of the scan at start; the second usually finds nothing.
const SCANS_MAX: u32 = 5;

/// Governs this host until SIGTERM or SIGINT.
///
/// # Errors
///
/// Whatever keeps it from starting, and an enrollment that is refused.
pub async fn serve(config: Config, config_file: PathBuf) -> Result<(), Fault> {
    if config.exposes_token(&config_file) {
        warn!(
            file = %config_file.display(),
            "every user of this host may read the enrollment token: `chmod 600` the file, and make a fresh token if others use this host"
        );
    }
    let data = DataDir::open(&config.data_dir)
        .map_err(|error| Fault::new("tyrd can't start").because(&error).hint(error.hint()))?;
    let data = Arc::new(data);
    let fingerprints = Fingerprints::load(config.fingerprints.as_deref()).map_err(|error| {
        Fault::new("the fingerprints of AI tools can't be used")
            .because(&error)
            .hint("see `fingerprints` in the configuration")
    })?;
    let scope = scope_cgroup::absolute(config.scope.as_ref().map(|scope| &*scope.cgroup));
    // Where opens are observed, repeats are merged in userspace: the kernel can't tell which a rule alerts on, and those are each
    // reported.
    let options = Options {
        scope: scope.clone(),
        fingerprints,
        merge_opens: false,
        merge_allowed: config.allow_events != AllowEvents::All,
        pins: Some(PINS.into()),
        without: Vec::new(),
    };
    let mut kernel = Kernel::load(options)
        .map_err(|error| Fault::new("tyrd can't watch this host").because(&error).hint(error.hint()))?;
    let events = kernel.events();
    let kernel = Arc::new(kernel);
    let (posture, posture_reason) = kernel.posture();
    info!(posture = posture_name(posture), reason = posture_reason, hooks = kernel.hooks().len(), "watching this host");

    let policies = Arc::new(Policies::new(
        Arc::clone(&data),
        Arc::clone(&kernel) as Arc<dyn Enforcer>,
        config.unregistered_agents.into(),
    ));
    if policies.unregistered() == Unregistered::Quarantine && posture != Posture::Enforcing {
        warn!("a quarantine is enforced for addresses alone here: files and programs are reported, not refused");
    }
    let images = config.fanotify.is_some().then(|| policies.images());
    policies.load_cached();
    kernel.keep().map_err(|error| Fault::new("tyrd can't take over").because(&error).hint(error.hint()))?;
    let fanotify = ask_about_opens(&config, &kernel, images)?;
    let spool = Arc::new(Spool::new(config.buffer_bytes_max()));
    let pipeline = Pipeline::new(config.allow_events, Arc::clone(&policies), Arc::clone(&spool));
    let (connection, connection_seen) = watch::channel(Connection::Connecting);
    let capabilities_now = capabilities(&kernel, fanotify.as_deref(), scope.as_deref(), policies.unregistered());
    let (report, capabilities) = watch::channel(capabilities_now);
    let (proof_in, proof) = watch::channel(Proof::default());
    let seen = connection_seen.clone();
    let host = Arc::new(Running {
        config: config.clone(),
        scope,
        started_unix_us: unix_us_now(),
        data: Arc::clone(&data),
        kernel: Arc::clone(&kernel),
        fanotify: fanotify.clone(),
        policies: Arc::clone(&policies),
        spool: Arc::clone(&spool),
        flow: pipeline.flow(),
        trees: pipeline.trees(),
        connection: connection_seen,
        proof: proof.clone(),
    });
    let control = Control::open(&data.file(SOCKET))
        .map_err(|error| Fault::new("the control socket can't be opened").because(&error).hint("see `data_dir`"))?;
    let proving_policies = Arc::clone(&policies);
    let shipper = Shipper {
        config,
        config_file,
        data,
        spool: Arc::clone(&spool),
        policies,
        capabilities,
        ai_processes: pipeline.trees(),
        proof,
        connection,
    };

    let pulse = Pulse::new();
    let (stop_watching, stop_shipping) = (CancellationToken::new(), CancellationToken::new());
    let mut watching = {
        let (kernel, spool, pulse) = (Arc::clone(&kernel), Arc::clone(&spool), Arc::clone(&pulse));
        let each_tick = move || {
            note_losses(&kernel, &spool);
            pulse.beat();
        };
        tokio::spawn(pipeline.run(events, stop_watching.clone(), each_tick))
    };
    // The reader of events runs by now, as a scan of a busy host has many to tell.
    let scanning = {
        let kernel = Arc::clone(&kernel);
        tokio::task::spawn_blocking(move || {
            scan(&kernel);
            memory::give_back();
        })
    };
    let proving = tokio::spawn(proof::run(Arc::clone(&kernel), fanotify, proving_policies, report, proof_in));
    let mut shipping = tokio::spawn(shipper.run(stop_shipping.clone()));
    let controlling = tokio::spawn(async move { control.serve(host).await });
    supervision::ready();
    let supervising = {
        let stop = stop_watching.clone();
        tokio::spawn(async move { supervision::run(posture_name(posture), seen, pulse, stop).await })
    };

    let ended = tokio::select! {
        () = told_to_stop() => None,
        ended = &mut shipping => Some(ended),
        _ = &mut watching => return Err(Fault::new("the kernel's events ended").hint("report it, with the log")),
    };
    supervision::stopping();
    tokio::spawn(told_again());
    info!("stopping");
    controlling.abort();
    proving.abort();
    let _ = scanning.await;
    stop_watching.cancel();
    let _ = supervising.await;
    if !watching.is_finished() {
        let _ = watching.await;
    }
    stop_shipping.cancel();
    let ended = match ended {
        Some(ended) => ended,
        None => shipping.await,
    };
    let counters = spool.counters();
    info!(events.emitted = counters.emitted, events.lost = counters.lost, records_left = counters.records, "stopped");
    ended.map_err(|panic| Fault::new("the connection to the server failed").because(&panic))?
}

/// Where the kernel does not judge files itself, has it ask about those that the configuration names. To be called when the policy is
/// in force.
fn ask_about_opens(
    config: &Config,
    kernel: &Kernel,
    images: Option<watch::Receiver<Option<Arc<Lowered>>>>,
) -> Result<Option<Arc<Fanotify>>, Fault> {
    let (Some(fanotify), Some(images)) = (&config.fanotify, images) else { return Ok(None) };
    if kernel.judges_opens() {
        info!("the kernel judges opens itself, so `fanotify` is not needed");
        return Ok(None);
    }
    let register = kernel.register().map_err(FanotifyError::from);
    let started = register.and_then(|register| Fanotify::start(&fanotify.mounts, register, &images));
    let started = started.map_err(|error| {
        Fault::new("tyrd can't refuse files and programs by fanotify").because(&error).hint(error.hint())
    })?;
    info!(mounts = ?fanotify.mounts, "files and programs are refused by fanotify");
    Ok(Some(Arc::new(started)))
}

/// The posture with why it is no better, and with what fanotify does about it.
fn posture(kernel: &Kernel, fanotify: Option<&Fanotify>) -> (Posture, String) {
    let (posture, reason) = kernel.posture();
    let mounts: Vec<String> =
        fanotify.iter().flat_map(|fanotify| fanotify.mounts()).map(|path| path.display().to_string()).collect();
    if mounts.is_empty() {
        return (posture, reason.to_owned());
    }
    let mounts = mounts.join(", ");
    (posture, format!("{reason}, but for what is opened or run on {mounts}: refused by fanotify while tyrd runs"))
}

/// Marks what runs already. A child that is forked meanwhile is marked by its parent's mark, or found by the next round.
fn scan(kernel: &Kernel) {
    for _ in 0..SCANS_MAX {
        match kernel.scan() {
            Ok(0) => return,
            Ok(found) => info!(processes = found, "found AI processes that run already"),
            Err(error) => {
                error!(reason = chain(&error), hint = error.hint(), "looking for AI processes that run already failed");
                return;
            }
        }
    }
}

async fn told_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
    tokio::select! {
        _ = terminate.recv() => debug!("SIGTERM"),
        _ = interrupt.recv() => debug!("SIGINT"),
    }
}

/// A second signal ends the process where it stands: its programs leave the kernel with it, and what the server has not
/// acknowledged by then is gone.
async fn told_again() {
    told_to_stop().await;
    warn!("told to stop a second time: stopping at once");
    std::process::exit(KILLED);
}

/// Puts what was lost in the kernel into the ledger. An open whose record is lost counts as one for reading.
fn note_losses(kernel: &Kernel, spool: &Spool) {
    for loss in kernel.losses() {
        let kind = match loss.kind {
            LossKind::Exec => EventKind::Exec,
            LossKind::Open => EventKind::FileRead,
            LossKind::Connect => EventKind::NetConnect,
            // The end of a process is no event.
            LossKind::Exit => continue,
        };
        spool.set_lost(kind.into(), pipeline::verdict(loss.verdict).into(), loss.reason, loss.count);
    }
}

fn capabilities(
    kernel: &Kernel,
    fanotify: Option<&Fanotify>,
    scope: Option<&Path>,
    unregistered: Unregistered,
) -> CapabilityReport {
    let host = rustix::system::uname();
    let (posture, reason) = posture(kernel, fanotify);
    let features: &[&str] = match posture {
        Posture::Partial if fanotify.is_some() => &["observe", "net_enforce", "fanotify"],
        Posture::Observing => &["observe"],
        Posture::Partial => &["observe", "net_enforce"],
        Posture::Enforcing => &["observe", "net_enforce", "lsm", "enforce"],
    };
    CapabilityReport {
        kernel_version: host.release().to_string_lossy().into_owned(),
        arch: host.machine().to_string_lossy().into_owned(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        features: features.iter().map(ToString::to_string).collect(),
        hooks: kernel.hooks().into_iter().map(ToString::to_string).collect(),
        posture: match posture {
            Posture::Observing => v1::Posture::Observing,
            Posture::Partial => v1::Posture::Partial,
            Posture::Enforcing => v1::Posture::Enforcing,
        }
        .into(),
        posture_reason: reason,
        boot_id: fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned(),
        scope: scope.map(|scope| scope.display().to_string()).unwrap_or_default(),
        unregistered_agents: unregistered.to_string(),
    }
}

fn posture_name(posture: Posture) -> &'static str {
    match posture {
        Posture::Observing => "observing",
        Posture::Partial => "partial",
        Posture::Enforcing => "enforcing",
    }
}

/// What the control socket asks.
struct Running {
    config: Config,
    scope: Option<PathBuf>,
    started_unix_us: i64,
    data: Arc<DataDir>,
    kernel: Arc<Kernel>,
    fanotify: Option<Arc<Fanotify>>,
    policies: Arc<Policies>,
    spool: Arc<Spool>,
    flow: Arc<Flow>,
    trees: watch::Receiver<Arc<[AiProcess]>>,
    connection: watch::Receiver<Connection>,
    proof: watch::Receiver<Proof>,
}

impl Host for Running {
    fn status(&self) -> Status {
        let (posture, reason) = posture(&self.kernel, self.fanotify.as_deref());
        let policy = self.policies.current();
        let layer = |layer: &tyr_policy::Layer| PolicyVersion {
            version: layer.version,
            name: layer.policy.name.clone(),
            agent_type: layer.agent_type.clone(),
        };
        let identity = Identity::load(&self.data).ok().flatten();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: self.config.agent_name(),
            agent_id: identity.as_ref().map(|identity| identity.agent_id.to_string()),
            certificate_not_after_unix_us: identity.as_ref().map(Identity::not_after_unix_us),
            started_unix_us: self.started_unix_us,
            server: self.config.server.to_string(),
            connection: self.connection.borrow().clone(),
            posture: posture_name(posture).to_owned(),
            posture_reason: reason,
            hooks: self.kernel.hooks().into_iter().map(ToString::to_string).collect(),
            unregistered_agents: self.policies.unregistered().to_string(),
            scope: self.scope.as_ref().map(|scope| scope.display().to_string()).unwrap_or_default(),
            tables: match self.kernel.tables() {
                Ok(tables) => tables.map(|Tables { digest, intact, .. }| KernelTables { digest, intact }),
                Err(error) => {
                    warn!(reason = chain(&error), "the tables in force can't be read back");
                    Some(KernelTables { digest: String::new(), intact: false })
                }
            },
            kept: self.kernel.kept().map(|folder| folder.display().to_string()),
            denial: self.proof.borrow().denial.clone(),
            policy_id: policy.policy_id.clone(),
            policy: policy.effective.layers().iter().map(layer).collect(),
            spool: self.spool.counters(),
            flow: self.flow.counters(),
            losses: self.spool.losses().iter().map(loss).collect(),
            ai_processes: self.trees.borrow().to_vec(),
        }
    }

    fn govern(&self, pid: u32, agent_type: &str) -> Result<(), (String, String)> {
        if self.policies.refuses(agent_type) {
            let reason =
                format!("the agent type `{agent_type}` is not registered, and this host runs registered ones alone");
            return Err((reason, format!("an admin approves it: `tyrctl ai approve {agent_type}`")));
        }
        if let Some(scope) = &self.scope {
            scope_cgroup::enter(scope, pid).map_err(|error| {
                let reason = format!("the process can't be moved into the scope {}: {error}", scope.display());
                (reason, "see `scope` in the configuration".to_owned())
            })?;
        }
        let failed = |error: KernelError| (chain(&error), error.hint().to_owned());
        self.kernel.mark(pid, agent_type).map(|_| ()).map_err(failed)
    }
}

fn loss(loss: &v1::Loss) -> Loss {
    let word = |name: &str, prefix| name.strip_prefix(prefix).unwrap_or(name).to_lowercase();
    Loss {
        kind: word(loss.kind().as_str_name(), "EVENT_KIND_"),
        verdict: word(loss.verdict().as_str_name(), "VERDICT_"),
        reason: loss.reason.clone(),
        count: loss.count,
    }
}
