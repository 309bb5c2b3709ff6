//! Environment variables and raw arguments that clap does not handle.

use std::path::PathBuf;

/// Whether the user asked for no colour (`NO_COLOR`, any value but empty).
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// An API key from `CLAWOS_API_KEY`.
pub fn api_key() -> Option<String> {
    std::env::var("CLAWOS_API_KEY").ok().filter(|key| !key.is_empty())
}

/// Whether `--json` is among the arguments, for when they cannot be parsed.
pub fn asks_for_json() -> bool {
    std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

/// The folder for settings when none is named: `$XDG_CONFIG_HOME/clawos`, else `~/.config/clawos`.
pub fn default_home() -> Option<PathBuf> {
    user_folder("XDG_CONFIG_HOME", ".config")
}

/// The folder for what lasts, when no folder for settings is named: `$XDG_DATA_HOME/clawos`, else `~/.local/share/clawos`.
pub fn default_data() -> Option<PathBuf> {
    user_folder("XDG_DATA_HOME", ".local/share")
}

/// The folder for what can be made again: `$CLAWOS_CACHE`, else `$XDG_CACHE_HOME/clawos`, else `~/.cache/clawos`.
pub fn cache() -> Option<PathBuf> {
    absolute("CLAWOS_CACHE").or_else(|| user_folder("XDG_CACHE_HOME", ".cache"))
}

/// Our folder in the one that the variable `xdg` names, else in `usual` of the user's home.
fn user_folder(xdg: &str, usual: &str) -> Option<PathBuf> {
    let folder = absolute(xdg).or_else(|| absolute("HOME").map(|home| home.join(usual)))?;
    Some(folder.join("clawos"))
}

/// A path in a variable. Relative ones do not count, as the XDG specification says.
fn absolute(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
