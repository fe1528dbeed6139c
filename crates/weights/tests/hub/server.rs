//! A server on 127.0.0.1 that answers as the Hub does: files small and large, tokens, and broken connections.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the server holds and how it behaves.
#[derive(Default)]
pub(crate) struct Repo {
    /// Files by name; the weights are served from another path, as large files are.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The commit that `main` stands for.
    pub(crate) commit: String,
    /// Only this token is let in, to the list of files and to the files.
    pub(crate) token: Option<String>,
    /// Status and X-Error-Code of every file, the list being open.
    pub(crate) refuse_files: Option<(u16, &'static str)>,
    /// Weight files whose next download breaks off after so many bytes.
    pub(crate) cuts: Vec<usize>,
    /// An ETag given for every file instead of its own.
    pub(crate) etag: Option<String>,
    /// A commit given for every file instead of its own.
    pub(crate) file_commit: Option<String>,
    /// What was asked, in order.
    pub(crate) requests: Vec<Request>,
    /// Bytes of weight files that were sent.
    pub(crate) n_weight_bytes: usize,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) token: Option<String>,
}

/// A running server; it ends with the test's process.
pub(crate) struct Server {
    pub(crate) url: String,
    repo: Arc<Mutex<Repo>>,
}

/// The only model that the server has.
pub(crate) const ID: &str = "team/small-model";

impl Server {
    pub(crate) fn start(repo: Repo) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let repo = Arc::new(Mutex::new(repo));
        let (shared, base) = (Arc::clone(&repo), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &mut shared.lock().unwrap(), &base);
            }
        });
        Self { url, repo }
    }

    pub(crate) fn repo(&self) -> MutexGuard<'_, Repo> {
        self.repo.lock().unwrap()
    }

    /// Paths asked for since the last call.
    pub(crate) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.repo().requests)
    }
}

/// An ETag that depends on the content alone, as the Hub's do.
fn etag(content: &[u8]) -> String {
    let hash = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

struct Reply<'a> {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: &'a [u8],
    /// The connection ends after so many bytes of the body.
    cut: Option<usize>,
}

fn reply(status: u16, headers: Vec<(&'static str, String)>) -> Reply<'static> {
    Reply { status, headers, body: b"", cut: None }
}

fn answer(mut stream: TcpStream, repo: &mut Repo, base: &str) {
    let Some((method, request)) = read(&stream) else { return };
    repo.requests.push(request.clone());
    let cut = request.path.starts_with("/large/") && request.range.as_deref() != Some("bytes=0-0");
    let cut = if cut && !repo.cuts.is_empty() { Some(repo.cuts.remove(0)) } else { None };
    let reply = route(repo, &request, base);
    let body = match cut.or(reply.cut) {
        Some(cut) => &reply.body[..cut.min(reply.body.len())],
        None => reply.body,
    };
    let mut head = format!(
        "HTTP/1.1 {} x\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let body = if method == "HEAD" { b"" } else { body };
    // A client that has heard enough may be gone.
    drop(
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(b"\r\n"))
            .and_then(|()| stream.write_all(body)),
    );
    let n_sent = body.len();
    if request.path.starts_with("/large/") {
        repo.n_weight_bytes += n_sent;
    }
}

fn read(stream: &TcpStream) -> Option<(String, Request)> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut request = Request { path, range: None, token: None };
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range = Some(value.to_owned()),
            "authorization" => request.token = value.strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    Some((method, request))
}

fn route<'a>(repo: &'a Repo, request: &Request, base: &str) -> Reply<'a> {
    if let Some(tag) = request.path.strip_prefix("/large/") {
        let content = repo.files.values().find(|content| etag(content) == tag).unwrap();
        return part(content, request, vec![]);
    }
    if repo.token.is_some() && repo.token != request.token {
        return reply(401, vec![]);
    }
    let known = |revision: &str| revision == "main" || revision == "refs%2Fpr%2F1" || revision == repo.commit;
    if let Some(revision) = request.path.strip_prefix(&format!("/api/models/{ID}/revision/")) {
        let (revision, has_sizes) = match revision.strip_suffix("?blobs=true") {
            Some(revision) => (revision, true),
            None => (revision, false),
        };
        if !known(revision) {
            return reply(404, vec![("X-Error-Code", "RevisionNotFound".to_owned())]);
        }
        let sibling = |(name, content): (&String, &Vec<u8>)| match has_sizes {
            true => serde_json::json!({ "rfilename": name, "size": content.len() }),
            false => serde_json::json!({ "rfilename": name }),
        };
        let siblings: Vec<_> = repo.files.iter().map(sibling).collect();
        let body =
            serde_json::json!({ "id": ID, "sha": repo.commit, "siblings": siblings, "private": false })
                .to_string();
        return Reply { body: body.into_bytes().leak(), ..reply(200, vec![]) };
    }
    let file = request.path.strip_prefix(&format!("/{ID}/resolve/")).and_then(|rest| rest.split_once('/'));
    let Some((revision, name)) = file else {
        return reply(401, vec![("X-Error-Code", "RepoNotFound".to_owned())]);
    };
    assert!(known(revision), "{revision}");
    if let Some((status, code)) = repo.refuse_files {
        return reply(status, vec![("X-Error-Code", code.to_owned())]);
    }
    let Some(content) = repo.files.get(name) else {
        return reply(404, vec![("X-Error-Code", "EntryNotFound".to_owned())]);
    };
    let tag = format!("\"{}\"", repo.etag.clone().unwrap_or_else(|| etag(content)));
    let mut headers =
        vec![("X-Repo-Commit", repo.file_commit.clone().unwrap_or_else(|| repo.commit.clone()))];
    if name.ends_with(".safetensors") || name.ends_with(".gguf") {
        headers.push(("X-Linked-Etag", tag));
        headers.push(("X-Linked-Size", content.len().to_string()));
        headers.push(("ETag", "\"of-the-redirect\"".to_owned()));
        headers.push(("Location", format!("{base}/large/{}", etag(content))));
        return reply(302, headers);
    }
    headers.push(("ETag", tag));
    part(content, request, headers)
}

fn part<'a>(content: &'a [u8], request: &Request, mut headers: Vec<(&'static str, String)>) -> Reply<'a> {
    let Some(range) = request.range.as_deref().and_then(|range| range.strip_prefix("bytes=")) else {
        return Reply { status: 200, headers, body: content, cut: None };
    };
    let (first, last) = range.split_once('-').unwrap();
    let first: usize = first.parse().unwrap();
    let end = last.parse().map_or(content.len(), |last: usize| content.len().min(last + 1));
    if first >= content.len() {
        return reply(416, vec![("Content-Range", format!("bytes */{}", content.len()))]);
    }
    headers.push(("Content-Range", format!("bytes {first}-{}/{}", end - 1, content.len())));
    Reply { status: 206, headers, body: &content[first..end], cut: None }
}
