//! The tables in force, read back from the kernel, as a digest: what was written there is what is judged by.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use sha2::{Digest, Sha256};

use super::abi::PolicyTables;

/// include/uapi/linux/bpf.h.
const BPF_MAP_LOOKUP_ELEM: libc::c_int = 1;
/// The same.
const BPF_MAP_GET_FD_BY_ID: libc::c_int = 14;

/// First members of `union bpf_attr` for a look-up.
#[repr(C)]
struct LookUp {
    map: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// The same for a descriptor by id.
#[repr(C)]
struct ById {
    id: u32,
    next_id: u32,
    open_flags: u32,
}

/// SHA-256 of tables, in hex.
pub(super) fn of(tables: &PolicyTables) -> String {
    // SAFETY: integers alone and no padding (Pod), so all bytes are set.
    let bytes =
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(tables).cast::<u8>(), size_of::<PolicyTables>()) };
    hex::encode(Sha256::digest(bytes))
}

/// The same of what is in the one slot of a map of maps.
///
/// By hand, as the map library hands values of two megabytes over on the stack.
pub(super) fn in_force(slots: BorrowedFd<'_>) -> io::Result<String> {
    let mut id = [0; 4];
    look_up(slots, &mut id)?;
    let by_id = ById { id: u32::from_ne_bytes(id), next_id: 0, open_flags: 0 };
    // SAFETY: the attributes are those of this command, and live until the call returns.
    let raw = unsafe { libc::syscall(libc::SYS_bpf, BPF_MAP_GET_FD_BY_ID, &raw const by_id, size_of::<ById>()) };
    let raw = i32::try_from(raw).map_err(io::Error::other)?;
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made it, for nobody else.
    let tables = unsafe { OwnedFd::from_raw_fd(raw) };
    let mut bytes = vec![0; size_of::<PolicyTables>()];
    look_up(tables.as_fd(), &mut bytes)?;
    Ok(hex::encode(Sha256::digest(&bytes)))
}

/// Reads element 0; `value` has the size of the map's values.
fn look_up(map: BorrowedFd<'_>, value: &mut [u8]) -> io::Result<()> {
    let key = 0_u32;
    let attributes = LookUp {
        map: u32::try_from(map.as_raw_fd()).map_err(io::Error::other)?,
        _pad: 0,
        key: std::ptr::from_ref(&key) as u64,
        value: value.as_mut_ptr() as u64,
        flags: 0,
    };
    // SAFETY: key and value live until the call returns, and are as large as the map says.
    let done = unsafe { libc::syscall(libc::SYS_bpf, BPF_MAP_LOOKUP_ELEM, &raw const attributes, size_of::<LookUp>()) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
