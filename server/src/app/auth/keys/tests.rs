//! Files that were there before, files that are replaced, and files that are no good.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::{KEY_FILE, KeyError, KeyFile, LOOK_EVERY, NEW_KEY_FILE};

/// Makes the next look at the file due.
fn a_second_passes(file: &KeyFile) {
    let mut seen = file.seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.looked = Instant::now().checked_sub(LOOK_EVERY).expect("the machine runs longer than that");
}

#[test]
fn a_plain_key_is_read_and_kept_as_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = b"an operator's own key, longer than 32 bytes";
    fs::write(dir.path().join(KEY_FILE), key).expect("written");
    let file = KeyFile::load_or_create(dir.path()).expect("readable");
    assert!(file.ring().previous.is_none());
    assert_eq!(fs::read(dir.path().join(KEY_FILE)).expect("there"), key);
    let again = KeyFile::load_or_create(dir.path()).expect("readable");
    assert_eq!(again.ring().current.id, file.ring().current.id, "the name follows from the key");
}

#[test]
fn a_new_key_is_private_and_in_the_plain_form() {
    let dir = tempfile::tempdir().expect("a folder");
    KeyFile::load_or_create(dir.path()).expect("a new key");
    let meta = fs::metadata(dir.path().join(KEY_FILE)).expect("there");
    assert_eq!((meta.permissions().mode() & 0o777, meta.len()), (0o600, 32));
}

#[test]
fn rotation_keeps_the_key_before_and_ending_sessions_keeps_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = KeyFile::load_or_create(dir.path()).expect("a new key");
    let first = file.ring().current.id.clone();
    let second = file.rotate(false).expect("rotated");
    assert_ne!(second.current.id, first);
    assert_eq!(second.previous.as_ref().map(|key| key.id.as_str()), Some(first.as_str()));
    let third = file.rotate(false).expect("rotated");
    assert!(third.key(&first).is_none() && third.key(&second.current.id).is_some());
    let read_again = KeyFile::load_or_create(dir.path()).expect("readable").ring();
    let ids = |ring: &super::Ring| ring.all().map(|key| key.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&read_again), ids(&third), "a restart changes nothing");
    let fourth = file.rotate(true).expect("rotated");
    assert_eq!(ids(&fourth), std::slice::from_ref(&fourth.current.id));
    let path = dir.path().join(KEY_FILE);
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert!(!dir.path().join(NEW_KEY_FILE).exists());
}

#[test]
fn another_process_s_rotation_is_heard_of() {
    let dir = tempfile::tempdir().expect("a folder");
    let one = KeyFile::load_or_create(dir.path()).expect("a new key");
    let two = KeyFile::load_or_create(dir.path()).expect("the same key");
    let ring = two.rotate(true).expect("rotated");
    a_second_passes(&one);
    assert_eq!(one.ring().current.id, ring.current.id);
    assert!(one.ring().previous.is_none());
}

#[test]
fn many_rotations_at_once_end_in_one_chain() {
    let dir = tempfile::tempdir().expect("a folder");
    let files: Vec<_> = (0..4).map(|_| Arc::new(KeyFile::load_or_create(dir.path()).expect("a key"))).collect();
    let threads: Vec<_> = files
        .iter()
        .map(|file| {
            let file = Arc::clone(file);
            std::thread::spawn(move || {
                for _ in 0..5 {
                    file.rotate(false).expect("rotated");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    let stored = KeyFile::load_or_create(dir.path()).expect("readable").ring();
    for file in &files {
        a_second_passes(file);
        assert_eq!(file.ring().current.id, stored.current.id);
        assert_eq!(file.ring().previous.as_ref().map(|key| &key.id), stored.previous.as_ref().map(|key| &key.id));
    }
}

#[test]
fn what_a_killed_process_left_is_in_nobody_s_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = KeyFile::load_or_create(dir.path()).expect("a new key");
    fs::write(dir.path().join(NEW_KEY_FILE), "half a fi").expect("written");
    let first = file.ring().current.id.clone();
    assert_eq!(KeyFile::load_or_create(dir.path()).expect("the old key").ring().current.id, first);
    file.rotate(false).expect("rotated");
}

#[test]
fn a_file_that_is_gone_or_damaged_changes_nothing_until_the_next_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = KeyFile::load_or_create(dir.path()).expect("a new key");
    let id = file.ring().current.id.clone();
    for damage in [None, Some("short"), Some("{\"tyr_session_keys\":1,\"keys\":[]}"), Some("{\"tyr_session_keys\":9")] {
        match damage {
            None => fs::remove_file(dir.path().join(KEY_FILE)).expect("removed"),
            Some(text) => fs::write(dir.path().join(KEY_FILE), text).expect("written"),
        }
        a_second_passes(&file);
        assert_eq!(file.ring().current.id, id, "{damage:?}");
    }
    assert!(matches!(KeyFile::load_or_create(dir.path()), Err(KeyError::Damaged { .. })));
    fs::remove_file(dir.path().join(KEY_FILE)).expect("removed");
    assert_ne!(KeyFile::load_or_create(dir.path()).expect("a new key").ring().current.id, id, "as documented");
}

#[test]
fn refuses_short_keys_and_huge_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(KEY_FILE);
    fs::write(&path, "short").expect("written");
    assert!(matches!(KeyFile::load_or_create(dir.path()), Err(KeyError::Short { bytes: 5, .. })));
    fs::write(&path, r#"{"tyr_session_keys":1,"keys":[{"key":"c2hvcnQ=","made_at":null}]}"#).expect("written");
    assert!(matches!(KeyFile::load_or_create(dir.path()), Err(KeyError::Short { bytes: 5, .. })));
    fs::write(&path, vec![b'a'; 70_000]).expect("written");
    assert!(matches!(KeyFile::load_or_create(dir.path()), Err(KeyError::Damaged { .. })));
}
