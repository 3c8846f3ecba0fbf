//! A file from memory, over the HTTP stack that the server has and nothing else of it: what `bench/reads.py` holds `GET /blocks`
//! against.
//!
//! `static_file FILE` prints `listening on http://HOST:PORT`; `WORKERS` is the number of threads, one as it is.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made should stop")]

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tower::ServiceExt;

fn main() {
    let workers = std::env::var("WORKERS").map_or(1, |workers| workers.parse().unwrap());
    let file = Bytes::from(std::fs::read(std::env::args_os().nth(1).unwrap()).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    runtime.unwrap().block_on(serve(file));
}

async fn serve(file: Bytes) {
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], file) };
    let router = Router::new().route("/file", get(answer));
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let router: Router = router.clone();
        let service = service_fn(move |request: Request<Incoming>| router.clone().oneshot(request));
        let connection = protocol.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // A client that goes is no failure.
            let _ = connection.await;
        });
    }
}
