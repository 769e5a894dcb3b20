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

    /// As the kernel programs wrote it.
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Exec { record, path, args, filename } => [bytes_of(record), path, args, filename].concat(),
            Self::Exit { head } => bytes_of(head).to_vec(),
            Self::Open { record, path } => [bytes_of(record), path].concat(),
            Self::Connect { record } => bytes_of(record).to_vec(),
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

/// What fuzzing does with bytes: whatever they are, nothing panics; and a good record made of them is read as what it is.
///
/// # Panics
/// Where that does not hold.
pub fn read_any(bytes: &[u8]) {
    if let Some(record) = Record::parse(bytes) {
        assert!(bytes.starts_with(&record.bytes()), "{record:?}");
    }
    for kind in [abi::KIND_EXEC, abi::KIND_EXIT, abi::KIND_OPEN, abi::KIND_CONNECT, abi::KIND_RUN] {
        let good = good_record(kind, bytes);
        let record = Record::parse(&good).expect("its lengths are those of its parts");
        assert_eq!((record.head().kind, record.bytes()), (kind, good));
    }
}

/// A record of a kind whose fixed part begins with these bytes, and whose parts are made of the rest.
fn good_record(kind: u8, bytes: &[u8]) -> Vec<u8> {
    fn front<T: aya::Pod>(bytes: &[u8]) -> (T, &[u8]) {
        let mut whole = bytes.to_vec();
        whole.resize(bytes.len().max(size_of::<T>()), 0);
        let (front, _) = take(&whole).expect("as many bytes as it has");
        (front, bytes.get(size_of::<T>()..).unwrap_or_default())
    }
    let length = |part: &[u8]| u32::try_from(part.len()).expect("inputs are short");
    match kind {
        abi::KIND_EXEC => {
            let (mut record, tail) = front::<ExecRecord>(bytes);
            record.head.kind = kind;
            let (path, rest) = tail.split_at(tail.len() / 2);
            let (args, filename) = rest.split_at(rest.len() / 2);
            (record.path_bytes, record.args_bytes, record.filename_bytes) =
                (length(path), length(args), length(filename));
            [bytes_of(&record), tail].concat()
        }
        abi::KIND_OPEN | abi::KIND_RUN => {
            let (mut record, tail) = front::<OpenRecord>(bytes);
            record.head.kind = kind;
            record.path_bytes = length(tail);
            [bytes_of(&record), tail].concat()
        }
        abi::KIND_CONNECT => {
            let (mut record, _) = front::<ConnectRecord>(bytes);
            record.head.kind = kind;
            bytes_of(&record).to_vec()
        }
        _ => {
            let (mut head, _) = front::<RecordHead>(bytes);
            head.kind = kind;
            bytes_of(&head).to_vec()
        }
    }
}

fn bytes_of<T: aya::Pod>(value: &T) -> &[u8] {
    // SAFETY: as many bytes as the value has, without padding (Pod), for as long as it is borrowed.
    unsafe { std::slice::from_raw_parts(ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// The value at the front, and what is behind it.
fn take<T: aya::Pod>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (front, tail) = bytes.split_at_checked(size_of::<T>())?;
    // SAFETY: as many bytes as `T` has, and any bytes make a `T` (Pod); alignment is not asked for.
    Some((unsafe { ptr::read_unaligned(front.as_ptr().cast()) }, tail))
}

#[cfg(test)]
mod tests {
    use super::{Record, read_any};
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn takes_any_bytes(mut bytes in any::<Vec<u8>>(), kind in 0_u8..7) {
            if let Some(at) = bytes.get_mut(42) {
                *at = kind;
            }
            Record::parse(&bytes);
            read_any(&bytes);
        }
    }
}
