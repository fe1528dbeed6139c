//! HTTP requests that can be stopped at any time, also while no byte comes.
//!
//! A thread waits for the server, and the caller for the thread, looking a few times a second whether to stop. Then the connection is shut
//! down, which ends the thread too. No connection is waited for longer than it may be silent.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::Agent;
use ureq::config::RedirectAuthHeaders;
use ureq::http::response::Parts;

use super::event::{DownloadEvent, Watch};
use super::fault::Fault;
use super::retries::LOOK_EVERY;

/// Pieces that may wait to be written.
const N_AHEAD: usize = 16;
/// Bytes of a piece at most.
const PIECE_BYTES: usize = 64 * 1024;
/// The longest answer that is held in memory.
const TEXT_BYTES: usize = 64 * 1024 * 1024;

const CLOSED: &str = "the connection was closed";

/// Who asks servers.
pub(crate) struct Client {
    agent: Agent,
    silence: Duration,
    token: Option<String>,
}

/// What is asked for.
pub(crate) struct Question<'a> {
    pub(crate) url: &'a str,
    pub(crate) method: Method,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// How it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// The content, wherever it is.
    Get,
    /// The headers alone, and those of a redirection where there is one.
    Head,
}

impl<'a> Question<'a> {
    pub(crate) fn get(url: &'a str) -> Self {
        Self { url, method: Method::Get, headers: Vec::new() }
    }
}

impl Client {
    /// A client that takes a connection for broken after so long a silence. `token` goes to the hosts that are asked, and to none that they send it to.
    pub(crate) fn new(silence: Duration, token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("hala/", env!("CARGO_PKG_VERSION")))
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            // Lengths and ranges are of the file, not of what a server makes of it on the way.
            .accept_encoding("identity")
            .timeout_resolve(Some(silence))
            .timeout_connect(Some(silence))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .build();
        Self { agent: config.into(), silence, token }
    }

    /// Asks, and waits for the head of the answer.
    pub(crate) fn ask(&self, question: &Question<'_>, watch: &mut Watch<'_>) -> Result<Answer, Fault> {
        let unreachable = |error: ureq::Error| Fault::Unreachable { detail: self.in_words(&error) };
        let max_redirects = if question.method == Method::Head { 0 } else { 10 };
        let request = match question.method {
            Method::Get => self.agent.get(question.url),
            Method::Head => self.agent.head(question.url),
        };
        let mut request = request.config().max_redirects(max_redirects).build();
        for (name, value) in &question.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let (sender, pieces) = sync_channel(N_AHEAD);
        std::thread::spawn(move || fetch(|| request.call(), &sender));
        match self.wait(&pieces, watch)? {
            Some(Piece::Head(head)) => Ok(Answer { head, pieces, is_over: false }),
            Some(Piece::Failed(error)) => Err(unreachable(error)),
            _ => Err(Fault::Unreachable { detail: CLOSED.to_owned() }),
        }
    }

    /// The next bytes of an answer's content, or none after the last. `done_bytes` are on disk already.
    pub(crate) fn next(
        &self,
        answer: &mut Answer,
        done_bytes: u64,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Vec<u8>>, Fault> {
        if answer.is_over {
            return Ok(None);
        }
        let broken = |detail: String| Fault::Broken { detail, done_bytes };
        match self.wait(&answer.pieces, watch)? {
            Some(Piece::Content(bytes)) => Ok(Some(bytes)),
            Some(Piece::End) => {
                answer.is_over = true;
                Ok(None)
            }
            Some(Piece::Failed(error)) => Err(broken(self.in_words(&error))),
            Some(Piece::Head(_)) | None => Err(broken(CLOSED.to_owned())),
        }
    }

    /// A whole answer's content, which must be short.
    pub(crate) fn content(&self, answer: &mut Answer, watch: &mut Watch<'_>) -> Result<Vec<u8>, Fault> {
        let mut content = Vec::new();
        while let Some(bytes) = self.next(answer, 0, watch)? {
            content.extend_from_slice(&bytes);
            if content.len() > TEXT_BYTES {
                return Err(Fault::Reply { detail: format!("more than {TEXT_BYTES} bytes came") });
            }
        }
        Ok(content)
    }

    /// What the thread sends next; none after its end.
    fn wait(&self, pieces: &Receiver<Piece>, watch: &mut Watch<'_>) -> Result<Option<Piece>, Fault> {
        loop {
            if watch.is_stopped() {
                // This ends the thread's waiting as well.
                self.agent.clone().shutdown();
                return Err(Fault::Stopped);
            }
            match pieces.recv_timeout(LOOK_EVERY) {
                Ok(piece) => return Ok(Some(piece)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => watch.tell(DownloadEvent::Waiting),
            }
        }
    }

    fn in_words(&self, error: &ureq::Error) -> String {
        let silent = || format!("nothing came for {:?}", self.silence);
        match error {
            ureq::Error::Timeout(_) => silent(),
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => silent(),
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        }
    }
}

/// An answer whose head has come.
pub(crate) struct Answer {
    head: Parts,
    pieces: Receiver<Piece>,
    is_over: bool,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// A header's value, where it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Bytes that the content has, where the head says so and they come as they are.
    pub(crate) fn n_bytes(&self) -> Option<u64> {
        if self.is_encoded() { None } else { self.header("Content-Length")?.trim().parse().ok() }
    }

    /// Which part of the file the content is, as `bytes FIRST-LAST/TOTAL`, with `*` for what the server does not know or have.
    pub(crate) fn range(&self) -> Option<ContentRange> {
        let range = self.header("Content-Range")?.trim().strip_prefix("bytes ")?;
        let (range, total) = range.split_once('/')?;
        let first = range.split_once('-').and_then(|(first, _)| first.parse().ok());
        Some(ContentRange { first, total: total.parse().ok() })
    }

    /// Whether the content came in another form than asked for, of which no part can be asked for.
    pub(crate) fn is_encoded(&self) -> bool {
        self.header("Content-Encoding").is_some_and(|encoding| encoding != "identity")
    }

    /// What the head says where the status is no success.
    pub(crate) fn refusal(&self) -> Fault {
        Fault::Status { status: self.status(), code: self.header("X-Error-Code").map(str::to_owned) }
    }
}

/// Which bytes of how many an answer has.
pub(crate) struct ContentRange {
    /// None where it has none of those that were asked for.
    pub(crate) first: Option<u64>,
    pub(crate) total: Option<u64>,
}

/// What the thread that waits for the server sends.
enum Piece {
    Head(Parts),
    Content(Vec<u8>),
    End,
    Failed(ureq::Error),
}

/// Asks, and sends on what comes, until nobody wants it.
fn fetch(
    call: impl FnOnce() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    to: &SyncSender<Piece>,
) {
    let (head, body) = match call() {
        Ok(response) => response.into_parts(),
        // A receiver that is gone needs no answer, here and below.
        Err(error) => return drop(to.send(Piece::Failed(error))),
    };
    if to.send(Piece::Head(head)).is_err() {
        return;
    }
    let mut reader = body.into_reader();
    loop {
        let mut bytes = vec![0; PIECE_BYTES];
        let piece = match reader.read(&mut bytes) {
            Ok(0) => Piece::End,
            Ok(n) => {
                bytes.truncate(n);
                Piece::Content(bytes)
            }
            Err(error) => Piece::Failed(error.into()),
        };
        let is_last = matches!(piece, Piece::Failed(_) | Piece::End);
        if to.send(piece).is_err() || is_last {
            return;
        }
    }
}
