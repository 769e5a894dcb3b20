//! The file that a question is about. Nothing here walks a path that a process could make anybody wait on.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
use rustix::io::pread;

/// What the kernel puts behind the path of a file whose name is gone.
const DELETED: &[u8] = b" (deleted)";
/// Parts of a program that are looked through for its loader; linkers make a dozen.
const ELF_PARTS_MAX: u16 = 64;
/// PATH_MAX of include/uapi/linux/limits.h.
const PATH_BYTES_MAX: usize = 4096;

/// A file's path, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FilePath {
    /// From the root of the mount namespace by whose mount it is reached.
    Known(Vec<u8>),
    /// The same, of a file whose name seems to be gone; it may also end in these words.
    Deleted(Vec<u8>),
    /// Longer than the kernel tells, or found by a handle alone, with no name that leads there.
    Unknown,
}

/// Device and inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// Which file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: FileId,
    /// It has a name left, though perhaps another one.
    pub(super) has_name: bool,
    pub(super) is_folder: bool,
}

/// The path of an open file. `/proc` begins it at the root of `tyrd`, or, where that one can't be reached upwards, at the root of the
/// mount namespace.
pub(super) fn path_of(file: &OwnedFd, identity: &Identity) -> FilePath {
    match fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
        Ok(path) => {
            let path = path.into_os_string().into_vec();
            if path == b"/" && !identity.is_folder {
                // What can't be reached upwards is shown as a root.
                return FilePath::Unknown;
            }
            if path.ends_with(DELETED) { FilePath::Deleted(path) } else { FilePath::Known(path) }
        }
        Err(_) => FilePath::Unknown,
    }
}

/// A path without the words that say its name is gone.
pub(super) fn without_deleted(path: &[u8]) -> &[u8] {
    path.strip_suffix(DELETED).unwrap_or(path)
}

/// Which file it is.
pub(super) fn identify(file: &OwnedFd) -> Option<Identity> {
    let found = fstat(file).ok()?;
    Some(Identity {
        id: FileId { device: found.st_dev, inode: found.st_ino },
        has_name: found.st_nlink > 0,
        is_folder: FileType::from_raw_mode(found.st_mode) == FileType::Directory,
    })
}

/// Is it run by an interpreter that its first line names?
pub(super) fn is_script(file: &OwnedFd) -> bool {
    let mut begin = [0; 2];
    pread(file, &mut begin, 0) == Ok(2) && &begin == b"#!"
}

/// The loader that a program names, as its thread would find it; `None` where it has none, or where somebody would have to be asked.
pub(super) fn loader_of(file: &OwnedFd, tid: u32) -> Option<FileId> {
    let name = interpreter(|buffer, at| {
        let read = pread(file, &mut *buffer, at)?;
        if read == buffer.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    })?;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let root = openat(CWD, format!("/proc/{tid}/root"), flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
    // Only what the kernel knows by heart: a file system that is served by the process itself must not hold us.
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::CACHED;
    let found = openat2(&root, name, flags, Mode::empty(), resolve).ok()?;
    identify(&found).map(|found| found.id)
}

/// The path in a program's PT_INTERP: elf(5). `read` fills a buffer from an offset.
fn interpreter(read: impl Fn(&mut [u8], u64) -> io::Result<()>) -> Option<Vec<u8>> {
    const PT_INTERP: u32 = 3;
    let mut head = [0; 64];
    read(&mut head, 0).ok()?;
    if head[..4] != *b"\x7fELF" {
        return None;
    }
    let wide = head[4] == 2;
    let number = |bytes: &[u8], at: usize, size: usize| {
        let bytes = bytes.get(at..at + size)?;
        // All that Tyr runs on is little-endian.
        Some(bytes.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    let (table, size, count) = if wide {
        (number(&head, 32, 8)?, number(&head, 54, 2)?, number(&head, 56, 2)?)
    } else {
        (number(&head, 28, 4)?, number(&head, 42, 2)?, number(&head, 44, 2)?)
    };
    for at in 0..count.min(ELF_PARTS_MAX.into()) {
        let mut part = [0; 56];
        let part = &mut part[..if wide { 56 } else { 32 }];
        read(part, table.checked_add(at.checked_mul(size)?)?).ok()?;
        if number(part, 0, 4)? != u64::from(PT_INTERP) {
            continue;
        }
        let (offset, bytes) = if wide {
            (number(part, 8, 8)?, number(part, 32, 8)?)
        } else {
            (number(part, 4, 4)?, number(part, 16, 4)?)
        };
        let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= PATH_BYTES_MAX)?;
        let mut name = vec![0; bytes];
        read(&mut name, offset).ok()?;
        let end = name.iter().position(|byte| *byte == 0)?;
        name.truncate(end);
        return Some(name);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io;

    use proptest::prelude::{any, proptest};

    use super::{FilePath, identify, interpreter, is_script, loader_of, path_of, without_deleted};

    fn from(bytes: &[u8]) -> Option<Vec<u8>> {
        interpreter(|buffer, at| {
            let at = usize::try_from(at).map_err(io::Error::other)?;
            let end = at.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(bytes.get(at..end).ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    #[test]
    fn finds_the_loader_of_a_program() {
        let shell = File::open("/bin/sh").unwrap().into();
        let own = std::process::id();
        let loader = loader_of(&shell, own).expect("a shell is linked dynamically");
        let expected = File::open("/lib64/ld-linux-x86-64.so.2").unwrap().into();
        assert_eq!(Some(loader), identify(&expected).map(|found| found.id));
        assert_eq!(loader_of(&expected, own), None, "the loader has none");
        assert_eq!(from(b"#!/bin/sh\n"), None);
    }

    #[test]
    fn a_file_is_known_by_its_path_while_it_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let path = folder.join("script");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        let file = File::open(&path).unwrap().into();
        assert!(is_script(&file));
        let found = identify(&file).unwrap();
        assert!(found.has_name && !found.is_folder);
        assert_eq!(path_of(&file, &found), FilePath::Known(path.as_os_str().as_encoded_bytes().to_vec()));
        std::fs::remove_file(&path).unwrap();
        let found = identify(&file).unwrap();
        assert!(!found.has_name);
        let FilePath::Deleted(text) = path_of(&file, &found) else { panic!("its name is gone") };
        assert_eq!(without_deleted(&text), path.as_os_str().as_encoded_bytes());
    }

    proptest! {
        #[test]
        fn takes_any_program(mut bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            if let Some(head) = bytes.get_mut(..4) {
                head.copy_from_slice(b"\x7fELF");
            }
            from(&bytes);
        }
    }
}
