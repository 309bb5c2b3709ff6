//! Markdown to HTML that is safe to put on a page, and a document's outline.

mod document;
mod outline;
mod render;

use clawos_skill::{SkillError, skill};

pub use outline::{CodeBlock, Heading, Link, Markdown, Outline};
pub use render::{Html, Rendering};

/// The skill.
pub struct MarkdownHtml;

#[skill]
impl MarkdownHtml {
    /// Renders a document to sanitised HTML.
    pub fn render(input: Rendering) -> Result<Html, SkillError> {
        render::render(&input)
    }

    /// Lists a document's headings, links and code blocks.
    pub fn outline(input: Markdown) -> Result<Outline, SkillError> {
        Ok(outline::outline(&input.markdown))
    }
}

#[cfg(test)]
mod tests {
    //! The committed files say what the code does.

    #[test]
    fn files_match_the_code() {
        clawos_skill::testing::check::<super::MarkdownHtml>(env!("CARGO_MANIFEST_DIR"));
    }
}
