//! HTTP/1.1 as far as a client on the same machine needs it: requests with a length, one after the other.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::service::{Answer, Service};

/// The longest head and body that are read, in bytes.
const HEAD: usize = 64 << 10;
const BODY: usize = 8 << 20;

/// One request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Vec<u8>,
    close: bool,
}

/// Takes connections until `end` changes or its sender is gone.
pub(super) async fn accept(listener: std::net::TcpListener, service: Arc<Service>, mut end: watch::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        tokio::select! {
            _ = end.changed() => return,
            taken = listener.accept() => match taken {
                Ok((stream, _)) => drop(tokio::spawn(serve(stream, Arc::clone(&service)))),
                // Out of descriptors: those that are open have to end first.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            },
        }
    }
}

async fn serve(mut stream: TcpStream, service: Arc<Service>) {
    drop(stream.set_nodelay(true));
    let mut read = Vec::with_capacity(8 << 10);
    loop {
        let request = loop {
            match parse(&read) {
                Ok(Some((request, used))) => {
                    drop(read.drain(..used));
                    break request;
                }
                Ok(None) => {}
                Err(why) => {
                    drop(stream.write_all(&written(&Answer::refusal(400, why), true)).await);
                    return;
                }
            }
            match stream.read_buf(&mut read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        let answer = service.respond(&request).await;
        if stream.write_all(&written(&answer, request.close)).await.is_err() || request.close {
            return;
        }
    }
}

/// The first request of `bytes` and its length, or none where more must be read.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, &'static str> {
    let Some(head_end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > HEAD { Err("the head is too long") } else { Ok(None) };
    };
    let head = std::str::from_utf8(&bytes[..head_end]).map_err(|_| "the head is no text")?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1")) = (words.next(), words.next(), words.next()) else {
        return Err("the first line is no request of HTTP/1.1");
    };
    let (mut length, mut close) = (0, false);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("a header has no colon")?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().map_err(|_| "the length is no number")?,
            "connection" => close = value.eq_ignore_ascii_case("close"),
            "transfer-encoding" => return Err("a body without a length is not read"),
            _ => {}
        }
    }
    if length > BODY {
        return Err("the body is too long");
    }
    let (begin, end) = (head_end + 4, head_end + 4 + length);
    let Some(body) = bytes.get(begin..end) else { return Ok(None) };
    Ok(Some((Request { method: method.to_owned(), path: path.to_owned(), body: body.to_vec(), close }, end)))
}

fn written(answer: &Answer, close: bool) -> Vec<u8> {
    let reason = match answer.status {
        200 => "OK",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        404 => "Not Found",
        _ => "Bad Request",
    };
    let mut out = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    if let Some((name, value)) = &answer.header {
        out += &format!("{name}: {value}\r\n");
    }
    out += if close { "connection: close\r\n\r\n" } else { "\r\n" };
    out += &answer.body;
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_whole_or_not_yet() {
        let bytes = b"POST /agent HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET";
        for end in 0..bytes.len() - 3 {
            assert_eq!(parse(&bytes[..end]), Ok(None), "{end}");
        }
        let (request, used) = parse(bytes).expect("valid").expect("complete");
        assert_eq!((request.body.as_slice(), used), (&b"hello"[..], bytes.len() - 3));
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/agent"));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for bad in [
            "hello\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n",
            "GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(parse(&vec![b'x'; HEAD + 1]).is_err());
    }
}
