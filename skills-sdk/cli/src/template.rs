//! The files of a new skill project: those of its language's template, with what depends on the project filled in.

use crate::language::Language;

/// The files of a template, as paths and texts. `{{publisher}}`, `{{name}}`, `{{type}}` (the name as a type's, such as
/// `WordCount`) and `{{sdk}}` are filled in; an ending `.tmpl` hides a file from the tools of this repository.
pub type Template = &'static [(&'static str, &'static str)];

/// All files of a new project of skill `publisher.name`, as paths and texts.
pub fn files(language: &Language, publisher: &str, name: &str) -> Vec<(String, String)> {
    let (sdk, type_name) = (language.sdk.name(language), type_name(name));
    let fill = |text: &str| {
        let text = text.replace("{{publisher}}", publisher).replace("{{name}}", name);
        text.replace("{{type}}", &type_name).replace("{{sdk}}", &sdk)
    };
    language.template.iter().map(|(path, text)| (place(path), fill(text))).collect()
}

/// Where a template's file goes in the project.
fn place(path: &str) -> String {
    match path.trim_end_matches(".tmpl") {
        "gitignore" => ".gitignore".to_owned(),
        path => path.to_owned(),
    }
}

/// `word-count` as `WordCount`. `Self` is a word of the language, and so gets an ending.
fn type_name(name: &str) -> String {
    let words = name.split('-').filter_map(|word| {
        let mut letters = word.chars();
        Some(letters.next()?.to_ascii_uppercase().to_string() + letters.as_str())
    });
    match words.collect::<String>() {
        reserved if reserved == "Self" => "SelfSkill".to_owned(),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    //! Nothing is left to fill in. That a new project builds is tested end to end.

    use super::*;
    use crate::language::LANGUAGES;
    use crate::sdk::named_in;

    #[test]
    fn the_files_of_a_new_project_name_it_and_its_sdk() {
        let language = &LANGUAGES[0];
        let files = files(language, "acme", "unit-convert");
        let text = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.clone());
        let manifest = clawos_manifest::Manifest::parse(&text("skill.toml").unwrap()).unwrap();
        let mut read = |path: &str| Ok(text(path).ok_or(std::io::ErrorKind::NotFound)?.into_bytes());
        let resolved = manifest.resolve(&mut read).unwrap();
        assert_eq!(resolved.skill.id, "acme.unit-convert");
        assert!(text("src/lib.rs").unwrap().contains("impl UnitConvert {"));
        assert_eq!(named_in(&text("Cargo.toml").unwrap()), Some(language.sdk.name(language).as_str()));
        assert!(text(".gitignore").unwrap().contains("/.clawos/"), "the link to the SDK is this machine's");
        assert!(files.iter().all(|(path, text)| !text.contains("{{") && !path.ends_with(".tmpl")));
    }

    #[test]
    fn names_become_names_of_types() {
        let cases = [("word-count", "WordCount"), ("x2-y", "X2Y"), ("a--b", "AB"), ("self", "SelfSkill")];
        for (name, expected) in cases {
            assert_eq!(type_name(name), expected);
        }
    }
}
