//! The development keys in `DIR/keys`: created on the first start, read afterwards.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use solana_keypair::Keypair;

use crate::error::{Error, Result};

/// Every key of a localnet. Files have the Solana CLI's format and mode 0600.
pub struct Keys {
    folder: PathBuf,
    /// May replace the program; signs `initialize`.
    pub upgrade_authority: Keypair,
    /// Config authority of the program.
    pub authority: Keypair,
    /// May pause the program.
    pub guardian: Keypair,
    /// May resolve disputes; recorded in Config.
    pub arbiter: Keypair,
    /// Receives the platform's fee.
    pub treasury: Keypair,
    /// Signs `record_usage`: the execution proxy's key.
    pub meter: Keypair,
    /// May mint the local USDC.
    pub mint_authority: Keypair,
    /// Holds the SOL that `requestAirdrop` gives away.
    pub faucet: Keypair,
}

impl Keys {
    /// Reads the keys of a data folder; makes those that are not there.
    ///
    /// # Errors
    /// [`Error::Key`] for a file that is not a keypair, [`Error::File`] when a file cannot be read or created.
    pub(crate) fn open(data: &Path) -> Result<Self> {
        let folder = data.join("keys");
        fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        let key = |name: &str| read_or_make(&folder.join(format!("{name}.json")));
        Ok(Self {
            upgrade_authority: key("upgrade-authority")?,
            authority: key("authority")?,
            guardian: key("guardian")?,
            arbiter: key("arbiter")?,
            treasury: key("treasury")?,
            meter: key("meter")?,
            mint_authority: key("mint-authority")?,
            faucet: key("faucet")?,
            folder,
        })
    }

    /// The folder with the key files, for programs that take a path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn read_or_make(path: &Path) -> Result<Keypair> {
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = Keypair::new();
            write(path, &key).map_err(Error::file(path))?;
            Ok(key)
        }
        Err(error) => Err(Error::file(path)(error)),
    }
}

fn parse(path: &Path, text: &str) -> Result<Keypair> {
    let problem = |problem: String| Error::Key { path: path.to_owned(), problem };
    let bytes: Vec<u8> = serde_json::from_str(text).map_err(|error| problem(error.to_string()))?;
    Keypair::try_from(bytes.as_slice()).map_err(|error| problem(error.to_string()))
}

/// Written under another name first, so that a kill never leaves half a key behind.
fn write(path: &Path, key: &Keypair) -> std::io::Result<()> {
    let draft = path.with_extension("tmp");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let numbers: Vec<String> = key.to_bytes().iter().map(u8::to_string).collect();
    writeln!(file, "[{}]", numbers.join(","))?;
    file.sync_all()?;
    fs::rename(&draft, path)
}
