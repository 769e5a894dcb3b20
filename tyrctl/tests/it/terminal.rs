//! tyrctl in a pseudo-terminal, and what a person sees there.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use crate::double::Double;

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(30);

/// What the terminal was sent, and how it looks.
pub(crate) struct Shown {
    pub(crate) parser: vt100::Parser,
    sent: Vec<u8>,
    closed: bool,
}

impl Shown {
    /// Whether the program wrote that, visible or not.
    pub(crate) fn was_sent(&self, text: &str) -> bool {
        self.sent.windows(text.len()).any(|bytes| bytes == text.as_bytes())
    }
}

/// A program in a terminal of its own.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<(Mutex<Shown>, Condvar)>,
    before: String,
}

fn places(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has places")
}

impl Terminal {
    /// tyrctl, which talks to the double.
    pub(crate) fn start(double: &Double, arguments: &[&str], size: PtySize, environment: &[(&str, &str)]) -> Self {
        Self::of(env!("CARGO_BIN_EXE_tyrctl"), arguments, double, size, environment)
    }

    /// Another program, with the same surroundings.
    pub(crate) fn of(
        program: &str,
        arguments: &[&str],
        double: &Double,
        size: PtySize,
        environment: &[(&str, &str)],
    ) -> Self {
        let pty = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let before = format!("{:?}", pty.master.get_termios().expect("settings"));
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.args(arguments);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, value) in
            [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TYR_TOKEN", "t")].iter().chain(environment)
        {
            command.env(name, value);
        }
        command.env("TYR_SERVER", double.url());
        command.env("XDG_CONFIG_HOME", double.config());
        command.env("XDG_CACHE_HOME", double.cache());
        command.env("HOME", double.config());
        command.cwd(double.config());
        let child = pty.slave.spawn_command(command).expect("it starts");
        drop(pty.slave);
        let parser = vt100::Parser::new(places(size.rows), places(size.cols), 0);
        let screen = Arc::new((Mutex::new(Shown { parser, sent: Vec::new(), closed: false }), Condvar::new()));
        let (mut reader, writer) = (pty.master.try_clone_reader().expect("a reader"), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            loop {
                // Linux answers EIO when the other side has gone.
                let count = reader.read(&mut bytes).unwrap_or(0);
                let mut shown = writer.0.lock().expect("no panic");
                shown.parser.process(&bytes[..count]);
                shown.sent.extend_from_slice(&bytes[..count]);
                shown.closed = count == 0;
                writer.1.notify_all();
                if count == 0 {
                    break;
                }
            }
        });
        let keys = pty.master.take_writer().expect("a writer");
        Self { master: pty.master, keys, child, screen, before }
    }

    /// Waits until the screen is as described; shows it when it doesn't become so.
    pub(crate) fn wait(&self, what: &str, predicate: impl Fn(&Shown, &str) -> bool) -> String {
        let deadline = Instant::now() + LIMIT;
        let mut shown = self.screen.0.lock().expect("no panic");
        loop {
            let contents = shown.parser.screen().contents();
            if predicate(&shown, &contents) {
                return contents;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}; the screen:\n{contents}");
            shown = self.screen.1.wait_timeout(shown, left).expect("no panic").0;
        }
    }

    /// Types, or answers what the terminal was asked.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("typed");
    }

    pub(crate) fn resize(&self, size: PtySize) {
        self.screen.0.lock().expect("no panic").parser.screen_mut().set_size(places(size.rows), places(size.cols));
        self.master.resize(size).expect("resized");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.process_id().expect("an id")).expect("small");
        kill_process(Pid::from_raw(pid).expect("an id"), signal).expect("sent");
    }

    /// The name of the signal that ended it, if one did; the terminal is as it was.
    pub(crate) fn signalled(mut self) -> Option<String> {
        let status = self.child.wait().expect("it ends");
        assert_eq!(format!("{:?}", self.master.get_termios().expect("settings")), self.before);
        status.signal().map(str::to_owned)
    }

    /// The exit code and what is left on the screen; the terminal is as it was.
    pub(crate) fn ended(mut self) -> (u32, String) {
        let code = self.child.wait().expect("it ends").exit_code();
        let left = self.wait("the end", |shown, _| shown.closed);
        let shown = self.screen.0.lock().expect("no panic");
        assert!(!shown.parser.screen().alternate_screen() && !shown.parser.screen().hide_cursor());
        assert_eq!(format!("{:?}", self.master.get_termios().expect("settings")), self.before);
        (code, left)
    }
}
