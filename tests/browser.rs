//! The pages in a browser: nothing it complains of, nothing it asks of the network, numbers as in the
//! results, lanes that change with the trial that is picked. Pictures for a person are written to
//! `target/pages`.
//!
//! Needs Chromium (Debian: `chromium`); `CHROMIUM=path` says where. Where there is none the tests say
//! so and end.

use regionsim::measure::{MetricKey, Unit};
use regionsim::report::number;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the browser is.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let found = std::env::split_paths(&paths).flat_map(|dir| names.map(|name| dir.join(name)));
    let found = named.into_iter().chain(found).find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: no chromium on this machine (CHROMIUM=path says where it is)");
    }
    found
}

/// Results with their page, in a folder of their own.
struct Results(tempfile::TempDir);

impl Results {
    fn of(args: &[&str]) -> Results {
        let folder = tempfile::tempdir().unwrap();
        let more = ["--html", "--quiet", "--out", folder.path().to_str().unwrap()];
        let run = Command::new(env!("CARGO_BIN_EXE_regionsim")).args(args).args(more).output();
        let run = run.unwrap();
        assert!(run.status.code().is_some_and(|code| code < 4), "{run:?}");
        Results(folder)
    }
    fn folder(&self) -> PathBuf {
        fs::read_dir(self.0.path()).unwrap().next().unwrap().unwrap().path()
    }
    fn page(&self) -> PathBuf {
        self.folder().join("report.html")
    }
    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.folder().join(file)).unwrap()).unwrap()
    }
}

/// Lets the browser do something with a file.
fn browse(browser: &Path, args: &[&str], file: &Path) -> Output {
    let profile = tempfile::tempdir().unwrap();
    let profile = format!("--user-data-dir={}", profile.path().display());
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
    ]);
    command.args([
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]);
    command.args(["--disable-dev-shm-usage", &profile]).args(args);
    command.arg(format!("file://{}", file.display())).output().expect("the browser can be started")
}

/// Listens before anything else on the page does.
const LISTEN: &str = "<script>window.bad = [];\
    addEventListener('error', e => bad.push('error: ' + e.message));\
    addEventListener('securitypolicyviolation', e => bad.push('network: ' + e.blockedURI));\
    for (const kind of ['error', 'warn']) console[kind] = (...said) => bad.push(kind + ': ' + said);\
    </script>";

/// What is asked of the page once it is there: every number, what is seen, and what changes.
const ASK: &str = r#"<script>(() => {
  const all = query => [...document.querySelectorAll(query)];
  const seen = one => one.getBoundingClientRect().height > 0;
  const lanes = () => all('.view').filter(seen).map(one => one.outerHTML.length + one.closest('figure').textContent.slice(0, 40));
  const of = one => { const part = one.closest('[data-design]'); return part ? part.dataset.design : null; };
  const out = {
    blocks: all('section').filter(seen).map(one => one.id),
    numbers: all('data').map(one => [of(one), one.dataset.metric, one.dataset.of, one.getAttribute('value'), one.textContent]),
    requests: performance.getEntriesByType('resource').length,
    wider: document.documentElement.scrollWidth > innerWidth + 1,
  };
  const pick = document.getElementById('trial'), zoom = document.getElementById('zoom');
  if (pick) {
    const change = (what, set) => { set(what); what.dispatchEvent(new Event('change')); return lanes(); };
    out.first = lanes();
    out.other = change(pick, one => { one.selectedIndex = 1; });
    out.back = change(pick, one => { one.selectedIndex = 0; });
    if (zoom) out.afar = change(zoom, one => { one.checked = false; });
    if (zoom) change(zoom, one => { one.checked = true; });
    const svg = all('.view').find(seen).querySelector('svg');
    svg.focus();
    const told = () => document.querySelector('#happened .told').textContent;
    const key = name => { document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true })); return told(); };
    out.keys = [key('ArrowRight'), key('End'), key('Home')];
    svg.querySelector('.admits').dispatchEvent(new MouseEvent('mousemove', { bubbles: true, clientX: svg.getBoundingClientRect().left + 400 }));
    out.mouse = told();
  }
  out.bad = bad;
  const pre = document.createElement('pre');
  pre.id = 'answer';
  pre.textContent = JSON.stringify(out);
  document.body.append(pre);
})();</script>"#;

/// Asks a page.
fn ask(browser: &Path, results: &Results) -> Value {
    let page = fs::read_to_string(results.page()).unwrap();
    let asked =
        page.replacen("<meta charset=\"utf-8\">", &format!("<meta charset=\"utf-8\">{LISTEN}"), 1);
    let asked = asked.replacen("</body>", &format!("{ASK}</body>"), 1);
    let file = results.folder().join("asked.html");
    fs::write(&file, asked).unwrap();
    let output = browse(
        browser,
        &["--dump-dom", "--enable-logging=stderr", "--window-size=1280,900"],
        &file,
    );
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("CONSOLE"), "{errors}");
    let (_, answer) =
        dom.split_once("<pre id=\"answer\">").unwrap_or_else(|| panic!("no answer\n{errors}"));
    let answer = answer.split("</pre>").next().unwrap();
    let answer = answer.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    serde_json::from_str(&answer.replace("&nbsp;", "\u{a0}").replace("&amp;", "&")).unwrap()
}

/// Nothing went wrong, nothing was asked of the network, nothing is wider than the window.
fn quiet(answer: &Value) {
    assert_eq!(answer["bad"], serde_json::json!([]));
    assert_eq!((&answer["requests"], &answer["wider"]), (&0.into(), &false.into()));
}

fn find<'a>(list: &'a Value, key: &str, is: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|one| one[key] == is);
    found.unwrap_or_else(|| panic!("no {key} {is}"))
}

/// The exact value that results hold for a number of the page.
fn exact(metric: &Value, of: &str) -> Value {
    let (of, side) = of.split_once('.').map_or((of, ""), |(of, side)| (of, side));
    let quantile = &metric["quantiles"][of];
    match (of, side) {
        ("mean" | "zero_bound", _) => metric[of].clone(),
        (_, "") => quantile["value"].clone(),
        (_, "low") => quantile["interval"][0].clone(),
        _ => quantile["interval"][1].clone(),
    }
}

/// The same number, or none in both. The reader of JSON may be off in the last bit of a float.
fn same(json: &Value, page: Option<f64>) -> bool {
    match (json.as_f64(), page) {
        (Some(a), Some(b)) => a.to_bits().abs_diff(b.to_bits()) <= 1,
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn unit(metric: &str) -> Unit {
    MetricKey::parse(metric).unwrap().doc().unit
}

/// A number on the page: design, metric, what of it, its exact value, and what is read.
type Number = (Option<String>, String, String, Option<f64>, String);

fn numbers(answer: &Value) -> Vec<Number> {
    let word = |value: &Value| value.as_str().map(str::to_string);
    let rows = answer["numbers"].as_array().unwrap().iter().map(|row| {
        let exact = word(&row[3]).map(|text| text.parse().unwrap());
        (
            word(&row[0]),
            word(&row[1]).unwrap(),
            word(&row[2]).unwrap(),
            exact,
            word(&row[4]).unwrap(),
        )
    });
    rows.collect()
}

#[test]
fn a_run_says_what_its_results_say_and_shows_the_trial_that_is_picked() {
    let Some(browser) = chromium() else { return };
    let results =
        Results::of(&["run", "scenarios/active-passive/split-brain.toml", "--trials", "8"]);
    let (answer, json) = (ask(&browser, &results), results.json("results.json"));
    quiet(&answer);
    let blocks =
        ["objectives", "happened", "time", "distributions", "topology", "assumptions", "reproduce"];
    assert_eq!(answer["blocks"], serde_json::json!(blocks));
    assert_ne!(answer["first"], answer["other"], "another trial, other lanes");
    assert_eq!(answer["first"], answer["back"]);
    assert_ne!(answer["first"], answer["afar"], "the incident from near, and the episode");
    for told in answer["keys"].as_array().unwrap().iter().chain([&answer["mouse"]]) {
        let told = told.as_str().unwrap();
        assert!(told.contains(':') && told.len() > 8, "`{told}` tells time and event");
    }
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (_, metric, of, value, text) in numbers(&answer) {
        let found = find(&json["metrics"], "metric", &metric);
        let shown = |value: f64| number::show(unit(&metric), value);
        let kind = of.split([' ', '.']).next().unwrap().to_string();
        *kinds.entry(kind.clone()).or_default() += 1;
        let expected = match kind.as_str() {
            // The objectives are not among the expectations of the results; their parts are.
            "judged" => {
                let of = of.trim_start_matches("judged ");
                let (of, side) = of
                    .rsplit_once('.')
                    .filter(|(_, s)| ["low", "high"].contains(s))
                    .unwrap_or((of, ""));
                let expectations = json["expectations"].as_array().unwrap();
                let mut same = expectations.iter().filter(|e| e["metric"] == metric.as_str());
                let Some(known) = same.find(|e| e["limit"] == of) else { continue };
                match side {
                    "low" => known["interval"][0].clone(),
                    "high" => known["interval"][1].clone(),
                    _ => known["value"].clone(),
                }
            }
            // Worked out for the page alone: a mean over the trials that are known.
            "spent" => continue,
            _ => exact(found, &of),
        };
        assert!(same(&expected, value), "{metric} {of}: {expected} and {value:?}");
        if let Some(value) = value.filter(|_| kind != "zero_bound") {
            assert!(
                text.ends_with(&shown(value)),
                "{metric} {of}: `{text}` is not {}",
                shown(value)
            );
        }
    }
    for kind in ["p50", "p95", "mean", "judged", "zero_bound"] {
        assert!(kinds.get(kind).is_some_and(|n| *n > 1), "{kind}: {kinds:?}");
    }
}

#[test]
fn designs_and_a_sweep_say_what_their_results_say() {
    let Some(browser) = chromium() else { return };
    let split = "scenarios/active-passive/split-brain.toml";
    let results = Results::of(&["compare", split, "--variant", "base,storage", "--trials", "6"]);
    let (answer, json) = (ask(&browser, &results), results.json("comparison.json"));
    quiet(&answer);
    let mut count = 0;
    for (design, metric, of, value, _) in numbers(&answer) {
        let Some(design) = design else { continue };
        let cell = find(&find(&json["metrics"], "metric", &metric)["designs"], "design", &design);
        let expected = match of.as_str() {
            "difference" => cell["difference"]["mean"].clone(),
            "difference.low" => cell["difference"]["mean_interval"][0].clone(),
            "difference.high" => cell["difference"]["mean_interval"][1].clone(),
            of => exact(&cell["value"], of),
        };
        assert!(same(&expected, value), "{design} {metric} {of}: {expected} and {value:?}");
        count += 1;
    }
    assert!(count > 40, "{count} numbers");
    assert_ne!(answer["first"], answer["other"]);

    let cut = "scenarios/active-passive/partition-43s.toml";
    let results =
        Results::of(&["sweep", cut, "-P", "lease.ttl", "10s", "20s", "5s", "--trials", "3"]);
    let (answer, json) = (ask(&browser, &results), results.json("sweep.json"));
    quiet(&answer);
    let points = json["points"].as_array().unwrap();
    let mut left = points.clone();
    let mut of_metric: BTreeMap<String, usize> = BTreeMap::new();
    for (_, metric, of, value, _) in numbers(&answer) {
        // Three numbers a row, a row a point.
        let at = of_metric.entry(metric.clone()).or_default();
        let point = &points[*at / 3];
        *at += 1;
        let found = find(&point["metrics"], "metric", &metric);
        assert!(same(&exact(found, &of), value), "{metric} {of} at {}", point["at"]);
        left.retain(|other| other["at"] != point["at"]);
    }
    assert!(left.is_empty() && of_metric.values().all(|n| *n == 9), "{of_metric:?}");
}

/// A window as narrow as a phone is not to be had everywhere: a frame within a page is.
fn framed(page: &Path, width: u32, height: u32) -> PathBuf {
    let frame = page.with_file_name(format!("frame-{width}.html"));
    let text = format!(
        "<!doctype html><style>body{{margin:0}}iframe{{border:0;width:{width}px;height:{height}px}}</style>\
         <iframe src=\"report.html\"></iframe>"
    );
    fs::write(&frame, text).unwrap();
    frame
}

#[test]
fn pictures_for_a_person_and_two_sheets_of_paper() {
    let Some(browser) = chromium() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    fs::create_dir_all(&folder).unwrap();
    let pages = [
        ("run", vec!["run", "scenarios/active-passive/partition-43s.toml", "--trials", "40"]),
        ("ladder", vec!["ladder", "scenarios/active-passive/split-brain.toml", "--trials", "6"]),
    ];
    for (name, args) in pages {
        let results = Results::of(&args);
        for (theme, scheme) in [("light", "1"), ("dark", "0")] {
            for (width, height) in [(1280, 4400), (390, 6200)] {
                let file = folder.join(format!("{name}-{theme}-{width}.png"));
                let page = framed(&results.page(), width, height);
                let screenshot = format!("--screenshot={}", file.display());
                let size = format!("--window-size={},{height}", width.max(500));
                let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
                browse(&browser, &[&screenshot, &size, &scheme], &page);
                assert!(
                    fs::metadata(&file).is_ok_and(|file| file.len() > 20_000),
                    "{}",
                    file.display()
                );
            }
        }
        let file = folder.join(format!("{name}.pdf"));
        let print = format!("--print-to-pdf={}", file.display());
        browse(&browser, &[&print, "--no-pdf-header-footer"], &results.page());
        let pdf = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        let sheets = pdf.matches("/Type /Page\n").count() + pdf.matches("/Type /Page ").count();
        assert_eq!(sheets, 2, "{}", file.display());
    }
}
