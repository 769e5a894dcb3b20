//! Renewal of certificates over the stream, with lives of seconds.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tonic::Code;
use tyr_proto::v1::agent_message::Payload as FromAgent;
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_proto::v1::{Certificate, CertificateRequest};
use tyr_server::config::Certificates;

use super::{Agent, Door, Enrolled};
use crate::stack::{Stack, batch, event};

/// Certificates that live so long; their ends are whole seconds.
async fn door(life: Duration, grace: Duration) -> Door {
    Door::of(Stack::with(|config| config.certificates = Certificates { life, grace }).await).await
}

fn request() -> (Arc<KeyPair>, FromAgent) {
    let key = Arc::new(KeyPair::generate().expect("a key"));
    let csr = CertificateParams::default().serialize_request(&*key).expect("a CSR").pem().expect("PEM");
    (key, FromAgent::CertificateRequest(CertificateRequest { csr_pem: csr.into_bytes() }))
}

/// Answers the server's wish as an agent does, and gives the identity for the next stream.
async fn renew(agent: &mut Agent, old: &Enrolled) -> Enrolled {
    let (key, request) = request();
    agent.send(request).await;
    let ToAgent::Certificate(Certificate { client_cert_pem, .. }) = agent.next().await.expect("open") else {
        panic!("a certificate")
    };
    Enrolled { agent_id: old.agent_id, cert_pem: client_cert_pem, key }
}

#[tokio::test]
async fn a_certificate_is_renewed_before_its_end_and_the_old_one_lives_on() {
    let door = door(Duration::from_secs(20), Duration::from_hours(1)).await;
    let first = door.enroll().await;
    let mut stream = door.stream(&first).await.expect("open");
    stream.greet().await;
    assert!(matches!(stream.next().await, Ok(ToAgent::CertificateWanted(_))), "after two thirds of its life");
    let second = renew(&mut stream, &first).await;
    assert_ne!(second.cert_pem, first.cert_pem);
    assert_eq!(door.stack.count("SELECT count(*) FROM agent_certificates").await, 2);
    assert_eq!(door.stack.count("SELECT count(*) FROM agent_certificates WHERE first_used_at IS NULL").await, 1);

    // The stream goes on with the old one, to its end, and no further.
    stream.send(FromAgent::EventBatch(batch(vec![event()]))).await;
    assert!(matches!(stream.next().await, Ok(ToAgent::Ack(_))));
    let status = stream.next().await.expect_err("ended");
    assert_eq!((status.code(), status.message().contains("expired")), (Code::Aborted, true), "{status}");

    let mut stream = door.stream(&second).await.expect("open");
    stream.greet().await;
    // Grace is for those that have nothing younger.
    assert_eq!(door.stream(&first).await.err().expect("refused").code(), Code::Unauthenticated);
    drop(stream);
    door.close().await;
}

#[tokio::test]
async fn an_expired_certificate_is_good_for_its_renewal_and_nothing_else() {
    let door = door(Duration::from_secs(5), Duration::from_hours(1)).await;
    let first = door.enroll().await;
    let mut stream = door.stream(&first).await.expect("open");
    // Nobody answers the server's wishes, so the stream ends with the certificate.
    while stream.next().await.is_ok() {}

    let mut stream = door.stream(&first).await.expect("open, for renewal");
    stream.send(FromAgent::EventBatch(batch(vec![event()]))).await;
    assert!(matches!(stream.next().await, Ok(ToAgent::CertificateWanted(_))), "the first that is said");
    let second = renew(&mut stream, &first).await;
    assert_eq!(stream.next().await.expect_err("ended").code(), Code::Aborted);
    assert_eq!(door.stack.count("SELECT count(*) FROM events").await, 0, "nothing else is taken");
    let mut stream = door.stream(&second).await.expect("open");
    stream.greet().await;
    drop(stream);
    door.close().await;
}

#[tokio::test]
async fn without_grace_an_expired_certificate_is_refused() {
    let door = door(Duration::from_secs(5), Duration::ZERO).await;
    let enrolled = door.enroll().await;
    let mut stream = door.stream(&enrolled).await.expect("open");
    while stream.next().await.is_ok() {}
    let status = door.stream(&enrolled).await.err().expect("refused");
    let mut chain = vec![status.to_string()];
    let mut source = std::error::Error::source(&status);
    while let Some(error) = source {
        chain.push(error.to_string());
        source = error.source();
    }
    let chain = chain.join(": ");
    assert!(chain.to_lowercase().contains("expired"), "{chain}");
    door.close().await;
}

#[tokio::test]
async fn a_certificate_is_given_only_to_whom_was_asked_and_for_a_sound_request() {
    let door = door(Duration::from_hours(1), Duration::ZERO).await;
    let enrolled = door.enroll().await;
    let mut stream = door.stream(&enrolled).await.expect("open");
    stream.greet().await;
    stream.send(request().1).await;
    assert_eq!(stream.next().await.expect_err("ended").code(), Code::InvalidArgument);
    assert_eq!(door.stack.count("SELECT count(*) FROM agent_certificates").await, 1);

    // An agent from before has a longer life and the same rights: here one whose time for a renewal has come.
    sqlx::query("UPDATE agent_certificates SET issued_at = now() - interval '60 days'")
        .execute(&door.stack.app.pool)
        .await
        .expect("updated");
    let mut stream = door.stream(&enrolled).await.expect("open");
    stream.greet().await;
    assert!(matches!(stream.next().await, Ok(ToAgent::CertificateWanted(_))), "at once");
    stream.send(FromAgent::CertificateRequest(CertificateRequest { csr_pem: b"no CSR".to_vec() })).await;
    let status = stream.next().await.expect_err("ended");
    assert_eq!((status.code(), status.message().contains("CSR")), (Code::InvalidArgument, true), "{status}");
    drop(stream);
    door.close().await;
}
