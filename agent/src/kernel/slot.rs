//! The map that holds one policy: made, filled and read back by hand.
//!
//! The map library hands values over on the stack, which two megabytes are too much for, and reads an inner map back by its id, which
//! needs `CAP_SYS_ADMIN`; a descriptor that is kept needs nothing.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use aya::maps::MapData;

use super::abi::PolicyTables;

/// Commands of include/uapi/linux/bpf.h.
const BPF_MAP_CREATE: libc::c_int = 0;
const BPF_MAP_LOOKUP_ELEM: libc::c_int = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_int = 2;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_int = 15;
/// The same.
const BPF_MAP_TYPE_ARRAY: u32 = 2;

/// First members of `union bpf_attr` for a new map.
#[repr(C)]
struct Create {
    kind: u32,
    key_bytes: u32,
    value_bytes: u32,
    entries: u32,
    flags: u32,
}

/// For an element.
#[repr(C)]
struct Element {
    map: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// For what is known of a map.
#[repr(C)]
struct GetInfo {
    fd: u32,
    info_bytes: u32,
    info: u64,
}

/// First members of `struct bpf_map_info`.
#[repr(C)]
#[derive(Default)]
struct Info {
    kind: u32,
    id: u32,
}

/// A map of one element: a policy.
#[derive(Debug)]
pub(super) struct Slot(OwnedFd);

impl Slot {
    /// A new map with these tables.
    pub(super) fn new(tables: &PolicyTables) -> io::Result<Self> {
        let create = Create {
            kind: BPF_MAP_TYPE_ARRAY,
            key_bytes: 4,
            value_bytes: u32::try_from(size_of::<PolicyTables>()).expect("far below 2^32"),
            entries: 1,
            flags: 0,
        };
        // SAFETY: the attributes are those of this command.
        let raw = unsafe { bpf(BPF_MAP_CREATE, &create) }?;
        // SAFETY: the call has just made it, for nobody else.
        let slot = Self(unsafe { OwnedFd::from_raw_fd(raw) });
        let key = 0_u32;
        let element = element(slot.0.as_fd(), &key, std::ptr::from_ref(tables) as u64);
        // SAFETY: key and tables live until the call returns, and the tables are as large as the map says.
        unsafe { bpf(BPF_MAP_UPDATE_ELEM, &element) }?;
        Ok(slot)
    }

    /// As the map library has maps.
    pub(super) fn map_data(&self) -> io::Result<MapData> {
        MapData::from_fd(self.0.try_clone()?).map_err(io::Error::other)
    }

    /// What the map holds.
    pub(super) fn read(&self) -> io::Result<Box<PolicyTables>> {
        // SAFETY: integers alone (Pod), for which zeros are a value.
        let mut tables: Box<PolicyTables> = unsafe { Box::new_zeroed().assume_init() };
        // SAFETY: the same, so any bytes are a value; the slice ends with the call.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(std::ptr::from_mut(&mut *tables).cast::<u8>(), size_of::<PolicyTables>())
        };
        look_up(self.0.as_fd(), bytes)?;
        Ok(tables)
    }

    /// Is it this map that a map of maps names?
    pub(super) fn is_in(&self, slots: BorrowedFd<'_>) -> io::Result<bool> {
        let mut id = [0; 4];
        look_up(slots, &mut id)?;
        let mut info = Info::default();
        let get = GetInfo {
            fd: number(self.0.as_fd()),
            info_bytes: u32::try_from(size_of::<Info>()).expect("a few bytes"),
            info: std::ptr::from_mut(&mut info) as u64,
        };
        // SAFETY: the info lives until the call returns, and is as large as told.
        unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &get) }?;
        Ok(u32::from_ne_bytes(id) == info.id)
    }
}

/// Reads element 0; `value` has the size of the map's values.
fn look_up(map: BorrowedFd<'_>, value: &mut [u8]) -> io::Result<()> {
    let key = 0_u32;
    let element = element(map, &key, value.as_mut_ptr() as u64);
    // SAFETY: key and value live until the call returns, and are as large as the map says.
    unsafe { bpf(BPF_MAP_LOOKUP_ELEM, &element) }.map(|_| ())
}

fn element(map: BorrowedFd<'_>, key: &u32, value: u64) -> Element {
    Element { map: number(map), _pad: 0, key: std::ptr::from_ref(key) as u64, value, flags: 0 }
}

fn number(fd: BorrowedFd<'_>) -> u32 {
    u32::try_from(fd.as_raw_fd()).expect("an open descriptor is not negative")
}

/// bpf(2).
///
/// # Safety
/// `attributes` must be those of the command, and what they point to must be valid for it.
unsafe fn bpf<T>(command: libc::c_int, attributes: &T) -> io::Result<i32> {
    // SAFETY: as the caller says; the attributes live until the call returns.
    let done = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), size_of::<T>()) };
    if done < 0 { Err(io::Error::last_os_error()) } else { i32::try_from(done).map_err(io::Error::other) }
}
