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
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(config.join("clawos"))
}
