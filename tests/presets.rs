//! Presets as their users meet them: `explain` says of each value where it is from, and the
//! catalogue can be read.

#[path = "common/place.rs"]
mod place;

use place::{Place, code, err, out};

const SMALL: &str = r#"
schema_version = 1
scenario.name = "small"
wan.default.rtt = "20ms"
region = { a = {}, b = {} }
store.s = { primary = "a", standbys = ["b"], replication = { mode = "async" } }

[lease]
preset = "patroni"
voters = ["a", "b"]
renew_interval = "8s"

[clients.app]
region = "b"
writes = { per_second = 1 }
retry = { preset = "aws-sdk", attempts = 5 }
"#;

#[test]
fn explain_shows_of_each_preset_value_which_how_known_and_where_from() {
    let place = Place::new();
    place.file("preset.toml", SMALL);
    let run = place.run(&["explain", "preset.toml"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    let text = out(&run);
    let of = |key: &str, value: &str| {
        let line = text.lines().find(|line| {
            let (left, right) = line.split_once('=').unwrap_or_default();
            left.trim() == key && right.trim_start().starts_with(value)
        });
        line.unwrap_or_else(|| panic!("{key} = {value}\n{text}")).split_once('#').unwrap().1.trim()
    };
    let documented = "preset patroni (documented: docs/dynamic_configuration.rst: ttl)";
    assert_eq!(of("ttl", "\"30s\""), documented);
    assert_eq!(of("renew_interval", "\"8s\""), "preset.toml:11", "what the user wrote is his");
    let quoted = "preset aws-sdk (quoted: standard mode: full jitter)";
    assert_eq!(of("retry.jitter", "\"100%\""), quoted);
    let recalled = "preset aws-sdk (recalled: standard mode: cap)";
    assert_eq!(of("retry.backoff_max", "\"20s\""), recalled);
    assert!(of("retry.attempts", "5").starts_with("preset.toml:"));
    assert!(of("guard", "\"500ms\"").starts_with("default ("), "not of the preset");
}

#[test]
fn every_preset_is_listed_and_shown_with_sources() {
    let place = Place::new();
    let list = out(&place.run(&["preset", "list"]));
    let named =
        |line: &str| line.strip_prefix("  ").map(|l| l.split(' ').next().unwrap().to_string());
    let mut names: Vec<String> = list.lines().filter_map(named).collect();
    names.sort();
    names.dedup();
    assert!(names.len() >= 55, "{}", names.len());
    for name in &names {
        let shown = place.run(&["preset", "show", name]);
        assert_eq!(code(&shown), 0);
        let text = out(&shown);
        assert!(text.contains("Figures of: ") && text.contains(&format!("preset = \"{name}\"")));
        let known = ["documented:", "quoted:", "recalled:", "derived:", "our choice:"];
        let values = text.lines().filter(|line| line.starts_with("  "));
        values.for_each(|line| assert!(known.iter().any(|word| line.contains(word)), "{line}"));
    }
    let wrong = place.run(&["preset", "show", "patrony"]);
    assert_eq!(code(&wrong), 2);
    assert!(err(&wrong).contains("did you mean `patroni`?"), "{}", err(&wrong));
}
