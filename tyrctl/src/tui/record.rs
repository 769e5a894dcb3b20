//! Recordings: everything that came from the server, with the time of its arrival.
//!
//! A recording is text, one JSON value a line. The first line says what it is and when it began; each further line is
//! `[milliseconds since then, what came]`, where what came is a [`News`] under its name:
//!
//! ```text
//! {"tyr_record":1,"at":"2026-11-28T09:00:00Z","tyrctl":"0.1.0","context":"prod","server":"https://tyr.example.com:7701"}
//! [0,"connecting"]
//! [12,{"snapshot":{"resumed":false,"snapshot":{…}}}]
//! [13,"open"]
//! [1009,{"stats":{…}}]
//! [1120,{"event":{…}}]
//! ```
//!
//! Lines are whole or absent, but for the last one of a process that was killed. File names and command lines of the fleet are
//! in it, so it is made with mode 0600, and nothing that lies there already is written over.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::tui::state::news::News;

/// The format that is written. A change that an older reader would misread counts it up.
pub const FORMAT: u32 = 1;
/// Longest line that is read, in bytes: a snapshot of the largest fleet.
const LINE_BYTES_MAX: u64 = 160 << 20;
/// Longest first line, in bytes.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Which format.
    pub tyr_record: u32,
    /// When it began, by the clock of the machine that recorded.
    pub at: Timestamp,
    /// Version of the program that recorded.
    pub tyrctl: String,
    /// Name of the context.
    pub context: String,
    /// Address of the server.
    pub server: String,
}

/// Writes a recording.
#[derive(Debug)]
pub struct Recorder {
    out: BufWriter<File>,
    started: Instant,
    bytes: u64,
    bytes_max: u64,
    line: Vec<u8>,
}

impl Recorder {
    /// Begins a recording that grows to at most that many bytes.
    ///
    /// # Errors
    /// When the file is there already or can't be made.
    pub fn create(file: &Path, bytes_max: u64, context: &str, server: &str) -> Result<Self, Failure> {
        let failure = || Failure::failed(format!("recording `{}` could not be begun", file.display()));
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        let opened = opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                failure().cause("there is a file of that name, and it is not written over").hint("choose another name")
            }
            _ => failure().because(&error),
        })?;
        let head = Head {
            tyr_record: FORMAT,
            at: Timestamp::now(),
            tyrctl: env!("CARGO_PKG_VERSION").to_owned(),
            context: context.to_owned(),
            server: server.to_owned(),
        };
        let mut recorder = Self {
            out: BufWriter::with_capacity(64 << 10, opened),
            started: Instant::now(),
            bytes: 0,
            bytes_max,
            line: Vec::new(),
        };
        recorder.write(&head).and_then(|()| recorder.flush()).map_err(|why| failure().cause(why))?;
        Ok(recorder)
    }

    /// Adds what came just now.
    ///
    /// # Errors
    /// When the recording would grow beyond its limit or can't be written; what it holds is whole, and nothing can be added.
    pub fn push(&mut self, news: &News) -> Result<(), String> {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.write(&(ms, news))?;
        // Counters and signs of life come about once a second: what was recorded is on the disk soon, without a timer.
        if matches!(news, News::Stats(_) | News::Alive) || news.is_about_the_connection() {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), String> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).map_err(|error| error.to_string())?;
        self.line.push(b'\n');
        let bytes = self.bytes + self.line.len() as u64;
        if bytes > self.bytes_max {
            // What is whole goes out; whether it can is the file's last word.
            self.flush()?;
            return Err(format!("the recording has reached its limit of {} MiB (--record-max)", self.bytes_max >> 20));
        }
        self.bytes = bytes;
        self.out.write_all(&self.line).map_err(|error| format!("the recording can't be written: {error}"))
    }

    fn flush(&mut self) -> Result<(), String> {
        self.out.flush().map_err(|error| format!("the recording can't be written: {error}"))
    }
}

/// Reads a recording.
#[derive(Debug)]
pub struct Recording {
    /// The first line.
    pub head: Head,
    name: String,
    lines: BufReader<File>,
    /// Lines read so far.
    line: u64,
    /// When the line before came.
    at: Duration,
}

impl Recording {
    /// Opens a recording and reads its first line.
    ///
    /// # Errors
    /// When the file can't be read, is no recording, or one of a newer format.
    pub fn open(file: &Path) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Format {
            tyr_record: u32,
        }
        let name = PathBuf::from(file).display().to_string();
        let failure = || Failure::failed(format!("`{name}` could not be replayed"));
        let foreign = || failure().hint("`tyrctl top --record FILE` makes a recording");
        let mut lines = File::open(file).map(BufReader::new).map_err(|error| failure().because(&error))?;
        let mut line = Vec::new();
        let read = lines.by_ref().take(HEAD_BYTES_MAX).read_until(b'\n', &mut line);
        read.map_err(|error| failure().because(&error))?;
        let Format { tyr_record } = serde_json::from_slice(&line)
            .map_err(|_| foreign().cause("it is no recording of `tyrctl top`: its first line is another"))?;
        if tyr_record != FORMAT {
            return Err(failure()
                .cause(format!("it has format {tyr_record}, and this tyrctl knows format {FORMAT}"))
                .hint("replay it with the tyrctl that recorded it, or a newer one"));
        }
        let head = serde_json::from_slice(&line).map_err(|error| foreign().cause(format!("line 1: {error}")))?;
        Ok(Self { head, name, lines, line: 1, at: Duration::ZERO })
    }

    /// What came next, and how long after the beginning; `None` at the end.
    ///
    /// # Errors
    /// When the rest is cut off or holds something else. Nothing more can be read then.
    pub fn read(&mut self) -> Result<Option<(Duration, News)>, Failure> {
        let number = self.line + 1;
        let failure = || Failure::failed(format!("`{}` could not be replayed to its end", self.name));
        let mut line = Vec::new();
        let read = self.lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|error| failure().because(&error))?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            let cause = if read as u64 == LINE_BYTES_MAX { "is longer than any recorded one" } else { "is cut off" };
            return Err(failure().cause(format!("line {number} of the recording {cause}")));
        }
        let (ms, news): (u64, News) = serde_json::from_slice(&line)
            .map_err(|error| failure().cause(format!("line {number} of the recording: {error}")))?;
        self.line = number;
        // A clock that went back, or a line that was moved by hand: order is what counts.
        self.at = self.at.max(Duration::from_millis(ms));
        if self.wall(self.at).is_none() {
            return Err(failure().cause(format!("line {number} of the recording: its time is beyond all clocks")));
        }
        Ok(Some((self.at, news)))
    }

    /// The recording machine's clock, that long after the beginning.
    pub fn wall(&self, after: Duration) -> Option<Timestamp> {
        self.head.at.checked_add(SignedDuration::try_from(after).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::{Recorder, Recording};
    use crate::tui::state::news::News;
    use crate::tui::state::testing::{event, server_time, snapshot, stats};

    fn all() -> Vec<News> {
        use tyr_api::stream::Gap;
        vec![
            News::Connecting,
            News::Snapshot { resumed: false, snapshot: Box::new(snapshot()) },
            News::Open,
            News::Event(Box::new(event(1))),
            News::Gap(Gap { missed: None, since: server_time(1) }),
            News::Stats(stats(server_time(2), 7)),
            News::Agents(snapshot().agents),
            News::Ai(snapshot().discovered_agents),
            News::Alert(Box::new(snapshot().alerts.remove(0))),
            News::Alive,
            News::Waiting { attempt: 1, delay_ms: 500, cause: "cut".to_owned() },
            News::Stopped { cause: "token expired".to_owned(), login: true },
        ]
    }

    #[test]
    fn gives_back_what_was_put_in_and_hides_it_from_others() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("x.rec");
        let mut recorder = Recorder::create(&file, u64::MAX, "prod", "https://tyr:7701").unwrap();
        for news in all() {
            recorder.push(&news).unwrap();
        }
        drop(recorder);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let mut recording = Recording::open(&file).unwrap();
        assert_eq!((recording.head.context.as_str(), recording.head.server.as_str()), ("prod", "https://tyr:7701"));
        for news in all() {
            assert_eq!(recording.read().unwrap().unwrap().1, news);
        }
        assert!(recording.read().unwrap().is_none());
        let refused = Recorder::create(&file, u64::MAX, "prod", "x").unwrap_err();
        assert!(refused.to_string().contains("not written over"), "{refused}");
    }

    #[test]
    fn ends_at_its_limit_with_whole_lines() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("x.rec");
        let mut recorder = Recorder::create(&file, 4_096, "prod", "https://tyr:7701").unwrap();
        let mut written = 0;
        let why = loop {
            match recorder.push(&News::Event(Box::new(event(written)))) {
                Ok(()) => written += 1,
                Err(why) => break why,
            }
        };
        assert!(why.contains("limit"), "{why}");
        assert!(std::fs::metadata(&file).unwrap().len() <= 4_096);
        let mut recording = Recording::open(&file).unwrap();
        let read = std::iter::from_fn(|| recording.read().unwrap()).count();
        assert_eq!(u32::try_from(read).unwrap(), written);
    }

    #[test]
    fn foreign_cut_and_broken_files_are_told_apart() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("x.rec");
        let open = |text: &[u8]| {
            std::fs::write(&file, text).unwrap();
            Recording::open(&file)
        };
        let head =
            r#"{"tyr_record":1,"at":"2026-11-28T09:00:00Z","tyrctl":"0.1.0","context":"prod","server":"https://x"}"#;
        for foreign in
            [&b""[..], b"\n", b"{}", b"{\"tyr_record\":\"1\"}\n", b"\x7fELF\x00\xff", b"[1,2]\n", &vec![b'x'; 200_000]]
        {
            let failure = open(foreign).unwrap_err().to_string();
            assert!(failure.contains("no recording"), "{failure}");
        }
        let newer = open(head.replace(":1,", ":2,").as_bytes()).unwrap_err().to_string();
        assert!(newer.contains("has format 2"), "{newer}");
        assert!(open(b"{\"tyr_record\":1}\n").unwrap_err().to_string().contains("line 1"));

        let mut cut = open(format!("{head}\n[5,\"open\"]\n[9,{{\"ev").as_bytes()).unwrap();
        assert_eq!(cut.read().unwrap(), Some((Duration::from_millis(5), News::Open)));
        let failure = cut.read().unwrap_err().to_string();
        assert!(failure.contains("line 3 of the recording is cut off"), "{failure}");
        for bad in
            ["[5]", "[-1,\"open\"]", "[5,\"opne\"]", "null", "", "[18446744073709551615,\"open\"]", "[5,\"open\",1]"]
        {
            let mut broken = open(format!("{head}\n{bad}\n").as_bytes()).unwrap();
            let failure = broken.read().unwrap_err().to_string();
            assert!(failure.contains("line 2"), "{bad}: {failure}");
        }
        // Time never runs backwards.
        let mut back = open(format!("{head}\n[9,\"open\"]\n[5,\"alive\"]\n").as_bytes()).unwrap();
        back.read().unwrap();
        assert_eq!(back.read().unwrap(), Some((Duration::from_millis(9), News::Alive)));
    }
}
