//! `tyrd`: reads the command line, and turns results into exit statuses.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use tyr_agent::args::{Args, Command, StatusArgs, wrong_usage};
use tyr_agent::config::Config;
use tyr_agent::control::{Answer, Question, client};
use tyr_agent::fault::Fault;
use tyr_agent::{kernel, run, serve, telemetry};

fn main() -> ExitCode {
    rustls::crypto::aws_lc_rs::default_provider().install_default().expect("nothing was installed before");
    let args = match Args::try_parse() {
        Ok(args) => args,
        // Help and version, which clap prints by itself.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return failed(&wrong_usage(&error), 2),
    };
    let result = match &args.command {
        None | Some(Command::Serve) => serve(&args),
        Some(Command::Status(status)) => show_status(&args, status),
        Some(Command::Detach) => detach(&args),
        Some(Command::Run(command)) => match as_root().and_then(|()| Config::load(&args.config)) {
            Ok(config) => {
                let (fault, code) = run::run(&config, command);
                return failed(&fault, code);
            }
            Err(fault) => Err(fault),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(&fault, 1),
    }
}

fn failed(fault: &Fault, code: u8) -> ExitCode {
    // Standard error may be closed; there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{fault}");
    ExitCode::from(code)
}

fn as_root() -> Result<(), Fault> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Fault::new("tyrd needs root")
        .cause("it loads programs into the kernel, and guards its keys from other users")
        .hint("run it with sudo, or as the service tyr-agent"))
}

fn serve(args: &Args) -> Result<(), Fault> {
    as_root()?;
    let config = Config::load(&args.config)?;
    telemetry::init()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Fault::new("tyrd can't start its threads").because(&error))?;
    runtime.block_on(serve::serve(config, args.config.clone()))
}

fn detach(args: &Args) -> Result<(), Fault> {
    as_root()?;
    let config = Config::load(&args.config)?;
    if client::ask(&config.data_dir, &Question::Status).is_ok() {
        return Err(Fault::new("tyrd is running, and would go on enforcing").hint("`systemctl stop tyr-agent` first"));
    }
    let hooks = kernel::detach(serve::PINS.as_ref())
        .map_err(|error| Fault::new(format!("the hooks in {} can't be taken off", serve::PINS)).because(&error))?;
    // Standard output may be closed; it is done all the same.
    let _ = match hooks {
        0 => writeln!(io::stdout(), "nothing was left to take off"),
        hooks => writeln!(io::stdout(), "took {hooks} hooks off: nothing is enforced on this host until tyrd starts"),
    };
    Ok(())
}

fn show_status(args: &Args, status: &StatusArgs) -> Result<(), Fault> {
    as_root()?;
    let config = Config::load(&args.config)?;
    let Answer::Status(answer) = client::ask(&config.data_dir, &Question::Status)? else {
        return Err(Fault::new("the running tyrd answered something else").hint("is it of the same version?"));
    };
    let text = if status.json {
        let mut text = serde_json::to_string_pretty(&answer).expect("plain data");
        text.push('\n');
        text
    } else {
        answer.to_string()
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::new("can't write the status").because(&error))
        }
        _ => Ok(()),
    }
}
