//! `compare`: several designs over the same trials, and the interval of each difference.

use super::designs::{Contest, Design};
use super::files::{self, Text};
use super::output::complain;
use super::{Change, CompareArgs, Exit};
use regionsim::scenario::load_with;

/// The word for a file as written, where variants are chosen.
const BASE: &str = "base";

/// Runs all that was asked for and tells the differences.
pub fn compare(args: &CompareArgs) -> Exit {
    let (paths, mut exit) = files::meant(&args.paths);
    let mut designs: Vec<Design> = Vec::new();
    for path in &paths {
        let found = files::read(path).and_then(|text| of_file(args, &text));
        match found {
            Ok(more) => designs.extend(more),
            Err(bad) => exit = exit.max(bad),
        }
    }
    if exit != Exit::Good {
        return exit;
    }
    if designs.len() < 2 {
        complain("one design is nothing to compare: name two files, or add --variants");
        return Exit::Usage;
    }
    tell_apart(&mut designs);
    let name = format!("compare-{}", designs[0].ready.scenario.name);
    let (trials, out, format) = (&args.trials, args.out.as_path(), args.format);
    let (title, html, ladder) = ("comparison".to_string(), args.html, false);
    Contest { name, title, ladder, html, trials, out, format }.hold(designs)
}

fn of_file(args: &CompareArgs, text: &Text) -> Result<Vec<Design>, Exit> {
    let mut wanted: Vec<Option<String>> = vec![None];
    if args.variants {
        let (scenario, _) = load_with(&text.text, &args.set, None);
        wanted.extend(scenario.iter().flat_map(|s| s.variants.clone()).map(Some));
    } else if !args.only.is_empty() {
        wanted = args.only.iter().map(|name| Some(name.clone()).filter(|n| n != BASE)).collect();
    }
    let design = |variant: Option<String>| {
        let change = Change { variant, set: args.set.clone() };
        let ready = files::ready(text, &change, args.trials.quiet)?;
        let heading = super::run::heading(&ready.scenario, 0);
        let source = super::run::source(text, &change, None, 0, 0);
        Ok(Design { label: heading.label(), about: String::new(), source, ready })
    };
    wanted.into_iter().map(design).collect()
}

/// Two designs of one name get numbers.
fn tell_apart(designs: &mut [Design]) {
    for i in 1..designs.len() {
        let label = designs[i].label.clone();
        let same = designs[..i].iter().filter(|d| d.ready_label() == label).count();
        if same > 0 {
            designs[i].label = format!("{label}#{}", same + 1);
        }
    }
}

impl Design {
    fn ready_label(&self) -> String {
        super::run::heading(&self.ready.scenario, 0).label()
    }
}
