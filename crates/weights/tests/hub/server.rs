//! A server on 127.0.0.1 that answers as the Hub does: files small and large, tokens, and connections that break, bring damaged bytes or
//! fall silent. Under `/files/` it has the same files as any other server.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

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
    /// Contents, of weight files and of those under `/files/`, whose next download breaks off after so many bytes.
    pub(crate) cuts: Vec<usize>,
    /// Contents whose next download falls silent after so many bytes, and never ends.
    pub(crate) stalls: Vec<usize>,
    /// How many of the next contents come with a byte that is not theirs.
    pub(crate) n_damaged: usize,
    /// Statuses with which the next contents are refused.
    pub(crate) statuses: Vec<u16>,
    /// Contents are always sent whole, whatever was asked for.
    pub(crate) has_no_ranges: bool,
    /// Under `/files/` no length is told; the connection's end is the content's.
    pub(crate) has_no_lengths: bool,
    /// Headers of every content under `/files/`.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// An ETag given for every file instead of its own.
    pub(crate) etag: Option<String>,
    /// A commit given for every file instead of its own.
    pub(crate) file_commit: Option<String>,
    /// What was asked, in order.
    pub(crate) requests: Vec<Request>,
    /// Bytes of contents that were sent.
    pub(crate) n_weight_bytes: usize,
    /// Connections that fell silent.
    pub(crate) silent: Vec<TcpStream>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) if_range: Option<String>,
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

fn hex(algorithm: &'static Algorithm, content: &[u8]) -> String {
    digest(algorithm, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A large file's ETag on the Hub.
pub(crate) fn sha256(content: &[u8]) -> String {
    hex(&SHA256, content)
}

/// A small file's ETag on the Hub: git's name for it.
fn git_name(content: &[u8]) -> String {
    let head = format!("blob {}\0", content.len()).into_bytes();
    hex(&SHA1_FOR_LEGACY_USE_ONLY, &[&head, content].concat())
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn reply(status: u16, headers: Vec<(&'static str, String)>) -> Reply {
    Reply { status, headers, body: Vec::new() }
}

/// What happens to a content on its way.
enum Fate {
    Whole,
    Cut(usize),
    Silent(usize),
}

fn answer(mut stream: TcpStream, repo: &mut Repo, base: &str) {
    let Some((method, request)) = read(&stream) else { return };
    repo.requests.push(request.clone());
    let is_content = ["/large/", "/files/"].iter().any(|folder| request.path.starts_with(folder));
    let refused = is_content && !repo.statuses.is_empty();
    let mut reply =
        if refused { reply(repo.statuses.remove(0), vec![]) } else { route(repo, &request, base) };
    let fate = match reply.status {
        200 | 206 if is_content => content_fate(repo, &mut reply),
        _ => Fate::Whole,
    };
    let mut head = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status);
    if !(repo.has_no_lengths && request.path.starts_with("/files/")) {
        head += &format!("Content-Length: {}\r\n", reply.body.len());
    }
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let n_sent = match fate {
        _ if method == "HEAD" => 0,
        Fate::Whole => reply.body.len(),
        Fate::Cut(n) | Fate::Silent(n) => n.min(reply.body.len()),
    };
    head += "\r\n";
    // A client that has heard enough may be gone.
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body[..n_sent])));
    if is_content {
        repo.n_weight_bytes += n_sent;
    }
    if matches!(fate, Fate::Silent(_)) {
        repo.silent.push(stream);
    }
}

/// What becomes of the next content, which may be damaged here.
fn content_fate(repo: &mut Repo, reply: &mut Reply) -> Fate {
    if repo.n_damaged > 0
        && let Some(byte) = reply.body.last_mut()
    {
        repo.n_damaged -= 1;
        *byte ^= 1;
    }
    match (repo.cuts.is_empty(), repo.stalls.is_empty()) {
        (false, _) => Fate::Cut(repo.cuts.remove(0)),
        (true, false) => Fate::Silent(repo.stalls.remove(0)),
        (true, true) => Fate::Whole,
    }
}

fn read(stream: &TcpStream) -> Option<(String, Request)> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut request = Request { path, range: None, if_range: None, token: None };
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range = Some(value.to_owned()),
            "if-range" => request.if_range = Some(value.to_owned()),
            "authorization" => request.token = value.strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    Some((method, request))
}

fn route(repo: &Repo, request: &Request, base: &str) -> Reply {
    if let Some(tag) = request.path.strip_prefix("/large/") {
        let content = repo.files.values().find(|content| sha256(content) == tag).unwrap();
        return part(repo, content, request, vec![]);
    }
    if let Some(name) = request.path.strip_prefix("/moved/") {
        return reply(302, vec![("Location", format!("/files/{name}"))]);
    }
    if let Some(name) = request.path.strip_prefix("/files/") {
        let name = name.split('?').next().unwrap();
        let Some(content) = repo.files.get(name) else { return reply(404, vec![]) };
        return part(repo, content, request, repo.headers.clone());
    }
    if repo.token.is_some() && repo.token != request.token {
        return reply(401, vec![]);
    }
    if let Some(revision) = request.path.strip_prefix(&format!("/api/models/{ID}/revision/")) {
        return list(repo, revision);
    }
    let file = request.path.strip_prefix(&format!("/{ID}/resolve/")).and_then(|rest| rest.split_once('/'));
    let Some((revision, name)) = file else {
        return reply(401, vec![("X-Error-Code", "RepoNotFound".to_owned())]);
    };
    assert!(is_known(repo, revision), "{revision}");
    resolve(repo, name, request, base)
}

fn is_known(repo: &Repo, revision: &str) -> bool {
    revision == "main" || revision == "refs%2Fpr%2F1" || revision == repo.commit
}

/// The list of files.
fn list(repo: &Repo, revision: &str) -> Reply {
    let (revision, has_sizes) = match revision.strip_suffix("?blobs=true") {
        Some(revision) => (revision, true),
        None => (revision, false),
    };
    if !is_known(repo, revision) {
        return reply(404, vec![("X-Error-Code", "RevisionNotFound".to_owned())]);
    }
    let sibling = |(name, content): (&String, &Vec<u8>)| match has_sizes {
        true => serde_json::json!({ "rfilename": name, "size": content.len() }),
        false => serde_json::json!({ "rfilename": name }),
    };
    let siblings: Vec<_> = repo.files.iter().map(sibling).collect();
    let body = serde_json::json!({ "id": ID, "sha": repo.commit, "siblings": siblings, "private": false });
    Reply { body: body.to_string().into_bytes(), ..reply(200, vec![]) }
}

/// One file of the model: what is small at once, what is large from elsewhere.
fn resolve(repo: &Repo, name: &str, request: &Request, base: &str) -> Reply {
    if let Some((status, code)) = repo.refuse_files {
        return reply(status, vec![("X-Error-Code", code.to_owned())]);
    }
    let Some(content) = repo.files.get(name) else {
        return reply(404, vec![("X-Error-Code", "EntryNotFound".to_owned())]);
    };
    let is_large = name.ends_with(".safetensors") || name.ends_with(".gguf");
    let own = || if is_large { sha256(content) } else { git_name(content) };
    let tag = format!("\"{}\"", repo.etag.clone().unwrap_or_else(own));
    let mut headers =
        vec![("X-Repo-Commit", repo.file_commit.clone().unwrap_or_else(|| repo.commit.clone()))];
    if is_large {
        headers.push(("X-Linked-Etag", tag));
        headers.push(("X-Linked-Size", content.len().to_string()));
        headers.push(("ETag", "\"of-the-redirect\"".to_owned()));
        headers.push(("Location", format!("{base}/large/{}", sha256(content))));
        return reply(302, headers);
    }
    headers.push(("ETag", tag));
    part(repo, content, request, headers)
}

/// A content, or the part of it that was asked for.
fn part(repo: &Repo, content: &[u8], request: &Request, mut headers: Vec<(&'static str, String)>) -> Reply {
    let is_version = |wanted: &String| headers.iter().any(|(_, value)| value == wanted);
    let is_same = request.if_range.as_ref().is_none_or(is_version);
    let range = request.range.as_deref().and_then(|range| range.strip_prefix("bytes="));
    let Some(range) = range.filter(|_| is_same && !repo.has_no_ranges) else {
        return Reply { status: 200, headers, body: content.to_vec() };
    };
    let (first, last) = range.split_once('-').unwrap();
    let first: usize = first.parse().unwrap();
    let end = last.parse().map_or(content.len(), |last: usize| content.len().min(last + 1));
    if first >= content.len() {
        return reply(416, vec![("Content-Range", format!("bytes */{}", content.len()))]);
    }
    headers.push(("Content-Range", format!("bytes {first}-{}/{}", end - 1, content.len())));
    Reply { status: 206, headers, body: content[first..end].to_vec() }
}
