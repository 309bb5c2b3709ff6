//! The endpoint `render`: Markdown to HTML through a sanitiser, so that whatever a document holds, its HTML runs no
//! script, loads no frame, posts no form and styles nothing but the alignment of table cells.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ammonia::{Builder, Url, UrlRelative};
use clawos_skill::SkillError;
use pulldown_cmark::{CowStr, Event, Tag, TagEnd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document;
use crate::outline::{self, Heading};

/// A document to render, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rendering {
    /// Markdown with tables, strikethrough, task lists and (sanitised) HTML.
    #[schemars(length(max = 500_000))]
    pub markdown: String,
    /// What the ids of headings begin with, so that no heading takes a name that the page's scripts use.
    #[serde(default = "prefix")]
    #[schemars(regex(pattern = "^[a-z][a-z0-9-]{0,31}$"))]
    pub anchor_prefix: String,
    /// Whether to keep images; if not, their alternative text stands for them.
    #[serde(default = "yes")]
    pub images: bool,
    /// An absolute URL to which relative links and images are resolved.
    #[serde(default)]
    #[schemars(length(max = 2_000))]
    pub base_url: Option<String>,
}

fn prefix() -> String {
    "section-".to_owned()
}

fn yes() -> bool {
    true
}

/// A rendered document.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Html {
    /// A fragment to put inside an element of a page.
    pub html: String,
    /// The first heading of level 1.
    pub title: Option<String>,
    /// Headings in order.
    pub headings: Vec<Heading>,
}

pub(crate) fn render(input: &Rendering) -> Result<Html, SkillError> {
    let base = input.base_url.as_deref().map(base).transpose()?;
    let events = document::parse(&input.markdown);
    let headings = document::headings(&events);
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, rewrite(events, &headings, input).into_iter());
    Ok(Html { html: sanitise(&html, &headings, input, base), title: outline::title(&headings), headings })
}

fn base(text: &str) -> Result<Url, SkillError> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(_) => Err(SkillError::bad_request("base_url: it must be http or https")),
        Err(error) => Err(SkillError::bad_request(format!("base_url: {error}"))),
    }
}

/// Gives headings their ids, points links inside the document at them, and replaces what the sanitiser would drop.
fn rewrite<'a>(events: Vec<Event<'a>>, headings: &[Heading], input: &Rendering) -> Vec<Event<'a>> {
    let mut anchors = headings.iter().map(|heading| &heading.anchor);
    let known: HashSet<&str> = headings.iter().map(|heading| heading.anchor.as_str()).collect();
    let prefix = &input.anchor_prefix;
    let rewrite = |event| match event {
        Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
            let id = anchors.next().map(|anchor| CowStr::from(format!("{prefix}{anchor}")));
            Some(Event::Start(Tag::Heading { level, id, classes, attrs }))
        }
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let inside = dest_url.strip_prefix('#').filter(|anchor| known.contains(anchor));
            let dest_url = inside.map(|anchor| format!("#{prefix}{anchor}").into()).unwrap_or(dest_url);
            Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) if !input.images => None,
        Event::TaskListMarker(done) => Some(Event::Text(if done { "☑ " } else { "☐ " }.into())),
        event => Some(event),
    };
    events.into_iter().filter_map(rewrite).collect()
}

fn sanitise(html: &str, headings: &[Heading], input: &Rendering, base: Option<Url>) -> String {
    let ids: HashSet<String> =
        headings.iter().map(|heading| format!("{}{}", input.anchor_prefix, heading.anchor)).collect();
    let mut builder = Builder::default();
    let more = ["h1", "h2", "h3", "h4", "h5", "h6"].map(|heading| (heading, ["id"]));
    builder
        .add_tag_attributes("code", ["class"])
        .add_tag_attributes("th", ["style"])
        .add_tag_attributes("td", ["style"])
        .filter_style_properties(HashSet::from(["text-align"]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .allowed_classes(HashMap::new())
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            (_, "id") => ids.contains(value).then_some(Cow::Borrowed(value)),
            ("code", "class") => is_language(value).then_some(Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        });
    for (heading, attributes) in more {
        builder.add_tag_attributes(heading, attributes);
    }
    if !input.images {
        builder.rm_tags(["img"]);
    }
    if let Some(base) = base {
        builder.url_relative(UrlRelative::RewriteWithBase(base));
    }
    builder.clean(html).to_string()
}

/// The class that names a code block's language.
fn is_language(class: &str) -> bool {
    class.strip_prefix("language-").is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_' | '#' | '.'))
    })
}

#[cfg(test)]
mod tests {
    //! What is rendered, and what never gets through.

    use super::*;

    fn html(markdown: &str) -> String {
        render(&input(markdown)).unwrap().html
    }

    fn input(markdown: &str) -> Rendering {
        Rendering { markdown: markdown.to_owned(), anchor_prefix: prefix(), images: true, base_url: None }
    }

    #[test]
    fn markdown_becomes_html() {
        let html = html(
            "# Hi\n\n| a | b |\n|:-|-:|\n| 1 | ~~2~~ |\n\n- [x] done\n\n```rust\nlet a = 1 < 2;\n```\n\n[up](#hi)",
        );
        for part in [
            "<h1 id=\"section-hi\">Hi</h1>",
            "<td style=\"text-align:left\">1</td>",
            "<del>2</del>",
            "<li>☑ done</li>",
            "<pre><code class=\"language-rust\">let a = 1 &lt; 2;\n</code></pre>",
            "<a href=\"#section-hi\" rel=\"noopener noreferrer\">up</a>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }

    #[test]
    fn nothing_that_acts_gets_through() {
        let link = |text: &str| format!("<p><a rel=\"noopener noreferrer\">{text}</a></p>\n");
        for (attack, harmless) in [
            ("<script>alert(1)</script>", String::new()),
            ("<iframe src=https://evil.example></iframe>", String::new()),
            ("<form action=https://evil.example><input name=q></form>", String::new()),
            ("<svg><script>alert(1)</script></svg>", "<p></p>\n".to_owned()),
            ("<!--><script>alert(1)</script>-->", "--&gt;".to_owned()),
            ("<img src=x onerror=alert(1)>", "<img src=\"x\">".to_owned()),
            ("[click](javascript:alert(1))", link("click")),
            ("[click](JaVaScRiPt&colon;alert(1))", link("click")),
            ("<a href=\" &#1; javascript:alert(1)\">x</a>", link("x")),
            ("![x](data:text/html;base64,PHNjcmlwdD4=)", "<p><img alt=\"x\"></p>\n".to_owned()),
            (
                "<math><mtext></mtext><style><img src=x onerror=alert(1)></style></math>",
                "<p><img src=\"x\"></p>\n".to_owned(),
            ),
            ("<td style=\"background:url(javascript:alert(1))\">x</td>", "x".to_owned()),
            ("<h1 id=location class=admin style=\"position:fixed\" onclick=alert(1)>x</h1>", "<h1>x</h1>".to_owned()),
            ("```\" onmouseover=alert(1)\nx\n```", "<pre><code>x\n</code></pre>\n".to_owned()),
        ] {
            assert_eq!(html(attack), harmless, "{attack}");
        }
    }

    #[test]
    fn images_and_relative_links_follow_the_options() {
        let mut options = input("![a cat](cat.png) [doc](../b.md)");
        assert!(render(&options).unwrap().html.contains("<img src=\"cat.png\" alt=\"a cat\""));
        options.images = false;
        options.base_url = Some("https://x.org/docs/a/".to_owned());
        let html = render(&options).unwrap().html;
        assert!(html.contains("<p>a cat <a href=\"https://x.org/docs/b.md\""), "{html}");
        for wrong in ["", "not a url", "file:///etc/", "javascript:alert(1)"] {
            options.base_url = Some(wrong.to_owned());
            assert!(render(&options).is_err(), "{wrong}");
        }
    }

    #[test]
    fn deep_nesting_and_broken_html_are_answered() {
        assert!(html(&format!("{} deep", ">".repeat(2_000))).contains("deep"));
        assert!(html(&"[".repeat(5_000)).contains('['));
        assert!(html("<b><i>x</b>").contains("<b><i>x</i></b>"));
        assert_eq!(html(""), "");
    }
}
