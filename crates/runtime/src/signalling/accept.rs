use tokio::net::TcpStream;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

use super::Connection;
use super::connect::limits;
use super::connection::Ends;
use super::paced::Paced;
use super::transport::{Stream, Transport};

const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// Takes a client's WebSocket, which must offer the subprotocol `sip` (RFC 7118 §4).
pub(crate) async fn accept(stream: TcpStream) -> Result<Connection, tungstenite::Error> {
    stream.set_nodelay(true)?;
    let ends = Ends::of(&stream);
    let stream = Paced::new(Stream::Plain(Transport::direct(stream)));
    let socket = accept_hdr_async_with_config(stream, agree, Some(limits())).await?;
    Ok(Connection::websocket(socket, ends))
}

#[expect(
    clippy::result_large_err,
    reason = "the WebSocket library's own signature"
)]
fn agree(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offers_sip = request
        .headers()
        .get_all(PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim().eq_ignore_ascii_case("sip"));
    if offers_sip {
        response
            .headers_mut()
            .insert(PROTOCOL, HeaderValue::from_static("sip"));
        return Ok(response);
    }
    let text = "This is a SIP server: offer the WebSocket subprotocol \"sip\"".to_owned();
    let mut refusal = ErrorResponse::new(Some(text));
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    Err(refusal)
}
