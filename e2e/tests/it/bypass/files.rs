//! Ways to a file or a program that a rule denies: other calls, other names, other mounts.
//!
//! Each attempt has a folder of its own, made by `tyr-attacker prepare`: rules protect what is in its `vault`.

use super::{Attempt, Expected, GOVERNED, UNGOVERNED};

/// Reading, writing and running are denied each by a rule of its own, so that each is tried alone.
pub(crate) const POLICY: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: bypass-files
spec:
  rules:
    - name: no-reading
      action: file_read
      resource_pattern: /data/*/vault/secret*
      verdict: deny
      severity: high
    - name: no-writing
      action: file_write
      resource_pattern: '/data/*/vault{,/**}'
      verdict: deny
      severity: high
    - name: no-running
      action: exec
      resource_pattern: /data/*/vault/tool*
      verdict: deny
      severity: high
";

const MOUNTS: &str = "Another mount of a denied file";
const DESCRIPTORS: &str = "What is open already, or received as a descriptor";
const COPIES: &str = "Copies of a denied program";

/// Classes and what becomes of them.
const CLASSES: [(&str, Expected); 78] = [
    ("read_open", Expected::Denied),
    ("read_and_write_open", Expected::Denied),
    ("read_open_call", Expected::Denied),
    ("read_openat", Expected::Denied),
    ("read_openat2", Expected::Denied),
    ("read_by_handle", Expected::Denied),
    ("read_uring_openat", Expected::Denied),
    ("read_uring_openat_worker", Expected::Denied),
    ("read_uring_openat_polled", Expected::Denied),
    ("read_uring_openat2", Expected::Denied),
    ("read_symlink", Expected::Denied),
    ("read_relative_symlink", Expected::Denied),
    ("read_folder_symlink", Expected::Denied),
    ("read_dots", Expected::Denied),
    ("read_proc_root", Expected::Denied),
    ("read_proc_cwd", Expected::Denied),
    ("read_path_descriptor", Expected::Denied),
    ("read_chroot", Expected::Denied),
    ("read_child", Expected::Denied),
    ("read_by_set_uid_program", Expected::Denied),
    ("read_mount_namespace", Expected::Denied),
    ("read_hard_link", Expected::Denied),
    ("read_renamed", Expected::Denied),
    ("read_renamed_folder", Expected::Denied),
    ("read_renamed_ancestor", Expected::Passes("Renaming a folder that holds denied names deeper inside")),
    ("read_exchanged", Expected::Denied),
    ("read_linked_before", Expected::Passes("Hard links that exist already")),
    ("read_linked_by_handle", Expected::Passes("Hard links that exist already")),
    ("read_bind_mount", Expected::Passes(MOUNTS)),
    ("read_overlay", Expected::Passes(MOUNTS)),
    ("read_cloned_tree", Expected::Passes(MOUNTS)),
    ("read_descriptor_from_parent", Expected::Passes(DESCRIPTORS)),
    ("write_open", Expected::Denied),
    ("write_append", Expected::Denied),
    ("write_truncating_open", Expected::Denied),
    ("write_reading_truncating_open", Expected::Denied),
    ("write_creat", Expected::Denied),
    ("write_new_file", Expected::Denied),
    ("write_unnamed_file", Expected::Denied),
    ("write_truncate", Expected::Denied),
    ("write_unlink", Expected::Denied),
    ("write_rename_out", Expected::Denied),
    ("write_rename_over", Expected::Denied),
    ("write_rename_folder", Expected::Denied),
    ("write_exchange", Expected::Denied),
    ("write_link_out", Expected::Denied),
    ("write_link_in", Expected::Denied),
    ("write_symlink", Expected::Denied),
    ("write_mkdir", Expected::Denied),
    ("write_rmdir", Expected::Denied),
    ("write_fifo", Expected::Denied),
    ("write_socket", Expected::Denied),
    ("write_chmod", Expected::Denied),
    ("write_fchmod", Expected::Denied),
    ("write_chown", Expected::Denied),
    ("write_xattr", Expected::Denied),
    ("write_remove_xattr", Expected::Passes("removing them is not judged")),
    ("write_times", Expected::Passes("Times of files (`utimes`)")),
    ("write_uring_unlink", Expected::Denied),
    ("write_uring_unlink_polled", Expected::Denied),
    ("write_uring_rename", Expected::Denied),
    ("write_uring_link", Expected::Denied),
    ("write_uring_symlink", Expected::Denied),
    ("write_uring_mkdir", Expected::Denied),
    ("exec", Expected::Denied),
    ("exec_other_name", Expected::Denied),
    ("exec_script", Expected::Denied),
    ("exec_as_interpreter", Expected::Denied),
    ("exec_symlink", Expected::Denied),
    ("exec_hard_link", Expected::Denied),
    ("exec_descriptor", Expected::Denied),
    ("exec_proc_descriptor", Expected::Denied),
    ("exec_by_loader", Expected::Denied),
    ("exec_map", Expected::Denied),
    ("exec_chroot", Expected::Denied),
    ("exec_copy", Expected::Passes(COPIES)),
    ("exec_memory", Expected::Passes(COPIES)),
    ("exec_read_by_shell", Expected::Passes(COPIES)),
];

/// Each class in a folder of its own; `{who}` in a line stands for who tries.
pub(crate) fn attempts() -> Vec<Attempt> {
    let classes = CLASSES.iter().enumerate();
    classes.map(|(n, (class, expected))| Attempt { line: format!("{class} {{who}}{n}"), expected: *expected }).collect()
}

/// At the end of a path longer than 4,096 bytes, which `prepare_deep` made.
pub(crate) fn deep() -> Attempt {
    Attempt { line: "read_deep {who}-deep".to_owned(), expected: Expected::Denied }
}

/// On a file system that finds files without their names.
pub(crate) fn on_disk() -> Attempt {
    Attempt { line: "read_by_cold_handle /data/disk".to_owned(), expected: Expected::Denied }
}

/// What makes the folders of both.
pub(crate) fn preparation() -> String {
    let lines =
        [GOVERNED, UNGOVERNED].iter().flat_map(|who| (0..CLASSES.len()).map(move |n| format!("prepare {who}{n}")));
    let deep = [GOVERNED, UNGOVERNED].map(|who| format!("prepare_deep {who}-deep"));
    lines.chain(deep).collect::<Vec<_>>().join("\n")
}
