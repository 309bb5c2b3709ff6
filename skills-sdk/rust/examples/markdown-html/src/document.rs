//! A parsed document: GitHub-flavoured Markdown as events, its headings and their anchors.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::Heading;

/// The events of a document.
pub(crate) fn parse(markdown: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    Parser::new_ext(markdown, options).collect()
}

/// The headings in order, each with an anchor of its own.
pub(crate) fn headings(events: &[Event<'_>]) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut anchors = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        if let Event::Start(Tag::Heading { level, .. }) = event {
            let text = text_until(&events[at + 1..], |end| matches!(end, TagEnd::Heading(_)));
            let anchor = unique(slug(&text), &mut anchors);
            headings.push(Heading { level: *level as u8, text, anchor });
        }
    }
    headings
}

/// The plain text up to an end tag.
pub(crate) fn text_until(events: &[Event<'_>], is_end: impl Fn(&TagEnd) -> bool) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Event::End(end) if is_end(end) => break,
            Event::Text(part) | Event::Code(part) => text.push_str(part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text.trim().to_owned()
}

/// Letters and digits in lower case, everything else as single dashes.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    if slug.is_empty() { "section".to_owned() } else { slug }
}

/// The slug, with a number if it was there before.
fn unique(slug: String, seen: &mut BTreeMap<String, usize>) -> String {
    let mut anchor = slug.clone();
    while seen.contains_key(&anchor) {
        let times = seen.entry(slug.clone()).or_default();
        *times += 1;
        anchor = format!("{slug}-{times}");
    }
    seen.insert(anchor.clone(), 0);
    anchor
}

#[cfg(test)]
mod tests {
    //! Anchors: readable, and never the same twice.

    use super::*;

    fn anchors(markdown: &str) -> Vec<String> {
        headings(&parse(markdown)).into_iter().map(|heading| heading.anchor).collect()
    }

    #[test]
    fn anchors_are_readable_and_unique() {
        assert_eq!(anchors("# What's `new`?\n\n## Über uns\n\n# !!!"), ["what-s-new", "über-uns", "section"]);
        assert_eq!(anchors("# a\n# a\n# a 1\n# a"), ["a", "a-1", "a-1-1", "a-2"]);
    }

    #[test]
    fn text_is_plain() {
        let headings = headings(&parse("Some *title* with `code`\nand [a link](x)\n==="));
        assert_eq!(headings[0].text, "Some title with code and a link");
        assert_eq!(headings[0].level, 1);
    }
}
