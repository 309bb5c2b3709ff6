//! A JSON Schema for people: one line for each field, nested fields below their own.

use serde_json::{Map, Value};

use crate::output::one_line;

/// How deep fields are followed; `--json` shows the whole schema.
const MAX_DEPTH: usize = 4;
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

/// The fields of `schema`, indented by so many spaces. Required ones have a star.
pub fn describe(schema: &Value, indent: usize) -> String {
    let mut lines = Vec::new();
    let value = resolve(schema, schema);
    if !fields(schema, value, indent, MAX_DEPTH, &mut lines) {
        lines.push(format!("{:indent$}{}", "", type_of(schema, value)));
    }
    lines.iter().map(|line| format!("{}\n", one_line(line))).collect()
}

/// Adds a line for each field of an object, or of an array's items; false where there are none.
fn fields(root: &Value, schema: &Value, indent: usize, depth: usize, lines: &mut Vec<String>) -> bool {
    let schema = schema.get("items").map_or(schema, |items| resolve(root, items));
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|_| depth > 0) else {
        return false;
    };
    let required = schema.get("required").and_then(Value::as_array);
    for (name, field) in properties {
        let field_schema = resolve(root, field);
        let star = if required.is_some_and(|names| names.iter().any(|known| known == name)) { "*" } else { "" };
        let about = field.get("description").or(field_schema.get("description")).and_then(Value::as_str);
        let about = about.map_or_else(String::new, |about| format!("  {about}"));
        lines.push(format!("{:indent$}{name}{star}  {}{about}", "", type_of(root, field_schema)));
        fields(root, field_schema, indent + 2, depth - 1, lines);
    }
    !properties.is_empty()
}

/// `string, at most 100 characters`.
fn type_of(root: &Value, schema: &Value) -> String {
    let mut parts = vec![type_name(root, schema, MAX_DEPTH)];
    for (keyword, words) in BOUNDS {
        parts.extend(schema.get(keyword).map(|bound| words.replace("{}", &bound.to_string())));
    }
    parts.join(", ")
}

fn type_name(root: &Value, schema: &Value, depth: usize) -> String {
    let Some(schema) = schema.as_object().filter(|_| depth > 0) else { return "anything".to_owned() };
    let listed = |values: &Value| values.as_array().map(|values| join(values.iter().map(Value::to_string)));
    let any = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(*keyword)?.as_array());
    let any = any.map(|all| join(all.iter().map(|one| type_name(root, resolve(root, one), depth - 1))));
    let constant = schema.get("const").map(Value::to_string);
    let named = || match schema.get("type")? {
        Value::String(name) if name == "array" => Some(array(root, schema, depth)),
        Value::String(name) => Some(name.clone()),
        names => names.as_array().map(|names| join(names.iter().filter_map(Value::as_str).map(str::to_owned))),
    };
    constant.or_else(|| listed(schema.get("enum")?)).or(any).or_else(named).unwrap_or_else(|| "anything".to_owned())
}

fn array(root: &Value, schema: &Map<String, Value>, depth: usize) -> String {
    let item = schema.get("items").map(|items| type_name(root, resolve(root, items), depth - 1));
    item.map_or_else(|| "array".to_owned(), |item| format!("array of {item}"))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" or ")
}

/// The schema that a local `$ref` leads to.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|place| root.pointer(place.strip_prefix('#')?));
    target.unwrap_or(schema)
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
}
