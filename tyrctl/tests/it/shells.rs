//! Completion in the real shells, in a pseudo-terminal, as somebody at a keyboard sees it.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::double::{Answers, Double};

/// Longest wait for anything on the screen.
const LIMIT: Duration = Duration::from_secs(30);
const ROWS: u16 = 40;
const COLUMNS: u16 = 120;

/// How a shell is started without anybody's settings, and told of the dynamic completion.
struct Kind {
    program: &'static str,
    arguments: &'static [&'static str],
    /// Makes the prompt plain and the completion known.
    begin: &'static str,
    /// The same with the script that is complete in itself.
    begin_static: &'static str,
}

const BASH: Kind = Kind {
    program: "bash",
    arguments: &["--noprofile", "--norc", "-i"],
    begin: "PS1='% '; source <(COMPLETE=bash tyrctl)",
    begin_static: "PS1='% '; source <(tyrctl completions bash)",
};
const ZSH: Kind = Kind {
    program: "zsh",
    arguments: &["-f", "-i"],
    begin: "PS1='%% '; autoload -Uz compinit; compinit -u -D; source <(COMPLETE=zsh tyrctl)",
    begin_static: "PS1='%% '; autoload -Uz compinit; compinit -u -D; source <(tyrctl completions zsh)",
};
const FISH: Kind = Kind {
    program: "fish",
    arguments: &["--no-config", "--private", "-i"],
    begin: "set -g fish_autosuggestion_enabled 0; function fish_prompt; echo '% '; end; COMPLETE=fish tyrctl | source",
    begin_static: "set -g fish_autosuggestion_enabled 0; function fish_prompt; echo '% '; end; tyrctl completions fish | source",
};

/// A shell in a terminal.
struct Shell {
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
    _home: tempfile::TempDir,
}

impl Shell {
    /// `None` where the shell is missing, which is said by name, and is a failure where the run promises it.
    fn start(kind: &Kind, begin: &str, double: &Double) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        if !std::env::split_paths(&path).any(|folder| folder.join(kind.program).exists()) {
            let promised = std::env::var("CI").is_ok_and(|value| value == "true")
                || std::env::var("TYR_KERNEL_TESTS").is_ok_and(|value| value == "required");
            let what =
                format!("completion in {} can't be tested: it is missing; `./dev test` installs it", kind.program);
            assert!(!promised, "{what}");
            writeln!(std::io::stderr(), "{what}").expect("standard error takes text");
            return None;
        }
        let home = tempfile::tempdir().expect("a folder");
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(kind.program);
        command.args(kind.arguments);
        command.env_clear();
        let ours = std::path::Path::new(env!("CARGO_BIN_EXE_tyrctl")).parent().expect("a folder").to_owned();
        let folders = std::iter::once(ours).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).expect("a path"));
        command.env("HOME", home.path());
        command.cwd(home.path());
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("TYR_SERVER", double.url());
        command.env("XDG_CONFIG_HOME", double.config().parent().expect("a folder"));
        command.env("XDG_CACHE_HOME", double.cache());
        let child = pty.slave.spawn_command(command).expect("the shell starts");
        let size = |size: u16| NonZero::new(size).expect("not 0");
        let screen = Arc::new((Mutex::new(vt100::Parser::new(size(ROWS), size(COLUMNS), 0)), Condvar::new()));
        let (mut reader, writer) = (pty.master.try_clone_reader().expect("a reader"), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Linux answers EIO when the other side has gone.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                writer.0.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..count]);
                writer.1.notify_all();
            }
        });
        let keys = pty.master.take_writer().expect("a writer");
        let mut shell = Self { _master: pty.master, keys, child, screen, _home: home };
        // Split, so that the echo of the line is not taken for its output.
        shell.press(&format!("{begin}; printf 're%s\\n' ady\r"));
        shell.wait_for("ready");
        shell.press("\x0c");
        shell.wait_until("an empty screen", |screen| !screen.contains("ready"));
        Some(shell)
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("typed");
    }

    fn wait_for(&self, text: &str) {
        self.wait_until(text, |screen| screen.contains(text));
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let end = Instant::now() + LIMIT;
        let mut parser = self.screen.0.lock().expect("no panic");
        loop {
            let text = parser.screen().contents();
            if holds(&text) {
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} did not come:\n{text}");
            parser = self.screen.1.wait_timeout(parser, left).expect("no panic").0;
        }
    }

    /// Types a line and the tab key, waits for what the line becomes, and takes it away again.
    fn completes(&mut self, typed: &str, becomes: &str) {
        self.press(&format!("{typed}\t"));
        self.wait_for(becomes);
        self.press("\x15\x0c");
        self.wait_until("an empty line", |screen| !screen.contains("tyrctl"));
    }

    fn end(mut self) {
        // As if the terminal were closed: whatever is shown, a shell ends at that.
        self.child.kill().expect("the shell is told");
        self.child.wait().expect("the shell ends");
    }
}

/// What every shell does alike.
fn complete_everything(kind: &Kind) {
    let double = Double::start(Answers::fleet());
    let toml = format!("[context.default]\nserver = \"{0}\"\n[context.staging]\nserver = \"{0}\"\n", double.url());
    std::fs::write(double.config().join("config.toml"), toml).expect("written");
    tyrctl::auth::store_token(&double.config().join("tokens/staging"), "t").expect("stored");
    let Some(mut shell) = Shell::start(kind, kind.begin, &double) else { return };
    for (typed, becomes) in [
        ("tyrctl age", "tyrctl agent"),
        ("tyrctl agent show lap", "tyrctl agent show laptop-zoë"),
        ("tyrctl agent show bu", "tyrctl agent show build-01"),
        ("tyrctl agents build-018 lap", "tyrctl agents build-018 laptop-zoë"),
        ("tyrctl user show al", "tyrctl user show alice"),
        ("tyrctl ai rename 00", "tyrctl ai rename 00000000-0000-7000-8000-000000000011"),
        ("tyrctl token revoke 7", "tyrctl token revoke 7f3k"),
        ("tyrctl context use sta", "tyrctl context use staging"),
        ("tyrctl --context sta", "tyrctl --context staging"),
        ("tyrctl --context=sta", "tyrctl --context=staging"),
        ("tyrctl --context=staging agent show lap", "tyrctl --context=staging agent show laptop-zoë"),
        ("tyrctl agents --columns name,last_s", "tyrctl agents --columns name,last_seen"),
        ("tyrctl agents --sort kernel:d", "tyrctl agents --sort kernel:desc"),
        ("tyrctl events list --kind net", "tyrctl events list --kind net_connect"),
        ("tyrctl top --filter kind=net", "tyrctl top --filter kind=net_connect"),
        ("tyrctl -o jsonl agent show lap", "tyrctl -o jsonl agent show laptop-zoë"),
        ("tyrctl sql show documented_dr", "tyrctl sql show documented_drift"),
        ("tyrctl check sus", "tyrctl check sustained"),
        ("tyrctl check --agent lap", "tyrctl check --agent laptop-zoë"),
        ("tyrctl policy unassign --agent lap", "tyrctl policy unassign --agent laptop-zoë"),
        ("tyrctl policy unassign --agent-type curs", "tyrctl policy unassign --agent-type cursor"),
        ("tyrctl alerts --rule posture", "tyrctl alerts --rule posture_fell"),
        ("tyrctl doctor --wai", "tyrctl doctor --wait"),
    ] {
        shell.completes(typed, becomes);
    }
    // Twice for the list, as bash has it.
    shell.press("tyrctl agent show build-01\t\t");
    shell.wait_until("both names", |screen| screen.contains("build-017") && screen.contains("build-018"));
    shell.press("\x15\x0c");
    shell.wait_until("an empty line", |screen| !screen.contains("tyrctl"));
    shell.end();
}

fn complete_words(kind: &Kind) {
    let double = Double::start(Answers::fleet());
    let Some(mut shell) = Shell::start(kind, kind.begin_static, &double) else { return };
    shell.completes("tyrctl complet", "tyrctl completions");
    shell.completes("tyrctl events ra", "tyrctl events rate");
    shell.completes("tyrctl agents --off", "tyrctl agents --offline");
    shell.end();
    assert_eq!(double.requests(), Vec::<String>::new(), "the static script asks nobody");
}

#[test]
fn bash_completes_names() {
    complete_everything(&BASH);
}

#[test]
fn zsh_completes_names() {
    complete_everything(&ZSH);
}

#[test]
fn fish_completes_names() {
    complete_everything(&FISH);
}

#[test]
fn bash_reads_the_static_script() {
    complete_words(&BASH);
}

#[test]
fn zsh_reads_the_static_script() {
    complete_words(&ZSH);
}

#[test]
fn fish_reads_the_static_script() {
    complete_words(&FISH);
}

#[test]
fn zsh_and_fish_explain_the_names() {
    for kind in [&ZSH, &FISH] {
        let double = Double::start(Answers::fleet());
        let Some(mut shell) = Shell::start(kind, kind.begin, &double) else { continue };
        shell.press("tyrctl policy show \t");
        shell.wait_for("web, 3 rules");
        shell.end();
    }
}

/// The loader as a package installs it, in a folder that the shell looks through by itself.
#[test]
fn installed_loaders_are_found_by_the_shells() {
    const LOADERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../completions/dynamic");
    let zsh = format!("PS1='%% '; fpath=({LOADERS} $fpath); autoload -Uz compinit; compinit -u -D");
    let bash = format!("PS1='% '; source {LOADERS}/tyrctl.bash");
    let fish = format!(
        "set -g fish_autosuggestion_enabled 0; function fish_prompt; echo '% '; end; \
         set -p fish_complete_path {LOADERS}"
    );
    for (kind, begin) in [(&BASH, &bash), (&ZSH, &zsh), (&FISH, &fish)] {
        let double = Double::start(Answers::fleet());
        let Some(mut shell) = Shell::start(kind, begin, &double) else { continue };
        // The very first press is answered.
        shell.completes("tyrctl agent show lap", "tyrctl agent show laptop-zoë");
        shell.completes("tyrctl sql show documented_dr", "tyrctl sql show documented_drift");
        shell.end();
    }
}
