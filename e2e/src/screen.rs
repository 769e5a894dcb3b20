//! A terminal of known size with a program in it, read back as a person sees it.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::wait_for;

/// A program in a pseudo-terminal.
pub struct Screen {
    parser: Arc<Mutex<vt100::Parser>>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
}

impl Screen {
    /// Starts `program` with `arguments` in a terminal of `rows` x `columns`.
    pub fn start<'a>(
        program: &std::path::Path,
        arguments: &[&str],
        environment: impl Iterator<Item = (&'static str, &'a str)>,
        rows: u16,
        columns: u16,
    ) -> Result<Self> {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command)?;
        let rows = rows.try_into().context("no rows")?;
        let columns = columns.try_into().context("no columns")?;
        let parser = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let mut reader = pair.master.try_clone_reader()?;
        let output = Arc::clone(&parser);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error is the end of the terminal.
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                output.lock().unwrap_or_else(PoisonError::into_inner).process(&buffer[..read]);
            }
        });
        let writer = pair.master.take_writer()?;
        Ok(Self { parser, writer, child, _master: pair.master })
    }

    /// The text on the screen, one line per row, blanks at the ends of lines removed.
    pub fn text(&self) -> String {
        let parser = self.parser.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, columns) = parser.screen().size();
        parser.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    /// What `read` says of the screen with its colours.
    pub fn with<T>(&self, read: impl FnOnce(&vt100::Screen) -> T) -> T {
        read(self.parser.lock().unwrap_or_else(PoisonError::into_inner).screen())
    }

    /// Whether the program switched to the alternate screen.
    pub fn is_alternate(&self) -> bool {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner).screen().alternate_screen()
    }

    /// Types `keys`.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        self.writer.write_all(keys.as_bytes())?;
        Ok(self.writer.flush()?)
    }

    /// Waits until the screen shows `text`, and gives the whole screen.
    pub fn wait_for(&self, text: &str, limit: Duration) -> String {
        self.wait_until(text, limit, |screen| screen.contains(text))
    }

    /// Waits until `holds` is true of the screen, and gives the whole screen.
    pub fn wait_until(&self, what: &str, limit: Duration, holds: impl Fn(&str) -> bool) -> String {
        let start = std::time::Instant::now();
        wait_for(what, limit + Duration::from_secs(1), || {
            let screen = self.text();
            assert!(start.elapsed() < limit || holds(&screen), "no {what} on the screen within {limit:?}:\n{screen}");
            holds(&screen).then_some(screen)
        })
    }

    /// Waits for the program's end.
    pub fn finish(mut self) -> Result<u32> {
        Ok(self.child.wait()?.exit_code())
    }
}
