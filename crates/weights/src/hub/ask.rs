//! What the Hub is asked of a model before its files are fetched, and what its refusals mean.

use std::io;
use std::path::Path;
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiError};
use hf_hub::{Repo, RepoType};
use serde::Deserialize;

use super::choose::Listed;
use super::error::HubError;
use super::settings::HubSettings;
use super::spec::HubModel;

/// How long the answer to a question, which is small, may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(30);

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
}

impl Asker<'_> {
    /// The commit that the revision stands for, and its files.
    pub(super) fn info(self, api: &Api, sizes: Sizes) -> Result<RepoInfo, HubError> {
        let (id, revision) = (self.model.id().to_owned(), self.model.revision().to_owned());
        let repo = api.repo(Repo::with_revision(id, RepoType::Model, revision));
        let request = match sizes {
            Sizes::Unknown => repo.info_request(),
            Sizes::Known => repo.info_request().query("blobs", "true"),
        };
        let request = request.config();
        let request = request.http_status_as_error(false).timeout_global(Some(QUESTION_TIMEOUT)).build();
        let mut response = request.call().map_err(|e| self.unreachable(&e))?;
        let status = response.status().as_u16();
        if status != 200 {
            let code = response.headers().get("x-error-code").and_then(|code| code.to_str().ok());
            return Err(self.refusal(status, code, "the model's list of files"));
        }
        let info: RepoInfo = response
            .body_mut()
            .read_json()
            .map_err(|e| self.reply("the model's list of files", e.to_string()))?;
        if !super::spec::is_commit(&info.sha) {
            return Err(self.reply("the model's list of files", format!("its commit is {:?}", info.sha)));
        }
        Ok(info)
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

    fn unreachable(self, error: &ureq::Error) -> HubError {
        HubError::Unreachable { endpoint: self.settings.endpoint.clone(), detail: error.to_string() }
    }

    /// The error of an answer that no Hub gives.
    pub(super) fn reply(self, what: &str, detail: String) -> HubError {
        HubError::Reply { endpoint: self.settings.endpoint.clone(), what: what.to_owned(), detail }
    }

    /// An error of `hf-hub` while it fetched a file, of which `part` holds what has arrived.
    pub(super) fn file_error(self, error: ApiError, file: &str, part: &Path) -> HubError {
        let interrupted = |detail: String| HubError::Interrupted {
            file: file.to_owned(),
            detail,
            done_bytes: part.metadata().map_or(0, |m| m.len()),
        };
        match error {
            ApiError::RequestError(error) => match *error {
                ureq::Error::StatusCode(401) if self.settings.token.is_none() => {
                    // The list of files was shown to everybody, and the files are not.
                    self.refusal(401, Some("GatedRepo"), file)
                }
                ureq::Error::StatusCode(404) => {
                    HubError::MissingFile { id: self.model.id().to_owned(), file: file.to_owned() }
                }
                ureq::Error::StatusCode(status) => self.refusal(status, None, file),
                other => interrupted(other.to_string()),
            },
            ApiError::IoError(error) if is_network(&error) => interrupted(error.to_string()),
            ApiError::IoError(source) => HubError::Cache { path: part.to_owned(), source },
            ApiError::LockAcquisition(path) => HubError::Locked { path },
            ApiError::TooManyRetries(inner) => self.file_error(*inner, file, part),
            other => self.reply(file, other.to_string()),
        }
    }
}

/// Whether an error came from the connection rather than the disk.
fn is_network(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    let from_client = error.get_ref().is_some_and(|inner| inner.is::<ureq::Error>());
    let network = [
        Kind::UnexpectedEof,
        Kind::ConnectionReset,
        Kind::ConnectionAborted,
        Kind::ConnectionRefused,
        Kind::NotConnected,
        Kind::BrokenPipe,
        Kind::TimedOut,
        Kind::HostUnreachable,
        Kind::NetworkUnreachable,
        Kind::NetworkDown,
    ];
    from_client || network.contains(&error.kind())
}
