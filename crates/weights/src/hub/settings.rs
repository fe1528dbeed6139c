//! Where the Hub and its cache are, and who asks; the environment variables are those of `huggingface_hub`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::error::HubError;
use crate::download::Download;

/// How to fetch from the Hub.
#[derive(Clone, PartialEq, Eq)]
pub struct HubSettings {
    /// The server, without a slash at its end.
    pub endpoint: String,
    /// The cache: one folder a model, as `huggingface_hub` lays it out.
    pub cache: PathBuf,
    /// Who asks; a secret.
    pub token: Option<String>,
    /// Never use the network.
    pub offline: bool,
    /// How often a broken connection is tried again.
    pub n_retries: usize,
    /// How long no byte may come before a connection counts as broken.
    pub silence: Duration,
}

impl HubSettings {
    /// The public Hub.
    pub const ENDPOINT: &str = "https://huggingface.co";

    /// The public Hub with this cache folder and no token.
    pub fn new(cache: PathBuf) -> Self {
        Self {
            endpoint: Self::ENDPOINT.to_owned(),
            cache,
            token: None,
            offline: false,
            n_retries: Download::N_RETRIES,
            silence: Download::SILENCE,
        }
    }

    /// The settings of this process's environment: HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_TOKEN,
    /// HF_TOKEN_PATH and HF_HUB_OFFLINE, with the token file of `hf auth login` as the last resort.
    ///
    /// # Errors
    /// HF_ENDPOINT is no URL, or there is no home folder and none of the cache's variables is set.
    pub fn from_env() -> Result<Self, HubError> {
        Self::from_lookup(|name| std::env::var(name).ok(), std::env::home_dir())
    }

    /// As [`HubSettings::from_env`], with the variables given by `lookup`.
    ///
    /// # Errors
    /// As [`HubSettings::from_env`].
    pub fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
        home: Option<PathBuf>,
    ) -> Result<Self, HubError> {
        let set = |name: &str| lookup(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let hf_home = set("HF_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(set("XDG_CACHE_HOME")?).join("huggingface")))
            .or_else(|| Some(home?.join(".cache").join("huggingface")));
        let cache = set("HF_HUB_CACHE").map(PathBuf::from);
        let Some(cache) = cache.or_else(|| Some(hf_home.as_ref()?.join("hub"))) else {
            let expected = "it must name a folder for the cache, since there is no home folder";
            return Err(HubError::Setting { name: "HF_HOME", value: String::new(), expected });
        };
        let token_file = set("HF_TOKEN_PATH").map(PathBuf::from).or_else(|| Some(hf_home?.join("token")));
        let stored = || {
            let text = std::fs::read_to_string(token_file?).ok()?;
            Some(text.trim().to_owned()).filter(|token| !token.is_empty())
        };
        Ok(Self {
            endpoint: endpoint(set("HF_ENDPOINT"))?,
            token: set("HF_TOKEN").or_else(stored),
            offline: set("HF_HUB_OFFLINE").is_some_and(|v| is_true(&v)),
            ..Self::new(cache)
        })
    }
}

impl fmt::Debug for HubSettings {
    /// The token is a secret and is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSettings")
            .field("endpoint", &self.endpoint)
            .field("cache", &self.cache)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("offline", &self.offline)
            .field("n_retries", &self.n_retries)
            .field("silence", &self.silence)
            .finish()
    }
}

fn endpoint(value: Option<String>) -> Result<String, HubError> {
    let Some(value) = value else { return Ok(HubSettings::ENDPOINT.to_owned()) };
    let trimmed = value.trim_end_matches('/');
    let host = trimmed.strip_prefix("https://").or_else(|| trimmed.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.contains([' ', '?', '#'])) {
        let expected = "a URL that starts with https:// or http:// is expected";
        return Err(HubError::Setting { name: "HF_ENDPOINT", value, expected });
    }
    Ok(trimmed.to_owned())
}

/// As `huggingface_hub` reads its switches.
fn is_true(value: &str) -> bool {
    ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<HubSettings, HubError> {
        let lookup =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        HubSettings::from_lookup(lookup, Some(PathBuf::from("/nowhere/home")))
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        for (variables, cache) in [
            (&[][..], "/nowhere/home/.cache/huggingface/hub"),
            (&[("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub"),
            (&[("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/x")], "/h/hub"),
            (&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/h")], "/c"),
            (&[("HF_HOME", " ")], "/nowhere/home/.cache/huggingface/hub"),
        ] {
            assert_eq!(settings(variables).unwrap().cache, PathBuf::from(cache));
        }
        assert!(HubSettings::from_lookup(|_| None, None).is_err());
    }

    #[test]
    fn the_endpoint_is_a_url_without_a_slash_at_its_end() {
        assert_eq!(settings(&[]).unwrap().endpoint, "https://huggingface.co");
        let mirror = settings(&[("HF_ENDPOINT", "http://127.0.0.1:80/")]).unwrap();
        assert_eq!(mirror.endpoint, "http://127.0.0.1:80");
        for wrong in ["hub.example", "ftp://x", "https://", "https://a b"] {
            let message = settings(&[("HF_ENDPOINT", wrong)]).unwrap_err().to_string();
            assert!(message.contains("HF_ENDPOINT") && message.contains(wrong), "{message}");
        }
    }

    #[test]
    fn the_token_comes_from_the_environment_before_the_file_and_is_never_shown() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("token"), "hf_file\n").unwrap();
        let home = home.path().to_str().unwrap();
        let from_file = settings(&[("HF_HOME", home)]).unwrap();
        assert_eq!(from_file.token.as_deref(), Some("hf_file"));
        let from_variable = settings(&[("HF_HOME", home), ("HF_TOKEN", "hf_secret")]).unwrap();
        assert_eq!(from_variable.token.as_deref(), Some("hf_secret"));
        assert!(!format!("{from_variable:?}").contains("secret"));
        assert_eq!(settings(&[]).unwrap().token, None);
    }

    #[test]
    fn offline_is_switched_as_in_python() {
        for (value, offline) in
            [("1", true), ("true", true), ("Yes", true), ("ON", true), ("0", false), ("", false)]
        {
            assert_eq!(settings(&[("HF_HUB_OFFLINE", value)]).unwrap().offline, offline, "{value}");
        }
    }
}
