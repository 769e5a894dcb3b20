//! Who is governed: marks at exec, on to children, and nobody else.

use super::ground::ground;
use tyr_agent::decode::{FoundBy, What};

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_process_and_its_descendants_report_from_start_to_end() {
    let mut ground = ground!();
    let tree = ground.run_governed("(setsid sh -c '/bin/true; /bin/echo deep > /dev/null' &) ; wait");
    let events = ground.until_end(tree).await;
    assert!(
        matches!(events[0].what, What::TreeStarted { found_by: FoundBy::Run, .. }),
        "the tree begins first: {:?}",
        events[0]
    );
    let execs: Vec<_> = events.iter().filter(|e| e.what == What::Exec).collect();
    assert!(execs.iter().any(|e| e.process.program.exe.ends_with(b"/true")), "{execs:#?}");
    let echo = execs.iter().find(|e| e.process.program.exe.ends_with(b"/echo")).expect("a double fork is followed");
    assert_eq!(echo.process.program.command_line(), b"/bin/echo deep");
    assert_eq!(&*echo.process.agent_type, "test-agent");
    assert_eq!(ground.kernel.losses(), []);
}
