//! Takes the terminal and gives it back as it was: at the end, on errors, on panics, on signals, and while suspended.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;

use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::views;

/// Whether the terminal is ours now; the panic hook must know without any other state.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// Whether the terminal was asked to report the mouse.
static MOUSE: AtomicBool = AtomicBool::new(false);
/// Presses and the wheel, with places beyond column 223: no motion, which would be a message for each cell that is passed.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Collects the bytes of a frame, so that they leave in one write between the brackets of a synchronised update.
#[derive(Clone, Debug, Default)]
struct FrameBytes(Arc<Mutex<Vec<u8>>>);

impl FrameBytes {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for FrameBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The terminal, taken. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<FrameBytes>>,
    bytes: FrameBytes,
    last: Option<Buffer>,
}

impl Screen {
    /// Takes the terminal, and the mouse if that is wanted.
    ///
    /// # Errors
    /// When it can't be switched; it's given back then.
    pub fn take(mouse: bool) -> io::Result<Self> {
        MOUSE.store(mouse, Ordering::SeqCst);
        HOOK.call_once(|| {
            let previous = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                // The terminal first: the message must land on a screen that shows it.
                let _ = give_back();
                previous(panic);
            }));
        });
        take_terminal()?;
        let bytes = FrameBytes::default();
        let terminal = Terminal::new(CrosstermBackend::new(bytes.clone())).inspect_err(|_| {
            let _ = give_back();
        })?;
        Ok(Self { terminal, bytes, last: None })
    }

    /// Columns and rows, as they are now.
    pub fn size(&self) -> (u16, u16) {
        self.terminal.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// Draws a prepared state: one write, nothing else, and none where the picture is the same as before.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, state: &State) -> io::Result<()> {
        let frame = self.terminal.draw(|frame| views::draw(state, frame.buffer_mut()))?;
        let same = self.last.as_ref() == Some(frame.buffer);
        match &mut self.last {
            Some(_) if same => {}
            Some(last) => {
                last.area = frame.buffer.area;
                last.content.clone_from(&frame.buffer.content);
            }
            None => self.last = Some(frame.buffer.clone()),
        }
        let content = self.bytes.take();
        // A panic elsewhere gave the terminal back: what is on it now is for reading.
        if same || !TAKEN.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut out = Vec::with_capacity(content.len() + 32);
        queue!(out, BeginSynchronizedUpdate)?;
        out.extend_from_slice(&content);
        queue!(out, EndSynchronizedUpdate)?;
        write(&out)
    }

    /// Makes the next frame draw every cell.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn forget(&mut self) -> io::Result<()> {
        // Not `Terminal::clear`: it asks the terminal for its cursor, and the answer would be read as keys.
        queue!(self.bytes, Clear(ClearType::All))?;
        self.last = None;
        self.terminal = Terminal::new(CrosstermBackend::new(self.bytes.clone()))?;
        Ok(())
    }

    /// Puts text into the terminal's clipboard (OSC 52).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut out = Vec::new();
        queue!(out, CopyToClipboard::to_clipboard_from(text))?;
        write(&out)
    }

    /// Gives the terminal back, for a while or for good.
    ///
    /// # Errors
    /// When it can't be switched.
    pub fn release(&mut self) -> io::Result<()> {
        give_back()
    }

    /// Takes the terminal again after [`Screen::release`].
    ///
    /// # Errors
    /// When it can't be switched.
    pub fn retake(&mut self) -> io::Result<()> {
        take_terminal()?;
        self.forget()
    }

    /// The last frame as text, without the lines' empty ends.
    pub fn last_text(&self) -> String {
        self.last.as_ref().map(text_of).unwrap_or_default()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = give_back();
    }
}

/// The cells of a buffer as lines of text.
pub fn text_of(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.rows() {
        let mut line = String::new();
        let mut covered = 0;
        for position in y.positions() {
            // A wide character covers the cell behind it.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            let symbol = buffer[position].symbol();
            covered = views::canvas::columns(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn take_terminal() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = Vec::new();
    queue!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if MOUSE.load(Ordering::SeqCst) {
        out.extend_from_slice(MOUSE_ON);
    }
    write(&out).inspect_err(|_| {
        let _ = give_back();
    })
}

fn give_back() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut out = Vec::new();
    // The end of an update first: a frame may have been cut short.
    queue!(out, EndSynchronizedUpdate)?;
    if MOUSE.load(Ordering::SeqCst) {
        out.extend_from_slice(MOUSE_OFF);
    }
    queue!(out, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show)?;
    let written = write(&out);
    disable_raw_mode().and(written)
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Whether the other side of the terminal was closed. What reads keys must not be asked then: it takes the end of a terminal for a reason to
/// read again, without end, and no signal would be heard any more.
pub fn is_gone() -> bool {
    matches!(rustix::termios::tcgetattr(io::stdin()), Err(rustix::io::Errno::IO))
}

/// Whether keys and frames can be exchanged with a person.
pub fn is_interactive() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// Whether the locale says that the terminal shows UTF-8.
pub fn locale_is_utf8() -> bool {
    // POSIX: the first that is set and not empty decides.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// What the terminal can show: colours unless NO_COLOR says otherwise, and more than ASCII if the locale has it.
pub fn theme(color: bool, ascii: bool) -> Theme {
    Theme { color, ascii: ascii || !locale_is_utf8() }
}
