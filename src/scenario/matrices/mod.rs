//! Round-trip times between the regions of public clouds, as measured or published, with their
//! source and date. Each file opens with where it comes from.
//!
//! May use `sim` (spans). Will never know scenarios.
//!
//! # Decided
//! - A matrix states end-to-end round trips of ordered pairs, as its source does: the two
//!   directions of a pair may differ. Halving happens once, where a plan is made.
//! - Rows from a region to itself (AWS, GCP: host to host) are left out: what lies within a
//!   region is stated by `wan.intra_region` and `wan.within_zone`.

use crate::sim::Span;
use crate::sim::units::parse_span;
use std::collections::BTreeMap;
use std::sync::OnceLock;

crate::choices! {
    /// A built-in RTT matrix.
    pub enum MatrixName {
        /// Azure, 54 regions, median over 30 days to 2026-07-30.
        Azure2026 = "azure-2026",
        /// AWS, 19 regions, mean of pings on 2020-06-05.
        Aws2020 = "aws-2020",
        /// Google Cloud, 20 regions, mean of an hour of pings, 2020-06-02.
        Gcp2020 = "gcp-2020",
        /// IBM Cloud, 13 regions, mean over 30 days to 2026-08-16.
        Ibm2026 = "ibm-2026",
    }
}

/// A matrix of round-trip times.
#[derive(Clone, PartialEq, Debug)]
pub struct Matrix {
    /// The name a scenario uses.
    pub name: &'static str,
    /// Where the figures come from.
    pub source: &'static str,
    /// The day or days they are of.
    pub date: &'static str,
    /// What was measured: a median, a mean.
    pub measure: &'static str,
    /// The regions, sorted.
    pub regions: Vec<&'static str>,
    rtt: BTreeMap<(&'static str, &'static str), Span>,
}

impl Matrix {
    /// The round trip from one region to another; none within a region.
    pub fn rtt(&self, from: &str, to: &str) -> Option<Span> {
        self.rtt.get(&(from, to)).copied()
    }
    /// The matrix of that name.
    pub fn of(name: MatrixName) -> &'static Matrix {
        &all()[name as usize]
    }
}

/// Every built-in matrix, in the order of [`MatrixName`].
pub fn all() -> &'static [Matrix] {
    static ALL: OnceLock<Vec<Matrix>> = OnceLock::new();
    ALL.get_or_init(|| {
        vec![
            read(
                "azure-2026",
                "Microsoft, azure-docs, articles/networking/azure-network-latency.md (CC-BY-4.0)",
                "30 days to 2026-07-30",
                "median (P50) of one-minute probes",
                include_str!("azure-2026.csv"),
            ),
            read(
                "aws-2020",
                "vitorenesduarte/fantoch, latency_aws/2020_06_05 (Apache-2.0/MIT)",
                "2020-06-05",
                "mean of ICMP pings between virtual machines",
                include_str!("aws-2020.csv"),
            ),
            read(
                "gcp-2020",
                "vitorenesduarte/fantoch, latency_gcp (Apache-2.0/MIT)",
                "2020-06-02",
                "mean of one hour of ICMP pings between virtual machines",
                include_str!("gcp-2020.csv"),
            ),
            read(
                "ibm-2026",
                "IBM, ibm-cloud-docs/vpc, _include-segments/network-latency.md",
                "2026-07-18 to 2026-08-16",
                "mean over 30 days",
                include_str!("ibm-2026.csv"),
            ),
        ]
    })
}

/// Reads the rows `from,to,rtt_ms,…`. A row that is none is a mistake in our own data, which the
/// test below finds.
fn read(
    name: &'static str,
    source: &'static str,
    date: &'static str,
    measure: &'static str,
    csv: &'static str,
) -> Matrix {
    let mut rtt = BTreeMap::new();
    for line in csv.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let mut cells = line.split(',');
        if let (Some(from), Some(to), Some(ms)) = (cells.next(), cells.next(), cells.next())
            && let Ok(span) = parse_span(&format!("{ms}ms"))
            && from != to
        {
            rtt.insert((from, to), span);
        }
    }
    let mut regions: Vec<&'static str> = rtt.keys().map(|(from, _)| *from).collect();
    regions.dedup();
    Matrix { name, source, date, measure, regions, rtt }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_matrix_is_complete() {
        let sizes: Vec<_> = all().iter().map(|m| (m.name, m.regions.len(), m.rtt.len())).collect();
        let full = |name, n: usize| (name, n, n * (n - 1));
        let expected = [
            full("azure-2026", 54),
            full("aws-2020", 19),
            full("gcp-2020", 20),
            full("ibm-2026", 13),
        ];
        assert_eq!(sizes, expected);
        let names: Vec<_> = all().iter().map(|m| m.name).collect();
        assert_eq!(names, MatrixName::WORDS);
    }

    #[test]
    fn the_two_directions_of_a_pair_are_kept_apart() {
        let azure = Matrix::of(MatrixName::Azure2026);
        assert_eq!(azure.rtt("australiacentral", "australiaeast"), Some(Span::from_millis(8)));
        let uneven = azure.rtt.iter().filter(|((a, b), rtt)| azure.rtt(b, a) != Some(**rtt));
        assert!(uneven.count() > 100);
        assert_eq!(azure.rtt("eastus", "eastus"), None);
    }
}
