//! A governed program whose every action is known: the test compares what Tyr reports with this list.
//!
//! `tyr-workload FOLDER ADDRESS REFUSED`: reads `FOLDER/read.txt`, writes `FOLDER/written.txt`, reads the file whose name
//! is no text, runs `/bin/true`, connects to ADDRESS (which must work) and to REFUSED (which must give EPERM).

use std::ffi::OsStr;
use std::fs;
use std::io::{Error, ErrorKind};
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or_else(|| Error::from(ErrorKind::InvalidInput));
    let (folder, address, refused) = (PathBuf::from(next()?), next()?, next()?);
    fs::read(folder.join("read.txt"))?;
    fs::write(folder.join("written.txt"), "by a governed process")?;
    fs::read(folder.join(OsStr::from_bytes(b"line\nbreak \x1b[2J \xff.txt")))?;
    Command::new("/bin/true").status()?;
    TcpStream::connect(&address)?;
    match TcpStream::connect(&refused) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        other => Err(Error::other(format!("{refused} was to be refused with EPERM, but: {other:?}"))),
    }
}
