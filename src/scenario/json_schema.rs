//! The JSON Schema of a scenario file, from the declarations: for editors that complete and
//! check TOML by it.

use super::presets;
use super::schema::{SCHEMA_VERSION, Shape, TABLES};
use crate::sim::dist::{COMMON_KEYS, FORMS};
use crate::sim::param::{Arm, Field, Kind};
use crate::world::fault::FaultParams;
use crate::world::operator::ActionParams;
use serde_json::{Map, Value, json};

/// The schema (draft 2020-12).
pub fn json_schema() -> Value {
    let mut properties = Map::new();
    properties.insert("schema_version".into(), json!({ "const": SCHEMA_VERSION }));
    for table in TABLES {
        let own = with_presets(table.key, object((table.fields)(), &[]));
        let schema = match table.shape {
            Shape::One => own,
            Shape::Named => json!({ "type": "object", "additionalProperties": own }),
            Shape::Either => either(own),
            Shape::List => {
                let (tag, arms) = match table.key {
                    "operator" => (ActionParams::TAG, ActionParams::ARMS),
                    _ => (FaultParams::TAG, FaultParams::ARMS),
                };
                json!({ "type": "array", "items": one_of((table.fields)(), tag, arms) })
            }
        };
        let schema = with_presets_of_faults(table.key, schema);
        properties.insert(table.key.into(), described(schema, table.doc));
    }
    let limits = json!({
        "type": "object",
        "description": "Expectations: a metric, and limits such as \"p95 < 110s\".",
        "additionalProperties": {
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        }
    });
    properties.insert("expect".into(), limits);
    let variants = json!({
        "type": "object",
        "description": "Variants: what differs, as dotted keys.",
        "additionalProperties": { "type": "object" }
    });
    properties.insert("variant".into(), variants);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "regionsim scenario",
        "type": "object",
        "properties": properties,
        "required": ["schema_version", "scenario"],
        "additionalProperties": false,
        "$defs": definitions()
    })
}

/// A preset may stand in a table, or in a table of it; what it states is not required then.
fn with_presets(key: &str, mut own: Value) -> Value {
    for spot in presets::SPOTS {
        if let Some(inner) = spot.strip_prefix(key).and_then(|rest| rest.strip_prefix('.')) {
            let schema = own["properties"][inner].take();
            own["properties"][inner] = with_preset(spot, schema);
        }
    }
    if presets::SPOTS.contains(&key) { with_preset(key, own) } else { own }
}

fn with_preset(spot: &str, mut schema: Value) -> Value {
    let names = json!({ "enum": presets::names_for(spot) });
    if let Some(arms) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        arms.push(json!({
            "type": "object",
            "description": "A preset, and what differs from it.",
            "properties": { "preset": names },
            "required": ["preset"]
        }));
        return schema;
    }
    schema["properties"]["preset"] = names;
    if spot == "store.guard"
        && let Some(table) = schema.as_object_mut()
        && let Some(required) = table.remove("required")
    {
        table.insert("anyOf".into(), json!([{ "required": required }, { "required": ["preset"] }]));
    }
    schema
}

fn with_presets_of_faults(key: &str, mut schema: Value) -> Value {
    if key == "fault"
        && let Some(arms) = schema["items"]["oneOf"].as_array_mut()
    {
        for arm in arms {
            arm["properties"]["preset"] = json!({ "enum": presets::names_for(key) });
        }
    }
    schema
}

fn definitions() -> Value {
    let number = "[0-9][0-9_]*(\\.[0-9_]*)?";
    let quantity = |units: &str, example: &str| json!({ "type": "string", "pattern": format!("^ *{number} *({units}) *$"), "examples": [example] });
    let mut forms = Vec::new();
    for form in FORMS {
        let mut properties = Map::new();
        for key in COMMON_KEYS.iter().chain(form.keys) {
            properties.insert((*key).into(), json!({}));
        }
        properties.insert("dist".into(), json!({ "const": form.name }));
        forms.push(json!({
            "type": "object",
            "description": format!("Takes {}.", form.takes),
            "properties": properties,
            "required": ["dist"]
        }));
    }
    let mut distribution = vec![json!({ "$ref": "#/$defs/duration" })];
    distribution.extend(forms);
    json!({
        "duration": quantity("ns|us|µs|ms|s|m|h|d", "150ms"),
        "share": quantity("%", "0.5%"),
        "size": quantity("B|KB|kB|MB|GB|TB|KiB|MiB|GiB", "2KB"),
        "bandwidth": quantity("bps|Kbps|kbps|Mbps|Gbps|Tbps", "1Gbps"),
        "distribution": { "anyOf": distribution }
    })
}

fn of(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int => json!({ "type": "integer", "minimum": 0 }),
        Kind::Float => json!({ "type": "number" }),
        Kind::Span => json!({ "$ref": "#/$defs/duration" }),
        Kind::Share => json!({ "$ref": "#/$defs/share" }),
        Kind::Bytes => json!({ "$ref": "#/$defs/size" }),
        Kind::Bandwidth => json!({ "$ref": "#/$defs/bandwidth" }),
        Kind::Dist => json!({ "$ref": "#/$defs/distribution" }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Name | Kind::Text => json!({ "type": "string" }),
        Kind::List(inner) => json!({ "type": "array", "items": of(inner) }),
        Kind::OneOrMore(inner) => {
            json!({ "anyOf": [of(inner), { "type": "array", "items": of(inner) }] })
        }
        Kind::Table(fields) => object(fields, &[]),
        Kind::ByName(fields) => {
            json!({ "type": "object", "additionalProperties": object(fields, &[]) })
        }
        Kind::Tagged(tag, arms) => json!({ "oneOf": arms_of(tag, arms) }),
        Kind::Other(text) => json!({ "description": text }),
    }
}

fn arms_of(tag: &str, arms: &[Arm]) -> Vec<Value> {
    let one = |arm: &Arm| {
        let body = if tag.is_empty() {
            json!({
                "type": "object",
                "properties": { arm.word: object((arm.fields)(), &[]) },
                "required": [arm.word],
                "additionalProperties": false
            })
        } else {
            object((arm.fields)(), &[(tag, arm.word)])
        };
        described(body, arm.doc)
    };
    arms.iter().map(one).collect()
}

/// A fault: the keys of every fault and those of its kind in one table.
fn one_of(common: &'static [Field], tag: &str, arms: &[Arm]) -> Value {
    let one = |arm: &Arm| {
        let fields: Vec<&Field> = common.iter().chain((arm.fields)()).collect();
        described(object_of(&fields, &[(tag, arm.word)]), arm.doc)
    };
    let arms: Vec<Value> = arms.iter().map(one).collect();
    json!({ "oneOf": arms })
}

/// A table without a name, or tables by name, or both.
fn either(own: Value) -> Value {
    let mut unnamed = own.clone();
    if let Some(table) = unnamed.as_object_mut() {
        table.remove("required");
        table.insert("additionalProperties".into(), own);
    }
    unnamed
}

fn object(fields: &'static [Field], constants: &[(&str, &str)]) -> Value {
    object_of(&fields.iter().collect::<Vec<_>>(), constants)
}

fn object_of(fields: &[&Field], constants: &[(&str, &str)]) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for (key, word) in constants {
        properties.insert((*key).into(), json!({ "const": word }));
        required.push(key);
    }
    for field in fields {
        let mut schema = described(of(&(field.kind)()), field.doc);
        match (field.default)() {
            None => required.push(field.name),
            Some(default) if !default.is_empty() => {
                if let Some(table) = schema.as_object_mut() {
                    table.insert("default".into(), default_value(&default));
                }
            }
            Some(_) => {}
        }
        properties.insert(field.name.into(), schema);
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false
    })
}

/// A default as JSON; tables as the text one would write.
fn default_value(shown: &str) -> Value {
    serde_json::from_str(shown).unwrap_or_else(|_| Value::String(shown.to_string()))
}

fn described(mut schema: Value, doc: &str) -> Value {
    if let Some(table) = schema.as_object_mut() {
        table.insert(
            "description".into(),
            doc.split_whitespace().collect::<Vec<_>>().join(" ").into(),
        );
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_every_table_and_its_defaults() {
        let schema = json_schema();
        let keys: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = super::super::schema::TOP.to_vec();
        let mut found = keys.clone();
        known.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, known);
        let lease = &schema["properties"]["lease"]["properties"];
        assert_eq!(lease["ttl"]["default"], json!("30s"));
        assert_eq!(lease["enforced_by"]["enum"][0], json!("database"));
        let faults = schema["properties"]["fault"]["items"]["oneOf"].as_array().unwrap();
        assert_eq!(faults.len(), FaultParams::WORDS.len());
        assert!(faults[0]["properties"]["at"].is_object());
    }
}
