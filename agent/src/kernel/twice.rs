//! Opens that fanotify judged are observed a second time when their call ends: told once.
//!
//! A judgement is told before it is answered, and the record of the call is made after that, by the same thread, which does
//! nothing in between. So the record that follows a judgement in time is that of the same open, unless it was lost.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::abi::{OpenRecord, RECORD_JUDGED, RECORD_TRIED, VERDICT_DENY};
use super::register::boot_ns;
use crate::decode::Record;

/// How long the end of a call is waited for.
const KEPT: Duration = Duration::from_secs(10);

/// Judgements whose calls have not ended yet, by thread.
#[derive(Debug, Default)]
pub(super) struct Twice(HashMap<u32, VecDeque<Judged>>);

#[derive(Debug)]
struct Judged {
    boot_ns: u64,
    denied: bool,
    inode: u64,
}

impl Twice {
    /// This was judged, and is going to be observed.
    pub(super) fn expect(&mut self, record: &OpenRecord) {
        let head = &record.head;
        let judged = Judged { boot_ns: head.boot_ns, denied: head.verdict == VERDICT_DENY, inode: record.merge.inode };
        self.0.entry(head.tid).or_default().push_back(judged);
    }

    /// Is this what was told already? Asked of records in order of time.
    pub(super) fn was_told(&mut self, record: &Record) -> bool {
        let Record::Open { record, .. } = record else { return false };
        let head = &record.head;
        if head.flags & RECORD_JUDGED != 0 {
            return false;
        }
        let Some(of_thread) = self.0.get_mut(&head.tid) else { return false };
        let mut last = None;
        while of_thread.front().is_some_and(|judged| judged.boot_ns <= head.boot_ns) {
            last = of_thread.pop_front();
        }
        if of_thread.is_empty() {
            self.0.remove(&head.tid);
        }
        let failed = head.flags & RECORD_TRIED != 0;
        last.is_some_and(|judged| {
            if judged.denied {
                failed && i32::from(record.errnum) == libc::EPERM
            } else {
                !failed && judged.inode == record.merge.inode
            }
        })
    }

    /// Forgets those whose records don't come any more.
    pub(super) fn forget(&mut self) {
        let since = boot_ns().saturating_sub(u64::try_from(KEPT.as_nanos()).expect("seconds"));
        self.0.retain(|_, of_thread| of_thread.back().is_some_and(|last| last.boot_ns >= since));
    }
}

#[cfg(test)]
mod tests {
    use super::Twice;
    use crate::decode::Record;
    use crate::kernel::abi::{KIND_OPEN, OpenRecord, RECORD_TRIED, VERDICT_ALERT, VERDICT_DENY};

    fn open(tid: u32, boot_ns: u64, inode: u64) -> OpenRecord {
        // SAFETY: integers alone (Pod), for which zeros are a value.
        let mut record: OpenRecord = unsafe { std::mem::zeroed() };
        (record.head.kind, record.head.tid, record.head.boot_ns) = (KIND_OPEN, tid, boot_ns);
        record.merge.inode = inode;
        record
    }

    fn judged(tid: u32, boot_ns: u64, verdict: u8) -> OpenRecord {
        let mut record = open(tid, boot_ns, 5);
        record.head.verdict = verdict;
        record
    }

    fn ended(tid: u32, boot_ns: u64, errno: i32) -> Record {
        let mut record = open(tid, boot_ns, if errno == 0 { 5 } else { 0 });
        record.head.flags = if errno == 0 { 0 } else { RECORD_TRIED };
        record.errnum = u16::try_from(errno).expect("small");
        Record::Open { record, path: Vec::new() }
    }

    #[test]
    fn the_end_of_a_denied_call_is_not_told_again() {
        let mut twice = Twice::default();
        twice.expect(&judged(7, 10, VERDICT_DENY));
        assert!(!twice.was_told(&ended(7, 9, libc::EPERM)), "from before");
        assert!(!twice.was_told(&ended(8, 11, libc::EPERM)), "another thread's");
        assert!(twice.was_told(&ended(7, 12, libc::EPERM)));
        assert!(!twice.was_told(&ended(7, 13, libc::EPERM)), "denied by somebody else");
    }

    #[test]
    fn each_of_many_has_its_own() {
        let mut twice = Twice::default();
        for at in [10, 20, 30] {
            twice.expect(&judged(7, at, VERDICT_DENY));
        }
        assert!(twice.was_told(&ended(7, 11, libc::EPERM)));
        // The record of the second was lost.
        assert!(twice.was_told(&ended(7, 31, libc::EPERM)));
        assert!(!twice.was_told(&ended(7, 32, libc::EPERM)));
    }

    #[test]
    fn what_ended_otherwise_is_told() {
        let mut twice = Twice::default();
        twice.expect(&judged(7, 1, VERDICT_DENY));
        assert!(!twice.was_told(&ended(7, 2, libc::ENOENT)));
        twice.expect(&judged(7, 3, VERDICT_ALERT));
        assert!(twice.was_told(&ended(7, 4, 0)));
        twice.expect(&judged(7, 5, VERDICT_ALERT));
        assert!(!twice.was_told(&ended(7, 6, libc::EMFILE)));
    }
}
