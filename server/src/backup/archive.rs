//! The tar file: small entries written whole, the dump as it comes, its length written afterwards.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use tar::{EntryType, Header};

/// Name of the entry that says what the archive is; the first.
pub(super) const MANIFEST: &str = "manifest.json";
/// Name of the database's entry; the last.
pub(super) const DUMP: &str = "database.dump";
const BLOCK_BYTES: usize = 512;

/// An archive that is being written, readable by its owner alone.
pub(super) struct Writer(File);

impl Writer {
    /// A new file; one that a broken backup left behind is replaced.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(Self)
    }

    /// A whole entry.
    pub(super) fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(header(name, bytes.len() as u64)?.as_bytes())?;
        self.0.write_all(bytes)?;
        self.pad(bytes.len() as u64)
    }

    /// An entry of unknown length; says how long it was. `each` hears of every piece.
    pub(super) fn append_stream(
        &mut self,
        name: &str,
        from: &mut impl Read,
        mut each: impl FnMut(u64),
    ) -> io::Result<u64> {
        let begin = self.0.stream_position()?;
        self.0.write_all(header(name, 0)?.as_bytes())?;
        let mut buffer = vec![0; 256 * 1024];
        let mut length = 0;
        loop {
            let count = from.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            self.0.write_all(&buffer[..count])?;
            length += count as u64;
            each(length);
        }
        self.pad(length)?;
        let end = self.0.stream_position()?;
        self.0.seek(SeekFrom::Start(begin))?;
        self.0.write_all(header(name, length)?.as_bytes())?;
        self.0.seek(SeekFrom::Start(end))?;
        Ok(length)
    }

    /// Ends it, on disk when this returns; says how long it is.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.0.write_all(&[0; 2 * BLOCK_BYTES])?;
        self.0.sync_all()?;
        self.0.stream_position()
    }

    fn pad(&mut self, length: u64) -> io::Result<()> {
        let over = usize::try_from(length % BLOCK_BYTES as u64).expect("less than a block");
        if over > 0 { self.0.write_all(&[0; BLOCK_BYTES][over..]) } else { Ok(()) }
    }
}

fn header(name: &str, length: u64) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(Timestamp::now().as_second()).unwrap_or_default());
    header.set_size(length);
    header.set_cksum();
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_by_any_tar() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("x.tar");
        let mut writer = Writer::create(&path).expect("made");
        writer.append("a", b"alpha").expect("written");
        let long = vec![7_u8; 300_000];
        assert_eq!(writer.append_stream("b", &mut long.as_slice(), |_| {}).expect("written"), 300_000);
        writer.append("c", &[1; BLOCK_BYTES]).expect("written");
        writer.finish().expect("ended");
        let mut archive = tar::Archive::new(File::open(&path).expect("there"));
        let mut seen = Vec::new();
        for entry in archive.entries().expect("entries") {
            let mut entry = entry.expect("an entry");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("read");
            seen.push((entry.path().expect("a name").display().to_string(), bytes));
        }
        assert_eq!(seen, [("a".to_owned(), b"alpha".to_vec()), ("b".to_owned(), long), ("c".to_owned(), vec![1; 512])]);
    }
}
