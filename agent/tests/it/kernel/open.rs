//! Opens: the real path, as readlink has it, and what counts.

use std::os::unix::ffi::OsStrExt;

use super::ground::{ground, opens};

#[tokio::test(flavor = "multi_thread")]
async fn reports_reads_writes_and_failures_of_a_governed_tree() {
    let mut ground = ground!();
    let folder = ground.folder.path().canonicalize().expect("it exists");
    std::fs::write(folder.join("in"), "x").expect("writable");
    std::os::unix::fs::symlink("in", folder.join("link")).expect("writable");
    let tree =
        ground.run_governed(&format!("cd {} && cat link > out && cat missing 2>/dev/null; true", folder.display()));
    let events = ground.until_end(tree).await;
    let opens = opens(&events);
    let find = |name: &str| {
        let path = folder.join(name);
        opens.iter().find(|o| o.path == path.as_os_str().as_bytes()).copied()
    };
    let read = find("in").expect("the symlink's target was read");
    assert!(read.read && !read.write && read.errno == 0);
    let written = find("out").expect("a file was written");
    assert!(written.write && !written.read);
    let tried = opens.iter().find(|o| o.path == b"missing").expect("a failed open is reported as tried");
    assert_eq!(i32::from(tried.errno), libc::ENOENT);
    assert!(find("link").is_none(), "the path is the real one");
}
