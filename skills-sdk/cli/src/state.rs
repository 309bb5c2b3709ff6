//! What is kept on disk between commands: settings, wallet, session and the sandbox's cache, in one private folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clawos_api::Timestamp;
use clawos_api::identity::{Agent, FirstKey, Session};
use serde::{Deserialize, Serialize};

use crate::environment;
use crate::error::{CliError, Result};
use crate::whole_file::{self, WholeFile};

/// The folder of settings, `CLAWOS_HOME`.
#[derive(Debug, Clone)]
pub struct Home {
    folder: PathBuf,
    /// Where the SDKs' copies are.
    sdks: PathBuf,
}

/// `config.toml`: where the last login went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server's address, such as `http://127.0.0.1:8080`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The Solana JSON-RPC endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc: Option<String>,
}

/// `session.json`: the tokens of one agent at one server.
#[derive(Clone, Serialize, Deserialize)]
pub struct SavedSession {
    /// The server's origin: a token is never sent to another one.
    pub origin: String,
    /// Who is signed in.
    pub agent: Agent,
    /// The bearer token of API calls.
    pub access_token: String,
    /// When the access token ends.
    pub access_expires_at: Timestamp,
    /// For the next session; works once.
    pub refresh_token: String,
    /// When the refresh token ends, and with it the session unless it is used before; none in a file of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_expires_at: Option<Timestamp>,
    /// The API key of the enrolment, which the server shows only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<FirstKey>,
}

impl SavedSession {
    /// What is kept of a session; `earlier` supplies the API key that only the enrolment brings.
    pub fn new(origin: String, session: Session, earlier: Option<FirstKey>) -> Self {
        Self {
            origin,
            agent: session.agent,
            access_token: session.access_token,
            access_expires_at: session.access_expires_at,
            refresh_token: session.refresh_token,
            refresh_expires_at: Some(session.refresh_expires_at),
            api_key: session.api_key.or(earlier),
        }
    }
}

impl Home {
    /// The named folder, or the default one.
    ///
    /// # Errors
    /// [`CliError::Usage`] when none is named and the user has no home folder.
    pub fn new(named: Option<PathBuf>) -> Result<Self> {
        let missing = || CliError::Usage("there is no home folder; name one with --home or CLAWOS_HOME".to_owned());
        let data = if named.is_some() { named.clone() } else { environment::default_data() };
        let folder = named.or_else(environment::default_home).ok_or_else(missing)?;
        // Projects have links to it, which must not depend on the folder that a command is called in.
        let sdks = std::path::absolute(data.ok_or_else(missing)?.join("sdk"))?;
        Ok(Self { folder, sdks })
    }

    /// The folder of the copy of an SDK, by its name such as `rust-0f3c…`: in the user's data folder, or where one was named
    /// for everything, in that.
    pub fn sdk(&self, name: &str) -> PathBuf {
        self.sdks.join(name)
    }

    /// The default wallet file.
    pub fn wallet(&self) -> PathBuf {
        self.folder.join("wallet.json")
    }

    /// The folder of compiled modules.
    pub fn module_cache(&self) -> PathBuf {
        self.folder.join("cache").join("modules")
    }

    /// Makes the folder, private to its owner.
    ///
    /// # Errors
    /// [`CliError::File`].
    pub fn ensure(&self) -> Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(CliError::file(&self.folder))
    }

    /// The settings; empty when there are none yet.
    ///
    /// # Errors
    /// [`CliError::Usage`] naming the line that is wrong.
    pub fn settings(&self) -> Result<Settings> {
        let path = self.folder.join("config.toml");
        let Some(text) = read(&path)? else { return Ok(Settings::default()) };
        toml::from_str(&text).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
    }

    /// Replaces the settings.
    ///
    /// # Errors
    /// [`CliError::File`].
    pub fn save_settings(&self, settings: &Settings) -> Result<()> {
        let text = toml::to_string(settings).expect("two optional strings are TOML");
        self.replace("config.toml", text.as_bytes())
    }

    /// The session, if there is one.
    ///
    /// # Errors
    /// [`CliError::Usage`] when the file is damaged.
    pub fn session(&self) -> Result<Option<SavedSession>> {
        let path = self.folder.join("session.json");
        let Some(text) = read(&path)? else { return Ok(None) };
        let session = serde_json::from_str(&text);
        session.map(Some).map_err(|error| {
            CliError::Usage(format!(
                "{} is damaged ({error}); keep a copy of the `api_key` in it, which the server shows only once, then delete it and run `clawos login`",
                path.display()
            ))
        })
    }

    /// Replaces the session.
    ///
    /// # Errors
    /// [`CliError::File`].
    pub fn save_session(&self, session: &SavedSession) -> Result<()> {
        let text = serde_json::to_vec_pretty(session).expect("a session has string keys only");
        self.replace("session.json", &text)
    }

    /// Deletes the session's file.
    ///
    /// # Errors
    /// [`CliError::File`].
    pub fn forget_session(&self) -> Result<()> {
        let path = self.folder.join("session.json");
        fs::remove_file(&path).map_err(CliError::file(&path))
    }

    /// Holds off other `clawos` processes while the session is exchanged: a refresh token works once.
    ///
    /// # Errors
    /// [`CliError::File`].
    pub fn lock_session(&self) -> Result<File> {
        self.ensure()?;
        let path = self.folder.join("session.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(CliError::file(&path))?;
        file.lock().map_err(CliError::file(&path))?;
        Ok(file)
    }

    /// Writes a private file whole or not at all.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.ensure()?;
        let path = self.folder.join(name);
        WholeFile::begin(&path, whole_file::PRIVATE)?.finish(bytes)
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::File { path: path.to_owned(), source: error }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn settings_and_session_are_private_and_survive() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::new(Some(folder.path().join("home"))).expect("a home");
        assert_eq!(home.settings().expect("none yet"), Settings::default());
        assert!(home.session().expect("none yet").is_none());

        let settings = Settings { server: Some("http://x".to_owned()), rpc: None };
        home.save_settings(&settings).expect("saved");
        assert_eq!(home.settings().expect("read"), settings);

        let agent = Agent {
            id: "agt_1".to_owned(),
            name: "acme".to_owned(),
            wallet: "w".to_owned(),
            description: String::new(),
            roles: Vec::new(),
            created_at: Timestamp(0),
        };
        let session = SavedSession {
            origin: "http://x".to_owned(),
            agent,
            access_token: "a".to_owned(),
            access_expires_at: Timestamp(0),
            refresh_token: "r".to_owned(),
            refresh_expires_at: Some(Timestamp(0)),
            api_key: None,
        };
        home.save_session(&session).expect("saved");
        assert_eq!(home.session().expect("read").expect("there").refresh_token, "r");
        let mode = |name: &str| {
            fs::metadata(folder.path().join("home").join(name)).expect("there").permissions().mode() & 0o777
        };
        assert_eq!((mode("session.json"), mode("")), (0o600, 0o700));
    }

    #[test]
    fn a_session_of_an_earlier_version_keeps_its_api_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::new(Some(folder.path().to_owned())).expect("a home");
        let earlier = r#"{
            "origin": "http://x", "access_token": "a", "access_expires_at": "2026-01-01T00:00:00.000Z",
            "refresh_token": "r", "api_key": { "id": "key_1", "key": "claw_sk_1", "scopes": [], "expires_at": null },
            "agent": { "id": "agt_1", "name": "acme", "wallet": "w", "description": "", "roles": [],
                       "created_at": "2026-01-01T00:00:00.000Z" }
        }"#;
        fs::write(folder.path().join("session.json"), earlier).expect("written");
        let session = home.session().expect("it is read").expect("there");
        assert_eq!(session.api_key.as_ref().map(|key| key.key.as_str()), Some("claw_sk_1"));
        assert_eq!(session.refresh_expires_at, None);
        home.save_session(&session).expect("saved");
        assert!(home.session().expect("it is read").expect("there").api_key.is_some());
    }

    #[test]
    fn damaged_files_say_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::new(Some(folder.path().to_owned())).expect("a home");
        fs::write(folder.path().join("session.json"), "{").expect("written");
        let damaged = home.session().err().expect("damaged").to_string();
        assert!(damaged.contains("clawos login") && damaged.contains("copy of the `api_key`"), "{damaged}");
        fs::write(folder.path().join("config.toml"), "serve = 1").expect("written");
        assert!(home.settings().is_err());
    }
}
