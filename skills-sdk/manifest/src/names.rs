//! Names: publisher handles, skill ids, endpoint names. The patterns are the JSON Schema's; the functions say the same.

/// A publisher's handle: 3 to 32 characters.
pub const HANDLE_PATTERN: &str = "^[a-z][a-z0-9-]{1,30}[a-z0-9]$";
/// A skill's id: handle, a dot, and a name of 2 to 64 characters.
pub const SKILL_ID_PATTERN: &str = "^[a-z][a-z0-9-]{1,30}[a-z0-9]\\.[a-z][a-z0-9-]{0,62}[a-z0-9]$";
/// An endpoint's name: 1 to 64 characters.
pub const ENDPOINT_PATTERN: &str = "^[a-z][a-z0-9_-]{0,63}$";
/// A tag: 1 to 32 characters.
pub const TAG_PATTERN: &str = "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$";
/// A semantic version without build metadata, since builds do not order.
pub const VERSION_PATTERN: &str =
    "^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?$";
/// A host name, lower case, at least two labels, no port.
pub const HOST_PATTERN: &str = "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$";
/// An http or https address of visible ASCII characters.
pub const URL_PATTERN: &str = "^https?://[!-~]+$";

/// Whether `text` is a publisher's handle.
pub fn is_handle(text: &str) -> bool {
    is_name(text, 3, 32)
}

/// Whether `text` is a skill's id.
pub fn is_skill_id(text: &str) -> bool {
    text.split_once('.').is_some_and(|(handle, name)| is_handle(handle) && is_name(name, 2, 64))
}

/// Whether `text` is an endpoint's name.
pub fn is_endpoint_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&text.len())
        && text.bytes().all(letter)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// The publisher's handle in a skill's id; `None` when `text` is not an id.
pub fn publisher_of(text: &str) -> Option<&str> {
    is_skill_id(text).then(|| text.split('.').next()).flatten()
}

/// Lower-case letters, digits and inner hyphens, beginning with a letter.
fn is_name(text: &str, min: usize, max: usize) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (min..=max).contains(&text.len())
        && letters
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
}
