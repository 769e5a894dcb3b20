//! What the harness and `tyr-guest`, the first process of a guest, say to each other.
//!
//! The guest dials the host and waits; whoever takes the connection has one command run on it. The host sends a
//! [`Request`] as one line of JSON, and then the bytes of its standard input. The guest answers with frames: a byte that
//! says what follows, four bytes of length (little endian), the bytes. Meanwhile each byte from the host is the number of
//! a signal for the command, and the end of the connection is its end.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// Where the guest finds the host in the network that qemu makes; the host's loopback address is behind it.
pub const HOST: &str = "10.0.2.2";
/// Word of the kernel's command line with the port to dial: `tyr.port=12345`.
pub const PORT_WORD: &str = "tyr.port=";
/// Folder in the guest with kernel modules, loaded in the order of their names.
pub const MODULES: &str = "/modules";

/// One command.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Request {
    /// Program and arguments.
    pub arguments: Vec<String>,
    /// Variables beside those of the guest's first process.
    pub environment: Vec<(String, String)>,
    /// Bytes of standard input that follow; it ends after them.
    pub stdin_bytes: usize,
}

/// What the guest says of a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It runs, with this process id.
    Started(i32),
    /// Some of its standard output.
    Stdout(Vec<u8>),
    /// Some of its standard error.
    Stderr(Vec<u8>),
    /// It ended with this status as `wait(2)` gives it.
    Ended(i32),
    /// It could not be started.
    Failed(String),
}

impl Answer {
    /// Writes it as one frame.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Started(pid) => (0, &pid.to_le_bytes()),
            Self::Stdout(bytes) => (1, bytes),
            Self::Stderr(bytes) => (2, bytes),
            Self::Ended(status) => (3, &status.to_le_bytes()),
            Self::Failed(text) => (4, text.as_bytes()),
        };
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let mut frame = vec![kind];
        frame.extend(length.to_le_bytes());
        frame.extend(bytes);
        to.write_all(&frame)
    }

    /// Reads one frame.
    ///
    /// # Errors
    ///
    /// The connection ended, or what came is no frame.
    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 5];
        from.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        from.read_exact(&mut bytes)?;
        let number = |bytes: Vec<u8>| bytes.try_into().map(i32::from_le_bytes).map_err(|_| io::ErrorKind::InvalidData);
        Ok(match head[0] {
            0 => Self::Started(number(bytes)?),
            1 => Self::Stdout(bytes),
            2 => Self::Stderr(bytes),
            3 => Self::Ended(number(bytes)?),
            4 => Self::Failed(String::from_utf8_lossy(&bytes).into_owned()),
            other => return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{other} begins no frame"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn answers_survive_the_way() {
        let all = || {
            [
                Answer::Started(7),
                Answer::Stdout(b"\x00\xff\n".to_vec()),
                Answer::Stderr(Vec::new()),
                Answer::Ended(-1),
                Answer::Failed("not there".to_owned()),
            ]
        };
        let mut wire = Vec::new();
        for answer in all() {
            answer.write(&mut wire).expect("memory takes all");
        }
        let mut wire = wire.as_slice();
        for answer in all() {
            assert_eq!(Answer::read(&mut wire).expect("a frame"), answer);
        }
        assert!(Answer::read(&mut wire).is_err(), "nothing is left");
    }
}
