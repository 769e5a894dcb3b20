//! The two methods, as tonic's generated server has them, but for the type that a stream's messages are read as (see `wire`).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService, StreamingService, UnaryService};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tyr_proto::MESSAGE_BYTES_MAX;
use tyr_proto::v1::agent_service_server::SERVICE_NAME;
use tyr_proto::v1::{RegisterRequest, RegisterResponse, ServerMessage};

use super::accept::Peer;
use super::{register, stream, wire, word_of};
use crate::app::App;

type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Serves `tyr.v1.AgentService`.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) app: Arc<App>,
    pub(super) shutdown: CancellationToken,
}

impl NamedService for Service {
    const NAME: &'static str = SERVICE_NAME;
}

impl tower::Service<http::Request<Body>> for Service {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = request.uri().path().strip_prefix('/').and_then(|path| path.strip_prefix(SERVICE_NAME));
        let sizes = (Some(MESSAGE_BYTES_MAX), None);
        match method {
            Some("/Register") => {
                let method = Register(self.clone());
                let mut grpc = Grpc::new(ProstCodec::default()).apply_max_message_size_config(sizes.0, sizes.1);
                Box::pin(async move { Ok(grpc.unary(method, request).await) })
            }
            Some("/Stream") => {
                let method = Stream(self.clone());
                let mut grpc = Grpc::new(ProstCodec::default()).apply_max_message_size_config(sizes.0, sizes.1);
                Box::pin(async move { Ok(grpc.streaming(method, request).await) })
            }
            _ => Box::pin(async { Ok(Status::unimplemented("there is no such method").into_http()) }),
        }
    }
}

/// Who asks. Every connection has a peer; without one nobody is served.
fn peer<T>(request: &Request<T>) -> Result<Peer, Status> {
    request.extensions().get::<Peer>().cloned().ok_or_else(|| Status::internal("a connection without a peer"))
}

struct Register(Service);

impl UnaryService<RegisterRequest> for Register {
    type Response = RegisterResponse;
    type Future = Boxed<Response<RegisterResponse>, Status>;

    fn call(&mut self, request: Request<RegisterRequest>) -> Self::Future {
        let app = Arc::clone(&self.0.app);
        Box::pin(async move {
            let peer = peer(&request)?;
            let answer = register::register(&app, &peer, request.get_ref()).await;
            app.metrics.grpc.answered(word_of(&answer));
            app.metrics.security.enrollment(match &answer {
                Ok(_) => "ok",
                Err(status) if status.code() == Code::Unavailable => "failed",
                Err(_) => "refused",
            });
            answer.map(Response::new)
        })
    }
}

struct Stream(Service);

impl StreamingService<wire::AgentMessage> for Stream {
    type Response = ServerMessage;
    type ResponseStream = ReceiverStream<Result<ServerMessage, Status>>;
    type Future = Boxed<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<wire::AgentMessage>>) -> Self::Future {
        let Service { app, shutdown } = self.0.clone();
        Box::pin(async move {
            let peer = peer(&request)?;
            let answer = stream::open(&app, peer, request.into_inner(), shutdown).await;
            app.metrics.grpc.answered(word_of(&answer));
            answer.map(Response::new)
        })
    }
}
