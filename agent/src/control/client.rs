//! The asking side: a plain blocking socket, so that `tyrd run` has one thread when it becomes the command.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{Answer, Question, SOCKET};
use crate::fault::Fault;

/// Longest that the running `tyrd` may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks the `tyrd` that works in this data folder.
///
/// # Errors
///
/// It is not running, may not be asked, or answered nothing that makes sense.
pub fn ask(data_dir: &Path, question: &Question) -> Result<Answer, Fault> {
    let path = data_dir.join(SOCKET);
    let answer = exchange(&path, question).map_err(|error| {
        let fault = Fault::new(format!("the running tyrd can't be asked at `{}`", path.display())).because(&error);
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                fault.hint("start it first: `systemctl start tyr-agent`, or `tyrd serve`; see `data_dir`")
            }
            io::ErrorKind::PermissionDenied => fault.hint("run it as root"),
            _ => fault.hint("see the log of tyrd"),
        }
    })?;
    match answer {
        Answer::Failed { reason, hint } => Err(Fault::new(reason).hint(hint)),
        answer => Ok(answer),
    }
}

fn exchange(path: &Path, question: &Question) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut text = serde_json::to_vec(question)?;
    text.push(b'\n');
    stream.write_all(&text)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    Ok(serde_json::from_str(&line)?)
}
