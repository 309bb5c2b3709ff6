//! The endpoint `outline`: what a document consists of.

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document;

/// A document.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Markdown {
    /// Markdown with tables, strikethrough and task lists.
    #[schemars(length(max = 500_000))]
    pub markdown: String,
}

/// What a document consists of.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outline {
    /// The first heading of level 1.
    pub title: Option<String>,
    /// Headings in order.
    pub headings: Vec<Heading>,
    /// Links in order.
    pub links: Vec<Link>,
    /// Images in order; their text is the alternative text.
    pub images: Vec<Link>,
    /// Code blocks in order.
    pub code_blocks: Vec<CodeBlock>,
    /// Words outside code blocks.
    pub words: usize,
}

/// A heading.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Heading {
    /// 1 to 6.
    #[schemars(range(min = 1, max = 6))]
    pub level: u8,
    /// Its text without markup.
    pub text: String,
    /// Its name in links, unique in the document; the HTML has it after the prefix.
    pub anchor: String,
}

/// A link or an image.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Link {
    /// Where to, as written.
    pub url: String,
    /// Its text without markup.
    pub text: String,
}

/// A code block.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CodeBlock {
    /// The language it is said to be in.
    pub language: Option<String>,
    /// How many lines it has.
    pub lines: usize,
}

pub(crate) fn outline(markdown: &str) -> Outline {
    let events = document::parse(markdown);
    let headings = document::headings(&events);
    let mut outline = Outline {
        title: title(&headings),
        headings,
        links: Vec::new(),
        images: Vec::new(),
        code_blocks: Vec::new(),
        words: 0,
    };
    let mut in_code = false;
    for (at, event) in events.iter().enumerate() {
        let rest = &events[at + 1..];
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => outline
                .links
                .push(Link { url: dest_url.to_string(), text: document::text_until(rest, |end| *end == TagEnd::Link) }),
            Event::Start(Tag::Image { dest_url, .. }) => outline.images.push(Link {
                url: dest_url.to_string(),
                text: document::text_until(rest, |end| *end == TagEnd::Image),
            }),
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                outline.code_blocks.push(CodeBlock { language: language(kind), lines: 0 });
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if in_code => {
                if let Some(block) = outline.code_blocks.last_mut() {
                    block.lines += text.lines().count();
                }
            }
            Event::Text(text) | Event::Code(text) => outline.words += text.split_whitespace().count(),
            _ => {}
        }
    }
    outline
}

/// The first heading of level 1.
pub(crate) fn title(headings: &[Heading]) -> Option<String> {
    let first = headings.iter().find(|heading| heading.level == 1);
    first.map(|heading| heading.text.clone())
}

fn language(kind: &CodeBlockKind<'_>) -> Option<String> {
    match kind {
        CodeBlockKind::Fenced(info) => info.split([' ', ',']).find(|word| !word.is_empty()).map(str::to_owned),
        CodeBlockKind::Indented => None,
    }
}

#[cfg(test)]
mod tests {
    //! One document with everything in it, and an empty one.

    use super::*;

    #[test]
    fn everything_is_listed() {
        let text = "# Title\n\nSee [the *docs*](https://x.org) and ![a cat](cat.png).\n\n## Code\n\n```rust,ignore\nfn a() {}\n\nb\n```\n\n    indented\n";
        let outline = outline(text);
        assert_eq!(outline.title.as_deref(), Some("Title"));
        assert_eq!(outline.headings.len(), 2);
        assert_eq!(outline.links, [Link { url: "https://x.org".to_owned(), text: "the docs".to_owned() }]);
        assert_eq!(outline.images, [Link { url: "cat.png".to_owned(), text: "a cat".to_owned() }]);
        assert_eq!(
            outline.code_blocks,
            [CodeBlock { language: Some("rust".to_owned()), lines: 3 }, CodeBlock { language: None, lines: 1 }]
        );
        assert_eq!(outline.words, 9);
    }

    #[test]
    fn an_empty_document_has_nothing() {
        let outline = outline("");
        assert_eq!((outline.title, outline.words, outline.headings.len()), (None, 0, 0));
    }
}
