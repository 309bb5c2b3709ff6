//! A JSON Schema for people: one line for each field, nested fields below their own. A few kilobytes of references to one
//! another can name billions of fields, so what is written is bounded in depth, in lines, and in each line.

use serde_json::{Map, Value};

use crate::output::one_line;

/// How deep fields are followed; `--json` shows the whole schema.
const MAX_DEPTH: usize = 4;
/// The most lines of one schema.
const MAX_LINES: usize = 100;
/// The most alternatives that one line names, those of alternatives included.
const MAX_ALTERNATIVES: usize = 32;
/// The longest line, in characters.
const MAX_LINE_CHARS: usize = 1_000;
/// The keywords that bound a value, with how they are read.
const BOUNDS: [(&str, &str); 8] = [
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minimum", "from {}"),
    ("maximum", "to {}"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("default", "default {}"),
    ("pattern", "matching {}"),
];

/// The fields of `schema`, indented by so many spaces. Required ones have a star. The last line says so where there are more
/// fields than are shown.
pub fn describe(schema: &Value, indent: usize) -> String {
    let mut text = Description { root: schema, lines: Vec::new(), whole: true };
    let value = text.resolve(schema);
    if !text.fields(value, indent, MAX_DEPTH) {
        let line = format!("{:indent$}{}", "", text.type_of(value));
        text.add(line);
    }
    if !text.whole {
        text.lines.push(format!("{:indent$}… and more fields: --json prints the whole schema", ""));
    }
    text.lines.iter().map(|line| format!("{}\n", one_line(line))).collect()
}

/// A schema that is being described.
struct Description<'a> {
    /// What references lead into.
    root: &'a Value,
    lines: Vec<String>,
    /// Whether every field has its line.
    whole: bool,
}

impl<'a> Description<'a> {
    /// Adds a line for each field of an object, or of an array's items; false where there are none.
    fn fields(&mut self, schema: &'a Value, indent: usize, depth: usize) -> bool {
        let schema = schema.get("items").map_or(schema, |items| self.resolve(items));
        let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|_| depth > 0) else {
            return false;
        };
        let required = schema.get("required").and_then(Value::as_array);
        for (name, field) in properties {
            let field_schema = self.resolve(field);
            let star = if required.is_some_and(|names| names.iter().any(|known| known == name)) { "*" } else { "" };
            let about = field.get("description").or(field_schema.get("description")).and_then(Value::as_str);
            let about = about.map_or_else(String::new, |about| format!("  {about}"));
            let line = format!("{:indent$}{name}{star}  {}{about}", "", self.type_of(field_schema));
            if !self.add(line) {
                break;
            }
            self.fields(field_schema, indent + 2, depth - 1);
        }
        !properties.is_empty()
    }

    /// Adds a line; false where there are enough.
    fn add(&mut self, mut line: String) -> bool {
        self.whole &= self.lines.len() < MAX_LINES;
        if self.whole {
            if let Some((end, _)) = line.char_indices().nth(MAX_LINE_CHARS) {
                line.truncate(end);
                line.push('…');
            }
            self.lines.push(line);
        }
        self.whole
    }

    /// `string, at most 100 characters`.
    fn type_of(&self, schema: &'a Value) -> String {
        let mut left = MAX_ALTERNATIVES;
        let mut parts = vec![self.type_name(schema, MAX_DEPTH, &mut left)];
        for (keyword, words) in BOUNDS {
            parts.extend(schema.get(keyword).map(|bound| words.replace("{}", &bound.to_string())));
        }
        parts.join(", ")
    }

    /// The name of a type, with as many alternatives as are `left` to the line.
    fn type_name(&self, schema: &'a Value, depth: usize, left: &mut usize) -> String {
        let Some(schema) = schema.as_object().filter(|_| depth > 0) else { return "anything".to_owned() };
        if let Some(constant) = schema.get("const") {
            return constant.to_string();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return any_of(values, left, |value, _| value.to_string());
        }
        if let Some(all) = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(*keyword)?.as_array()) {
            return any_of(all, left, |one, left| self.type_name(self.resolve(one), depth - 1, left));
        }
        match schema.get("type") {
            Some(Value::String(name)) if name == "array" => self.array(schema, depth, left),
            Some(Value::String(name)) => name.clone(),
            Some(Value::Array(names)) => any_of(names, left, |name, _| name.as_str().unwrap_or("anything").to_owned()),
            _ => "anything".to_owned(),
        }
    }

    fn array(&self, schema: &'a Map<String, Value>, depth: usize, left: &mut usize) -> String {
        let item = schema.get("items").map(|items| self.type_name(self.resolve(items), depth - 1, left));
        item.map_or_else(|| "array".to_owned(), |item| format!("array of {item}"))
    }

    /// The schema that a local `$ref` leads to.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let place = schema.get("$ref").and_then(Value::as_str);
        let target = place.and_then(|place| self.root.pointer(place.strip_prefix('#')?));
        target.unwrap_or(schema)
    }
}

/// `a or b`, as many as are `left`, each by its name.
fn any_of<'a>(all: &'a [Value], left: &mut usize, name: impl Fn(&'a Value, &mut usize) -> String) -> String {
    let mut names = Vec::new();
    for one in all {
        if *left == 0 {
            names.push("…".to_owned());
            break;
        }
        *left -= 1;
        names.push(name(one, left));
    }
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_listed_with_types_bounds_and_words() {
        let schema = json!({
            "type": "object",
            "required": ["text", "rows"],
            "properties": {
                "text": { "type": "string", "maxLength": 100, "description": "The text." },
                "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 5 },
                "mode": { "enum": ["fast", "slow"] },
                "rows": { "type": "array", "items": { "$ref": "#/$defs/Row" } },
                "any": true,
            },
            "$defs": { "Row": { "type": "object", "properties": { "name": { "type": "string" } } } },
        });
        let expected = [
            "  any  anything",
            "  limit  integer or null, from 1, to 9, default 5",
            "  mode  \"fast\" or \"slow\"",
            "  rows*  array of object",
            "    name  string",
            "  text*  string, at most 100 characters  The text.",
        ];
        let mut lines: Vec<String> = describe(&schema, 2).lines().map(str::to_owned).collect();
        // The order of an object's members is that of the server.
        let rows = lines.iter().position(|line| line.contains("rows*")).expect("a field");
        assert_eq!(lines[rows + 1], "    name  string");
        lines.sort_by_key(|line| line.trim().to_owned());
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_by_key(|line| line.trim().to_owned());
        assert_eq!(lines, expected);
    }

    #[test]
    fn schemas_of_other_kinds_and_of_themselves_end() {
        assert_eq!(describe(&json!({ "type": "string" }), 0), "string\n");
        assert_eq!(describe(&json!(true), 0), "anything\n");
        let endless = json!({ "type": "object", "properties": { "next": { "$ref": "#" } } });
        assert_eq!(describe(&endless, 0).lines().count(), MAX_DEPTH);
        let hostile = json!({ "type": "object", "properties": { "a\nok": { "type": "string" } } });
        assert_eq!(describe(&hostile, 0).lines().count(), 1);
    }

    #[test]
    fn a_small_schema_with_billions_of_fields_has_few_lines() {
        let fields = |to: &str| (0..200).map(|n| (format!("f{n}"), json!({ "$ref": to }))).collect::<Map<_, _>>();
        let fan = json!({ "type": "object", "properties": fields("#") });
        assert!(fan.to_string().len() < 5_000);
        let shown = describe(&fan, 4);
        assert_eq!(shown.lines().count(), MAX_LINES + 1);
        assert!(shown.ends_with("    … and more fields: --json prints the whole schema\n"), "{shown}");

        let exactly =
            json!({ "properties": (0..MAX_LINES).map(|n| (n.to_string(), json!({}))).collect::<Map<_, _>>() });
        let shown = describe(&exactly, 0);
        assert!(shown.lines().count() == MAX_LINES && !shown.contains('…'), "{shown}");
    }

    #[test]
    fn alternatives_of_alternatives_are_one_line_of_bounded_length() {
        let again = vec![json!({ "$ref": "#/$defs/any" }); 200];
        let any = json!({ "$ref": "#/$defs/any", "$defs": { "any": { "anyOf": again } } });
        let nested =
            json!({ "properties": { "x": { "$ref": "#/$defs/any" } }, "$defs": { "any": { "oneOf": again } } });
        for schema in [&any, &nested, &json!({ "enum": vec!["word"; 1_000] }), &json!({ "const": "x".repeat(5_000) })] {
            let shown = describe(schema, 0);
            assert_eq!(shown.lines().count(), 1);
            assert!(shown.chars().count() <= MAX_LINE_CHARS + 2 && shown.contains('…'), "{shown}");
        }
    }
}
