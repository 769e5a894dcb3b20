use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::task::spawn_blocking;

use super::{Answer, Control, Host, Question, SOCKET, client};
use crate::status::Status;
use crate::status::tests::status;

#[derive(Default)]
struct FakeHost(Mutex<Vec<(u32, String)>>);

impl Host for FakeHost {
    fn status(&self) -> Status {
        status()
    }

    fn govern(&self, pid: u32, agent_type: &str) -> Result<(), (String, String)> {
        if agent_type == "full" {
            return Err(("one type too many".to_owned(), "use fewer".to_owned()));
        }
        self.0.lock().unwrap().push((pid, agent_type.to_owned()));
        Ok(())
    }
}

/// Asks a socket that is served while `ask` runs.
async fn with_socket<T: Send + 'static>(
    host: Arc<FakeHost>,
    ask: impl FnOnce(&Path) -> T + Send + 'static,
) -> (T, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(SOCKET), "left by a killed one").unwrap();
    let control = Control::open(&dir.path().join(SOCKET)).unwrap();
    let path = dir.path().to_owned();
    let asked = spawn_blocking(move || ask(&path));
    let asked = tokio::select! {
        () = control.serve(host) => unreachable!("serves for ever"),
        asked = asked => asked.unwrap(),
    };
    drop(control);
    (asked, dir)
}

#[tokio::test]
async fn tells_how_it_stands() {
    let (answer, dir) = with_socket(Arc::default(), |dir| {
        let mode = fs::metadata(dir.join(SOCKET)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        client::ask(dir, &Question::Status).unwrap()
    })
    .await;
    assert!(matches!(answer, Answer::Status(answer) if *answer == status()));
    assert!(!dir.path().join(SOCKET).exists(), "gone with its owner");
}

#[tokio::test]
async fn governs_the_process_that_asks_and_no_other() {
    let host = Arc::<FakeHost>::default();
    let question = Question::Govern { agent_type: "codex".to_owned() };
    let (answer, _dir) = with_socket(Arc::clone(&host), move |dir| client::ask(dir, &question).unwrap()).await;
    assert!(matches!(answer, Answer::Governed));
    assert_eq!(*host.0.lock().unwrap(), [(std::process::id(), "codex".to_owned())]);
}

#[tokio::test]
async fn says_why_something_could_not_be_done() {
    let question = Question::Govern { agent_type: "full".to_owned() };
    let (fault, _dir) = with_socket(Arc::default(), move |dir| client::ask(dir, &question).unwrap_err()).await;
    assert_eq!(fault.to_string(), "error: one type too many\nhint: use fewer");
}

#[tokio::test]
async fn an_endless_question_is_cut_off() {
    let (answer, _dir) = with_socket(Arc::default(), |dir| {
        let mut stream = UnixStream::connect(dir.join(SOCKET)).unwrap();
        stream.write_all(&[b'x'; 4096]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    })
    .await;
    assert!(answer.contains("the question was not understood"), "{answer}");
}

#[test]
fn without_a_running_tyrd_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let text = client::ask(dir.path(), &Question::Status).unwrap_err().to_string();
    assert!(text.contains("hint: start it first"), "{text}");
}
