//! The form of an SPDX licence expression: identifiers joined by AND, OR and WITH, with parentheses.
//!
//! Only the form is checked: the list of identifiers grows, and an unknown one harms nobody.

/// Whether `text` has the form of an SPDX licence expression, such as `MIT`, `GPL-2.0-or-later WITH Classpath-exception-2.0`
/// or `(MIT OR Apache-2.0) AND LicenseRef-Data`.
pub fn is_spdx_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut open = 0_usize;
    let mut after_operand = false;
    let mut after_with = false;
    for word in spaced.split(' ').filter(|word| !word.is_empty()) {
        let fits = match word {
            "(" => {
                open += 1;
                !after_operand && !after_with
            }
            ")" => {
                let closes = open > 0 && after_operand;
                open = open.saturating_sub(1);
                closes
            }
            "AND" | "OR" => std::mem::take(&mut after_operand),
            "WITH" => {
                after_with = true;
                std::mem::take(&mut after_operand)
            }
            identifier => {
                let fits = !after_operand && is_identifier(identifier, after_with);
                (after_operand, after_with) = (true, false);
                fits
            }
        };
        if !fits {
            return false;
        }
    }
    open == 0 && after_operand
}

/// A licence (which may end in `+`) or, after WITH, an exception.
fn is_identifier(word: &str, exception: bool) -> bool {
    let base = if exception { word } else { word.strip_suffix('+').unwrap_or(word) };
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !base.is_empty() && base.bytes().all(letters) && !["and", "or", "with"].contains(&base)
}

#[cfg(test)]
mod tests {
    use super::is_spdx_expression;

    #[test]
    fn expressions_are_known_by_their_form() {
        for good in [
            "MIT",
            "Apache-2.0",
            "GPL-2.0+",
            "MIT OR Apache-2.0",
            "(MIT OR Apache-2.0) AND BSD-3-Clause",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "LicenseRef-Proprietary",
            "((MIT))",
        ] {
            assert!(is_spdx_expression(good), "{good}");
        }
        for bad in [
            "",
            " ",
            "MIT License",
            "MIT/Apache-2.0",
            "MIT OR",
            "OR MIT",
            "(MIT",
            "MIT)",
            "()",
            "MIT AND OR ISC",
            "MIT or ISC",
            "WITH X",
            "MIT WITH (X)",
            "MIT WITH",
            "MIT (ISC)",
            "M!T",
            "(MIT AND) ISC",
            "MIT WITH AND",
        ] {
            assert!(!is_spdx_expression(bad), "{bad}");
        }
    }
}
