//! What the Hub is asked of a model before its files are fetched, and what its refusals mean.

use serde::Deserialize;

use super::choose::Listed;
use super::error::HubError;
use super::settings::HubSettings;
use super::spec::HubModel;
use crate::download::event::Watch;
use crate::download::fault::Fault;
use crate::download::http::{Answer, Client, Method, Question};

/// Redirections within the Hub that are followed to a file.
const MAX_REDIRECTIONS: usize = 5;
/// What the files of a model are called in messages.
const LIST: &str = "the model's list of files";

/// The Hub's description of a model at one commit.
#[derive(Debug, Deserialize)]
pub(super) struct RepoInfo {
    /// The commit.
    pub(super) sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
}

impl RepoInfo {
    /// Its files.
    pub(super) fn files(&self) -> Vec<Listed> {
        let listed = |file: &Sibling| Listed { name: file.rfilename.clone(), n_bytes: file.size };
        self.siblings.iter().map(listed).collect()
    }
}

/// What the Hub says of one file.
#[derive(Debug)]
pub(super) struct FileFacts {
    pub(super) commit: String,
    pub(super) etag: String,
    pub(super) n_bytes: Option<u64>,
}

/// Whether the Hub is asked for the files' sizes too.
#[derive(Clone, Copy)]
pub(super) enum Sizes {
    Unknown,
    Known,
}

/// Whom is asked for what, for requests and messages.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) model: &'a HubModel,
    pub(super) settings: &'a HubSettings,
    pub(super) client: &'a Client,
}

impl Asker<'_> {
    /// The commit that the revision stands for, and its files.
    pub(super) fn info(self, sizes: Sizes, watch: &mut Watch<'_>) -> Result<RepoInfo, HubError> {
        let (endpoint, id) = (&self.settings.endpoint, self.model.id());
        let revision = self.model.revision().replace('/', "%2F");
        let query = match sizes {
            Sizes::Unknown => "",
            Sizes::Known => "?blobs=true",
        };
        let url = format!("{endpoint}/api/models/{id}/revision/{revision}{query}");
        let unreachable = |detail| HubError::Unreachable { endpoint: endpoint.clone(), detail };
        let asked = self.client.ask(&Question::get(&url), watch).and_then(|mut answer| {
            if answer.status() == 200 {
                self.client.content(&mut answer, watch)
            } else {
                Err(answer.refusal())
            }
        });
        let content = asked.map_err(|fault| match fault {
            Fault::Unreachable { detail } | Fault::Broken { detail, .. } => unreachable(detail),
            Fault::Status { status, code } => self.refusal(status, code.as_deref(), LIST),
            Fault::Stopped => HubError::Stopped,
            other => self.reply(LIST, other.to_string()),
        })?;
        let info: RepoInfo = serde_json::from_slice(&content).map_err(|e| self.reply(LIST, e.to_string()))?;
        if !super::spec::is_commit(&info.sha) {
            return Err(self.reply(LIST, format!("its commit is {:?}", info.sha)));
        }
        Ok(info)
    }

    /// Where a file of a commit is.
    pub(super) fn url(self, commit: &str, file: &str) -> String {
        format!("{}/{}/resolve/{commit}/{file}", self.settings.endpoint, self.model.id())
    }

    /// What the Hub says of a file. It says so itself; where it sends elsewhere for the bytes, nobody is asked there.
    pub(super) fn facts(self, url: &str, file: &str, watch: &mut Watch<'_>) -> Result<FileFacts, Fault> {
        let mut url = url.to_owned();
        for _ in 0..MAX_REDIRECTIONS {
            let answer = self.client.ask(&Question { method: Method::Head, ..Question::get(&url) }, watch)?;
            let is_redirection = (300..400).contains(&answer.status());
            match answer.header("Location").filter(|place| is_redirection && is_here(place)) {
                Some(place) => url = format!("{}{place}", origin(&url)),
                None if is_redirection || answer.status() == 200 => return read_facts(&answer, file),
                None => return Err(answer.refusal()),
            }
        }
        Err(Fault::Reply { detail: "it redirects in a circle".to_owned() })
    }

    /// What a status that is no success means; `code` is the Hub's own word for it.
    fn refusal(self, status: u16, code: Option<&str>, what: &str) -> HubError {
        let (endpoint, id) = (self.settings.endpoint.clone(), self.model.id().to_owned());
        match (status, code) {
            (_, Some("RevisionNotFound")) => {
                HubError::Revision { id, revision: self.model.revision().to_owned() }
            }
            (_, Some("GatedRepo")) | (403, _) => HubError::Gated { endpoint, id },
            (_, Some("RepoNotFound")) => HubError::NotFound { endpoint, id },
            (401, _) if self.settings.token.is_some() => HubError::BadToken { endpoint },
            (401 | 404, _) => HubError::NotFound { endpoint, id },
            _ => HubError::Status { endpoint, what: what.to_owned(), status },
        }
    }

    /// The error of an answer that no Hub gives.
    pub(super) fn reply(self, what: &str, detail: String) -> HubError {
        HubError::Reply { endpoint: self.settings.endpoint.clone(), what: what.to_owned(), detail }
    }

    /// What went wrong with a file, in words.
    pub(super) fn file_error(self, fault: Fault, file: &str) -> HubError {
        let file = file.to_owned();
        match fault {
            Fault::Stopped => HubError::Stopped,
            Fault::Unreachable { detail } => HubError::Interrupted { file, detail, done_bytes: 0 },
            Fault::Broken { detail, done_bytes } => HubError::Interrupted { file, detail, done_bytes },
            // The list of files was shown to everybody, and the files are not.
            Fault::Status { status: 401, .. } if self.settings.token.is_none() => {
                self.refusal(401, Some("GatedRepo"), &file)
            }
            Fault::Status { status: 404, .. } => {
                HubError::MissingFile { id: self.model.id().to_owned(), file }
            }
            Fault::Status { status, .. } => self.refusal(status, None, &file),
            Fault::Reply { detail } => self.reply(&file, detail),
            Fault::Length { found, expected } => HubError::Length { file, found, expected },
            Fault::Corrupt { found, expected } => HubError::Corrupt { file, found, expected },
            Fault::Locked { path } => HubError::Locked { path },
            Fault::Disk { path, source } => HubError::Cache { path, source },
        }
    }
}

/// Whether a redirection stays on its server.
fn is_here(place: &str) -> bool {
    place.starts_with('/') && !place.starts_with("//")
}

/// A URL's scheme and host.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + "://".len());
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..end]
}

fn read_facts(answer: &Answer, file: &str) -> Result<FileFacts, Fault> {
    let header = |name: &str| answer.header(name).map(|value| value.trim().to_owned());
    let missing = |name| Fault::Reply { detail: format!("its answer for {file} has no {name}") };
    let etag = header("X-Linked-Etag").or_else(|| header("ETag")).ok_or_else(|| missing("ETag"))?;
    // The length of a redirection is not that of the file.
    let own = if answer.status() == 200 { answer.n_bytes() } else { None };
    Ok(FileFacts {
        commit: header("X-Repo-Commit").ok_or_else(|| missing("X-Repo-Commit"))?,
        etag: etag.trim_start_matches("W/").replace('"', ""),
        n_bytes: header("X-Linked-Size").and_then(|n| n.parse().ok()).or(own),
    })
}
