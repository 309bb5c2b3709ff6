//! What a command works with: server, chain, wallet and session, resolved from flags, settings and files.

use std::io::Read;
use std::path::{Path, PathBuf};

use clawos_api::Timestamp;
use clawos_client::solana::Chain;
use clawos_client::{Client, Wallet};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::args::{Fees, Global};
use crate::build::BuildCache;
use crate::environment;
use crate::error::{CliError, Result};
use crate::output::Output;
use crate::state::{Home, SavedSession};

/// The server of `make demo`.
const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";
/// The chain of `make demo`.
const DEFAULT_RPC: &str = "http://127.0.0.1:8899";
/// How long before its end an access token is exchanged, in seconds: longer than a call takes.
const REFRESH_EARLY_SECS: i64 = 60;

/// Everything a command needs.
#[derive(Debug)]
pub struct Context {
    /// Where to print.
    pub out: Output,
    /// The folder of settings.
    pub home: Home,
    /// The server's address, such as `http://127.0.0.1:8080`.
    pub server: String,
    /// The Solana JSON-RPC endpoint.
    pub rpc: String,
    wallet: PathBuf,
    api_key_file: Option<PathBuf>,
}

impl Context {
    /// Puts flags, environment, settings and defaults together, in this order.
    ///
    /// # Errors
    /// [`CliError::Usage`] for a damaged settings file.
    pub fn new(global: Global, out: Output) -> Result<Self> {
        let home = Home::new(global.home)?;
        let settings = home.settings()?;
        Ok(Self {
            out,
            server: global.server.or(settings.server).unwrap_or_else(|| DEFAULT_SERVER.to_owned()),
            rpc: global.rpc.or(settings.rpc).unwrap_or_else(|| DEFAULT_RPC.to_owned()),
            wallet: global.wallet.unwrap_or_else(|| home.wallet()),
            api_key_file: global.api_key_file,
            home,
        })
    }

    /// The path of the wallet's key file.
    pub fn wallet_path(&self) -> &Path {
        &self.wallet
    }

    /// The wallet.
    ///
    /// # Errors
    /// When it is missing, or others may read it.
    pub fn wallet(&self) -> Result<Wallet> {
        Ok(Wallet::load(&self.wallet)?)
    }

    /// The build cache of all projects.
    ///
    /// # Errors
    /// [`CliError::Usage`] when the user has no home folder and none is named.
    pub fn build_cache(&self) -> Result<BuildCache> {
        let folder = environment::cache();
        let folder =
            folder.ok_or_else(|| CliError::Usage("there is no home folder; name one in CLAWOS_CACHE".to_owned()));
        Ok(BuildCache::new(folder?.join("build")))
    }

    /// A client of the RPC endpoint; connects on first use.
    pub fn chain(&self) -> Chain {
        Chain::new(&self.rpc)
    }

    /// The same, for a command that sends transactions.
    pub fn paying_chain(&self, fees: Fees) -> Chain {
        self.chain().with_priority_fee(fees.priority_fee)
    }

    /// Whether calls are made with an API key and not with the session.
    pub fn uses_api_key(&self) -> bool {
        self.api_key_file.is_some() || environment::api_key().is_some()
    }

    /// The server, without signing in.
    ///
    /// # Errors
    /// [`CliError::Client`] when its address is invalid.
    pub fn public(&self) -> Result<Client> {
        Ok(Client::new(&self.server)?)
    }

    /// The server, signed in by API key or session; an old session is renewed.
    ///
    /// # Errors
    /// [`CliError::NotSignedIn`].
    pub async fn signed_in(&self) -> Result<Client> {
        let client = self.public()?;
        if let Some(key) = self.api_key()? {
            return Ok(client.with_token(key));
        }
        let origin = client.origin();
        let session = self.session_of(&origin)?;
        if is_fresh(&session) {
            return Ok(client.with_token(session.access_token));
        }
        let lock = self.home.lock_session()?;
        // Another process may have renewed it while this one waited.
        let mut session = self.session_of(&origin)?;
        if !is_fresh(&session) {
            let renewed = client.auth_refresh(&session.refresh_token).await?;
            session = SavedSession::new(origin, renewed, session.api_key);
            self.home.save_session(&session)?;
        }
        drop(lock);
        Ok(client.with_token(session.access_token))
    }

    /// An API key from `--api-key-file` or `CLAWOS_API_KEY`.
    fn api_key(&self) -> Result<Option<String>> {
        let Some(path) = &self.api_key_file else { return Ok(environment::api_key()) };
        let mut text = String::new();
        if path.as_os_str() == "-" {
            std::io::stdin().read_to_string(&mut text)?;
        } else {
            text = std::fs::read_to_string(path).map_err(CliError::file(path))?;
        }
        Ok(Some(text.trim().to_owned()))
    }

    /// The session at the server with this origin, as it is kept here.
    ///
    /// # Errors
    /// [`CliError::NotSignedIn`].
    pub fn session_of(&self, origin: &str) -> Result<SavedSession> {
        let session = self.home.session()?.filter(|session| session.origin == origin);
        session.ok_or_else(|| CliError::NotSignedIn(origin.to_owned()))
    }
}

fn is_fresh(session: &SavedSession) -> bool {
    session.access_expires_at.0 / 1_000 - now_secs() > REFRESH_EARLY_SECS
}

/// A time of the API as [`rfc3339`], to the second.
pub fn time_text(time: Timestamp) -> String {
    rfc3339(time.0.div_euclid(1_000))
}

/// A Unix time as people and programs read it: RFC 3339, UTC.
pub fn rfc3339(unix_secs: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(unix_secs).ok().and_then(|time| time.format(&Rfc3339).ok());
    time.unwrap_or_else(|| format!("{unix_secs} s after 1970"))
}

/// Now, in Unix seconds.
pub fn now_secs() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
