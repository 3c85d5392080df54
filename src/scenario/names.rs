//! From names to places: which region, which zone, which table.

use super::draft::{Draft, Named};
use crate::sim::param::{Name, Place, Problems, suggest};
use crate::world::plan::{RegionPlan, Spot};

/// The regions and zones of the file.
#[derive(Clone, Debug)]
pub struct Names {
    /// The regions, in the order of the file.
    pub regions: Vec<RegionPlan>,
}

impl Names {
    /// The regions and zones of the file.
    pub fn of(draft: &Draft) -> Names {
        let plan = |region: &Named<super::schema::RegionTable>| RegionPlan {
            name: region.name.clone(),
            zones: region.params.zones.iter().map(|zone| zone.text.clone()).collect(),
        };
        Names { regions: draft.regions.iter().map(plan).collect() }
    }

    /// The index of a region, or a problem. A zone is not a region.
    pub fn region(&self, name: &Name, problems: &mut Problems) -> Option<usize> {
        let found = self.regions.iter().position(|region| region.name == name.text);
        if found.is_none() {
            self.unknown(&name.text, &name.place, "region", problems);
        }
        found
    }

    /// A region, which means its first zone, or `region/zone`; or a problem.
    pub fn spot(&self, name: &Name, problems: &mut Problems) -> Option<Spot> {
        let found = self.find_spot(&name.text);
        if found.is_none() {
            self.unknown(&name.text, &name.place, "region or zone", problems);
        }
        found
    }

    /// A region, which means its first zone, or `region/zone`.
    pub fn find_spot(&self, text: &str) -> Option<Spot> {
        let (region, zone) = match text.split_once('/') {
            Some((region, zone)) => (region, Some(zone)),
            None => (text, None),
        };
        let index = self.regions.iter().position(|r| r.name == region)?;
        let zones = &self.regions[index].zones;
        let zone = match zone {
            Some(zone) => zones.iter().position(|z| z == zone)?,
            None => 0,
        };
        Some(Spot { region: index, zone })
    }

    /// `region`, or `region/zone` where the region has zones.
    pub fn spot_name(&self, spot: Spot) -> String {
        self.regions[spot.region].spot_name(spot.zone)
    }

    /// Every spot that a name covers: all zones of a region, or one zone.
    pub fn cover(&self, text: &str) -> Option<Vec<Spot>> {
        let spot = self.find_spot(text)?;
        if text.contains('/') {
            return Some(vec![spot]);
        }
        let zones = self.regions[spot.region].zones.len().max(1);
        Some((0..zones).map(|zone| Spot { region: spot.region, zone }).collect())
    }

    /// The spots of a list of names; no spot may come twice.
    pub fn spots(&self, names: &[Name], what: &str, problems: &mut Problems) -> Vec<Spot> {
        let mut spots: Vec<Spot> = Vec::new();
        for name in names {
            let Some(spot) = self.spot(name, problems) else { continue };
            if spots.contains(&spot) {
                let message = format!("`{}` is listed twice as {what}", name.text);
                problems.add(&name.place, message);
            } else {
                spots.push(spot);
            }
        }
        spots
    }

    fn unknown(&self, text: &str, place: &Place, what: &str, problems: &mut Problems) {
        let zones = self.all_zones();
        let mut known: Vec<&str> = self.regions.iter().map(|r| r.name.as_str()).collect();
        if text.contains('/') {
            known = zones.iter().map(String::as_str).collect();
        }
        let help = match known.is_empty() {
            true if text.contains('/') => "no region has zones".to_string(),
            true => "declare it: [region.NAME]".to_string(),
            false => suggest_few(text, &known),
        };
        problems.add_help(place, format!("unknown {what} `{text}`"), help);
    }

    /// `region/zone` of every zone.
    pub fn all_zones(&self) -> Vec<String> {
        let zones = |r: &RegionPlan| -> Vec<String> {
            r.zones.iter().map(|zone| format!("{}/{zone}", r.name)).collect()
        };
        self.regions.iter().flat_map(zones).collect()
    }
}

/// As [`suggest`], but of a long list only the first few are named.
pub fn suggest_few(word: &str, known: &[&str]) -> String {
    let help = suggest(word, known);
    if help.starts_with("did you mean") || known.len() <= 12 {
        return help;
    }
    format!("expected one of: {}, … ({} in all)", known[..12].join(", "), known.len())
}

/// The index of the table a name refers to; of a store that names none, the unnamed table.
pub fn refer<T>(
    name: Option<&Name>,
    tables: &[Named<T>],
    key: &str,
    problems: &mut Problems,
) -> Option<usize> {
    let Some(name) = name else {
        return tables.iter().position(|table| !table.named);
    };
    let found = tables.iter().position(|table| table.name == name.text);
    if found.is_none() {
        let known: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let help = match known.is_empty() {
            true => format!("declare it: [{key}.{}]", name.text),
            false => suggest_few(&name.text, &known),
        };
        problems.add_help(&name.place, format!("unknown {key} `{}`", name.text), help);
    }
    found
}
