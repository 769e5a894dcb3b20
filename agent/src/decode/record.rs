//! The bytes of one record of a ring, checked and cut into their parts.

use std::ptr;

use crate::kernel::abi::{self, ConnectRecord, ExecRecord, OpenRecord, RecordHead};

/// A record, with what follows its fixed part.
#[derive(Debug)]
pub(crate) enum Record {
    Exec { record: ExecRecord, path: Vec<u8>, args: Vec<u8>, filename: Vec<u8> },
    Exit { head: RecordHead },
    Open { record: OpenRecord, path: Vec<u8> },
    Connect { record: ConnectRecord },
}

impl Record {
    /// Cuts a record; `None` when it is none that this agent knows.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, _) = take::<RecordHead>(bytes)?;
        match head.kind {
            abi::KIND_EXEC => {
                let (record, tail) = take::<ExecRecord>(bytes)?;
                let (path, tail) = tail.split_at_checked(record.path_bytes as usize)?;
                let (args, tail) = tail.split_at_checked(record.args_bytes as usize)?;
                let (filename, _) = tail.split_at_checked(record.filename_bytes as usize)?;
                Some(Self::Exec { record, path: path.into(), args: args.into(), filename: filename.into() })
            }
            abi::KIND_EXIT => Some(Self::Exit { head }),
            abi::KIND_OPEN | abi::KIND_RUN => {
                let (record, tail) = take::<OpenRecord>(bytes)?;
                let (path, _) = tail.split_at_checked(record.path_bytes as usize)?;
                Some(Self::Open { record, path: path.into() })
            }
            abi::KIND_CONNECT => Some(Self::Connect { record: take::<ConnectRecord>(bytes)?.0 }),
            _ => None,
        }
    }

    pub(crate) fn head(&self) -> &RecordHead {
        match self {
            Self::Exec { record, .. } => &record.head,
            Self::Exit { head } => head,
            Self::Open { record, .. } => &record.head,
            Self::Connect { record } => &record.head,
        }
    }
}

/// The value at the front, and what is behind it.
fn take<T: aya::Pod>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (front, tail) = bytes.split_at_checked(size_of::<T>())?;
    // SAFETY: as many bytes as `T` has, and any bytes make a `T` (Pod); alignment is not asked for.
    Some((unsafe { ptr::read_unaligned(front.as_ptr().cast()) }, tail))
}

#[cfg(test)]
mod tests {
    use super::Record;
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn takes_any_bytes(mut bytes in any::<Vec<u8>>(), kind in 0_u8..7) {
            if let Some(at) = bytes.get_mut(42) {
                *at = kind;
            }
            Record::parse(&bytes);
        }
    }
}
